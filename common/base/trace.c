/* SPDX-License-Identifier: MIT */
/* Chunks, their owners, and how a reader sees that one was overwritten while it was copied: a chunk's generation changes
 * before its records do. All words are atomics, written with release and read with acquire, so there is no data race. */
#include "common/base/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { RECORD_WORDS = 4, CHUNK_SIZE = 4096, EVENT_BITS = 8 };
/* After a search without success a thread drops so many records before it searches again. */
enum { DROPS_BEFORE_SEARCH = 1000 };

enum chunk_state {
    CHUNK_FREE, /* nobody fills it: it was never used, or its owner has left it */
    CHUNK_TAKEN,
};

struct chunk {
    _Atomic uint32_t state;      /* enum chunk_state */
    _Atomic uint32_t generation; /* how often it was taken; 0: never */
    _Atomic uint32_t used;       /* bytes, up to the end of the last record; 0: there is none */
    _Atomic uint32_t track;
    _Atomic uint64_t sequence;
    _Atomic uint64_t number;
    _Atomic uint32_t kind;
    _Atomic uint32_t process;
    _Atomic uint32_t thread;
    _Atomic uint64_t before_ns; /* the time of the last record before this chunk */
    _Alignas(64) _Atomic uint64_t words[TRACE_CHUNK_RECORDS][RECORD_WORDS];
};
_Static_assert(sizeof(struct chunk) == CHUNK_SIZE, "a chunk is a page");

/* At the beginning of the mapping; the chunks follow. */
struct trace {
    size_t chunk_count;                   /* constant */
    _Alignas(64) _Atomic uint64_t cursor; /* the chunks that were looked at so far */
    _Atomic uint32_t tracks;              /* threads so far */
    _Alignas(64) _Atomic uint64_t overwritten;
    _Atomic uint64_t dropped;
    _Alignas(CHUNK_SIZE) struct chunk chunks[];
};

/* The track of the calling thread, and the chunk that it fills. */
struct writer {
    _Atomic uint64_t *next; /* the place for the next record, in the chunk; `end`: there is none */
    const _Atomic uint64_t *end;
    struct chunk *chunk; /* NULL: none yet, or none is free */
    struct timespec now; /* the time of the last record */
    uint32_t skip;       /* records to drop before the next search */
    uint64_t number;
    uint32_t track;
    uint32_t thread;
    enum trace_thread kind;
};

bool trace_is_on;
static struct trace none; /* without memory for chunks */
static struct trace *trace = &none;
/* Programs link it statically: no call finds it. */
static _Thread_local struct writer writer __attribute__((tls_model("initial-exec")));

int trace_init(size_t size)
{
    size_t count = size / sizeof(struct chunk);
    void *memory = mmap(NULL, sizeof *trace + count * sizeof(struct chunk), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        return -errno;
    }
    trace = memory;
    trace->chunk_count = count;
    trace_is_on = true;
    return 0;
}

/* ---- words ---- */

static uint64_t get(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_acquire);
}

static uint32_t get_short(const _Atomic uint32_t *word)
{
    return atomic_load_explicit(word, memory_order_acquire);
}

static void put(_Atomic uint64_t *word, uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_release);
}

static void put_short(_Atomic uint32_t *word, uint32_t value)
{
    atomic_store_explicit(word, value, memory_order_release);
}

static unsigned count_records(const struct chunk *chunk)
{
    uint32_t used = get_short(&chunk->used);
    return used == 0 ? 0
                     : (used - (unsigned)offsetof(struct chunk, words)) / (RECORD_WORDS * sizeof(uint64_t));
}

/* ---- writing ---- */

static bool take(struct chunk *chunk)
{
    uint32_t expected = CHUNK_FREE;
    return atomic_load_explicit(&chunk->state, memory_order_relaxed) == CHUNK_FREE &&
           atomic_compare_exchange_strong_explicit(&chunk->state, &expected, CHUNK_TAKEN,
                                                   memory_order_acquire, memory_order_relaxed);
}

static void leave(struct chunk *chunk)
{
    if (chunk != NULL) {
        put_short(&chunk->state, CHUNK_FREE);
    }
}

static ALWAYS_INLINE uint64_t ns_of(const struct timespec *time)
{
    return (uint64_t)time->tv_sec * 1000000000 + (uint64_t)time->tv_nsec;
}

static void begin_chunk(struct writer *w, struct chunk *chunk, uint64_t sequence)
{
    uint32_t generation = atomic_load_explicit(&chunk->generation, memory_order_relaxed);
    unsigned before = count_records(chunk);
    if (before > 0) {
        atomic_fetch_add_explicit(&trace->overwritten, before, memory_order_relaxed);
    }
    put_short(&chunk->generation, generation + 1);
    put_short(&chunk->used, 0);
    put_short(&chunk->track, w->track);
    put(&chunk->sequence, sequence);
    put(&chunk->number, w->number);
    put_short(&chunk->kind, w->kind);
    put_short(&chunk->process, (uint32_t)getpid());
    put_short(&chunk->thread, w->thread);
    put(&chunk->before_ns, ns_of(&w->now));
    w->chunk = chunk;
    w->next = chunk->words[0];
    w->end = (const _Atomic uint64_t *)(chunk + 1);
}

/* The oldest chunk that nobody fills, which is the next such one in the order of the memory. False if there is none. */
static NOINLINE bool find_chunk(struct writer *w)
{
    leave(w->chunk);
    w->chunk = NULL;
    w->next = NULL;
    w->end = NULL;
    if (w->skip > 0) {
        w->skip--;
        return false;
    }
    for (size_t i = 0; i < trace->chunk_count; i++) {
        uint64_t sequence = atomic_fetch_add_explicit(&trace->cursor, 1, memory_order_relaxed);
        struct chunk *chunk = &trace->chunks[sequence % trace->chunk_count];
        if (take(chunk)) {
            begin_chunk(w, chunk, sequence);
            return true;
        }
    }
    w->skip = DROPS_BEFORE_SEARCH;
    return false;
}

/* Whether there is a place for a record. */
static ALWAYS_INLINE bool has_room(struct writer *w)
{
    if (unlikely(w->next == w->end) && !find_chunk(w)) {
        atomic_fetch_add_explicit(&trace->dropped, 1, memory_order_relaxed);
        return false;
    }
    return true;
}

/* Publishes the record that was written there. */
static ALWAYS_INLINE void publish(struct writer *w)
{
    w->next += RECORD_WORDS;
    put_short(&w->chunk->used, (uint32_t)((char *)w->next - (char *)w->chunk));
}

/* The clock is read after has_room, because a new chunk notes the time of the record before. */
NOINLINE void trace_put(enum trace_event event, uint64_t connection, uint64_t value)
{
    struct writer *w = &writer;
    if (likely(has_room(w))) {
        clock_gettime(CLOCK_MONOTONIC, &w->now);
        put(&w->next[0], ns_of(&w->now));
        put(&w->next[1], (uint64_t)event | connection << EVENT_BITS);
        put(&w->next[2], value);
        publish(w);
    }
}

NOINLINE void trace_put_request(uint64_t connection, struct span head)
{
    struct writer *w = &writer;
    if (likely(has_room(w))) {
        uint64_t text[TRACE_TEXT_SIZE / sizeof(uint64_t)];
        if (likely(head.length >= sizeof text)) {
            memcpy(text, head.data, sizeof text);
        } else {
            memset(text, 0, sizeof text);
            memcpy(text, head.data, head.length);
        }
        put(&w->next[0], text[0]);
        put(&w->next[1], (uint64_t)TRACE_request_begin | connection << EVENT_BITS);
        put(&w->next[2], text[1]);
        put(&w->next[3], text[2]);
        publish(w);
    }
}

/* A child process begins with a copy of the writer of the thread that has forked: the chunk in it is not its own. */
void trace_thread_begin(enum trace_thread kind, uint64_t number)
{
    if (trace_is_on) {
        writer = (struct writer){
            .number = number,
            .kind = kind,
            .thread = (uint32_t)gettid(),
            .track = atomic_fetch_add_explicit(&trace->tracks, 1, memory_order_relaxed),
        };
    }
    TRACE(thread_begin, kind == TRACE_CONNECTION || kind == TRACE_PROCESS ? number : 0, (uint64_t)kind);
}

void trace_thread_end(void)
{
    enum trace_thread kind = writer.kind;
    TRACE(thread_end, kind == TRACE_CONNECTION || kind == TRACE_PROCESS ? writer.number : 0, (uint64_t)kind);
    leave(writer.chunk);
    writer = (struct writer){.chunk = NULL};
}

/* The chunks that were ever taken are the first ones: memory that nobody has used is not touched. */
static size_t used_chunks(void)
{
    uint64_t looked = get(&trace->cursor);
    return looked < trace->chunk_count ? (size_t)looked : trace->chunk_count;
}

void trace_process_ended(int process)
{
    for (size_t i = 0; i < used_chunks(); i++) {
        struct chunk *chunk = &trace->chunks[i];
        if (get_short(&chunk->state) == CHUNK_TAKEN && get_short(&chunk->process) == (uint32_t)process) {
            leave(chunk);
        }
    }
}

/* ---- reading ---- */

struct trace_copy {
    uint64_t until_ns;
    size_t count;
    struct chunk chunks[];
};

/* False if it has no records, or was overwritten meanwhile. */
static bool copy_chunk(struct chunk *to, const struct chunk *from)
{
    uint32_t generation = get_short(&from->generation);
    put_short(&to->used, get_short(&from->used));
    put_short(&to->track, get_short(&from->track));
    put_short(&to->kind, get_short(&from->kind));
    put_short(&to->process, get_short(&from->process));
    put_short(&to->thread, get_short(&from->thread));
    put(&to->sequence, get(&from->sequence));
    put(&to->number, get(&from->number));
    put(&to->before_ns, get(&from->before_ns));
    unsigned count = count_records(to);
    for (unsigned i = 0; i < count; i++) {
        for (int k = 0; k < RECORD_WORDS; k++) {
            put(&to->words[i][k], get(&from->words[i][k]));
        }
    }
    return get_short(&from->generation) == generation && count > 0;
}

static int compare_chunks(const void *left, const void *right)
{
    const struct chunk *a = left;
    const struct chunk *b = right;
    if (a->track != b->track) {
        return a->track < b->track ? -1 : 1;
    }
    return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

struct trace_copy *trace_copy_new(void)
{
    size_t used = used_chunks();
    struct trace_copy *copy =
        aligned_alloc(_Alignof(struct trace_copy), sizeof *copy + used * sizeof copy->chunks[0]);
    if (copy == NULL) {
        return NULL;
    }
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    copy->until_ns = ns_of(&now);
    copy->count = 0;
    for (size_t i = 0; i < used; i++) {
        copy->count += copy_chunk(&copy->chunks[copy->count], &trace->chunks[i]);
    }
    qsort(copy->chunks, copy->count, sizeof copy->chunks[0], compare_chunks);
    return copy;
}

void trace_copy_free(struct trace_copy *copy)
{
    free(copy);
}

size_t trace_copy_count(const struct trace_copy *copy)
{
    return copy->count;
}

/* `*time_ns`: that of the record before; is set to that of this one. */
static void read_record(struct trace_record *record, const _Atomic uint64_t *words, uint64_t *time_ns)
{
    uint64_t w[RECORD_WORDS] = {get(&words[0]), get(&words[1]), get(&words[2]), get(&words[3])};
    uint64_t event = w[1] & ((1u << EVENT_BITS) - 1);
    bool request = event == TRACE_request_begin;
    *time_ns = request ? *time_ns : w[0];
    *record = (struct trace_record){.time_ns = *time_ns,
                                    .event = (enum trace_event)event,
                                    .connection = w[1] >> EVENT_BITS,
                                    .value = request ? 0 : w[2]};
    if (request) {
        memcpy(record->text, &w[0], sizeof w[0]);
        memcpy(record->text + sizeof w[0], &w[2], 2 * sizeof w[0]);
    }
}

void trace_copy_read(const struct trace_copy *copy, size_t index, struct trace_chunk *to)
{
    const struct chunk *chunk = &copy->chunks[index];
    unsigned count = count_records(chunk);
    *to = (struct trace_chunk){
        .before_ns = get(&chunk->before_ns),
        .number = get(&chunk->number),
        .track = get_short(&chunk->track),
        .kind = (enum trace_thread)get_short(&chunk->kind),
        .process = (int)get_short(&chunk->process),
        .thread = (int)get_short(&chunk->thread),
    };
    uint64_t time_ns = to->before_ns;
    for (unsigned i = 0; i < count; i++) {
        read_record(&to->records[i], chunk->words[i], &time_ns);
        if (time_ns > copy->until_ns) {
            return; /* it came while others were copied */
        }
        to->count++;
    }
}

struct trace_losses trace_losses(void)
{
    return (struct trace_losses){.overwritten = get(&trace->overwritten), .dropped = get(&trace->dropped)};
}

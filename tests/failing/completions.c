/* SPDX-License-Identifier: MIT */
/* For the server: operations of its rings that fail, are cancelled, or move a few bytes, and rings that are small. strace and the shim
 * see none of it, because the operations are no system calls.
 *
 * The linker's --wrap leads each call of liburing that enters the kernel here. Before it, a submission is changed: shortened, or replaced
 * by one that does nothing. After it, the completion of what was replaced gets the error. So the server runs as it is built, the kernel
 * does what it is told, and no operation that has failed goes on.
 *
 * What fails stands in the file that RING_FAULTS names, a row of 64-bit integers (tests/faults/ring.py), which may change at any time. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "server/drivers/uring/ring.h"

enum field {
    OPERATIONS,     /* that fail: a set of 1 << enum ring_tag; RING_NONE stands for cancels */
    RESULT,         /* of these, a negative errno */
    ONE_IN,         /* one in so many of these fails */
    LATE,           /* 1: what goes on fails after a completion; a cancel takes effect later */
    SEND_MAX,       /* the most bytes that a send moves, at random; 0: all */
    RECEIVE_MAX,    /* the same of a receive, which then does not go on */
    ENTER,          /* the negative errno of each call, which then does nothing; 0: none */
    SUBMIT,         /* the same of io_uring_submit, which makes room in the queue; ONE_IN holds, too */
    ENTRIES,        /* of new rings; 0: as many as the server wants */
    COMPLETIONS,    /* room for them in new rings */
    BUFFERS,        /* that new rings have for receives */
    HITS,           /* how many operations were changed */
    OVERFLOWS,      /* after how many calls there were more completions than room */
    WITHOUT_BUFFER, /* how many receives found none */
    FIELDS
};

enum { RINGS_MAX = 64, MARKS_MAX = 4096 };

/* A completion that is to be changed. */
struct mark {
    uint64_t data;
    int result;
    bool late; /* if it was cancelled */
};

struct watched {
    struct io_uring *io;
    struct io_uring_buf_ring *buffers;
    unsigned next; /* submission to look at */
    unsigned seen; /* completions */
    unsigned mark_count;
    struct mark marks[MARKS_MAX];
    unsigned cancel_count;
    uint64_t cancels[MARKS_MAX]; /* user data of what is to be cancelled */
};

static _Atomic int64_t no_fields[FIELDS];
static _Atomic int64_t *fields = no_fields;
static _Atomic uint32_t chance = 1;
static _Atomic uint64_t turn_of_operation;
static struct watched rings[RINGS_MAX];
static unsigned ring_count;

static void check(bool holds, const char *text)
{
    if (!holds) {
        fprintf(stderr, "ring faults: %s\n", text);
        abort();
    }
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("RING_FAULTS");
    if (path == NULL) {
        return;
    }
    int fd = open(path, O_RDWR | O_CLOEXEC);
    void *mapped = mmap(NULL, sizeof no_fields, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    check(mapped != MAP_FAILED, "the file cannot be mapped");
    close(fd);
    fields = mapped;
}

static int64_t field(enum field which)
{
    return atomic_load(&fields[which]);
}

static void count(enum field which)
{
    atomic_fetch_add(&fields[which], 1);
}

/* From 1 to `most`. */
static unsigned draw(int64_t most)
{
    uint32_t drawn = atomic_load(&chance);
    while (!atomic_compare_exchange_weak(&chance, &drawn, drawn * 1664525u + 1013904223u)) {
    }
    return 1 + (drawn >> 16) % (uint32_t)most;
}

static bool is_hit(enum ring_tag tag, bool late)
{
    return (field(OPERATIONS) & 1 << tag) != 0 && (field(LATE) != 0) == late &&
           atomic_fetch_add(&turn_of_operation, 1) % (uint64_t)field(ONE_IN) == 0;
}

static enum ring_tag tag_of(uint64_t data)
{
    return (enum ring_tag)(data & (RING_TAGS - 1));
}

static struct watched *watched(const struct io_uring *io)
{
    for (unsigned i = 0; i < ring_count; i++) {
        if (rings[i].io == io) {
            return &rings[i];
        }
    }
    check(false, "an unknown ring");
    return NULL;
}

/* ---- marks ---- */

static void mark(struct watched *ring, uint64_t data, bool late)
{
    check(ring->mark_count < MARKS_MAX, "too many marks");
    ring->marks[ring->mark_count++] = (struct mark){.data = data, .result = (int)field(RESULT), .late = late};
}

static struct mark *find_mark(struct watched *ring, uint64_t data)
{
    for (unsigned i = 0; i < ring->mark_count; i++) {
        if (ring->marks[i].data == data) {
            return &ring->marks[i];
        }
    }
    return NULL;
}

static void cancel_later(struct watched *ring, uint64_t data)
{
    check(ring->cancel_count < MARKS_MAX, "too many cancels");
    ring->cancels[ring->cancel_count++] = data;
}

/* ---- submissions ---- */

/* Instead of the operation nothing takes place; its completion is marked. */
static void fail(struct watched *ring, struct io_uring_sqe *sqe)
{
    uint64_t data = sqe->user_data;
    io_uring_prep_nop(sqe);
    sqe->buf_group = 0;
    sqe->user_data = data;
    mark(ring, data, false);
}

static void shorten_send(struct io_uring_sqe *sqe)
{
    unsigned few = draw(field(SEND_MAX));
    if (few < sqe->len) {
        sqe->len = few;
        sqe->flags &= (uint8_t)~IOSQE_CQE_SKIP_SUCCESS; /* what is sent only in part completes */
        count(HITS);
    }
}

static void shorten_receive(struct io_uring_sqe *sqe)
{
    sqe->ioprio &= (uint16_t)~IORING_RECV_MULTISHOT;
    sqe->len = draw(field(RECEIVE_MAX));
    count(HITS);
}

static void change(struct watched *ring, struct io_uring_sqe *sqe)
{
    enum ring_tag tag = tag_of(sqe->user_data);
    if (tag == RING_NONE) {
        uint64_t target = sqe->addr;
        if (is_hit(tag, true)) {
            fail(ring, sqe);
            cancel_later(ring, target);
        }
    } else if (is_hit(tag, false)) {
        fail(ring, sqe);
    } else if (tag == RING_SEND && field(SEND_MAX) > 0) {
        shorten_send(sqe);
    } else if (tag == RING_RECEIVE && field(RECEIVE_MAX) > 0) {
        shorten_receive(sqe);
    }
}

/* Those that cancel_later was called for before this call, not in it. */
static void add_cancels(struct watched *ring, unsigned due)
{
    unsigned added = 0;
    struct io_uring_sqe *sqe;
    while (added < due && (sqe = io_uring_get_sqe(ring->io)) != NULL) {
        io_uring_prep_cancel64(sqe, ring->cancels[added++], 0);
        sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
        sqe->user_data = RING_NONE;
    }
    ring->cancel_count -= added;
    for (unsigned i = 0; i < ring->cancel_count; i++) {
        ring->cancels[i] = ring->cancels[i + added];
    }
}

static struct watched *before(struct io_uring *io)
{
    struct watched *ring = watched(io);
    unsigned due = ring->cancel_count;
    for (; ring->next != io->sq.sqe_tail; ring->next++) {
        change(ring, &io->sq.sqes[ring->next & io->sq.ring_mask]);
    }
    add_cancels(ring, due);
    ring->next = io->sq.sqe_tail;
    return ring;
}

/* ---- completions ---- */

static void apply(struct watched *ring, struct mark *mark, struct io_uring_cqe *cqe)
{
    if (!mark->late || cqe->res == -ECANCELED) {
        cqe->res = mark->result;
        count(HITS);
    }
    *mark = ring->marks[--ring->mark_count];
}

static void see(struct watched *ring, struct io_uring_cqe *cqe)
{
    bool more = (cqe->flags & IORING_CQE_F_MORE) != 0;
    enum ring_tag tag = tag_of(cqe->user_data);
    struct mark *mark_of = find_mark(ring, cqe->user_data);
    if (tag == RING_RECEIVE && cqe->res == -ENOBUFS) {
        count(WITHOUT_BUFFER);
    }
    if (mark_of != NULL && !more) {
        apply(ring, mark_of, cqe);
    } else if (mark_of == NULL && more && is_hit(tag, true)) {
        mark(ring, cqe->user_data, true);
        cancel_later(ring, cqe->user_data);
    }
}

static int after(struct watched *ring, int result)
{
    struct io_uring_cq *cq = &ring->io->cq;
    for (; ring->seen != io_uring_smp_load_acquire(cq->ktail); ring->seen++) {
        see(ring, &cq->cqes[ring->seen & cq->ring_mask]);
    }
    if (io_uring_cq_has_overflow(ring->io)) {
        count(OVERFLOWS);
    }
    return result;
}

/* The error of a call, or 0. */
static int failure(enum field of_call)
{
    if (field(ENTER) != 0) {
        return (int)field(ENTER);
    }
    bool fails = field(ONE_IN) <= 1 || draw(field(ONE_IN)) == 1;
    return fails ? (int)field(of_call) : 0;
}

/* ---- the calls: the linker gives these names ---- */

int __real_io_uring_queue_init_params(unsigned entries, struct io_uring *io,
                                      struct io_uring_params *parameters);
int __real_io_uring_register_buf_ring(struct io_uring *io, struct io_uring_buf_reg *registration,
                                      unsigned flags);
int __real_io_uring_enable_rings(struct io_uring *io);
int __real_io_uring_submit(struct io_uring *io);
int __real_io_uring_submit_and_get_events(struct io_uring *io);
int __real_io_uring_submit_and_wait(struct io_uring *io, unsigned wanted);
int __real_io_uring_submit_and_wait_timeout(struct io_uring *io, struct io_uring_cqe **first, unsigned wanted,
                                            struct __kernel_timespec *time, sigset_t *mask);
int __wrap_io_uring_queue_init_params(unsigned entries, struct io_uring *io,
                                      struct io_uring_params *parameters);
int __wrap_io_uring_register_buf_ring(struct io_uring *io, struct io_uring_buf_reg *registration,
                                      unsigned flags);
int __wrap_io_uring_enable_rings(struct io_uring *io);
int __wrap_io_uring_submit(struct io_uring *io);
int __wrap_io_uring_submit_and_get_events(struct io_uring *io);
int __wrap_io_uring_submit_and_wait(struct io_uring *io, unsigned wanted);
int __wrap_io_uring_submit_and_wait_timeout(struct io_uring *io, struct io_uring_cqe **first, unsigned wanted,
                                            struct __kernel_timespec *time, sigset_t *mask);

/* Main thread, before those of the rings begin. */
int __wrap_io_uring_queue_init_params(unsigned entries, struct io_uring *io,
                                      struct io_uring_params *parameters)
{
    entries = field(ENTRIES) > 0 ? (unsigned)field(ENTRIES) : entries;
    if (field(COMPLETIONS) > 0) {
        parameters->cq_entries = (unsigned)field(COMPLETIONS);
    }
    check(ring_count < RINGS_MAX, "too many rings");
    rings[ring_count++].io = io;
    return __real_io_uring_queue_init_params(entries, io, parameters);
}

int __wrap_io_uring_register_buf_ring(struct io_uring *io, struct io_uring_buf_reg *registration,
                                      unsigned flags)
{
    watched(io)->buffers = (struct io_uring_buf_ring *)(uintptr_t)registration->ring_addr;
    return __real_io_uring_register_buf_ring(io, registration, flags);
}

/* The kernel takes no more buffers than up to the tail. */
int __wrap_io_uring_enable_rings(struct io_uring *io)
{
    if (field(BUFFERS) > 0) {
        io_uring_smp_store_release(&watched(io)->buffers->tail, (uint16_t)field(BUFFERS));
    }
    return __real_io_uring_enable_rings(io);
}

int __wrap_io_uring_submit(struct io_uring *io)
{
    struct watched *ring = before(io);
    int error = failure(SUBMIT);
    return error != 0 ? error : after(ring, __real_io_uring_submit(io));
}

int __wrap_io_uring_submit_and_get_events(struct io_uring *io)
{
    struct watched *ring = before(io);
    int error = failure(ENTER);
    return error != 0 ? error : after(ring, __real_io_uring_submit_and_get_events(io));
}

int __wrap_io_uring_submit_and_wait(struct io_uring *io, unsigned wanted)
{
    struct watched *ring = before(io);
    int error = failure(ENTER);
    return error != 0 ? error : after(ring, __real_io_uring_submit_and_wait(io, wanted));
}

int __wrap_io_uring_submit_and_wait_timeout(struct io_uring *io, struct io_uring_cqe **first, unsigned wanted,
                                            struct __kernel_timespec *time, sigset_t *mask)
{
    struct watched *ring = before(io);
    int error = failure(ENTER);
    return error != 0 ? error
                      : after(ring, __real_io_uring_submit_and_wait_timeout(io, first, wanted, time, mask));
}

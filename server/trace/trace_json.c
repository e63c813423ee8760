/* SPDX-License-Identifier: MIT */
/* From records to events. What a thread did is put together from several records of it: a slice begins with the record by
 * which the thread woke, and ends with the last one before it waits again. A connection's slices have a record for each end. */
#include "server/trace/trace_json.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/trace.h"
#include "server/drivers/shared/pump.h"

/* The process id under which the connections are listed: greater than any real one. */
enum { CONNECTIONS_PROCESS = 1 << 23 };

/* A slice of a thread that is not complete yet. */
struct slice {
    bool open;
    uint64_t begin_ns;
    uint64_t end_ns; /* of the last record that belongs to it */
    struct trace_record first;
    bool waited; /* what woke the thread was the end of a wait */
};

/* The tail of an arrow, which is drawn unless the next record takes it back. */
struct tail {
    const char *kind; /* NULL: there is none */
    uint64_t time_ns;
    uint64_t connection;
};

struct writer {
    FILE *out;
    const char *mode;
    bool any; /* something was written: a comma comes first */
    struct trace_chunk chunk;
    bool track_known;  /* the fields of `chunk` name a track that was introduced */
    bool works_itself; /* the thread runs work that was never queued */
    struct slice slice;
    struct tail tail;
    uint64_t last_ns; /* the time of the last record */
};

/* ---- events ---- */

/* Begins an event; its other members follow, and then end(). */
static void begin(struct writer *w, const char *phase, uint64_t time_ns, int process, long long thread)
{
    fprintf(w->out, "%s{\"ph\":\"%s\",\"ts\":%llu.%03u,\"pid\":%d,\"tid\":%lld", w->any ? ",\n" : "", phase,
            (unsigned long long)(time_ns / 1000), (unsigned)(time_ns % 1000), process, thread);
    w->any = true;
}

static void end(struct writer *w)
{
    putc('}', w->out);
}

static void begin_of_thread(struct writer *w, const char *phase, uint64_t time_ns)
{
    begin(w, phase, time_ns, w->chunk.process, w->chunk.thread);
}

static void begin_of_connection(struct writer *w, const char *phase, const struct trace_record *record)
{
    begin(w, phase, record->time_ns, CONNECTIONS_PROCESS, (long long)record->connection);
}

static void name(struct writer *w, const char *text)
{
    fprintf(w->out, ",\"name\":\"%s\"", text);
}

static void argument(struct writer *w, const char *key, uint64_t value)
{
    fprintf(w->out, ",\"args\":{\"%s\":%llu}", key, (unsigned long long)value);
}

/* A slice of the connection's track begins or ends with this record. */
static void connection_begins(struct writer *w, const struct trace_record *record, const char *what)
{
    begin_of_connection(w, "B", record);
    name(w, what);
    end(w);
}

static void connection_ends(struct writer *w, const struct trace_record *record, const char *key)
{
    begin_of_connection(w, "E", record);
    if (key != NULL) {
        argument(w, key, record->value);
    }
    end(w);
}

static void connection_instant(struct writer *w, const struct trace_record *record, const char *what,
                               const char *key)
{
    begin_of_connection(w, "i", record);
    name(w, what);
    argument(w, key, record->value);
    fputs(",\"s\":\"t\"", w->out);
    end(w);
}

static void thread_instant(struct writer *w, const struct trace_record *record, const char *what,
                           const char *scope)
{
    begin_of_thread(w, "i", record->time_ns);
    name(w, what);
    argument(w, "value", record->value);
    fprintf(w->out, ",\"s\":\"%s\"", scope);
    end(w);
}

/* One end of an arrow, at `time_ns` in the thread's slice. `kind` and the connection say which arrow it is. */
static void arrow(struct writer *w, bool head, uint64_t time_ns, const char *kind, uint64_t connection)
{
    begin_of_thread(w, head ? "f" : "s", time_ns);
    fprintf(w->out, ",\"cat\":\"wake\",\"name\":\"%s\",\"id\":\"%s-%llu\"%s", kind, kind,
            (unsigned long long)connection, head ? ",\"bp\":\"e\"" : "");
    end(w);
}

/* A viewer looks for the tail within its slice, whose end it may round down. */
static void put_tail(struct writer *w, const struct trace_record *record, const char *kind)
{
    w->tail = (struct tail){.kind = kind,
                            .time_ns = record->time_ns - (record->time_ns > w->slice.begin_ns),
                            .connection = record->connection};
}

static void draw_tail(struct writer *w)
{
    if (w->tail.kind != NULL) {
        arrow(w, false, w->tail.time_ns, w->tail.kind, w->tail.connection);
        w->tail.kind = NULL;
    }
}

/* ---- the slices of a thread ---- */

static const char *slice_name(const struct trace_record *record)
{
    static const char *const wakes[] = {
        [IO_DATA] = "read",         [IO_LATE] = "read",         [IO_EOF] = "end of input",
        [IO_WRITABLE] = "writable", [IO_TIMEOUT] = "timeout",   [IO_RESUMED] = "resumed",
        [IO_REJECTED] = "rejected", [IO_SHUTDOWN] = "shutdown",
    };
    switch (record->event) {
    case TRACE_accept: return "accept";
    case TRACE_take_over:
    case TRACE_fiber_begin: return "take over";
    case TRACE_work_begin: return "work";
    case TRACE_sweep_begin: return "sweep";
    case TRACE_wake: return record->value < sizeof wakes / sizeof wakes[0] ? wakes[record->value] : "wake";
    default: return "read";
    }
}

static void end_slice(struct writer *w)
{
    struct slice *s = &w->slice;
    const struct trace_record *first = &s->first;
    if (!s->open) {
        return;
    }
    s->open = false;
    begin_of_thread(w, "X", s->begin_ns);
    uint64_t duration = s->end_ns - s->begin_ns;
    fprintf(w->out, ",\"dur\":%llu.%03u,\"name\":\"%s\"", (unsigned long long)(duration / 1000),
            (unsigned)(duration % 1000), slice_name(first));
    fprintf(w->out, ",\"args\":{\"connection\":%llu", (unsigned long long)first->connection);
    if (first->event == TRACE_read) {
        fprintf(w->out, ",\"bytes\":%llu", (unsigned long long)first->value);
    }
    putc('}', w->out);
    end(w);
    if (first->event == TRACE_wake && !s->waited && !w->works_itself && first->value == IO_RESUMED) {
        arrow(w, true, s->begin_ns, "done", first->connection);
    }
}

static void begin_slice(struct writer *w, const struct trace_record *record)
{
    end_slice(w);
    w->slice = (struct slice){
        .open = true, .begin_ns = record->time_ns, .end_ns = record->time_ns, .first = *record};
}

/* The record belongs to the slice that is open. */
static void extend_slice(struct writer *w, const struct trace_record *record)
{
    if (w->slice.open) {
        w->slice.end_ns = record->time_ns;
    }
}

/* ---- records ---- */

/* "GET /delay/2s HTTP/1.1" up to its second blank, as a JSON string. */
static void request_name(struct writer *w, const char text[TRACE_TEXT_SIZE])
{
    unsigned length = 0;
    unsigned blanks = 0;
    fputs(",\"name\":\"", w->out);
    for (; length < TRACE_TEXT_SIZE && text[length] != '\0'; length++) {
        unsigned char byte = (unsigned char)text[length];
        blanks += byte == ' ';
        if (blanks == 2 || byte == '\r' || byte == '\n') {
            break;
        }
        fprintf(w->out, byte < 0x20 || byte > 0x7e || byte == '"' || byte == '\\' ? "\\u%04x" : "%c", byte);
    }
    fputs(length == 0 ? "request\"" : length == TRACE_TEXT_SIZE ? "\\u2026\"" : "\"", w->out);
}

static void request_begins(struct writer *w, const struct trace_record *record)
{
    begin_of_connection(w, "B", record);
    request_name(w, record->text);
    end(w);
    extend_slice(w, record);
}

static void introduce_connection(struct writer *w, const struct trace_record *record)
{
    begin_of_connection(w, "M", record);
    fprintf(w->out, ",\"name\":\"thread_name\",\"args\":{\"name\":\"connection %llu\"}",
            (unsigned long long)record->connection);
    end(w);
    connection_begins(w, record, "connection");
}

static void work_ends(struct writer *w, const struct trace_record *record)
{
    extend_slice(w, record);
    connection_ends(w, record, NULL);
    if (record->value != 0) {
        put_tail(w, record, "done");
    }
    end_slice(w);
}

static void work_begins(struct writer *w, const struct trace_record *record)
{
    begin_slice(w, record);
    w->works_itself = record->value == 0;
    if (record->value != 0) {
        connection_ends(w, record, NULL); /* of the queue */
        arrow(w, true, record->time_ns, "work", record->connection);
    }
    connection_begins(w, record, "work");
}

static void taken_over(struct writer *w, const struct trace_record *record)
{
    begin_slice(w, record);
    if (w->chunk.kind != TRACE_ACCEPTOR) { /* which serves those that it refuses, and the admin listener's */
        arrow(w, true, record->time_ns, "connection", record->connection);
    }
}

/* Whether nobody has taken what the record before handed over. */
static bool takes_back(const struct trace_record *record)
{
    return record->event == TRACE_hand_back || (record->event == TRACE_wake && record->value == IO_REJECTED);
}

static void put_record(struct writer *w, const struct trace_record *record)
{
    if (takes_back(record)) {
        w->tail.kind = NULL;
    }
    draw_tail(w);
    switch (record->event) {
    case TRACE_thread_begin: thread_instant(w, record, "begin", "t"); break;
    case TRACE_thread_end:
        end_slice(w);
        thread_instant(w, record, "end", "t");
        break;
    case TRACE_accept:
        begin_slice(w, record);
        introduce_connection(w, record);
        break;
    case TRACE_hand_over:
        extend_slice(w, record);
        if (w->slice.open) {
            put_tail(w, record, "connection");
        }
        break;
    case TRACE_hand_back: extend_slice(w, record); break;
    case TRACE_fiber_begin:
        connection_begins(w, record, "fiber");
        taken_over(w, record);
        break;
    case TRACE_take_over: taken_over(w, record); break;
    case TRACE_fiber_end: connection_ends(w, record, NULL); break;
    case TRACE_read:
        begin_slice(w, record);
        connection_instant(w, record, "read", "bytes");
        break;
    case TRACE_wake:
        begin_slice(w, record);
        if (record->value == IO_REJECTED) {
            connection_ends(w, record, NULL); /* of the queue */
        }
        break;
    case TRACE_request_begin: request_begins(w, record); break;
    case TRACE_request_end:
        extend_slice(w, record);
        connection_ends(w, record, "status");
        break;
    case TRACE_wait_begin:
        extend_slice(w, record);
        connection_begins(w, record, "wait");
        break;
    case TRACE_wait_end:
        w->slice.waited = true;
        extend_slice(w, record);
        connection_ends(w, record, "cut_short");
        break;
    case TRACE_work_queue:
        extend_slice(w, record);
        connection_begins(w, record, "queue");
        put_tail(w, record, "work");
        break;
    case TRACE_work_begin: work_begins(w, record); break;
    case TRACE_work_end: work_ends(w, record); break;
    case TRACE_write:
        extend_slice(w, record);
        connection_instant(w, record, "write", "bytes");
        break;
    case TRACE_linger_begin: connection_begins(w, record, "lingering"); break;
    case TRACE_linger_end:
    case TRACE_close: connection_ends(w, record, NULL); break;
    case TRACE_sweep_begin: begin_slice(w, record); break;
    case TRACE_sweep_end:
        extend_slice(w, record);
        end_slice(w);
        break;
    case TRACE_drain: thread_instant(w, record, "drain", "g"); break;
    }
}

/* ---- tracks and chunks ---- */

static const char *kind_name(enum trace_thread kind)
{
    switch (kind) {
    case TRACE_ACCEPTOR: return "acceptor";
    case TRACE_LOOP: return "loop";
    case TRACE_WORKER: return "worker";
    case TRACE_CONNECTION: return "thread of connection";
    case TRACE_PROCESS: return "process of connection";
    }
    return "thread";
}

static void introduce_track(struct writer *w)
{
    const struct trace_chunk *c = &w->chunk;
    begin_of_thread(w, "M", 0);
    fprintf(w->out, ",\"name\":\"process_name\",\"args\":{\"name\":\"echod, mode %s\"}", w->mode);
    end(w);
    begin_of_thread(w, "M", 0);
    fprintf(w->out, ",\"name\":\"thread_name\",\"args\":{\"name\":\"%s", kind_name(c->kind));
    if (c->kind != TRACE_ACCEPTOR) {
        fprintf(w->out, " %llu", (unsigned long long)c->number);
    }
    fputs("\"}", w->out);
    end(w);
}

static void end_track(struct writer *w)
{
    draw_tail(w);
    end_slice(w);
}

/* `next` is set to the chunk; the track of the one before ends with its own ids. */
static void put_chunk(struct writer *w, const struct trace_chunk *next)
{
    bool same = w->track_known && next->track == w->chunk.track;
    if (!same || next->before_ns != w->last_ns) { /* between the two, records are missing */
        end_track(w);
    }
    w->chunk = *next;
    if (!same) {
        introduce_track(w);
        w->works_itself = false;
        w->track_known = true;
    }
    w->last_ns = next->before_ns;
    for (unsigned i = 0; i < w->chunk.count; i++) {
        put_record(w, &w->chunk.records[i]);
        w->last_ns = w->chunk.records[i].time_ns;
    }
}

static void put_frame_end(struct writer *w, const char *version)
{
    struct trace_losses losses = trace_losses();
    fprintf(w->out,
            "\n],\"displayTimeUnit\":\"ms\",\"otherData\":{\"program\":\"echod %s\",\"mode\":\"%s\","
            "\"clock\":\"CLOCK_MONOTONIC\",\"overwritten\":%llu,\"dropped\":%llu}}\n",
            version, w->mode, (unsigned long long)losses.overwritten, (unsigned long long)losses.dropped);
}

static int put_chunks(struct writer *w, const struct trace_copy *copy)
{
    struct trace_chunk *next = malloc(sizeof *next);
    if (next == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < trace_copy_count(copy) && !ferror(w->out); i++) {
        trace_copy_read(copy, i, next);
        if (next->count > 0) {
            put_chunk(w, next);
        }
    }
    end_track(w);
    free(next);
    return 0;
}

int trace_json_write(FILE *out, const char *mode, const char *version)
{
    struct writer *w = calloc(1, sizeof *w);
    struct trace_copy *copy = trace_copy_new();
    int error = w == NULL || copy == NULL ? -ENOMEM : 0;
    errno = 0;
    if (error == 0) {
        w->out = out;
        w->mode = mode;
        fputs("{\"traceEvents\":[\n", out);
        begin(w, "M", 0, CONNECTIONS_PROCESS, 0);
        fputs(",\"name\":\"process_name\",\"args\":{\"name\":\"connections\"}", out);
        end(w);
        error = put_chunks(w, copy);
        put_frame_end(w, version);
    }
    trace_copy_free(copy);
    free(w);
    return error == 0 && ferror(out) ? (errno != 0 ? -errno : -EIO) : error;
}

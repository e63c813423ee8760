/* SPDX-License-Identifier: MIT */
/* The trace: what each thread did, and when. A trace point writes a record of fixed size into memory that all threads and
 * processes of a server share. The memory consists of chunks; a thread fills one, which it has for itself, and takes
 * another: the oldest that nobody is filling. So no record waits for a lock, and threads that come and go need no memory
 * of their own. Without --trace a trace point costs one branch that is never taken.
 *
 * The same points are USDT probes of the provider `echod` where the build has found sys/sdt.h, with or without --trace:
 * for example echod:read, with the number of the connection and the value as arguments. */
#ifndef ECHOD_COMMON_BASE_TRACE_H
#define ECHOD_COMMON_BASE_TRACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/compiler.h"
#include "common/base/span.h"

#ifdef ECHOD_PROBES /* cmake/probes.cmake */
#include <sys/sdt.h>
#define TRACE_PROBE(event, connection, value) DTRACE_PROBE2(echod, event, connection, value)
#else
#define TRACE_PROBE(event, connection, value) ((void)0)
#endif

/* All trace points: EVENT(name, value), where `value` says what a record's value is. Each record also has a time and a
 * connection; 0: it concerns none. */
#define TRACE_EVENTS(EVENT)                                       \
    EVENT(thread_begin, "the kind of thread, enum trace_thread")  \
    EVENT(thread_end, "the same")                                 \
    EVENT(accept, "the listener's index")                         \
    EVENT(hand_over, "0; by the acceptor, to whom serves it")     \
    EVENT(hand_back, "an errno: it was not taken")                \
    EVENT(take_over, "0; by the thread that serves it")           \
    EVENT(fiber_begin, "0; instead of take_over")                 \
    EVENT(fiber_end, "0")                                         \
    EVENT(read, "bytes; a pass of the session begins with them")  \
    EVENT(wake, "what a pass begins with instead, enum io_event") \
    EVENT(request_begin, "0; the text is the head's first bytes") \
    EVENT(request_end, "the status; 0: there is no answer")       \
    EVENT(wait_begin, "milliseconds")                             \
    EVENT(wait_end, "1 if the wait was cut short, else 0")        \
    EVENT(work_queue, "0")                                        \
    EVENT(work_begin, "1 if the work was queued, else 0")         \
    EVENT(work_end, "the same")                                   \
    EVENT(write, "bytes that the socket, or the ring, has taken") \
    EVENT(linger_begin, "0")                                      \
    EVENT(linger_end, "0")                                        \
    EVENT(close, "0")                                             \
    EVENT(sweep_begin, "connections of the loop")                 \
    EVENT(sweep_end, "connections of the loop")                   \
    EVENT(drain, "the phase that begins, enum drain_phase")

#define TRACE_ENUMERATE(name, value) TRACE_##name,
enum trace_event { TRACE_EVENTS(TRACE_ENUMERATE) };
#undef TRACE_ENUMERATE

enum trace_thread {
    TRACE_ACCEPTOR,   /* the main thread */
    TRACE_LOOP,       /* an event loop or a ring's */
    TRACE_WORKER,     /* of hybrid, fiber or pool */
    TRACE_CONNECTION, /* the thread of a connection */
    TRACE_PROCESS,    /* the process of a connection */
};

/* Whether there is a trace. Set before the second thread starts; constant then. */
extern bool trace_is_on __attribute__((visibility("hidden")));

/* Records an event. `connection` and `value` are evaluated twice. Any thread after trace_thread_begin; no signal handler. */
#define TRACE(event, connection, value)                      \
    do {                                                     \
        TRACE_PROBE(event, connection, value);               \
        if (unlikely(trace_is_on)) {                         \
            trace_put(TRACE_##event, (connection), (value)); \
        }                                                    \
    } while (0)

/* The same for the begin of a request, whose time is that of the thread's last record: its bytes had come then. `head`: the
 * request's first bytes, of which TRACE_TEXT_SIZE are kept; may be empty. */
#define TRACE_REQUEST(connection, head)                      \
    do {                                                     \
        TRACE_PROBE(request_begin, connection, UINT64_C(0)); \
        if (unlikely(trace_is_on)) {                         \
            trace_put_request((connection), head);           \
        }                                                    \
    } while (0)

enum { TRACE_TEXT_SIZE = 24 };

/* For the macros above. */
void trace_put(enum trace_event event, uint64_t connection, uint64_t value);
void trace_put_request(uint64_t connection, struct span head);

/* Sets up the memory, `size` bytes, and turns the trace on. Returns 0 or -ENOMEM. Main thread, before all others. */
int trace_init(size_t size);

/* Without a trace the next two do nothing. The thread that begins or ends. */

/* Gives the calling thread a track of its own. `number` tells it from others of its kind: that of the loop, the worker or
 * the connection. Also for the first thread of a child process. */
void trace_thread_begin(enum trace_thread kind, uint64_t number);
/* The thread records nothing after this. */
void trace_thread_end(void);
/* A child process has ended without trace_thread_end. Main thread. */
void trace_process_ended(int process);

/* ---- reading ---- */

struct trace_record {
    uint64_t time_ns; /* of CLOCK_MONOTONIC */
    uint64_t connection;
    uint64_t value;
    enum trace_event event;
    char text[TRACE_TEXT_SIZE]; /* of TRACE_request_begin: padded with zeros */
};

enum { TRACE_CHUNK_RECORDS = 126 };

/* Records of one thread, in the order of their times. */
struct trace_chunk {
    uint64_t before_ns; /* the time of the thread's last record before these */
    uint64_t number;    /* see trace_thread_begin */
    uint32_t track;     /* of the thread: no other thread of the trace has the same */
    enum trace_thread kind;
    int process; /* process id */
    int thread;  /* thread id */
    unsigned count;
    struct trace_record records[TRACE_CHUNK_RECORDS];
};

struct trace_losses {
    uint64_t overwritten; /* old records, because the memory was full */
    uint64_t dropped;     /* new ones, because threads that are still there had all of it */
};

/* What was recorded up to a moment. */
struct trace_copy;

/* Any thread may call the functions below, while others record. */

/* Copies all records up to now. The caller owns the copy. Returns NULL without memory. */
struct trace_copy *trace_copy_new(void);
/* Takes NULL. */
void trace_copy_free(struct trace_copy *copy);
/* Returns the number of chunks in the copy. */
size_t trace_copy_count(const struct trace_copy *copy);
/* Sets `*chunk` to the chunk `index` of the copy. The chunks of a track follow each other, in the order of their times. */
void trace_copy_read(const struct trace_copy *copy, size_t index, struct trace_chunk *chunk);
/* Returns what is not in the trace. */
struct trace_losses trace_losses(void);

#endif

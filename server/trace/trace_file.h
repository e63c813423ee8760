/* SPDX-License-Identifier: MIT */
/* --trace FILE: the file is written at the end, and a snapshot, FILE.1, FILE.2 and so on, for each SIGUSR2. A file is written
 * under its name with `.part` behind it, and renamed when it is complete. */
#ifndef ECHOD_SERVER_TRACE_TRACE_FILE_H
#define ECHOD_SERVER_TRACE_TRACE_FILE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trace_file {
    const char *path; /* NULL: there is no trace */
    const char *mode;
    const char *version;
    int fd;             /* of PATH.part, locked from the start to the end */
    unsigned snapshots; /* number of snapshots begun */
    unsigned snapshot;  /* number of the snapshot that the thread writes; 0: it writes the file itself */
    pthread_t thread;
    bool has_thread;
    _Atomic bool writing; /* the file or snapshot is not complete yet */
    bool written;         /* set by the thread at its end: whether it has succeeded */
};

/* The number of descriptors: the file, and a snapshot. */
enum { TRACE_FILE_DESCRIPTORS = 2 };

/* Creates PATH.part and the memory for the records, `memory` bytes, and turns the trace on. Another server with the same
 * file is an error, -EWOULDBLOCK. The strings must outlive the trace. Returns 0, or a negative errno with the reason in
 * `error`; then there is nothing to undo. The main thread calls it before all other functions. */
int trace_file_open(struct trace_file *file, const char *path, const char *mode, const char *version,
                    uint64_t memory, char *error, size_t size);

/* The main thread calls the functions below; without a trace they do nothing. */

/* Starts a thread of the lowest priority, which writes a snapshot. If another snapshot is still being written, the call
 * only prints a message. */
void trace_file_snapshot(struct trace_file *file);
/* Waits for a snapshot, then writes the file. SIGTERM and SIGINT, which the calling thread must have blocked, end the process
 * meanwhile, with 128 + their number. Returns false, after a message, if the file cannot be written. */
bool trace_file_finish(struct trace_file *file);
/* Removes the `.part` files that are not complete. Called when the process ends without a trace. */
void trace_file_abandon(struct trace_file *file);

#endif

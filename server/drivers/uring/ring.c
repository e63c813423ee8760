/* SPDX-License-Identifier: MIT */
/* The set-up of a ring, and how its operations are written. */
#include "server/drivers/uring/ring.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/compiler.h"

enum { ENTRIES = 1024, COMPLETIONS = 8192, GROUP = 0 };

static size_t buffers_size(void)
{
    return RING_BUFFERS * sizeof(struct io_uring_buf);
}

static void give_buffer(struct ring *ring, unsigned number)
{
    io_uring_buf_ring_add(ring->buffers, ring->memory + (size_t)number * RING_BUFFER_SIZE, RING_BUFFER_SIZE,
                          (unsigned short)number, io_uring_buf_ring_mask(RING_BUFFERS), (int)ring->returned);
    ring->returned++;
}

/* Until there are `count`. */
static void add_buffers(struct ring *ring, unsigned count)
{
    for (; ring->buffer_count < count && ring->buffer_count < RING_BUFFERS; ring->buffer_count++) {
        give_buffer(ring, ring->buffer_count);
    }
}

static void publish_buffers(struct ring *ring)
{
    if (ring->returned > 0) {
        io_uring_buf_ring_advance(ring->buffers, (int)ring->returned);
        ring->returned = 0;
    }
}

static void *map(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static void unmap(void *memory, size_t size)
{
    if (memory != NULL) {
        munmap(memory, size);
    }
}

static void free_memory(struct ring *ring)
{
    unmap(ring->buffers, buffers_size());
    unmap(ring->memory, (size_t)RING_BUFFERS * RING_BUFFER_SIZE);
    unmap(ring->arenas[0], RING_ARENA_SIZE);
    unmap(ring->arenas[1], RING_ARENA_SIZE);
}

static int allocate(struct ring *ring)
{
    ring->buffers = map(buffers_size());
    ring->memory = map((size_t)RING_BUFFERS * RING_BUFFER_SIZE);
    if (ring->memory != NULL) { /* a huge page would take the memory of all buffers with the first one */
        madvise(ring->memory, (size_t)RING_BUFFERS * RING_BUFFER_SIZE, MADV_NOHUGEPAGE);
    }
    ring->arenas[0] = map(RING_ARENA_SIZE);
    ring->arenas[1] = map(RING_ARENA_SIZE);
    return ring->buffers == NULL || ring->memory == NULL || ring->arenas[0] == NULL || ring->arenas[1] == NULL
               ? -ENOMEM
               : 0;
}

static int register_buffers(struct ring *ring)
{
    struct io_uring_buf_reg registration = {
        .ring_addr = (uint64_t)(uintptr_t)ring->buffers, .ring_entries = RING_BUFFERS, .bgid = GROUP};
    int error = io_uring_register_buf_ring(&ring->io, &registration, 0);
    if (error != 0) {
        return error;
    }
    io_uring_buf_ring_init(ring->buffers);
    add_buffers(ring, RING_BUFFERS_FIRST);
    publish_buffers(ring);
    return 0;
}

/* The thread that enables the ring is the one that uses it. */
int ring_init(struct ring *ring)
{
    *ring = (struct ring){.turn = 1};
    struct io_uring_params parameters = {
        .flags = IORING_SETUP_R_DISABLED | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                 IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | IORING_SETUP_SUBMIT_ALL,
        .cq_entries = COMPLETIONS,
    };
    int error = io_uring_queue_init_params(ENTRIES, &ring->io, &parameters);
    if (error != 0) {
        return error;
    }
    error = allocate(ring);
    error = error != 0 ? error : register_buffers(ring);
    if (error != 0) {
        io_uring_queue_exit(&ring->io);
        free_memory(ring);
    }
    return error;
}

void ring_deinit(struct ring *ring)
{
    io_uring_queue_exit(&ring->io);
    free_memory(ring);
}

int ring_enter_thread(struct ring *ring)
{
    int error = io_uring_enable_rings(&ring->io);
    if (error == 0) {
        io_uring_register_ring_fd(
            &ring->io); /* spares each call a look-up of the descriptor; it works without, too */
    }
    return error;
}

/* ---- the system call ---- */

static int submit_and_wait(struct ring *ring, int64_t timeout_ms)
{
    if (timeout_ms == 0) {
        return io_uring_submit_and_get_events(&ring->io);
    }
    if (timeout_ms < 0) {
        return io_uring_submit_and_wait(&ring->io, 1);
    }
    struct io_uring_cqe *first;
    struct __kernel_timespec time = {.tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1000000};
    return io_uring_submit_and_wait_timeout(&ring->io, &first, 1, &time, NULL);
}

/* What is submitted to be sent has been sent when the call returns: the sends do not wait for room. Without memory the kernel may
 * leave some of the submissions for the next call. */
int ring_submit_and_wait(struct ring *ring, int64_t timeout_ms)
{
    ring->last_send = NULL;
    int done = submit_and_wait(ring, timeout_ms);
    if (likely(io_uring_sq_ready(&ring->io) == 0 && !io_uring_cq_has_overflow(&ring->io))) {
        ring->turn++;
        ring->arena_used = 0;
    }
    return done >= 0 || done == -ETIME || done == -EINTR ? 0 : done;
}

void ring_submit(struct ring *ring)
{
    ring->last_send = NULL;
    io_uring_submit(&ring->io);
}

bool ring_has_completions(const struct ring *ring)
{
    return io_uring_cq_ready(&ring->io) > 0 || io_uring_cq_has_overflow(&ring->io);
}

static struct ring_completion read_completion(const struct ring *ring, const struct io_uring_cqe *cqe)
{
    uint64_t data = io_uring_cqe_get_data64(cqe);
    struct ring_completion completion = {
        .owner = (void *)(uintptr_t)(data & ~(uint64_t)(RING_TAGS - 1)),
        .tag = (enum ring_tag)(data & (RING_TAGS - 1)),
        .result = cqe->res,
        .more = (cqe->flags & IORING_CQE_F_MORE) != 0,
    };
    if ((cqe->flags & IORING_CQE_F_BUFFER) != 0) {
        completion.buffer = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
        completion.bytes = ring->memory + (size_t)completion.buffer * RING_BUFFER_SIZE;
    }
    return completion;
}

/* A send that has failed is told before what has come on its connection since, whatever the order in which the kernel says it. */
void ring_take(struct ring *ring, void (*complete)(void *context, const struct ring_completion *completion),
               void *context)
{
    struct io_uring_cqe *cqe;
    unsigned head, sends = 0, count = 0;
    bool were_too_few = false;
    io_uring_for_each_cqe(&ring->io, head, cqe)
    {
        if (unlikely((io_uring_cqe_get_data64(cqe) & (RING_TAGS - 1)) == RING_SEND)) {
            struct ring_completion completion = read_completion(ring, cqe);
            complete(context, &completion);
        }
        sends++;
    }
    io_uring_for_each_cqe(&ring->io, head, cqe)
    {
        struct ring_completion completion = read_completion(ring, cqe);
        if (completion.tag != RING_SEND || count >= sends) {
            complete(context, &completion);
        }
        if (completion.bytes != NULL) {
            give_buffer(ring, completion.buffer);
        }
        were_too_few |= completion.result == -ENOBUFS;
        count++;
    }
    if (unlikely(were_too_few)) {
        add_buffers(ring, 2 * ring->buffer_count);
    }
    io_uring_cq_advance(&ring->io, count);
    publish_buffers(ring);
}

/* ---- operations ---- */

/* If the queue is full, what is in it is submitted first. NULL: not even that helped. */
static ALWAYS_INLINE struct io_uring_sqe *next_entry(struct ring *ring)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->io);
    if (unlikely(sqe == NULL)) {
        ring_submit(ring);
        sqe = io_uring_get_sqe(&ring->io);
    }
    return sqe;
}

static ALWAYS_INLINE void set_owner(struct io_uring_sqe *sqe, const void *owner, enum ring_tag tag)
{
    io_uring_sqe_set_data64(sqe, (uint64_t)(uintptr_t)owner | tag);
}

bool ring_receive(struct ring *ring, int fd, bool again, void *owner)
{
    struct io_uring_sqe *sqe = next_entry(ring);
    if (sqe == NULL) {
        return false;
    }
    if (again) {
        io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
    } else {
        io_uring_prep_recv(sqe, fd, NULL, 0, 0);
    }
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = GROUP;
    set_owner(sqe, owner, RING_RECEIVE);
    return true;
}

/* Completes once. */
static bool await(struct ring *ring, int fd, unsigned events, void *owner, enum ring_tag tag)
{
    struct io_uring_sqe *sqe = next_entry(ring);
    if (sqe == NULL) {
        return false;
    }
    io_uring_prep_poll_add(sqe, fd, events);
    set_owner(sqe, owner, tag);
    return true;
}

bool ring_await_readable(struct ring *ring, int fd, void *owner)
{
    return await(ring, fd, POLLIN, owner, RING_READABLE);
}

bool ring_await_writable(struct ring *ring, int fd, void *owner)
{
    return await(ring, fd, POLLOUT, owner, RING_WRITABLE);
}

bool ring_watch(struct ring *ring, int fd, void *owner)
{
    struct io_uring_sqe *sqe = next_entry(ring);
    if (sqe == NULL) {
        return false;
    }
    io_uring_prep_poll_multishot(sqe, fd, POLLIN);
    set_owner(sqe, owner, RING_WAKEUP);
    return true;
}

bool ring_alarm(struct ring *ring, struct __kernel_timespec *time, void *owner)
{
    struct io_uring_sqe *sqe = next_entry(ring);
    if (sqe == NULL) {
        return false;
    }
    io_uring_prep_timeout(sqe, time, 0, 0);
    set_owner(sqe, owner, RING_ALARM);
    return true;
}

bool ring_cancel(struct ring *ring, void *owner, enum ring_tag tag)
{
    struct io_uring_sqe *sqe = next_entry(ring);
    if (sqe == NULL) {
        return false;
    }
    io_uring_prep_cancel64(sqe, (uint64_t)(uintptr_t)owner | tag, 0);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    set_owner(sqe, NULL, RING_NONE);
    return true;
}

bool ring_send(struct ring *ring, int fd, const char *bytes, size_t length, void *owner, const char **copy)
{
    if (unlikely(length > RING_SEND_MAX || ring->arena_used + length > RING_ARENA_SIZE)) {
        return false;
    }
    struct io_uring_sqe *sqe = next_entry(ring);
    if (unlikely(sqe == NULL)) {
        return false;
    }
    char *room = ring->arenas[ring->turn % 2] + ring->arena_used;
    ring->arena_used += length;
    memcpy(room, bytes, length);
    *copy = room;
    /* MSG_WAITALL: what is sent only in part counts as failed, and completes. */
    io_uring_prep_send(sqe, fd, room, length, MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    set_owner(sqe, owner, RING_SEND);
    ring->last_send = sqe;
    return true;
}

bool ring_send_more(struct ring *ring, const char *bytes, size_t length, const void *owner)
{
    struct io_uring_sqe *sqe = ring->last_send;
    if (sqe == NULL || sqe->user_data != ((uint64_t)(uintptr_t)owner | RING_SEND) ||
        sqe->len + length > RING_GROWN_MAX || ring->arena_used + length > RING_ARENA_SIZE) {
        return false;
    }
    memcpy(ring->arenas[ring->turn % 2] + ring->arena_used, bytes, length);
    ring->arena_used += length;
    sqe->len += (uint32_t)length;
    return true;
}

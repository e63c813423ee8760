/* SPDX-License-Identifier: MIT */
/* The ceiling of completions: one thread, one ring, receives into provided buffers that go on by themselves, sends with the next system
 * call; no HTTP but the search for the empty line that ends a head. */

#include "ceiling.h"

#include <liburing.h>
#include <sys/mman.h>

enum { ENTRIES = 4096, BUFFERS = 512, BUFFER_SIZE = 4096, DESCRIPTORS = 1 << 20, GROUP = 0 };
enum { SENDS = 1, ACCEPTS = 2 }; /* in the user data, above the descriptor */

static struct talk talks[DESCRIPTORS];
static struct io_uring ring;
static struct io_uring_buf_ring *buffers;
static char *memory;

static struct io_uring_sqe *entry(void)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);
    if (sqe == NULL) {
        io_uring_submit(&ring);
        sqe = io_uring_get_sqe(&ring);
    }
    if (sqe == NULL) {
        die("io_uring_get_sqe");
    }
    return sqe;
}

static void label(struct io_uring_sqe *sqe, uint64_t what, int socket)
{
    io_uring_sqe_set_data64(sqe, what << 32 | (uint32_t)socket);
}

static void give(unsigned number)
{
    io_uring_buf_ring_add(buffers, memory + (size_t)number * BUFFER_SIZE, BUFFER_SIZE, (unsigned short)number,
                          io_uring_buf_ring_mask(BUFFERS), 0);
    io_uring_buf_ring_advance(buffers, 1);
}

static void *map(size_t size)
{
    void *found = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (found == MAP_FAILED) {
        die("mmap");
    }
    return found;
}

static void set_up(void)
{
    struct io_uring_params parameters = {.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN};
    int error = io_uring_queue_init_params(ENTRIES, &ring, &parameters);
    buffers = map(BUFFERS * sizeof(struct io_uring_buf));
    memory = map((size_t)BUFFERS * BUFFER_SIZE);
    struct io_uring_buf_reg registration = {
        .ring_addr = (uintptr_t)buffers, .ring_entries = BUFFERS, .bgid = GROUP};
    if (error == 0) {
        error = io_uring_register_buf_ring(&ring, &registration, 0);
    }
    if (error != 0) {
        errno = -error;
        die("io_uring");
    }
    io_uring_register_ring_fd(&ring);
    for (unsigned i = 0; i < BUFFERS; i++) {
        give(i);
    }
}

static void receive(int socket)
{
    struct io_uring_sqe *sqe = entry();
    io_uring_prep_recv_multishot(sqe, socket, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = GROUP;
    label(sqe, 0, socket);
}

static void accept_all(int listener)
{
    struct io_uring_sqe *sqe = entry();
    io_uring_prep_multishot_accept(sqe, listener, NULL, NULL, 0);
    label(sqe, ACCEPTS, listener);
}

static void add(int socket)
{
    if (socket >= DESCRIPTORS) {
        die("accept");
    }
    set_nodelay(socket);
    talks[socket] = (struct talk){0};
    receive(socket);
}

/* Answers stay where they are, so that nothing has to be kept until they are sent. More than one send takes goes by calls. */
static bool send_answers(int socket, size_t heads)
{
    if (heads == 0) {
        return true;
    }
    if (heads > DEPTH_MAX) {
        return answer(socket, heads);
    }
    struct io_uring_sqe *sqe = entry();
    io_uring_prep_send(sqe, socket, answers, heads * answer_length,
                       MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL);
    label(sqe, SENDS, socket);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    return true;
}

static bool take(int socket, char *bytes, size_t length)
{
    if (kind == ANSWER) {
        return send_answers(socket, count_heads(bytes, length, &talks[socket].unfinished));
    }
    static char room[ANSWER_MAX + BUFFER_SIZE]; /* echo writes its head before the body */
    memcpy(room + ANSWER_MAX, bytes, length);
    return converse(socket, room + ANSWER_MAX, length, &talks[socket]);
}

static void complete(const struct io_uring_cqe *cqe, int listener)
{
    uint64_t data = io_uring_cqe_get_data64(cqe);
    int socket = (int)(uint32_t)data;
    bool more = (cqe->flags & IORING_CQE_F_MORE) != 0;
    if (data >> 32 == ACCEPTS) {
        if (cqe->res >= 0) {
            add(cqe->res);
        }
        if (!more) {
            accept_all(listener);
        }
        return;
    }
    if (data >> 32 == SENDS) {
        shutdown(socket, SHUT_RDWR); /* it has failed, or was short: the client is told */
        return;
    }
    bool goes_on = cqe->res > 0 || cqe->res == -ENOBUFS;
    if ((cqe->flags & IORING_CQE_F_BUFFER) != 0) {
        unsigned number = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
        goes_on = goes_on && take(socket, memory + (size_t)number * BUFFER_SIZE, (size_t)cqe->res);
        give(number);
    }
    if (!goes_on) {
        io_uring_submit(&ring); /* its last answers may still be in the queue */
        shutdown(socket, SHUT_RDWR);
        if (!more) {
            close(socket);
        }
    } else if (!more) {
        receive(socket);
    }
}

int main(int argc, char **argv)
{
    int listener = start(argc, argv, 0);
    set_up();
    accept_all(listener);
    for (;;) {
        struct io_uring_cqe *cqe;
        unsigned head, count = 0;
        int submitted = io_uring_submit_and_wait(&ring, 1);
        if (submitted < 0 && submitted != -EINTR) {
            errno = -submitted;
            die("io_uring_enter");
        }
        io_uring_for_each_cqe(&ring, head, cqe)
        {
            complete(cqe, listener);
            count++;
        }
        io_uring_cq_advance(&ring, count);
    }
}

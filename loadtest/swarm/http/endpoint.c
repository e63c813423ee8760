/* SPDX-License-Identifier: MIT */
/* The port of a source address is chosen when connecting, so that one may serve several destinations. */
#include "loadtest/swarm/http/endpoint.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

/* 0 or a negative errno. */
static int bind_source(int fd, const struct address *source)
{
    int on = 1;
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    return bind(fd, &source->any, source->length) == 0 ? 0 : -errno;
}

static int prepare(int fd, const struct options *options, size_t turn, bool local, uint64_t receive_buffer)
{
    int on = 1;
    int size = (int)receive_buffer;
    if (size != 0 && setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) != 0) {
        return -errno;
    }
    if (local) {
        return 0;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return options->sources.count == 0
               ? 0
               : bind_source(fd, &options->sources.items[turn % options->sources.count]);
}

int endpoint_connect(const struct options *options, size_t number, uint64_t receive_buffer)
{
    const struct address *target = &options->targets.items[number % options->targets.count];
    int family = target->any.sa_family;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    int error = prepare(fd, options, number / options->targets.count, family == AF_UNIX, receive_buffer);
    if (error == 0 && connect(fd, &target->any, target->length) != 0 && errno != EINPROGRESS) {
        error = -errno;
    }
    if (error != 0) {
        close(fd);
        return error;
    }
    return fd;
}

const char *endpoint_error(int error)
{
    switch (error) {
    case EADDRNOTAVAIL: return "no port is left on the source addresses, or one is not ours: see --sources";
    case EMFILE: return "too many descriptors for this process (ulimit -n)";
    case ENFILE: return "too many descriptors for this machine (fs.file-max)";
    case ETIMEDOUT: return "timed out";
    default: return strerror(error);
    }
}

/* SPDX-License-Identifier: MIT */
/* Binds unix sockets, replaces stale ones, removes its own. */
#include "server/unix_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_un make_address(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strnlen(path, sizeof(address.sun_path) - 1));
    return address;
}

static int try_bind(int fd, const struct sockaddr_un *address)
{
    return bind(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ? 0 : -errno;
}

/* 0 if nobody listens: the kernel refuses, or the file is gone. A full queue is somebody, too. */
static int probe(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    int error = connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ? EADDRINUSE : errno;
    close(fd);
    switch (error) {
    case ECONNREFUSED:
    case ENOENT: return 0;
    case EAGAIN:
    case EPROTOTYPE: return -EADDRINUSE;
    default: return -error;
    }
}

static int remove_stale(const struct sockaddr_un *address)
{
    struct stat before;
    struct stat after;
    if (lstat(address->sun_path, &before) != 0) {
        return errno == ENOENT ? 0 : -errno;
    }
    if (!S_ISSOCK(before.st_mode)) {
        return -ENOTSOCK;
    }
    int error = probe(address);
    if (error != 0) {
        return error;
    }
    if (lstat(address->sun_path, &after) != 0) {
        return errno == ENOENT ? 0 : -errno;
    }
    if (before.st_dev != after.st_dev || before.st_ino != after.st_ino) {
        return -EADDRINUSE;
    }
    return unlink(address->sun_path) == 0 || errno == ENOENT ? 0 : -errno;
}

int unix_socket_bind(int fd, const char *path, struct unix_socket_file *file)
{
    struct sockaddr_un address = make_address(path);
    struct stat status;
    int error = try_bind(fd, &address);
    if (error == -EADDRINUSE) {
        error = remove_stale(&address);
        if (error == 0) {
            error = try_bind(fd, &address);
        }
    }
    if (error != 0) {
        return error;
    }
    if (lstat(path, &status) != 0) {
        return -errno;
    }
    *file = (struct unix_socket_file){.ours = true, .device = status.st_dev, .inode = status.st_ino};
    return 0;
}

void unix_socket_unlink(const char *path, struct unix_socket_file *file)
{
    struct stat status;
    if (file->ours && lstat(path, &status) == 0 && status.st_dev == file->device &&
        status.st_ino == file->inode) {
        unlink(path);
    }
    file->ours = false;
}

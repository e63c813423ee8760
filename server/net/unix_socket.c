/* SPDX-License-Identifier: MIT */
/* Listens on unix sockets, replaces stale socket files, removes its own. */
#include "server/net/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { LOCK_WAIT_MS = 5000, LOCK_TRY_AGAIN_MS = 10 };

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

/* Returns 0 if no process listens: the kernel refuses the connection, or the file is gone. With a full queue one
 * does. */
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

/* Returns a descriptor that holds the lock on the path's directory until it is closed; -1 if the lock is not
 * available. The lock is needed because a socket between bind and listen refuses connections like a stale one, and
 * because a file may be replaced between the check and its removal. */
static int lock_directory(const char *path)
{
    static const struct timespec pause = {.tv_nsec = LOCK_TRY_AGAIN_MS * 1000000L};
    char name[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
    const char *slash = strrchr(path, '/');
    int length = slash == NULL ? 0 : slash == path ? 1 : (int)(slash - path);
    snprintf(name, sizeof(name), "%.*s", length > 0 ? length : 1, length > 0 ? path : ".");
    int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int waited = 0; fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0; waited += LOCK_TRY_AGAIN_MS) {
        if ((errno != EWOULDBLOCK && errno != EINTR) || waited >= LOCK_WAIT_MS) {
            close(fd);
            return -1;
        }
        nanosleep(&pause, NULL);
    }
    return fd;
}

static int bind_and_listen(int fd, const struct sockaddr_un *address, int backlog, bool locked,
                           struct unix_socket_file *file)
{
    struct stat status;
    int error = try_bind(fd, address);
    if (error == -EADDRINUSE && locked) {
        error = remove_stale(address);
        if (error == 0) {
            error = try_bind(fd, address);
        }
    }
    if (error != 0) {
        return error;
    }
    if (lstat(address->sun_path, &status) != 0) {
        return -errno;
    }
    *file = (struct unix_socket_file){.ours = true, .device = status.st_dev, .inode = status.st_ino};
    return listen(fd, backlog) == 0 ? 0 : -errno;
}

int unix_socket_listen(int fd, const char *path, int backlog, struct unix_socket_file *file)
{
    struct sockaddr_un address = make_address(path);
    int lock = lock_directory(path);
    *file = (struct unix_socket_file){.ours = false};
    int error = bind_and_listen(fd, &address, backlog, lock >= 0, file);
    if (error != 0) {
        unix_socket_unlink(path, file);
    }
    if (lock >= 0) {
        close(lock);
    }
    return error;
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

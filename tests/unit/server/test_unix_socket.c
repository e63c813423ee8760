/* SPDX-License-Identifier: MIT */
/* Which files in the way are replaced, and which file is removed at the end. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "server/net/unix_socket.h"
#include "tests/unit/support/fixture_tree.h"

static char root[FIXTURE_TREE_SIZE];
static char path[FIXTURE_TREE_SIZE + 16];

static void make_root(void)
{
    fixture_tree_new(root);
    snprintf(path, sizeof(path), "%s/socket", root);
}

static void remove_root(void)
{
    fixture_tree_free(root);
}

/* Runs once while a file is probed, which then is refused as a stale one is. */
static void (*meanwhile)(void);

/* Stands before the C library's. */
int connect(int fd, const struct sockaddr *address, socklen_t length)
{
    if (meanwhile == NULL) {
        return (int)syscall(SYS_connect, fd, address, length);
    }
    meanwhile();
    meanwhile = NULL;
    errno = ECONNREFUSED;
    return -1;
}

TestSuite(unix_socket, .init = make_root, .fini = remove_root);

static int new_socket(int type)
{
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    cr_assert_geq(fd, 0);
    return fd;
}

/* Without a look at what is in the way, and not listening. */
static void bind_only(int fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path));
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
}

static int listen_at(int fd)
{
    struct unix_socket_file file = {.ours = false};
    int result = unix_socket_listen(fd, path, 0, &file);
    cr_expect_eq(file.ours, result == 0);
    return result;
}

static bool exists(void)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

Test(unix_socket, listen_and_unlink)
{
    struct unix_socket_file file;
    int fd = new_socket(SOCK_STREAM);
    cr_assert_eq(unix_socket_listen(fd, path, 0, &file), 0);
    cr_assert(file.ours && exists());
    unix_socket_unlink(path, &file);
    cr_assert(!file.ours && !exists());
    fixture_tree_write(root, "/socket", "");
    unix_socket_unlink(path, &file);
    cr_assert(exists());
    close(fd);
}

Test(unix_socket, a_stale_file_is_replaced)
{
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        int old = new_socket(types[i]);
        bind_only(old);
        close(old);
        cr_assert(exists());
        int fd = new_socket(SOCK_STREAM);
        cr_expect_eq(listen_at(fd), 0, "type %d", types[i]);
        close(fd);
        unlink(path);
    }
}

Test(unix_socket, a_live_one_is_not)
{
    int live = new_socket(SOCK_STREAM);
    cr_assert_eq(listen_at(live), 0);
    int fd = new_socket(SOCK_STREAM);
    /* The first try leaves a connection in the queue; after some more it is full. */
    for (int i = 0; i < 4; i++) {
        cr_expect_eq(listen_at(fd), -EADDRINUSE);
    }
    cr_assert(exists());
    close(fd);
    close(live);
}

Test(unix_socket, a_live_one_of_another_type_is_not)
{
    int live = new_socket(SOCK_DGRAM);
    bind_only(live);
    int fd = new_socket(SOCK_STREAM);
    cr_assert_eq(listen_at(fd), -EADDRINUSE);
    cr_assert(exists());
    close(fd);
    close(live);
}

static void put_another(void)
{
    int other = new_socket(SOCK_STREAM);
    char aside[sizeof(path) + 8];
    snprintf(aside, sizeof(aside), "%s.aside", path);
    cr_assert_eq(rename(path, aside), 0);
    bind_only(other);
    close(other);
}

static void remove_it(void)
{
    cr_assert_eq(unlink(path), 0);
}

/* Another server was quicker while this one looked: what it put there is left alone. */
Test(unix_socket, a_file_that_is_new_since_the_look_is_not_replaced)
{
    int fd = new_socket(SOCK_STREAM);
    int old = new_socket(SOCK_STREAM);
    bind_only(old);
    close(old);
    meanwhile = put_another;
    cr_expect_eq(listen_at(fd), -EADDRINUSE);
    cr_expect(exists());
    meanwhile = remove_it;
    cr_expect_eq(listen_at(fd), 0);
    close(fd);
}

Test(unix_socket, what_is_no_socket_is_not_touched)
{
    int fd = new_socket(SOCK_STREAM);
    fixture_tree_write(root, "/socket", "precious");
    cr_expect_eq(listen_at(fd), -ENOTSOCK);
    cr_assert(exists());
    unlink(path);
    cr_assert_eq(mkdir(path, 0700), 0);
    cr_expect_eq(listen_at(fd), -ENOTSOCK);
    cr_assert_eq(rmdir(path), 0);
    cr_assert_eq(symlink("/nowhere", path), 0);
    cr_expect_eq(listen_at(fd), -ENOTSOCK);
    cr_assert(exists());
    close(fd);
}

Test(unix_socket, a_directory_that_is_not_there)
{
    int fd = new_socket(SOCK_STREAM);
    struct unix_socket_file file = {.ours = false};
    cr_assert_eq(unix_socket_listen(fd, "/nowhere/at/all", 0, &file), -ENOENT);
    close(fd);
}

Test(unix_socket, the_longest_path)
{
    char longest[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
    struct unix_socket_file file;
    struct stat status;
    snprintf(longest, sizeof(longest), "%s/%0*d", root, (int)(sizeof(longest) - strlen(root) - 2), 0);
    cr_assert_eq(strlen(longest), sizeof(longest) - 1);
    int fd = new_socket(SOCK_STREAM);
    cr_assert_eq(unix_socket_listen(fd, longest, 0, &file), 0);
    cr_assert_eq(lstat(longest, &status), 0);
    unix_socket_unlink(longest, &file);
    cr_assert_neq(lstat(longest, &status), 0);
    close(fd);
}

/* A server that holds the directory's lock may be between bind and listen: what it bound to is not taken for stale. */
Test(unix_socket, without_the_lock_nothing_is_replaced)
{
    int starting = new_socket(SOCK_STREAM);
    int fd = new_socket(SOCK_STREAM);
    int lock = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cr_assert(lock >= 0 && flock(lock, LOCK_EX) == 0);
    bind_only(starting);
    cr_expect_eq(listen_at(fd), -EADDRINUSE);
    cr_expect(exists());
    cr_assert_eq(unlink(path), 0);
    cr_expect_eq(listen_at(fd), 0, "a path that is free needs no lock");
    close(lock);
    close(fd);
    close(starting);
}

/* The lock is not held for longer than it takes to listen, and leaves nothing in the directory. */
Test(unix_socket, the_lock_is_given_back)
{
    struct unix_socket_file file;
    int fd = new_socket(SOCK_STREAM);
    cr_assert_eq(unix_socket_listen(fd, path, 0, &file), 0);
    int lock = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cr_assert(lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0);
    close(lock);
    unix_socket_unlink(path, &file);
    cr_expect_eq(rmdir(root), 0, "nothing is left in it");
    cr_assert_eq(mkdir(root, 0700), 0);
    close(fd);
}

/* Another server took the path over: its file stays. */
Test(unix_socket, the_file_of_another_is_not_removed)
{
    struct unix_socket_file ours;
    struct unix_socket_file theirs;
    int fd = new_socket(SOCK_STREAM);
    int other = new_socket(SOCK_STREAM);
    cr_assert_eq(unix_socket_listen(fd, path, 0, &ours), 0);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(unix_socket_listen(other, path, 0, &theirs), 0);
    unix_socket_unlink(path, &ours);
    cr_assert(exists());
    unix_socket_unlink(path, &theirs);
    cr_assert_not(exists());
    close(fd);
    close(other);
}

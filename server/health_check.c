/* SPDX-License-Identifier: MIT */
/* Connects, asks, reads the answer's head with llhttp; every wait is a poll with the same deadline. */
#include "server/health_check.h"

#include <errno.h>
#include <llhttp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "server/net/warn.h"
#include "server/net/socket_address.h"
#include "server/net/transport.h"
#include "server/net/url.h"

#define HEALTH_PATH "/healthz"

enum {
    HEAD_MAX = 256 * 1024,  /* bytes of answers' heads, interim ones included */
    STATUS_FINAL_MIN = 200, /* below are interim answers: RFC 9110, 15.2 */
};

struct health_check {
    struct url url;
    const char *(*reason_of)(unsigned status);
    const char *name; /* the URL, for messages */
    uint64_t deadline_ms;
    bool proxied; /* a PROXY header comes first */
    int fd;
    unsigned status;    /* of the final answer; 0 until its head is there */
    char complaint[64]; /* why there is none */
};

static bool fail(struct health_check *check, const char *complaint)
{
    snprintf(check->complaint, sizeof(check->complaint), "%s", complaint);
    return false;
}

static bool await(struct health_check *check, short event)
{
    struct pollfd socket = {.fd = check->fd, .events = event};
    int ready;
    do {
        uint64_t now = clock_ms();
        ready = now < check->deadline_ms ? poll(&socket, 1, (int)(check->deadline_ms - now)) : 0;
    } while (ready < 0 && errno == EINTR);
    return ready > 0 || fail(check, ready == 0 ? "no answer in time" : strerror(errno));
}

static bool connect_to(struct health_check *check, const struct socket_address *address)
{
    check->fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (check->fd < 0) {
        return fail(check, strerror(errno));
    }
    int error = 0;
    socklen_t size = sizeof(error);
    if (connect(check->fd, &address->any, address->length) == 0) {
        return true;
    }
    if (errno == EINPROGRESS) {
        if (!await(check, POLLOUT)) {
            return false;
        }
        getsockopt(check->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    } else {
        error = errno;
    }
    return error == 0 || fail(check, strerror(error));
}

static bool connect_loopback(struct health_check *check)
{
    struct in_addr ipv4 = {.s_addr = htonl(INADDR_LOOPBACK)};
    struct socket_address first = socket_address_ipv4(ipv4, check->url.where.port);
    struct socket_address second = socket_address_ipv6(in6addr_loopback, check->url.where.port, 0);
    if (connect_to(check, &first)) {
        return true;
    }
    close(check->fd);
    return connect_to(check, &second);
}

/* Not of LISTEN_LOCALHOST, which are two. */
static struct socket_address address_of(const struct listen_spec *where)
{
    struct socket_address address = {.length = sizeof(address.local)};
    switch (where->kind) {
    case LISTEN_ANY:
    case LISTEN_LOCALHOST:
    case LISTEN_IPV4: return socket_address_ipv4(where->ipv4, where->port);
    case LISTEN_IPV6: return socket_address_ipv6(where->ipv6, where->port, if_nametoindex(where->zone));
    case LISTEN_UNIX:
        address.local.sun_family = AF_UNIX;
        memcpy(address.local.sun_path, where->path, sizeof(where->path));
        return address;
    }
    __builtin_unreachable();
}

static bool health_check_connect(struct health_check *check)
{
    if (check->url.where.kind == LISTEN_LOCALHOST) {
        return connect_loopback(check);
    }
    struct socket_address address = address_of(&check->url.where);
    return connect_to(check, &address);
}

static bool health_check_ask(struct health_check *check)
{
    char request[URL_MAX + 512];
    bool proxied = check->proxied && check->url.where.kind != LISTEN_UNIX;
    const struct url *url = &check->url;
    bool path = url->target.length > 0 && url->target.data[0] == '/'; /* else RFC 9112, 3.2.1 */
    struct span zone = url_host_zone(url); /* which means something on this machine only: RFC 6874, 4 */
    struct span before = span_between(url->host.data, zone.data);
    struct span behind = span_between(zone.data + zone.length, url->host.data + url->host.length);
    int length = snprintf(request, sizeof(request),
                          "%sGET %s%.*s HTTP/1.1\r\nHost: %.*s%.*s\r\nUser-Agent: echod-check/%s\r\n"
                          "Accept: */*\r\nConnection: close\r\n\r\n",
                          proxied ? "PROXY UNKNOWN\r\n" : "", path ? "" : "/", (int)url->target.length,
                          url->target.data, (int)before.length, before.data, (int)behind.length, behind.data,
                          ECHOD_VERSION);
    for (size_t sent = 0; sent < (size_t)length;) {
        struct transfer moved = transport_send(check->fd, request + sent, (size_t)length - sent);
        switch (moved.outcome) {
        case TRANSPORT_MOVED: sent += moved.length; break;
        case TRANSPORT_RETRY:
        case TRANSPORT_INTERRUPTED:
            if (!await(check, POLLOUT)) {
                return false;
            }
            break;
        case TRANSPORT_END:
        case TRANSPORT_ERROR: return fail(check, strerror(errno));
        }
    }
    return true;
}

/* The head of an interim answer is not the last one. An answer of another HTTP version is an error, because its status
 * may have another meaning. */
static int on_head(llhttp_t *parser)
{
    struct health_check *check = parser->data;
    if (parser->http_major != 1) {
        return HPE_USER;
    }
    if (parser->status_code < STATUS_FINAL_MIN) {
        return 0;
    }
    check->status = parser->status_code;
    return HPE_PAUSED;
}

static bool health_check_read(struct health_check *check)
{
    char bytes[4096];
    llhttp_t parser;
    llhttp_settings_t settings;
    llhttp_settings_init(&settings);
    settings.on_headers_complete = on_head;
    llhttp_init(&parser, HTTP_RESPONSE, &settings);
    parser.data = check;
    for (size_t total = 0; total < HEAD_MAX;) {
        if (!await(check, POLLIN)) {
            return false;
        }
        struct transfer read = transport_receive(check->fd, bytes, sizeof(bytes), TRANSPORT_NO_WAIT);
        switch (read.outcome) {
        case TRANSPORT_MOVED: break;
        case TRANSPORT_RETRY:
        case TRANSPORT_INTERRUPTED: continue;
        case TRANSPORT_END: return fail(check, "closed without an answer");
        case TRANSPORT_ERROR: return fail(check, strerror(errno));
        }
        llhttp_errno_t error = llhttp_execute(&parser, bytes, read.length);
        if (check->status != 0) {
            return true;
        }
        if (error != HPE_OK) {
            return fail(check, "the answer is not HTTP/1.x");
        }
        total += read.length;
    }
    return fail(check, "the head of the answer is incomplete");
}

/* Returns the exit status. */
static int health_check_perform(struct health_check *check)
{
    check->deadline_ms = clock_ms() + HEALTH_CHECK_TIMEOUT_MS;
    check->fd = -1;
    bool answered = health_check_connect(check) && health_check_ask(check) && health_check_read(check);
    if (check->fd >= 0) {
        close(check->fd);
    }
    if (answered && check->status / 100 == 2) {
        return EXIT_SUCCESS;
    }
    if (answered) {
        warn("%.300s: answered %u %s", check->name, check->status, check->reason_of(check->status));
    } else {
        warn("%.300s: %s", check->name, check->complaint);
    }
    return EXIT_FAILURE;
}

int health_check_run(const char *url, bool proxied, const char *(*reason_of)(unsigned status))
{
    const char *why;
    struct health_check check = {.name = url, .reason_of = reason_of, .proxied = proxied};
    return url_parse(&check.url, url, strlen(url), &why) == 0 ? health_check_perform(&check) : EXIT_FAILURE;
}

static struct listen_spec loopback_of(const struct listen_spec *listener)
{
    struct listen_spec where = *listener;
    if (where.kind == LISTEN_ANY || (where.kind == LISTEN_IPV4 && where.ipv4.s_addr == htonl(INADDR_ANY))) {
        where.kind = LISTEN_IPV4;
        where.ipv4.s_addr = htonl(INADDR_LOOPBACK);
    } else if (where.kind == LISTEN_IPV6 && IN6_IS_ADDR_UNSPECIFIED(&where.ipv6)) {
        where.ipv6 = in6addr_loopback;
    }
    return where;
}

int health_check_run_listener(const struct listen_spec *listener, bool proxied,
                              const char *(*reason_of)(unsigned status))
{
    char authority[SOCKET_ADDRESS_TEXT_SIZE];
    char name[sizeof(URL_SCHEME) + sizeof(authority) + sizeof(":" HEALTH_PATH)];
    struct health_check check = {.name = name,
                                 .reason_of = reason_of,
                                 .proxied = proxied,
                                 .url = {.where = loopback_of(listener),
                                         .host = SPAN_LITERAL(URL_UNIX_HOST),
                                         .target = SPAN_LITERAL(HEALTH_PATH)}};
    const struct listen_spec *where = &check.url.where;
    if (where->kind == LISTEN_LOCALHOST) {
        snprintf(authority, sizeof(authority), "localhost:%u", ntohs(where->port));
    } else {
        struct socket_address address = address_of(where);
        socket_address_format(&address, authority);
    }
    if (where->kind != LISTEN_UNIX) {
        check.url.host = (struct span){.data = authority, .length = strlen(authority)};
    }
    snprintf(name, sizeof(name), URL_SCHEME "%s%s" HEALTH_PATH, authority,
             where->kind == LISTEN_UNIX ? ":" : "");
    return health_check_perform(&check);
}

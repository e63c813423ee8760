/* SPDX-License-Identifier: MIT */
/* What --listen accepts and refuses. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/net/listen_spec.h"

#define PATH_50  "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define PATH_107 PATH_50 PATH_50 "/bbbbbb"

/* Parses a copy of exactly the text's length, so that a byte read behind it is seen by the sanitizer. */
static int parse(struct listen_spec *spec, const char *text, const char **why)
{
    size_t length = strlen(text);
    char *copy = malloc(length > 0 ? length : 1);
    cr_assert_not_null(copy);
    for (size_t i = 0; i < length; i++) {
        copy[i] = text[i];
    }
    int result = listen_spec_parse(spec, copy, length, why);
    free(copy);
    return result;
}

struct good {
    const char *text;
    enum listen_kind kind;
    unsigned port;
    const char *address; /* or path */
    const char *zone;
};

static void expect_address(const struct listen_spec *spec, const struct good *c)
{
    char address[INET6_ADDRSTRLEN] = "";
    if (spec->kind == LISTEN_IPV4) {
        inet_ntop(AF_INET, &spec->ipv4, address, sizeof(address));
    } else if (spec->kind == LISTEN_IPV6) {
        inet_ntop(AF_INET6, &spec->ipv6, address, sizeof(address));
    }
    cr_expect_str_eq(spec->kind == LISTEN_UNIX ? spec->path : address, c->address, "%s", c->text);
}

Test(listen_spec, good)
{
    static const struct good cases[] = {
        {"127.0.0.1:8080", LISTEN_IPV4, 8080, "127.0.0.1", ""},
        {"0.0.0.0:0", LISTEN_IPV4, 0, "0.0.0.0", ""},
        {"255.255.255.255:65535", LISTEN_IPV4, 65535, "255.255.255.255", ""},
        {"127.0.0.1:0080", LISTEN_IPV4, 80, "127.0.0.1", ""},
        {"[::1]:8080", LISTEN_IPV6, 8080, "::1", ""},
        {"[::]:1", LISTEN_IPV6, 1, "::", ""},
        {"[2001:db8:1111:2222:3333:4444:5555:6666]:1", LISTEN_IPV6, 1,
         "2001:db8:1111:2222:3333:4444:5555:6666", ""},
        {"[::ffff:192.0.2.1]:1", LISTEN_IPV6, 1, "::ffff:192.0.2.1", ""},
        {"[fe80::1%eth0]:80", LISTEN_IPV6, 80, "fe80::1", "eth0"},
        {"[fe80::1%fifteen-letters]:80", LISTEN_IPV6, 80, "fe80::1", "fifteen-letters"},
        {"localhost:8080", LISTEN_LOCALHOST, 8080, "", ""},
        {"LocalHost:1", LISTEN_LOCALHOST, 1, "", ""},
        {"*:8080", LISTEN_ANY, 8080, "", ""},
        {"unix:/run/echod.sock", LISTEN_UNIX, 0, "/run/echod.sock", ""},
        {"unix:relative:8080", LISTEN_UNIX, 0, "relative:8080", ""},
        {"unix:" PATH_107, LISTEN_UNIX, 0, PATH_107, ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct good *c = &cases[i];
        struct listen_spec spec;
        const char *why = NULL;
        cr_expect_eq(parse(&spec, c->text, &why), 0, "%s: %s", c->text, why != NULL ? why : "");
        cr_expect_eq(spec.kind, c->kind, "%s", c->text);
        cr_expect_eq(ntohs(spec.port), c->port, "%s", c->text);
        cr_expect_str_eq(spec.zone, c->zone, "%s", c->text);
        expect_address(&spec, c);
    }
}

Test(listen_spec, bad)
{
    static const struct {
        const char *text;
        const char *why; /* a part of it */
    } cases[] = {
        {"", "empty"},
        {"8080", "port is missing"},
        {"127.0.0.1", "port is missing"},
        {"localhost", "port is missing"},
        {"127.0.0.1:", "the port is not a number"},
        {"127.0.0.1:http", "the port is not a number"},
        {"127.0.0.1:65536", "the port is not a number"},
        {"127.0.0.1:-1", "the port is not a number"},
        {"127.0.0.1:80 ", "the port is not a number"},
        {"127.0.0.1:80/", "the port is not a number"},
        {":8080", "address is missing"},
        {"127.0.0.256:80", "neither numeric"},
        {"127.1:80", "neither numeric"},
        {" 127.0.0.1:80", "neither numeric"},
        {"example.com:80", "neither numeric"},
        {"localhos:80", "neither numeric"},
        {"**:80", "neither numeric"},
        {"111.111.111.1111111111:80", "neither numeric"},
        {"127.0.0.1\n:80", "neither numeric"},
        {"::1:8080", "needs brackets"},
        {"http://127.0.0.1:80", "needs brackets"},
        {"[::1]", "port is missing"},
        {"[::1]8080", "port is missing"},
        {"[::1]:", "the port is not a number"},
        {"[::1:8080", "bracket is missing"},
        {"[", "bracket is missing"},
        {"[]:80", "not an IPv6 address"},
        {"[127.0.0.1]:80", "not an IPv6 address"},
        {"[::g]:80", "not an IPv6 address"},
        {"[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa]:80", "not an IPv6 address"},
        {"[*]:80", "not an IPv6 address"},
        {"[fe80::1%]:80", "not the name of an interface"},
        {"[fe80::1%sixteen--letters]:80", "not the name of an interface"},
        {"[fe80::1%a\tb]:80", "not the name of an interface"},
        {"unix:", "path is missing"},
        {"unix:/tmp/a\nb", "control character"},
        {"unix:/tmp/a\x7f", "control character"},
        {"unix:" PATH_107 "b", "longer than 107"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct listen_spec spec;
        const char *why = "";
        cr_expect_eq(parse(&spec, cases[i].text, &why), -EINVAL, "%s", cases[i].text);
        cr_expect_not_null(strstr(why, cases[i].why), "%s: %s", cases[i].text, why);
    }
}

/* A text that comes out of a list in the environment: what follows its length belongs to the next one. */
Test(listen_spec, stops_at_length)
{
    struct listen_spec spec;
    const char *why;
    cr_assert_eq(listen_spec_parse(&spec, "*:80,*:81", 4, &why), 0);
    cr_assert_eq(ntohs(spec.port), 80);
    cr_assert_eq(listen_spec_parse(&spec, "unix:/a,unix:/b", 7, &why), 0);
    cr_assert_str_eq(spec.path, "/a");
    cr_assert_eq(listen_spec_parse(&spec, "unix:/a\0b", 9, &why), -EINVAL);
}

/* SPDX-License-Identifier: MIT */
/* The URLs that --check takes, and those it refuses. What it makes of answers is seen by the integration cases. */
#include "server/net/url.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

static const struct {
    const char *url;
    enum listen_kind kind;
    unsigned port;
    const char *host;
    const char *target;
} good[] = {
    {"http://127.0.0.1:8080/healthz", LISTEN_IPV4, 8080, "127.0.0.1:8080", "/healthz"},
    {"http://127.0.0.1:8080", LISTEN_IPV4, 8080, "127.0.0.1:8080", ""},
    {"http://127.0.0.1:8080?x=/y#f", LISTEN_IPV4, 8080, "127.0.0.1:8080", "?x=/y"},
    {"HTTP://127.0.0.1/a?b=c:d/e#f", LISTEN_IPV4, 80, "127.0.0.1", "/a?b=c:d/e"},
    {"http://127.0.0.1#f", LISTEN_IPV4, 80, "127.0.0.1", ""},
    {"http://[::1]:65535/", LISTEN_IPV6, 65535, "[::1]:65535", "/"},
    {"http://[2001:db8::1]/x", LISTEN_IPV6, 80, "[2001:db8::1]", "/x"},
    {"http://localhost:1/", LISTEN_LOCALHOST, 1, "localhost:1", "/"},
    {"http://localhost/", LISTEN_LOCALHOST, 80, "localhost", "/"},
    {"http://unix:/run/e.sock:/readyz", LISTEN_UNIX, 0, "localhost", "/readyz"},
    {"http://unix:/run/e.sock:", LISTEN_UNIX, 0, "localhost", ""},
    {"http://unix:/run/e.sock:?x", LISTEN_UNIX, 0, "localhost", "?x"},
    {"http://unix:e.sock", LISTEN_UNIX, 0, "localhost", ""},
};

Test(url, urls_that_are_good)
{
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct url url;
        const char *why = "";
        int error = url_parse(&url, good[i].url, strlen(good[i].url), &why);
        cr_expect_eq(error, 0, "%s: %s", good[i].url, why);
        cr_expect(error != 0 ||
                      (url.where.kind == good[i].kind && ntohs(url.where.port) == good[i].port &&
                       span_equal(url.host, (struct span){good[i].host, strlen(good[i].host)}) &&
                       span_equal(url.target, (struct span){good[i].target, strlen(good[i].target)})),
                  "%s", good[i].url);
    }
}

Test(url, the_path_of_a_unix_socket)
{
    struct url url;
    const char *why = "";
    const char *text = "http://unix:/run/e.sock:/a:b";
    cr_assert_eq(url_parse(&url, text, strlen(text), &why), 0);
    cr_expect_str_eq(url.where.path, "/run/e.sock");
    cr_expect(span_equal(url.target, SPAN_LITERAL("/a:b")));
}

static const struct {
    const char *url;
    const char *why;
} bad[] = {
    {"", "it does not begin with http://"},
    {"https://127.0.0.1/", "it does not begin with http://"},
    {"127.0.0.1:8080", "it does not begin with http://"},
    {"http://", "the address is missing (* is all addresses)"},
    {"http:///healthz", "the address is missing (* is all addresses)"},
    {"http://:80/", "the address is missing (* is all addresses)"},
    {"http://example.com/", "the address is neither numeric nor localhost nor *"},
    {"http://user@127.0.0.1/", "the address is neither numeric nor localhost nor *"},
    {"http://*:80/", "* is not an address to connect to"},
    {"http://::1/", "an IPv6 address needs brackets"},
    {"http://[::1/", "the closing bracket is missing"},
    {"http://[nix]/", "the text in brackets is not an IPv6 address"},
    {"http://127.0.0.1:0/", "the port must not be 0"},
    {"http://127.0.0.1:65536/", "the port is not a number from 0 to 65535"},
    {"http://127.0.0.1:/", "the port is not a number from 0 to 65535"},
    {"http://127.0.0.1/a b", "it contains a character that is not allowed in a URL"},
    {"http://127.0.0.1/\r\nX: y", "it contains a character that is not allowed in a URL"},
    {"http://127.0.0.1/\xc3\xa4", "it contains a character that is not allowed in a URL"},
    {"http://unix:", "the path is missing"},
    {"http://unix:/s:nix", "its path does not begin with /"},
};

Test(url, urls_that_are_bad)
{
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct url url;
        const char *why = "";
        cr_expect_lt(url_parse(&url, bad[i].url, strlen(bad[i].url), &why), 0, "%s", bad[i].url);
        cr_expect_str_eq(why, bad[i].why, "%s: %s", bad[i].url, why);
    }
}

Test(url, length_is_limited)
{
    char text[4096] = "http://127.0.0.1:8080/";
    struct url url;
    const char *why = "";
    memset(text + strlen(text), 'a', 2048 - strlen(text));
    cr_expect_eq(url_parse(&url, text, 2048, &why), 0, "%s", why);
    text[2048] = 'a';
    cr_expect_lt(url_parse(&url, text, 2049, &why), 0);
    memset(text + strlen("http://"), '1', 400);
    cr_expect_lt(url_parse(&url, text, 407, &why), 0);
}

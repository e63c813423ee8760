/* SPDX-License-Identifier: MIT */
/* Fields taken off a section (RFC 9112, 5), and a peer's address as text. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/http/request.h"

static const struct {
    const char *lines;
    const char *fields; /* each as <name|value> */
} sections[] = {
    {"", ""},
    {"A: b\r\n", "<A|b>"},
    {"A:b\r\nC:\td \t\r\n", "<A|b><C|d>"},
    {"A:\r\nB: \r\nC:c\r\n", "<A|><B|><C|c>"},
    {"A: b: c\r\n", "<A|b: c>"},
    {"A: b  c\r\n", "<A|b  c>"},
    {"a: 1\r\nA: 2\r\na: 3\r\n", "<a|1><A|2><a|3>"},
    {"X!#$%&'*+-.^_`|~: \xe9\r\n", "<X!#$%&'*+-.^_`|~|\xe9>"},
};

Test(request, fields)
{
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        size_t length = strlen(sections[i].lines);
        char *copy = malloc(length > 0 ? length : 1);
        memcpy(copy, sections[i].lines, length);
        struct span lines = {.data = copy, .length = length};
        struct field f;
        char all[100] = "";
        size_t at = 0;
        while (field_next(&lines, &f)) {
            at += (size_t)snprintf(all + at, sizeof all - at, "<%.*s|%.*s>", (int)f.name.length, f.name.data,
                                   (int)f.value.length, f.value.data);
        }
        cr_expect_str_eq(all, sections[i].fields);
        free(copy);
    }
}

static const struct {
    int family;
    const char *address;
    uint16_t port;
    const char *with_port;
    const char *without;
} peers[] = {
    {AF_INET, "192.0.2.1", 80, "192.0.2.1:80", "192.0.2.1"},
    {AF_INET, "255.255.255.255", 65535, "255.255.255.255:65535", "255.255.255.255"},
    {AF_INET6, "2001:db8::1", 80, "[2001:db8::1]:80", "2001:db8::1"},
    {AF_INET6, "::1", 0, "[::1]:0", "::1"},
    {AF_INET6, "1111:2222:3333:4444:5555:6666:7777:8888", 65535,
     "[1111:2222:3333:4444:5555:6666:7777:8888]:65535", "1111:2222:3333:4444:5555:6666:7777:8888"},
    {AF_UNIX, "", 0, "unix:", "unix:"},
};

Test(request, peer)
{
    for (size_t i = 0; i < sizeof peers / sizeof peers[0]; i++) {
        struct peer peer = {.family = (uint8_t)peers[i].family, .port = peers[i].port};
        char text[PEER_TEXT_SIZE];
        if (peers[i].family != AF_UNIX) {
            cr_assert_eq(inet_pton(peers[i].family, peers[i].address, peer.address), 1);
        }
        cr_expect_eq(peer_format(&peer, true, text), strlen(peers[i].with_port));
        cr_expect_str_eq(text, peers[i].with_port);
        cr_expect_eq(peer_format(&peer, false, text), strlen(peers[i].without));
        cr_expect_str_eq(text, peers[i].without);
    }
}

Test(request, has_body)
{
    static const struct {
        enum framing framing;
        uint64_t length;
        bool body;
    } rows[] = {
        {FRAMING_NONE, 0, false},
        {FRAMING_LENGTH, 0, false},
        {FRAMING_LENGTH, 1, true},
        {FRAMING_CHUNKED, 0, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct request request = {.framing = (uint8_t)rows[i].framing, .content_length = rows[i].length};
        cr_expect_eq(request_has_body(&request), rows[i].body, "row %zu", i);
    }
}

/* SPDX-License-Identifier: MIT */
/* The header of the PROXY protocol: every form, cut at every byte. */
#include "common/base/proxy_header.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define TEXT(literal) ((struct span){.data = (literal), .length = sizeof(literal) - 1})
#define SIGNATURE     "\r\n\r\n\0\r\nQUIT\n"
#define IPV4          "\xC0\x00\x02\x0A\xC6\x33\x64\x01\x1F\x90\x00\x50" /* 192.0.2.10:8080, 198.51.100.1:80 */
#define IPV6                                     \
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01" \
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02" \
    "\xFF\xFF\0\x50"
#define KEPT "203.0.113.7:9"

static const struct {
    struct span header;
    const char *peer;
} good[] = {
    {TEXT("PROXY TCP4 192.0.2.10 198.51.100.1 8080 80\r\n"), "192.0.2.10:8080"},
    {TEXT("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"), "255.255.255.255:65535"},
    {TEXT("PROXY TCP4 192.0.2.10 198.51.100.1 0 0\r\n"), "192.0.2.10:0"},
    {TEXT("PROXY TCP6 2001:db8::1 2001:db8::2 8080 80\r\n"), "[2001:db8::1]:8080"},
    {TEXT("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 "
          "65535\r\n"),
     "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
    {TEXT("PROXY UNKNOWN\r\n"), KEPT},
    {TEXT("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
          "65535 "
          "65535\r\n"),
     KEPT}, /* 107 bytes, the longest */
    {TEXT(SIGNATURE "\x21\x11\0\x0C" IPV4), "192.0.2.10:8080"},
    {TEXT(SIGNATURE "\x21\x21\0\x24" IPV6), "[2001:db8::1]:65535"},
    {TEXT(SIGNATURE "\x20\0\0\0"), KEPT},
    {TEXT(SIGNATURE "\x20\x11\0\x0C" IPV4), KEPT}, /* LOCAL, whatever follows */
    {TEXT(SIGNATURE "\x21\x00\0\x03"
                    "abc"),
     KEPT},                                        /* no family */
    {TEXT(SIGNATURE "\x21\x12\0\x0C" IPV4), KEPT}, /* UDP */
    {TEXT(SIGNATURE "\x21\x31\0\x02"
                    "ab"),
     KEPT},                                                                      /* a unix socket */
    {TEXT(SIGNATURE "\x21\x11\0\x13" IPV4 "\x04\0\x04wxyz"), "192.0.2.10:8080"}, /* with a TLV */
};

static const struct span bad[] = {
    TEXT("GET / HTTP/1.1\r\n"),
    TEXT("PROXX"),
    TEXT("proxy TCP4 "),
    TEXT("\n"),
    TEXT("PROXY\n"),
    TEXT("PROXY TCP4 192.0.2.10 198.51.100.1 8080 80\n"),
    TEXT("PROXY TCP4\r\n"),
    TEXT("PROXY \r\n"),
    TEXT("PROXY TCP5 192.0.2.10 198.51.100.1 8080 80\r\n"),
    TEXT("PROXY TCP4  192.0.2.10 198.51.100.1 8080 80\r\n"),
    TEXT("PROXY TCP4 192.0.2.10 198.51.100.1 8080 80 \r\n"),
    TEXT("PROXY TCP4 192.0.2.10 198.51.100.1 8080 80 1\r\n"),
    TEXT("PROXY TCP4 192.0.2.10 198.51.100.1 8080\r\n"),
    TEXT("PROXY TCP4 192.0.2.10 198.51.100.1 8080 \r\n"),
    TEXT("PROXY TCP4 192.0.2.10 198.51.100.1 65536 80\r\n"),
    TEXT("PROXY TCP4 192.0.2.10 198.51.100.1 080 80\r\n"),
    TEXT("PROXY TCP4 192.0.2.10 198.51.100.1 -1 80\r\n"),
    TEXT("PROXY TCP4 192.0.2 198.51.100.1 8080 80\r\n"),
    TEXT("PROXY TCP4 192.0.2.256 198.51.100.1 8080 80\r\n"),
    TEXT("PROXY TCP4 2001:db8::1 2001:db8::2 8080 80\r\n"),
    TEXT("PROXY TCP6 192.0.2.10 198.51.100.1 8080 80\r\n"),
    TEXT("PROXY TCP6 2001:db8::1%eth0 2001:db8::2 8080 80\r\n"),
    TEXT("PROXY TCP4 192.0.2.10\0 198.51.100.1 8080 80\r\n"),
    TEXT("PROXY UNKNOWNX\r\n"),
    TEXT("PROXY UNKNOWN 012345678901234567890123456789012345678901234567890123456789"
         "01234567890123456789012345678901\r\n"), /* 108 bytes */
    TEXT("\r\nGET"),
    TEXT("\r\n\r\n\0\r\nQUIX"),
    TEXT(SIGNATURE "\x11"),
    TEXT(SIGNATURE "\x22"),
    TEXT(SIGNATURE "\x21\x11\0\x0B"
                   "12345678901"),
    TEXT(SIGNATURE "\x21\x21\0\x0C" IPV4),
    TEXT(SIGNATURE "\x21\x00\x0F\xF1"), /* 4,097 bytes */
    TEXT(SIGNATURE "\x20\x00\xFF\xFF"),
};

/* In memory that ends with the data. */
static enum proxy_header read_copy(struct span data, size_t length, struct peer *peer, size_t *header)
{
    char *copy = malloc(length > 0 ? length : 1);
    cr_assert_not_null(copy);
    memcpy(copy, data.data, length);
    *peer =
        (struct peer){.family = AF_INET, .address = {203, 0, 113, 7}, .port = 9, .listener = 5, .proxied = 1};
    *header = 0;
    enum proxy_header result = proxy_header_read((struct span){copy, length}, peer, header);
    free(copy);
    return result;
}

Test(proxy_header, good)
{
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct peer peer;
        size_t header;
        char text[PEER_TEXT_SIZE];
        for (size_t length = 0; length < good[i].header.length; length++) {
            cr_expect_eq(read_copy(good[i].header, length, &peer, &header), PROXY_HEADER_MORE, "row %zu: %zu",
                         i, length);
        }
        cr_expect_eq(read_copy(good[i].header, good[i].header.length, &peer, &header), PROXY_HEADER_DONE,
                     "row %zu", i);
        cr_expect_eq(header, good[i].header.length, "row %zu: %zu", i, header);
        peer_format(&peer, true, text);
        cr_expect_str_eq(text, good[i].peer, "row %zu: %s", i, text);
        cr_expect(peer.listener == 5 && peer.proxied, "row %zu", i);
    }
}

/* What follows the header is left alone. */
Test(proxy_header, what_follows)
{
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        char bytes[256];
        struct peer peer;
        size_t header;
        size_t length = good[i].header.length;
        memcpy(bytes, good[i].header.data, length);
        memcpy(bytes + length, "GET / HTTP/1.1\r\n", 16);
        cr_expect_eq(read_copy((struct span){bytes, length + 16}, length + 16, &peer, &header),
                     PROXY_HEADER_DONE, "row %zu", i);
        cr_expect_eq(header, length, "row %zu", i);
    }
}

/* Refused at once or later, but whatever the split. */
Test(proxy_header, bad)
{
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct peer peer;
        size_t header;
        bool refused = false;
        for (size_t length = 0; length <= bad[i].length; length++) {
            enum proxy_header result = read_copy(bad[i], length, &peer, &header);
            cr_expect_neq(result, PROXY_HEADER_DONE, "row %zu: %zu", i, length);
            cr_expect(!refused || result == PROXY_HEADER_BAD, "row %zu: %zu", i, length);
            refused = result == PROXY_HEADER_BAD;
        }
        cr_expect(refused, "row %zu", i);
    }
}

/* The longest of version 2. */
Test(proxy_header, as_long_as_allowed)
{
    static char bytes[PROXY_HEADER_MAX + 1] = SIGNATURE "\x21\x11\x0F\xF0" IPV4;
    struct peer peer;
    size_t header;
    struct span data = {bytes, sizeof bytes};
    cr_expect_eq(read_copy(data, PROXY_HEADER_MAX - 1, &peer, &header), PROXY_HEADER_MORE);
    cr_expect_eq(read_copy(data, PROXY_HEADER_MAX, &peer, &header), PROXY_HEADER_DONE);
    cr_expect_eq(header, PROXY_HEADER_MAX);
}

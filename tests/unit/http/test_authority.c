/* SPDX-License-Identifier: MIT */
/* Host and port as RFC 3986, 3.2.2 and 3.2.3, has them. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/http/authority.h"

static const struct {
    bool valid;
    struct span text;
} cases[] = {
    /* reg-name, and port, which may be empty */
    {true, SPAN_LITERAL("example.com")},
    {true, SPAN_LITERAL("EXAMPLE.com:8080")},
    {true, SPAN_LITERAL("h")},
    {true, SPAN_LITERAL("h:")},
    {true, SPAN_LITERAL("h:0")},
    {true, SPAN_LITERAL("h:00080")},
    {false, SPAN_LITERAL("")}, /* RFC 9110, 4.2.1 */
    {false, SPAN_LITERAL(":80")},
    {false, SPAN_LITERAL(":")},
    {true, SPAN_LITERAL("a-b_c~d!e$f&g'h(i)j*k+l,m;n=o.p")},
    {true, SPAN_LITERAL("abcd!")},
    {true, SPAN_LITERAL("%41")},
    {true, SPAN_LITERAL("a%c3%A9b:1")},
    {true, SPAN_LITERAL("192.0.2.1")},
    {true, SPAN_LITERAL("999.999.999.999")}, /* no address, but a name */
    {false, SPAN_LITERAL("user@h")},
    {false, SPAN_LITERAL("user:pass@h:80")},
    {false, SPAN_LITERAL("h:80:80")},
    {false, SPAN_LITERAL("h:8o")},
    {false, SPAN_LITERAL("h:-1")},
    {false, SPAN_LITERAL("h: 80")},
    {false, SPAN_LITERAL("a b")},
    {false, SPAN_LITERAL("a\tb")},
    {false, SPAN_LITERAL("a,b c")},
    {false, SPAN_LITERAL("a/b")},
    {false, SPAN_LITERAL("a?b")},
    {false, SPAN_LITERAL("a#b")},
    {false, SPAN_LITERAL("a\\b")},
    {false, SPAN_LITERAL("a\"b")},
    {false, SPAN_LITERAL("a<b>")},
    {false, SPAN_LITERAL("a|b")},
    {false, SPAN_LITERAL("a^b")},
    {false, SPAN_LITERAL("a`b")},
    {false, SPAN_LITERAL("a{b}")},
    {false, SPAN_LITERAL("a[b]")},
    {false, SPAN_LITERAL("\xc3\xa9")},
    {false, SPAN_LITERAL("abc\x80")},
    {false, SPAN_LITERAL("a\0b")},
    {false, SPAN_LITERAL("abcd\0")},
    {false, SPAN_LITERAL("a\x7f")},
    {false, SPAN_LITERAL("%")},
    {false, SPAN_LITERAL("%4")},
    {false, SPAN_LITERAL("abc%4")},
    {false, SPAN_LITERAL("%4g")},
    {false, SPAN_LITERAL("%g4")},
    {false, SPAN_LITERAL("%%41")},
    /* IPv6address */
    {true, SPAN_LITERAL("[::]")},
    {true, SPAN_LITERAL("[::1]:80")},
    {true, SPAN_LITERAL("[::1]:")},
    {true, SPAN_LITERAL("[2001:DB8::a]")},
    {true, SPAN_LITERAL("[1:2:3:4:5:6:7:8]")},
    {true, SPAN_LITERAL("[1:2:3:4:5:6:7::]")},
    {true, SPAN_LITERAL("[::2:3:4:5:6:7:8]")},
    {true, SPAN_LITERAL("[::ffff:192.0.2.1]")},
    {true, SPAN_LITERAL("[1:2:3:4:5:6:192.0.2.1]")},
    {true, SPAN_LITERAL("[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]")},
    {false, SPAN_LITERAL("[]")},
    {false, SPAN_LITERAL("[")},
    {false, SPAN_LITERAL("]")},
    {false, SPAN_LITERAL("[::1")},
    {false, SPAN_LITERAL("::1")},
    {false, SPAN_LITERAL("[::1]80")},
    {false, SPAN_LITERAL("[::1]a")},
    {false, SPAN_LITERAL("[::1]:a")},
    {false, SPAN_LITERAL("[::1]:80:80")},
    {false, SPAN_LITERAL("[[::1]]")},
    {false, SPAN_LITERAL("[:]")},
    {false, SPAN_LITERAL("[:::]")},
    {false, SPAN_LITERAL("[1::2::3]")},
    {false, SPAN_LITERAL("[1:2:3:4:5:6:7]")},
    {false, SPAN_LITERAL("[1:2:3:4:5:6:7:8:9]")},
    {false, SPAN_LITERAL("[::12345]")},
    {false, SPAN_LITERAL("[::g]")},
    {false, SPAN_LITERAL("[::1\0]")},
    {false, SPAN_LITERAL("[::256.0.0.1]")},
    {false, SPAN_LITERAL("[::01.0.0.1]")},
    {false, SPAN_LITERAL("[192.0.2.1]")},
    {false, SPAN_LITERAL("[example.com]")},
    {false, SPAN_LITERAL("[fe80::1%25eth0]")}, /* RFC 3986 has no zones */
    {false, SPAN_LITERAL("[fe80::1%eth0]")},
    {false, SPAN_LITERAL("[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]")},
    /* IPvFuture */
    {true, SPAN_LITERAL("[v1.a]")},
    {true, SPAN_LITERAL("[VFe.a:b!:]:80")},
    {false, SPAN_LITERAL("[v.a]")},
    {false, SPAN_LITERAL("[v1.]")},
    {false, SPAN_LITERAL("[v1]")},
    {false, SPAN_LITERAL("[v]")},
    {false, SPAN_LITERAL("[vg.a]")},
    {false, SPAN_LITERAL("[v1.a@b]")},
    {false, SPAN_LITERAL("[v1.%41]")},
};

/* Each text stands in a block of exactly its length. */
Test(authority, host_and_port)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct span text = cases[i].text;
        char *copy = malloc(text.length > 0 ? text.length : 1);
        memcpy(copy, text.data, text.length);
        cr_expect(authority_valid((struct span){.data = copy, .length = text.length}) == cases[i].valid,
                  "\"%s\" (row %zu) is %s", text.data, i, cases[i].valid ? "valid" : "not valid");
        free(copy);
    }
}

/* unreserved and sub-delims, and no other byte, at each place among four. */
Test(authority, every_byte)
{
    static const char allowed[] = "-._~!$&'()*+,;=";
    for (int c = 0; c < 256; c++) {
        bool name = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    (c != 0 && strchr(allowed, c) != NULL);
        for (size_t at = 0; at < 9; at++) {
            char text[] = "123456789";
            text[at] = (char)c;
            /* what follows here is digits: a port, or the rest of an encoded byte if two of them follow */
            bool expected = name || (c == ':' && at > 0) || (c == '%' && at <= 6);
            cr_expect(authority_valid((struct span){.data = text, .length = 9}) == expected,
                      "byte 0x%02x at %zu", (unsigned)c, at);
        }
    }
}

/* The end is found at the same place whether blocks can be read or only bytes: every byte at each place. */
Test(authority, skip_plain)
{
    static const char *const texts[] = {
        "a.example-1.org:8080\r", "127.0.0.1:8080\r\nAccept: x\r", ":\r", "h\r", "fifteen.letters:1\r",
        "sixteen.letters.\r"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (int c = 0; c < 256; c++) {
            for (size_t at = 0; at + 1 < strlen(texts[i]); at++) {
                char room[64];
                memset(room, 'x', sizeof room);
                memcpy(room, texts[i], strlen(texts[i]));
                room[at] = (char)c;
                const char *expected = authority_skip_plain(room, room);
                cr_expect_eq(authority_skip_plain(room, room + sizeof room), expected, "%s, 0x%02x at %zu",
                             texts[i], (unsigned)c, at);
                cr_expect(expected == room || authority_valid(span_between(room, expected)));
            }
        }
    }
}

/* Every byte that makes the authority around it invalid wherever it stands, and no other. */
Test(authority, bad_byte)
{
    for (int c = 0; c < 256; c++) {
        char text[] = "h.example";
        text[3] = (char)c;
        struct span span = {.data = text, .length = 9};
        const char *bad = authority_bad_byte(span);
        cr_expect(bad == NULL || (bad == text + 3 && !authority_valid(span)), "byte 0x%02x", (unsigned)c);
        cr_expect((bad == NULL) == (authority_valid(span) || (c != 0 && strchr(":[]%", c) != NULL)),
                  "byte 0x%02x", (unsigned)c);
    }
}

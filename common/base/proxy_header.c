/* SPDX-License-Identifier: MIT */
/* The two versions begin with different bytes. Malformed bytes are refused as soon as they are seen. */
#include "common/base/proxy_header.h"

#include <arpa/inet.h>

#include "common/base/number.h"

#define LINE_BEGIN SPAN_LITERAL("PROXY ")
#define SIGNATURE  SPAN_LITERAL("\r\n\r\n\0\r\nQUIT\n")

enum {
    /* Offsets in version 2. */
    VERSION_AT = 12,
    FAMILY_AT = 13,
    LENGTH_AT = 14,
    ADDRESSES_AT = 16,
    /* Values there. */
    VERSION = 2,
    COMMAND_LOCAL = 0,
    COMMAND_PROXY = 1,
    TCP_IPV4 = 0x11,
    TCP_IPV6 = 0x21,
    /* Two addresses and two ports. */
    IPV4_LENGTH = 12,
    IPV6_LENGTH = 36,
};

/* Whether the data begins with the text, as far as it has come. */
static bool begins(struct span data, struct span text)
{
    return memcmp(data.data, text.data, data.length < text.length ? data.length : text.length) == 0;
}

/* ---- version 1 ---- */

/* Takes the next word and the space behind it off the line. Words are separated by exactly one space. */
static struct span next_word(struct span *line)
{
    const char *end = line->data + line->length;
    const char *space = memchr(line->data, ' ', line->length);
    struct span word = span_between(line->data, space == NULL ? end : space);
    *line = span_between(space == NULL ? end : space + 1, end);
    return word;
}

static bool read_address(struct span word, int family, uint8_t address[16])
{
    char text[INET6_ADDRSTRLEN];
    if (word.length >= sizeof text) {
        return false;
    }
    memcpy(text, word.data, word.length);
    text[word.length] = '\0';
    return strlen(text) == word.length && inet_pton(family, text, address) == 1;
}

static bool read_port(struct span word, uint16_t *port)
{
    uint64_t number;
    bool zeros = word.length > 1 && word.data[0] == '0'; /* the protocol does not permit them */
    if (zeros || number_parse_u64(word.data, word.length, UINT16_MAX, &number) != 0) {
        return false;
    }
    *port = (uint16_t)number;
    return true;
}

/* `line` is what follows the family. */
static bool read_addresses(struct span line, int family, struct peer *peer)
{
    uint8_t source[16] = {0}, destination[16];
    uint16_t source_port, destination_port;
    bool good = read_address(next_word(&line), family, source) &&
                read_address(next_word(&line), family, destination) &&
                read_port(next_word(&line), &source_port) && line.length > 0 &&
                read_port(line, &destination_port);
    if (good) {
        memcpy(peer->address, source, sizeof peer->address);
        peer->port = source_port;
        peer->family = (uint8_t)family;
    }
    return good;
}

static bool read_line(struct span line, struct peer *peer)
{
    struct span family = next_word(&line);
    if (span_equal(family, SPAN_LITERAL("TCP4"))) {
        return read_addresses(line, AF_INET, peer);
    }
    if (span_equal(family, SPAN_LITERAL("TCP6"))) {
        return read_addresses(line, AF_INET6, peer);
    }
    return span_equal(family, SPAN_LITERAL("UNKNOWN")); /* whatever follows */
}

static enum proxy_header read_version_1(struct span data, struct peer *peer, size_t *length)
{
    size_t most = data.length < PROXY_HEADER_LINE_MAX ? data.length : PROXY_HEADER_LINE_MAX;
    const char *newline = memchr(data.data, '\n', most);
    if (!begins(data, LINE_BEGIN)) {
        return PROXY_HEADER_BAD;
    }
    if (newline == NULL) {
        return most < PROXY_HEADER_LINE_MAX ? PROXY_HEADER_MORE : PROXY_HEADER_BAD;
    }
    *length = (size_t)(newline + 1 - data.data);
    bool good =
        newline[-1] == '\r' && read_line(span_between(data.data + LINE_BEGIN.length, newline - 1), peer);
    return good ? PROXY_HEADER_DONE : PROXY_HEADER_BAD;
}

/* ---- version 2 ---- */

static unsigned byte_at(struct span data, size_t offset)
{
    return (unsigned char)data.data[offset];
}

/* Whether the bytes up to the length are allowed, as far as they have come. */
static bool version_2_valid(struct span data)
{
    return begins(data, SIGNATURE) &&
           (data.length <= VERSION_AT || byte_at(data, VERSION_AT) == (VERSION << 4 | COMMAND_LOCAL) ||
            byte_at(data, VERSION_AT) == (VERSION << 4 | COMMAND_PROXY));
}

/* Addresses are in network byte order: the source, the destination, their ports. */
static void take_source(struct span data, int family, size_t address_length, struct peer *peer)
{
    const char *addresses = data.data + ADDRESSES_AT;
    size_t port_at = ADDRESSES_AT + 2 * address_length;
    memset(peer->address, 0, sizeof peer->address);
    memcpy(peer->address, addresses, address_length);
    peer->port = (uint16_t)(byte_at(data, port_at) << 8 | byte_at(data, port_at + 1));
    peer->family = (uint8_t)family;
}

static enum proxy_header read_version_2(struct span data, struct peer *peer, size_t *length)
{
    if (!version_2_valid(data)) {
        return PROXY_HEADER_BAD;
    }
    if (data.length < ADDRESSES_AT) {
        return PROXY_HEADER_MORE;
    }
    size_t rest = byte_at(data, LENGTH_AT) << 8 | byte_at(data, LENGTH_AT + 1);
    unsigned family = (byte_at(data, VERSION_AT) & 15) == COMMAND_PROXY ? byte_at(data, FAMILY_AT) : 0;
    size_t least = family == TCP_IPV4 ? IPV4_LENGTH : family == TCP_IPV6 ? IPV6_LENGTH : 0;
    *length = ADDRESSES_AT + rest;
    if (rest < least || *length > PROXY_HEADER_MAX) {
        return PROXY_HEADER_BAD;
    }
    if (data.length < *length) {
        return PROXY_HEADER_MORE;
    }
    if (family == TCP_IPV4) {
        take_source(data, AF_INET, 4, peer);
    } else if (family == TCP_IPV6) {
        take_source(data, AF_INET6, 16, peer);
    }
    return PROXY_HEADER_DONE;
}

enum proxy_header proxy_header_read(struct span data, struct peer *peer, size_t *length)
{
    if (data.length == 0) {
        return PROXY_HEADER_MORE;
    }
    return data.data[0] == '\r' ? read_version_2(data, peer, length) : read_version_1(data, peer, length);
}

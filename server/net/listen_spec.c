/* SPDX-License-Identifier: MIT */
/* Parses the value of a --listen flag. */
#include "server/net/listen_spec.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "common/base/number.h"

#define UNIX_PREFIX "unix:"

static int refuse(const char **why, const char *reason)
{
    *why = reason;
    return -EINVAL;
}

/* Copies a text that contains no control bytes, with a NUL; false if it contains some or does not fit. */
static bool copy_printable(char *out, size_t size, const char *text, size_t length)
{
    if (length >= size) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte < 0x20 || byte == 0x7f) {
            return false;
        }
    }
    memcpy(out, text, length);
    out[length] = '\0';
    return true;
}

static int parse_path(struct listen_spec *spec, const char *path, size_t length, const char **why)
{
    spec->kind = LISTEN_UNIX;
    if (length == 0) {
        return refuse(why, "the path is missing");
    }
    if (length >= sizeof(spec->path)) {
        return refuse(why, "the path is longer than 107 bytes");
    }
    if (!copy_printable(spec->path, sizeof(spec->path), path, length)) {
        return refuse(why, "the path contains a control character");
    }
    return 0;
}

/* Reads the text between the brackets: an address, optionally with %zone. */
static int parse_ipv6(struct listen_spec *spec, const char *text, size_t length, const char **why)
{
    spec->kind = LISTEN_IPV6;
    const char *percent = memchr(text, '%', length);
    size_t address_length = percent != NULL ? (size_t)(percent - text) : length;
    char address[INET6_ADDRSTRLEN];
    if (!copy_printable(address, sizeof(address), text, address_length) ||
        inet_pton(AF_INET6, address, &spec->ipv6) != 1) {
        return refuse(why, "the text in brackets is not an IPv6 address");
    }
    if (percent == NULL) {
        return 0;
    }
    size_t zone_length = length - address_length - 1;
    if (zone_length == 0 || !copy_printable(spec->zone, sizeof(spec->zone), percent + 1, zone_length)) {
        return refuse(why, "the text after % is not the name of an interface");
    }
    return 0;
}

static int parse_host(struct listen_spec *spec, const char *text, size_t length, const char **why)
{
    char address[INET_ADDRSTRLEN];
    if (length == 0) {
        return refuse(why, "the address is missing (* is all addresses)");
    }
    if (length == 1 && text[0] == '*') {
        spec->kind = LISTEN_ANY;
        return 0;
    }
    if (length == strlen("localhost") && strncasecmp(text, "localhost", length) == 0) {
        spec->kind = LISTEN_LOCALHOST;
        return 0;
    }
    if (memchr(text, ':', length) != NULL) {
        return refuse(why, "an IPv6 address needs brackets");
    }
    spec->kind = LISTEN_IPV4;
    if (!copy_printable(address, sizeof(address), text, length) ||
        inet_pton(AF_INET, address, &spec->ipv4) != 1) {
        return refuse(why, "the address is neither numeric nor localhost nor *");
    }
    return 0;
}

static int parse_port(struct listen_spec *spec, const char *text, size_t length, const char **why)
{
    uint64_t port;
    if (number_parse_u64(text, length, UINT16_MAX, &port) != 0) {
        return refuse(why, "the port is not a number from 0 to 65535");
    }
    spec->port = htons((uint16_t)port);
    return 0;
}

int listen_spec_parse(struct listen_spec *spec, const char *text, size_t length, const char **why)
{
    *spec = (struct listen_spec){.port = 0};
    if (length == 0) {
        return refuse(why, "it is empty");
    }
    if (length >= strlen(UNIX_PREFIX) && memcmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0) {
        return parse_path(spec, text + strlen(UNIX_PREFIX), length - strlen(UNIX_PREFIX), why);
    }
    bool bracketed = text[0] == '[';
    const char *bracket = bracketed ? memchr(text, ']', length) : NULL;
    if (bracketed && bracket == NULL) {
        return refuse(why, "the closing bracket is missing");
    }
    const char *end = text + length;
    const char *colon = bracketed ? bracket + 1 : memrchr(text, ':', length);
    if (colon == NULL || colon == end || *colon != ':') {
        return refuse(why, "the port is missing");
    }
    int error = bracketed ? parse_ipv6(spec, text + 1, (size_t)(bracket - text - 1), why)
                          : parse_host(spec, text, (size_t)(colon - text), why);
    return error != 0 ? error : parse_port(spec, colon + 1, (size_t)(end - colon - 1), why);
}

/* SPDX-License-Identifier: MIT */
/* Walking over fields, and the peer's address as text. */
#include "common/http/request.h"

#include <arpa/inet.h>
#include <stdio.h>

bool field_next(struct span *lines, struct field *field)
{
    if (lines->length == 0) {
        return false;
    }
    const char *end = lines->data + lines->length;
    const char *newline = memchr(lines->data, '\n', lines->length);
    const char *colon = memchr(lines->data, ':', (size_t)(newline - lines->data));
    field->name = span_between(lines->data, colon);
    field->value = span_trim(span_between(colon + 1, newline - 1));
    *lines = span_between(newline + 1, end);
    return true;
}

size_t peer_format(const struct peer *peer, bool with_port, char out[PEER_TEXT_SIZE])
{
    char address[INET6_ADDRSTRLEN] = "";
    int length = 0;
    switch (peer->family) {
    case AF_INET:
        inet_ntop(AF_INET, peer->address, address, sizeof address);
        length = with_port ? snprintf(out, PEER_TEXT_SIZE, "%s:%u", address, peer->port)
                           : snprintf(out, PEER_TEXT_SIZE, "%s", address);
        break;
    case AF_INET6:
        inet_ntop(AF_INET6, peer->address, address, sizeof address);
        length = with_port ? snprintf(out, PEER_TEXT_SIZE, "[%s]:%u", address, peer->port)
                           : snprintf(out, PEER_TEXT_SIZE, "%s", address);
        break;
    default: length = snprintf(out, PEER_TEXT_SIZE, "unix:"); break;
    }
    return (size_t)length;
}

/* SPDX-License-Identifier: MIT */
/* Headers of the PROXY protocol: the same result whole and byte by byte. What is read can be written again. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/base/proxy_header.h"
#include "tests/fuzz/fuzz.h"

static const struct peer unknown = {.family = AF_UNIX, .listener = 9, .proxied = 1};

static enum proxy_header read_copy(const uint8_t *data, size_t size, struct peer *peer, size_t *length)
{
    char *text = fuzz_copy(data, size);
    *peer = unknown;
    *length = 0;
    enum proxy_header result = proxy_header_read((struct span){.data = text, .length = size}, peer, length);
    free(text);
    return result;
}

static bool same_peer(const struct peer *a, const struct peer *b)
{
    return memcmp(a->address, b->address, sizeof a->address) == 0 && a->port == b->port &&
           a->family == b->family && a->listener == b->listener && a->proxied == b->proxied;
}

/* A header of version 1 that tells this peer reads as the same. */
static void check_written(const struct peer *peer)
{
    char address[PEER_TEXT_SIZE], line[PROXY_HEADER_LINE_MAX + 1];
    peer_format(peer, false, address);
    int size = snprintf(line, sizeof line, "PROXY TCP%c %s %s %u 1\r\n", peer->family == AF_INET ? '4' : '6',
                        address, address, peer->port);
    FUZZ_CHECK(size > 0 && size < (int)sizeof line);
    struct peer again;
    size_t length;
    FUZZ_CHECK(read_copy((const uint8_t *)line, (size_t)size, &again, &length) == PROXY_HEADER_DONE);
    FUZZ_CHECK(length == (size_t)size && same_peer(peer, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct peer peer;
    size_t length;
    enum proxy_header whole = read_copy(data, size, &peer, &length);
    FUZZ_CHECK(whole != PROXY_HEADER_DONE || (length > 0 && length <= size && length <= PROXY_HEADER_MAX));
    FUZZ_CHECK(whole == PROXY_HEADER_DONE || same_peer(&peer, &unknown));
    FUZZ_CHECK(whole != PROXY_HEADER_MORE || size < PROXY_HEADER_MAX);
    FUZZ_CHECK(peer.listener == unknown.listener && peer.proxied == unknown.proxied);

    enum proxy_header piece = PROXY_HEADER_MORE;
    struct peer other;
    size_t other_length = 0;
    for (size_t i = 1; i <= size && piece == PROXY_HEADER_MORE; i++) {
        piece = read_copy(data, i, &other, &other_length);
    }
    FUZZ_CHECK(piece == whole &&
               (whole != PROXY_HEADER_DONE || (other_length == length && same_peer(&other, &peer))));
    if (whole == PROXY_HEADER_DONE && peer.family != AF_UNIX) {
        check_written(&peer);
    }
    return 0;
}

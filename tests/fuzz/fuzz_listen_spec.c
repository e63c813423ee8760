/* SPDX-License-Identifier: MIT */
/* What --listen and --check are given: an address that was read is written as one that is read alike. */
#include <stdlib.h>

#include "server/net/listen_spec.h"
#include "server/net/socket_address.h"
#include "server/net/url.h"
#include "tests/fuzz/fuzz.h"

static void check_spec(const struct listen_spec *spec)
{
    struct socket_address address;
    char text[SOCKET_ADDRESS_TEXT_SIZE];
    struct listen_spec again;
    const char *why = NULL;
    switch (spec->kind) {
    case LISTEN_ANY:
    case LISTEN_LOCALHOST: return;
    case LISTEN_UNIX: FUZZ_CHECK(strlen(spec->path) > 0 && strlen(spec->path) < sizeof spec->path); return;
    case LISTEN_IPV4: address = socket_address_ipv4(spec->ipv4, spec->port); break;
    case LISTEN_IPV6: address = socket_address_ipv6(spec->ipv6, spec->port, 0); break;
    }
    FUZZ_CHECK(socket_address_format(&address, text));
    FUZZ_CHECK(listen_spec_parse(&again, text, strlen(text), &why) == 0, ": %s: %s", text, why);
    FUZZ_CHECK(again.kind == spec->kind && again.port == spec->port);
    FUZZ_CHECK(memcmp(&again.ipv4, &spec->ipv4, sizeof again.ipv4) == 0 &&
               memcmp(&again.ipv6, &spec->ipv6, sizeof again.ipv6) == 0);
}

static void fuzz_url(const char *text, size_t size)
{
    struct url url;
    const char *why = NULL;
    struct span whole = {.data = text, .length = size};
    if (url_parse(&url, text, size, &why) != 0) {
        FUZZ_CHECK(why != NULL);
        return;
    }
    FUZZ_CHECK(url.where.kind != LISTEN_ANY && (url.where.kind == LISTEN_UNIX || url.where.port != 0));
    FUZZ_CHECK(url.where.kind == LISTEN_UNIX ? span_equal(url.host, SPAN_LITERAL("localhost"))
                                             : fuzz_within(url.host, whole));
    FUZZ_CHECK(url.target.length == 0 || strchr("/?", url.target.data[0]) != NULL);
    for (size_t i = 0; i < url.target.length; i++) {
        unsigned char c = (unsigned char)url.target.data[i];
        FUZZ_CHECK(c > ' ' && c != 0x7f, ": a byte that would end the request's target");
    }
    check_spec(&url.where);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_copy(data, size);
    struct listen_spec spec;
    const char *why = NULL;
    if (listen_spec_parse(&spec, text, size, &why) == 0) {
        check_spec(&spec);
    } else {
        FUZZ_CHECK(why != NULL && *why != '\0');
    }
    fuzz_url(text, size);
    free(text);
    return 0;
}

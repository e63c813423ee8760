/* SPDX-License-Identifier: MIT */
/* Parses a URL from left to right: scheme, authority or socket, path. */
#include "server/net/url.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define UNIX_PREFIX "unix:"

static int refuse(const char **why, const char *reason)
{
    *why = reason;
    return -EINVAL;
}

/* Only visible ASCII characters are allowed: the text becomes part of a request line and of messages. */
static bool is_visible(struct span text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] <= ' ' || text.data[i] > '~') {
            return false;
        }
    }
    return true;
}

static bool begins_with(struct span text, struct span prefix)
{
    return text.length >= prefix.length && strncasecmp(text.data, prefix.data, prefix.length) == 0;
}

static struct span skip(struct span text, size_t length)
{
    return (struct span){.data = text.data + length, .length = text.length - length};
}

/* Returns the offset of the first of the characters in the text; the length of the text if it has none. */
static size_t find_any(struct span text, const char *characters)
{
    size_t i = 0;
    while (i < text.length && strchr(characters, text.data[i]) == NULL) {
        i++;
    }
    return i;
}

/* Whether a colon follows the host. */
static bool has_port(struct span authority)
{
    const char *bracket = memrchr(authority.data, ']', authority.length);
    const char *colon = memrchr(authority.data, ':', authority.length);
    return colon != NULL && (bracket == NULL || colon > bracket);
}

static int parse_authority(struct url *url, struct span authority, const char **why)
{
    char text[256];
    if (authority.length >= sizeof(text) - sizeof(":80")) {
        return refuse(why, "the address is too long");
    }
    int length = snprintf(text, sizeof(text), "%.*s%s", (int)authority.length, authority.data,
                          has_port(authority) ? "" : ":80");
    int error = listen_spec_parse(&url->where, text, (size_t)length, why);
    if (error != 0) {
        return error;
    }
    if (url->where.kind == LISTEN_ANY) {
        return refuse(why, "* is not an address to connect to");
    }
    if (url->where.port == 0) {
        return refuse(why, "the port must not be 0");
    }
    url->host = authority;
    return 0;
}

int url_parse(struct url *url, const char *text, size_t length, const char **why)
{
    struct span rest = {.data = text, .length = length};
    *url = (struct url){.host = SPAN_LITERAL(URL_UNIX_HOST)};
    if (length > URL_MAX || !is_visible(rest)) {
        return refuse(why, length > URL_MAX ? "it is too long"
                                            : "it contains a character that is not allowed in a URL");
    }
    if (!begins_with(rest, SPAN_LITERAL(URL_SCHEME))) {
        return refuse(why, "it does not begin with http://");
    }
    rest = skip(rest, strlen(URL_SCHEME));
    int error;
    if (begins_with(rest, SPAN_LITERAL(UNIX_PREFIX))) {
        size_t end = strlen(UNIX_PREFIX) + find_any(skip(rest, strlen(UNIX_PREFIX)), ":");
        error = listen_spec_parse(&url->where, rest.data, end, why);
        rest = skip(rest, end < rest.length ? end + 1 : end);
    } else {
        size_t end = find_any(rest, "/?#");
        error = parse_authority(url, (struct span){.data = rest.data, .length = end}, why);
        rest = skip(rest, end);
    }
    rest.length = find_any(rest, "#");
    if (error == 0 && rest.length > 0 && rest.data[0] != '/' && rest.data[0] != '?') {
        return refuse(why, "its path does not begin with /");
    }
    url->target = rest;
    return error;
}

struct span url_host_zone(const struct url *url)
{
    size_t begin = find_any(url->host, "%");
    struct span zone = skip(url->host, begin);
    zone.length = find_any(zone, "]");
    return zone;
}

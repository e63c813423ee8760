/* SPDX-License-Identifier: MIT */
/* Written once, to memory that grows as it is written. */
#include "loadtest/swarm/http/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes that differ from their neighbours, so that an answer that lost or doubled some is seen. */
static void write_filler(FILE *out, uint64_t size)
{
    for (uint64_t i = 0; i < size; i++) {
        putc("abcdefghijklmnopqrstuvwxyz0123456789-"[i % 37], out);
    }
}

static bool names_host(const struct options_class *of)
{
    for (unsigned i = 0; i < of->headers.count; i++) {
        if (strncasecmp(of->headers.items[i], "host:", strlen("host:")) == 0) {
            return true;
        }
    }
    return false;
}

static void write_head(FILE *out, const struct options *options, const struct options_class *of,
                       uint64_t body_length)
{
    fprintf(out, "%s %s HTTP/1.1\r\n", of->method, of->path);
    if (!names_host(of)) {
        fprintf(out, "Host: %.*s\r\n", (int)options->host_length, options->host);
    }
    for (unsigned i = 0; i < of->headers.count; i++) {
        fprintf(out, "%s\r\n", of->headers.items[i]);
    }
    if (of->close) {
        fputs("Connection: close\r\n", out);
    }
    if (body_length > 0 || of->data != NULL) {
        fprintf(out, "Content-Length: %llu\r\n", (unsigned long long)body_length);
    }
    fputs("\r\n", out);
}

static void expect(struct request *request, const struct options_class *of)
{
    struct response_expectation *expectation = &request->expectation;
    if (of->expect_echo) {
        *expectation = (struct response_expectation){request->body.data, request->body.length, true};
    } else if (of->expect_body != NULL) {
        *expectation = (struct response_expectation){of->expect_body, strlen(of->expect_body), true};
    } else if (of->expect_length != OPTIONS_ANY_LENGTH) {
        *expectation = (struct response_expectation){NULL, of->expect_length, true};
    }
}

bool request_build(struct request *request, const struct options *options, const struct options_class *of)
{
    uint64_t body_length = of->data != NULL ? strlen(of->data) : of->body_size;
    *request = (struct request){.to_head = strcmp(of->method, "HEAD") == 0};
    FILE *out = open_memstream(&request->bytes, &request->length);
    if (out == NULL) {
        return false;
    }
    if (of->path != NULL) {
        write_head(out, options, of, body_length);
    }
    if (of->data != NULL) {
        fputs(of->data, out);
    } else {
        write_filler(out, of->body_size);
    }
    bool failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed) {
        request_free(request);
        return false;
    }
    request->body =
        span_between(request->bytes + request->length - body_length, request->bytes + request->length);
    expect(request, of);
    return true;
}

void request_free(struct request *request)
{
    free(request->bytes);
    request->bytes = NULL;
}

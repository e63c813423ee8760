/* SPDX-License-Identifier: MIT */
/* The bytes of a class's request, the same for each of its connections. */
#ifndef ECHOD_LOADTEST_SWARM_HTTP_REQUEST_H
#define ECHOD_LOADTEST_SWARM_HTTP_REQUEST_H

#include "loadtest/swarm/settings/options.h"
#include "loadtest/swarm/http/response.h"

struct request {
    char *bytes;
    size_t length;
    struct span body; /* the last of these bytes */
    bool to_head;     /* its answer has no body */
    struct response_expectation expectation;
};

/* Writes the request out. False if there is no memory. */
bool request_build(struct request *request, const struct options *options, const struct options_class *of);

void request_free(struct request *request);

#endif

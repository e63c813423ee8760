/* SPDX-License-Identifier: MIT */
/* /version: who is answering. */
#include "common/handlers/routes.h"
#include "common/base/json.h"

#define STRING_OF(x) #x
#define STRING(x)    STRING_OF(x)
#define LLHTTP_VERSION \
    STRING(LLHTTP_VERSION_MAJOR) "." STRING(LLHTTP_VERSION_MINOR) "." STRING(LLHTTP_VERSION_PATCH)

static void version_begin(const struct request *request, struct response *response)
{
    const struct service *service = request->service;
    struct json json = {.budget = response->budget};
    json_raw(&json, SPAN_LITERAL("{\"name\":\"echod\",\"version\":"));
    json_text(&json, service->version);
    json_raw(&json, SPAN_LITERAL(",\"mode\":"));
    json_text(&json, service->mode);
    json_raw(&json, SPAN_LITERAL(",\"libraries\":{\"libevent\":"));
    json_text(&json, service->libevent_version);
    json_raw(&json, SPAN_LITERAL(",\"llhttp\":"));
    json_text(&json, LLHTTP_VERSION);
    json_raw(&json, SPAN_LITERAL("}}\n"));
    response->content_type = SPAN_LITERAL("application/json");
    response->content = json.text;
    response->failed = json.failed;
}

const struct handler version_handler = {.begin = version_begin};

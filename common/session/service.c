/* SPDX-License-Identifier: MIT */
/* The field lines that every answer has, composed once. */
#include "common/session/service.h"

#include "common/http/cors.h"

#define NAME_FIELD "X-Echo-Name: "

static struct span put_fields(char *memory, struct span fields, const char *name)
{
    char *at = span_copy(memory, fields);
    if (name != NULL) {
        at = PUT_LITERAL(at, NAME_FIELD);
        at = span_copy(at, (struct span){.data = name, .length = strlen(name)});
        at = PUT_LITERAL(at, "\r\n");
    }
    return span_between(memory, at);
}

void service_set_fields(struct service *service, char memory[SERVICE_FIELDS_SIZE])
{
    struct span none = SPAN_LITERAL("");
    service->fields = put_fields(memory, service->cors ? cors_fields() : none, service->name);
    service->preflight_fields = put_fields(memory + service->fields.length,
                                           service->cors ? cors_preflight_fields() : none, service->name);
}

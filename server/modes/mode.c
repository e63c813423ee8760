/* SPDX-License-Identifier: MIT */
/* The table of modes. */
#include "server/modes/mode.h"

#include <string.h>

#define MODE_ROW(name) &mode_##name,
static const struct mode *const modes[] = {MODES(MODE_ROW)};

enum { MODE_COUNT = sizeof(modes) / sizeof(modes[0]) };

const struct mode *mode_find(const char *name)
{
    for (int i = 0; i < MODE_COUNT; i++) {
        if (strcmp(modes[i]->name, name) == 0) {
            return modes[i];
        }
    }
    return NULL;
}

unsigned mode_descriptors(const struct server *server)
{
    return server->mode->descriptors + server->loops * server->mode->loop_descriptors;
}

uint64_t mode_stack_size(const struct server *server)
{
    return server->options->stack_size != 0 ? server->options->stack_size : server->mode->stack_size;
}

size_t mode_counters(const struct server *server)
{
    return server->mode->counters != NULL ? server->mode->counters(server) : server->max_connections;
}

const struct mode_name *mode_names(void)
{
    static struct mode_name names[MODE_COUNT + 1];
    for (int i = 0; i < MODE_COUNT; i++) {
        names[i] = (struct mode_name){.name = modes[i]->name, .summary = modes[i]->summary};
    }
    return names;
}

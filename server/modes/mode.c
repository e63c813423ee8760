/* SPDX-License-Identifier: MIT */
/* The table of modes. */
#include "server/modes/mode.h"

#include <string.h>

#define MODE_ROW(name) &mode_##name,
static const struct mode *const modes[] = {MODES(MODE_ROW)};

enum { MODE_COUNT = sizeof(modes) / sizeof(modes[0]) };

#define MODE_MISSING(mode, library) \
    {.name = #mode, .missing = "not in this build (" #library " was not found when it was built)"},
static const struct mode_name missing[] = {MODES_MISSING(MODE_MISSING){.name = NULL}};

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
    static struct mode_name names[MODE_COUNT + sizeof(missing) / sizeof(missing[0])];
    for (int i = 0; i < MODE_COUNT; i++) {
        names[i] = (struct mode_name){.name = modes[i]->name, .summary = modes[i]->summary};
    }
    memcpy(names + MODE_COUNT, missing, sizeof(missing));
    return names;
}

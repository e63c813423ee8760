/* SPDX-License-Identifier: MIT */
/* Resources that the operating system counts for the server. */
#ifndef ECHOD_COMMON_BASE_USAGE_H
#define ECHOD_COMMON_BASE_USAGE_H

#include <stdint.h>

/* Of all of the server's processes together. A plain value. */
struct usage {
    uint64_t cpu_us;
    uint64_t voluntary_switches;
    uint64_t involuntary_switches;
    uint64_t resident_bytes;
    uint64_t threads;
    uint64_t descriptors;
};

#endif

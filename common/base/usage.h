/* SPDX-License-Identifier: MIT */
/* Resources that the operating system counts for the server. */
#ifndef ECHOD_COMMON_BASE_USAGE_H
#define ECHOD_COMMON_BASE_USAGE_H

#include <stdint.h>

/* The sums of all processes of the server. A plain value. */
struct usage {
    uint64_t cpu_us;               /* user and system time */
    uint64_t voluntary_switches;   /* context switches */
    uint64_t involuntary_switches; /* context switches */
    uint64_t resident_bytes;
    uint64_t threads;
    uint64_t descriptors; /* open */
};

#endif

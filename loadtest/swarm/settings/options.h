/* SPDX-License-Identifier: MIT */
/* The settings of a run and of each class of connections as one value; command_line.h reads them. */
#ifndef ECHOD_LOADTEST_SWARM_SETTINGS_OPTIONS_H
#define ECHOD_LOADTEST_SWARM_SETTINGS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/span.h"
#include "loadtest/swarm/settings/address.h"

enum {
    OPTIONS_CLASSES_MAX = 16,
    OPTIONS_HEADERS_MAX = 32,
    OPTIONS_STATUSES_MAX = 16,
    OPTIONS_TARGETS_MAX = 64,
    OPTIONS_SOURCES_MAX = 254,
    OPTIONS_CONNECTIONS_MAX = 1000000, /* of a class */
    OPTIONS_INTERVALS_MAX = 10000      /* of the series: each is a row in memory and in the result */
};

#define OPTIONS_ANY_LENGTH UINT64_MAX

/* Bytes moved at once, and how often. No bytes: all there are, at once. */
struct options_pace {
    uint64_t bytes;
    uint64_t every_ms;
};

/* Strings and spans point into argv. Numbers are 0 where the flag was not given, unless said otherwise. */
struct options_class {
    const char *name;
    const char *path;      /* NULL: none, which only a class that never asks may have */
    struct span authority; /* of its URL; empty if that was only a path */
    unsigned connections;
    uint64_t rate;     /* requests per second; 0: closed model */
    uint64_t requests; /* in all; 0: no end but the run's */
    uint64_t each;     /* of each connection; 0: likewise */
    bool hold;
    bool greet;
    bool close;
    const char *method; /* NULL: GET, or POST with a body */
    struct {
        unsigned count;
        const char *items[OPTIONS_HEADERS_MAX];
    } headers;
    uint64_t body_size;
    const char *data;
    struct {
        unsigned count;
        uint16_t items[OPTIONS_STATUSES_MAX];
    } statuses;
    const char *expect_body; /* NULL: any */
    uint64_t expect_length;  /* OPTIONS_ANY_LENGTH: any */
    bool expect_echo;
    uint64_t timeout_ms;
    uint64_t deadline_ms; /* from when a request is due; a right answer after it is late. 0: none is */
    struct options_pace trickle_send;
    struct options_pace trickle_read;
    uint64_t receive_buffer; /* 0: the kernel's choice */
};

struct options {
    struct {
        unsigned count;
        struct address items[OPTIONS_TARGETS_MAX];
    } targets;
    struct {
        unsigned count; /* 0: the kernel's choice */
        struct address items[OPTIONS_SOURCES_MAX];
    } sources;
    const char *host; /* the value of Host: the first target, or localhost */
    size_t host_length;
    uint64_t duration_ms; /* 0: until every request is settled */
    uint64_t warmup_ms;
    uint64_t grace_ms;
    uint64_t interval_ms; /* of the series; 0: none */
    bool gate;
    bool buckets;
    bool progress;
    unsigned class_count;
    struct options_class classes[OPTIONS_CLASSES_MAX];
};

#endif

/* SPDX-License-Identifier: MIT */
/* The table of flags, and how each kind of value is read and described. */
#include "loadtest/swarm/settings/flag.h"

#include <stdio.h>
#include <string.h>

#include "common/base/number.h"
#include "loadtest/swarm/timing/schedule.h"

#define KIB           (UINT64_C(1) << 10)
#define MIB           (UINT64_C(1) << 20)
#define GIB           (UINT64_C(1) << 30)
#define ONE_DAY       (UINT64_C(24) * 60 * 60 * 1000)
#define MANY          UINT64_C(1000000000000)

#define RUN(member)   FLAG_OF_RUN, offsetof(struct options, member)
#define CLASS(member) FLAG_OF_CLASS, offsetof(struct options_class, member)

/* A row: name, metavariable, kind, scope and member, bounds, meaning. */
#define FLAG(...) FLAG_ROW(__VA_ARGS__)
#define FLAG_ROW(name, metavariable, kind, scope, member, minimum, maximum, meaning) \
    {                                                                                \
        name, metavariable, scope, kind, member, minimum, maximum, meaning           \
    }

const struct flag FLAGS[FLAG_TOTAL] = {
    FLAG("target", "ADDRESS", FLAG_TARGET, RUN(targets), 0, 0, "ADDRESS:PORT or unix:PATH; repeatable"),
    FLAG("sources", "LIST", FLAG_SOURCES, RUN(sources), 0, 0, "N of 127.0.0.x, or addresses with commas"),
    FLAG("duration", "TIME", FLAG_DURATION, RUN(duration_ms), 1, ONE_DAY, "length of the timed window [10s]"),
    FLAG("warmup", "TIME", FLAG_DURATION, RUN(warmup_ms), 0, ONE_DAY, "load before it, in no figure [0]"),
    FLAG("grace", "TIME", FLAG_DURATION, RUN(grace_ms), 0, ONE_DAY,
         "after it, for what is still unanswered [10s]"),
    FLAG("interval", "TIME", FLAG_DURATION, RUN(interval_ms), 1, ONE_DAY, "a series: a value for each TIME"),
    FLAG("gate", NULL, FLAG_SWITCH, RUN(gate), 0, 0, "say when all is open, wait for a line on stdin"),
    FLAG("buckets", NULL, FLAG_SWITCH, RUN(buckets), 0, 0, "the histogram's buckets in the result"),
    FLAG("progress", NULL, FLAG_SWITCH, RUN(progress), 0, 0, "a progress line, also not on a terminal"),
    FLAG("class", "NAME", FLAG_CLASS, FLAG_OF_CLASS, 0, 0, 0, "the flags behind it are those of this class"),
    FLAG("connections", "N", FLAG_COUNT, CLASS(connections), 1, OPTIONS_CONNECTIONS_MAX, "how many [1]"),
    FLAG("rate", "R", FLAG_NUMBER, CLASS(rate), 1, SCHEDULE_RATE_MAX,
         "requests/s; without: each asks when answered"),
    FLAG("requests", "N", FLAG_NUMBER, CLASS(requests), 1, MANY, "the class ends after N requests"),
    FLAG("each", "N", FLAG_NUMBER, CLASS(each), 1, MANY, "each connection ends after N requests"),
    FLAG("hold", NULL, FLAG_SWITCH, CLASS(hold), 0, 0, "ask nothing, stay open"),
    FLAG("greet", NULL, FLAG_SWITCH, CLASS(greet), 0, 0, "once open, ask once; in no figure"),
    FLAG("close", NULL, FLAG_SWITCH, CLASS(close), 0, 0, "a new connection for each request"),
    FLAG("method", "M", FLAG_METHOD, CLASS(method), 0, 0, "[GET, with a body POST]"),
    FLAG("header", "LINE", FLAG_HEADER, CLASS(headers), 0, 0, "'NAME: VALUE'; repeatable"),
    FLAG("body", "SIZE", FLAG_SIZE, CLASS(body_size), 0, GIB, "a request body of so many bytes"),
    FLAG("data", "TEXT", FLAG_TEXT, CLASS(data), 0, 0, "this request body"),
    FLAG("expect-status", "LIST", FLAG_STATUSES, CLASS(statuses), 100, 999, "statuses that are right [200]"),
    FLAG("expect-body", "TEXT", FLAG_TEXT, CLASS(expect_body), 0, 0, "the answer's body"),
    FLAG("expect-length", "N", FLAG_NUMBER, CLASS(expect_length), 0, MANY, "the length of the answer's body"),
    FLAG("expect-echo", NULL, FLAG_SWITCH, CLASS(expect_echo), 0, 0, "the answer's body is the request's"),
    FLAG("timeout", "TIME", FLAG_DURATION, CLASS(timeout_ms), 1, ONE_DAY,
         "of connecting, of each request [10s]"),
    FLAG("deadline", "TIME", FLAG_DURATION, CLASS(deadline_ms), 1, ONE_DAY,
         "from when it is due; later answers are late"),
    FLAG("trickle-send", "BYTES:TIME", FLAG_PACE, CLASS(trickle_send), 1, ONE_DAY,
         "send so little, so often"),
    FLAG("trickle-read", "BYTES:TIME", FLAG_PACE, CLASS(trickle_read), 1, ONE_DAY,
         "read so little, so often"),
    FLAG("receive-buffer", "SIZE", FLAG_SIZE, CLASS(receive_buffer), 1, GIB, "SO_RCVBUF [trickle-read: 4k]"),
};

const struct flag *flag_find(const char *name, size_t length)
{
    for (size_t i = 0; i < FLAG_TOTAL; i++) {
        if (length == strlen(FLAGS[i].name) && memcmp(name, FLAGS[i].name, length) == 0) {
            return &FLAGS[i];
        }
    }
    return NULL;
}

/* Each of these reads one kind of value to its member; false if it is not allowed. */

static bool set_number(void *member, const struct flag *flag, const char *value)
{
    uint64_t number;
    size_t length = strlen(value);
    int error = flag->kind == FLAG_SIZE ? number_parse_size(value, length, flag->maximum, &number)
                : flag->kind == FLAG_DURATION
                    ? number_parse_duration_ms(value, length, flag->maximum, &number)
                    : number_parse_u64(value, length, flag->maximum, &number);
    if (error != 0 || number < flag->minimum) {
        return false;
    }
    if (flag->kind == FLAG_COUNT) {
        *(unsigned *)member = (unsigned)number;
    } else {
        *(uint64_t *)member = number;
    }
    return true;
}

/* Whether the text has no byte that could end the line (a control byte) or, without `spaces`, the word (a space). */
static bool is_clean(const char *text, bool spaces)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f || (!spaces && *text == ' ')) {
            return false;
        }
    }
    return true;
}

static bool add_header(struct options_class *class_options, const char *value)
{
    const char *colon = strchr(value, ':');
    if (colon == NULL || colon == value || !is_clean(value, true) ||
        class_options->headers.count == OPTIONS_HEADERS_MAX) {
        return false;
    }
    class_options->headers.items[class_options->headers.count++] = value;
    return true;
}

static bool set_statuses(struct options_class *class_options, const struct flag *flag, const char *value)
{
    class_options->statuses.count = 0;
    for (;;) {
        size_t length = strcspn(value, ",");
        uint64_t status;
        if (class_options->statuses.count == OPTIONS_STATUSES_MAX ||
            number_parse_u64(value, length, flag->maximum, &status) != 0 || status < flag->minimum) {
            return false;
        }
        class_options->statuses.items[class_options->statuses.count++] = (uint16_t)status;
        if (value[length] == '\0') {
            return true;
        }
        value += length + 1;
    }
}

static bool set_pace(struct options_pace *pace, const struct flag *flag, const char *value)
{
    const char *colon = strchr(value, ':');
    uint64_t every_ms;
    uint64_t bytes;
    if (colon == NULL || number_parse_size(value, (size_t)(colon - value), MIB, &bytes) != 0 || bytes == 0 ||
        number_parse_duration_ms(colon + 1, strlen(colon + 1), flag->maximum, &every_ms) != 0 ||
        every_ms < flag->minimum) {
        return false;
    }
    *pace = (struct options_pace){.bytes = bytes, .every_ms = every_ms};
    return true;
}

static bool add_target(struct options *options, const char *value)
{
    if (options->targets.count == OPTIONS_TARGETS_MAX ||
        !address_parse_target(&options->targets.items[options->targets.count], value, strlen(value))) {
        return false;
    }
    if (options->targets.count++ == 0) {
        options->host = value;
        options->host_length = strlen(value);
    }
    return true;
}

static bool set_sources(struct options *options, const char *value)
{
    uint64_t number;
    options->sources.count = 0;
    if (number_parse_u64(value, strlen(value), OPTIONS_SOURCES_MAX, &number) == 0) {
        while (options->sources.count < number) {
            options->sources.items[options->sources.count] = address_loopback(options->sources.count + 1);
            options->sources.count++;
        }
        return number > 0;
    }
    for (;;) {
        size_t length = strcspn(value, ",");
        if (options->sources.count == OPTIONS_SOURCES_MAX ||
            !address_parse_host(&options->sources.items[options->sources.count], value, length)) {
            return false;
        }
        options->sources.count++;
        if (value[length] == '\0') {
            return true;
        }
        value += length + 1;
    }
}

bool flag_set(const struct flag *flag, void *to, const char *value)
{
    void *member = (char *)to + flag->member;
    switch (flag->kind) {
    case FLAG_COUNT:
    case FLAG_NUMBER:
    case FLAG_SIZE:
    case FLAG_DURATION: return set_number(member, flag, value);
    case FLAG_TEXT: *(const char **)member = value; return true;
    case FLAG_METHOD: *(const char **)member = value; return *value != '\0' && is_clean(value, false);
    case FLAG_HEADER: return add_header(to, value);
    case FLAG_STATUSES: return set_statuses(to, flag, value);
    case FLAG_PACE: return set_pace(member, flag, value);
    case FLAG_TARGET: return add_target(to, value);
    case FLAG_SOURCES: return set_sources(to, value);
    case FLAG_SWITCH: *(bool *)member = true; return true;
    case FLAG_CLASS: break;
    }
    return false;
}

void flag_allowed(const struct flag *flag, char *out, size_t size)
{
    switch (flag->kind) {
    case FLAG_COUNT:
    case FLAG_NUMBER:
        snprintf(out, size, "a whole number from %llu to %llu", (unsigned long long)flag->minimum,
                 (unsigned long long)flag->maximum);
        return;
    case FLAG_SIZE:
        snprintf(out, size, "a size from %llu to %llu bytes, with the units k, m, g",
                 (unsigned long long)flag->minimum, (unsigned long long)flag->maximum);
        return;
    case FLAG_DURATION:
        snprintf(out, size, "a time from %llums to %llum, with the units ms, s, m (none: seconds)",
                 (unsigned long long)flag->minimum, (unsigned long long)flag->maximum / 60000);
        return;
    case FLAG_TEXT: snprintf(out, size, "any text"); return;
    case FLAG_METHOD: snprintf(out, size, "a word"); return;
    case FLAG_HEADER: snprintf(out, size, "NAME: VALUE, %d of them at most", OPTIONS_HEADERS_MAX); return;
    case FLAG_STATUSES:
        snprintf(out, size, "statuses from 100 to 999 with commas, %d at most", OPTIONS_STATUSES_MAX);
        return;
    case FLAG_PACE: snprintf(out, size, "BYTES:TIME, 1 byte to 1m, from 1ms on, as in 1:100ms"); return;
    case FLAG_TARGET:
        snprintf(out, size, ADDRESS_TARGET_FORMS ", %d of them at most", OPTIONS_TARGETS_MAX);
        return;
    case FLAG_SOURCES:
        snprintf(out, size, "a number from 1 to %d, or numeric addresses with commas", OPTIONS_SOURCES_MAX);
        return;
    case FLAG_CLASS:
        snprintf(out, size, "a new name of letters, digits, - and _, %d classes at most",
                 OPTIONS_CLASSES_MAX);
        return;
    case FLAG_SWITCH: snprintf(out, size, "no value"); return;
    }
}

/* SPDX-License-Identifier: MIT */
/* Reads lists of values with shares. The draw mixes its arguments by the finalizer of splitmix64. */
#include "common/http/fault.h"

#include <errno.h>
#include <stdio.h>

#include "common/base/number.h"
#include "common/base/scoreboard.h"
#include "common/http/status.h"

const char *const fault_names[FAULT_NAMES] = {"status", "delay", "close", "before",
                                              "reset",  "body",  "stall", "garbage"};
_Static_assert((int)FAULT_NAMES == (int)COUNTERS_FAULTS, "the scoreboard has a counter for each");

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

uint32_t fault_draw(uint64_t seed, uint64_t connection, uint32_t request, enum fault_kind kind)
{
    const uint64_t step = 0x9e3779b97f4a7c15;
    uint64_t x = mix(mix(seed + step) + connection * step);
    x = mix(x + ((uint64_t)request * FAULT_KINDS + kind) * step);
    return (uint32_t)((x >> 32) * FAULT_WHOLE >> 32);
}

/* Takes the part before the first `separator` off `*rest`, whose data is then NULL if there was no separator. */
static struct span take(struct span *rest, char separator)
{
    const char *end = rest->data + rest->length;
    const char *at = memchr(rest->data, separator, rest->length);
    struct span part = span_between(rest->data, at == NULL ? end : at);
    *rest = at == NULL ? (struct span){.data = NULL} : span_between(at + 1, end);
    return part;
}

static bool read_number(struct span text, uint64_t max, uint64_t *value)
{
    return number_parse_u64(text.data, text.length, max, value) == 0;
}

/* In hundredths of a per cent. */
static bool read_share(struct span text, uint64_t *share)
{
    uint64_t decimals = 0;
    struct span whole = take(&text, '.');
    if (!read_number(whole, 100, share)) {
        return false;
    }
    if (text.data != NULL && (text.length > 2 || !read_number(text, 99, &decimals))) {
        return false;
    }
    *share = *share * 100 + (text.length == 1 ? decimals * 10 : decimals);
    return true;
}

static bool read_abort(struct span name, struct span *rest, struct fault *fault)
{
    for (int i = ABORT_NOT + 1; i < ABORT_KINDS; i++) {
        const char *known = fault_names[FAULT_ABORT + i - 1];
        if (span_equal(name, (struct span){.data = known, .length = strlen(known)})) {
            fault->abort = (enum abort)i;
            return i != ABORT_BODY ||
                   (rest->data != NULL && read_number(take(rest, ':'), UINT64_MAX, &fault->value));
        }
    }
    return false;
}

static bool read_close(struct span value, struct fault *fault)
{
    fault->value = span_equal(value, SPAN_LITERAL("true"));
    return fault->value != 0 || span_equal(value, SPAN_LITERAL("false"));
}

/* Takes the value off an item of a list; what is left is the share. */
static bool read_value(enum fault_kind kind, struct span *item, uint64_t max_delay_ms, struct fault *fault)
{
    struct span value = take(item, ':');
    switch (kind) {
    case FAULT_STATUS: return read_number(value, STATUS_MAX, &fault->value) && fault->value >= STATUS_MIN;
    case FAULT_DELAY:
        return number_parse_duration_ms(value.data, value.length, max_delay_ms, &fault->value) == 0;
    case FAULT_CLOSE: return read_close(value, fault);
    case FAULT_ABORT: return read_abort(value, item, fault);
    case FAULT_KINDS: break;
    }
    return false;
}

int fault_read(enum fault_kind kind, struct span list, uint64_t max_delay_ms, uint32_t draw,
               struct fault *fault)
{
    uint64_t sum = 0;
    *fault = (struct fault){.value = 0};
    do {
        struct fault each = {.value = 0};
        uint64_t share = FAULT_WHOLE;
        struct span item = take(&list, ',');
        if (!read_value(kind, &item, max_delay_ms, &each) ||
            (item.data != NULL && !read_share(item, &share))) {
            return -EINVAL;
        }
        if (draw >= sum && draw < sum + share) {
            *fault = each;
        }
        sum += share;
    } while (list.data != NULL && sum <= FAULT_WHOLE);
    return sum <= FAULT_WHOLE ? 0 : -EINVAL;
}

uint8_t fault_bit(enum fault_kind kind, const struct fault *fault)
{
    bool wrong = kind == FAULT_ABORT    ? fault->abort != ABORT_NOT
                 : kind == FAULT_STATUS ? fault->value > STATUS_OK
                                        : fault->value > 0;
    unsigned name = kind == FAULT_ABORT ? FAULT_ABORT + fault->abort - 1u : kind;
    return (uint8_t)((unsigned)wrong << name);
}

uint8_t fault_bits(enum fault_kind kind)
{
    return (uint8_t)((kind == FAULT_ABORT ? 0xffu : 1u) << kind);
}

void fault_allowed(enum fault_kind kind, uint64_t max_delay_ms, char *out, size_t size)
{
    char most[NUMBER_DURATION_SIZE];
    switch (kind) {
    case FAULT_STATUS:
        snprintf(out, size, "a number from %d to %d, or a list with shares as in 503:20,500:5", STATUS_MIN,
                 STATUS_MAX);
        break;
    case FAULT_DELAY:
        number_format_duration(most, max_delay_ms);
        snprintf(out, size, "a time of at most %s, or a list with shares as in 200ms:10", most);
        break;
    case FAULT_CLOSE: snprintf(out, size, "true or false, or a list with shares as in true:5"); break;
    case FAULT_ABORT:
        snprintf(out, size,
                 "before, reset, body:N, stall or garbage, or a list with shares as in body:9:5,reset:1");
        break;
    case FAULT_KINDS: break;
    }
}

/* SPDX-License-Identifier: MIT */
#include "server/settings/flag_value.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/base/number.h"
#include "common/http/asked_field.h"
#include "server/net/url.h"

static const char *const LOG_FORMATS[] = {[OPTIONS_LOG_TEXT] = "text", [OPTIONS_LOG_JSON] = "json"};

static bool text_is_in_any_case(const char *text, size_t length, const char *name)
{
    return length == strlen(name) && strncasecmp(text, name, length) == 0;
}

static bool text_is(const char *text, size_t length, const char *name)
{
    return length == strlen(name) && memcmp(text, name, length) == 0;
}

static uint64_t flag_minimum(const struct flag *flag)
{
    if (flag->member != offsetof(struct options, stack_size)) {
        return flag->minimum;
    }
    long system = sysconf(_SC_THREAD_STACK_MIN); /* more than 16k where the CPU has many registers */
    return system > (long)flag->minimum ? (uint64_t)system : flag->minimum;
}

/* Each of these reads one kind of value to its member; false if it is not allowed. */

static bool set_mode(const char **mode, const char *value, size_t length, const struct mode_name *modes,
                     const char **why)
{
    while (modes->name != NULL && !text_is(value, length, modes->name)) {
        modes++;
    }
    if (modes->missing != NULL) {
        *why = modes->missing;
        return false;
    }
    *mode = modes->name;
    return modes->name != NULL;
}

static bool set_number(void *member, const struct flag *flag, const char *value, size_t length)
{
    uint64_t number;
    int error = flag->kind == FLAG_COUNT  ? number_parse_u64(value, length, flag->maximum, &number)
                : flag->kind == FLAG_SIZE ? number_parse_size(value, length, flag->maximum, &number)
                                          : number_parse_duration_ms(value, length, flag->maximum, &number);
    if (error != 0 || number < flag_minimum(flag)) {
        return false;
    }
    if (flag->kind == FLAG_COUNT) {
        *(unsigned *)member = (unsigned)number;
    } else {
        *(uint64_t *)member = number;
    }
    return true;
}

static bool set_log_format(enum options_log_format *format, const char *value, size_t length)
{
    for (unsigned i = 0; i < sizeof(LOG_FORMATS) / sizeof(LOG_FORMATS[0]); i++) {
        if (text_is(value, length, LOG_FORMATS[i])) {
            *format = (enum options_log_format)i;
            return true;
        }
    }
    return false;
}

static bool set_switch(bool *state, const char *value, size_t length)
{
    static const char *const words[][2] = {{"false", "true"}, {"no", "yes"}, {"off", "on"}, {"0", "1"}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        for (int on = 0; on < 2; on++) {
            if (text_is_in_any_case(value, length, words[i][on])) {
                *state = on;
                return true;
            }
        }
    }
    return false;
}

static bool add_listen(struct options_listen *list, const char *value, size_t length, const char **why)
{
    if (list->count == LISTENERS_SPEC_MAX) {
        *why = "too many addresses";
        return false;
    }
    if (listen_spec_parse(&list->items[list->count], value, length, why) != 0) {
        return false;
    }
    list->count++;
    return true;
}

static bool set_url(const char **member, const char *value, size_t length, const char **why)
{
    struct url url;
    *member = value;
    return url_parse(&url, value, length, why) == 0;
}

static bool set_name(const char **member, const char *value, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (value[i] <= ' ' || value[i] > '~') {
            return false;
        }
    }
    *member = value;
    return length > 0 && length <= OPTIONS_NAME_MAX;
}

static bool add_text(struct options_list *list, const char *value, size_t length, const char **why)
{
    if (list->count == OPTIONS_LIST_MAX) {
        *why = "too many values";
        return false;
    }
    list->items[list->count++] = (struct span){.data = value, .length = length};
    return true;
}

static bool add_path(struct options_list *list, const char *value, size_t length, const char **why)
{
    return length > 0 && value[0] == '/' && memchr(value, '?', length) == NULL &&
           add_text(list, value, length, why);
}

static bool add_field(struct options_list *list, const char *value, size_t length, const char **why)
{
    struct field field;
    const char *refusal = asked_field_read((struct span){.data = value, .length = length}, &field);
    *why = refusal != NULL ? refusal : "";
    return refusal == NULL && add_text(list, value, length, why);
}

/* The longest delay is checked when all flags are read. */
static bool set_fault(const char **member, enum fault_kind kind, const char *value, size_t length)
{
    struct fault fault;
    *member = value;
    return fault_read(kind, (struct span){.data = value, .length = length}, FLAG_DELAY_MAX, 0, &fault) == 0;
}

char flag_separator(const struct flag *flag)
{
    switch (flag->kind) {
    case FLAG_LISTEN:
    case FLAG_PATH: return ',';
    case FLAG_FIELD: return '\n'; /* values contain commas */
    default: return '\0';
    }
}

bool flag_set(const struct flag *flag, struct options *options, const struct mode_name *modes,
              const char *value, size_t length, const char **why)
{
    void *member = (char *)options + flag->member;
    *why = "";
    switch (flag->kind) {
    case FLAG_MODE: return set_mode(member, value, length, modes, why);
    case FLAG_LISTEN: return add_listen(member, value, length, why);
    case FLAG_COUNT:
    case FLAG_SIZE:
    case FLAG_DURATION: return set_number(member, flag, value, length);
    case FLAG_TEXT: *(const char **)member = value; return length > 0;
    case FLAG_URL: return set_url(member, value, length, why);
    case FLAG_LOG_FORMAT: return set_log_format(member, value, length);
    case FLAG_NAME: return set_name(member, value, length);
    case FLAG_PATH: return add_path(member, value, length, why);
    case FLAG_FIELD: return add_field(member, value, length, why);
    case FLAG_FAULT: return set_fault(member, flag->fault, value, length);
    case FLAG_SWITCH: return set_switch(member, value, length);
    }
    __builtin_unreachable();
}

/* The largest unit that divides the bytes. */
static void format_size(char *out, size_t size, uint64_t bytes)
{
    static const char suffixes[][2] = {"", "k", "m", "g"};
    size_t unit = 0;
    while (unit < 3 && bytes > 0 && bytes % 1024 == 0) {
        bytes /= 1024;
        unit++;
    }
    snprintf(out, size, "%llu%s", (unsigned long long)bytes, suffixes[unit]);
}

static void format_duration(char *out, size_t size, uint64_t ms)
{
    if (ms > 0 && ms % 60000 == 0) {
        snprintf(out, size, "%llum", (unsigned long long)(ms / 60000));
    } else {
        snprintf(out, size, "%llums", (unsigned long long)ms);
    }
}

static void list_modes(char *out, size_t size, const struct mode_name *modes)
{
    size_t used = 0;
    *out = '\0';
    for (const struct mode_name *mode = modes; mode->name != NULL && mode->missing == NULL && used < size;
         mode++) {
        used += (size_t)snprintf(out + used, size - used, "%s%s", mode == modes ? "" : ", ", mode->name);
    }
}

void flag_allowed(const struct flag *flag, const struct mode_name *modes, char *out, size_t size)
{
    char minimum[32];
    char maximum[32];
    switch (flag->kind) {
    case FLAG_MODE: list_modes(out, size, modes); return;
    case FLAG_LISTEN:
        snprintf(out, size, "%s; at most %d addresses", LISTEN_SPEC_FORMS, LISTENERS_SPEC_MAX);
        return;
    case FLAG_COUNT:
        snprintf(out, size, "a whole number from %llu to %llu", (unsigned long long)flag->minimum,
                 (unsigned long long)flag->maximum);
        return;
    case FLAG_SIZE:
        format_size(minimum, sizeof(minimum), flag_minimum(flag));
        format_size(maximum, sizeof(maximum), flag->maximum);
        snprintf(out, size, "a size from %s to %s, with the units k, m, g", minimum, maximum);
        return;
    case FLAG_DURATION:
        format_duration(minimum, sizeof(minimum), flag->minimum);
        format_duration(maximum, sizeof(maximum), flag->maximum);
        snprintf(out, size, "a time from %s to %s, with the units ms, s, m (none: seconds)", minimum,
                 maximum);
        return;
    case FLAG_TEXT: snprintf(out, size, "a non-empty text"); return;
    case FLAG_URL: snprintf(out, size, URL_FORMS); return;
    case FLAG_LOG_FORMAT:
        snprintf(out, size, "%s, %s", LOG_FORMATS[OPTIONS_LOG_TEXT], LOG_FORMATS[OPTIONS_LOG_JSON]);
        return;
    case FLAG_NAME: snprintf(out, size, "1 to %d visible ASCII characters", OPTIONS_NAME_MAX); return;
    case FLAG_PATH:
        snprintf(out, size, "a path that begins with /, without a query; at most %d", OPTIONS_LIST_MAX);
        return;
    case FLAG_FIELD:
        snprintf(out, size, "Name:Value, no framing or connection field; at most %d", OPTIONS_LIST_MAX);
        return;
    case FLAG_FAULT:
        if (flag->fault == FAULT_DELAY) { /* the bound is another flag's */
            snprintf(out, size, "a time of at most --max-delay, or a list with shares as in 200ms:10");
        } else {
            fault_allowed(flag->fault, FLAG_DELAY_MAX, out, size);
        }
        return;
    case FLAG_SWITCH:
        snprintf(out, size, "true, false, yes, no, on, off, 1, 0, or no value for true");
        return;
    }
}

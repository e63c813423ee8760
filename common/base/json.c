/* SPDX-License-Identifier: MIT */
/* Escaping: characters that need none are copied in one piece. */
#include "common/base/json.h"

#include "common/base/number.h"

void json_raw(struct json *json, struct span text)
{
    if (!json->failed &&
        buffer_append(&json->text, text.data, text.length, json->budget, BUDGET_MAY_REFUSE) != 0) {
        json->failed = true;
    }
}

/* Returns the length of the well-formed UTF-8 sequence at `p` and sets `*code` to its code point; 0 if there is
 * none. */
static size_t utf8_read(const unsigned char *p, const unsigned char *end, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = *p < 0x80             ? 1
                    : (*p & 0xe0) == 0xc0 ? 2
                    : (*p & 0xf0) == 0xe0 ? 3
                    : (*p & 0xf8) == 0xf0 ? 4
                                          : 0;
    if (length == 0 || (size_t)(end - p) < length) {
        return 0;
    }
    if (length == 1) {
        *code = *p;
        return 1;
    }
    uint32_t value = (uint32_t)(*p & (0x7f >> length));
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
        value = value << 6 | (p[i] & 0x3f);
    }
    if (value < least[length] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) {
        return 0;
    }
    *code = value;
    return length;
}

static void json_escape(struct json *json, uint32_t code)
{
    char text[6] = {'\\', 'u', '0', '0', number_hex_digit(code >> 4 & 15), number_hex_digit(code & 15)};
    switch (code) {
    case '"': json_raw(json, SPAN_LITERAL("\\\"")); break;
    case '\\': json_raw(json, SPAN_LITERAL("\\\\")); break;
    case '\n': json_raw(json, SPAN_LITERAL("\\n")); break;
    case '\r': json_raw(json, SPAN_LITERAL("\\r")); break;
    case '\t': json_raw(json, SPAN_LITERAL("\\t")); break;
    default: json_raw(json, (struct span){.data = text, .length = sizeof text}); break;
    }
}

static bool json_plain(uint32_t code)
{
    return code >= 0x20 && code != '"' && code != '\\' && code != '<' && code != '>' && code != '&' &&
           !(code >= 0x7f && code <= 0x9f);
}

void json_string(struct json *json, struct span text)
{
    const unsigned char *p = (const unsigned char *)text.data;
    const unsigned char *end = p + text.length;
    const unsigned char *run = p;
    json_raw(json, SPAN_LITERAL("\""));
    while (p < end) {
        uint32_t code = *p;
        size_t length = utf8_read(p, end, &code);
        if (length > 0 && json_plain(code)) {
            p += length;
            continue;
        }
        json_raw(json, span_between((const char *)run, (const char *)p));
        json_escape(json, code);
        p += length > 0 ? length : 1;
        run = p;
    }
    json_raw(json, span_between((const char *)run, (const char *)p));
    json_raw(json, SPAN_LITERAL("\""));
}

void json_text(struct json *json, const char *text)
{
    json_string(json, (struct span){.data = text, .length = strlen(text)});
}

void json_number(struct json *json, uint64_t number)
{
    char digits[NUMBER_U64_SIZE];
    json_raw(json, (struct span){.data = digits, .length = number_format_u64(digits, number)});
}

void json_base64(struct json *json, struct span bytes)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = (const unsigned char *)bytes.data;
    json_raw(json, SPAN_LITERAL("\""));
    for (size_t i = 0; i < bytes.length; i += 3) {
        size_t left = bytes.length - i;
        uint32_t group =
            (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) | (left > 2 ? p[i + 2] : 0);
        char text[4] = {alphabet[group >> 18 & 63], alphabet[group >> 12 & 63],
                        left > 1 ? alphabet[group >> 6 & 63] : '=', left > 2 ? alphabet[group & 63] : '='};
        json_raw(json, (struct span){.data = text, .length = sizeof text});
    }
    json_raw(json, SPAN_LITERAL("\""));
}

bool json_utf8_valid(struct span text)
{
    const unsigned char *p = (const unsigned char *)text.data;
    const unsigned char *end = p + text.length;
    uint32_t code;
    while (p < end) {
        size_t length = utf8_read(p, end, &code);
        if (length == 0) {
            return false;
        }
        p += length;
    }
    return true;
}

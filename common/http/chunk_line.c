/* SPDX-License-Identifier: MIT */
/* A table of states and classes of bytes. All other transitions are errors. */
#include "common/http/chunk_line.h"

#include "common/http/token.h"

enum class { CONTROL, TEXT, TOKEN, HEX, BLANK, SEMICOLON, EQUALS, QUOTE, BACKSLASH, CR, LF, CLASSES };

enum state {
    BAD, /* not a state: the byte is not allowed */
    SIZE_BEGIN,
    SIZE,
    SIZE_BLANK, /* blanks after a size: an extension must follow */
    NAME_BEGIN,
    NAME,
    NAME_BLANK, /* blanks after a name: '=' or another extension must follow */
    VALUE_BEGIN,
    VALUE,
    VALUE_BLANK, /* blanks after a value: another extension must follow */
    QUOTED,
    QUOTED_PAIR, /* after a backslash */
    QUOTED_END,
    LINE_END, /* after CR */
    DONE,
    STATES
};

static const uint8_t next_state[STATES][CLASSES] = {
    [SIZE_BEGIN] = {[HEX] = SIZE},
    [SIZE] = {[HEX] = SIZE, [BLANK] = SIZE_BLANK, [SEMICOLON] = NAME_BEGIN, [CR] = LINE_END},
    [SIZE_BLANK] = {[BLANK] = SIZE_BLANK, [SEMICOLON] = NAME_BEGIN},
    [NAME_BEGIN] = {[BLANK] = NAME_BEGIN, [TOKEN] = NAME, [HEX] = NAME},
    [NAME] = {[TOKEN] = NAME,
              [HEX] = NAME,
              [BLANK] = NAME_BLANK,
              [EQUALS] = VALUE_BEGIN,
              [SEMICOLON] = NAME_BEGIN,
              [CR] = LINE_END},
    [NAME_BLANK] = {[BLANK] = NAME_BLANK, [EQUALS] = VALUE_BEGIN, [SEMICOLON] = NAME_BEGIN},
    [VALUE_BEGIN] = {[BLANK] = VALUE_BEGIN, [TOKEN] = VALUE, [HEX] = VALUE, [QUOTE] = QUOTED},
    [VALUE] =
        {[TOKEN] = VALUE, [HEX] = VALUE, [BLANK] = VALUE_BLANK, [SEMICOLON] = NAME_BEGIN, [CR] = LINE_END},
    [VALUE_BLANK] = {[BLANK] = VALUE_BLANK, [SEMICOLON] = NAME_BEGIN},
    [QUOTED] = {[TEXT] = QUOTED,
                [TOKEN] = QUOTED,
                [HEX] = QUOTED,
                [BLANK] = QUOTED,
                [SEMICOLON] = QUOTED,
                [EQUALS] = QUOTED,
                [BACKSLASH] = QUOTED_PAIR,
                [QUOTE] = QUOTED_END},
    [QUOTED_PAIR] = {[TEXT] = QUOTED,
                     [TOKEN] = QUOTED,
                     [HEX] = QUOTED,
                     [BLANK] = QUOTED,
                     [SEMICOLON] = QUOTED,
                     [EQUALS] = QUOTED,
                     [BACKSLASH] = QUOTED,
                     [QUOTE] = QUOTED},
    [QUOTED_END] = {[BLANK] = VALUE_BLANK, [SEMICOLON] = NAME_BEGIN, [CR] = LINE_END},
    [LINE_END] = {[LF] = DONE},
};

static enum class class_of(unsigned char c) {
    switch (c){
        case ' ' : case '\t' : return BLANK; case ';' : return SEMICOLON; case '=' : return EQUALS;
        case '"' : return QUOTE;
        case '\\' : return BACKSLASH;
        case '\r' : return CR;
        case '\n' : return LF;
        case '0' ... '9' : case 'a' ... 'f' : case 'A' ... 'F' : return HEX;
        default : break;
    }
return token_char[c] ? TOKEN : c < ' ' || c == 0x7f ? CONTROL : TEXT;
}

/* The result if a byte is not allowed in the line's state. */
static enum chunk_line_result result_of_bad(const struct chunk_line *line)
{
    switch ((enum state)line->state) {
    case SIZE_BEGIN:
    case SIZE:
    case SIZE_BLANK: return CHUNK_LINE_BAD_SIZE;
    case LINE_END: return CHUNK_LINE_BAD_END;
    default: return CHUNK_LINE_BAD_EXTENSION;
    }
}

void chunk_line_init(struct chunk_line *line)
{
    *line = (struct chunk_line){.state = SIZE_BEGIN};
}

enum chunk_line_result chunk_line_read(struct chunk_line *line, struct span bytes, size_t *used)
{
    for (size_t i = 0; i < bytes.length; i++) {
        char c = bytes.data[i];
        uint8_t next = next_state[line->state][class_of((unsigned char)c)];
        *used = i + 1;
        if (next == BAD || (next == SIZE && line->size > UINT64_MAX >> 4)) {
            return result_of_bad(line);
        }
        if (next == SIZE) {
            line->size = line->size << 4 | (uint64_t)number_hex_value(c);
        }
        line->state = next;
        if (next == DONE) {
            return CHUNK_LINE_DONE;
        }
    }
    *used = bytes.length;
    return CHUNK_LINE_MORE;
}

size_t chunk_line_format(char out[CHUNK_LINE_TEXT_SIZE], uint64_t size)
{
    size_t length = number_format_hex(out, size);
    out[length++] = '\r';
    out[length++] = '\n';
    return length;
}

/* SPDX-License-Identifier: MIT */
/* A line is printable text of bounded length: whatever a client sends, it cannot write a second one. */
#include "tests/unit/support/log_sink.h"

static const char *line_wrong(struct span line, enum log_format format)
{
    if (line.length == 0 || line.length >= LOG_LINE_MAX) {
        return "a line of the log is empty or too long";
    }
    for (size_t i = 0; i < line.length; i++) {
        unsigned char c = (unsigned char)line.data[i];
        if (c < ' ' || c == 0x7f || (format == LOG_TEXT && c > 0x7f)) {
            return "a line of the log has a byte that is not printed";
        }
    }
    if (format == LOG_JSON && (line.data[0] != '{' || line.data[line.length - 1] != '}')) {
        return "a line of the log is no object";
    }
    return NULL;
}

static void sink_flush(struct log *log)
{
    struct log_sink *sink = (struct log_sink *)(void *)log;
    const char *end = log->text + log->length;
    for (const char *line = log->text; line < end && sink->wrong == NULL; sink->lines++) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        if (newline == NULL) {
            sink->wrong = "a line of the log has no end";
            break;
        }
        sink->wrong = line_wrong(span_between(line, newline), log->format);
        line = newline + 1;
    }
    log->length = 0;
    log->lines = 0;
}

void log_sink_attach(struct log_sink sinks[2], struct harness *harness, enum log_format format)
{
    for (int i = 0; i < 2; i++) {
        struct context *context = &harness->contexts[i];
        sinks[i] = (struct log_sink){.log = {.text = sinks[i].text,
                                             .size = LOG_SINK_SIZE,
                                             .flush = sink_flush,
                                             .format = format,
                                             .counters = context->counters,
                                             .budget = context->output.budget,
                                             .instance = "sink"}};
        context->log = &sinks[i].log;
        context->adds_common_fields = true;
    }
}

void log_sink_detach(struct harness *harness)
{
    for (int i = 0; i < 2; i++) {
        harness->contexts[i].log = NULL;
        harness->contexts[i].adds_common_fields = harness->service.fields.length > 0;
    }
}

const char *log_sink_wrong(struct log_sink sinks[2])
{
    sink_flush(&sinks[0].log);
    sink_flush(&sinks[1].log);
    return sinks[0].wrong != NULL ? sinks[0].wrong : sinks[1].wrong;
}

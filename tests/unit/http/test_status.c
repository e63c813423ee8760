/* SPDX-License-Identifier: MIT */
/* Reason phrases: IANA's, and one for what nobody has registered. */
#include <criterion/criterion.h>

#include "common/http/status.h"

/* RFC 9110, 15, then the others that are registered; 418 as everybody knows it. */
static const struct {
    unsigned code;
    const char *reason;
} registered[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {305, "Use Proxy"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {418, "I'm a teapot"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {426, "Upgrade Required"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {207, "Multi-Status"},
    {208, "Already Reported"},
    {226, "IM Used"},
    {423, "Locked"},
    {424, "Failed Dependency"},
    {425, "Too Early"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {506, "Variant Also Negotiates"},
    {507, "Insufficient Storage"},
    {508, "Loop Detected"},
    {510, "Not Extended"},
    {511, "Network Authentication Required"},
};

static const char *expected_reason(unsigned code)
{
    for (size_t i = 0; i < sizeof registered / sizeof registered[0]; i++) {
        if (registered[i].code == code) {
            return registered[i].reason;
        }
    }
    return "Unassigned";
}

Test(status, reasons)
{
    for (unsigned code = 200; code < 600; code++) {
        cr_expect_str_eq(status_reason(code), expected_reason(code), "%u: %s", code, status_reason(code));
    }
    cr_expect_str_eq(status_reason(0), "Unassigned");
    cr_expect_str_eq(status_reason(1000), "Unassigned");
}

Test(status, numbers)
{
#define X(number, name, reason) cr_expect_eq(STATUS_##name, number);
    STATUS_LIST(X)
#undef X
    cr_expect_eq(STATUS_MIN, 200);
    cr_expect_eq(STATUS_MAX, 599);
}

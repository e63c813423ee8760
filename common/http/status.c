/* SPDX-License-Identifier: MIT */
/* Status code to reason phrase. */
#include "common/http/status.h"

const char *status_reason(unsigned code)
{
    switch (code) {
#define X(number, name, reason) \
    case number: return reason;
        STATUS_LIST(X)
#undef X
    default: return "Unassigned";
    }
}

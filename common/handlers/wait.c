/* SPDX-License-Identifier: MIT */
/* Reads times in requests. */
#include "common/handlers/wait.h"

#include "common/base/number.h"

bool wait_read(const struct request *request, struct response *response, const char *name, struct span text,
               uint64_t *ms)
{
    uint64_t most = request->service->max_delay_ms;
    char shown[NUMBER_DURATION_SIZE];
    if (number_parse_duration_ms(text.data, text.length, most, ms) == 0) {
        return true;
    }
    number_format_duration(shown, most);
    response_problem(response, STATUS_BAD_REQUEST,
                     "%s must be at most %s, in seconds or with a unit as in 200ms.", name, shown);
    return false;
}

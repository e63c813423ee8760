/* SPDX-License-Identifier: MIT */
/* What holds for a session after every pass, whatever was done to it. */
#ifndef ECHOD_TESTS_UNIT_SUPPORT_INVARIANTS_H
#define ECHOD_TESTS_UNIT_SUPPORT_INVARIANTS_H

#include "common/session/session.h"

/* `held` is what the budget has for it. After session_leave. NULL, or which one is broken; static. */
const char *invariants_broken(const struct session *session, const struct service *service, uint64_t held);

#endif

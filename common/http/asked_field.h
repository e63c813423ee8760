/* SPDX-License-Identifier: MIT */
/* A header field that a client or a flag asks for: "Name:Value". Any thread. */
#ifndef ECHOD_COMMON_HTTP_ASKED_FIELD_H
#define ECHOD_COMMON_HTTP_ASKED_FIELD_H

#include "common/http/request.h"

/* Reads the text into `*field`, as spans of the same bytes. Returns NULL, or a static text that says what the field must
 * be or not be. Refused are fields that frame a message or manage the connection, Date and Server, and values with
 * control characters. */
const char *asked_field_read(struct span text, struct field *field);

#endif

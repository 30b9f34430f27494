/* A message for a human, made once, where user and program meet. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_BASE_ERROR_H
#define CORE_BASE_ERROR_H

#include "core/base/attributes.h"

/* Lives on the caller's stack.  `text` is one line without a newline, empty while nothing failed.
 */
struct error {
	int code; /* the errno value that describes it best, positive */
	char text[512];
};

/* Writes the message (cut at the size of `text`; control bytes become '?') and returns -code, so
 * that `return error_set(error, EINVAL, "…")` reports and fails in one step.  `error` may be NULL.
 * Thread-safe. */
int error_set(struct error *error, int code, const char *format, ...) printf_like(3, 4);

/* Puts "prefix: " before the text that is already there. */
void error_prefix(struct error *error, const char *format, ...) printf_like(2, 3);

#endif

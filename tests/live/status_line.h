/* Reads the JSON line of --status-fd: enough of a parser to hold its syntax and its top-level keys.
 */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_LIVE_STATUS_LINE_H
#define TESTS_LIVE_STATUS_LINE_H

#include <stdbool.h>
#include <stdint.h>

enum json_type {
	JSON_MISSING,
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
};

/* Exactly one object, ended by exactly one newline, with no key twice at the top. */
bool status_line_is_valid(const char *text);
/* The values of a top-level key.  Numbers of missing or null keys are INT64_MIN; strings come
 * without their quotes, unescaped only as far as names need it, in a static buffer. */
enum json_type status_type(const char *text, const char *key);
int64_t status_number(const char *text, const char *key);
bool status_true(const char *text, const char *key);
const char *status_string(const char *text, const char *key);
/* The text of any value, for strstr; in a static buffer. */
const char *status_raw(const char *text, const char *key);

#endif

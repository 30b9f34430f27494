/* Growing strings, string lists, and the small grammars of sizes, numbers and durations. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_BASE_TEXT_H
#define CORE_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/attributes.h"

/* A string that grows.  Zero-initialised is empty.  `bytes` is owned, NUL-terminated once anything
 * was added.  An allocation failure ends the program with a message: the callers are start-up and
 * report code, where nothing is confined yet or nothing runs any more. */
struct text {
	char *bytes;
	size_t length;
	size_t capacity;
};

void text_finish(struct text *text);
void text_add(struct text *text, const char *format, ...) printf_like(2, 3);
void text_add_bytes(struct text *text, const char *bytes, size_t length);
/* A JSON string with its quotes; bytes that are not valid UTF-8 become U+FFFD. */
void text_add_json(struct text *text, const char *string);
#define cleanup_text cleanup(text_finish)
/* The length of the valid UTF-8 sequence that a string starts with, 0 if there is none.  Reads no
 * byte behind the terminating NUL, which is itself a sequence of length 1. */
size_t utf8_sequence_length(const char *string);

/* An owned list of owned strings; `items` ends with NULL once anything was added. */
struct string_list {
	char **items;
	size_t count;
	size_t capacity; /* of `items`; may be 0 for a list that was built by hand */
};

void string_list_finish(struct string_list *list);
void string_list_add(struct string_list *list, const char *string);
bool string_list_contains(const struct string_list *list, const char *string);
#define cleanup_string_list cleanup(string_list_finish)

/* malloc and friends that end the program with a message instead of returning NULL, after the last
 * acts of last_act.h. */
void *must_allocate(size_t size) nodiscard; /* zeroed */
void *must_reallocate(void *memory, size_t count, size_t size) nodiscard;
char *must_copy(const char *string) nodiscard;
char *must_format(const char *format, ...) printf_like(1, 2) nodiscard;

/* Parsers: the whole string or nothing.  0, or -EINVAL (not of that form) or -ERANGE; outputs are
 * untouched on failure. */

/* Decimal digits only: no sign, no blanks. */
int parse_number(
	const char *string, uint64_t minimum, uint64_t maximum, uint64_t *ret_value) nodiscard;
/* Optional blanks around; an integer with an optional suffix K, M, G or T of either case,
 * 1024-based. */
int parse_size(const char *string, uint64_t *ret_bytes) nodiscard;
/* Seconds with an optional fraction ("1.5", up to 9 decimals) to nanoseconds. */
int parse_seconds(const char *string, uint64_t *ret_nanoseconds) nodiscard;

#endif

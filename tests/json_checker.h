/* Says whether a text is one JSON value (RFC 8259) and nothing else; for tests. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_JSON_CHECKER_H
#define TESTS_JSON_CHECKER_H

#include <stdbool.h>
#include <string.h>

static bool json_check_value(const char **cursor);

static void json_skip_blanks(const char **cursor)
{
	*cursor += strspn(*cursor, " \t\r\n");
}

static bool json_accept(const char **cursor, const char *token)
{
	size_t length = strlen(token);

	if (strncmp(*cursor, token, length) != 0) {
		return false;
	}
	*cursor += length;
	return true;
}

static bool json_check_escape(const char **cursor)
{
	if (**cursor == 'u') {
		if (strspn(*cursor + 1, "0123456789abcdefABCDEF") < 4) {
			return false;
		}
		*cursor += 5;
		return true;
	}
	if (**cursor == '\0' || strchr("\"\\/bfnrt", **cursor) == NULL) {
		return false;
	}
	*cursor += 1;
	return true;
}

/* Bytes from 0x80 on must be UTF-8 sequences. */
static bool json_check_utf8(const char **cursor)
{
	const unsigned char *c = (const unsigned char *)*cursor;
	size_t length = c[0] < 0xc2 ? 0 : c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : c[0] < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < length; i++) {
		if ((c[i] & 0xc0) != 0x80) {
			return false;
		}
	}
	*cursor += length;
	return length > 0;
}

static bool json_check_string(const char **cursor)
{
	if (!json_accept(cursor, "\"")) {
		return false;
	}
	while (**cursor != '"') {
		unsigned char c = (unsigned char)**cursor;

		if (c < 0x20) {
			return false;
		}
		if (c >= 0x80) {
			if (!json_check_utf8(cursor)) {
				return false;
			}
			continue;
		}
		*cursor += 1;
		if (c == '\\' && !json_check_escape(cursor)) {
			return false;
		}
	}
	*cursor += 1;
	return true;
}

static bool json_check_digits(const char **cursor)
{
	size_t length = strspn(*cursor, "0123456789");

	*cursor += length;
	return length > 0;
}

static bool json_check_number(const char **cursor)
{
	(void)json_accept(cursor, "-");
	if (**cursor == '0' && (*cursor)[1] >= '0' && (*cursor)[1] <= '9') {
		return false;
	}
	if (!json_check_digits(cursor) ||
		(json_accept(cursor, ".") && !json_check_digits(cursor))) {
		return false;
	}
	if (json_accept(cursor, "e") || json_accept(cursor, "E")) {
		(void)(json_accept(cursor, "-") || json_accept(cursor, "+"));
		return json_check_digits(cursor);
	}
	return true;
}

/* The items of an array or the members of an object, up to the closing bracket. */
static bool json_check_items(const char **cursor, const char *close, bool has_names)
{
	json_skip_blanks(cursor);
	if (json_accept(cursor, close)) {
		return true;
	}
	do {
		json_skip_blanks(cursor);
		if (has_names) {
			if (!json_check_string(cursor)) {
				return false;
			}
			json_skip_blanks(cursor);
			if (!json_accept(cursor, ":")) {
				return false;
			}
		}
		if (!json_check_value(cursor)) {
			return false;
		}
	} while (json_accept(cursor, ","));
	return json_accept(cursor, close);
}

static bool json_check_value(const char **cursor)
{
	bool is_valid;

	json_skip_blanks(cursor);
	if (json_accept(cursor, "{")) {
		is_valid = json_check_items(cursor, "}", true);
	} else if (json_accept(cursor, "[")) {
		is_valid = json_check_items(cursor, "]", false);
	} else if (**cursor == '"') {
		is_valid = json_check_string(cursor);
	} else {
		is_valid = json_accept(cursor, "true") || json_accept(cursor, "false") ||
			   json_accept(cursor, "null") || json_check_number(cursor);
	}
	json_skip_blanks(cursor);
	return is_valid;
}

static inline bool json_is_valid(const char *text)
{
	return json_check_value(&text) && *text == '\0';
}

#endif

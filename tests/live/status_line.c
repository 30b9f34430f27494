/* A recursive descent over JSON that keeps nothing but positions. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/live/status_line.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS_LIMIT 128

static const char *skip_value(const char *at);

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

/* Past the closing quote; NULL when it is no string. */
static const char *skip_string(const char *at)
{
	if (*at != '"') {
		return NULL;
	}
	for (at++; *at != '"'; at++) {
		if ((unsigned char)*at < 0x20) {
			return NULL;
		}
		if (*at == '\\') {
			at++;
			if (*at == '\0' || strchr("\"\\/bfnrtu", *at) == NULL) {
				return NULL;
			}
		}
	}
	return at + 1;
}

static const char *skip_number(const char *at)
{
	const char *start = at + (*at == '-');

	at = start + strspn(start, "0123456789");
	if (at == start || (*start == '0' && at > start + 1)) {
		return NULL;
	}
	if (*at == '.') {
		start = ++at;
		at += strspn(at, "0123456789");
		return at == start ? NULL : at;
	}
	return at;
}

static const char *skip_member(const char *at)
{
	at = skip_string(skip_blanks(at));
	if (at == NULL || *(at = skip_blanks(at)) != ':') {
		return NULL;
	}
	return skip_value(at + 1);
}

/* Both kinds of list, which differ in their items and brackets. */
static const char *skip_list(const char *at, char end, const char *(*skip_item)(const char *))
{
	at = skip_blanks(at + 1);
	if (*at == end) {
		return at + 1;
	}
	for (;;) {
		at = skip_item(at);
		if (at == NULL) {
			return NULL;
		}
		at = skip_blanks(at);
		if (*at == end) {
			return at + 1;
		}
		if (*at != ',') {
			return NULL;
		}
		at++;
	}
}

static const char *skip_value(const char *at)
{
	static const char *const words[] = { "null", "true", "false" };

	at = skip_blanks(at);
	switch (*at) {
	case '{':
		return skip_list(at, '}', skip_member);
	case '[':
		return skip_list(at, ']', skip_value);
	case '"':
		return skip_string(at);
	default:
		break;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strncmp(at, words[i], strlen(words[i])) == 0) {
			return at + strlen(words[i]);
		}
	}
	return skip_number(at);
}

/* Calls visit() for every top-level member until it answers true; NULL when it never does. */
static const char *find_member(const char *text,
	bool (*visit)(const char *key, size_t length, void *argument), void *argument)
{
	const char *at = skip_blanks(text);

	while (*at == '{' || *at == ',') {
		const char *key = skip_blanks(at + 1);
		const char *after = skip_string(key);

		if (after == NULL) {
			return NULL;
		}
		at = skip_blanks(after);
		if (*at != ':') {
			return NULL;
		}
		at = skip_blanks(at + 1);
		if (visit(key + 1, (size_t)(after - key) - 2, argument)) {
			return at;
		}
		at = skip_value(at);
		if (at == NULL) {
			return NULL;
		}
		at = skip_blanks(at);
	}
	return NULL;
}

static bool is_key(const char *key, size_t length, void *argument)
{
	const char *wanted = argument;

	return strlen(wanted) == length && strncmp(key, wanted, length) == 0;
}

static const char *value_of(const char *text, const char *key)
{
	return find_member(text, is_key, (void *)key);
}

struct seen_keys {
	const char *keys[KEYS_LIMIT];
	size_t lengths[KEYS_LIMIT];
	size_t count;
};

/* True for the second key of a name. */
static bool is_repeated(const char *key, size_t length, void *argument)
{
	struct seen_keys *seen = argument;

	for (size_t i = 0; i < seen->count; i++) {
		if (seen->lengths[i] == length && strncmp(seen->keys[i], key, length) == 0) {
			return true;
		}
	}
	if (seen->count < KEYS_LIMIT) {
		seen->keys[seen->count] = key;
		seen->lengths[seen->count++] = length;
	}
	return false;
}

bool status_line_is_valid(const char *text)
{
	struct seen_keys seen = { .count = 0 };
	const char *end = *text == '{' ? skip_value(text) : NULL;

	return end != NULL && strcmp(end, "\n") == 0 &&
	       find_member(text, is_repeated, &seen) == NULL;
}

enum json_type status_type(const char *text, const char *key)
{
	const char *value = value_of(text, key);

	if (value == NULL) {
		return JSON_MISSING;
	}
	switch (*value) {
	case 'n':
		return JSON_NULL;
	case 't':
	case 'f':
		return JSON_BOOL;
	case '"':
		return JSON_STRING;
	case '[':
		return JSON_ARRAY;
	case '{':
		return JSON_OBJECT;
	default:
		return JSON_NUMBER;
	}
}

int64_t status_number(const char *text, const char *key)
{
	return status_type(text, key) == JSON_NUMBER ? strtoll(value_of(text, key), NULL, 10)
						     : INT64_MIN;
}

bool status_true(const char *text, const char *key)
{
	return status_type(text, key) == JSON_BOOL && *value_of(text, key) == 't';
}

const char *status_raw(const char *text, const char *key)
{
	static char buffer[4096];
	const char *value = value_of(text, key);
	const char *end = value == NULL ? NULL : skip_value(value);

	buffer[0] = '\0';
	if (end != NULL) {
		snprintf(buffer, sizeof(buffer), "%.*s", (int)(end - value), value);
	}
	return buffer;
}

const char *status_string(const char *text, const char *key)
{
	static char buffer[4096];
	const char *raw = status_raw(text, key);
	size_t length = strlen(raw);

	buffer[0] = '\0';
	if (status_type(text, key) == JSON_STRING && length >= 2) {
		snprintf(buffer, sizeof(buffer), "%.*s", (int)(length - 2), raw + 1);
	}
	return buffer;
}

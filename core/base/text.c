/* Growing strings, string lists, and the small grammars of sizes, numbers and durations. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/last_act.h"
#include "core/base/text.h"

static void *or_exit(void *memory)
{
	if (memory == NULL) {
		last_act_perform();
	}
	return memory;
}

void *must_allocate(size_t size)
{
	return or_exit(calloc(1, size > 0 ? size : 1));
}

void *must_reallocate(void *memory, size_t count, size_t size)
{
	return or_exit(reallocarray(memory, count > 0 ? count : 1, size));
}

char *must_copy(const char *string)
{
	return or_exit(strdup(string));
}

char *must_format(const char *format, ...)
{
	char *string = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&string, format, arguments) < 0) {
		string = NULL;
	}
	va_end(arguments);
	return or_exit(string);
}

static void text_reserve(struct text *text, size_t more)
{
	size_t wanted = text->length + more + 1;

	if (wanted > text->capacity) {
		text->capacity = wanted * 2;
		text->bytes = must_reallocate(text->bytes, text->capacity, 1);
	}
}

void text_finish(struct text *text)
{
	free(text->bytes);
	*text = (struct text){ 0 };
}

void text_add_bytes(struct text *text, const char *bytes, size_t length)
{
	text_reserve(text, length);
	if (length > 0) { /* nothing may be a NULL pointer */
		memcpy(text->bytes + text->length, bytes, length);
	}
	text->length += length;
	text->bytes[text->length] = '\0';
}

void text_add(struct text *text, const char *format, ...)
{
	va_list arguments, again;
	int length;

	va_start(arguments, format);
	va_copy(again, arguments);
	length = vsnprintf(NULL, 0, format, arguments);
	if (length >= 0) { /* an empty string is something: it makes `bytes` a string */
		text_reserve(text, (size_t)length);
		(void)vsnprintf(text->bytes + text->length, (size_t)length + 1, format, again);
		text->length += (size_t)length; /* measured by the call before */
	}
	va_end(again);
	va_end(arguments);
}

size_t utf8_sequence_length(const char *string)
{
	/* First bytes, how many follow, and what the byte behind the first may be: the narrower
	 * ranges leave out overlong forms, surrogates, and what is above U+10FFFF (RFC 3629,
	 * section 4). */
	static const struct {
		unsigned char first, last, following, second_first, second_last;
	} forms[] = {
		{ 0x00, 0x7f, 0, 0x00, 0x00 },
		{ 0xc2, 0xdf, 1, 0x80, 0xbf },
		{ 0xe0, 0xe0, 2, 0xa0, 0xbf },
		{ 0xe1, 0xec, 2, 0x80, 0xbf },
		{ 0xed, 0xed, 2, 0x80, 0x9f },
		{ 0xee, 0xef, 2, 0x80, 0xbf },
		{ 0xf0, 0xf0, 3, 0x90, 0xbf },
		{ 0xf1, 0xf3, 3, 0x80, 0xbf },
		{ 0xf4, 0xf4, 3, 0x80, 0x8f },
	};
	const unsigned char *s = (const unsigned char *)string;
	size_t form = 0;

	while (form < ARRAY_LEN(forms) && (s[0] < forms[form].first || s[0] > forms[form].last)) {
		form++;
	}
	if (form == ARRAY_LEN(forms)) {
		return 0;
	}
	if (forms[form].following > 0 &&
		(s[1] < forms[form].second_first || s[1] > forms[form].second_last)) {
		return 0;
	}
	for (size_t i = 2; i <= forms[form].following; i++) {
		if ((s[i] & 0xc0) != 0x80) {
			return 0;
		}
	}
	return forms[form].following + 1u;
}

void text_add_json(struct text *text, const char *string)
{
	text_add_bytes(text, "\"", 1);
	for (const char *c = string; *c != '\0';) {
		size_t length = utf8_sequence_length(c);

		if (length == 0) {
			text_add(text, "\\ufffd");
			length = 1;
		} else if (*c == '"' || *c == '\\') {
			text_add(text, "\\%c", *c);
		} else if ((unsigned char)*c < 0x20 || *c == 0x7f) {
			text_add(text, "\\u%04x", (unsigned char)*c);
		} else {
			text_add_bytes(text, c, length);
		}
		c += length;
	}
	text_add_bytes(text, "\"", 1);
}

void string_list_finish(struct string_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i]);
	}
	free(list->items);
	*list = (struct string_list){ 0 };
}

void string_list_add(struct string_list *list, const char *string)
{
	char **items = list->items;

	if (list->count + 2 > list->capacity) {
		list->capacity = 2 * (list->count + 2);
		items = must_reallocate(items, list->capacity, sizeof(items[0]));
	}
	items[list->count] = must_copy(string);
	items[list->count + 1] = NULL;
	list->items = items;
	list->count++;
}

bool string_list_contains(const struct string_list *list, const char *string)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i], string) == 0) {
			return true;
		}
	}
	return false;
}

/* Reads digits at *cursor and moves it behind them. */
static int read_digits(const char **cursor, uint64_t *ret_value)
{
	uint64_t value = 0;
	const char *c = *cursor;

	if (*c < '0' || *c > '9') {
		return -EINVAL;
	}
	for (; *c >= '0' && *c <= '9'; c++) {
		if (__builtin_mul_overflow(value, 10u, &value) ||
			__builtin_add_overflow(value, (uint64_t)(*c - '0'), &value)) {
			return -ERANGE;
		}
	}
	*cursor = c;
	*ret_value = value;
	return 0;
}

int parse_number(const char *string, uint64_t minimum, uint64_t maximum, uint64_t *ret_value)
{
	uint64_t value;
	int r = read_digits(&string, &value);

	if (r < 0) {
		return r;
	}
	if (*string != '\0') {
		return -EINVAL;
	}
	if (value < minimum || value > maximum) {
		return -ERANGE;
	}
	*ret_value = value;
	return 0;
}

static const char *skip_blanks(const char *string)
{
	return string + strspn(string, " \t");
}

int parse_size(const char *string, uint64_t *ret_bytes)
{
	static const char suffixes[] = "KMGT";
	const char *c = skip_blanks(string);
	unsigned int shift = 0;
	uint64_t value;
	int r = read_digits(&c, &value);

	if (r < 0) {
		return r;
	}
	c = skip_blanks(c);
	if (*c != '\0') {
		char upper = (char)(*c & ~0x20);
		const char *suffix = strchr(suffixes, upper);

		if (upper == '\0' || suffix == NULL) {
			return -EINVAL;
		}
		shift = 10u * (unsigned int)(suffix - suffixes + 1);
		c = skip_blanks(c + 1);
	}
	if (*c != '\0') {
		return -EINVAL;
	}
	if (value > (UINT64_MAX >> shift)) {
		return -ERANGE;
	}
	*ret_bytes = value << shift;
	return 0;
}

int parse_seconds(const char *string, uint64_t *ret_nanoseconds)
{
	uint64_t seconds, fraction = 0, unit = 1000000000;
	int r = read_digits(&string, &seconds);

	if (r < 0) {
		return r;
	}
	if (*string == '.' && string[1] >= '0' && string[1] <= '9') {
		for (string++; *string >= '0' && *string <= '9' && unit > 1; string++) {
			unit /= 10;
			fraction += (uint64_t)(*string - '0') * unit;
		}
	}
	if (*string != '\0') {
		return -EINVAL;
	}
	if (seconds > UINT32_MAX) { /* 136 years: keeps every sum of deadlines within 64 bits */
		return -ERANGE;
	}
	*ret_nanoseconds = seconds * 1000000000 + fraction;
	return 0;
}

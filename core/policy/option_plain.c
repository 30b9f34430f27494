/* Plain values of options: switches, numbers, sizes, durations, strings and their lists. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/policy/option_plain.h"

#define NANOSECONDS UINT64_C(1000000000)

void *option_field(const struct policy_option *option, struct sandbox_policy *policy)
{
	return (char *)policy + option->offset;
}

const void *option_const_field(
	const struct policy_option *option, const struct sandbox_policy *policy)
{
	return (const char *)policy + option->offset;
}

int option_refuse(const struct policy_option *option, int code, const char *value,
	const char *reason, struct error *error)
{
	return error_set(error, code, "--%s: \"%s\": %s", option->flag, value, reason);
}

int option_check_bounds(
	const struct policy_option *option, uint64_t value, const char *shown, struct error *error)
{
	if (value >= option->minimum && (option->maximum == 0 || value <= option->maximum)) {
		return 0;
	}
	return error_set(error, ERANGE, "--%s: %s, got %s", option->flag, option->bounds, shown);
}

/* Digits within the bounds of the row. */
static int read_bounded_number(const struct policy_option *option, const char *value,
	uint64_t *ret_number, struct error *error)
{
	uint64_t number = 0;
	int r = parse_number(value, 0, UINT64_MAX, &number);

	if (r == -EINVAL) {
		return option_refuse(option, EINVAL, value, "not a number", error);
	}
	if (r < 0) {
		return error_set(
			error, ERANGE, "--%s: %s, got %s", option->flag, option->bounds, value);
	}
	r = option_check_bounds(option, number, value, error);
	if (r == 0) {
		*ret_number = number;
	}
	return r;
}

int option_read_switch(const struct policy_option *option, struct sandbox_policy *policy,
	const char *value, struct error *error)
{
	(void)value; /* option_set() refuses one */
	(void)error;
	*(bool *)option_field(option, policy) = true;
	return 0;
}

void option_list_switch(const struct policy_option *option, const struct sandbox_policy *policy,
	struct string_list *values)
{
	if (*(const bool *)option_const_field(option, policy)) {
		string_list_add(values, "");
	}
}

/* Why parse_size() refused, in words that callers look for. */
static const char *size_error(const char *value, int code)
{
	const char *c = value + strspn(value, " \t");
	size_t digits = strspn(c, "0123456789");
	const char *suffix = c + digits + strspn(c + digits, " \t");

	if (*c == '\0') {
		return "empty byte size string";
	}
	if (code == -ERANGE) {
		return "byte size out of range";
	}
	if (digits == 0 || suffix[0] == '.' || strspn(suffix, "0123456789") > 0) {
		return "invalid byte size (a whole number and K, M, G or T)";
	}
	return "unknown byte size suffix (use K, M, G or T)";
}

int option_read_size(const struct policy_option *option, struct sandbox_policy *policy,
	const char *value, struct error *error)
{
	uint64_t bytes = 0;
	int r = parse_size(value, &bytes);

	if (r < 0) {
		return option_refuse(option, -r, value, size_error(value, r), error);
	}
	r = option_check_bounds(option, bytes, value, error);
	if (r == 0) {
		*(uint64_t *)option_field(option, policy) = bytes;
	}
	return r;
}

/* The largest unit that divides it. */
void option_list_size(const struct policy_option *option, const struct sandbox_policy *policy,
	struct string_list *values)
{
	static const char suffixes[] = "TGMK";
	uint64_t bytes = *(const uint64_t *)option_const_field(option, policy);
	cleanup_free char *text = NULL;

	if (bytes == 0) {
		return;
	}
	for (unsigned int i = 0; text == NULL && suffixes[i] != '\0'; i++) {
		unsigned int shift = 40 - 10 * i;

		if ((bytes & ((UINT64_C(1) << shift) - 1)) == 0) {
			text = must_format(
				"%llu%c", (unsigned long long)(bytes >> shift), suffixes[i]);
		}
	}
	if (text == NULL) {
		text = must_format("%llu", (unsigned long long)bytes);
	}
	string_list_add(values, text);
}

int option_read_number(const struct policy_option *option, struct sandbox_policy *policy,
	const char *value, struct error *error)
{
	uint64_t number = 0;
	int r = read_bounded_number(option, value, &number, error);

	if (r == 0) {
		*(uint32_t *)option_field(option, policy) = (uint32_t)number;
	}
	return r;
}

void option_list_number(const struct policy_option *option, const struct sandbox_policy *policy,
	struct string_list *values)
{
	struct sandbox_policy defaults;
	uint32_t number = *(const uint32_t *)option_const_field(option, policy);

	policy_init(&defaults);
	if (number != *(const uint32_t *)option_const_field(option, &defaults)) {
		cleanup_free char *text = must_format("%u", number);

		string_list_add(values, text);
	}
}

/* The words are what the help shows as the value. */
int option_read_word(const struct policy_option *option, struct sandbox_policy *policy,
	const char *value, struct error *error)
{
	const char *word = option->value;

	for (uint32_t place = 0;; place++) {
		size_t length = strcspn(word, "|");

		if (strlen(value) == length && memcmp(value, word, length) == 0) {
			*(uint32_t *)option_field(option, policy) = place;
			return 0;
		}
		if (word[length] == '\0') {
			return option_refuse(option, EINVAL, value, option->bounds, error);
		}
		word += length + 1;
	}
}

/* The first word is the default. */
void option_list_word(const struct policy_option *option, const struct sandbox_policy *policy,
	struct string_list *values)
{
	uint32_t place = *(const uint32_t *)option_const_field(option, policy);
	const char *word = option->value;

	if (place == 0) {
		return;
	}
	for (; place > 0; place--) {
		word += strcspn(word, "|") + 1;
	}
	cleanup_free char *text = must_format("%.*s", (int)strcspn(word, "|"), word);

	string_list_add(values, text);
}

int option_read_seconds(const struct policy_option *option, struct sandbox_policy *policy,
	const char *value, struct error *error)
{
	uint64_t nanoseconds = 0;
	int r = parse_seconds(value, &nanoseconds);

	if (r == -EINVAL) {
		return option_refuse(option, EINVAL, value,
			"not a number of seconds (like 90 or 1.5, up to 9 decimals)", error);
	}
	if (r < 0) {
		return option_refuse(option, ERANGE, value, "more than 4294967295 seconds", error);
	}
	r = option_check_bounds(option, nanoseconds, value, error);
	if (r == 0) {
		*(uint64_t *)option_field(option, policy) = nanoseconds;
	}
	return r;
}

void option_list_seconds(const struct policy_option *option, const struct sandbox_policy *policy,
	struct string_list *values)
{
	uint64_t nanoseconds = *(const uint64_t *)option_const_field(option, policy);
	unsigned long long seconds = nanoseconds / NANOSECONDS,
			   fraction = nanoseconds % NANOSECONDS;
	cleanup_free char *text = NULL;

	if (nanoseconds == 0) {
		return;
	}
	if (fraction == 0) {
		text = must_format("%llu", seconds);
	} else {
		text = must_format("%llu.%09llu", seconds, fraction);
		for (size_t end = strlen(text); text[end - 1] == '0'; end--) {
			text[end - 1] = '\0';
		}
	}
	string_list_add(values, text);
}

static void replace_string(char **field, const char *value)
{
	free(*field);
	*field = must_copy(value);
}

int option_read_string(const struct policy_option *option, struct sandbox_policy *policy,
	const char *value, struct error *error)
{
	(void)error; /* any text is a string */
	replace_string(option_field(option, policy), value);
	return 0;
}

void option_list_string(const struct policy_option *option, const struct sandbox_policy *policy,
	struct string_list *values)
{
	const char *string = *(char *const *)option_const_field(option, policy);

	if (string != NULL) {
		string_list_add(values, string);
	}
}

static int check_path(const struct policy_option *option, const char *value, struct error *error)
{
	if (value[0] == '\0') {
		return option_refuse(option, EINVAL, value, "empty path", error);
	}
	if (strlen(value) >= PATH_MAX) {
		return error_set(error, ENAMETOOLONG,
			"--%s: path of %zu bytes (at most %d): \"%.60s…\"", option->flag,
			strlen(value), PATH_MAX - 1, value);
	}
	return 0;
}

int option_read_path(const struct policy_option *option, struct sandbox_policy *policy,
	const char *value, struct error *error)
{
	int r = check_path(option, value, error);

	return r < 0 ? r : option_read_string(option, policy, value, error);
}

int option_read_strings(const struct policy_option *option, struct sandbox_policy *policy,
	const char *value, struct error *error)
{
	if (value[0] == '\0') {
		return option_refuse(option, EINVAL, value, "empty name", error);
	}
	string_list_add(option_field(option, policy), value);
	return 0;
}

void option_list_strings(const struct policy_option *option, const struct sandbox_policy *policy,
	struct string_list *values)
{
	const struct string_list *list = option_const_field(option, policy);

	for (size_t i = 0; i < list->count; i++) {
		string_list_add(values, list->items[i]);
	}
}

int option_read_paths(const struct policy_option *option, struct sandbox_policy *policy,
	const char *value, struct error *error)
{
	int r = check_path(option, value, error);

	return r < 0 ? r : option_read_strings(option, policy, value, error);
}

/* "0,2-3": appended as a whole or not at all. */
int option_read_number_list(const struct policy_option *option, struct number_list *list,
	const char *value, struct error *error)
{
	cleanup_free char *copy = must_copy(value);
	/* One for each number there can be: a long list of wide ranges costs no more than a scan.
	 */
	cleanup_free bool *seen = must_allocate(option->maximum + 1);
	cleanup_number_list struct number_list numbers = { 0 };
	char *rest = copy;

	numbers.items = must_reallocate(NULL, option->maximum + 1, sizeof(numbers.items[0]));
	for (char *item; (item = strsep(&rest, ",")) != NULL;) {
		char *dash = strchr(item, '-');
		uint64_t first, last;

		if (dash != NULL) {
			*dash = '\0';
		}
		if (parse_number(item, 0, option->maximum, &first) < 0 ||
			parse_number(dash != NULL ? dash + 1 : item, first, option->maximum,
				&last) < 0) {
			return error_set(error, EINVAL,
				"--%s: \"%s\": not a list of numbers up to %llu (like 0,2-3)",
				option->flag, value, (unsigned long long)option->maximum);
		}
		for (uint64_t number = first; number <= last; number++) {
			if (!seen[number]) {
				numbers.items[numbers.count++] = (uint32_t)number;
				seen[number] = true;
			}
		}
	}
	for (size_t i = 0; i < numbers.count; i++) {
		(void)number_list_add(list, numbers.items[i]); /* once is enough */
	}
	return 0;
}

int option_read_numbers(const struct policy_option *option, struct sandbox_policy *policy,
	const char *value, struct error *error)
{
	return option_read_number_list(option, option_field(option, policy), value, error);
}

void option_list_number_list(const struct number_list *list, struct string_list *values)
{
	cleanup_text struct text text = { 0 };

	for (size_t i = 0; i < list->count; i++) {
		text_add(&text, "%s%u", i > 0 ? "," : "", list->items[i]);
	}
	if (list->count > 0) {
		string_list_add(values, text.bytes);
	}
}

void option_list_numbers(const struct policy_option *option, const struct sandbox_policy *policy,
	struct string_list *values)
{
	option_list_number_list(option_const_field(option, policy), values);
}

int option_read_fd(const struct policy_option *option, struct sandbox_policy *policy,
	const char *value, struct error *error)
{
	uint64_t number = 0;
	int r = read_bounded_number(option, value, &number, error);

	if (r == 0) {
		*(int *)option_field(option, policy) = (int)number;
	}
	return r;
}

void option_list_fd(const struct policy_option *option, const struct sandbox_policy *policy,
	struct string_list *values)
{
	int fd = *(const int *)option_const_field(option, policy);

	if (fd >= 0) {
		cleanup_free char *text = must_format("%d", fd);

		string_list_add(values, text);
	}
}

int option_read_fds(const struct policy_option *option, struct sandbox_policy *policy,
	const char *value, struct error *error)
{
	uint64_t number = 0;
	int r = read_bounded_number(option, value, &number, error);

	if (r == 0 && !number_list_add(option_field(option, policy), (uint32_t)number)) {
		return option_refuse(option, EINVAL, value, "given twice", error);
	}
	return r;
}

void option_list_fds(const struct policy_option *option, const struct sandbox_policy *policy,
	struct string_list *values)
{
	const struct number_list *list = option_const_field(option, policy);

	for (size_t i = 0; i < list->count; i++) {
		cleanup_free char *text = must_format("%u", list->items[i]);

		string_list_add(values, text);
	}
}

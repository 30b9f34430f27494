/* Plain values of options: switches, numbers, sizes, durations, strings and their lists. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_POLICY_OPTION_PLAIN_H
#define CORE_POLICY_OPTION_PLAIN_H

#include "core/policy/policy_options.h"

/* The field of a row; the type of the row says what it points to. */
void *option_field(const struct policy_option *option, struct sandbox_policy *policy);
const void *option_const_field(
	const struct policy_option *option, const struct sandbox_policy *policy);

/* --flag: "value": reason */
int option_refuse(const struct policy_option *option, int code, const char *value,
	const char *reason, struct error *error);

/* -ERANGE with the option's own words if a number, size or duration is out of bounds; `shown` is
 * the value as the user knows it. */
int option_check_bounds(
	const struct policy_option *option, uint64_t value, const char *shown, struct error *error);

/* "0,2-3", up to the row's maximum: appended as a whole or not at all. */
int option_read_number_list(const struct policy_option *option, struct number_list *list,
	const char *value, struct error *error);
void option_list_number_list(const struct number_list *list, struct string_list *values);

/* Readers and writers with the contracts of option_set() and option_list_values(). */
#define OPTION_READER(name)                                                                        \
	int name(const struct policy_option *option, struct sandbox_policy *policy,                \
		const char *value, struct error *error)
#define OPTION_WRITER(name)                                                                        \
	void name(const struct policy_option *option, const struct sandbox_policy *policy,         \
		struct string_list *values)
OPTION_READER(option_read_switch);
OPTION_READER(option_read_size);
OPTION_READER(option_read_number);
OPTION_READER(option_read_word);
OPTION_READER(option_read_seconds);
OPTION_READER(option_read_string);
OPTION_READER(option_read_path);
OPTION_READER(option_read_strings);
OPTION_READER(option_read_paths);
OPTION_READER(option_read_numbers);
OPTION_READER(option_read_fd);
OPTION_READER(option_read_fds);
OPTION_WRITER(option_list_switch);
OPTION_WRITER(option_list_size);
OPTION_WRITER(option_list_number);
OPTION_WRITER(option_list_word);
OPTION_WRITER(option_list_seconds);
OPTION_WRITER(option_list_string);
OPTION_WRITER(option_list_strings);
OPTION_WRITER(option_list_numbers);
OPTION_WRITER(option_list_fd);
OPTION_WRITER(option_list_fds);

#endif

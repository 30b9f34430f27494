/* Values of options: a reader and a writer for each type. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/policy/capability_name.h"
#include "core/policy/option_value.h"
#include "core/policy/presets.h"

#define NANOSECONDS UINT64_C(1000000000)

/* The field of a row; the type of the row says what it points to. */
static void *field_of(const struct policy_option *option, struct sandbox_policy *policy)
{
	return (char *)policy + option->offset;
}

static const void *const_field_of(
	const struct policy_option *option, const struct sandbox_policy *policy)
{
	return (const char *)policy + option->offset;
}

static int refuse_value(const struct policy_option *option, int code, const char *value,
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
		return refuse_value(option, EINVAL, value, "not a number", error);
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

static int read_switch(const struct policy_option *option, struct sandbox_policy *policy,
	const char *value, struct error *error)
{
	(void)value; /* option_set() refuses one */
	(void)error;
	*(bool *)field_of(option, policy) = true;
	return 0;
}

static void list_switch(const struct policy_option *option, const struct sandbox_policy *policy,
	struct string_list *values)
{
	if (*(const bool *)const_field_of(option, policy)) {
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

static int read_size(const struct policy_option *option, struct sandbox_policy *policy,
	const char *value, struct error *error)
{
	uint64_t bytes = 0;
	int r = parse_size(value, &bytes);

	if (r < 0) {
		return refuse_value(option, -r, value, size_error(value, r), error);
	}
	r = option_check_bounds(option, bytes, value, error);
	if (r == 0) {
		*(uint64_t *)field_of(option, policy) = bytes;
	}
	return r;
}

/* The largest unit that divides it. */
static void list_size(const struct policy_option *option, const struct sandbox_policy *policy,
	struct string_list *values)
{
	static const char suffixes[] = "TGMK";
	uint64_t bytes = *(const uint64_t *)const_field_of(option, policy);
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

static int read_number(const struct policy_option *option, struct sandbox_policy *policy,
	const char *value, struct error *error)
{
	uint64_t number;
	int r = read_bounded_number(option, value, &number, error);

	if (r == 0) {
		*(uint32_t *)field_of(option, policy) = (uint32_t)number;
	}
	return r;
}

static void list_number(const struct policy_option *option, const struct sandbox_policy *policy,
	struct string_list *values)
{
	struct sandbox_policy defaults;
	uint32_t number = *(const uint32_t *)const_field_of(option, policy);

	policy_init(&defaults);
	if (number != *(const uint32_t *)const_field_of(option, &defaults)) {
		cleanup_free char *text = must_format("%u", number);

		string_list_add(values, text);
	}
}

static int read_seconds(const struct policy_option *option, struct sandbox_policy *policy,
	const char *value, struct error *error)
{
	uint64_t nanoseconds = 0;
	int r = parse_seconds(value, &nanoseconds);

	if (r == -EINVAL) {
		return refuse_value(option, EINVAL, value,
			"not a number of seconds (like 90 or 1.5, up to 9 decimals)", error);
	}
	if (r < 0) {
		return refuse_value(option, ERANGE, value, "more than 4294967295 seconds", error);
	}
	r = option_check_bounds(option, nanoseconds, value, error);
	if (r == 0) {
		*(uint64_t *)field_of(option, policy) = nanoseconds;
	}
	return r;
}

static void list_seconds(const struct policy_option *option, const struct sandbox_policy *policy,
	struct string_list *values)
{
	uint64_t nanoseconds = *(const uint64_t *)const_field_of(option, policy);
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

static int read_string(const struct policy_option *option, struct sandbox_policy *policy,
	const char *value, struct error *error)
{
	(void)error; /* any text is a string */
	replace_string(field_of(option, policy), value);
	return 0;
}

static void list_string(const struct policy_option *option, const struct sandbox_policy *policy,
	struct string_list *values)
{
	const char *string = *(char *const *)const_field_of(option, policy);

	if (string != NULL) {
		string_list_add(values, string);
	}
}

static int check_path(const struct policy_option *option, const char *value, struct error *error)
{
	if (value[0] == '\0') {
		return refuse_value(option, EINVAL, value, "empty path", error);
	}
	if (strlen(value) >= PATH_MAX) {
		return error_set(error, ENAMETOOLONG,
			"--%s: path of %zu bytes (at most %d): \"%.60s…\"", option->flag,
			strlen(value), PATH_MAX - 1, value);
	}
	return 0;
}

static int read_path(const struct policy_option *option, struct sandbox_policy *policy,
	const char *value, struct error *error)
{
	int r = check_path(option, value, error);

	return r < 0 ? r : read_string(option, policy, value, error);
}

static int read_strings(const struct policy_option *option, struct sandbox_policy *policy,
	const char *value, struct error *error)
{
	if (value[0] == '\0') {
		return refuse_value(option, EINVAL, value, "empty name", error);
	}
	string_list_add(field_of(option, policy), value);
	return 0;
}

static void list_strings(const struct policy_option *option, const struct sandbox_policy *policy,
	struct string_list *values)
{
	const struct string_list *list = const_field_of(option, policy);

	for (size_t i = 0; i < list->count; i++) {
		string_list_add(values, list->items[i]);
	}
}

static int read_paths(const struct policy_option *option, struct sandbox_policy *policy,
	const char *value, struct error *error)
{
	int r = check_path(option, value, error);

	return r < 0 ? r : read_strings(option, policy, value, error);
}

/* "0,2-3": appended as a whole or not at all. */
static int read_number_list(const struct policy_option *option, struct number_list *list,
	const char *value, struct error *error)
{
	cleanup_free char *copy = must_copy(value);
	cleanup_number_list struct number_list numbers = { 0 };
	char *rest = copy;

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
			(void)number_list_add(&numbers, (uint32_t)number); /* once is enough */
		}
	}
	for (size_t i = 0; i < numbers.count; i++) {
		(void)number_list_add(list, numbers.items[i]); /* once is enough */
	}
	return 0;
}

static int read_numbers(const struct policy_option *option, struct sandbox_policy *policy,
	const char *value, struct error *error)
{
	return read_number_list(option, field_of(option, policy), value, error);
}

static void list_number_list(const struct number_list *list, struct string_list *values)
{
	cleanup_text struct text text = { 0 };

	for (size_t i = 0; i < list->count; i++) {
		text_add(&text, "%s%u", i > 0 ? "," : "", list->items[i]);
	}
	if (list->count > 0) {
		string_list_add(values, text.bytes);
	}
}

static void list_numbers(const struct policy_option *option, const struct sandbox_policy *policy,
	struct string_list *values)
{
	list_number_list(const_field_of(option, policy), values);
}

static int read_fd(const struct policy_option *option, struct sandbox_policy *policy,
	const char *value, struct error *error)
{
	uint64_t number;
	int r = read_bounded_number(option, value, &number, error);

	if (r == 0) {
		*(int *)field_of(option, policy) = (int)number;
	}
	return r;
}

static void list_fd(const struct policy_option *option, const struct sandbox_policy *policy,
	struct string_list *values)
{
	int fd = *(const int *)const_field_of(option, policy);

	if (fd >= 0) {
		cleanup_free char *text = must_format("%d", fd);

		string_list_add(values, text);
	}
}

static int read_fds(const struct policy_option *option, struct sandbox_policy *policy,
	const char *value, struct error *error)
{
	uint64_t number;
	int r = read_bounded_number(option, value, &number, error);

	if (r == 0 && !number_list_add(field_of(option, policy), (uint32_t)number)) {
		return refuse_value(option, EINVAL, value, "given twice", error);
	}
	return r;
}

static void list_fds(const struct policy_option *option, const struct sandbox_policy *policy,
	struct string_list *values)
{
	const struct number_list *list = const_field_of(option, policy);

	for (size_t i = 0; i < list->count; i++) {
		cleanup_free char *text = must_format("%u", list->items[i]);

		string_list_add(values, text);
	}
}

static int read_bind_ports(const struct policy_option *option, struct sandbox_policy *policy,
	const char *value, struct error *error)
{
	cleanup_free char *flag = must_format("--%s", option->flag);

	return port_set_add_bind(field_of(option, policy), flag, value, error);
}

static void list_bind_ports(const struct policy_option *option, const struct sandbox_policy *policy,
	struct string_list *values)
{
	const struct port_set *set = const_field_of(option, policy);
	cleanup_text struct text text = { 0 };

	for (size_t i = 0; i < set->count; i++) {
		text_add(&text, "%s%u", i > 0 ? "," : "", set->ranges[i].first);
		if (set->ranges[i].last > set->ranges[i].first) {
			text_add(&text, "-%u", set->ranges[i].last);
		}
	}
	if (!port_set_is_empty(set)) {
		string_list_add(values, set->any ? "*" : text.bytes);
	}
}

static int read_connect_rule(const struct policy_option *option, struct sandbox_policy *policy,
	const char *value, struct error *error)
{
	cleanup_free char *flag = must_format("--%s", option->flag);

	return port_set_add_connect(field_of(option, policy), flag, value, error);
}

/* The grammar of connect rules has no ranges. */
static void list_connect_rule(const struct policy_option *option,
	const struct sandbox_policy *policy, struct string_list *values)
{
	const struct port_set *set = const_field_of(option, policy);
	cleanup_text struct text text = { 0 };

	for (size_t i = 0; i < set->count; i++) {
		for (uint32_t port = set->ranges[i].first; port <= set->ranges[i].last; port++) {
			text_add(&text, "%s%u", text.length > 0 ? "," : "tcp://*:", port);
		}
	}
	if (!port_set_is_empty(set)) {
		string_list_add(values, set->any ? "tcp://*" : text.bytes);
	}
}

static int read_env(const struct policy_option *option, struct sandbox_policy *policy,
	const char *value, struct error *error)
{
	const char *equals = strchr(value, '=');

	if (equals == NULL || equals == value) {
		return error_set(
			error, EINVAL, "--%s requires KEY=VALUE, got \"%s\"", option->flag, value);
	}
	string_list_add(field_of(option, policy), value);
	return 0;
}

static int read_user(const struct policy_option *option, struct sandbox_policy *policy,
	const char *value, struct error *error)
{
	cleanup_free char *copy = must_copy(value);
	char *colon = strchr(copy, ':');
	uint64_t uid, gid;

	if (colon != NULL) {
		*colon = '\0';
	}
	if (colon == NULL || parse_number(copy, 0, option->maximum, &uid) < 0 ||
		parse_number(colon + 1, 0, option->maximum, &gid) < 0) {
		return refuse_value(
			option, EINVAL, value, "not UID:GID (two numbers, like 1000:1000)", error);
	}
	policy->program.has_user = true;
	policy->program.uid = (uid_t)uid;
	policy->program.gid = (gid_t)gid;
	return 0;
}

static void list_user(const struct policy_option *option, const struct sandbox_policy *policy,
	struct string_list *values)
{
	(void)option; /* the fields are fixed */
	if (policy->program.has_user) {
		cleanup_free char *text =
			must_format("%u:%u", policy->program.uid, policy->program.gid);

		string_list_add(values, text);
	}
}

/* Replaces what was said before, so that "all" and a list can follow each other. */
static int read_gpu(const struct policy_option *option, struct sandbox_policy *policy,
	const char *value, struct error *error)
{
	struct number_list devices = { 0 };
	bool all = strcmp(value, "all") == 0;

	if (!all) {
		int r = read_number_list(option, &devices, value, NULL);

		if (r < 0) {
			return refuse_value(option, EINVAL, value,
				"not \"all\" or a list of numbers (like 0,1)", error);
		}
	}
	number_list_finish(&policy->limits.gpu_devices);
	policy->limits.gpu_devices = devices;
	policy->limits.gpu = all ? GPU_ALL : GPU_LISTED;
	return 0;
}

static void list_gpu(const struct policy_option *option, const struct sandbox_policy *policy,
	struct string_list *values)
{
	(void)option; /* the fields are fixed */
	if (policy->limits.gpu == GPU_ALL) {
		string_list_add(values, "all");
	} else if (policy->limits.gpu == GPU_LISTED) {
		list_number_list(&policy->limits.gpu_devices, values);
	}
}

static int read_protection(const struct policy_option *option, struct sandbox_policy *policy,
	const char *value, struct error *error)
{
	enum protection protection;
	int r = protection_parse(value, &protection, error);

	if (r < 0) {
		error_prefix(error, "--%s", option->flag);
		return r;
	}
	policy->protections[protection] = option->mode;
	return 0;
}

static void list_protection(const struct policy_option *option, const struct sandbox_policy *policy,
	struct string_list *values)
{
	for (int i = 0; i < PROTECTION_COUNT; i++) {
		if (policy->protections[i] == option->mode) {
			string_list_add(values, protection_name((enum protection)i));
		}
	}
}

static int read_capability(const struct policy_option *option, struct sandbox_policy *policy,
	const char *value, struct error *error)
{
	unsigned int number;

	if (capability_parse(value, &number) < 0) {
		return refuse_value(option, EINVAL, value,
			"unknown capability (a name of capabilities(7), like CAP_NET_RAW)", error);
	}
	*(uint64_t *)field_of(option, policy) |= UINT64_C(1) << number;
	return 0;
}

static void list_capability(const struct policy_option *option, const struct sandbox_policy *policy,
	struct string_list *values)
{
	uint64_t bits = *(const uint64_t *)const_field_of(option, policy);

	for (unsigned int i = 0; i < CAPABILITY_COUNT; i++) {
		if ((bits >> i & 1) != 0) {
			string_list_add(values, capability_name(i));
		}
	}
}

static int read_preset(const struct policy_option *option, struct sandbox_policy *policy,
	const char *value, struct error *error)
{
	int r = preset_apply(value, policy, error);

	if (r < 0) {
		error_prefix(error, "--%s", option->flag);
	}
	return r;
}

static int read_nothing(const struct policy_option *option, struct sandbox_policy *policy,
	const char *value, struct error *error)
{
	(void)option;
	(void)policy;
	(void)value;
	(void)error;
	return 0;
}

static int refuse_unavailable(const struct policy_option *option, struct sandbox_policy *policy,
	const char *value, struct error *error)
{
	(void)policy;
	(void)value;
	return error_set(error, EOPNOTSUPP, "--%s: not available in this version", option->flag);
}

const struct option_type_rules *option_type_rules(enum option_type type)
{
	static const struct option_type_rules rules[OPTION_TYPE_COUNT] = {
		[OPTION_SWITCH] = { read_switch, list_switch },
		[OPTION_SIZE] = { read_size, list_size },
		[OPTION_NUMBER] = { read_number, list_number },
		[OPTION_SECONDS] = { read_seconds, list_seconds },
		[OPTION_STRING] = { read_string, list_string },
		[OPTION_PATH] = { read_path, list_string },
		[OPTION_STRINGS] = { read_strings, list_strings },
		[OPTION_PATHS] = { read_paths, list_strings },
		[OPTION_NUMBERS] = { read_numbers, list_numbers },
		[OPTION_FD] = { read_fd, list_fd },
		[OPTION_FDS] = { read_fds, list_fds },
		[OPTION_BIND_PORTS] = { read_bind_ports, list_bind_ports },
		[OPTION_CONNECT_RULE] = { read_connect_rule, list_connect_rule },
		[OPTION_ENV] = { read_env, list_strings },
		[OPTION_USER] = { read_user, list_user },
		[OPTION_GPU] = { read_gpu, list_gpu },
		[OPTION_PROTECTION] = { read_protection, list_protection },
		[OPTION_CAPABILITY] = { read_capability, list_capability },
		[OPTION_PRESET] = { read_preset, list_strings },
		[OPTION_IGNORED] = { read_nothing, NULL },
		[OPTION_UNAVAILABLE] = { refuse_unavailable, NULL },
	};

	return &rules[type];
}

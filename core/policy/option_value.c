/* Values of options: a reader and a writer for each type, and the composed ones here. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/policy/capability_name.h"
#include "core/policy/option_plain.h"
#include "core/policy/option_value.h"
#include "core/policy/presets.h"

static int read_bind_ports(const struct policy_option *option, struct sandbox_policy *policy,
	const char *value, struct error *error)
{
	cleanup_free char *flag = must_format("--%s", option->flag);

	return port_set_add_bind(option_field(option, policy), flag, value, error);
}

static void list_bind_ports(const struct policy_option *option, const struct sandbox_policy *policy,
	struct string_list *values)
{
	const struct port_set *set = option_const_field(option, policy);
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

	return port_set_add_connect(option_field(option, policy), flag, value, error);
}

/* The grammar of connect rules has no ranges. */
static void list_connect_rule(const struct policy_option *option,
	const struct sandbox_policy *policy, struct string_list *values)
{
	const struct port_set *set = option_const_field(option, policy);
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
	string_list_add(option_field(option, policy), value);
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
		return option_refuse(
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
		int r = option_read_number_list(option, &devices, value, NULL);

		if (r < 0) {
			return option_refuse(option, EINVAL, value,
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
		option_list_number_list(&policy->limits.gpu_devices, values);
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
		return option_refuse(option, EINVAL, value,
			"unknown capability (a name of capabilities(7), like CAP_NET_RAW)", error);
	}
	*(uint64_t *)option_field(option, policy) |= UINT64_C(1) << number;
	return 0;
}

static void list_capability(const struct policy_option *option, const struct sandbox_policy *policy,
	struct string_list *values)
{
	uint64_t bits = *(const uint64_t *)option_const_field(option, policy);

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
		[OPTION_SWITCH] = { option_read_switch, option_list_switch },
		[OPTION_SIZE] = { option_read_size, option_list_size },
		[OPTION_NUMBER] = { option_read_number, option_list_number },
		[OPTION_WORD] = { option_read_word, option_list_word },
		[OPTION_SECONDS] = { option_read_seconds, option_list_seconds },
		[OPTION_STRING] = { option_read_string, option_list_string },
		[OPTION_PATH] = { option_read_path, option_list_string },
		[OPTION_STRINGS] = { option_read_strings, option_list_strings },
		[OPTION_PATHS] = { option_read_paths, option_list_strings },
		[OPTION_NUMBERS] = { option_read_numbers, option_list_numbers },
		[OPTION_FD] = { option_read_fd, option_list_fd },
		[OPTION_FDS] = { option_read_fds, option_list_fds },
		[OPTION_BIND_PORTS] = { read_bind_ports, list_bind_ports },
		[OPTION_CONNECT_RULE] = { read_connect_rule, list_connect_rule },
		[OPTION_ENV] = { read_env, option_list_strings },
		[OPTION_USER] = { read_user, list_user },
		[OPTION_GPU] = { read_gpu, list_gpu },
		[OPTION_PROTECTION] = { read_protection, list_protection },
		[OPTION_CAPABILITY] = { read_capability, list_capability },
		[OPTION_PRESET] = { read_preset, option_list_strings },
		[OPTION_IGNORED] = { read_nothing, NULL },
		[OPTION_UNAVAILABLE] = { refuse_unavailable, NULL },
	};

	return &rules[type];
}

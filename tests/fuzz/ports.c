/* Bind ports and connect rules: a set that was read is sorted, without overlap, and survives being
 * written and read again. */
// SPDX-License-Identifier: Apache-2.0

#include "core/base/text.h"
#include "core/policy/policy_options.h"
#include "core/policy/port_rule.h"
#include "tests/fuzz/fuzz.h"

typedef int (*add_fn)(
	struct port_set *set, const char *option, const char *text, struct error *error);

static void check_form(const struct port_set *set)
{
	must_hold(!set->any || set->count == 0);
	for (size_t i = 0; i < set->count; i++) {
		must_hold(set->ranges[i].first <= set->ranges[i].last);
		must_hold(i == 0 || set->ranges[i].first > (uint32_t)set->ranges[i - 1].last + 1);
	}
}

static void check(add_fn add, const char *flag, const char *text)
{
	const struct policy_option *option = option_find(flag, strlen(flag));
	struct sandbox_policy policy;
	struct port_set set = { 0 }, again = { 0 };
	struct error error = { 0 };
	cleanup_string_list struct string_list values = { 0 };

	policy_init(&policy);
	if (add(&set, "--flag", text, &error) < 0) {
		must_hold(strncmp(error.text, "--flag: ", 8) == 0);
		must_hold(set.count == 0 && !set.any);
		return;
	}
	check_form(&set);
	must_hold(!port_set_is_empty(&set));
	must_hold(option_set(option, &policy, text, &error) == 0);
	option_list_values(option, &policy, &values);
	must_hold(values.count == 1);
	must_hold(add(&again, "--flag", values.items[0], &error) == 0);
	must_hold(set.any == again.any && set.count == again.count);
	must_hold(set.count == 0 ||
		  memcmp(set.ranges, again.ranges, set.count * sizeof(set.ranges[0])) == 0);
	must_hold(add(&set, "--flag", text, &error) == 0);
	must_hold(set.any == again.any && set.count == again.count);
	port_set_finish(&set);
	port_set_finish(&again);
	policy_finish(&policy);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	cleanup_free char *text = must_format("%.*s", (int)size, (const char *)input);

	check(port_set_add_bind, "net-allow-bind", text);
	check(port_set_add_connect, "net-allow", text);
	return 0;
}

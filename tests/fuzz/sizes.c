/* Sizes, numbers, durations and number lists: what is read is printed and read again as the same.
 */
// SPDX-License-Identifier: Apache-2.0

#include "core/policy/policy_options.h"
#include "tests/fuzz/fuzz.h"

static const char *const flags[] = { "max-memory", "max-output", "cpu", "max-open-files", "timeout",
	"kill-after", "cpu-cores", "gpu", "user", "status-fd", "keep-fd" };

static void check(const struct policy_option *option, const char *value)
{
	struct sandbox_policy policy, again;
	struct error error = { 0 };
	cleanup_string_list struct string_list first = { 0 }, second = { 0 };

	policy_init(&policy);
	policy_init(&again);
	if (option_set(option, &policy, value, &error) < 0) {
		must_hold(error.text[0] != '\0' && strchr(error.text, '\n') == NULL);
		must_hold(!option_is_given(option, &policy));
		return;
	}
	option_list_values(option, &policy, &first);
	for (size_t i = 0; i < first.count; i++) {
		must_hold(option_set(option, &again, first.items[i], &error) == 0);
	}
	option_list_values(option, &again, &second);
	must_hold(first.count == second.count);
	for (size_t i = 0; i < first.count; i++) {
		must_hold(strcmp(first.items[i], second.items[i]) == 0);
	}
	policy_finish(&policy);
	policy_finish(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	cleanup_free char *value = must_format("%.*s", (int)size, (const char *)input);

	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		check(option_find(flags[i], strlen(flags[i])), value);
	}
	return 0;
}

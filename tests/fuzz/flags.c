/* Command lines, their words separated by NUL: what is accepted is printed as words that are
 * accepted and give the same words again.  @FILE and --args are left out: a fuzzer reads no files.
 */
// SPDX-License-Identifier: Apache-2.0

#include "tools/cli/flags.h"
#include "core/policy/policy_options.h"
#include "tests/fuzz/fuzz.h"

static void parse_again(const struct sandbox_policy *policy)
{
	cleanup_string_list struct string_list words = { 0 }, again = { 0 };
	struct sandbox_policy copy;
	struct run_flags flags = { 0 };
	struct error error = { 0 };

	string_list_add(&words, "run");
	string_list_add(&again, "run");
	policy_init(&copy);
	policy_list_flags(policy, &words);
	must_hold(flags_parse((int)words.count, words.items, &copy, &flags, &error) == 0);
	must_hold(flags.mode == RUN_NORMAL);
	policy_list_flags(&copy, &again);
	must_hold(words.count == again.count);
	for (size_t i = 0; i < words.count; i++) {
		must_hold(strcmp(words.items[i], again.items[i]) == 0);
	}
	policy_finish(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	cleanup_free char *bytes = must_allocate(size + 1);
	cleanup_string_list struct string_list words = { 0 };
	struct sandbox_policy policy;
	struct run_flags flags = { 0 };
	struct error error = { 0 };

	memcpy(bytes, input, size);
	string_list_add(&words, "run");
	for (size_t i = 0; i < size; i += strlen(bytes + i) + 1) {
		if (bytes[i] == '@' || strncmp(bytes + i, "--args", 6) == 0) {
			return 0;
		}
		string_list_add(&words, bytes + i);
	}
	policy_init(&policy);
	if (flags_parse((int)words.count, words.items, &policy, &flags, &error) < 0) {
		must_hold(error.text[0] != '\0' && strchr(error.text, '\n') == NULL);
	} else if (flags.mode == RUN_NORMAL || flags.mode == RUN_EXPLAIN_TEXT ||
		   flags.mode == RUN_EXPLAIN_JSON) {
		parse_again(&policy);
	}
	policy_finish(&policy);
	return 0;
}

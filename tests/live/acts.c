/* Compares what a guest saw with what the table says. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/live/acts.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"

int acts_get(const struct run_result *result, const char *name)
{
	size_t length = strlen(name);

	for (const char *line = result->out; line != NULL && *line != '\0';) {
		if (strncmp(line, name, length) == 0 && line[length] == ' ') {
			return atoi(line + length + 1);
		}
		line = strchr(line, '\n');
		line = line == NULL ? NULL : line + 1;
	}
	return ACT_MISSING;
}

static bool value_matches(int expected, int seen)
{
	bool refused = seen == EPERM || seen == EACCES || seen == ENOSYS;

	switch (expected) {
	case ACT_REFUSED:
		return refused;
	case ACT_NOT_REFUSED:
		return seen != ACT_MISSING && !refused;
	case ACT_ANY:
		return seen != ACT_MISSING;
	default:
		return seen == expected;
	}
}

static void describe(int value, char *buffer, size_t capacity)
{
	if (value > 1000) {
		snprintf(buffer, capacity, "signal %d", value - 1000);
	} else if (value > 0) {
		const char *name = strerrorname_np(value);

		snprintf(buffer, capacity, "%d (%s)", value, name != NULL ? name : "no errno");
	} else {
		static const char *const words[] = { "0 (done)", "refused", "not refused", "any",
			"nothing" };

		snprintf(buffer, capacity, "%s", words[-value]);
	}
}

static void acts_check(
	const struct run_result *result, const struct act *table, size_t count, bool inside)
{
	cleanup_text struct text wrong = { 0 };

	for (size_t i = 0; i < count; i++) {
		int expected = inside ? table[i].inside : table[i].outside;
		int seen = acts_get(result, table[i].name);
		char expected_word[48], seen_word[48];

		if (!value_matches(expected, seen)) {
			describe(expected, expected_word, sizeof(expected_word));
			describe(seen, seen_word, sizeof(seen_word));
			text_add(&wrong, "\n  %s: expected %s, saw %s", table[i].name,
				expected_word, seen_word);
		}
	}
	cr_assert(wrong.length == 0, "%s:%s\nexit %d, stderr: %s", inside ? "inside" : "outside",
		wrong.bytes, result->exit_code, result->err);
	cr_assert_eq(result->exit_code, 0, "%s: exit %d%s, stderr: %s",
		inside ? "inside" : "outside", result->exit_code,
		result->timed_out ? " (too slow)" : "", result->err);
}

void acts_check_inside(const struct run_result *result, const struct act *table, size_t count)
{
	acts_check(result, table, count, true);
}

void acts_check_outside(const struct run_result *result, const struct act *table, size_t count)
{
	acts_check(result, table, count, false);
}

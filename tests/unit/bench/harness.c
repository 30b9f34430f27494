/* The statistics that the benches report, and the order in which variants take turns. */
// SPDX-License-Identifier: Apache-2.0
#include "bench/harness.h"

#include <criterion/criterion.h>
#include <string.h>

Test(harness, interpolates_between_neighbours)
{
	const double values[] = { 50, 10, 40, 20, 30, 60 };

	struct spread spread = spread_of(values, 6);

	cr_assert_float_eq(spread.median, 35, 1e-9);
	cr_assert_float_eq(spread.p10, 15, 1e-9);
	cr_assert_float_eq(spread.p90, 55, 1e-9);
}

Test(harness, answers_with_the_only_value)
{
	const double value = 7;

	struct spread spread = spread_of(&value, 1);

	cr_assert(spread.median == 7 && spread.p10 == 7 && spread.p90 == 7);
}

Test(harness, leaves_the_rounds_in_their_order)
{
	double values[] = { 3, 1, 2 };
	const double before[] = { 3, 1, 2 };

	(void)spread_of(values, 3);

	cr_assert_arr_eq(values, before, sizeof(before));
}

Test(harness, pairs_the_samples_of_one_round)
{
	const double base[] = { 100, 200, 400 };
	const double values[] = { 110, 220, 440 };

	struct spread added = spread_of_difference(values, base, 3);
	struct spread ratio = spread_of_ratio(values, base, 3);

	cr_assert_float_eq(added.median, 20, 1e-9);
	cr_assert_float_eq(ratio.p10, 1.1, 1e-9);
	cr_assert_float_eq(ratio.p90, 1.1, 1e-9);
}

static char order[64];

static bool take_name(const struct variant *variant, double *ret_value, const char **ret_reason)
{
	strcat(order, variant->name);
	*ret_value = variant->name[0];
	*ret_reason = "it is c";
	return variant->name[0] != 'c';
}

Test(harness, begins_each_round_with_another_variant)
{
	struct variant variants[] = { { .name = "a" }, { .name = "b" } };

	variants_measure(variants, 2, 2, 1, take_name);

	cr_assert_str_eq(order, "ab"
				"ba"
				"ab");
	cr_assert(variants[1].samples[0] == 'b' && variants[1].samples[1] == 'b');
	variants_finish(variants, 2);
}

Test(harness, stops_measuring_what_fails_and_keeps_the_reason)
{
	struct variant variants[] = { { .name = "a" }, { .name = "c" } };

	variants_measure(variants, 2, 3, 1, take_name);

	cr_assert_str_eq(order, "ac"
				"a"
				"a"
				"a");
	cr_assert_str_eq(variants[1].skipped, "it is c");
	cr_assert_null(variants[0].skipped);
	variants_finish(variants, 2);
}

Test(harness, refuses_a_command_that_fails)
{
	char *argv[] = { "/bin/sh", "-c", "exit 3", NULL };
	const struct variant variant = { .name = "false", .argv = argv };
	const char *reason = "";
	double value = -1;

	bool measured = sample_spawn(&variant, &value, &reason);

	cr_assert(!measured && value == -1);
	cr_assert_str_eq(reason, "exits with 3");
}

Test(harness, takes_the_last_number_printed)
{
	char *argv[] = { "/bin/sh", "-c", "echo 1; echo 2.5", NULL };
	const struct variant variant = { .name = "printer", .argv = argv };
	const char *reason;
	double value = -1;

	bool measured = sample_output(&variant, &value, &reason);

	cr_assert(measured && value == 2.5);
}

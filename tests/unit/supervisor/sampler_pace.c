/* When the next look is due. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>

#include "core/supervisor/sampler_pace.h"

#define MIB	(1024ull * 1024)
#define GIB	(1024 * MIB)
#define MS	1000000ull
#define SECOND	1000000000ull
#define MACHINE (64 * GIB)

static const struct first_row {
	uint64_t limit;
	unsigned int processors;
	uint64_t low_ms, high_ms;
} first_rows[] = {
	{ 512 * MIB, 2, 22, 26 },
	{ 512 * MIB, 1, 44, 52 },
	{ 4 * GIB, 2, 180, 210 },
	{ 4 * GIB, 128, 40, 45 },
	{ 1 * MIB, 2, 2, 2 },
	{ 1, 2, 2, 2 },
};

Test(sampler_pace, looks_first_when_the_limit_could_be_reached)
{
	for (size_t i = 0; i < sizeof(first_rows) / sizeof(first_rows[0]); i++) {
		const struct first_row *row = &first_rows[i];
		struct sampler_pace pace;

		sampler_pace_init(&pace, row->limit, MACHINE, row->processors);

		uint64_t first = sampler_pace_first(&pace);

		cr_expect(first >= row->low_ms * MS && first <= row->high_ms * MS,
			"row %zu: %lu ns", i, first);
	}
}

Test(sampler_pace, never_looks_for_what_cannot_happen)
{
	struct sampler_pace pace;

	sampler_pace_init(&pace, MACHINE, MACHINE, 2);

	cr_assert_eq(sampler_pace_first(&pace), SAMPLER_PACE_NEVER);
	cr_assert_eq(sampler_pace_next(&pace, SECOND, 1000, 5 * GIB), SAMPLER_PACE_NEVER);
}

Test(sampler_pace, comes_back_sooner_the_nearer_the_limit_is)
{
	struct sampler_pace pace;
	uint64_t now_ns = SECOND, far, near, past;

	sampler_pace_init(&pace, 4 * GIB, MACHINE, 2);

	far = sampler_pace_next(&pace, now_ns, 20000, 0);
	near = sampler_pace_next(&pace, now_ns + 100 * MS, 20000, 4 * GIB - 100 * MIB);
	past = sampler_pace_next(&pace, now_ns + 200 * MS, 20000, 5 * GIB);

	cr_assert_gt(far, 150 * MS);
	cr_assert_lt(near, 6 * MS);
	cr_assert_eq(past, sampler_pace_minimum());
}

/* A steady tree, whatever it holds: over a minute the looks take 1 % and the savings, no more. */
static uint64_t simulate(uint64_t limit, uint64_t total, uint64_t cost_ns, uint64_t *ret_looks)
{
	struct sampler_pace pace;
	uint64_t now_ns = SECOND, end_ns = 61 * SECOND, spent_ns = 0;

	sampler_pace_init(&pace, limit, MACHINE, 2);
	*ret_looks = 0;
	while (now_ns < end_ns) {
		uint64_t delay_ns = sampler_pace_next(&pace, now_ns, cost_ns, total);

		++*ret_looks;
		spent_ns += cost_ns;
		now_ns += cost_ns + delay_ns;
	}
	return spent_ns;
}

static const struct cost_row {
	uint64_t total, cost_ns;
} cost_rows[] = {
	{ 10 * MIB, 30000 },
	{ 200 * MIB, 30000 },
	{ 400 * MIB, 30000 },
	{ 400 * MIB, 1000000 },
	{ 400 * MIB, 50000000 },
	{ 0, 200000000 },
};

Test(sampler_pace, takes_one_percent_of_a_processor)
{
	for (size_t i = 0; i < sizeof(cost_rows) / sizeof(cost_rows[0]); i++) {
		const struct cost_row *row = &cost_rows[i];
		uint64_t looks;

		uint64_t spent_ns = simulate(512 * MIB, row->total, row->cost_ns, &looks);

		cr_expect_leq(spent_ns, 60 * SECOND / 100 + 20 * MS + row->cost_ns,
			"row %zu: %lu ns in %lu looks", i, spent_ns, looks);
	}
}

Test(sampler_pace, takes_ten_percent_at_most_near_the_limit)
{
	uint64_t looks;

	uint64_t spent_ns = simulate(512 * MIB, 500 * MIB, 5 * MS, &looks);

	cr_assert_leq(spent_ns, 60 * SECOND / 9);
	cr_assert_geq(spent_ns, 60 * SECOND / 50, "it does watch more closely");
}

Test(sampler_pace, hurries_when_the_growth_seen_would_be_over_before_the_wait)
{
	struct sampler_pace calm, growing;
	uint64_t cost_ns = 50 * MS, calm_ns, growing_ns;

	sampler_pace_init(&calm, 512 * MIB, MACHINE, 2);
	sampler_pace_init(&growing, 512 * MIB, MACHINE, 2);
	(void)sampler_pace_next(&calm, SECOND, cost_ns, 200 * MIB);
	(void)sampler_pace_next(&growing, SECOND, cost_ns, 100 * MIB);

	calm_ns = sampler_pace_next(&calm, SECOND + 200 * MS, cost_ns, 200 * MIB);
	growing_ns = sampler_pace_next(&growing, SECOND + 200 * MS, cost_ns, 200 * MIB);

	cr_assert_geq(calm_ns, 99 * cost_ns / 2);
	cr_assert_leq(growing_ns, 10 * cost_ns);
}

Test(sampler_pace, survives_absurd_numbers)
{
	struct sampler_pace pace;

	sampler_pace_init(&pace, UINT64_MAX - 1, UINT64_MAX, 1000000);

	cr_assert_leq(sampler_pace_next(&pace, UINT64_MAX / 2, 0, 0), UINT32_MAX * SECOND);
	cr_assert_eq(sampler_pace_next(&pace, UINT64_MAX / 2 + 1, 0, UINT64_MAX),
		sampler_pace_minimum());
}

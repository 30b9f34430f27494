/* Decisions on one number combine so that a denial always wins. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <errno.h>

#include "bpf/trap_set.h"

static const uint64_t no_arguments[6];

static const struct trap allow = { .otherwise = VERDICT_ALLOW };
static const struct trap notify = { .otherwise = VERDICT_NOTIFY };
static const struct trap deny = { .otherwise = VERDICT_EPERM };

/* Denies when the first argument is 1, allows otherwise. */
static const struct arg_clause deny_one[] = {
	{ .tests = { ARG_IS(0, INT, 1) }, .test_count = 1, .verdict = VERDICT_EPERM },
};
static const struct trap deny_if_one = { .clauses = deny_one, .clause_count = 1 };

/* Notifies when the first argument is below 3, allows otherwise. */
static const struct arg_clause notify_small[] = {
	{ .tests = { ARG_WITHIN(0, INT, 0, 2) }, .test_count = 1, .verdict = VERDICT_NOTIFY },
};
static const struct trap notify_if_small = { .clauses = notify_small, .clause_count = 1 };

static enum verdict verdict_of_two(
	const struct trap *first, const struct trap *second, uint64_t argument)
{
	static struct trap_set set;
	uint64_t arguments[6] = { argument };

	trap_set_init(&set);
	cr_assert_eq(trap_set_add(&set, 7, first), 0);
	cr_assert_eq(trap_set_add(&set, 7, second), 0);
	return trap_set_verdict(&set, 7, arguments);
}

struct pair_case {
	const struct trap *one;
	const struct trap *other;
	uint64_t argument;
	enum verdict verdict;
};

Test(trap_set, gives_the_severest_verdict_in_either_order)
{
	static const struct pair_case cases[] = {
		{ &allow, &allow, 0, VERDICT_ALLOW },
		{ &allow, &notify, 0, VERDICT_NOTIFY },
		{ &allow, &deny, 0, VERDICT_EPERM },
		{ &notify, &deny, 0, VERDICT_EPERM },
		{ &allow, &deny_if_one, 1, VERDICT_EPERM },
		{ &allow, &deny_if_one, 2, VERDICT_ALLOW },
		{ &notify, &deny_if_one, 1, VERDICT_EPERM },
		{ &notify, &deny_if_one, 2, VERDICT_NOTIFY },
		{ &deny, &notify_if_small, 1, VERDICT_EPERM },
		{ &deny_if_one, &notify_if_small, 1, VERDICT_EPERM },
		{ &deny_if_one, &notify_if_small, 2, VERDICT_NOTIFY },
		{ &deny_if_one, &notify_if_small, 3, VERDICT_ALLOW },
		{ &notify, &notify_if_small, 3, VERDICT_NOTIFY },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct pair_case *c = &cases[i];

		cr_assert_eq(
			verdict_of_two(c->one, c->other, c->argument), c->verdict, "case %zu", i);
		cr_assert_eq(verdict_of_two(c->other, c->one, c->argument), c->verdict,
			"case %zu, reversed", i);
	}
}

Test(trap_set, asks_all_of_three_decisions)
{
	static struct trap_set set;
	uint64_t one[6] = { 1 }, two[6] = { 2 }, three[6] = { 3 };

	trap_set_init(&set);
	cr_assert_eq(trap_set_add(&set, 7, &notify_if_small), 0);
	cr_assert_eq(trap_set_add(&set, 7, &notify_if_small), 0);
	cr_assert_eq(trap_set_add(&set, 7, &deny_if_one), 0);

	cr_assert_eq(trap_set_verdict(&set, 7, one), VERDICT_EPERM);
	cr_assert_eq(trap_set_verdict(&set, 7, two), VERDICT_NOTIFY);
	cr_assert_eq(trap_set_verdict(&set, 7, three), VERDICT_ALLOW);
}

Test(trap_set, answers_enosys_for_numbers_that_it_was_not_given)
{
	static struct trap_set set;

	trap_set_init(&set);
	cr_assert_eq(trap_set_add(&set, 7, &allow), 0);

	cr_assert_eq(trap_set_verdict(&set, 6, no_arguments), VERDICT_ENOSYS);
	cr_assert_eq(trap_set_verdict(&set, 0xffffffff, no_arguments), VERDICT_ENOSYS);
	cr_assert_null(trap_set_get(&set, TRAP_SET_NUMBERS));
}

Test(trap_set, refuses_numbers_that_it_cannot_hold)
{
	static struct trap_set set;

	trap_set_init(&set);

	cr_assert_eq(trap_set_add(&set, TRAP_SET_NUMBERS, &allow), -ERANGE);
	cr_assert_eq(trap_set_add(&set, TRAP_SET_NUMBERS - 1, &allow), 0);
}

Test(trap_set, refuses_a_decision_that_denies_and_notifies)
{
	static struct trap_set set;
	struct trap both = {
		.clauses = deny_one,
		.clause_count = 1,
		.otherwise = VERDICT_NOTIFY,
	};

	trap_set_init(&set);

	cr_assert_eq(trap_set_add(&set, 7, &both), -EINVAL);
	cr_assert_null(trap_set_get(&set, 7));
}

Test(trap_set, says_when_too_many_numbers_have_several_decisions)
{
	static struct trap_set set;
	int r = 0;

	trap_set_init(&set);
	for (uint32_t number = 0; number <= TRAP_SET_CHAINED; number++) {
		cr_assert_eq(trap_set_add(&set, number, &deny_if_one), 0);
	}
	for (uint32_t number = 0; number < TRAP_SET_CHAINED; number++) {
		cr_assert_eq(trap_set_add(&set, number, &notify_if_small), 0);
	}
	r = trap_set_add(&set, TRAP_SET_CHAINED, &notify_if_small);

	cr_assert_eq(r, -ENOSPC);
}

Test(trap_set, drops_clauses_that_decide_nothing)
{
	static const struct arg_clause useless[] = {
		{ .tests = { ARG_IS(0, INT, 1) }, .test_count = 1, .verdict = VERDICT_EPERM },
		{ .test_count = 0, .verdict = VERDICT_ALLOW },
		{ .tests = { ARG_IS(0, INT, 2) }, .test_count = 1, .verdict = VERDICT_ALLOW },
	};
	struct trap all = { .clauses = useless, .clause_count = 3 };
	struct trap last = { .clauses = useless + 2, .clause_count = 1 };
	struct trap middle = {
		.clauses = useless + 1, .clause_count = 2, .otherwise = VERDICT_EPERM
	};

	cr_assert_eq(trap_simplified(&all).clause_count, 1);
	cr_assert_eq(trap_simplified(&last).clause_count, 0);
	cr_assert_eq(trap_simplified(&middle).clause_count, 0);
	cr_assert_eq(trap_simplified(&middle).otherwise, VERDICT_ALLOW);
}

struct test_case {
	struct arg_test test;
	uint64_t argument;
	bool holds;
};

Test(trap_set, tests_as_many_bits_as_the_kernel_takes)
{
	static const struct test_case cases[] = {
		{ ARG_IS(2, INT, 5), 5, true },
		{ ARG_IS(2, INT, 5), 0xdeadbeef00000005, true },
		{ ARG_IS(2, U64, 5), 0xdeadbeef00000005, false },
		{ ARG_IS(2, FD, 0xffffffff), (uint64_t)-1, true },
		{ ARG_IS(2, U64, 0x100000000), 0x100000000, true },
		{ ARG_MASKED_IS(2, INT, 0xf, 1), 0x80801, true },
		{ ARG_MASKED_IS(2, INT, 0xf, 1), 0x80802, false },
		{ ARG_HAS(2, INT, 6), 0xf00000000, false },
		{ ARG_HAS(2, U64, 0x100000000), 0x100000000, true },
		{ ARG_HAS(2, INT, 6), 4, true },
		{ ARG_WITHIN(2, INT, 3, 5), 0xf00000003, true },
		{ ARG_WITHIN(2, INT, 3, 5), 6, false },
		{ ARG_WITHIN(2, INT, 3, 5), 2, false },
		{ ARG_WITHIN(2, U64, 3, 5), 0xf00000003, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t arguments[6] = { 0, 0, cases[i].argument };

		cr_assert_eq(
			arg_test_holds(&cases[i].test, arguments), cases[i].holds, "case %zu", i);
	}
}

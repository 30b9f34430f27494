/* Every verdict that a program can give, whatever the arguments are. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>

#include "core/base/attributes.h"
#include "core/plan/filter_verdicts.h"

#define TOKEN			 0xC000003E
#define NR			 offsetof(struct seccomp_data, nr)
#define ARCH			 offsetof(struct seccomp_data, arch)
#define ARG(number)		 (uint32_t)(offsetof(struct seccomp_data, args) + 8 * (number))
#define LOAD(offset)		 BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
#define IF_EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
#define ANSWER(value)		 BPF_STMT(BPF_RET | BPF_K, value)

static struct filter_verdicts find(
	const struct sock_filter *instructions, size_t count, uint32_t number)
{
	struct bpf_program program = { (struct sock_filter *)instructions, count };
	struct filter_verdicts verdicts = { 0 };

	cr_assert_eq(filter_verdicts_find(&program, TOKEN, number, &verdicts), 0);
	return verdicts;
}

static int find_error(const struct sock_filter *instructions, size_t count)
{
	struct bpf_program program = { (struct sock_filter *)instructions, count };
	struct filter_verdicts verdicts;

	return filter_verdicts_find(&program, TOKEN, 0, &verdicts);
}

Test(filter_verdicts, follows_number_and_architecture_exactly)
{
	const struct sock_filter program[] = {
		LOAD(ARCH),
		IF_EQUAL(TOKEN, 1, 0),
		ANSWER(9),
		LOAD(NR),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 10, 0, 1),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 20, 1, 0),
		ANSWER(1),
		ANSWER(2),
	};
	static const uint32_t wanted[][2] = { { 0, 1 }, { 9, 1 }, { 10, 1 }, { 20, 1 }, { 21, 2 } };

	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		struct filter_verdicts verdicts = find(program, ARRAY_LEN(program), wanted[i][0]);

		cr_expect_eq(verdicts.count, 1);
		cr_expect_eq(verdicts.values[0], wanted[i][1], "number %u", wanted[i][0]);
		cr_expect_not(verdicts.looks_at_arguments);
	}
}

Test(filter_verdicts, takes_both_ways_after_an_argument)
{
	const struct sock_filter program[] = {
		LOAD(NR),
		IF_EQUAL(5, 0, 6),
		LOAD(ARG(0)),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xff),
		IF_EQUAL(3, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x10, 0, 1),
		ANSWER(30),
		ANSWER(10),
		ANSWER(20),
	};

	struct filter_verdicts tested = find(program, ARRAY_LEN(program), 5);
	struct filter_verdicts untested = find(program, ARRAY_LEN(program), 6);

	cr_assert_eq(tested.count, 2);
	cr_assert_eq(tested.values[0], 10);
	cr_assert_eq(tested.values[1], 30);
	cr_assert(tested.looks_at_arguments);
	cr_assert_eq(untested.count, 1);
	cr_assert_eq(untested.values[0], 20);
	cr_assert_not(untested.looks_at_arguments);
}

Test(filter_verdicts, knows_the_number_again_when_it_is_loaded_again)
{
	const struct sock_filter program[] = {
		LOAD(ARG(1)),
		IF_EQUAL(3, 0, 1),
		ANSWER(1),
		LOAD(NR),
		IF_EQUAL(7, 0, 1),
		ANSWER(2),
		ANSWER(3),
	};

	struct filter_verdicts verdicts = find(program, ARRAY_LEN(program), 7);

	cr_assert_eq(verdicts.count, 2);
	cr_assert_eq(verdicts.values[0], 1);
	cr_assert_eq(verdicts.values[1], 2);
}

Test(filter_verdicts, refuses_what_it_cannot_follow)
{
	const struct sock_filter runs_off[] = { LOAD(NR) };
	const struct sock_filter outside[] = { LOAD(64), ANSWER(0) };
	const struct sock_filter unaligned[] = { LOAD(2), ANSWER(0) };
	const struct sock_filter register_return[] = { BPF_STMT(BPF_RET | BPF_A, 0) };
	const struct sock_filter jumps_off[] = { BPF_STMT(BPF_JMP | BPF_JA, 0xfffffff0),
		ANSWER(0) };

	cr_expect_eq(find_error(runs_off, 1), -EINVAL);
	cr_expect_eq(find_error(outside, 2), -EINVAL);
	cr_expect_eq(find_error(unaligned, 2), -EINVAL);
	cr_expect_eq(find_error(register_return, 1), -EINVAL);
	cr_expect_eq(find_error(jumps_off, 2), -EINVAL);
	cr_expect_eq(find_error(NULL, 0), -EINVAL);
}

Test(filter_verdicts, stays_quick_on_a_long_chain_of_tests)
{
	struct sock_filter *program = calloc(BPF_MAXINSNS, sizeof(*program));
	size_t count = 0;

	for (; count < BPF_MAXINSNS - 3; count += 3) {
		program[count] = (struct sock_filter)LOAD(ARG(count % 6));
		program[count + 1] = (struct sock_filter)IF_EQUAL(3, 0, 1);
		program[count + 2] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 7);
	}
	program[count] = (struct sock_filter)ANSWER(4);

	struct filter_verdicts verdicts = find(program, count + 1, 1);

	cr_assert_eq(verdicts.count, 1);
	free(program);
}

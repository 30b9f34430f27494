/* The interpreter runs what the kernel runs and refuses what it refuses. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <stddef.h>

#include "bpf/interpreter.h"

#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, value)
#define LOAD(offset)  BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)

static bool is_valid(struct sock_filter *instructions, size_t count)
{
	struct bpf_program program = { instructions, count };

	return bpf_program_is_valid(&program);
}

#define IS_VALID(...)                                                                              \
	is_valid((struct sock_filter[]){ __VA_ARGS__ },                                            \
		sizeof((struct sock_filter[]){ __VA_ARGS__ }) / sizeof(struct sock_filter))

Test(bpf_interpreter, accepts_what_the_kernel_accepts)
{
	cr_assert(IS_VALID(RETURN(0)));
	cr_assert(IS_VALID(LOAD(60), RETURN(0)));
	cr_assert(IS_VALID(BPF_STMT(BPF_JMP | BPF_JA, 1), RETURN(1), RETURN(0)));
	cr_assert(IS_VALID(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1, 1, 0), RETURN(1), RETURN(0)));
}

Test(bpf_interpreter, refuses_what_the_kernel_refuses)
{
	cr_assert_not(is_valid(NULL, 0));
	cr_assert_not(IS_VALID(LOAD(0)));
	cr_assert_not(IS_VALID(LOAD(2), RETURN(0)));
	cr_assert_not(IS_VALID(LOAD(64), RETURN(0)));
	cr_assert_not(IS_VALID(LOAD(0xfffffffc), RETURN(0)));
	cr_assert_not(IS_VALID(BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), RETURN(0)));
	cr_assert_not(IS_VALID(BPF_STMT(BPF_JMP | BPF_JA, 1), RETURN(0)));
	cr_assert_not(IS_VALID(BPF_STMT(BPF_JMP | BPF_JA, 0xffffffff), RETURN(0)));
	cr_assert_not(IS_VALID(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 1, 0), RETURN(0)));
	cr_assert_not(IS_VALID(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 1), RETURN(0)));
	cr_assert_not(IS_VALID(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 1)));
	cr_assert_not(IS_VALID(BPF_STMT(0xffff, 0), RETURN(0)));
}

struct branch_case {
	uint16_t condition;
	uint32_t k;
	int nr;
	bool taken;
};

Test(bpf_interpreter, takes_branches_by_unsigned_comparison)
{
	static const struct branch_case cases[] = {
		{ BPF_JEQ, 5, 5, true },
		{ BPF_JEQ, 5, 6, false },
		{ BPF_JGT, 5, 5, false },
		{ BPF_JGT, 5, 6, true },
		{ BPF_JGE, 5, 4, false },
		{ BPF_JGE, 5, 5, true },
		{ BPF_JGE, 5, -1, true },
		{ BPF_JGT, 0xfffffffe, -1, true },
		{ BPF_JSET, 6, 1, false },
		{ BPF_JSET, 6, 3, true },
		{ BPF_JSET, 0x80000000, -1, true },
		{ BPF_JSET, 0, -1, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sock_filter instructions[] = {
			LOAD(offsetof(struct seccomp_data, nr)),
			BPF_JUMP(
				(uint16_t)(BPF_JMP | cases[i].condition | BPF_K), cases[i].k, 0, 1),
			RETURN(1),
			RETURN(0),
		};
		struct bpf_program program = { instructions, 4 };
		struct seccomp_data call = { .nr = cases[i].nr };

		cr_assert_eq(bpf_program_run(&program, &call, NULL), cases[i].taken, "case %zu", i);
	}
}

Test(bpf_interpreter, counts_the_instructions_that_ran)
{
	struct sock_filter instructions[] = {
		LOAD(0),
		BPF_STMT(BPF_JMP | BPF_JA, 1),
		RETURN(1),
		RETURN(2),
	};
	struct bpf_program program = { instructions, 4 };
	struct seccomp_data call = { 0 };
	size_t steps = 0;

	cr_assert_eq(bpf_program_run(&program, &call, &steps), 2);
	cr_assert_eq(steps, 3u);
}

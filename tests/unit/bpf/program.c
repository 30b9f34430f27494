/* Programs are built backwards, and every jump arrives. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <errno.h>
#include <stddef.h>

#include "bpf/interpreter.h"
#include "bpf/program.h"

#define NR offsetof(struct seccomp_data, nr)

static uint32_t run(const struct bpf_program *program, int nr)
{
	struct seccomp_data call = { .nr = nr };

	cr_assert(bpf_program_is_valid(program));
	return bpf_program_run(program, &call, NULL);
}

/* A branch whose targets lie `filler` instructions apart from it. */
static void build_far_branch(struct bpf_program *ret_program, size_t filler)
{
	static struct bpf_builder builder;
	uint16_t yes, no, branch;

	bpf_builder_init(&builder);
	yes = bpf_emit_return(&builder, 1);
	no = bpf_emit_return(&builder, 2);
	for (size_t i = 0; i < filler; i++) {
		(void)bpf_emit_return(&builder, 3);
	}
	branch = bpf_emit_branch(&builder, BPF_JEQ, 7, yes, no);
	(void)bpf_emit_load(&builder, NR, branch);
	cr_assert_eq(bpf_builder_finish(&builder, ret_program), 0);
}

Test(bpf_program, reaches_targets_at_every_distance)
{
	static const size_t fillers[] = { 0, 1, 252, 253, 254, 255, 256, 257, 258, 1000, 4000 };

	for (size_t i = 0; i < sizeof(fillers) / sizeof(fillers[0]); i++) {
		cleanup_bpf_program struct bpf_program program = { 0 };

		build_far_branch(&program, fillers[i]);

		cr_assert_eq(run(&program, 7), 1, "%zu", fillers[i]);
		cr_assert_eq(run(&program, 8), 2, "%zu", fillers[i]);
	}
}

Test(bpf_program, adds_a_jump_only_where_a_byte_does_not_reach)
{
	cleanup_bpf_program struct bpf_program near = { 0 }, far = { 0 };

	build_far_branch(&near, 254);
	build_far_branch(&far, 256);

	cr_assert_eq(near.count, 254u + 4);
	cr_assert_eq(far.count, 256u + 4 + 2);
}

Test(bpf_program, falls_through_to_a_target_that_is_not_adjacent)
{
	static struct bpf_builder builder;
	cleanup_bpf_program struct bpf_program program = { 0 };
	uint16_t branch, mask;

	bpf_builder_init(&builder);
	branch = bpf_emit_branch(
		&builder, BPF_JEQ, 4, bpf_emit_return(&builder, 1), bpf_emit_return(&builder, 2));
	(void)bpf_emit_return(&builder, 3);
	mask = bpf_emit_and(&builder, 0xc, branch);
	(void)bpf_emit_return(&builder, 3);
	(void)bpf_emit_load(&builder, NR, mask);
	cr_assert_eq(bpf_builder_finish(&builder, &program), 0);

	cr_assert_eq(run(&program, 7), 1);
	cr_assert_eq(run(&program, 8), 2);
}

Test(bpf_program, refuses_to_grow_past_the_limit_of_the_kernel)
{
	static struct bpf_builder builder;
	struct bpf_program program = { 0 };
	uint16_t label;

	bpf_builder_init(&builder);
	label = bpf_emit_return(&builder, 0);
	for (size_t i = 0; i < BPF_MAXINSNS + 10; i++) {
		label = bpf_emit_branch(&builder, BPF_JEQ, 1, label, label);
	}

	cr_assert_eq(bpf_builder_finish(&builder, &program), -E2BIG);
	cr_assert_null(program.instructions);
}

Test(bpf_program, holds_as_many_instructions_as_the_kernel)
{
	static struct bpf_builder builder;
	cleanup_bpf_program struct bpf_program program = { 0 };

	bpf_builder_init(&builder);
	for (size_t i = 0; i < BPF_MAXINSNS; i++) {
		(void)bpf_emit_return(&builder, 5);
	}

	cr_assert_eq(bpf_builder_finish(&builder, &program), 0);
	cr_assert_eq(program.count, (size_t)BPF_MAXINSNS);
	cr_assert_eq(run(&program, 0), 5);
}

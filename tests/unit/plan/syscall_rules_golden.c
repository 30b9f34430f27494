/* The compiled filter against the golden tables, and one-instruction mutants of it. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>

#include "bpf/interpreter.h"
#include "core/plan/syscall_rules.h"
#include "tests/bpf/golden.h"

static struct syscall_choices choices_of(enum golden_run run)
{
	bool granted = run == GOLDEN_GRANTED;

	return (struct syscall_choices){
		.supervised = run != GOLDEN_UNSUPERVISED,
		.allowed_groups = granted ? (1u << SYSCALL_GROUP_COUNT) - 1 : 0,
		.tcp_sockets = granted,
		.listen = granted,
		.unix_sockets = granted,
	};
}

static uint64_t attempts(void)
{
	const char *counts = getenv("SANDLOCK_COUNTS");

	return counts != NULL && strcmp(counts, "full") == 0 ? 10000000 : 500000;
}

struct comparison {
	const struct golden *golden;
	enum golden_run run;
	struct bpf_program program;
	struct seccomp_data call; /* the one that differed */
	uint64_t compared;
};

static bool answers_agree(const struct seccomp_data *call, void *context)
{
	struct comparison *comparison = context;
	uint32_t wanted = golden_answer(comparison->golden, comparison->run, call);

	comparison->call = *call;
	comparison->compared++;
	return bpf_program_run(&comparison->program, call, NULL) == wanted;
}

static void assert_agrees(const struct comparison *comparison, bool agrees)
{
	const struct seccomp_data *call = &comparison->call;

	cr_assert(agrees, "run %d, arch %x, nr %d, args %llx %llx %llx %llx: program %x, table %x",
		comparison->run, call->arch, call->nr, call->args[0], call->args[1], call->args[2],
		call->args[3], bpf_program_run(&comparison->program, call, NULL),
		golden_answer(comparison->golden, comparison->run, call));
}

static void for_each_program(void (*check)(struct comparison *comparison))
{
	for (enum arch arch = 0; arch < ARCH_COUNT; arch++) {
		struct golden *golden = golden_load(arch_name(arch));

		for (enum golden_run run = 0; run < GOLDEN_RUNS; run++) {
			struct comparison comparison = { .golden = golden, .run = run };
			struct syscall_choices choices = choices_of(run);

			cr_assert_eq(syscall_rules_compile(arch, &choices, &comparison.program), 0);
			cr_assert(bpf_program_is_valid(&comparison.program));
			check(&comparison);
			bpf_program_finish(&comparison.program);
		}
		free(golden);
	}
}

static void check_walk(struct comparison *comparison)
{
	bool agrees = golden_walk(comparison->golden, comparison->run, answers_agree, comparison);

	assert_agrees(comparison, agrees);
	cr_assert_gt(comparison->compared, 3000);
}

Test(filter_golden, answers_every_constant_of_the_table_as_written)
{
	for_each_program(check_walk);
}

static void check_random(struct comparison *comparison)
{
	uint64_t state = 88172645463325252 + (uint64_t)comparison->run;

	for (uint64_t i = 0; i < attempts() / GOLDEN_RUNS; i++) {
		struct seccomp_data call =
			golden_random_call(comparison->golden, comparison->run, &state);

		assert_agrees(comparison, answers_agree(&call, comparison));
	}
}

Test(filter_golden, answers_random_calls_as_the_table_does)
{
	for_each_program(check_random);
}

/* Compiled filters answer what their trap sets say, whatever those are. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <linux/audit.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/filter.h"
#include "bpf/interpreter.h"

#define TOKEN AUDIT_ARCH_X86_64

static uint64_t random_state = 0x9e3779b97f4a7c15;

static uint64_t random_number(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Few enough values that a random call often meets a random test. */
static uint64_t random_value(void)
{
	static const uint64_t values[] = { 0, 1, 2, 3, 4, 8, 0xf, 0x10, 0xffff, 0x7fffffff,
		0x80000000, 0xffffffff, 0x100000000, 0x100000001, 0xffffffff00000000,
		0xffffffffffffffff };
	uint64_t value = values[random_number() % ARRAY_LEN(values)];

	return random_number() % 4 == 0 ? value ^ 1ULL << random_number() % 64 : value;
}

static struct arg_test random_test(void)
{
	struct arg_test test = {
		.argument = (uint8_t)(random_number() % 6),
		.type = (uint8_t)(random_number() % 3),
		.relation = (uint8_t)(random_number() % 4),
		.mask = random_value(),
		.value = random_value(),
	};
	uint64_t swap;

	if (test.type != ARG_U64) {
		test.mask = (uint32_t)test.mask;
		test.value = (uint32_t)test.value;
	}
	if (test.relation == ARG_MASKED_EQUAL) {
		test.mask |= 1; /* as a test must be able to hold and to fail */
		test.value &= test.mask;
	}
	if (test.relation == ARG_ANY_BIT) {
		test.mask |= 1;
	}
	if (test.relation == ARG_EQUAL) {
		test.mask = 0;
	}
	if (test.relation == ARG_IN_RANGE) {
		test.high = test.high >> 32 == test.low >> 32 ? test.high : test.low | 0xffffffff;
		swap = test.low;
		test.low = test.low < test.high ? test.low : test.high;
		test.high = swap > test.high ? swap : test.high;
		test.low += test.low == 0 ? 1 : 0;
		test.high += test.high == 0 ? 1 : 0;
	}
	return test;
}

#define CLAUSES 600
struct random_set {
	struct trap_set set;
	struct arg_clause clauses[CLAUSES];
	size_t clause_count;
};

static uint8_t random_verdict(bool notifies)
{
	static const uint8_t denials[] = { VERDICT_ALLOW, VERDICT_ENOSYS, VERDICT_EPERM,
		VERDICT_KILL };

	return notifies ? (uint8_t)(random_number() % 2) : denials[random_number() % 4];
}

static struct trap random_trap(struct random_set *random)
{
	bool notifies = random_number() % 2 == 0;
	struct trap trap = { .otherwise = random_verdict(notifies) };
	size_t count = random_number() % 3 == 0 ? random_number() % 5 : 0;

	if (random->clause_count + count > CLAUSES) {
		return trap;
	}
	trap.clauses = &random->clauses[random->clause_count];
	trap.clause_count = (uint16_t)count;
	for (size_t i = 0; i < count; i++) {
		struct arg_clause *clause = &random->clauses[random->clause_count++];

		*clause = (struct arg_clause){
			.test_count = (uint8_t)(random_number() % (ARG_CLAUSE_TESTS + 1)),
			.verdict = random_verdict(notifies),
		};
		for (size_t t = 0; t < clause->test_count; t++) {
			clause->tests[t] = random_test();
		}
	}
	return trap;
}

/* From a few numbers to nearly all, some with a second decision. */
static void fill_random_set(struct random_set *random)
{
	uint64_t density = 1 + random_number() % 16;

	trap_set_init(&random->set);
	random->clause_count = 0;
	for (uint32_t number = 0; number < TRAP_SET_NUMBERS; number++) {
		for (uint64_t i = random_number() % 17; i < density; i += 10) {
			struct trap trap = random_trap(random);

			if (random->set.chained_count < TRAP_SET_CHAINED) {
				cr_assert_eq(trap_set_add(&random->set, number, &trap), 0);
			}
		}
	}
}

static struct seccomp_data random_call(void)
{
	struct seccomp_data call = { .arch = TOKEN, .nr = (int)(random_number() % 520) };

	if (random_number() % 16 == 0) {
		call.nr = (int)random_number();
	}
	for (size_t i = 0; i < 6; i++) {
		call.args[i] = random_value();
	}
	return call;
}

static uint32_t model_answer(const struct trap_set *set, const struct seccomp_data *call)
{
	uint64_t arguments[6];

	memcpy(arguments, call->args, sizeof(arguments));
	return verdict_return_value(trap_set_verdict(set, (uint32_t)call->nr, arguments));
}

static void check_random_sets(enum filter_search search)
{
	const char *counts = getenv("SANDLOCK_COUNTS");
	size_t rounds = counts != NULL && strcmp(counts, "full") == 0 ? 2000 : 100;
	static struct random_set random;

	for (size_t round = 0; round < rounds; round++) {
		cleanup_bpf_program struct bpf_program program = { 0 };

		fill_random_set(&random);
		cr_assert_eq(filter_compile(&random.set, TOKEN, search, &program), 0);
		cr_assert(bpf_program_is_valid(&program));
		for (size_t i = 0; i < 2000; i++) {
			struct seccomp_data call = random_call();

			cr_assert_eq(bpf_program_run(&program, &call, NULL),
				model_answer(&random.set, &call), "round %zu, nr %d", round,
				call.nr);
		}
	}
}

Test(filter, answers_what_random_trap_sets_say)
{
	check_random_sets(FILTER_SEARCH_TREE);
}

Test(filter, answers_the_same_by_a_linear_search)
{
	check_random_sets(FILTER_SEARCH_LINE);
}

static const struct trap allow = { .otherwise = VERDICT_ALLOW };
static const struct trap deny = { .otherwise = VERDICT_EPERM };

static void compile(const struct trap_set *set, struct bpf_program *ret_program)
{
	cr_assert_eq(filter_compile(set, TOKEN, FILTER_SEARCH_TREE, ret_program), 0);
}

Test(filter, kills_a_foreign_architecture_after_two_instructions)
{
	static struct trap_set set;
	cleanup_bpf_program struct bpf_program program = { 0 };
	struct seccomp_data call = { .arch = AUDIT_ARCH_I386 };
	size_t steps = 0;
	uint32_t answer;

	trap_set_init(&set);
	cr_assert_eq(trap_set_add(&set, 0, &allow), 0);
	compile(&set, &program);
	answer = bpf_program_run(&program, &call, &steps);

	cr_assert_eq(answer, SECCOMP_RET_KILL_PROCESS);
	cr_assert_leq(steps, 3u); /* the third is the verdict */
}

Test(filter, does_not_know_the_x32_abi_nor_minus_one)
{
	static struct trap_set set;
	static const uint32_t numbers[] = { 0x40000000, 0x40000001, 0x400001ff, 512, 0x80000000,
		0xffffffff };
	cleanup_bpf_program struct bpf_program program = { 0 };

	trap_set_init(&set);
	for (uint32_t number = 0; number < TRAP_SET_NUMBERS; number++) {
		cr_assert_eq(trap_set_add(&set, number, &allow), 0);
	}
	compile(&set, &program);

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		struct seccomp_data call = { .arch = TOKEN, .nr = (int)numbers[i] };

		cr_assert_eq(bpf_program_run(&program, &call, NULL),
			verdict_return_value(VERDICT_ENOSYS), "%x", numbers[i]);
	}
}

static const struct arg_clause first_is_one[] = {
	{ .tests = { ARG_IS(0, INT, 1) }, .test_count = 1, .verdict = VERDICT_EPERM },
};
static const struct arg_clause first_is_one_again[] = {
	{ .tests = { ARG_IS(0, INT, 1) }, .test_count = 1, .verdict = VERDICT_EPERM },
};

Test(filter, shares_equal_blocks_of_tests)
{
	static struct trap_set set;
	cleanup_bpf_program struct bpf_program one = { 0 }, two = { 0 };
	struct trap trap = { .clauses = first_is_one, .clause_count = 1 };
	struct trap same = { .clauses = first_is_one_again, .clause_count = 1 };

	trap_set_init(&set);
	cr_assert_eq(trap_set_add(&set, 10, &trap), 0);
	compile(&set, &one);
	cr_assert_eq(trap_set_add(&set, 20, &same), 0);
	compile(&set, &two);

	cr_assert_leq(two.count, one.count + 2); /* a number to find, no second block */
}

/* Loads of arguments that a walk through the program with this number can meet. */
static bool loads_an_argument(const struct bpf_program *program, uint32_t number)
{
	struct sock_filter copy[BPF_MAXINSNS];
	struct bpf_program probe = { copy, program->count };
	struct seccomp_data call = { .arch = TOKEN, .nr = (int)number };
	uint32_t marker = SECCOMP_RET_TRACE | 0x1234;

	memcpy(copy, program->instructions, program->count * sizeof(*copy));
	for (size_t i = 0; i < program->count; i++) {
		if (BPF_CLASS(copy[i].code) == BPF_LD && copy[i].k >= 16) {
			copy[i] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, marker);
		}
	}
	return bpf_program_run(&probe, &call, NULL) == marker;
}

Test(filter, loads_arguments_only_for_numbers_with_tests)
{
	static struct random_set random;
	cleanup_bpf_program struct bpf_program program = { 0 };
	size_t tested = 0;

	fill_random_set(&random);
	compile(&random.set, &program);

	for (uint32_t number = 0; number < TRAP_SET_NUMBERS + 8; number++) {
		const struct trap *trap = trap_set_get(&random.set, number);

		if (trap == NULL || trap->clause_count == 0) {
			cr_assert_not(trap == NULL && loads_an_argument(&program, number));
			cr_assert_not(trap != NULL && trap_set_next(&random.set, trap) == NULL &&
					      loads_an_argument(&program, number),
				"%u", number);
		} else {
			tested++;
		}
	}
	cr_assert_gt(tested, 10u);
}

Test(filter, has_no_instruction_that_nothing_reaches)
{
	static struct random_set random;
	cleanup_bpf_program struct bpf_program program = { 0 };
	static bool reached[BPF_MAXINSNS];

	fill_random_set(&random);
	compile(&random.set, &program);
	reached[0] = true;
	for (size_t at = 0; at < program.count; at++) {
		const struct sock_filter *instruction = &program.instructions[at];

		cr_assert(reached[at], "instruction %zu of %zu", at, program.count);
		if (instruction->code == (BPF_JMP | BPF_JA)) {
			reached[at + 1 + instruction->k] = true;
		} else if (BPF_CLASS(instruction->code) == BPF_JMP) {
			reached[at + 1 + instruction->jt] = true;
			reached[at + 1 + instruction->jf] = true;
		} else if (BPF_CLASS(instruction->code) != BPF_RET) {
			reached[at + 1] = true;
		}
	}
}

Test(filter, finds_every_number_among_hundreds_of_exceptions)
{
	static struct trap_set set;
	cleanup_bpf_program struct bpf_program program = { 0 };
	size_t steps, worst = 0;

	trap_set_init(&set);
	for (uint32_t number = 0; number < TRAP_SET_NUMBERS; number++) {
		cr_assert_eq(trap_set_add(&set, number, number % 2 == 0 ? &allow : &deny), 0);
	}
	compile(&set, &program);

	for (uint32_t number = 0; number < TRAP_SET_NUMBERS; number++) {
		struct seccomp_data call = { .arch = TOKEN, .nr = (int)number };

		cr_assert_eq(bpf_program_run(&program, &call, &steps),
			verdict_return_value(number % 2 == 0 ? VERDICT_ALLOW : VERDICT_EPERM));
		worst = worst > steps ? worst : steps;
	}
	cr_assert_leq(worst, 24u); /* a tree: not the 256 exceptions in a line */
}

/* The same rules through libseccomp's generator give the same verdicts.
 *
 * libseccomp has no order among the rules of one call and one action for everything else, so every
 * tested call gets a program of its own, whose default is what the call gets when no clause holds;
 * the calls without tests share one, whose default is the answer to unknown numbers. */
// SPDX-License-Identifier: Apache-2.0
/* native only: Debian has libseccomp for its own processor only */

#include <criterion/criterion.h>
#include <errno.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bpf/interpreter.h"
#include "core/plan/syscall_rules.h"
#include "tests/bpf/golden.h"

static uint32_t action_of(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_ALLOW:
		return SCMP_ACT_ALLOW;
	case VERDICT_EPERM:
		return SCMP_ACT_ERRNO(EPERM);
	case VERDICT_ENOSYS:
		return SCMP_ACT_ERRNO(ENOSYS);
	default:
		cr_assert_fail("no rule has the verdict %d", verdict);
		return SCMP_ACT_KILL_PROCESS;
	}
}

/* The program that libseccomp makes, read back through a file in memory. */
static void export(scmp_filter_ctx filter, struct bpf_program *ret_program)
{
	int fd = memfd_create("oracle", MFD_CLOEXEC);
	off_t size;

	cr_assert_geq(fd, 0);
	cr_assert_eq(seccomp_export_bpf(filter, fd), 0);
	size = lseek(fd, 0, SEEK_END);
	cr_assert_gt(size, 0);
	ret_program->instructions = malloc((size_t)size);
	ret_program->count = (size_t)size / sizeof(struct sock_filter);
	cr_assert_eq(pread(fd, ret_program->instructions, (size_t)size, 0), size);
	cr_assert_eq(close(fd), 0);
	cr_assert(bpf_program_is_valid(ret_program));
}

static scmp_filter_ctx create(enum verdict otherwise)
{
	scmp_filter_ctx filter = seccomp_init(action_of(otherwise));

	cr_assert_not_null(filter);
	cr_assert_eq(seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), 0);
	return filter;
}

static void add_rule(scmp_filter_ctx filter, enum verdict verdict, int nr,
	const struct scmp_arg_cmp *comparisons, unsigned count)
{
	int r = seccomp_rule_add_exact_array(filter, action_of(verdict), nr, count, comparisons);

	cr_assert(r == 0 || r == -EEXIST, "%d: %d", nr, r);
}

/* libseccomp compares 64 bits unless a mask leaves the upper half out. */
static struct scmp_arg_cmp equal(const struct arg_test *test, uint64_t mask, uint64_t value)
{
	uint64_t width = test->type == ARG_U64 ? UINT64_MAX : UINT32_MAX;

	return SCMP_CMP64(test->argument, SCMP_CMP_MASKED_EQ, mask & width, value);
}

/* A range has no rule of its own: one for each value that no clause before decides. */
static void add_range(scmp_filter_ctx filter, int nr, const struct trap *trap, size_t clause)
{
	const struct arg_test *test = &trap->clauses[clause].tests[0];

	cr_assert_eq(trap->clauses[clause].test_count, 1);
	cr_assert_leq(test->high - test->low, 256u);
	for (uint64_t value = test->low; value <= test->high; value++) {
		struct scmp_arg_cmp comparison = equal(test, UINT64_MAX, value);
		uint64_t arguments[6] = { 0 };

		arguments[test->argument] = value;
		if (trap_verdict(trap, arguments) == trap->clauses[clause].verdict) {
			add_rule(filter, trap->clauses[clause].verdict, nr, &comparison, 1);
		}
	}
}

static void add_any_bit(scmp_filter_ctx filter, int nr, const struct arg_clause *clause)
{
	const struct arg_test *test = &clause->tests[0];

	cr_assert_eq(clause->test_count, 1);
	for (int bit = 0; bit < 64; bit++) {
		uint64_t mask = 1ULL << bit;
		struct scmp_arg_cmp comparison = equal(test, mask, mask);

		if ((test->mask & mask) != 0) {
			add_rule(filter, clause->verdict, nr, &comparison, 1);
		}
	}
}

static void add_clause(scmp_filter_ctx filter, int nr, const struct trap *trap, size_t index)
{
	const struct arg_clause *clause = &trap->clauses[index];
	struct scmp_arg_cmp comparisons[ARG_CLAUSE_TESTS];

	if (clause->verdict == trap->otherwise) {
		return; /* the default says it; what it takes from later clauses is left out there
			 */
	}
	if (clause->tests[0].relation == ARG_IN_RANGE) {
		add_range(filter, nr, trap, index);
		return;
	}
	if (clause->tests[0].relation == ARG_ANY_BIT) {
		add_any_bit(filter, nr, clause);
		return;
	}
	for (size_t t = 0; t < clause->test_count; t++) {
		const struct arg_test *test = &clause->tests[t];
		uint64_t mask = test->relation == ARG_EQUAL ? UINT64_MAX : test->mask;

		comparisons[t] = equal(test, mask, test->value);
	}
	add_rule(filter, clause->verdict, nr, comparisons, clause->test_count);
}

/* Calls that the filter answers as the oracle for their number does. */
static void compare(const struct bpf_program *program, const struct bpf_program *oracle,
	const struct golden *golden, enum golden_run run, int nr)
{
	uint64_t state = 0x853c49e6748fea9b + (uint64_t)nr;

	for (int i = 0; i < 2000; i++) {
		struct seccomp_data call = golden_random_call(golden, run, &state);

		call.nr = nr;
		for (size_t a = 0; a < 6; a++) {
			call.args[a] = golden_random_argument(&golden->rows[nr], run, &state);
		}
		cr_assert_eq(bpf_program_run(program, &call, NULL),
			bpf_program_run(oracle, &call, NULL), "nr %d, args %llx %llx %llx %llx", nr,
			call.args[0], call.args[1], call.args[2], call.args[3]);
	}
}

static void check_run(const struct golden *golden, enum golden_run run)
{
	bool granted = run == GOLDEN_GRANTED;
	struct syscall_choices choices = {
		.supervised = run != GOLDEN_UNSUPERVISED,
		.allowed_groups = granted ? (1u << SYSCALL_GROUP_COUNT) - 1 : 0,
		.tcp_sockets = granted,
		.listen = granted,
		.unix_sockets = granted,
	};
	static struct syscall_traps traps;
	cleanup_bpf_program struct bpf_program program = { 0 }, plain_oracle = { 0 };
	scmp_filter_ctx plain = create(VERDICT_ENOSYS);
	size_t tested = 0;

	cr_assert_eq(syscall_rules_collect(ARCH_NATIVE, &choices, &traps), 0);
	cr_assert_eq(syscall_rules_compile(ARCH_NATIVE, &choices, &program), 0);
	for (int nr = 0; nr < TRAP_SET_NUMBERS; nr++) {
		const struct trap *trap = trap_set_get(&traps.set, (uint32_t)nr);
		cleanup_bpf_program struct bpf_program oracle = { 0 };
		scmp_filter_ctx filter;

		if (trap == NULL ||
			(trap->clause_count == 0 && trap->otherwise == VERDICT_ENOSYS)) {
			continue;
		}
		if (trap->clause_count == 0) {
			add_rule(plain, trap->otherwise, nr, NULL, 0);
			continue;
		}
		filter = create(trap->otherwise);
		for (size_t clause = 0; clause < trap->clause_count; clause++) {
			add_clause(filter, nr, trap, clause);
		}
		export(filter, &oracle);
		seccomp_release(filter);
		compare(&program, &oracle, golden, run, nr);
		tested++;
	}
	cr_assert_gt(tested, 10u);
	export(plain, &plain_oracle);
	seccomp_release(plain);
	for (int nr = 0; nr < TRAP_SET_NUMBERS; nr++) {
		const struct trap *trap = trap_set_get(&traps.set, (uint32_t)nr);

		if (trap == NULL || trap->clause_count == 0) {
			compare(&program, &plain_oracle, golden, run, nr);
		}
	}
}

Test(syscall_rules_oracle, gives_the_verdicts_of_the_filter)
{
	struct golden *golden = golden_load(arch_name(ARCH_NATIVE));

	for (enum golden_run run = 0; run < GOLDEN_RUNS; run++) {
		check_run(golden, run);
	}
	free(golden);
}

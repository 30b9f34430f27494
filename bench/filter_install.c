/* What it costs to compile and to install the filter of a default policy, beside the same verdicts
 * found by a linear search.  Each installation happens in a child of its own.
 * Writes TSV: name, median, p10 and p90 in microseconds. */
// SPDX-License-Identifier: Apache-2.0

#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bpf/filter.h"
#include "core/plan/syscall_rules.h"

#define ROUNDS 200

enum variant { VARIANT_TREE, VARIANT_LINE, VARIANT_COMPILE, VARIANT_COUNT };

static const char *const variant_names[VARIANT_COUNT] = {
	[VARIANT_TREE] = "filter_install",
	[VARIANT_LINE] = "filter_install_linear",
	[VARIANT_COMPILE] = "filter_compile",
};

static double now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* The time that one installation takes in a fresh child, as the child saw it. */
static double install_us(const struct bpf_program *program, double *shared)
{
	struct sock_fprog filter = { (unsigned short)program->count, program->instructions };
	double start;
	pid_t child;
	int status;

	child = fork();
	if (child < 0) {
		fail("fork");
	}
	if (child == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
			fail("prctl");
		}
		start = now_us();
		if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) != 0) {
			fail("seccomp");
		}
		*shared = now_us() - start;
		_exit(0);
	}
	if (waitpid(child, &status, 0) != child || status != 0) {
		fprintf(stderr, "filter_install: a child failed\n");
		exit(1);
	}
	return *shared;
}

static double compile_us(const struct syscall_choices *choices)
{
	struct bpf_program program = { 0 };
	double start = now_us(), elapsed;

	if (syscall_rules_compile(ARCH_NATIVE, choices, &program) < 0) {
		fail("syscall_rules_compile");
	}
	elapsed = now_us() - start;
	bpf_program_finish(&program);
	return elapsed;
}

static int compare_doubles(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

int main(void)
{
	static const struct syscall_choices choices = { .supervised = true };
	static struct syscall_traps traps;
	static double times[VARIANT_COUNT][ROUNDS];
	struct bpf_program tree = { 0 }, line = { 0 };
	double *shared = mmap(
		NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED) {
		fail("mmap");
	}
	if (syscall_rules_compile(ARCH_NATIVE, &choices, &tree) < 0 ||
		syscall_rules_collect(ARCH_NATIVE, &choices, &traps) < 0 ||
		filter_compile(
			&traps.set, arch_audit_token(ARCH_NATIVE), FILTER_SEARCH_LINE, &line) < 0) {
		fail("compile");
	}
	for (size_t round = 0; round < ROUNDS; round++) {
		times[VARIANT_TREE][round] = install_us(&tree, shared);
		times[VARIANT_LINE][round] = install_us(&line, shared);
		times[VARIANT_COMPILE][round] = compile_us(&choices);
	}
	for (enum variant variant = 0; variant < VARIANT_COUNT; variant++) {
		qsort(times[variant], ROUNDS, sizeof(double), compare_doubles);
		printf("%s\t%.1f\t%.1f\t%.1f\n", variant_names[variant], times[variant][ROUNDS / 2],
			times[variant][ROUNDS / 10], times[variant][ROUNDS * 9 / 10]);
	}
	fprintf(stderr, "%zu instructions\n", tree.count);
	bpf_program_finish(&tree);
	bpf_program_finish(&line);
	return 0;
}

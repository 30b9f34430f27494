/* Reads golden-<arch>.tsv and says what the filter must answer.  Knows nothing of the rows or of
 * the generator: whoever changes a verdict changes two texts that do not see each other.
 *
 * Also makes the calls that tell two programs apart: the constants of the table, their neighbours,
 * and every single bit. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_BPF_GOLDEN_H
#define TESTS_BPF_GOLDEN_H

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOLDEN_NUMBERS 512
#define GOLDEN_CLAUSES 32
#define GOLDEN_TESTS   3

enum golden_run { GOLDEN_SUPERVISED, GOLDEN_UNSUPERVISED, GOLDEN_GRANTED, GOLDEN_RUNS };

enum golden_verdict { GOLDEN_ALLOW, GOLDEN_EPERM, GOLDEN_ENOSYS };

struct golden_test {
	unsigned argument;
	bool wide;		/* 64 bits */
	char relation;		/* '=' equal, '.' range, '/' equal under a mask, '*' any bit */
	uint64_t first, second; /* value; low, high; mask, value; mask */
};

struct golden_clause {
	struct golden_test tests[GOLDEN_TESTS];
	size_t test_count;
	enum golden_verdict verdict;
};

struct golden_row {
	char name[40]; /* empty: no such number */
	struct {
		struct golden_clause clauses[GOLDEN_CLAUSES];
		size_t clause_count;
		enum golden_verdict otherwise;
	} runs[GOLDEN_RUNS];
};

struct golden {
	uint32_t audit_token;
	struct golden_row rows[GOLDEN_NUMBERS];
};

static inline void golden_fail(const char *file, size_t line, const char *what)
{
	fprintf(stderr, "%s:%zu: %s\n", file, line, what);
	abort();
}

static inline bool golden_parse_verdict(const char *text, enum golden_verdict *ret_verdict)
{
	static const char *const names[] = { "ALLOW", "EPERM", "ENOSYS" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(text, names[i]) == 0) {
			*ret_verdict = (enum golden_verdict)i;
			return true;
		}
	}
	return false;
}

/* aN=V  aN=V..W  aN/M=V  aN*M, or the same with q. */
static inline bool golden_parse_test(char *text, struct golden_test *ret_test)
{
	struct golden_test test = { .wide = text[0] == 'q' };
	char *end;

	if ((text[0] != 'a' && text[0] != 'q') || text[1] < '0' || text[1] > '5') {
		return false;
	}
	test.argument = (unsigned)(text[1] - '0');
	test.relation = text[2];
	test.first = strtoull(text + 3, &end, 0);
	if (test.relation == '=' && end[0] == '.' && end[1] == '.') {
		test.relation = '.';
		test.second = strtoull(end + 2, &end, 0);
	} else if (test.relation == '/' && end[0] == '=') {
		test.second = strtoull(end + 1, &end, 0);
	} else if (test.relation != '=' && test.relation != '*') {
		return false;
	}
	*ret_test = test;
	return *end == '\0';
}

static inline bool golden_parse_clause(char *text, struct golden_clause *ret_clause)
{
	char *verdict = strchr(text, '>'), *save;

	if (verdict == NULL) {
		return false;
	}
	*verdict++ = '\0';
	ret_clause->test_count = 0;
	for (char *test = strtok_r(text, ",", &save); test != NULL;
		test = strtok_r(NULL, ",", &save)) {
		if (ret_clause->test_count == GOLDEN_TESTS ||
			!golden_parse_test(test, &ret_clause->tests[ret_clause->test_count++])) {
			return false;
		}
	}
	return golden_parse_verdict(verdict, &ret_clause->verdict);
}

static inline bool golden_parse_run(char *text, struct golden_row *row, enum golden_run run)
{
	char *save, *next, *clause = strtok_r(text, ";", &save);

	for (; clause != NULL; clause = next) {
		next = strtok_r(NULL, ";", &save);
		if (next == NULL) {
			return golden_parse_verdict(clause, &row->runs[run].otherwise);
		}
		if (row->runs[run].clause_count == GOLDEN_CLAUSES ||
			!golden_parse_clause(
				clause, &row->runs[run].clauses[row->runs[run].clause_count++])) {
			return false;
		}
	}
	return false;
}

/* Ends the program with a message when the file is missing or malformed.  The caller frees. */
static inline struct golden *golden_load(const char *arch)
{
	static const struct {
		const char *arch;
		uint32_t token;
	} tokens[] = {
		{ "x86_64", AUDIT_ARCH_X86_64 },
		{ "aarch64", AUDIT_ARCH_AARCH64 },
		{ "riscv64", AUDIT_ARCH_RISCV64 },
	};
	struct golden *golden = calloc(1, sizeof(*golden));
	char path[64], line[4096];
	size_t number = 0;
	FILE *file;

	(void)snprintf(path, sizeof(path), "tests/bpf/golden-%s.tsv", arch);
	file = fopen(path, "re");
	if (golden == NULL || file == NULL) {
		golden_fail(path, 0, "cannot be read");
	}
	for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
		if (strcmp(tokens[i].arch, arch) == 0) {
			golden->audit_token = tokens[i].token;
		}
	}
	while (fgets(line, sizeof(line), file) != NULL) {
		char *save, *field = strtok_r(line, "\t\n", &save);
		struct golden_row *row;
		unsigned long nr;

		number++;
		if (line[0] == '#') {
			continue;
		}
		nr = field == NULL ? GOLDEN_NUMBERS : strtoul(field, NULL, 10);
		field = strtok_r(NULL, "\t\n", &save);
		if (nr >= GOLDEN_NUMBERS || field == NULL) {
			golden_fail(path, number, "needs a number and a name");
		}
		row = &golden->rows[nr];
		(void)snprintf(row->name, sizeof(row->name), "%s", field);
		for (enum golden_run run = 0; run < GOLDEN_RUNS; run++) {
			field = strtok_r(NULL, "\t\n", &save);
			if (field == NULL || !golden_parse_run(field, row, run)) {
				golden_fail(path, number, "malformed verdict");
			}
		}
	}
	(void)fclose(file); /* only read */
	return golden;
}

static inline bool golden_test_holds(
	const struct golden_test *test, const struct seccomp_data *call)
{
	uint64_t argument = call->args[test->argument];

	if (!test->wide) {
		argument &= 0xffffffff;
	}
	switch (test->relation) {
	case '=':
		return argument == test->first;
	case '.':
		return test->first <= argument && argument <= test->second;
	case '/':
		return (argument & test->first) == test->second;
	default:
		return (argument & test->first) != 0;
	}
}

static inline enum golden_verdict golden_row_verdict(
	const struct golden_row *row, enum golden_run run, const struct seccomp_data *call)
{
	for (size_t i = 0; i < row->runs[run].clause_count; i++) {
		const struct golden_clause *clause = &row->runs[run].clauses[i];
		bool holds = true;

		for (size_t t = 0; t < clause->test_count; t++) {
			holds = holds && golden_test_holds(&clause->tests[t], call);
		}
		if (holds) {
			return clause->verdict;
		}
	}
	return row->runs[run].otherwise;
}

/* The value that the program must return to the kernel. */
static inline uint32_t golden_answer(
	const struct golden *golden, enum golden_run run, const struct seccomp_data *call)
{
	static const uint32_t answers[] = {
		[GOLDEN_ALLOW] = SECCOMP_RET_ALLOW,
		[GOLDEN_EPERM] = SECCOMP_RET_ERRNO | EPERM,
		[GOLDEN_ENOSYS] = SECCOMP_RET_ERRNO | ENOSYS,
	};
	uint32_t nr = (uint32_t)call->nr;

	if (call->arch != golden->audit_token) {
		return SECCOMP_RET_KILL_PROCESS;
	}
	if (nr >= GOLDEN_NUMBERS || golden->rows[nr].name[0] == '\0') {
		return answers[GOLDEN_ENOSYS];
	}
	return answers[golden_row_verdict(&golden->rows[nr], run, call)];
}

/* Called with every interesting call in turn; false ends the walk. */
typedef bool (*golden_visitor)(const struct seccomp_data *call, void *context);

/* One argument takes the values around a constant: itself, its neighbours, each bit flipped. */
static inline bool golden_visit_constant(struct seccomp_data call, unsigned argument,
	uint64_t constant, golden_visitor visit, void *context)
{
	for (int bit = -3; bit < 64; bit++) {
		call.args[argument] = bit < -2	? constant
				      : bit < 0 ? constant + (bit == -2 ? 1 : (uint64_t)-1)
						: constant ^ (1ULL << bit);
		if (!visit(&call, context)) {
			return false;
		}
	}
	return true;
}

static inline bool golden_visit_bits(
	struct seccomp_data call, unsigned argument, golden_visitor visit, void *context)
{
	for (int bit = 0; bit < 64; bit++) {
		call.args[argument] = 1ULL << bit;
		if (!visit(&call, context)) {
			return false;
		}
	}
	return true;
}

/* Gives the arguments that a clause tests values that meet it. */
static inline void golden_meet_clause(const struct golden_clause *clause, struct seccomp_data *call)
{
	for (size_t t = 0; t < clause->test_count; t++) {
		const struct golden_test *test = &clause->tests[t];

		call->args[test->argument] = test->relation == '/' ? test->second : test->first;
	}
}

/* Around the point where a clause holds, one argument moved at a time. */
static inline bool golden_visit_clause(const struct golden_clause *clause, struct seccomp_data call,
	golden_visitor visit, void *context)
{
	golden_meet_clause(clause, &call);
	if (!visit(&call, context)) {
		return false;
	}
	for (size_t t = 0; t < clause->test_count; t++) {
		const struct golden_test *test = &clause->tests[t];
		uint64_t value = call.args[test->argument];

		if (!golden_visit_constant(call, test->argument, value, visit, context) ||
			(test->relation == '.' && !golden_visit_constant(call, test->argument,
							  test->second, visit, context)) ||
			!golden_visit_bits(call, test->argument, visit, context)) {
			return false;
		}
	}
	return true;
}

/* One number, its own clause met (NULL: it has none), with the other arguments such that any clause
 * of any row would decide: a jump into the tests of a neighbour is noticed. */
static inline bool golden_visit_strangers(const struct golden *golden, enum golden_run run, int nr,
	const struct golden_clause *own, golden_visitor visit, void *context)
{
	for (uint32_t i = 0; i < 2 * GOLDEN_NUMBERS; i++) {
		const struct golden_row *stranger = &golden->rows[i / 2];

		for (size_t c = 0; c < stranger->runs[run].clause_count; c++) {
			struct seccomp_data call = { .nr = nr, .arch = golden->audit_token };

			memset(call.args, i % 2 == 0 ? 0 : -1, sizeof(call.args));
			golden_meet_clause(&stranger->runs[run].clauses[c], &call);
			if (own != NULL) {
				golden_meet_clause(own, &call);
			}
			if (!visit(&call, context)) {
				return false;
			}
		}
	}
	return true;
}

/* Every number with plain arguments, foreign architectures and far numbers, then every constant of
 * the table.  False if the visitor ended it. */
static inline bool golden_walk(
	const struct golden *golden, enum golden_run run, golden_visitor visit, void *context)
{
	static const uint32_t far_numbers[] = { 0x40000000, 0x40000001, 0x40000106, 0x400001d5,
		0x40000200, 0x7fffffff, 0x80000000, 0xc0000000, 0xfffffffe, 0xffffffff };
	static const uint32_t tokens[] = { 0, 1, AUDIT_ARCH_I386, AUDIT_ARCH_X86_64,
		AUDIT_ARCH_AARCH64, AUDIT_ARCH_RISCV64, AUDIT_ARCH_ARM, 0xffffffff };
	struct seccomp_data call = { .arch = golden->audit_token };

	for (uint32_t nr = 0; nr < 2 * GOLDEN_NUMBERS; nr++) {
		call.nr = (int)nr;
		for (int pattern = -1; pattern < 1; pattern++) {
			memset(call.args, pattern, sizeof(call.args));
			if (!visit(&call, context)) {
				return false;
			}
		}
	}
	for (size_t i = 0; i < sizeof(far_numbers) / sizeof(far_numbers[0]) + 32; i++) {
		call.nr = i < 32 ? (int)(1u << i) : (int)far_numbers[i - 32];
		if (!visit(&call, context)) {
			return false;
		}
	}
	for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]) + 34; i++) {
		call.nr = 0;
		call.arch = i < 32    ? golden->audit_token ^ (1u << i)
			    : i == 32 ? golden->audit_token + 1
			    : i == 33 ? golden->audit_token - 1
				      : tokens[i - 34];
		if (!visit(&call, context)) {
			return false;
		}
	}
	for (uint32_t nr = 0; nr < GOLDEN_NUMBERS; nr++) {
		const struct golden_row *row = &golden->rows[nr];

		call = (struct seccomp_data){ .nr = (int)nr, .arch = golden->audit_token };
		for (size_t i = 0; i < row->runs[run].clause_count; i++) {
			const struct golden_clause *clause = &row->runs[run].clauses[i];

			if (!golden_visit_clause(clause, call, visit, context) ||
				!golden_visit_strangers(
					golden, run, call.nr, clause, visit, context)) {
				return false;
			}
		}
		if (!golden_visit_strangers(golden, run, call.nr, NULL, visit, context)) {
			return false;
		}
	}
	return true;
}

/* A small generator of our own, so that a failure can be repeated from its seed. */
static inline uint64_t golden_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* A constant of the row, or a number as programs use them. */
static inline uint64_t golden_random_argument(
	const struct golden_row *row, enum golden_run run, uint64_t *state)
{
	uint64_t kind = golden_random(state) % 8;
	uint64_t value = golden_random(state);

	if (kind < 5 && row->runs[run].clause_count > 0) {
		const struct golden_clause *clause =
			&row->runs[run].clauses[golden_random(state) % row->runs[run].clause_count];
		const struct golden_test *test =
			&clause->tests[golden_random(state) % clause->test_count];

		value = golden_random(state) % 2 == 0 ? test->first : test->second;
		value += kind == 1 ? 1 : kind == 2 ? (uint64_t)-1 : 0;
		value ^= kind == 3 ? 1ULL << golden_random(state) % 64 : 0;
		return kind == 4 ? value | golden_random(state) << 32 : value; /* garbage above */
	}
	return kind == 5 ? value % 16 : kind == 6 ? 1ULL << value % 64 : value;
}

static inline struct seccomp_data golden_random_call(
	const struct golden *golden, enum golden_run run, uint64_t *state)
{
	static const struct golden_row no_row = { 0 };
	const struct golden_row *row = &no_row;
	struct seccomp_data call = { .arch = golden->audit_token };
	uint64_t kind = golden_random(state) % 32;

	call.nr = (int)(golden_random(state) % 480);
	if (kind == 0) {
		call.nr = (int)golden_random(state);
	} else if (kind == 1) {
		call.nr |= 0x40000000;
	} else if (kind == 2) {
		call.arch ^= 1u << golden_random(state) % 32;
	} else if (kind < 16) { /* rows with tests deserve most of the attempts */
		for (int i = 0; i < 64 && row->runs[run].clause_count == 0; i++) {
			call.nr = (int)(golden_random(state) % GOLDEN_NUMBERS);
			row = &golden->rows[call.nr];
		}
	}
	if (call.nr >= 0 && call.nr < GOLDEN_NUMBERS) {
		row = &golden->rows[call.nr];
	}
	for (size_t i = 0; i < 6; i++) {
		call.args[i] = golden_random_argument(row, run, state);
	}
	call.instruction_pointer = golden_random(state);
	return call;
}

#endif

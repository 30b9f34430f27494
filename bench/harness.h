/* Interleaved rounds over variants of one thing, and their spread: what every bench shares. Reports
 * only; nothing here judges a time. */
// SPDX-License-Identifier: Apache-2.0
#ifndef BENCH_HARNESS_H
#define BENCH_HARNESS_H

#include <stdbool.h>
#include <stddef.h>

/* The grants that every program gets: the six rules of the floor. */
#define SIX_RULES                                                                                  \
	"-r", "/usr", "-r", "/lib", "-r", "/lib64", "-r", "/bin", "-r", "/etc", "-w", "/tmp"

#define ARGUMENTS_MAX 48

struct spread {
	double median, p10, p90;
};

/* One way of doing the same thing. */
struct variant {
	const char *name;
	char *const *argv;   /* NULL-terminated, absolute path first; borrowed */
	const char *skipped; /* why it is not measured, NULL if it is; borrowed, or .failure */
	char failure[64];
	double *samples; /* owned: one per round, in the order of the rounds */
};

/* Takes one sample of a variant.  Returns false and the reason if it did not work, which ends the
 * measuring of that variant. */
typedef bool (*sample_fn)(
	const struct variant *variant, double *ret_value, const char **ret_reason);

/* Measures every variant that is not skipped once a round, each round beginning with another one,
 * so that a drift of the machine meets all alike.  `warm_ups` rounds before are thrown away. */
void variants_measure(
	struct variant *variants, size_t count, size_t rounds, size_t warm_ups, sample_fn take);
void variants_finish(struct variant *variants, size_t count);

/* Microseconds from before posix_spawn to after wait.  The command must exit with 0. */
bool sample_spawn(const struct variant *variant, double *ret_value, const char **ret_reason);

/* The last number that the command prints; it must exit with 0. */
bool sample_output(const struct variant *variant, double *ret_value, const char **ret_reason);

/* Of `count` values; reorders nothing.  count must be at least 1. */
struct spread spread_of(const double *values, size_t count);

/* The spread of values[i] - base[i], and of values[i] / base[i]: pairs of one round. */
struct spread spread_of_difference(const double *values, const double *base, size_t count);
struct spread spread_of_ratio(const double *values, const double *base, size_t count);

/* One line of the table: row, variant, median, p10, p90, unit, ratio_to, ratio.  ratio_to NULL: the
 * line has no ratio. */
void report_line(const char *row, const char *variant, struct spread spread, const char *unit,
	const char *ratio_to, double ratio);

/* A comment line: what was not measured, and why. */
void report_skipped(const char *row, const char *variant, const char *reason);

/* Nanoseconds, monotonic. */
double clock_now(void);

/* Puts a command line together in argv[ARGUMENTS_MAX], which must be zeroed: program (NULL: none),
 * options, command.  Both lists end with NULL; all strings stay borrowed. */
void build_argv(char **argv, const char *program, const char *const *options, char *const *command);

/* A number of rounds from the command line, at least 1; ends the program with a message otherwise.
 */
size_t parse_rounds(const char *text);

#endif

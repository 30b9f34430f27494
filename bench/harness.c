/* The rounds, the statistics and the table lines. */
// SPDX-License-Identifier: Apache-2.0
#include "bench/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

double clock_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void *allocate(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (memory == NULL) {
		fprintf(stderr, "bench: out of memory\n");
		exit(1);
	}
	return memory;
}

static const char *describe_status(int status)
{
	static char text[64];

	if (WIFEXITED(status)) {
		(void)snprintf(text, sizeof(text), "exits with %d", WEXITSTATUS(status));
	} else {
		(void)snprintf(text, sizeof(text), "ends by signal %d", WTERMSIG(status));
	}
	return text;
}

bool sample_spawn(const struct variant *variant, double *ret_value, const char **ret_reason)
{
	double begin = clock_now();
	int status;
	pid_t pid;
	int r = posix_spawn(&pid, variant->argv[0], NULL, NULL, variant->argv, environ);

	if (r != 0) {
		*ret_reason = strerror(r);
		return false;
	}
	(void)waitpid(pid, &status, 0);

	double end = clock_now();

	if (status != 0) {
		*ret_reason = describe_status(status);
		return false;
	}
	*ret_value = (end - begin) / 1e3;
	return true;
}

/* The number on the last line of what a command prints; false where there is none. */
static bool read_last_number(FILE *output, double *ret_value)
{
	char line[256];
	bool found = false;

	while (fgets(line, sizeof(line), output) != NULL) {
		char *end;
		double value = strtod(line, &end);

		found = end != line;
		if (found) {
			*ret_value = value;
		}
	}
	return found;
}

bool sample_output(const struct variant *variant, double *ret_value, const char **ret_reason)
{
	posix_spawn_file_actions_t actions;
	int ends[2];
	int status;
	pid_t pid;
	int r;

	if (pipe2(ends, O_CLOEXEC) < 0) {
		*ret_reason = strerror(errno);
		return false;
	}
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	r = posix_spawn(&pid, variant->argv[0], &actions, NULL, variant->argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)close(ends[1]);
	if (r != 0) {
		(void)close(ends[0]);
		*ret_reason = strerror(r);
		return false;
	}

	FILE *output = fdopen(ends[0], "r");
	bool found = read_last_number(output, ret_value);

	(void)fclose(output);
	(void)waitpid(pid, &status, 0);
	*ret_reason = status != 0 ? describe_status(status) : "prints no number";
	return status == 0 && found;
}

static void variant_measure(struct variant *variant, double *sample, sample_fn take)
{
	const char *reason;

	if (variant->skipped != NULL) {
		return;
	}
	if (!take(variant, sample, &reason)) {
		(void)snprintf(variant->failure, sizeof(variant->failure), "%s", reason);
		variant->skipped = variant->failure;
	}
}

void variants_measure(
	struct variant *variants, size_t count, size_t rounds, size_t warm_ups, sample_fn take)
{
	double thrown_away;

	for (size_t i = 0; i < count; i++) {
		variants[i].samples = allocate(rounds, sizeof(double));
	}
	for (size_t round = 0; round < warm_ups + rounds; round++) {
		for (size_t i = 0; i < count; i++) {
			struct variant *variant = &variants[(round + i) % count];

			variant_measure(variant,
				round < warm_ups ? &thrown_away
						 : &variant->samples[round - warm_ups],
				take);
		}
	}
}

void variants_finish(struct variant *variants, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(variants[i].samples);
		variants[i].samples = NULL;
	}
}

static int compare_values(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

/* Linear between the two neighbours. */
static double quantile(const double *sorted, size_t count, double fraction)
{
	double position = fraction * (double)(count - 1);
	size_t below = (size_t)floor(position);
	size_t above = below + 1 < count ? below + 1 : below;

	return sorted[below] + (position - (double)below) * (sorted[above] - sorted[below]);
}

struct spread spread_of(const double *values, size_t count)
{
	double *sorted = allocate(count, sizeof(double));
	struct spread spread;

	memcpy(sorted, values, count * sizeof(double));
	qsort(sorted, count, sizeof(double), compare_values);
	spread = (struct spread){
		.median = quantile(sorted, count, 0.5),
		.p10 = quantile(sorted, count, 0.1),
		.p90 = quantile(sorted, count, 0.9),
	};
	free(sorted);
	return spread;
}

static double difference_of(double value, double base)
{
	return value - base;
}

static double ratio_of(double value, double base)
{
	return value / base;
}

static struct spread spread_of_pairs(const double *values, const double *base, size_t count,
	double (*combine)(double value, double base))
{
	double *combined = allocate(count, sizeof(double));
	struct spread spread;

	for (size_t i = 0; i < count; i++) {
		combined[i] = combine(values[i], base[i]);
	}
	spread = spread_of(combined, count);
	free(combined);
	return spread;
}

struct spread spread_of_difference(const double *values, const double *base, size_t count)
{
	return spread_of_pairs(values, base, count, difference_of);
}

struct spread spread_of_ratio(const double *values, const double *base, size_t count)
{
	return spread_of_pairs(values, base, count, ratio_of);
}

void report_line(const char *row, const char *variant, struct spread spread, const char *unit,
	const char *ratio_to, double ratio)
{
	printf("%s\t%s\t%.3f\t%.3f\t%.3f\t%s\t", row, variant, spread.median, spread.p10,
		spread.p90, unit);
	if (ratio_to == NULL) {
		printf("-\t-\n");
	} else {
		printf("%s\t%.3f\n", ratio_to, ratio);
	}
	(void)fflush(stdout);
}

void report_skipped(const char *row, const char *variant, const char *reason)
{
	printf("# %s: %s: not measured: %s\n", row, variant, reason);
	(void)fflush(stdout);
}

void build_argv(char **argv, const char *program, const char *const *options, char *const *command)
{
	size_t count = 0;

	if (program != NULL) {
		argv[count++] = (char *)program;
	}
	while (*options != NULL && count < ARGUMENTS_MAX - 1) {
		argv[count++] = (char *)*options++;
	}
	while (*command != NULL && count < ARGUMENTS_MAX - 1) {
		argv[count++] = *command++;
	}
}

size_t parse_rounds(const char *text)
{
	char *end;
	unsigned long rounds = strtoul(text, &end, 10);

	if (end == text || *end != '\0' || rounds == 0 || rounds > 1000000) {
		fprintf(stderr, "bench: '%s' is not a number of rounds\n", text);
		exit(1);
	}
	return rounds;
}

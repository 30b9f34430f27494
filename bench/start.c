/* What a run adds to the start of a short command: our program beside the floor programs,
 * bubblewrap and the reference, in interleaved rounds. */
// SPDX-License-Identifier: Apache-2.0
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/harness.h"

#define WARM_UPS     5
#define COMPARED_MAX 2

/* What --preset build grants, and its private temporary directory. */
#define BUILD_RULES                                                                                \
	"-r", "/usr", "-r", "/lib", "-r", "/lib64", "-r", "/bin", "-r", "/sbin", "-r", "/etc",     \
		"-r", "/opt", "-w", "/dev/null", "-w", "/dev/zero", "-w", "/dev/full", "-w",       \
		"/dev/random", "-w", "/dev/urandom", "-w", "/dev/tty", "-w", "/tmp",               \
		"--private-tmp"

enum program {
	PROGRAM_NONE,
	PROGRAM_FLOOR_EXEC,
	PROGRAM_FLOOR_START,
	PROGRAM_SANDLOCK,
	PROGRAM_BUBBLEWRAP,
	PROGRAM_REFERENCE,
	PROGRAM_COUNT,
};

/* Each variant with what its time is compared to. */
static const struct {
	const char *name;
	enum program program;
	const char *options[ARGUMENTS_MAX];
	const char *compared_to[COMPARED_MAX];
} rows[] = {
	{ "bare", PROGRAM_NONE, { NULL }, { NULL } },
	{ "floor-exec", PROGRAM_FLOOR_EXEC, { "--" }, { NULL } },
	{ "floor-start", PROGRAM_FLOOR_START, { "--" }, { NULL } },
	{ "floor-start-listener", PROGRAM_FLOOR_START, { "--listener", "--" }, { "floor-start" } },
	{ "floor-start-build", PROGRAM_FLOOR_START, { BUILD_RULES, "--" }, { "floor-start" } },
	{ "sandlock-no-supervisor", PROGRAM_SANDLOCK, { "run", "--no-supervisor", SIX_RULES, "--" },
		{ "floor-exec", "bubblewrap" } },
	{ "sandlock", PROGRAM_SANDLOCK, { "run", SIX_RULES, "--" },
		{ "floor-start", "bubblewrap" } },
	{ "sandlock-preset-build", PROGRAM_SANDLOCK,
		{ "run", "--preset", "build", "-w", "/tmp", "--" },
		{ "floor-start-build", "bubblewrap" } },
	{ "bubblewrap-plain", PROGRAM_BUBBLEWRAP, { "--ro-bind", "/", "/", "--" },
		{ "floor-start" } },
	{ "bubblewrap", PROGRAM_BUBBLEWRAP,
		{ "--ro-bind", "/", "/", "--unshare-all", "--die-with-parent", "--" },
		{ "floor-start" } },
	{ "reference", PROGRAM_REFERENCE, { "run", SIX_RULES, "--" },
		{ "floor-start", "bubblewrap" } },
};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

struct programs {
	const char *paths[PROGRAM_COUNT]; /* NULL: not given */
};

static const char *program_missing(const struct programs *programs, enum program program)
{
	static const char *const reasons[PROGRAM_COUNT] = {
		[PROGRAM_FLOOR_EXEC] = "no --floor directory",
		[PROGRAM_FLOOR_START] = "no --floor directory",
		[PROGRAM_SANDLOCK] = "no --sandlock program",
		[PROGRAM_BUBBLEWRAP] = "bwrap is not installed",
		[PROGRAM_REFERENCE] = "REFERENCE_SANDLOCK is not set",
	};

	if (program == PROGRAM_NONE) {
		return NULL;
	}
	if (programs->paths[program] == NULL || *programs->paths[program] == '\0') {
		return reasons[program];
	}
	return access(programs->paths[program], X_OK) == 0 ? NULL : "the program is not there";
}

static const struct variant *variant_find(const struct variant *variants, const char *name)
{
	for (size_t i = 0; i < ROW_COUNT; i++) {
		if (strcmp(variants[i].name, name) == 0) {
			return variants[i].skipped == NULL ? &variants[i] : NULL;
		}
	}
	return NULL;
}

/* One line per comparison, or one without a ratio.  `base` answers for the other variant what
 * added.median is for this one. */
static void report_compared(const struct variant *variants, size_t row, size_t rounds,
	const char *row_name, struct spread added,
	double (*base_of)(const double *samples, const double *bare, size_t rounds))
{
	bool has_ratio = false;

	for (size_t i = 0; i < COMPARED_MAX && rows[row].compared_to[i] != NULL; i++) {
		const struct variant *other = variant_find(variants, rows[row].compared_to[i]);

		if (other != NULL) {
			double base = base_of(other->samples, variants[0].samples, rounds);

			report_line(row_name, variants[row].name, added, "us", other->name,
				added.median / base);
			has_ratio = true;
		}
	}
	if (!has_ratio) {
		report_line(row_name, variants[row].name, added, "us", NULL, 0);
	}
}

static double added_median(const double *samples, const double *bare, size_t rounds)
{
	return spread_of_difference(samples, bare, rounds).median;
}

/* What is added in the best tenth of the rounds: on a machine with other work, the time in which
 * nobody else had the processor. */
static double added_when_quiet(const double *samples, const double *bare, size_t rounds)
{
	return spread_of(samples, rounds).p10 - spread_of(bare, rounds).p10;
}

static void report_added(
	const struct variant *variants, size_t row, size_t rounds, const char *target)
{
	char row_name[64];

	(void)snprintf(row_name, sizeof(row_name), "start-%s-added", target);
	report_compared(variants, row, rounds, row_name,
		spread_of_difference(variants[row].samples, variants[0].samples, rounds),
		added_median);
}

static void report_quiet(
	const struct variant *variants, size_t row, size_t rounds, const char *target)
{
	double quiet = added_when_quiet(variants[row].samples, variants[0].samples, rounds);
	char row_name[64];

	(void)snprintf(row_name, sizeof(row_name), "start-%s-added-quiet", target);
	report_compared(variants, row, rounds, row_name, (struct spread){ quiet, quiet, quiet },
		added_when_quiet);
}

typedef void (*report_fn)(
	const struct variant *variants, size_t row, size_t rounds, const char *target);

static void report_each(
	const struct variant *variants, size_t rounds, const char *target, report_fn report)
{
	for (size_t i = 1; i < ROW_COUNT && variants[0].skipped == NULL; i++) {
		if (variants[i].skipped == NULL) {
			report(variants, i, rounds, target);
		}
	}
}

static void measure_target(
	const struct programs *programs, const char *name, char *target, size_t rounds)
{
	struct variant variants[ROW_COUNT];
	char *argv[ROW_COUNT][ARGUMENTS_MAX] = { { NULL } };
	char *const command[] = { target, NULL };
	char row_name[64];

	for (size_t i = 0; i < ROW_COUNT; i++) {
		build_argv(argv[i], programs->paths[rows[i].program], rows[i].options, command);
		variants[i] = (struct variant){
			.name = rows[i].name,
			.argv = argv[i],
			.skipped = program_missing(programs, rows[i].program),
		};
	}
	(void)snprintf(row_name, sizeof(row_name), "start-%s", name);

	variants_measure(variants, ROW_COUNT, rounds, WARM_UPS, sample_spawn);

	for (size_t i = 0; i < ROW_COUNT; i++) {
		if (variants[i].skipped != NULL) {
			report_skipped(row_name, variants[i].name, variants[i].skipped);
			continue;
		}
		report_line(row_name, variants[i].name, spread_of(variants[i].samples, rounds),
			"us", i == 0 || variants[0].skipped != NULL ? NULL : "bare",
			spread_of_ratio(variants[i].samples, variants[0].samples, rounds).median);
	}
	report_each(variants, rounds, name, report_added);
	report_each(variants, rounds, name, report_quiet);
	variants_finish(variants, ROW_COUNT);
}

static char *path_in(const char *directory, const char *file)
{
	char *path;

	return asprintf(&path, "%s/%s", directory, file) < 0 ? NULL : path;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "rounds", required_argument, NULL, 'n' },
		{ "floor", required_argument, NULL, 'f' },
		{ "sandlock", required_argument, NULL, 's' },
		{ "reference", required_argument, NULL, 'R' },
		{ "bwrap", required_argument, NULL, 'b' },
		{ NULL, 0, NULL, 0 },
	};
	struct programs programs = { .paths[PROGRAM_BUBBLEWRAP] = "/usr/bin/bwrap" };
	size_t rounds = 200;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'n':
			rounds = parse_rounds(optarg);
			break;
		case 'f':
			programs.paths[PROGRAM_FLOOR_EXEC] = path_in(optarg, "exec");
			programs.paths[PROGRAM_FLOOR_START] = path_in(optarg, "start");
			break;
		case 's':
			programs.paths[PROGRAM_SANDLOCK] = optarg;
			break;
		case 'R':
			programs.paths[PROGRAM_REFERENCE] = optarg;
			break;
		case 'b':
			programs.paths[PROGRAM_BUBBLEWRAP] = optarg;
			break;
		default:
			return 1;
		}
	}
	if (optind == argc) {
		fprintf(stderr, "usage: start [--rounds N] [--floor DIR] [--sandlock FILE] "
				"[--reference FILE] [--bwrap FILE] NAME=TARGET...\n");
		return 1;
	}
	for (; optind < argc; optind++) {
		char *target = strchr(argv[optind], '=');

		if (target == NULL) {
			fprintf(stderr, "start: '%s' is not NAME=TARGET\n", argv[optind]);
			return 1;
		}
		*target++ = '\0';
		measure_target(&programs, argv[optind], target, rounds);
	}
	return 0;
}

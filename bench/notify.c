/* Round trips of notified calls, inside and beside the floor: a call that its registers answer, and
 * one whose answer is written into memory; one caller, a few, and many. */
// SPDX-License-Identifier: Apache-2.0

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/harness.h"

#define ALL_CALLS 20000 /* of all callers together in one sample */
#define OPTIONS                                                                                    \
	{                                                                                          \
		"run", SIX_RULES, "--name", "box", "--num-cpus", "2", "--", NULL                   \
	}

enum { FLOOR_ONE, FLOOR_TWO, INSIDE, INSIDE_QUEUED, VARIANT_COUNT };

static const char *floor_program, *sandlock;
static size_t rounds = 15;

/* The environment chooses the queue: each sample sets it for its own variant. */
static bool sample(const struct variant *variant, double *ret_value, const char **ret_reason)
{
	if (strcmp(variant->name, "sandlock-queue") == 0) {
		(void)setenv("SANDLOCK_DISPATCH", "queue", 1);
	} else {
		(void)unsetenv("SANDLOCK_DISPATCH");
	}
	return sample_output(variant, ret_value, ret_reason);
}

static void measure(const char *call, int callers, char *guest)
{
	static const char *const floor_one[] = { "-k", "1", NULL };
	static const char *const floor_two[] = { "-k", "2", NULL };
	static const char *const inside[] = OPTIONS;
	char row[64], count[16], each[16];
	char *argv[VARIANT_COUNT][ARGUMENTS_MAX] = { 0 };
	char *command[] = { guest, (char *)(size_t)call, count, each, NULL };
	struct variant variants[VARIANT_COUNT] = {
		[FLOOR_ONE] = { .name = "floor", .argv = argv[FLOOR_ONE] },
		[FLOOR_TWO] = { .name = "floor-2", .argv = argv[FLOOR_TWO] },
		[INSIDE] = { .name = "sandlock", .argv = argv[INSIDE] },
		[INSIDE_QUEUED] = { .name = "sandlock-queue", .argv = argv[INSIDE_QUEUED] },
	};

	(void)snprintf(row, sizeof(row), "notify-%s-%d", call, callers);
	(void)snprintf(count, sizeof(count), "%d", callers);
	(void)snprintf(each, sizeof(each), "%d", ALL_CALLS / callers);
	build_argv(argv[FLOOR_ONE], floor_program, floor_one, command);
	build_argv(argv[FLOOR_TWO], floor_program, floor_two, command);
	build_argv(argv[INSIDE], sandlock, inside, command);
	build_argv(argv[INSIDE_QUEUED], sandlock, inside, command);
	variants_measure(variants, VARIANT_COUNT, rounds, 1, sample);
	for (size_t i = 0; i < VARIANT_COUNT; i++) {
		if (variants[i].skipped != NULL || variants[FLOOR_ONE].skipped != NULL) {
			report_skipped(row, variants[i].name,
				variants[i].skipped != NULL ? variants[i].skipped
							    : "the floor failed");
			continue;
		}

		struct spread ratio =
			spread_of_ratio(variants[i].samples, variants[FLOOR_ONE].samples, rounds);

		report_line(row, variants[i].name, spread_of(variants[i].samples, rounds),
			"ns/call", "floor", ratio.median);
	}
	variants_finish(variants, VARIANT_COUNT);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "rounds", required_argument, NULL, 'n' },
		{ "floor", required_argument, NULL, 'f' },
		{ "sandlock", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	static const char *const calls[] = { "register", "memory" };
	static const int callers[] = { 1, 2, 8, 32 };
	int option;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (option) {
		case 'n':
			rounds = parse_rounds(optarg);
			break;
		case 'f':
			floor_program = optarg;
			break;
		case 's':
			sandlock = optarg;
			break;
		default:
			return 1;
		}
	}
	if (argc - optind != 1 || floor_program == NULL || sandlock == NULL) {
		fprintf(stderr, "usage: notify [--rounds N] --floor FILE --sandlock FILE GUEST\n");
		return 1;
	}
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		for (size_t j = 0; j < sizeof(callers) / sizeof(callers[0]); j++) {
			measure(calls[i], callers[j], argv[optind]);
		}
	}
	return 0;
}

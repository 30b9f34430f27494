/* Shell commands that do the same thing, in interleaved rounds.  The others are compared to the
 * first, and to one more base of their own if --base names it. */
// SPDX-License-Identifier: Apache-2.0
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "bench/harness.h"

static struct {
	const char *row;
	const char *unit;
	const char *base;    /* the name of a second variant to compare to, NULL for none */
	const char *prepare; /* a shell command before every sample, NULL for none */
	bool from_output;    /* the value is what the command prints, not its time */
	size_t rounds, warm_ups;
} settings = { .row = "compare", .unit = "us", .rounds = 30, .warm_ups = 1 };

/* What a number of microseconds is multiplied with for each unit; a printed value is in its unit.
 */
static double unit_factor(void)
{
	static const struct {
		const char *unit;
		double factor;
	} factors[] = { { "ms", 1e-3 }, { "s", 1e-6 } };

	for (size_t i = 0; i < sizeof(factors) / sizeof(factors[0]); i++) {
		if (strcmp(settings.unit, factors[i].unit) == 0) {
			return factors[i].factor;
		}
	}
	return 1;
}

static bool take_sample(const struct variant *variant, double *ret_value, const char **ret_reason)
{
	if (settings.prepare != NULL && system(settings.prepare) != 0) {
		*ret_reason = "the preparing command fails";
		return false;
	}
	if (settings.from_output) {
		return sample_output(variant, ret_value, ret_reason);
	}
	if (!sample_spawn(variant, ret_value, ret_reason)) {
		return false;
	}
	*ret_value *= unit_factor();
	return true;
}

/* Returns the index of the first variant. */
static int parse_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "row", required_argument, NULL, 'r' },
		{ "unit", required_argument, NULL, 'u' },
		{ "rounds", required_argument, NULL, 'n' },
		{ "warm-ups", required_argument, NULL, 'w' },
		{ "prepare", required_argument, NULL, 'p' },
		{ "base", required_argument, NULL, 'b' },
		{ "from-output", no_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (option) {
		case 'r':
			settings.row = optarg;
			break;
		case 'u':
			settings.unit = optarg;
			break;
		case 'n':
			settings.rounds = parse_rounds(optarg);
			break;
		case 'w':
			settings.warm_ups = parse_rounds(optarg);
			break;
		case 'p':
			settings.prepare = optarg;
			break;
		case 'b':
			settings.base = optarg;
			break;
		case 'o':
			settings.from_output = true;
			break;
		default:
			exit(1);
		}
	}
	return optind;
}

static bool is_base(const struct variant *variants, size_t index)
{
	return index == 0 ||
	       (settings.base != NULL && strcmp(variants[index].name, settings.base) == 0);
}

static void report(const struct variant *variants, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const double *samples = variants[i].samples;

		if (variants[i].skipped != NULL) {
			report_skipped(settings.row, variants[i].name, variants[i].skipped);
			continue;
		}
		report_line(settings.row, variants[i].name, spread_of(samples, settings.rounds),
			settings.unit, NULL, 0);
		for (size_t j = 0; j < i; j++) {
			if (!is_base(variants, j) || variants[j].skipped != NULL) {
				continue;
			}

			struct spread ratio =
				spread_of_ratio(samples, variants[j].samples, settings.rounds);

			report_line(settings.row, variants[i].name, ratio, "ratio",
				variants[j].name, ratio.median);
		}
	}
}

int main(int argc, char **argv)
{
	int first = parse_options(argc, argv);
	size_t count = (size_t)(argc - first) / 2;

	if (count == 0 || (argc - first) % 2 != 0) {
		fprintf(stderr, "usage: compare [--row NAME] [--unit us] [--rounds N] "
				"[--warm-ups N] [--prepare COMMAND] [--base NAME] [--from-output] "
				"NAME COMMAND...\n");
		return 1;
	}

	struct variant *variants = calloc(count, sizeof(*variants));

	for (size_t i = 0; i < count; i++) {
		char **shell = calloc(4, sizeof(char *));

		shell[0] = "/bin/sh";
		shell[1] = "-c";
		shell[2] = argv[first + (int)(2 * i) + 1];
		variants[i].name = argv[first + (int)(2 * i)];
		variants[i].argv = shell;
	}
	variants_measure(variants, count, settings.rounds, settings.warm_ups, take_sample);
	report(variants, count);
	variants_finish(variants, count);
	return 0;
}

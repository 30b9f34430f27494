/* What single calls cost inside against outside.  One guest runs bare, one behind the floor's
 * walls, one inside `sandlock run`; in every round they start anew and take turns call by call. */
// SPDX-License-Identifier: Apache-2.0
#include "bench/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/harness.h"

enum place { PLACE_BARE, PLACE_FLOOR, PLACE_INSIDE, PLACE_REFERENCE, PLACE_COUNT };

static const char *const place_names[PLACE_COUNT] = {
	"bare",
	"floor-start",
	"sandlock",
	"reference",
};

static const char *const call_names[CALL_COUNT] = {
#define CALL(name, repetitions) [CALL_##name] = #name,
	CALLS
#undef CALL
};

struct guest {
	pid_t pid;    /* 0: not running */
	int requests; /* owned */
	int answers;  /* owned */
};

struct bench {
	const char *programs[PLACE_COUNT]; /* what the guest is started by; NULL: not given */
	char *argv[PLACE_COUNT][ARGUMENTS_MAX];
	const char *skipped[PLACE_COUNT];
	struct guest guests[PLACE_COUNT];
	double *samples[PLACE_COUNT][CALL_COUNT];
};

static const char *guest_start(struct guest *guest, char *const *argv)
{
	posix_spawn_file_actions_t actions;
	int requests[2], answers[2];
	int r;

	if (pipe2(requests, O_CLOEXEC) < 0 || pipe2(answers, O_CLOEXEC) < 0) {
		return strerror(errno);
	}
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, requests[0], STDIN_FILENO);
	(void)posix_spawn_file_actions_adddup2(&actions, answers[1], STDOUT_FILENO);
	r = posix_spawn(&guest->pid, argv[0], &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)close(requests[0]);
	(void)close(answers[1]);
	guest->requests = requests[1];
	guest->answers = answers[0];
	if (r != 0) {
		guest->pid = 0;
	}
	return r == 0 ? NULL : strerror(r);
}

static bool guest_ask(const struct guest *guest, enum call call, double *ret_cost)
{
	unsigned char request = (unsigned char)call;

	return write(guest->requests, &request, 1) == 1 &&
	       read(guest->answers, ret_cost, sizeof(*ret_cost)) == sizeof(*ret_cost);
}

static const char *guest_stop(struct guest *guest)
{
	int status;

	(void)close(guest->requests);
	(void)close(guest->answers);
	if (guest->pid == 0 || waitpid(guest->pid, &status, 0) != guest->pid) {
		return NULL;
	}
	guest->pid = 0;
	return status == 0 ? NULL : "the guest fails";
}

static void measure_call(struct bench *bench, enum call call, size_t round)
{
	for (size_t i = 0; i < PLACE_COUNT; i++) {
		size_t place = (round + i) % PLACE_COUNT;

		if (bench->skipped[place] == NULL && !guest_ask(&bench->guests[place], call,
							     &bench->samples[place][call][round])) {
			bench->skipped[place] = "the guest does not answer";
		}
	}
}

static void measure_round(struct bench *bench, size_t round)
{
	bool started[PLACE_COUNT] = { false };

	for (size_t place = 0; place < PLACE_COUNT; place++) {
		if (bench->skipped[place] == NULL) {
			bench->skipped[place] =
				guest_start(&bench->guests[place], bench->argv[place]);
			started[place] = true;
		}
	}
	for (enum call call = 0; call < CALL_COUNT; call++) {
		measure_call(bench, call, round);
	}
	for (size_t place = 0; place < PLACE_COUNT; place++) {
		const char *reason = started[place] ? guest_stop(&bench->guests[place]) : NULL;

		if (reason != NULL && bench->skipped[place] == NULL) {
			bench->skipped[place] = reason;
		}
	}
}

/* Per call: the cost in each place, and the ratios of one round to bare and to the floor. */
static void report_call(const struct bench *bench, enum call call, size_t rounds)
{
	char row[64];

	(void)snprintf(row, sizeof(row), "call-%s", call_names[call]);
	for (size_t place = 0; place < PLACE_COUNT; place++) {
		const double *samples = bench->samples[place][call];

		if (bench->skipped[place] == NULL) {
			report_line(
				row, place_names[place], spread_of(samples, rounds), "ns", NULL, 0);
		}
	}
	for (size_t place = 1; place < PLACE_COUNT; place++) {
		for (size_t base = PLACE_BARE; base <= PLACE_FLOOR && base < place; base++) {
			if (bench->skipped[place] != NULL || bench->skipped[base] != NULL) {
				continue;
			}

			struct spread ratio = spread_of_ratio(
				bench->samples[place][call], bench->samples[base][call], rounds);

			report_line(row, place_names[place], ratio, "ratio", place_names[base],
				ratio.median);
		}
	}
}

static void bench_prepare(struct bench *bench, char **guest, size_t rounds)
{
	static const char *const place_options[PLACE_COUNT][ARGUMENTS_MAX] = {
		[PLACE_FLOOR] = { SIX_RULES, "--" },
		[PLACE_INSIDE] = { "run", SIX_RULES, "--" },
		[PLACE_REFERENCE] = { "run", SIX_RULES, "--" },
	};

	for (size_t place = 0; place < PLACE_COUNT; place++) {
		const char *program = bench->programs[place];

		if (place != PLACE_BARE && (program == NULL || *program == '\0')) {
			bench->skipped[place] = "not given";
		} else if (place != PLACE_BARE && access(program, X_OK) < 0) {
			bench->skipped[place] = "the program is not there";
		}
		build_argv(bench->argv[place], program, place_options[place], guest);
		for (enum call call = 0; call < CALL_COUNT; call++) {
			bench->samples[place][call] = calloc(rounds, sizeof(double));
		}
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "rounds", required_argument, NULL, 'n' },
		{ "floor", required_argument, NULL, 'f' },
		{ "sandlock", required_argument, NULL, 's' },
		{ "reference", required_argument, NULL, 'R' },
		{ NULL, 0, NULL, 0 },
	};
	static struct bench bench;
	size_t rounds = 30;
	int option;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (option) {
		case 'n':
			rounds = parse_rounds(optarg);
			break;
		case 'f':
			bench.programs[PLACE_FLOOR] = optarg;
			break;
		case 's':
			bench.programs[PLACE_INSIDE] = optarg;
			break;
		case 'R':
			bench.programs[PLACE_REFERENCE] = optarg;
			break;
		default:
			return 1;
		}
	}
	if (argc - optind != 3) {
		fprintf(stderr, "usage: calls [--rounds N] [--floor FILE] [--sandlock FILE] "
				"[--reference FILE] GUEST DIRECTORY TRUE\n");
		return 1;
	}

	(void)signal(SIGPIPE, SIG_IGN);
	bench_prepare(&bench, argv + optind, rounds);
	for (size_t round = 0; round < rounds; round++) {
		measure_round(&bench, round);
	}
	for (size_t place = 0; place < PLACE_COUNT; place++) {
		if (bench.skipped[place] != NULL) {
			report_skipped("calls", place_names[place], bench.skipped[place]);
		}
	}
	for (enum call call = 0; call < CALL_COUNT; call++) {
		report_call(&bench, call, rounds);
	}
	return 0;
}

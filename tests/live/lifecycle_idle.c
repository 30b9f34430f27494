/* A run without limits sleeps for as long as its command does: counted in context switches, which
 * no load of the machine can add to. */
// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/live/harness.h"
#include "tests/live/probe.h"

#define SETTLE_SECONDS	1
#define SECONDS_AT_MOST 60

TestSuite(lifecycle_idle, .timeout = 120);

static long switches(pid_t pid)
{
	static const char *const fields[] = { "voluntary_ctxt_switches",
		"nonvoluntary_ctxt_switches" };
	char buffer[32];
	long sum = 0;

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		cr_assert(process_field(pid, fields[i], buffer, sizeof(buffer)) != NULL,
			"process %d is gone", pid);
		sum += atol(buffer);
	}
	return sum;
}

static void idle_start(const char *const *options, struct run *run)
{
	struct run_spec spec = {
		.options = options,
		.command = WORDS("/bin/sleep", "100"),
		.limit_seconds = SECONDS_AT_MOST + RUN_LIMIT_SECONDS,
	};

	run_start(&spec, run);
}

static void idle_end(struct run *run)
{
	struct run_result result;

	kill(run->pid, SIGTERM);
	run_finish(run, &result);
	cr_assert_eq(result.exit_code, 128 + SIGTERM, "%s", result.err);
	run_result_finish(&result);
}

/* The control beside it is throttled, which needs a look every few milliseconds. */
Test(lifecycle_idle, never_wakes_up_while_the_command_sleeps)
{
	int seconds = count_choose(2, SECONDS_AT_MOST);
	struct run idle, busy;
	pid_t keeper;
	long before[3], after[3];
	idle_start(WORDS("-r", "/usr", "-r", "/lib", "-r", "/lib64", "-r", "/bin"), &idle);
	idle_start(
		WORDS("-r", "/usr", "-r", "/lib", "-r", "/lib64", "-r", "/bin", "-c", "50"), &busy);
	keeper = process_only_child(idle.pid);
	cr_assert_neq(keeper, 0, "no keeper");
	sleep(SETTLE_SECONDS);

	before[0] = switches(idle.pid);
	before[1] = switches(keeper);
	before[2] = switches(busy.pid);
	sleep((unsigned)seconds);
	after[0] = switches(idle.pid);
	after[1] = switches(keeper);
	after[2] = switches(busy.pid);
	idle_end(&idle);
	idle_end(&busy);

	cr_assert_eq(after[0], before[0], "the supervisor woke up %ld times", after[0] - before[0]);
	cr_assert_eq(after[1], before[1], "the keeper woke up %ld times", after[1] - before[1]);
	cr_assert_gt(after[2], before[2], "the control was not seen to wake up");
}

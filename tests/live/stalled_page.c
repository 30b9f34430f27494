/* Task memory that does not come: pointers into a file of a slow file system, from 64 threads. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "core/base/fd.h"
#include "tests/live/acts.h"
#include "tests/live/harness.h"
#include "tests/live/probe.h"
#include "tests/live/slow_fuse.h"

#define THREADS 64

TestSuite(stalled_page, .timeout = 300);

static struct run_result run_stalled(
	const struct slow_fuse *fuse, const char *dispatch, const char *workers, int calls)
{
	return run_once(&(struct run_spec){
		.options = WORDS("--name", "box", "--num-cpus", "2", "-r", fuse->directory,
			"--workers-max", workers),
		.command = WORDS(guest("stalled"), word("%s/slow", fuse->directory),
			word("%d", THREADS), word("%d", calls)),
		.env = WORDS(dispatch),
		.limit_seconds = 120,
	});
}

Test(stalled_page, costs_the_others_nothing_after_it_was_noticed)
{
	static const char *const ways[][2] = {
		{ "SANDLOCK_DISPATCH=inline", "256" },
		{ "SANDLOCK_DISPATCH=queue", "256" },
		{ "SANDLOCK_DISPATCH=inline", "16" },
	};
	cleanup_close int lock = machine_lock();
	cleanup_scratch struct scratch scratch = scratch_create();
	struct slow_fuse fuse =
		slow_fuse_start(scratch.path, (unsigned int)count_choose(6000, 30000));

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		cleanup_result struct run_result result =
			run_stalled(&fuse, ways[i][0], ways[i][1], 300);

		(void)printf("stalled page, %s, %s workers: p50 %d, p99 %d, max %d us, %d still "
			     "stalled\n",
			ways[i][0], ways[i][1], acts_get(&result, "p50"), acts_get(&result, "p99"),
			acts_get(&result, "max"), acts_get(&result, "stalled_after"));
		cr_expect_eq(result.exit_code, 0, "%s", result.err);
		cr_expect_eq(acts_get(&result, "right"), 300);
		/* All of the quick calls fit into the time of one stall. */
		cr_expect_eq(acts_get(&result, "stalled_after"), THREADS);
		cr_expect_eq(acts_get(&result, "stalled_right"), THREADS);
		/* Far from the stall, and far from what a busy machine does. */
		cr_expect_lt(acts_get(&result, "p99"), 100000);
	}
	slow_fuse_stop(&fuse);
}

Test(stalled_page, does_not_hold_up_the_end_of_a_run)
{
	cleanup_close int lock = machine_lock();
	cleanup_scratch struct scratch scratch = scratch_create();
	struct slow_fuse fuse = slow_fuse_start(scratch.path, 20000);
	cleanup_result struct run_result result = run_once(&(struct run_spec){
		.options = WORDS("--name", "box", "-r", fuse.directory, "-t", "0.5"),
		.command = WORDS(guest("stalled"), word("%s/slow", fuse.directory),
			word("%d", THREADS), "0"),
		.env = WORDS("ASAN_OPTIONS=detect_leaks=0"), /* its search stops every thread */
		.limit_seconds = 60,
	});

	cr_expect_eq(result.exit_code, 124, "%s", result.err);
	cr_expect_lt(result.seconds, 15.0);
	cr_expect_geq(survivors_wait_gone(result.marker, 2.0), 0.0);
	slow_fuse_stop(&fuse);
}

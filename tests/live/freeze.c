/* The whole tree is stopped and let go on, again and again, while it works: nothing is lost. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/process/proc_reader.h"
#include "core/process/process_tree.h"
#include "tests/live/harness.h"
#include "tests/live/hosted.h"

/* Small files that a build makes out of each other, in parallel: forks, pipes, vforks, waits. */
static const char makefile[] =
	"ALL := $(addprefix out/,$(shell seq 1 60))\n"
	"all: $(ALL)\n"
	"\tcat $(sort $(ALL)) | cksum > sum\n"
	"out/%:\n"
	"\t@mkdir -p out; echo $* | cat | cat > $@.part; (sleep 0.01; true) & wait; mv $@.part "
	"$@\n";

/* One build after another. */
static const char script[] = "i=0; while [ $i -lt $1 ]; do rm -rf out sum; make -s -j8 || exit 1; "
			     "i=$((i+1)); done";

struct cycles {
	_Atomic bool is_over;
	_Atomic int done;
	_Atomic int refused; /* freezes that were not to be had */
	_Atomic int moved;   /* freezes in which something ran */
};

static void pause_ns(long ns)
{
	struct timespec pause = { .tv_nsec = ns };

	(void)nanosleep(&pause, NULL);
}

static uint64_t ticks_of_the_tree(void)
{
	struct process_list list = { 0 };
	uint64_t ticks = 0;

	(void)process_tree_walk(getpid(), &list); /* a process that is gone has no ticks */
	for (size_t i = 0; i < list.count; i++) {
		struct proc_stat stat;

		if (proc_read_stat(list.pids[i], &stat) == 0) {
			ticks += stat.user_ticks;
		}
	}
	process_list_finish(&list);
	return ticks;
}

static void freeze_and_thaw(struct sandbox *sandbox, void *context)
{
	struct cycles *cycles = context;

	while (!atomic_load(&cycles->is_over)) {
		int r = sandbox_freeze(sandbox);

		if (r == -ESRCH && atomic_load(&cycles->done) > 0) {
			return; /* the run is over */
		}
		if (r < 0) {
			atomic_fetch_add(&cycles->refused, r != -ESRCH);
			pause_ns(100000);
			continue;
		}
		if (atomic_fetch_add(&cycles->done, 1) % 16 == 0) {
			uint64_t before = ticks_of_the_tree();

			pause_ns(20000000);
			atomic_fetch_add(&cycles->moved, ticks_of_the_tree() != before);
		}
		sandbox_thaw(sandbox);
		pause_ns(500000);
	}
}

Test(freeze, loses_nothing_of_a_build, .timeout = 3600)
{
	cleanup_scratch struct scratch scratch = scratch_create();
	struct cycles *cycles = hosted_memory(sizeof(*cycles));
	const char *builds = word("%d", count_choose(2, 60));
	struct result result;

	/* given: what the build makes without us */
	file_write(scratch_file(&scratch, "Makefile"), makefile);
	cleanup_result struct run_result native = run_outside(WORDS("/bin/sh", "-c",
		word("cd %s && make -s -j8 && mv sum expected && rm -rf out", scratch.path)));
	cr_assert_eq(native.status, 0);
	cleanup_free char *expected = file_read(scratch_file(&scratch, "expected"));

	/* when */
	struct hosted hosted = {
		.options = WORDS("--preset", "build", "--fs-write", scratch.path, "--cwd",
			scratch.path, "--max-processes", "500"),
		.command = WORDS("/bin/sh", "-c", script, "sh", builds),
		.beside = freeze_and_thaw,
		.context = cycles,
	};
	int code = hosted_run(&hosted, &result);

	/* then */
	cr_assert_eq(code, 0, "%s", result.message);
	cleanup_free char *sum = file_read(scratch_file(&scratch, "sum"));

	cr_expect_str_eq(sum, expected);
	cr_expect_eq(atomic_load(&cycles->refused), 0);
	cr_expect_eq(atomic_load(&cycles->moved), 0);
	cr_expect_geq(atomic_load(&cycles->done), count_choose(20, 1000));
	printf("freeze: %d cycles in %s builds, %d refused, %d moved\n", atomic_load(&cycles->done),
		builds, atomic_load(&cycles->refused), atomic_load(&cycles->moved));
}

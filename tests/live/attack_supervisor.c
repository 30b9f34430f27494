/* Attacks on the processes around the command: the supervisor, the keeper, another sandbox's member
 * and a host process of the same user.  Outside, canaries stand in for all four. */
// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "tests/live/acts.h"
#include "tests/live/probe.h"

TestSuite(attack_supervisor, .timeout = 60);

#define TARGET_COUNT 4

static const char *const target_names[TARGET_COUNT] = { "supervisor", "keeper", "other", "host" };

/* %s stands for the target. */
static const struct act per_target[] = {
	{ "limits_set_%s", 0, 16 },
	{ "prlimit_high_bits_%s", ACT_REFUSED, ACT_DONE },
	{ "priority_%s", ACT_REFUSED, ACT_DONE },
	{ "priority_group_%s", ACT_REFUSED, ACT_DONE },
	{ "scheduler_%s", ACT_REFUSED, ACT_DONE },
	{ "sched_param_%s", ACT_REFUSED, ACT_DONE },
	{ "sched_attributes_%s", ACT_REFUSED, ACT_DONE },
	{ "affinity_%s", ACT_REFUSED, ACT_DONE },
	{ "io_priority_%s", ACT_REFUSED, ACT_DONE },
	{ "io_priority_group_%s", ACT_REFUSED, ACT_DONE },
	{ "migrate_pages_%s", ACT_REFUSED, ACT_NOT_REFUSED },
	{ "move_pages_%s", ACT_REFUSED, ACT_DONE },
	{ "madvise_%s", ACT_REFUSED, ACT_DONE },
	{ "mrelease_%s", ACT_REFUSED, EINVAL },
	{ "vm_read_%s", ACT_REFUSED, EFAULT },
	{ "vm_write_%s", ACT_REFUSED, EFAULT },
	{ "kcmp_%s", ACT_REFUSED, ACT_DONE },
	{ "getfd_%s", ACT_REFUSED, ACT_DONE },
	{ "perf_%s", ACT_REFUSED, ACT_DONE },
	{ "seize_%s", ACT_REFUSED, ACT_DONE },
	{ "kill_%s", EPERM, ACT_DONE },
	{ "kill_probe_%s", EPERM, ACT_DONE },
	{ "kill_stop_%s", EPERM, ACT_DONE },
	{ "tkill_%s", EPERM, ACT_DONE },
	{ "tgkill_%s", EPERM, ACT_DONE },
	{ "sigqueue_%s", EPERM, ACT_DONE },
	{ "tgsigqueue_%s", EPERM, ACT_DONE },
	{ "pidfd_signal_%s", ACT_REFUSED, ACT_DONE },
	/* The supervisor's group may hold nobody that the scope lets pass, or the caller. */
	{ "kill_group_%s", ACT_ANY, ACT_DONE },
	{ "set_owner_%s", ACT_ANY, ACT_DONE },
};

static const struct act once[] = {
	{ "priority_user", ACT_REFUSED, ESRCH },
	{ "io_priority_user", ACT_REFUSED, ESRCH },
	{ "own_kill", ACT_DONE, ACT_DONE },
	{ "own_child", ACT_SIGNAL(SIGKILL), ACT_SIGNAL(SIGKILL) },
	{ "own_priority", ACT_DONE, ACT_DONE },
	{ "own_limits_set", 16, 16 },
};

static void targets_check(const struct run_result *result, bool inside)
{
	struct act table[ARRAY_LEN(per_target)];
	char names[ARRAY_LEN(per_target)][64];
	void (*check)(const struct run_result *, const struct act *, size_t) =
		inside ? acts_check_inside : acts_check_outside;

	for (size_t i = 0; i < TARGET_COUNT; i++) {
		for (size_t j = 0; j < ARRAY_LEN(per_target); j++) {
			size_t stem = strlen(per_target[j].name) - strlen("%s");

			snprintf(names[j], sizeof(names[j]), "%.*s%s", (int)stem,
				per_target[j].name, target_names[i]);
			table[j] = per_target[j];
			table[j].name = names[j];
		}
		check(result, table, ARRAY_LEN(table));
	}
	check(result, once, ARRAY_LEN(once));
}

static pid_t canary_start(struct run *run, bool outside)
{
	struct run_spec spec = { .outside = outside, .command = WORDS(guest("canary")) };
	const char *line;

	run_start(&spec, run);
	cr_assert(run_wait_line(run, "ready"), "the canary did not start");
	line = strstr(run->text[0], "pid ");
	cr_assert(line != NULL);
	return atoi(line + strlen("pid "));
}

/* Ends a canary; how many signals reached it. */
static int canary_end(struct run *run)
{
	struct run_result result;
	int count = 0;

	run_finish(run, &result);
	for (const char *at = result.out; (at = strstr(at, "signal ")) != NULL; at++) {
		count++;
	}
	cr_assert_eq(result.exit_code, 0, "a canary died: status %x %s", result.status, result.err);
	run_result_finish(&result);
	return count;
}

static void attack(struct run *run, const pid_t *pids)
{
	for (size_t i = 0; i < TARGET_COUNT; i++) {
		run_write(run, word("%s %d\n", target_names[i], pids[i]));
	}
	run_write(run, "go\n");
	cr_assert(run_wait_line(run, "done"), "the attack did not end: %s", run->text[0]);
}

Test(attack_supervisor, control_reaches_every_target_outside)
{
	struct run canaries[TARGET_COUNT], run;
	pid_t pids[TARGET_COUNT];
	struct run_spec spec = { .outside = true, .command = WORDS(guest("attack_supervisor")) };
	for (size_t i = 0; i < TARGET_COUNT; i++) {
		pids[i] = canary_start(&canaries[i], true);
	}

	run_start(&spec, &run);
	attack(&run, pids);
	cleanup_result struct run_result outside;
	run_finish(&run, &outside);

	targets_check(&outside, false);
	for (size_t i = 0; i < TARGET_COUNT; i++) {
		cr_assert_gt(canary_end(&canaries[i]), 0, "no signal reached canary %zu", i);
	}
}

static void attack_from_inside(uid_t uid)
{
	struct run canaries[2], run;
	pid_t pids[TARGET_COUNT];
	char *before[TARGET_COUNT], *after[TARGET_COUNT];
	struct run_spec spec = { .command = WORDS(guest("attack_supervisor")), .uid = uid };
	cleanup_result struct run_result inside;
	pids[2] = canary_start(&canaries[0], false);
	pids[3] = canary_start(&canaries[1], true);
	run_start(&spec, &run);
	pids[0] = run.pid;
	pids[1] = process_only_child(run.pid);
	cr_assert_neq(pids[1], 0, "no keeper: %s", run.text[1]);
	for (size_t i = 0; i < TARGET_COUNT; i++) {
		before[i] = process_settings(pids[i]);
	}

	attack(&run, pids);
	for (size_t i = 0; i < TARGET_COUNT; i++) {
		after[i] = process_settings(pids[i]);
	}
	run_finish(&run, &inside);

	targets_check(&inside, true);
	for (size_t i = 0; i < TARGET_COUNT; i++) {
		cr_assert_str_eq(after[i], before[i], "%s was changed", target_names[i]);
		free(before[i]);
		free(after[i]);
	}
	for (size_t i = 0; i < 2; i++) {
		cr_assert_eq(canary_end(&canaries[i]), 0, "a signal reached canary %zu", i);
	}
}

Test(attack_supervisor, changes_and_signals_nobody_outside_as_root)
{
	attack_from_inside(0);
}

Test(attack_supervisor, changes_and_signals_nobody_outside_as_an_ordinary_user)
{
	attack_from_inside(NOBODY);
}

Test(attack_supervisor, ends_only_its_own_tree_with_kill_all)
{
	static const struct act table[] = {
		{ "kill_all", ACT_DONE, ACT_DONE },
		{ "victims", 3, 3 },
	};
	struct run canaries[2];
	(void)canary_start(&canaries[0], false);
	(void)canary_start(&canaries[1], true);

	cleanup_result struct run_result outside =
		run_outside(WORDS(guest("attack_kill_all"), "namespace"));
	cleanup_result struct run_result inside =
		run_inside(NULL, WORDS(guest("attack_kill_all"), "here"));

	acts_check_outside(&outside, table, ARRAY_LEN(table));
	acts_check_inside(&inside, table, ARRAY_LEN(table));
	for (size_t i = 0; i < 2; i++) {
		cr_assert_eq(canary_end(&canaries[i]), 0);
	}
}

/* With /proc granted, the files that need ptrace rights stay closed; what anybody may read of any
 * process stays open, and sandlock.7 says so. */
Test(attack_supervisor, reads_no_protected_proc_file_of_the_supervisor)
{
	static const struct act table[] = {
		{ "mem", ACT_REFUSED, ACT_DONE },
		{ "environ", ACT_REFUSED, ACT_DONE },
		{ "maps", ACT_REFUSED, ACT_DONE },
		{ "auxv", ACT_REFUSED, ACT_DONE },
		{ "io", ACT_REFUSED, ACT_DONE },
		{ "fd/0", ACT_REFUSED, ACT_DONE },
		{ "root", ACT_REFUSED, ACT_DONE },
		{ "exe", ACT_REFUSED, ACT_DONE },
		{ "cwd", ACT_REFUSED, ACT_DONE },
		{ "stack", ACT_REFUSED, ACT_DONE },
		{ "limits_write", ACT_REFUSED, ACT_ANY },
		{ "oom_score_adj_write", ACT_REFUSED, ACT_DONE },
		{ "status", ACT_DONE, ACT_DONE },
	};
	struct run_spec spec = {
		.options = WORDS("-r", "/proc"),
		.command = WORDS(guest("attack_proc")),
	};
	struct run canary, run;
	cleanup_result struct run_result inside, outside;
	pid_t host = canary_start(&canary, true);

	run_start(&spec, &run);
	run_write(&run, word("%d\n", run.pid));
	run_finish(&run, &inside);
	spec.outside = true;
	run_start(&spec, &run);
	run_write(&run, word("%d\n", host));
	run_finish(&run, &outside);
	(void)canary_end(&canary);

	acts_check_outside(&outside, table, ARRAY_LEN(table));
	acts_check_inside(&inside, table, ARRAY_LEN(table));
}

/* The index knows a task before its first instruction, however it was begun: a feature of the test
 * looks for the caller of each call. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/handler/call.h"
#include "core/handler/handler.h"
#include "core/plan/plan.h"
#include "core/policy/policy_options.h"
#include "core/process/domain.h"
#include "core/process/process_index.h"
#include "core/run/sandbox.h"
#include "tests/live/hosted.h"

#undef cleanup_result /* that of a run as the harness makes it is meant below */
#include "tests/live/acts.h"

#define ANSWER 77
#define KINDS  4

TestSuite(index_complete, .timeout = 900);

/* Shared with the process that runs the sandbox. */
struct lookups {
	_Atomic uint64_t found, missed;
};

static struct lookups *lookups;

static struct action look_up(struct call *call)
{
	struct process *process = process_index_get(call->domain->index, call->notif->tid);

	if (process == NULL) {
		atomic_fetch_add(&lookups->missed, 1);
		return action_errno(ESRCH);
	}
	process_put(process);
	atomic_fetch_add(&lookups->found, 1);
	return action_return(ANSWER);
}

static bool always(const struct sandbox_policy *policy)
{
	(void)policy;
	return true;
}

static const struct trap_row traps[] = {
	{ SYS(getppid), CLASS_REGISTER, look_up, .only_if = NULL },
	TRAP_END,
};
static const struct feature feature = { .name = "lookup", .wanted = always, .traps = traps };
static const struct feature *const features[] = { &feature, NULL };

static void set_option(struct sandbox_policy *policy, const char *name, const char *value)
{
	struct error error;

	if (option_set(option_find(name, strlen(name)), policy, value, &error) < 0) {
		_exit(99);
	}
}

/* In a process of its own with one thread, which it changes for good. */
static int run_sandbox(int tasks)
{
	struct sandbox_policy policy;
	struct plan plan;
	struct sandbox *sandbox;
	struct result result;
	struct error error;

	hosted_avoid_used_stack();
	policy_init(&policy);
	set_option(&policy, "fs-read", guests_directory());
	string_list_add(&policy.program.argv, guest("index_births"));
	string_list_add(&policy.program.argv, word("%d", tasks));
	if (plan_compile(&policy, features, &plan, &error) < 0 ||
		sandbox_start(&policy, &plan, &sandbox, &error) < 0) {
		(void)fprintf(stderr, "%s\n", error.text);
		return 98;
	}
	sandbox_wait(sandbox, &result);
	sandbox_destroy(sandbox);
	plan_finish(&plan);
	policy_finish(&policy);
	return result.code;
}

Test(index_complete, with_every_task_before_its_first_call)
{
	int tasks = count_choose(1250, 25000);
	int ends[2], status;
	char text[512] = "";
	size_t length = 0;
	ssize_t count;
	pid_t pid;

	lookups = mmap(
		NULL, sizeof(*lookups), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert(lookups != MAP_FAILED && pipe(ends) == 0);
	pid = fork();
	if (pid == 0) {
		(void)dup2(ends[1], STDOUT_FILENO);
		_exit(run_sandbox(tasks));
	}
	(void)close(ends[1]);
	while ((count = read(ends[0], text + length, sizeof(text) - 1 - length)) > 0) {
		length += (size_t)count;
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);

	cr_assert_eq(status, 0, "status %x: %s", status, text);
	cr_assert_str_eq(text, "fork 0\nvfork 0\nshared_memory 0\nthread 0\n");
	cr_assert_eq(atomic_load(&lookups->missed), 0);
	cr_assert_eq(atomic_load(&lookups->found), (uint64_t)KINDS * (uint64_t)tasks);
}

/* The positive control: outside nobody answers, and every task says so. */
Test(index_complete, outside_nobody_is_looked_up)
{
	cleanup_result struct run_result outside = run_outside(WORDS(guest("index_births"), "5"));

	cr_assert_str_eq(outside.out, "fork 5\nvfork 5\nshared_memory 5\nthread 5\n");
}

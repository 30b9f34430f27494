/* At the exec event: what nobody has approved dies, what was approved once is not approved twice.
 */
// SPDX-License-Identifier: Apache-2.0
/* native only: looks at processes of its own with the calls of this kernel */

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/thread.h"
#include "core/plan/plan.h"
#include "core/process/domain.h"
#include "core/supervisor/tracer_exec.h"

static struct plan plan;
static struct domain domain = { .plan = &plan };
static struct tracer tracer = { .domain = &domain };

struct event {
	pid_t tgid;
	pid_t former;
};

static void *see_event(void *argument)
{
	const struct event *event = argument;

	tracer_exec_event(&tracer, event->tgid, event->former);
	return NULL;
}

static pid_t process_start(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		for (;;) {
			(void)pause();
		}
	}
	cr_assert_gt(pid, 0);
	return pid;
}

/* Whether the process was killed at its event, which the thread of a tracer sees. */
static bool dies_at_event(pid_t pid, pid_t former)
{
	struct event event = { pid, former };
	pthread_t thread;
	int status;

	cr_assert_eq(thread_start(THREAD_TRACER, 0, see_event, &event, &thread), 0);
	(void)pthread_join(thread, NULL);
	if (waitpid(pid, &status, WNOHANG) == 0) {
		(void)usleep(50000);
		if (waitpid(pid, &status, WNOHANG) == 0) {
			(void)kill(pid, SIGTERM);
			(void)waitpid(pid, &status, 0);
		}
	}
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

Test(tracer_exec, kills_what_nobody_has_approved)
{
	struct exec_expectation nothing = { .error = -EACCES };
	pid_t other = getpid();

	/* given: somebody else was approved, and one of them is gone */
	tracer_exec_init(&tracer);
	plan.notify.judge_count = 1;
	cr_assert_eq(tracer_expect(&tracer, other, &nothing), 0);

	/* when */
	pid_t pid = process_start();
	bool unknown_dies = dies_at_event(pid, pid);
	pid_t approved = process_start();
	cr_assert_eq(tracer_expect(&tracer, approved, &nothing), 0);
	tracer_exec_forget(&tracer, approved);
	bool forgotten_dies = dies_at_event(approved, approved);

	/* then */
	cr_expect(unknown_dies);
	cr_expect(forgotten_dies);
	cr_expect_eq(atomic_load(&tracer.execs.kills), 2);
	tracer_exec_finish(&tracer);
}

Test(tracer_exec, leaves_alone_what_nobody_judges)
{
	tracer_exec_init(&tracer);

	pid_t pid = process_start();
	bool dies = dies_at_event(pid, pid);

	cr_expect_not(dies);
	cr_expect_eq(atomic_load(&tracer.execs.kills), 0);
	tracer_exec_finish(&tracer);
}

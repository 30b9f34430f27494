/* Begins tasks in every way there is, each of which makes a notified call before anything else. */
// SPDX-License-Identifier: Apache-2.0
/* usage: index_births TASKS     TASKS: of each kind.  Prints how many got another answer than 77 */

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

#include "tests/live/guests/act.h"

#define ANSWER 77

static char stack[65536] __attribute__((aligned(16)));

static long wrong_answers(void)
{
	return syscall(SYS_getppid) == ANSWER ? 0 : 1;
}

static int run_clone(void *unused)
{
	(void)unused;
	return (int)wrong_answers();
}

static void *run_thread(void *unused)
{
	(void)unused;
	return (void *)wrong_answers();
}

static long wait_for(pid_t pid)
{
	int status;

	return pid < 0 || waitpid(pid, &status, __WALL) != pid || status != 0;
}

static long by_fork(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0) {
		_exit((int)wrong_answers());
	}
	return wait_for(pid);
}

static long by_vfork(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		_exit((int)wrong_answers());
	}
	return wait_for(pid);
}

static long by_shared_memory(void)
{
	return wait_for(clone(run_clone, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL));
}

static long by_thread(void)
{
	pthread_t thread;
	void *wrong;

	if (pthread_create(&thread, NULL, run_thread, NULL) != 0) {
		return 1;
	}
	(void)pthread_join(thread, &wrong);
	return (long)wrong;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		long (*begin)(void);
	} kinds[] = {
		{ "fork", by_fork },
		{ "vfork", by_vfork },
		{ "shared_memory", by_shared_memory },
		{ "thread", by_thread },
	};

	if (argc != 2) {
		return GUEST_MISUSED;
	}
	for (size_t i = 0; i < ACT_COUNT(kinds); i++) {
		long wrong = 0;

		for (int task = 0; task < atoi(argv[1]); task++) {
			wrong += kinds[i].begin();
		}
		act_value(kinds[i].name, wrong);
	}
	return 0;
}

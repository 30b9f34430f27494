/* kill(-1): ends everything that the kernel lets it reach.  "here" does it in place, and only where
 * the kernel shows that its own parent is out of reach; "namespace" in a new pid namespace, as the
 * control. */
// SPDX-License-Identifier: Apache-2.0
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>

#include "tests/live/guests/act.h"

#define VICTIMS 3

/* A program without walls around it must never get past this: the call would end the machine's
 * processes.  The parent has the same user, so only a signal scope makes this EPERM. */
static void require_walls(void)
{
	if (prctl(PR_GET_SECCOMP) != 2 || getpid() == 1 || kill(getppid(), 0) == 0 ||
		errno != EPERM) {
		fprintf(stderr, "guest: no signal scope around me, so no kill(-1)\n");
		_exit(GUEST_BROKEN);
	}
}

static void require_own_namespace(void)
{
	if (getpid() != 1) {
		_exit(GUEST_BROKEN);
	}
}

static void start_victims(void)
{
	for (int i = 0; i < VICTIMS; i++) {
		if (fork() == 0) {
			setsid();
			pause();
			_exit(0);
		}
	}
}

/* The caller of kill(-1) is spared, and so is the first process of a pid namespace: that is this
 * process in both cases. */
static int kill_all(void)
{
	int killed = 0, status;

	start_victims();
	act_result("kill_all", kill(-1, SIGKILL));
	while (wait(&status) > 0) {
		killed += WIFSIGNALED(status);
	}
	act_value("victims", killed);
	return 0;
}

static int run_namespace(int argc, char **argv)
{
	int status = 0;

	(void)argc;
	(void)argv;
	if (unshare(CLONE_NEWPID) != 0) {
		return GUEST_BROKEN;
	}
	if (fork() == 0) {
		require_own_namespace();
		_exit(kill_all());
	}
	wait(&status);
	return WEXITSTATUS(status);
}

static int run_here(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	require_walls();
	return kill_all();
}

int main(int argc, char **argv)
{
	static const struct act_command commands[] = {
		{ "here", run_here },
		{ "namespace", run_namespace },
	};

	return act_dispatch(commands, ACT_COUNT(commands), argc, argv);
}

/* Starts threads and processes in every way a libc has, and sets what a program sets of itself. */
// SPDX-License-Identifier: Apache-2.0

#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int fail(const char *what)
{
	perror(what);
	return 1;
}

static void *return_argument(void *argument)
{
	return argument;
}

static int wait_for_success(pid_t child)
{
	int status;

	return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int spawn_true(void)
{
	char *const argv[] = { "true", NULL };
	pid_t child;

	return posix_spawn(&child, "/bin/true", NULL, NULL, argv, NULL) == 0 &&
	       wait_for_success(child);
}

static int fork_and_exit(void)
{
	pid_t child = fork();

	if (child == 0) {
		_exit(0);
	}
	return child > 0 && wait_for_success(child);
}

int main(void)
{
	struct rlimit limit;
	pthread_t thread;
	cpu_set_t cpus;
	void *result;

	if (pthread_create(&thread, NULL, return_argument, &limit) != 0 ||
		pthread_join(thread, &result) != 0 || result != &limit) {
		return fail("pthread_create");
	}
	if (!spawn_true()) {
		return fail("posix_spawn");
	}
	if (!fork_and_exit()) {
		return fail("fork");
	}
	if (system("true") != 0) {
		return fail("system");
	}
	if (sched_getaffinity(0, sizeof(cpus), &cpus) != 0 ||
		sched_setaffinity(0, sizeof(cpus), &cpus) != 0) {
		return fail("sched_setaffinity");
	}
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || setrlimit(RLIMIT_NOFILE, &limit) != 0) {
		return fail("setrlimit");
	}
	if (setpriority(PRIO_PROCESS, 0, 5) != 0 || nice(1) == -1) {
		return fail("setpriority");
	}
	if (prctl(PR_SET_NAME, "guest") != 0 || prctl(PR_SET_PDEATHSIG, 9) != 0) {
		return fail("prctl");
	}
	return 0;
}

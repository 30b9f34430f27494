/* Reports the state that a program starts with: identity, limits, signals, memory layout, place. */
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/live/guests/act.h"

static int run_identity(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	act_value("uid", (long)getuid());
	act_value("euid", (long)geteuid());
	act_value("gid", (long)getgid());
	act_value("egid", (long)getegid());
	return 0;
}

/* Counts, so that a table says it all: ignored and blocked signals, those above 31 too. */
static int run_signals(int argc, char **argv)
{
	sigset_t blocked;
	int ignored_count = 0, blocked_count = 0;

	(void)argc;
	(void)argv;
	sigprocmask(SIG_BLOCK, NULL, &blocked);
	for (int number = 1; number <= SIGRTMAX; number++) {
		struct sigaction action;

		if (sigaction(number, NULL, &action) == 0) {
			ignored_count += action.sa_handler == SIG_IGN;
		}
		blocked_count += sigismember(&blocked, number) == 1;
	}
	act_value("ignored", ignored_count);
	act_value("blocked", blocked_count);
	return 0;
}

static int run_limits(int argc, char **argv)
{
	struct rlimit limit;
	cpu_set_t processors;

	(void)argc;
	(void)argv;
	getrlimit(RLIMIT_NOFILE, &limit);
	act_value("files_soft", (long)limit.rlim_cur);
	act_value("files_hard", (long)limit.rlim_max);
	getrlimit(RLIMIT_CORE, &limit);
	act_value("core_soft", (long)limit.rlim_cur);
	act_value("core_hard", (long)limit.rlim_max);
	sched_getaffinity(0, sizeof(processors), &processors);
	act_value("processors", CPU_COUNT(&processors));
	act_value("processor_0", CPU_ISSET(0, &processors));
	act_value("huge_pages_off", prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
	return 0;
}

static int run_umask(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	act_value("umask", (long)umask(0));
	return 0;
}

static int run_place(int argc, char **argv)
{
	char place[4096];

	(void)argc;
	(void)argv;
	printf("%s\n", getcwd(place, sizeof(place)));
	return 0;
}

static int run_environment(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	for (char **variable = environ; *variable != NULL; variable++) {
		printf("%s\n", *variable);
	}
	return 0;
}

/* An address of the stack: differs from run to run while the layout is random. */
static int run_layout(int argc, char **argv)
{
	(void)argc;
	printf("%p\n", (void *)argv);
	return 0;
}

static int run_arguments(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		printf("[%s]\n", argv[i]);
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const struct act_command commands[] = {
		{ "identity", run_identity },
		{ "signals", run_signals },
		{ "limits", run_limits },
		{ "umask", run_umask },
		{ "place", run_place },
		{ "environment", run_environment },
		{ "layout", run_layout },
		{ "arguments", run_arguments },
	};

	return act_dispatch(commands, ACT_COUNT(commands), argc, argv);
}

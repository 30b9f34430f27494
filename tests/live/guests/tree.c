/* Grows process trees that are hard to end: deep, with sessions and groups of their own, orphaned
 * by double forks, and with storms of short-lived children.  Every process ends by itself after a
 * while, so that nothing stays where no sandbox ends it. */
// SPDX-License-Identifier: Apache-2.0
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

#include "tests/live/guests/act.h"

#define LIFETIME_SECONDS 20
#define STORM_CHAINS	 2
#define STORM_SPRINGS	 3
#define CHAIN_LINK_NS	 2000000
#define BOMB_LIMIT	 400 /* processes of the bomb that are alive at once */

static atomic_int *alive;
static time_t deadline;	     /* of the whole tree: inherited by every fork */
static bool is_in_one_group; /* nobody leaves it, so that one killpg ends the tree */

static void leave_session(void)
{
	if (!is_in_one_group) {
		setsid();
	}
}

/* An alarm is not inherited over fork, so every process asks for its own. */
static void limit_lifetime(void)
{
	time_t now = time(NULL);

	if (deadline == 0) {
		deadline = now + LIFETIME_SECONDS;
	}
	if (now >= deadline) {
		_exit(0);
	}
	signal(SIGALRM, SIG_DFL);
	alarm((unsigned)(deadline - now));
}

static void wait_for_ever(void)
{
	for (;;) {
		pause();
	}
}

static void say(const char *line)
{
	(void)!write(1, line, strlen(line));
}

static bool is_input_closed(void)
{
	struct pollfd input = { 0, POLLIN, 0 };

	return poll(&input, 1, 0) > 0 && (input.revents & POLLHUP) != 0;
}

/* Every level gets away from its parent in another manner. */
static void detach(int level)
{
	switch (level % 4) {
	case 0:
		leave_session();
		break;
	case 1:
		if (!is_in_one_group) {
			setpgid(0, 0);
		}
		break;
	case 2:
		/* A double fork: the middle one ends, and the level is an orphan. */
		if (fork() != 0) {
			_exit(0);
		}
		leave_session();
		break;
	default:
		prctl(PR_SET_CHILD_SUBREAPER, 1);
		break;
	}
}

/* Each level stays, and its child goes on to the next. */
static void grow(int depth)
{
	for (int level = 1; level <= depth; level++) {
		limit_lifetime();
		detach(level);
		/* The double fork made another process. */
		limit_lifetime();
		if (level < depth && fork() != 0) {
			break;
		}
		if (level == depth) {
			say("ready\n");
		}
	}
	wait_for_ever();
}

/* A chain of short-lived processes, each the child of the one before and in a session of its own:
 * no list of them is true for longer than a link lives. */
static void run_chain(void)
{
	struct timespec life = { 0, CHAIN_LINK_NS };

	/* The test that let it loose ends it by closing its stdin: no kill() is quick enough. */
	while (!is_input_closed()) {
		/* With no process to be had, this one goes on. */
		if (fork() > 0) {
			_exit(0);
		}
		leave_session();
		limit_lifetime();
		nanosleep(&life, NULL);
	}
	_exit(0);
}

/* One parent that stays and starts children as fast as it can, which start one more and end. */
static void run_spring(void)
{
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		limit_lifetime();
		if (fork() == 0) {
			(void)!fork();
			_exit(0);
		}
	}
}

static void start_storm(void)
{
	for (int i = 0; i < STORM_CHAINS; i++) {
		if (fork() == 0) {
			run_chain();
		}
	}
	for (int i = 0; i < STORM_SPRINGS; i++) {
		if (fork() == 0) {
			run_spring();
		}
	}
}

static int run_deep(int argc, char **argv)
{
	int depth = argc > 1 ? atoi(argv[1]) : 50;

	if (fork() == 0) {
		grow(depth);
	}
	wait_for_ever();
	return 0;
}

/* The deep tree, whose command then ends. */
static int run_orphans(int argc, char **argv)
{
	int depth = argc > 1 ? atoi(argv[1]) : 50;
	int ends[2];
	char byte;

	(void)!pipe(ends);
	if (fork() == 0) {
		dup2(ends[1], 1);
		grow(depth);
	}
	(void)!read(ends[0], &byte, 1);
	return 42;
}

static int run_all(int argc, char **argv)
{
	int depth = argc > 1 ? atoi(argv[1]) : 50;

	start_storm();
	if (fork() == 0) {
		grow(depth);
	}
	wait_for_ever();
	return 0;
}

/* Doubles until the limit; who is above it ends, and others take its place. */
static void explode(void)
{
	limit_lifetime();
	setsid();
	for (;;) {
		pid_t pid;

		if (atomic_fetch_add(alive, 1) >= BOMB_LIMIT) {
			atomic_fetch_sub(alive, 1);
			sched_yield();
			continue;
		}
		pid = fork();
		if (pid < 0) {
			atomic_fetch_sub(alive, 1);
		} else if (pid > 0) {
			/* The parent ends now and then, so that orphans are the rule. */
			if (pid % 3 == 0) {
				atomic_fetch_sub(alive, 1);
				_exit(0);
			}
		}
	}
}

static int run_bomb(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	alive = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < 4; i++) {
		if (fork() == 0) {
			explode();
		}
	}
	say("ready\n");
	wait_for_ever();
	return 0;
}

/* The same tree as "deep" or "all" where no sandbox is: in one group, with a watcher in a session
 * of its own that ends the group when this process dies.  What it costs the machine to wake the
 * watcher and to end that many processes is what a sandbox is measured by. */
static int run_watched(int argc, char **argv)
{
	int (*run)(int, char **) = argc > 1 && strcmp(argv[1], "all") == 0 ? run_all : run_deep;
	int ends[2];
	char byte;
	pid_t tree;

	(void)!pipe(ends);
	if (fork() == 0) {
		close(ends[1]);
		tree = fork();
		if (tree == 0) {
			close(ends[0]);
			setpgid(0, 0);
			is_in_one_group = true;
			return run(argc - 1, argv + 1);
		}
		setpgid(tree, tree);
		setsid();
		(void)!read(ends[0], &byte, 1);
		kill(-tree, SIGKILL);
		_exit(0);
	}
	wait_for_ever();
	return 0;
}

int main(int argc, char **argv)
{
	static const struct act_command commands[] = {
		{ "deep", run_deep },
		{ "orphans", run_orphans },
		{ "all", run_all },
		{ "bomb", run_bomb },
		{ "watched", run_watched },
	};

	limit_lifetime();
	/* Whoever relies on the command's parent-death signal alone has lost. */
	prctl(PR_SET_PDEATHSIG, 0);
	return act_dispatch(commands, ACT_COUNT(commands), argc, argv);
}

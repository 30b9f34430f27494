/* A tree to measure and throttle: a subreaper that stands for the keeper, and a command below it.
 */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/process/proc_reader.h"
#include "core/process/process_tree.h"
#include "tests/live/limits_tree.h"

uint64_t limits_clock_ns(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

void limits_sleep_ms(uint64_t milliseconds)
{
	struct timespec time = {
		.tv_sec = (time_t)(milliseconds / 1000),
		.tv_nsec = (long)(milliseconds % 1000) * 1000000,
	};

	while (nanosleep(&time, &time) < 0 && errno == EINTR) {
	}
}

/* Reaps until there is nothing more, then waits for orphans that may still come. */
static void keeper_loop(void)
{
	for (;;) {
		if (waitpid(-1, NULL, 0) < 0) {
			limits_sleep_ms(1);
		}
	}
}

struct limits_tree limits_tree_call(void (*body)(void *), void *context)
{
	pid_t *shared = mmap(
		NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct limits_tree tree = { 0 };
	int ends[2];

	cr_assert_eq(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	tree.ready = ends[0];
	cr_assert(shared != MAP_FAILED);
	tree.keeper = fork();
	cr_assert(tree.keeper >= 0);
	if (tree.keeper == 0) {
		pid_t command;

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
		command = fork();
		if (command == 0) {
			(void)dup2(ends[1], STDOUT_FILENO);
			body(context);
			_exit(0);
		}
		__atomic_store_n(shared, command, __ATOMIC_SEQ_CST);
		keeper_loop();
	}
	while ((tree.command = __atomic_load_n(shared, __ATOMIC_SEQ_CST)) == 0) {
		limits_sleep_ms(1);
	}
	(void)close(ends[1]);
	(void)munmap(shared, sizeof(*shared));
	cr_assert(tree.command > 0);
	return tree;
}

static void exec_guest(void *context)
{
	const char *const *arguments = context;
	const char *argv[8] = { "limits_guest" };
	char path[256];

	for (size_t i = 0; i < 6 && arguments[i] != NULL; i++) {
		argv[i + 1] = arguments[i];
	}
	(void)snprintf(path, sizeof(path), "%s/limits_guest", getenv("GUESTS"));
	(void)execv(path, (char *const *)argv);
	_exit(127);
}

struct limits_tree limits_tree_start(const char *const *arguments)
{
	cr_assert_not_null(getenv("GUESTS"), "GUESTS names the folder of guest programs");
	return limits_tree_call(exec_guest, (void *)arguments);
}

void limits_tree_stop(struct limits_tree *tree)
{
	struct process_list list = { 0 };

	/* The orphans of each round come to the keeper: again until none is left. */
	for (int round = 0; round < 1000; round++) {
		(void)process_tree_walk(tree->keeper, &list);
		if (list.count == 0) {
			break;
		}
		for (size_t i = 0; i < list.count; i++) {
			(void)kill(list.pids[i], SIGKILL);
		}
		limits_sleep_ms(1);
	}
	(void)kill(tree->keeper, SIGKILL);
	(void)waitpid(tree->keeper, NULL, 0);
	(void)close(tree->ready);
	process_list_finish(&list);
}

uint64_t limits_process_state(pid_t pid)
{
	struct proc_stat stat;

	return proc_read_stat(pid, &stat) < 0 ? 0 : (uint64_t)stat.state;
}

bool limits_wait_state(pid_t pid, char state)
{
	for (int i = 0; i < 2000; i++) {
		if (limits_process_state(pid) == (uint64_t)state) {
			return true;
		}
		limits_sleep_ms(1);
	}
	return false;
}

bool limits_process_lives(pid_t pid)
{
	uint64_t state = limits_process_state(pid);

	return state != 0 && state != 'Z' && state != 'X';
}

uint32_t limits_tree_count(const struct limits_tree *tree)
{
	struct process_list list = { 0 };
	uint32_t count = 0;

	(void)process_tree_walk(tree->keeper, &list);
	for (size_t i = 0; i < list.count; i++) {
		count += limits_process_lives(list.pids[i]);
	}
	process_list_finish(&list);
	return count;
}

uint32_t limits_tree_settle(const struct limits_tree *tree, uint32_t expected)
{
	uint32_t count = limits_tree_count(tree);

	for (int i = 0; i < 500 && count != expected; i++) {
		limits_sleep_ms(10);
		count = limits_tree_count(tree);
	}
	return count;
}

uint32_t limits_tree_ready(const struct limits_tree *tree)
{
	char bytes[64];
	ssize_t count = read(tree->ready, bytes, sizeof(bytes));

	return count > 0 ? (uint32_t)count : 0;
}

uint64_t limits_process_cpu_ns(pid_t pid)
{
	struct proc_stat stat;

	if (proc_read_stat(pid, &stat) < 0) {
		return 0;
	}
	return (stat.user_ticks + stat.system_ticks) *
	       (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK));
}

/* Walking real trees. */
// SPDX-License-Identifier: Apache-2.0
/* native only: qemu-user's own threads show in /proc */

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/process/pid_map.h"
#include "core/process/process_tree.h"

Test(pid_map, keeps_what_was_put)
{
	struct pid_map map = { 0 };
	uint32_t value;

	for (pid_t pid = 1; pid < 100000; pid += 7) {
		cr_assert_eq(pid_map_put(&map, pid, (uint32_t)pid * 3), 0);
	}

	for (pid_t pid = 1; pid < 100000; pid++) {
		bool there = pid_map_get(&map, pid, &value);

		cr_assert_eq(there, pid % 7 == 1, "%d", pid);
		cr_assert(!there || value == (uint32_t)pid * 3);
	}
	pid_map_finish(&map);
}

Test(pid_map, replaces_and_forgets)
{
	struct pid_map map = { 0 };
	uint32_t value = 0;

	cr_assert_not(pid_map_has(&map, 5));
	cr_assert_eq(pid_map_put(&map, 5, 1), 0);
	cr_assert_eq(pid_map_put(&map, 5, 2), 0);
	cr_assert(pid_map_get(&map, 5, &value));
	cr_assert_eq(value, 2);
	cr_assert_eq(map.count, 1);

	pid_map_clear(&map);

	cr_assert_not(pid_map_has(&map, 5));
	pid_map_finish(&map);
}

/* Numbers that all want the same slot. */
Test(pid_map, survives_collisions)
{
	struct pid_map map = { 0 };

	for (pid_t i = 1; i <= 1000; i++) {
		cr_assert_eq(pid_map_put(&map, i << 16, (uint32_t)i), 0);
	}

	for (pid_t i = 1; i <= 1000; i++) {
		uint32_t value = 0;

		cr_assert(pid_map_get(&map, i << 16, &value));
		cr_assert_eq(value, (uint32_t)i);
	}
	pid_map_finish(&map);
}

static void stop(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

/* A chain of processes below a child of ours; each says that it is there, all end with the pipe. */
static pid_t start_chain(unsigned int depth, int *ret_end)
{
	int ends[2], ready[2];
	char byte;
	pid_t pid;

	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(pipe(ready), 0);
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		(void)close(ends[1]);
		while (depth-- > 1 && fork() == 0) {
			(void)setsid();
		}
		(void)!write(ready[1], "r", 1);
		(void)!read(ends[0], &byte, 1);
		_exit(0);
	}
	(void)close(ends[0]);
	for (unsigned int i = 0; i < depth; i++) {
		cr_assert_eq(read(ready[0], &byte, 1), 1);
	}
	(void)close(ready[0]);
	(void)close(ready[1]);
	*ret_end = ends[1];
	return pid;
}

Test(process_tree, finds_a_chain_parents_first)
{
	struct process_list list = { 0 };
	uint32_t place = 0;
	int end;
	pid_t root = start_chain(30, &end);

	int r = process_tree_walk(root, &list);

	cr_assert_eq(r, 0);
	cr_assert_eq(list.count, 29, "%zu", list.count);
	cr_assert_not(pid_map_has(&list.known, root));
	for (size_t i = 0; i < list.count; i++) {
		cr_assert(pid_map_get(&list.known, list.pids[i], &place));
		cr_assert_eq(place, i);
	}
	(void)close(end);
	stop(root);
	process_list_finish(&list);
}

Test(process_tree, can_be_walked_again)
{
	struct process_list list = { 0 };
	int end;
	pid_t root = start_chain(5, &end);

	cr_assert_eq(process_tree_walk(root, &list), 0);
	cr_assert_eq(process_tree_walk(root, &list), 0);

	cr_assert_eq(list.count, 4);
	(void)close(end);
	stop(root);
	cr_assert_eq(process_tree_walk(root, &list), -ESRCH);
	process_list_finish(&list);
}

Test(process_tree, takes_a_pid_once)
{
	struct process_list list = { 0 };

	cr_assert_eq(process_list_add(&list, 7), 0);
	cr_assert_eq(process_list_add(&list, 7), 0);
	cr_assert_eq(process_list_add(&list, 8), 0);

	cr_assert_eq(list.count, 2);
	process_list_finish(&list);
}

struct forker {
	pid_t child;
	int gate[2];
};

static void *fork_in_thread(void *context)
{
	struct forker *forker = context;
	char byte;

	forker->child = fork();
	if (forker->child == 0) {
		(void)pause();
		_exit(0);
	}
	(void)!write(forker->gate[1], "r", 1);
	(void)!read(forker->gate[0], &byte, 0);
	(void)pause();
	return NULL;
}

/* The child hangs below the second thread; the first one's list is empty. */
Test(process_tree, finds_the_child_of_another_thread)
{
	struct process_list list = { 0 };
	int ready[2];
	char byte;
	pid_t root;

	cr_assert_eq(pipe(ready), 0);
	root = fork();
	cr_assert_geq(root, 0);
	if (root == 0) {
		struct forker forker = { .gate = { ready[0], ready[1] } };
		pthread_t thread;

		(void)pthread_create(&thread, NULL, fork_in_thread, &forker);
		(void)pause();
		_exit(0);
	}
	(void)close(ready[1]); /* a child that dies ends the wait */
	cr_assert_eq(read(ready[0], &byte, 1), 1);

	cr_assert_eq(process_tree_walk(root, &list), 0);

	cr_expect_eq(list.count, 1);
	for (size_t i = 0; i < list.count; i++) {
		(void)kill(list.pids[i], SIGKILL);
	}
	stop(root);
	process_list_finish(&list);
}

/* More children than one read of the file holds. */
Test(process_tree, finds_all_children_of_a_large_family)
{
	enum { FAMILY = 1500 };
	struct process_list list = { 0 };
	int ready[2];
	char byte;
	pid_t root;

	cr_assert_eq(pipe(ready), 0);
	root = fork();
	cr_assert_geq(root, 0);
	if (root == 0) {
		for (int i = 0; i < FAMILY; i++) {
			if (fork() == 0) {
				(void)pause();
				_exit(0);
			}
		}
		(void)!write(ready[1], "r", 1);
		(void)pause();
		_exit(0);
	}
	cr_assert_eq(read(ready[0], &byte, 1), 1);

	cr_assert_eq(process_tree_walk(root, &list), 0);

	cr_expect_eq(list.count, FAMILY, "%zu", list.count);
	for (size_t i = 0; i < list.count; i++) {
		(void)kill(list.pids[i], SIGKILL);
	}
	stop(root);
	process_list_finish(&list);
}

static void churn(void)
{
	(void)signal(SIGCHLD, SIG_IGN);
	for (;;) {
		if (fork() == 0) {
			(void)!fork();
			_exit(0);
		}
	}
}

Test(process_tree, walks_while_processes_come_and_go)
{
	struct process_list list = { 0 };
	pid_t root = fork();

	cr_assert_geq(root, 0);
	if (root == 0) {
		churn();
	}

	for (int i = 0; i < 2000; i++) {
		int r = process_tree_walk(root, &list);

		cr_assert_eq(r, 0, "%d", r);
	}

	stop(root);
	process_list_finish(&list);
}

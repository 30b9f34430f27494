/* A tree to measure and throttle: a subreaper that stands for the keeper, and a command below it.
 */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_LIVE_LIMITS_TREE_H
#define TESTS_LIVE_LIMITS_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The keeper reaps whatever comes to it and ends when we end or when it is killed. */
struct limits_tree {
	pid_t keeper;
	pid_t command;
	int ready; /* owned: each process of the guest writes one byte when it has what it wants */
};

/* Runs the guest limits_guest with these arguments (NULL-terminated) below a keeper. */
struct limits_tree limits_tree_start(const char *const *arguments);
/* Runs a function in the command instead; it never returns there. */
struct limits_tree limits_tree_call(void (*body)(void *), void *context);
/* Kills and reaps everything. */
void limits_tree_stop(struct limits_tree *tree);

uint64_t limits_clock_ns(void);
void limits_sleep_ms(uint64_t milliseconds);
bool limits_process_lives(pid_t pid);
/* The number of live processes (no zombies) below the keeper. */
uint32_t limits_tree_count(const struct limits_tree *tree);
/* The same, after waiting until it is `expected`, 5 s at most. */
uint32_t limits_tree_settle(const struct limits_tree *tree, uint32_t expected);
/* How many processes have become ready since the last call. */
uint32_t limits_tree_ready(const struct limits_tree *tree);
/* User and system time of one process so far. */
uint64_t limits_process_cpu_ns(pid_t pid);
uint64_t limits_process_state(pid_t pid);
/* Waits until a process is in that state, 2 s at most. */
bool limits_wait_state(pid_t pid, char state);

#endif

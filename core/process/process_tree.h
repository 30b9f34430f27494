/* The processes below the keeper, read from /proc. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_PROCESS_PROCESS_TREE_H
#define CORE_PROCESS_PROCESS_TREE_H

#include <stddef.h>
#include <sys/types.h>

/* Owned list, reusable between walks. */
struct process_list {
	pid_t *pids;
	size_t count;
	size_t capacity;
};

void process_list_finish(struct process_list *list);

/* Fills the list with every descendant of `root` (not root itself), by /proc/PID/task/TID/children.
 * A process that comes or goes during the walk may be missed.  0 or -errno (-ENOENT: the kernel lacks
 * CONFIG_PROC_CHILDREN). */
int process_tree_walk(pid_t root, struct process_list *list);

#endif

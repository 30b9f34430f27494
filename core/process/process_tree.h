/* The processes below the keeper, read from /proc. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_PROCESS_PROCESS_TREE_H
#define CORE_PROCESS_PROCESS_TREE_H

#include <stddef.h>
#include <sys/types.h>

#include "core/process/pid_map.h"

struct proc_files;

/* Owned list, reusable between walks.  Parents come before their children, no pid comes twice. */
struct process_list {
	pid_t *pids;
	size_t count;
	size_t capacity;
	struct pid_map known; /* the pids, each with its place */
};

void process_list_finish(struct process_list *list);
void process_list_clear(struct process_list *list);
/* Adds a pid that is not in the list yet.  0 or -ENOMEM. */
int process_list_add(struct process_list *list, pid_t pid);

/* Adds the children of one process, of all its threads.  0, -ESRCH (it is gone; what was found
 * stays), -ENOENT (the kernel lacks CONFIG_PROC_CHILDREN, or /proc is not mounted) or -ENOMEM. */
int process_tree_add_children(struct proc_files *files, struct process_list *list);

/* Fills the list with every descendant of `root` (not root itself), by /proc/PID/task/TID/children.
 * A process that comes or goes during the walk may be missed.  The list is as long as the tree;
 * only memory bounds it.  0 or -errno (-ESRCH: there is no root; -ENOENT: the kernel lacks
 * CONFIG_PROC_CHILDREN). */
int process_tree_walk(pid_t root, struct process_list *list);

#endif

/* The processes below the keeper, read from /proc. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <stdlib.h>

#include "core/process/proc_reader.h"
#include "core/process/process_tree.h"

void process_list_finish(struct process_list *list)
{
	free(list->pids);
	pid_map_finish(&list->known);
	*list = (struct process_list){ 0 };
}

void process_list_clear(struct process_list *list)
{
	list->count = 0;
	pid_map_clear(&list->known);
}

int process_list_add(struct process_list *list, pid_t pid)
{
	int r;

	/* A child that changes its parent during the walk can be met twice. */
	if (pid_map_has(&list->known, pid)) {
		return 0;
	}
	if (list->count == list->capacity) {
		size_t capacity = list->capacity > 0 ? list->capacity * 2 : 64;
		pid_t *pids = reallocarray(list->pids, capacity, sizeof(*pids));

		if (pids == NULL) {
			return -ENOMEM;
		}
		list->pids = pids;
		list->capacity = capacity;
	}
	r = pid_map_put(&list->known, pid, (uint32_t)list->count);
	if (r < 0) {
		return r;
	}
	list->pids[list->count++] = pid;
	return 0;
}

static int add_child(void *context, pid_t pid)
{
	return process_list_add(context, pid);
}

int process_tree_add_children(struct proc_files *files, struct process_list *list)
{
	/* Children hang below the thread that forked them; nearly always there is only one. */
	int threads = proc_files_threads(files);

	if (threads < 0) {
		return threads;
	}
	return threads == 1 ? proc_files_children(files, add_child, list)
			    : proc_files_thread_children(files, add_child, list);
}

static int add_children_of(pid_t pid, struct process_list *list)
{
	struct proc_files files;
	int r;

	proc_files_init(&files, pid, false);
	r = process_tree_add_children(&files, list);
	proc_files_finish(&files);
	return r;
}

int process_tree_walk(pid_t root, struct process_list *list)
{
	int r;

	process_list_clear(list);
	r = add_children_of(root, list);
	for (size_t i = 0; r >= 0 && i < list->count; i++) {
		r = add_children_of(list->pids[i], list);
		if (r == -ESRCH) {
			r = 0; /* it went meanwhile */
		}
	}
	return r;
}

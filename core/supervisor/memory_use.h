/* The memory of a process tree, measured in two steps: a cheap upper bound, then the truth. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_SUPERVISOR_MEMORY_USE_H
#define CORE_SUPERVISOR_MEMORY_USE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/process/proc_reader.h"
#include "core/process/process_tree.h"
#include "core/supervisor/held_files.h"

/* One process as the last look saw it.  Bytes. */
struct process_use {
	pid_t pid;
	struct proc_files files; /* of the process, or of a thread where the first one has ended */
	struct proc_statm statm; /* when status was read */
	uint64_t status_ns;	 /* 0: not read yet */
	uint64_t page_tables;
	uint64_t bound;	   /* at most this: pages shared with others counted in full */
	uint64_t share;	   /* its part of what is shared; the bound while `refined` is false */
	uint64_t previous; /* `bound` one look ago; 0 for a process that is new */
	uint64_t held;	   /* in files without a name that belong to it, see held_files.h */
	uint64_t held_previous;
	bool refined;
	bool spared; /* could not be killed in this look */
	bool dying;  /* killed by us, not gone yet: its memory is on its way out and not counted */
};

/* Not thread-safe.  Of the members the caller writes `held`, `dying`, `spared` and `total` only. */
struct memory_use {
	struct proc_files keeper;
	struct process_list list;
	struct process_use *processes; /* owned; one for each pid of the list, in its order */
	uint32_t *order;	       /* owned: places in the list, as refining needs them */
	uint32_t *memories;	       /* owned: one process of each memory that was refined */
	size_t capacity, capacity_places;
	struct process_list list_before;
	struct process_use *processes_before; /* owned; the look before */
	size_t capacity_before;
	size_t kept, kept_maximum; /* processes whose descriptors stay open */
	uint64_t total;		   /* the best upper bound known */
	int blind; /* -errno of this look: something that is there could not be read; 0: none */
};

/* 0 or -errno: -ENOENT where the kernel does not list children, -ESRCH without a keeper. */
int memory_use_init(struct memory_use *use, pid_t keeper);
void memory_use_finish(struct memory_use *use);

/* Walks the tree and sets `total` to the sum of the bounds.  What cannot be read counts as 0.  0,
 * -ESRCH (the keeper is gone) or -ENOMEM (the tail of the tree is missing). */
int memory_use_measure(struct memory_use *use, uint64_t now_ns);

/* Reads the true share of the largest processes until it is certain that the tree, together with
 * the files that it holds, is over `limit`, or well below it.  Sets `total` (without the files):
 * with them a sum that is surely reached if it is over the limit, else the best upper bound.  What
 * of the files is mapped counts as part of the files, not of the processes. */
void memory_use_refine(struct memory_use *use, uint64_t limit, const struct held_files *files);

/* Opens a pidfd (owned by the caller) that names the very process that was measured, whoever may
 * have got its number since; -ESRCH if that process is gone. */
int memory_use_open(struct memory_use *use, size_t place);

#endif

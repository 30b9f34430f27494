/* A process of the sandbox: found by the id of any of its threads, kept by reference. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_PROCESS_PROCESS_H
#define CORE_PROCESS_PROCESS_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

struct process_index;

/* What waits for the end of all readers before it is freed: see process_index_reclaim(). */
struct retired {
	struct retired *next;
};

struct process {
	struct retired retired;	     /* first; used once nobody refers to it any more */
	struct process_index *index; /* set once: where it retires to */
	pid_t tgid;		     /* set once; reserved by the kernel while it is in the index */
	uint64_t identity;	     /* set once: see task_identify() */
	_Atomic uint32_t references;
};

/* Gives a reference back.  Any thread. */
void process_put(struct process *process);

#endif

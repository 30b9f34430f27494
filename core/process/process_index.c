/* Thread id to process: a hash table of fixed size whose chains one thread writes and RCU sections
 * read. */
// SPDX-License-Identifier: Apache-2.0

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <urcu/urcu-memb.h>
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

#include "core/process/process_index.h"
#include "core/process/task_identity.h"

/* Ten thousand processes make chains of two or three. */
#define BUCKET_BITS   12
#define BUCKETS	      (1u << BUCKET_BITS)
#define RECLAIM_BATCH 256

struct task {
	struct retired retired;	     /* first */
	_Atomic(struct task *) next; /* RCU: of its chain; kept when it is unlinked, for readers */
	pid_t tid;		     /* set once */
	struct process *process;     /* set once: owns a reference */
	struct tracee tracee;	     /* tracer only */
};

struct process_index {
	void (*full)(void *context); /* set once */
	void *context;
	_Atomic(struct task *) buckets[BUCKETS]; /* RCU, written by one thread */
	_Atomic size_t processes;
	_Atomic(struct retired *) retired; /* a stack: pushed by any thread, taken whole */
	_Atomic size_t retired_count;
};

/* ThreadSanitizer does not see into liburcu: it is told that what a section has read comes before
 * what follows the wait for its end. */
static void section_begin(void)
{
	urcu_memb_read_lock();
}

static void section_end(struct process_index *index)
{
#ifdef __SANITIZE_THREAD__
	__tsan_release(index);
#endif
	(void)index;
	urcu_memb_read_unlock();
}

static void await_sections(struct process_index *index)
{
	urcu_memb_synchronize_rcu();
#ifdef __SANITIZE_THREAD__
	__tsan_acquire(index);
#endif
	(void)index;
}

/* A multiplier spreads neighbouring numbers (Knuth, 6.4). */
static _Atomic(struct task *) *bucket_of(struct process_index *index, pid_t tid)
{
	return &index->buckets[(uint32_t)tid * 2654435769u >> (32 - BUCKET_BITS)];
}

static void retire(struct process_index *index, struct retired *retired)
{
	struct retired *top = atomic_load(&index->retired);

	do {
		retired->next = top;
	} while (!atomic_compare_exchange_weak(&index->retired, &top, retired));
	if (atomic_fetch_add(&index->retired_count, 1) + 1 == RECLAIM_BATCH) {
		index->full(index->context);
	}
}

struct process_index *process_index_create(void (*full)(void *context), void *context)
{
	struct process_index *index = calloc(1, sizeof(*index));

	if (index != NULL) {
		index->full = full;
		index->context = context;
	}
	return index;
}

/* For the writer, which needs no section: nobody else changes the chains. */
static struct task *find(struct process_index *index, pid_t tid)
{
	struct task *task = atomic_load_explicit(bucket_of(index, tid), memory_order_relaxed);

	while (task != NULL && task->tid != tid) {
		task = atomic_load_explicit(&task->next, memory_order_relaxed);
	}
	return task;
}

static struct process *new_process(struct process_index *index, const struct task_identity *who)
{
	struct process *process = calloc(1, sizeof(*process));

	if (process != NULL) {
		process->index = index;
		process->tgid = who->tgid;
		process->identity = who->identity;
		atomic_init(&process->references, 1);
		atomic_fetch_add(&index->processes, 1);
	}
	return process;
}

int process_index_add(struct process_index *index, pid_t tid)
{
	_Atomic(struct task *) *bucket = bucket_of(index, tid);
	struct task_identity who;
	struct task *task;
	int r = find(index, tid) != NULL ? -EEXIST : task_identify(tid, &who);

	if (r < 0) {
		return r;
	}
	task = calloc(1, sizeof(*task));
	if (task == NULL) {
		return -ENOMEM;
	}
	task->tid = tid;
	if (who.tgid == tid) {
		task->process = new_process(index, &who);
	} else {
		struct task *leader = find(index, who.tgid);

		task->process = leader != NULL ? leader->process : NULL;
		if (task->process != NULL) {
			atomic_fetch_add(&task->process->references, 1);
		}
	}
	if (task->process == NULL) {
		free(task);
		return who.tgid == tid ? -ENOMEM : -ESRCH;
	}
	atomic_init(&task->next, atomic_load_explicit(bucket, memory_order_relaxed));
	/* Release: whoever finds the task sees it whole. */
	atomic_store_explicit(bucket, task, memory_order_release);
	return 0;
}

bool process_index_remove(struct process_index *index, pid_t tid)
{
	_Atomic(struct task *) *link = bucket_of(index, tid);
	struct task *task;
	bool is_process;

	while ((task = atomic_load_explicit(link, memory_order_relaxed)) != NULL &&
		task->tid != tid) {
		link = &task->next;
	}
	if (task == NULL) {
		return false;
	}
	/* A reader that stands on the task goes on from it to the rest of the chain. */
	atomic_store_explicit(link, atomic_load_explicit(&task->next, memory_order_relaxed),
		memory_order_release);
	is_process = task->process->tgid == tid;
	if (is_process) {
		atomic_fetch_sub(&index->processes, 1);
	}
	process_put(task->process);
	retire(index, &task->retired);
	return is_process;
}

struct tracee *process_index_tracee(struct process_index *index, pid_t tid)
{
	struct task *task = find(index, tid);

	return task != NULL ? &task->tracee : NULL;
}

void process_index_each(struct process_index *index,
	void (*each)(void *context, pid_t tid, struct process *process, struct tracee *tracee),
	void *context)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		struct task *task = atomic_load_explicit(&index->buckets[i], memory_order_relaxed);

		while (task != NULL) {
			struct task *next = atomic_load_explicit(&task->next, memory_order_relaxed);

			each(context, task->tid, task->process, &task->tracee);
			task = next;
		}
	}
}

/* A process whose last reference is gone stays at zero. */
static bool take_reference(struct process *process)
{
	uint32_t references = atomic_load(&process->references);

	while (references > 0) {
		if (atomic_compare_exchange_weak(
			    &process->references, &references, references + 1)) {
			return true;
		}
	}
	return false;
}

struct process *process_index_get(struct process_index *index, pid_t tid)
{
	struct process *process = NULL;
	struct task *task;

	section_begin();
	/* Acquire: the task was whole before it could be found. */
	task = atomic_load_explicit(bucket_of(index, tid), memory_order_acquire);
	while (task != NULL && task->tid != tid) {
		task = atomic_load_explicit(&task->next, memory_order_acquire);
	}
	if (task != NULL && take_reference(task->process)) {
		process = task->process;
	}
	section_end(index);
	return process;
}

void process_put(struct process *process)
{
	uint32_t before = atomic_fetch_sub(&process->references, 1);

	assert(before > 0);
	if (before == 1) {
		/* A reader may still hold the pointer that it got from a task. */
		retire(process->index, &process->retired);
	}
}

size_t process_index_processes(const struct process_index *index)
{
	return atomic_load(&index->processes);
}

void process_index_reclaim(struct process_index *index)
{
	struct retired *retired;

	atomic_store(&index->retired_count, 0);
	retired = atomic_exchange(&index->retired, NULL);
	if (retired == NULL) {
		return;
	}
	await_sections(index);
	while (retired != NULL) {
		struct retired *next = retired->next;

		free(retired);
		retired = next;
	}
}

static void remove_one(void *context, pid_t tid, struct process *process, struct tracee *tracee)
{
	(void)process;
	(void)tracee;
	(void)process_index_remove(context, tid); /* whether a process ends does not matter here */
}

void process_index_destroy(struct process_index *index)
{
	if (index != NULL) {
		process_index_each(index, remove_one, index);
		process_index_reclaim(index);
		free(index);
	}
}

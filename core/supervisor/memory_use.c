/* The memory of a process tree, measured in two steps: a cheap upper bound, then the truth. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <linux/kcmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/supervisor/memory_use.h"

/* Of our descriptors at most half go to kept /proc files. */
#define KEPT_SHARE 2

/* status costs seven times as much as statm.  While statm stands still, so do RssAnon and RssShmem,
 * unless a process trades pages of files for pages of shared memory one for one; swap and page
 * tables move slowly.  So status is read anew at least this often. */
#define STATUS_AGE_NS 500000000ull

/* Refining goes on until the total is below this share of the limit: a sum just below the limit
 * would have to be looked at again at once. */
#define ENOUGH_SHARE 2

int memory_use_init(struct memory_use *use, pid_t keeper)
{
	struct rlimit descriptors = { .rlim_cur = 256 };
	int r;

	(void)getrlimit(RLIMIT_NOFILE, &descriptors); /* keeps the value above if it fails */
	*use = (struct memory_use){
		.kept_maximum = descriptors.rlim_cur / KEPT_SHARE / PROC_FILE_COUNT,
	};
	proc_files_init(&use->keeper, keeper, true);
	r = process_tree_add_children(&use->keeper, &use->list); /* does this kernel list them? */
	process_list_clear(&use->list);
	return r;
}

static void process_finish(struct memory_use *use, struct process_use *process)
{
	use->kept -= process->files.keep;
	proc_files_finish(&process->files);
	process->files.keep = false;
}

static void process_begin(struct memory_use *use, struct process_use *process, pid_t pid)
{
	bool keep = use->kept < use->kept_maximum;

	*process = (struct process_use){ .pid = pid };
	proc_files_init(&process->files, pid, keep);
	use->kept += keep;
}

/* Moves what is known of a process from the look before.  False if it was not there. */
static bool process_adopt(struct memory_use *use, struct process_use *process, pid_t pid)
{
	struct process_use *before;
	uint32_t place;

	if (!pid_map_get(&use->list_before.known, pid, &place) || place >= use->list_before.count) {
		return false;
	}
	before = &use->processes_before[place];
	*process = *before;
	process->previous = before->bound;
	process->held_previous = before->held;
	process->refined = false;
	process->spared = false;
	proc_files_init(&before->files, pid, false); /* moved out: nothing to close there */
	return true;
}

static void finish_before(struct memory_use *use)
{
	for (size_t i = 0; i < use->list_before.count; i++) {
		process_finish(use, &use->processes_before[i]);
	}
	process_list_clear(&use->list_before);
}

void memory_use_finish(struct memory_use *use)
{
	for (size_t i = 0; i < use->list.count; i++) {
		process_finish(use, &use->processes[i]);
	}
	free(use->processes);
	free(use->processes_before);
	free(use->order);
	free(use->memories);
	process_list_finish(&use->list);
	process_list_finish(&use->list_before);
	proc_files_finish(&use->keeper);
}

/* Keeps an error that is ours: the end of a process, or a file that is not for us, is none. */
static void note_error(struct memory_use *use, int r)
{
	if (r < 0 && r != -ESRCH && r != -ENOENT && r != -EACCES && r != -EPERM) {
		use->blind = r;
	}
}

/* Sets the bound.  A process that is gone or going has none. */
static int read_bound(struct process_use *process, uint64_t now_ns)
{
	struct proc_status status;
	struct proc_statm statm;
	int r = proc_files_statm(&process->files, &statm);

	if (r < 0) {
		process->bound = 0;
		return r;
	}
	if (statm.size == 0 && proc_files_threads(&process->files) > 1) {
		int thread = proc_find_memory_thread(process->pid);

		if (thread > 0) {
			proc_files_finish(&process->files);
			process->files.pid = thread;
			process->status_ns = 0;
			(void)proc_files_statm(&process->files, &statm); /* else it stays 0 */
		}
	}
	if (process->status_ns != 0 && now_ns - process->status_ns < STATUS_AGE_NS &&
		memcmp(&statm, &process->statm, sizeof(statm)) == 0) {
		return 0;
	}
	r = proc_files_status(&process->files, &status);
	if (r < 0) {
		process->bound = 0;
		return r;
	}
	process->statm = statm;
	process->status_ns = now_ns;
	process->page_tables = status.page_tables;
	process->bound =
		status.anonymous + status.shared_memory + status.swapped + status.page_tables;
	return 0;
}

static int measure_process(struct memory_use *use, size_t place, uint64_t now_ns)
{
	struct process_use *process = &use->processes[place];
	pid_t pid = use->list.pids[place];
	bool adopted = process_adopt(use, process, pid);
	int r;

	if (!adopted) {
		process_begin(use, process, pid);
	}
	r = process_tree_add_children(&process->files, &use->list);
	if (r == -ESRCH && adopted) {
		/* What the descriptors named is gone, and the number has been given away again: or
		 * it was a thread that has ended. */
		bool dying = process->dying && process->files.pid != pid;

		process_finish(use, process);
		process_begin(use, process, pid);
		process->dying = dying;
		r = process_tree_add_children(&process->files, &use->list);
	}
	note_error(use, r);
	note_error(use, read_bound(process, now_ns));
	process->share = process->bound;
	if (!process->dying) {
		use->total += process->bound;
	}
	return r == -ENOMEM ? r : 0; /* anything else is the end of one process */
}

/* Room for as many processes as the list has room for pids. */
static int reserve_processes(struct memory_use *use)
{
	size_t capacity = use->list.capacity;
	void *memory;

	if (use->capacity >= use->list.count) {
		return 0;
	}
	memory = reallocarray(use->processes, capacity, sizeof(use->processes[0]));
	if (memory == NULL) {
		return -ENOMEM;
	}
	use->processes = memory;
	use->capacity = capacity;
	return 0;
}

/* Room for the same numbers as places. */
static int reserve_places(struct memory_use *use)
{
	void *memory;

	if (use->capacity_places >= use->list.count) {
		return 0;
	}
	memory = reallocarray(use->order, use->list.capacity, sizeof(use->order[0]));
	if (memory == NULL) {
		return -ENOMEM;
	}
	use->order = memory;
	memory = reallocarray(use->memories, use->list.capacity, sizeof(use->memories[0]));
	if (memory == NULL) {
		return -ENOMEM;
	}
	use->memories = memory;
	use->capacity_places = use->list.capacity;
	return 0;
}

static void swap_looks(struct memory_use *use)
{
	struct process_list list = use->list;
	struct process_use *processes = use->processes;
	size_t capacity = use->capacity;

	use->list = use->list_before;
	use->processes = use->processes_before;
	use->capacity = use->capacity_before;
	use->list_before = list;
	use->processes_before = processes;
	use->capacity_before = capacity;
}

int memory_use_measure(struct memory_use *use, uint64_t now_ns)
{
	size_t place = 0;
	int r;

	swap_looks(use);
	use->total = 0;
	use->blind = 0;
	r = process_tree_add_children(&use->keeper, &use->list);
	for (; r >= 0 && place < use->list.count; place++) {
		r = reserve_processes(use);
		if (r < 0) {
			break;
		}
		r = measure_process(use, place, now_ns);
	}
	use->list.count = place; /* after a failure: as many as there are processes */
	finish_before(use);
	r = r < 0 ? r : reserve_places(use);
	note_error(use, r);
	return r;
}

/* ---- the truth ----------------------------------------------------------------------------- */

static int compare_bounds(const void *left, const void *right, void *context)
{
	const struct memory_use *use = context;
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
	uint64_t bound_a = use->processes[a].bound, bound_b = use->processes[b].bound;

	if (bound_a != bound_b) {
		return bound_a < bound_b ? 1 : -1; /* the largest first */
	}
	return a < b ? -1 : 1; /* then the parent */
}

/* Without kcmp (a container profile may refuse it) only the usual case is known: a parent that
 * waits in vfork (state D) for the child that still borrows its memory. */
static bool borrows_from_parent(const struct memory_use *use, const struct process_use *process)
{
	const struct process_use *parent;
	struct proc_files files;
	struct proc_status status;
	struct proc_stat stat;
	uint32_t place;
	int r;

	if (proc_read_stat(process->pid, &stat) < 0 ||
		!pid_map_get(&use->list.known, stat.parent, &place) || place >= use->list.count) {
		return false;
	}
	parent = &use->processes[place];
	if (memcmp(&parent->statm, &process->statm, sizeof(parent->statm)) != 0) {
		return false;
	}
	proc_files_init(&files, parent->pid, false);
	r = proc_files_status(&files, &status);
	proc_files_finish(&files);
	return r >= 0 && status.state == 'D';
}

/* Two processes that share one memory (vfork before its exec, CLONE_VM) each show all of it, in PSS
 * too.  kcmp(2) orders memories, so each is searched among those already seen, and added.  True if
 * it was there. */
static bool memory_was_seen(
	struct memory_use *use, size_t *count, const struct process_use *process, uint32_t place)
{
	size_t low = 0, high = *count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		pid_t other = use->processes[use->memories[middle]].files.pid;
		long order = syscall(SYS_kcmp, process->files.pid, other, KCMP_VM, 0, 0);

		if (order == 0) {
			return true;
		}
		if (order < 0 || order > 2) {
			return errno != ESRCH && borrows_from_parent(use, process);
		}
		if (order == 1) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	memmove(&use->memories[low + 1], &use->memories[low],
		(*count - low) * sizeof(use->memories[0]));
	use->memories[low] = place;
	++*count;
	return false;
}

static void refine_process(struct process_use *process, const struct held_files *files)
{
	struct proc_rollup rollup;
	int r = proc_read_rollup(process->files.pid, &rollup);
	uint64_t mapped = 0;

	process->refined = true;
	if (r < 0) {
		/* Gone; or we may not look into it: then the bound stays. */
		process->share = r == -ESRCH ? 0 : process->bound;
		return;
	}
	if (rollup.shared_memory > 0 && held_files_bytes(files) > 0) {
		mapped = held_files_mapped(files, process->files.pid);
		mapped = mapped < rollup.shared_memory ? mapped : rollup.shared_memory;
	}
	process->share = rollup.anonymous + rollup.shared_memory - mapped + rollup.swapped +
			 process->page_tables;
}

void memory_use_refine(struct memory_use *use, uint64_t limit, const struct held_files *files)
{
	uint64_t beside = held_files_bytes(files), known = 0, unknown = use->total;
	size_t count = 0, memories = 0;

	for (uint32_t place = 0; place < use->list.count; place++) {
		if (!use->processes[place].dying && use->processes[place].bound > 0) {
			use->order[count++] = place;
		}
	}
	qsort_r(use->order, count, sizeof(use->order[0]), compare_bounds, use);

	for (size_t i = 0; i < count; i++) {
		struct process_use *process = &use->processes[use->order[i]];

		if (known + beside > limit || known + unknown + beside <= limit / ENOUGH_SHARE) {
			break;
		}
		if (memory_was_seen(use, &memories, process, use->order[i])) {
			process->share = 0;
			process->refined = true;
		} else {
			refine_process(process, files);
		}
		known += process->share;
		unknown -= process->bound;
	}
	use->total = known + beside > limit ? known : known + unknown;
}

int memory_use_open(struct memory_use *use, size_t place)
{
	struct process_use *process = &use->processes[place];
	struct proc_statm statm;
	cleanup_close int fd = -1;

	/* A descriptor that was not kept is opened now; whether it names the process that was
	 * measured is told by what it uses: a number given away anew belongs to a young, small one.
	 */
	if (!process->files.keep) {
		process->files.keep = true;
		use->kept++;
		if (proc_files_statm(&process->files, &statm) < 0 ||
			statm.resident < process->statm.resident / 2) {
			return -ESRCH;
		}
	}
	fd = pidfd_open(process->pid, 0);
	if (fd < 0) {
		return -errno;
	}
	/* The statm descriptor is older than the pidfd.  It still answers: so its process had the
	 * number when the pidfd was opened, and the pidfd names that process. */
	if (proc_files_statm(&process->files, &statm) < 0 || statm.size == 0) {
		return -ESRCH;
	}
	return fd_steal(&fd);
}

/* Memory by measurement: what the tree of a sandbox uses, and who made it too much. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/sysinfo.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/supervisor/memory_use.h"
#include "core/supervisor/sampler.h"
#include "core/supervisor/sampler_pace.h"

/* Who grew by less than this share of the limit, or by less than half of what is too much, did not
 * break it: then the largest is to blame. */
#define GROWTH_SHARE 64

/* Descriptors are looked through at most so often, for at most 1/SCAN_COST_SHARE of a processor,
 * and so many at a time: the loop that calls us has other things to do. */
#define SCAN_INTERVAL_NS 20000000ull
#define SCAN_COST_SHARE	 200
#define SCAN_DESCRIPTORS 2048

/* So many looks in a row may be blind, for want of a descriptor or memory, before the limit counts
 * as one that is not kept. */
#define BLIND_LOOKS 10

struct sampler {
	uint64_t limit;
	uint64_t due_ns;
	uint64_t peak_bytes;
	uint32_t peak_processes;
	struct sampler_pace pace;
	struct memory_use use;
	struct held_files files;
	uint64_t scan_due_ns;
	int blind_looks; /* in a row that could not see all that is there */
};

static uint64_t machine_memory(void)
{
	struct sysinfo info;

	if (sysinfo(&info) < 0) {
		return UINT64_MAX; /* unknown: every limit may be broken */
	}
	return ((uint64_t)info.totalram + info.totalswap) * info.mem_unit;
}

struct sampler *sampler_create(pid_t keeper, uint64_t limit)
{
	struct sampler *sampler = calloc(1, sizeof(*sampler));
	uint64_t first_ns;
	int r;

	if (sampler == NULL) {
		return NULL;
	}
	r = memory_use_init(&sampler->use, keeper);
	if (r < 0) {
		sampler_destroy(sampler);
		errno = -r;
		return NULL;
	}
	sampler->limit = limit;
	sampler_pace_init(&sampler->pace, limit, machine_memory(), (unsigned int)get_nprocs());
	first_ns = sampler_pace_first(&sampler->pace);
	sampler->due_ns =
		first_ns == SAMPLER_PACE_NEVER ? UINT64_MAX : clock_monotonic_ns() + first_ns;
	return sampler;
}

void sampler_destroy(struct sampler *sampler)
{
	if (sampler != NULL) {
		memory_use_finish(&sampler->use);
		held_files_finish(&sampler->files);
		free(sampler);
	}
}

uint64_t sampler_due(const struct sampler *sampler)
{
	return sampler->due_ns;
}

static uint64_t tree_bytes(const struct sampler *sampler)
{
	return sampler->use.total + held_files_bytes(&sampler->files);
}

static uint64_t difference(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

/* What it can be blamed for. */
static uint64_t process_bytes(const struct process_use *process)
{
	return process->share + process->held;
}

/* What of that is new since the last look.  A fork shows all that it shares with its parent, which
 * is no growth: so never more than its share. */
static uint64_t process_growth(const struct process_use *process)
{
	uint64_t grown = difference(process->bound, process->previous);

	return (grown < process->share ? grown : process->share) +
	       difference(process->held, process->held_previous);
}

/* The place of the process to kill, or -1: the one that grew most, else the largest. */
static ssize_t choose_victim(const struct sampler *sampler, uint64_t excess)
{
	const struct memory_use *use = &sampler->use;
	uint64_t grown_enough = sampler->limit / GROWTH_SHARE;
	ssize_t grown = -1, largest = -1;

	if (grown_enough < excess / 2) {
		grown_enough = excess / 2;
	}
	for (size_t i = 0; i < use->list.count; i++) {
		const struct process_use *process = &use->processes[i];

		if (process->dying || process->spared || process_bytes(process) == 0) {
			continue;
		}
		if (process_growth(process) >= grown_enough &&
			(grown < 0 ||
				process_growth(process) > process_growth(&use->processes[grown]))) {
			grown = (ssize_t)i;
		}
		if (largest < 0 ||
			process_bytes(process) > process_bytes(&use->processes[largest])) {
			largest = (ssize_t)i;
		}
	}
	return grown >= 0 ? grown : largest;
}

/* Kills one process.  False if it turned out to be gone, or not ours to kill. */
static bool kill_process(struct sampler *sampler, size_t place, struct sampler_victim *ret_victim)
{
	struct process_use *process = &sampler->use.processes[place];
	uint64_t total = tree_bytes(sampler), bytes = process_bytes(process);
	struct sampler_victim victim = {
		.pid = process->pid,
		.bytes = bytes < total ? bytes : total, /* it may be a bound, the total is sure */
		.tree_bytes = total,
	};
	cleanup_close int pidfd = memory_use_open(&sampler->use, place);
	struct proc_stat stat;

	if (pidfd >= 0 && proc_read_stat(process->pid, &stat) == 0) {
		memcpy(victim.comm, stat.comm, sizeof(victim.comm));
	}
	if (pidfd < 0 || pidfd_send_signal(pidfd, SIGKILL, NULL, 0) < 0) {
		int r = pidfd < 0 ? pidfd : -errno;

		/* It is there and should go: that we cannot is as bad as not to see it. */
		if (r != -ESRCH && r != -EPERM) {
			sampler->use.blind = r;
		}
		process->spared = true;
		return false;
	}
	/* Tearing down its memory takes the kernel a while.  Nobody else shall die for it
	 * meanwhile. */
	process->dying = true;
	sampler->use.total = difference(sampler->use.total, process->share);
	held_files_forget(&sampler->files, process->pid);
	sampler->scan_due_ns = 0; /* somebody else may hold them too */
	*ret_victim = victim;
	return true;
}

static bool kill_victim(struct sampler *sampler, struct sampler_victim *ret_victim)
{
	uint64_t excess = tree_bytes(sampler) - sampler->limit;
	ssize_t place;

	while ((place = choose_victim(sampler, excess)) >= 0) {
		if (kill_process(sampler, (size_t)place, ret_victim)) {
			return true;
		}
	}
	return false;
}

static void charge_process(void *context, pid_t holder, uint64_t bytes)
{
	struct memory_use *use = context;
	uint32_t place;

	if (pid_map_get(&use->list.known, holder, &place) && place < use->list.count) {
		use->processes[place].held += bytes;
	}
}

/* Goes on with the files that the tree holds, and charges the processes with what is known. */
static void scan_files(struct sampler *sampler, uint64_t now_ns)
{
	uint64_t began_ns = clock_read_ns(CLOCK_THREAD_CPUTIME_ID), interval_ns;
	struct memory_use *use = &sampler->use;

	if (now_ns >= sampler->scan_due_ns) {
		int r = held_files_under_way(&sampler->files)
				? -EALREADY
				: held_files_begin(&sampler->files, use->list.count);

		if (r < 0 && r != -EALREADY) {
			use->blind = r;
		}
		if (r == 0) {
			for (size_t i = 0; i < use->list.count; i++) {
				if (!use->processes[i].dying) {
					held_files_add(&sampler->files, use->list.pids[i]);
				}
			}
		}
		held_files_continue(&sampler->files, SCAN_DESCRIPTORS);
		interval_ns = (clock_read_ns(CLOCK_THREAD_CPUTIME_ID) - began_ns) * SCAN_COST_SHARE;
		sampler->scan_due_ns =
			now_ns + (interval_ns > SCAN_INTERVAL_NS ? interval_ns : SCAN_INTERVAL_NS);
	}
	for (size_t i = 0; i < use->list.count; i++) {
		use->processes[i].held = 0;
	}
	held_files_charge(&sampler->files, charge_process, use);
}

bool sampler_look(struct sampler *sampler, uint64_t now_ns, struct sampler_victim *ret_victim)
{
	uint64_t began_ns = clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
	struct memory_use *use = &sampler->use;
	bool killed = false;
	uint64_t delay_ns;
	int r = memory_use_measure(use, now_ns);

	scan_files(sampler, now_ns);
	if (r == 0 && tree_bytes(sampler) > sampler->limit) {
		memory_use_refine(use, sampler->limit, &sampler->files);
	}
	if (tree_bytes(sampler) > sampler->peak_bytes) {
		sampler->peak_bytes = tree_bytes(sampler);
	}
	if (use->list.count > sampler->peak_processes) {
		sampler->peak_processes = (uint32_t)use->list.count;
	}
	/* Without memory for the whole picture nobody is killed on half of it. */
	if (r == 0 && tree_bytes(sampler) > sampler->limit) {
		killed = kill_victim(sampler, ret_victim);
	}
	delay_ns = sampler_pace_next(&sampler->pace, now_ns,
		clock_read_ns(CLOCK_THREAD_CPUTIME_ID) - began_ns, tree_bytes(sampler));
	sampler->blind_looks = use->blind == 0 ? 0 : sampler->blind_looks + 1;
	if (use->blind != 0) {
		delay_ns = sampler_pace_minimum();
	}
	if (killed) {
		/* Still too much: at once.  Else soon, whatever it costs: those who live go on, and
		 * a kill for each such look keeps them few. */
		delay_ns = tree_bytes(sampler) > sampler->limit ? 0 : sampler_pace_minimum();
	}
	sampler->due_ns =
		delay_ns == SAMPLER_PACE_NEVER ? UINT64_MAX : clock_monotonic_ns() + delay_ns;
	return killed;
}

int sampler_error(const struct sampler *sampler)
{
	return sampler->blind_looks >= BLIND_LOOKS ? sampler->use.blind : 0;
}

uint64_t sampler_peak_bytes(const struct sampler *sampler)
{
	return sampler->peak_bytes;
}

uint32_t sampler_peak_processes(const struct sampler *sampler)
{
	return sampler->peak_processes;
}

/* CPU count: with --num-cpus N, sched_getaffinity(2) answers the first N processors, which is where
 * nproc and thread pools look.  Where tasks run is not touched. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/handler/call.h"
#include "core/plan/plan.h"
#include "core/process/domain.h"
#include "core/tracee/tracee_memory.h"
#include "handlers/cpu_count.h"

#define WORD_BYTES sizeof(unsigned long)

int cpu_count_answer(uint32_t count, uint32_t offered, size_t kernel_bytes,
	unsigned char mask[CPU_COUNT_MASK_BYTES])
{
	size_t needed = (count + 8 * WORD_BYTES - 1) / (8 * WORD_BYTES) * WORD_BYTES;
	size_t size = needed > kernel_bytes ? needed : kernel_bytes;

	if (offered < needed || size > CPU_COUNT_MASK_BYTES) {
		return -EINVAL;
	}
	size = offered < size ? offered : size;
	memset(mask, 0, size);
	/* The kernel's words are native, so byte order matters beyond the first byte. */
	for (uint32_t cpu = 0; cpu < count; cpu++) {
		unsigned long *words = (unsigned long *)(void *)mask;

		words[cpu / (8 * WORD_BYTES)] |= 1ul << (cpu % (8 * WORD_BYTES));
	}
	return (int)size;
}

/* Of the kernel everything comes but the bits: which sizes it takes, whether the process exists.
 * Its own answer for process 0 is about this thread, whose mask nobody sees. */
static struct action answer_getaffinity(struct call *call)
{
	_Alignas(unsigned long) unsigned char mask[CPU_COUNT_MASK_BYTES];
	const struct notif *notif = call->notif;
	uint32_t offered = (uint32_t)notif->args[1];
	uint32_t taken = offered < sizeof(mask) ? offered : (uint32_t)sizeof(mask);
	long kernel_bytes;
	int r;

	/* Larger sizes are cut by the kernel, after the test of the last bits. */
	if (offered % WORD_BYTES != 0) {
		return action_errno(EINVAL);
	}
	kernel_bytes = syscall(SYS_sched_getaffinity, (pid_t)notif->args[0], taken, mask);
	if (kernel_bytes < 0) {
		return action_errno(errno);
	}
	r = cpu_count_answer(call->domain->plan->num_cpus, offered, (size_t)kernel_bytes, mask);
	if (r < 0) {
		return action_errno(-r);
	}
	kernel_bytes = r;
	r = tracee_write(call, notif->args[2], mask, (size_t)kernel_bytes);
	return r < 0 ? action_errno(-r) : action_return(kernel_bytes);
}

static bool policy_counts_cpus(const struct sandbox_policy *policy)
{
	return policy->limits.num_cpus != 0;
}

static const struct trap_row cpu_count_traps[] = {
	{ SYS(sched_getaffinity), CLASS_ON_BEHALF, answer_getaffinity, .only_if = NULL },
	TRAP_END,
};

const struct feature cpu_count_feature = {
	.name = "cpu-count",
	.wanted = policy_counts_cpus,
	.traps = cpu_count_traps,
};

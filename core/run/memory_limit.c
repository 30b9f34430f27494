/* The memory limit of a run: by measurement always, by the kernel where a cgroup is delegated. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/run/memory_limit.h"
#include "core/supervisor/cgroup.h"

struct memory_limit {
	uint64_t bytes;
	struct cgroup *cgroup;	 /* owned; NULL where none is delegated */
	struct sampler *sampler; /* owned; NULL before the start */
};

int memory_limit_create(uint64_t bytes, struct memory_limit **ret_limit, struct error *error)
{
	const char *named = getenv("SANDLOCK_CGROUP");
	cleanup_text struct text found = { 0 };
	struct cgroup *cgroup = NULL;

	if (named != NULL) {
		cgroup = cgroup_create(named, bytes);
		if (cgroup == NULL) {
			return error_set(error, errno, "SANDLOCK_CGROUP: %s: %s", named,
				errno == ENOENT ? "no cgroup v2 that hands on the memory controller"
						: strerror(errno));
		}
	} else if (cgroup_find_root(&found) == 0) {
		cgroup = cgroup_create(found.bytes, bytes); /* NULL: not ours to divide */
	}
	*ret_limit = must_allocate(sizeof(**ret_limit));
	(*ret_limit)->bytes = bytes;
	(*ret_limit)->cgroup = cgroup;
	return 0;
}

int memory_limit_join(const struct memory_limit *limit)
{
	return limit != NULL && limit->cgroup != NULL ? cgroup_add(limit->cgroup, getpid()) : 0;
}

int memory_limit_start(struct memory_limit *limit, pid_t keeper, struct error *error)
{
	limit->sampler = sampler_create(keeper, limit->bytes);
	if (limit->sampler == NULL) {
		return error_set(error, errno, "--max-memory: cannot measure: %s", strerror(errno));
	}
	return 0;
}

uint64_t memory_limit_due(const struct memory_limit *limit)
{
	return sampler_due(limit->sampler);
}

int memory_limit_look(struct memory_limit *limit, uint64_t now_ns, struct result *result)
{
	struct sampler_victim victim;

	if (!sampler_look(limit->sampler, now_ns, &victim)) {
		return sampler_error(limit->sampler);
	}
	if (result->memory_kills < RESULT_VICTIMS) {
		result->victims[result->memory_kills] = victim;
	}
	result->memory_kills++;
	(void)fprintf(stderr,
		"sandlock: memory limit: killed process %d (%.15s), which held %llu bytes of the "
		"tree's %llu\n",
		(int)victim.pid, victim.comm, (unsigned long long)victim.bytes,
		(unsigned long long)victim.tree_bytes); /* nobody to tell if stderr is gone */
	return 0;
}

void memory_limit_finish(struct memory_limit *limit, struct result *result)
{
	struct cgroup_memory seen = { 0 };

	if (limit == NULL) {
		return;
	}
	if (result != NULL && limit->sampler != NULL) {
		result->sampled = true;
		result->peak_bytes = sampler_peak_bytes(limit->sampler);
		result->peak_processes = sampler_peak_processes(limit->sampler);
	}
	if (result != NULL && limit->cgroup != NULL &&
		cgroup_read_memory(limit->cgroup, &seen) == 0) {
		result->kernel_kills = seen.oom_kills;
		if (seen.peak_bytes > result->peak_bytes) {
			result->peak_bytes = seen.peak_bytes;
		}
	}
	sampler_destroy(limit->sampler);
	(void)cgroup_destroy(
		limit->cgroup); /* a group that stays is empty, and named in sandlock.7 */
	free(limit);
}

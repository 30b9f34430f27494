/* A delegated cgroup v2 with the memory controller, where there is one: the kernel's own limit,
 * which also sees what measurement cannot. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_SUPERVISOR_CGROUP_H
#define CORE_SUPERVISOR_CGROUP_H

#include <stdint.h>
#include <sys/types.h>

#include "core/base/text.h"

struct cgroup;

struct cgroup_memory {
	uint64_t peak_bytes; /* memory.peak; 0 before Linux 5.19 */
	uint64_t oom_kills;  /* processes that the kernel killed for the limit */
};

/* The directory that groups may be made in: our own cgroup, or its parent if that one is marked as
 * delegated and we sit in a subgroup of it (DelegateSubgroup= of systemd.exec(5)); any other parent
 * has limits of its own beside ours, which the sandbox would leave.  0, or -ENOENT where there is
 * none. */
int cgroup_find_root(struct text *ret_path);

/* Makes a group below `root` with memory.max set and no swap.  NULL and errno: ENOENT if `root` has
 * no memory controller to hand on (not delegated, no cgroup v2, or, as the kernel wants it, there
 * are processes in `root` itself: cgroups(7), "no internal processes"), or what the kernel
 * answered. */
struct cgroup *cgroup_create(const char *root, uint64_t memory_limit);

/* Moves a process in; what it forks from then on is born there.  0 or -errno. */
int cgroup_add(struct cgroup *cgroup, pid_t pid);

/* 0 or -errno. */
int cgroup_read_memory(const struct cgroup *cgroup, struct cgroup_memory *ret_memory);

/* Kills what is left inside and removes the group; waits up to 100 ms for the last process to go.
 * 0, or -errno if the directory stays.  NULL is fine. */
int cgroup_destroy(struct cgroup *cgroup);

/* Pure part of cgroup_find_root(): the texts of /proc/self/cgroup and /proc/self/mountinfo to the
 * directory of the caller's cgroup.  0 or -ENOENT. */
int cgroup_path_parse(const char *cgroups, const char *mounts, struct text *ret_path);

#endif

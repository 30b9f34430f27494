/* Names resolved as the kernel would for a task: from its root, working directory and descriptors,
 * with its own /proc/self.  Only O_PATH descriptors are opened: nothing blocks on what is found. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_TRACEE_TRACEE_PATH_H
#define CORE_TRACEE_TRACEE_PATH_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/base/attributes.h"

/* All that can be left of a path while it is walked: each of 40 symbolic links may put one path
 * before the rest. */
#define TRACEE_PATH_LINKS   40
#define TRACEE_PATH_SCRATCH ((TRACEE_PATH_LINKS + 1) * 4096)

/* Belongs to one thread, for one notification. */
struct tracee_paths {
	pid_t tid;
	int root;      /* owned */
	char *scratch; /* borrowed: TRACEE_PATH_SCRATCH bytes */
};

/* 0; -ESRCH when there is no such task, -EACCES when it may not be looked at, or another -errno. */
int tracee_paths_init(struct tracee_paths *paths, pid_t tid, char *scratch) nodiscard;
void tracee_paths_finish(struct tracee_paths *paths);
#define cleanup_tracee_paths cleanup(tracee_paths_finish)

/* Opens `path` (of at most 4095 bytes), if it is relative below the task's descriptor `dirfd` or
 * its working directory (AT_FDCWD), with O_PATH | O_CLOEXEC.  An empty path is `dirfd` itself.  A
 * final symbolic link is followed if `follow`, and is -ELOOP if not.
 *
 * The descriptor, or an -errno as the kernel would answer the task.  It is more generous than the
 * kernel where the caller may search or look at more than the task, and a procfs of another pid
 * namespace is -EACCES.  tracee_path_error_is_ours() tells the errors apart that say nothing about
 * the path.  All is opened by number: it is good only if the notification stood afterwards. */
int tracee_path_open(
	struct tracee_paths *paths, int dirfd, const char *path, bool follow) nodiscard;

bool tracee_path_error_is_ours(int error);

#endif

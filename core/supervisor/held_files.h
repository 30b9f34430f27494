/* Memory in files without a name: memfds and unlinked files on tmpfs that a tree holds open.  What
 * is written there and not mapped is in no process's numbers. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_SUPERVISOR_HELD_FILES_H
#define CORE_SUPERVISOR_HELD_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct held_file;

/* Each file once, by device and inode.  A file belongs to the first process that is found with it.
 */
struct held_table {
	struct held_file *slots; /* owned; a power of two of them, at most half in use */
	size_t capacity, count;
	uint64_t bytes; /* of all of them */
};

/* Zero-initialised to begin.  Not thread-safe.
 *
 * What stays unseen without a cgroup: a file that no descriptor names and nobody maps (one that is
 * under way in a socket, a System V segment that nobody has attached, files that have a name on a
 * tmpfs that the policy grants), pages of files that are mapped only in part after their
 * descriptors were closed, hugetlbfs, buffers of pipes and sockets, and all other memory that the
 * kernel holds for the tree. */
struct held_files {
	struct held_table complete; /* what the last full pass found */
	struct held_table building; /* what the pass that is under way found */
	pid_t *pids;		    /* owned: the processes of that pass */
	size_t pid_count, pid_capacity;
	size_t next_pid;
	unsigned int next_descriptor;
	struct {
		uint32_t major, minor;
		bool in_memory;
	} devices[8]; /* file systems met, and whether they are tmpfs */
	size_t device_count;
};

void held_files_finish(struct held_files *files);

/* True while the pass that held_files_begin() started has not come to its end. */
bool held_files_under_way(const struct held_files *files);
/* Begins a pass, with room for so many processes: held_files_add() each of them then.  0 or
 * -ENOMEM. */
int held_files_begin(struct held_files *files, size_t count);
void held_files_add(struct held_files *files, pid_t pid);
/* Looks at up to `maximum` descriptors more. */
void held_files_continue(struct held_files *files, size_t maximum);

/* The memory in all files, as far as known: what is under way counts as soon as it is more. */
uint64_t held_files_bytes(const struct held_files *files);
/* Calls `charge` for each file with the process that it belongs to. */
typedef void (*held_charge_fn)(void *context, pid_t holder, uint64_t bytes);
void held_files_charge(const struct held_files *files, held_charge_fn charge, void *context);
/* The process is being killed: its files no longer count, until somebody else is found with them.
 */
void held_files_forget(struct held_files *files, pid_t pid);
/* The part of the process's Pss_Shmem that lies in these files, by /proc/PID/smaps. */
uint64_t held_files_mapped(const struct held_files *files, pid_t pid);

#endif

/* /proc/PID/{stat,status,statm,smaps_rollup} read, through descriptors that can be kept open. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_PROCESS_PROC_READER_H
#define CORE_PROCESS_PROC_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/process/proc_text.h"

/* The files that are worth keeping.  smaps_rollup is not: its descriptor stays with the memory that
 * the process had when it was opened and shows nothing after an exec. */
enum proc_file {
	PROC_FILE_CHILDREN, /* of the first thread */
	PROC_FILE_TASKS,    /* the directory of threads */
	PROC_FILE_STATM,
	PROC_FILE_STATUS,
	PROC_FILE_COUNT,
};

/* The /proc files of one process.  A descriptor that is kept names this process for good: when the
 * process is gone, reading fails with ESRCH whoever has its number now.  (Reading one costs 0.3 to
 * 8 us, opening it anew adds 4.5.)  Without `keep`, each read opens by number. */
struct proc_files {
	pid_t pid;
	bool keep;
	int descriptors[PROC_FILE_COUNT]; /* owned; -1: not open */
};

void proc_files_init(struct proc_files *files, pid_t pid, bool keep);
void proc_files_finish(struct proc_files *files);

/* All of these: 0 or more, -ESRCH when the process is gone, or another -errno. */

/* The number of threads, by the link count of /proc/PID/task: no readdir. */
int proc_files_threads(struct proc_files *files);
int proc_files_statm(struct proc_files *files, struct proc_statm *ret_statm);
int proc_files_status(struct proc_files *files, struct proc_status *ret_status);
/* The children of the first thread.  Of a process that is gone: none, or -ESRCH. */
int proc_files_children(struct proc_files *files, pid_fn found, void *context);
/* The children of every thread. */
int proc_files_thread_children(struct proc_files *files, pid_fn found, void *context);

/* When the first thread of a process has ended, /proc/PID shows no memory while the others use it.
 * Returns the id of a thread that does show it (/proc/TID works as well), or -ESRCH. */
int proc_find_memory_thread(pid_t pid);

int proc_read_stat(pid_t pid, struct proc_stat *ret_stat);
/* -EACCES or -EPERM where the kernel does not let us look into the process (ptrace(2), access mode
 * PTRACE_MODE_READ). */
int proc_read_rollup(pid_t pid, struct proc_rollup *ret_rollup);

/* Calls `each` for every line of a file (without the newline) until it answers true.  A line longer
 * than 4 KiB arrives cut.  0 or -errno. */
typedef bool (*line_fn)(void *context, const char *line, size_t length);
int proc_read_lines(int fd, line_fn each, void *context);

/* Opens /proc/PID/NAME for reading; -ESRCH if there is no such process. */
int proc_open(pid_t pid, const char *name, int flags);

#endif

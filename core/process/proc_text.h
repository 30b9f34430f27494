/* The texts of /proc/PID parsed: stat, status, statm, smaps, smaps_rollup, children.  Pure. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_PROCESS_PROC_TEXT_H
#define CORE_PROCESS_PROC_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* proc_stat(5): comm may hold any byte, also blanks, parentheses and newlines. */
struct proc_stat {
	pid_t pid;
	char comm[16]; /* NUL-terminated, cut there as the kernel does */
	char state;
	pid_t parent;
	uint64_t user_ticks, system_ticks; /* of the whole thread group */
	uint64_t threads;
	uint64_t start_ticks;
};

/* proc_pid_status(5); what a zombie or an older kernel does not show is 0.  Bytes. */
struct proc_status {
	char state;
	uint64_t process; /* Tgid */
	uint64_t threads;
	uint64_t anonymous, shared_memory; /* resident: RssAnon, RssShmem */
	uint64_t swapped;		   /* VmSwap */
	uint64_t page_tables;		   /* VmPTE */
	/* Signal n is bit n-1.  SigPnd and SigBlk are those of the thread that was read. */
	uint64_t pending, shared_pending, blocked, ignored, caught;
};

/* proc_pid_statm(5), in pages. */
struct proc_statm {
	uint64_t size, resident, shared, data;
};

/* proc_pid_smaps(5): the process's share of what it maps, in bytes. */
struct proc_rollup {
	uint64_t anonymous;	/* Pss_Anon */
	uint64_t shared_memory; /* Pss_Shmem */
	uint64_t swapped;	/* SwapPss */
};

/* Parsers of one whole text.  0 or -EBADMSG, outputs untouched then. */
int proc_stat_parse(const char *text, size_t length, struct proc_stat *ret_stat);
int proc_statm_parse(const char *text, size_t length, struct proc_statm *ret_statm);

/* Parses one line without its newline into what it belongs to; other lines are ignored.  A value
 * that is not a number, or that overflows, counts as not shown.  True when the last wanted line was
 * seen. */
bool proc_status_parse_line(struct proc_status *status, const char *line, size_t length);
bool proc_rollup_parse_line(struct proc_rollup *rollup, const char *line, size_t length);

/* The value of "Name:   123 kB" in bytes.  False if the line is not of that name or form. */
bool proc_line_bytes(const char *line, size_t length, const char *name, uint64_t *ret_bytes);

/* The first line of a mapping in /proc/PID/smaps: which file it maps; inode 0: none. */
struct proc_mapping {
	uint32_t major, minor;
	uint64_t inode;
};
/* False for every other line. */
bool proc_mapping_parse(const char *line, size_t length, struct proc_mapping *ret_mapping);

/* Takes pids out of a text of numbers and blanks that arrives in pieces.  Zero-initialised to
 * begin. */
struct pid_scanner {
	uint64_t number;
	bool inside;
};
typedef int (*pid_fn)(void *context, pid_t pid);
/* Calls `found` for each pid that is complete; numbers that cannot be a pid are dropped.  A
 * negative answer of `found` ends it and is returned; else 0. */
int pid_scanner_feed(
	struct pid_scanner *scanner, const char *text, size_t length, pid_fn found, void *context);

#endif

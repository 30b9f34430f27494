/* Looks at processes from outside: what carries a marker, who is whose child, what stands in
 * /proc. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_LIVE_PROBE_H
#define TESTS_LIVE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Processes whose environment holds KEY=VALUE; zombies have none and are not counted. */
int survivors_count(const char *marker);
/* Sends SIGKILL to them, again and again until none is left or two seconds passed. */
void survivors_kill(const char *marker);
/* Looks every 2 ms until none is left; the seconds that took, or -1 past the limit. */
double survivors_wait_gone(const char *marker, double limit_seconds);

/* The children of a process, ascending; answers how many were stored. */
size_t process_children(pid_t pid, pid_t *ret_children, size_t capacity);
/* The only child of a process, waiting for it up to two seconds; 0 when there is none or several.
 */
pid_t process_only_child(pid_t pid);
/* "State" of /proc/PID/stat; 0 when it is gone. */
char process_state(pid_t pid);
/* 'T' stands for 't' too, the state of what is stopped under a tracer. */
bool process_wait_state(pid_t pid, char state, double limit_seconds);
/* A field of /proc/PID/status as text ("Seccomp" -> "2"), in buffer; NULL when it is not there. */
const char *process_field(pid_t pid, const char *name, char *buffer, size_t capacity);
/* All of /proc/PID/limits and the scheduling values that another process could change, as text that
 * compares equal while nothing changed.  Owned by the caller. */
char *process_settings(pid_t pid);
/* Entries of a directory, for /proc/PID/fd and /proc/PID/task; -1 when it cannot be read. */
int directory_entry_count(const char *path);

#endif

/* What a benchmark harness must know of the machine and of the run (--record-env). */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_RUN_RECORD_ENV_H
#define CORE_RUN_RECORD_ENV_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "core/base/text.h"

/* A number that may be unknown.  What is unknown is null in the record, never a guess. */
struct env_number {
	bool known;
	uint64_t value;
};

/* Zero-initialise, fill by the functions below in any order, then finish.  A NULL string is
 * unknown. */
struct env_record {
	/* By record_env_begin(); owned. */
	char *kernel, *architecture, *cpu_model, *governor, *turbo, *smt, *aslr, *huge_pages;
	struct string_list mitigations; /* name, value, name, value, … */
	char *load_begin, *load_end;
	struct env_number cpus, memory_bytes;
	struct env_number steal_begin, steal_end; /* ticks of USER_HZ, all processors together */
	/* By the caller, who knows the run. */
	struct env_number migrations; /* of the command's first thread */
	struct env_number voluntary_switches, involuntary_switches;
	struct env_number minor_faults, major_faults;
	struct env_number argv_bytes, environment_bytes;
};

/* Before the command starts, and after it has ended. */
void record_env_begin(struct env_record *record);
void record_env_end(struct env_record *record);
/* The same with all files looked for below `root` ("" is the machine). */
void record_env_begin_at(struct env_record *record, const char *root);
void record_env_end_at(struct env_record *record, const char *root);

/* Context switches and page faults, as wait4() or getrusage() told them. */
void record_env_usage(struct env_record *record, const struct rusage *usage);
/* The migrations of a process between processors so far: to be read before it is reaped.  Unknown
 * where the kernel has no /proc/PID/sched (CONFIG_SCHED_DEBUG). */
void record_env_process(struct env_record *record, pid_t pid);
/* The bytes of the strings with their NULs, as execve(2) copies them; both lists end with NULL. */
void record_env_strings(struct env_record *record, char *const *argv, char *const *environment);

/* Adds one JSON object, without a newline. */
void record_env_json(const struct env_record *record, struct text *text);

void record_env_finish(struct env_record *record);

#endif

/* What the user asked for: plain values, in sections equal to the sections of a profile. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_POLICY_POLICY_H
#define CORE_POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/text.h"
#include "core/policy/port_rule.h"
#include "core/policy/protection.h"

/* An owned list of numbers (processors, GPU indices, descriptors). */
struct number_list {
	uint32_t *items;
	size_t count;
};

/* How the arguments of a judged exec are kept from changing. */
enum argv_guard { ARGV_GUARD_VERIFY, ARGV_GUARD_FREEZE };

enum gpu_access { GPU_NONE, GPU_ALL, GPU_LISTED };

void number_list_finish(struct number_list *list);
/* Appends unless the list has the number already; tells whether it was new. */
bool number_list_add(struct number_list *list, uint32_t number);
bool number_list_contains(const struct number_list *list, uint32_t number);
#define cleanup_number_list cleanup(number_list_finish)

/* policy_init() gives the defaults: everything denied, nothing limited.  All memory is owned. */
struct sandbox_policy {
	struct {
		char *name;		 /* NULL: sandbox-<pid>-<counter> */
		struct string_list argv; /* the command; empty with exec_shell */
		char *exec_shell;	 /* -e: run by /bin/sh -c */
		struct string_list env;	 /* KEY=VALUE, in order, later wins */
		char *cwd;		 /* NULL: stay */
		bool clean_env;
		bool no_coredump;
		bool no_huge_pages;
		bool has_user; /* uid and gid as seen inside */
		uid_t uid;
		gid_t gid;
		uint64_t keep_caps;	     /* bit per CAP_* number that is not dropped */
		struct number_list keep_fds; /* descriptors the command inherits beside 0, 1, 2 */
	} program;
	struct {
		struct string_list read;  /* read and execute, as written by the user */
		struct string_list write; /* read, execute, write */
		struct string_list
			optional_read; /* as read, and skipped if absent: grants of presets */
		struct string_list
			devices; /* device nodes: read and write, no execute; skipped if absent */
		bool ignore_missing; /* a missing path is skipped instead of refused */
		bool private_tmp;    /* a writable temporary directory of the run's own */
		struct string_list
			presets; /* names applied, for reports: the effect is in the fields above */
	} filesystem;
	struct {
		struct port_set bind;	 /* TCP ports it may bind; empty: none */
		struct port_set connect; /* TCP ports it may connect to; empty: none */
	} network;
	struct {
		uint64_t memory;	      /* bytes of the whole tree; 0: unlimited */
		uint32_t cpu_percent;	      /* 1..100; 100: not throttled */
		uint32_t open_files;	      /* RLIMIT_NOFILE; 0: as inherited */
		struct number_list cpu_cores; /* empty: as inherited */
		enum gpu_access gpu;
		struct number_list gpu_devices; /* with GPU_LISTED */
		uint64_t timeout_ns;		/* 0: none */
		uint64_t kill_after_ns; /* between TERM and KILL of a timeout; 0: KILL at once */
		uint64_t output;	/* bytes of stdout and stderr together; 0: unlimited */
		uint32_t processes;	/* alive at once; 0: unlimited */
		uint32_t num_cpus;	/* processors that the command is shown; 0: the host's */
	} limits;
	struct {
		bool no_randomize_memory;
	} determinism;
	struct {
		struct string_list extra_allow; /* names of groups */
		struct string_list extra_deny;	/* names of calls or groups */
	} syscalls;
	enum protection_mode protections[PROTECTION_COUNT];
	struct {
		bool no_supervisor;
		bool record_env;
		int status_fd;	   /* -1: none */
		char *stdout_path; /* NULL: inherited */
		char *stderr_path;
		struct number_list supervisor_cpus; /* empty: as inherited */
		uint32_t argv_guard;		    /* enum argv_guard */
		uint32_t workers_max; /* threads that answer notifications; 1 at least */
	} run;
};

void policy_init(struct sandbox_policy *policy);
/* Frees what the policy owns and leaves it as policy_init() does. */
void policy_finish(struct sandbox_policy *policy);
#define cleanup_policy cleanup(policy_finish)

#endif

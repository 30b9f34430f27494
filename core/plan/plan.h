/* The plan: everything the kernel and the supervisor will be told, computed before anything is
 * started, complete, and not changed afterwards. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_PLAN_PLAN_H
#define CORE_PLAN_PLAN_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/program.h"
#include "core/base/error.h"
#include "core/plan/landlock_plan.h"
#include "core/plan/notify_plan.h"
#include "core/plan/syscall_rules.h"
#include "core/policy/policy.h"

#define PLAN_CPU_WORDS 16 /* 1,024 processors */

/* A set of processors in the form that sched_setaffinity takes. */
struct cpu_mask {
	bool is_set;
	unsigned long words[PLAN_CPU_WORDS];
};

struct plan {
	char *name; /* owned: the sandbox's name */
	struct landlock_plan landlock;
	struct syscall_choices choices; /* what selected the verdicts of the filter */
	struct bpf_program filter;
	struct notify_plan notify; /* what the filter sends to the supervisor, and who is asked */

	/* What the child becomes. */
	char **argv;	   /* owned, NULL-terminated */
	char **envp;	   /* owned, NULL-terminated */
	char **exec_paths; /* owned: the files to try in order, as execvp would */
	char **shell_argv; /* owned: for a script without "#!"; [1] is filled by the child */
	char *cwd;	   /* owned; NULL: stay */
	char *private_tmp; /* owned: the run's temporary directory; NULL: none */

	/* Settings of the child. */
	bool supervised;
	bool no_coredump;
	bool no_huge_pages;
	bool no_randomize_memory;
	bool has_user;
	uid_t uid; /* inside, with has_user */
	gid_t gid;
	uid_t host_uid; /* of the caller */
	gid_t host_gid;
	uint64_t keep_caps;
	uint32_t open_files; /* 0: as inherited */
	struct cpu_mask cpus;
	struct number_list keep_fds; /* owned: ascending, each once, none below 3 */

	/* What the self-check knows must fail. */
	const char *denied_path; /* a directory that no rule grants; NULL: all is granted */
	bool scopes_signals;	 /* the domain scopes signals */

	/* Fault points of debug builds: the wall is not put up, and nobody says so. */
	bool fault_skip_landlock;
	bool fault_skip_filter;

	/* Limits that the supervisor keeps. */
	uint64_t memory_limit; /* 0: none */
	uint32_t cpu_percent;  /* 100: none */
	uint64_t timeout_ns;   /* 0: none */
	uint64_t kill_after_ns;
	uint64_t output_limit; /* 0: none */

	/* What features and their threads go by. */
	uint32_t process_limit; /* processes alive at once; 0: unlimited */
	uint32_t num_cpus;	/* processors that the command is shown; 0: those of the host */
	enum argv_guard argv_guard;
	uint32_t workers_max; /* threads that answer notifications beside the receiver */
};

/* Compiles the policy for this host.  `features`, ended by NULL, is what may be wanted, in the
 * order of asking; NULL stands for none.  It must outlive the plan.  0, or -errno with one line for
 * the user; *ret_plan is then untouched.  Reads the environment of the process; otherwise
 * thread-safe. */
int plan_compile(const struct sandbox_policy *policy, const struct feature *const *features,
	struct plan *ret_plan, struct error *error);
void plan_finish(struct plan *plan);

#endif

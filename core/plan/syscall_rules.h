/* One row per system call: its verdict in supervised and unsupervised runs, and who polices it. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_PLAN_SYSCALL_RULES_H
#define CORE_PLAN_SYSCALL_RULES_H

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/syscall.h"
#include "arch/syscall_groups.h"
#include "bpf/program.h"
#include "bpf/trap_set.h"
#include "core/base/error.h"
#include "core/base/text.h"

/* A call that a supervisor is asked about, by its number on this processor, while the test holds
 * (NULL: always).  The test is borrowed. */
struct syscall_notify {
	int number;
	const struct arg_test *only_if;
};

/* What of a policy and of the host changes a verdict. */
struct syscall_choices {
	bool supervised;	 /* which column */
	uint32_t allowed_groups; /* 1u << enum syscall_group */
	uint32_t denied_groups;	 /* likewise; matters for groups without members, unix_sockets */
	bool tcp_sockets;	 /* Landlock polices TCP, or the policy grants all of it */
	bool listen;		 /* some bind port is granted */
	bool unix_sockets; /* Landlock polices socket files (ABI 9), or the group is allowed */
	bool denied[SYSCALL_COUNT];	     /* --extra-deny-syscall, by enum syscall_id */
	const struct syscall_notify *notify; /* borrowed; what the rows deny stays denied */
	size_t notify_count;
};

/* Resolves --extra-allow-syscall and --extra-deny-syscall names into `choices` with the messages of
 * spec/confinement.md §2. */
int syscall_choices_add(struct syscall_choices *choices, const struct string_list *extra_allow,
	const struct string_list *extra_deny, struct error *error);

/* Compiles the filter of one architecture.  0 or -errno (-ENOSPC: too many notified calls);
 * *ret_program is owned by the caller.  Pure and thread-safe; needs about 100 KiB of stack. */
int syscall_rules_compile(enum arch arch, const struct syscall_choices *choices,
	struct bpf_program *ret_program) nodiscard;

/* Who stands between a call and harm. */
enum syscall_police {
	SYSCALL_POLICE_HARMLESS,    /* nobody needs to; the reason says why */
	SYSCALL_POLICE_LANDLOCK,    /* the rights or the scope that the reason names */
	SYSCALL_POLICE_PERMISSIONS, /* the permissions of the file: Landlock has no right for it */
	SYSCALL_POLICE_ARGUMENTS,   /* tests of the arguments in the filter */
	SYSCALL_POLICE_REFUSED,	    /* the filter, always */
	SYSCALL_POLICE_USER, /* the user: --extra-deny-syscall, or a group that was allowed */
	SYSCALL_POLICE_COUNT
};

const char *syscall_police_name(enum syscall_police police);

/* One row as these choices read it. */
struct syscall_rule {
	enum verdict verdict; /* of a tested call: when no clause holds */
	bool is_tested;	      /* arguments can change the verdict */
	enum syscall_police police;
	const char *reason; /* constant, a phrase */
};

/* For --explain and tests: walk 0..SYSCALL_COUNT-1.  Pure and thread-safe. */
struct syscall_rule syscall_rules_get(const struct syscall_choices *choices, enum syscall_id id);

/* What the filter must answer, computed from the rows without a program. */
enum verdict syscall_rules_verdict(
	enum arch arch, const struct syscall_choices *choices, const struct seccomp_data *call);

/* The rows as a trap set, for other ways to make a program of them (an oracle, a measurement).
 * `clauses` is the memory that the set refers to. */
#define SYSCALL_RULES_CLAUSES  128
#define SYSCALL_RULES_NOTIFIED 128
struct syscall_traps {
	struct trap_set set;
	struct arg_clause clauses[SYSCALL_RULES_CLAUSES];
	struct arg_clause notified[SYSCALL_RULES_NOTIFIED];
};
int syscall_rules_collect(enum arch arch, const struct syscall_choices *choices,
	struct syscall_traps *ret_traps) nodiscard;

#endif

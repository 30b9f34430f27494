/* One row per system call: its verdict in supervised and unsupervised runs, and who polices it. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_PLAN_SYSCALL_RULES_H
#define CORE_PLAN_SYSCALL_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/syscall.h"
#include "arch/syscall_groups.h"
#include "bpf/program.h"
#include "core/base/error.h"
#include "core/base/text.h"

/* What of a policy and of the host changes a verdict. */
struct syscall_choices {
	bool supervised;                  /* which column */
	uint32_t allowed_groups;          /* 1u << enum syscall_group */
	bool tcp_sockets;                 /* Landlock polices TCP, or the policy grants all of it */
	bool listen;                      /* some bind port is granted */
	bool unix_sockets;                /* Landlock polices socket files (ABI 9), or the group is allowed */
	bool denied[SYSCALL_COUNT];       /* --extra-deny-syscall, by enum syscall_id */
};

/* Resolves --extra-allow-syscall and --extra-deny-syscall names into `choices` with the messages of
 * spec/confinement.md §2. */
int syscall_choices_add(struct syscall_choices *choices, const struct string_list *extra_allow,
	const struct string_list *extra_deny, struct error *error);

/* Compiles the filter of one architecture.  0 or -errno; *ret_program is owned by the caller. */
int syscall_rules_compile(enum arch arch, const struct syscall_choices *choices,
	struct bpf_program *ret_program) nodiscard;

#endif

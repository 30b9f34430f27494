/* The Landlock domain of a run: rules and rights for this kernel's ABI. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_PLAN_LANDLOCK_PLAN_H
#define CORE_PLAN_LANDLOCK_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/policy/policy.h"

/* The kernel's struct landlock_ruleset_attr as of ABI 6, under our own name because the headers of
 * the build machine may be older than the kernel that runs. */
struct landlock_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

struct landlock_path_rule {
	char *path;      /* owned, absolute or as the user wrote it */
	int fd;          /* owned, O_PATH | O_CLOEXEC */
	uint64_t access; /* already reduced to what this ABI handles and this file type accepts */
};

struct landlock_port_rule {
	uint16_t port;
	uint64_t access;
};

struct landlock_plan {
	int abi;                                     /* the ABI planned for, ≥ 1 */
	struct landlock_attr attr;
	struct landlock_path_rule *paths;            /* owned */
	size_t path_count;
	struct landlock_port_rule *ports;            /* owned; ascending */
	size_t port_count;
	struct string_list skipped;                  /* missing paths under --ignore-missing */
	enum protection_state protections[PROTECTION_COUNT];
	bool polices_tcp_connect;                    /* a connect that no rule names is refused */
	bool polices_tcp_bind;
	bool polices_unix_paths;                     /* ABI 9: connecting to a socket file needs a right */
};

/* The ABI of the running kernel: ≥ 1, or -ENOSYS (not built in), -EOPNOTSUPP (switched off).  A debug
 * build lets SANDLOCK_FAULT=landlock-abi:N lower it. */
int landlock_host_abi(void);

/* Rights that each ABI knows; abi above the table answers with the last row. */
uint64_t landlock_fs_rights(int abi);
uint64_t landlock_net_rights(int abi);
uint64_t landlock_scopes(int abi);

/* Opens every path and computes the rules.  0, or -errno with a message that names option, path and
 * reason.  On failure *ret_plan is untouched and nothing stays open.  Needs no kernel support, so
 * that every ABI of the table can be planned in tests. */
int landlock_plan_compile(const struct sandbox_policy *policy, int abi,
	struct landlock_plan *ret_plan, struct error *error);
void landlock_plan_finish(struct landlock_plan *plan);

/* Makes the kernel object: a ruleset descriptor (owned by the caller, O_CLOEXEC) with all rules
 * added, ready for landlock_restrict_self. */
int landlock_plan_create_ruleset(const struct landlock_plan *plan, struct error *error);

/* A ruleset that only scopes signals, for the keeper and the thread that starts it. */
int landlock_create_signal_scope(struct error *error);

#endif

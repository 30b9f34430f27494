/* The Landlock domain of a run: rules and rights for this kernel's ABI. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_PLAN_LANDLOCK_PLAN_H
#define CORE_PLAN_LANDLOCK_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/error.h"
#include "core/plan/landlock_rights.h"
#include "core/policy/policy.h"

/* The kernel's struct landlock_ruleset_attr as of ABI 6, under our own name because the headers of
 * the build machine may be older than the kernel that runs. */
struct landlock_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

/* What a path is granted for. */
enum landlock_class {
	LANDLOCK_CLASS_READ,   /* read, list and execute */
	LANDLOCK_CLASS_WRITE,  /* the same, and make, change, move and remove */
	LANDLOCK_CLASS_DEVICE, /* read, write and ioctl of a device node, no execute */
};

struct landlock_path_rule {
	char *path;	    /* owned, absolute or as the user wrote it */
	const char *source; /* static: "-r", "-w", "device", "--gpu" or "sandlock"; the first that
			       asked */
	int fd;		    /* owned, O_PATH | O_CLOEXEC */
	dev_t device;	    /* with the inode: which file it is, whatever the path says */
	ino_t inode;
	uint64_t access; /* already reduced to what this ABI handles and this file type accepts */
};

struct landlock_port_rule {
	uint16_t port;
	uint64_t access;
};

struct landlock_plan {
	int abi; /* the ABI planned for, ≥ 1 */
	struct landlock_attr attr;
	struct landlock_path_rule *paths; /* owned */
	size_t path_count;
	size_t path_capacity;
	struct landlock_port_rule *ports; /* owned; ascending, each port once */
	size_t port_count;
	struct string_list skipped; /* missing paths under --ignore-missing */
	enum protection_state protections[PROTECTION_COUNT];
	bool polices_tcp_connect; /* a connect that no rule names is refused */
	bool polices_tcp_bind;
	bool polices_unix_paths; /* ABI 9: connecting to a socket file needs a right */
};

/* The ABI of the running kernel: ≥ 1, or -errno: -ENOSYS (not built in, or hidden by an outer
 * filter), -EOPNOTSUPP (switched off), -EPERM (an outer filter).  A debug build lets
 * SANDLOCK_FAULT=landlock-abi:N lower it; N = 0 means switched off. */
int landlock_host_abi(void);

/* Says why there is no Landlock and how to get it; `reason` is what landlock_host_abi() returned.
 * Returns `reason`. */
int landlock_unavailable(int reason, struct error *error);

/* Opens every path and computes the rules.  `abi` may be landlock_host_abi()'s failure, which is
 * then explained.  0, or -errno with a message that names option, path and reason.  On failure
 * *ret_plan is untouched and nothing stays open.  Needs no kernel support, so that every ABI of the
 * table can be planned in tests. */
int landlock_plan_compile(const struct sandbox_policy *policy, int abi,
	struct landlock_plan *ret_plan, struct error *error);

/* Grants one more path, for what sandlock itself adds (the private temporary directory).  0 or
 * -errno with a message; the plan is unchanged on failure. */
int landlock_plan_add_path(struct landlock_plan *plan, const char *path, enum landlock_class class,
	struct error *error);

void landlock_plan_finish(struct landlock_plan *plan);
#define cleanup_landlock_plan cleanup(landlock_plan_finish)

/* Makes the kernel object: a ruleset descriptor (owned by the caller, O_CLOEXEC) with all rules
 * added, ready for landlock_restrict_self.  -errno with a message on failure. */
int landlock_plan_create_ruleset(const struct landlock_plan *plan, struct error *error);

/* Adds a write grant for a path that exists only since the start (the run's temporary directory).
 * 0 or -errno with a message. */
int landlock_ruleset_add_write(
	int ruleset, const struct landlock_plan *plan, const char *path, struct error *error);

/* A ruleset that only scopes signals, for the keeper and the thread that starts it.  -EOPNOTSUPP
 * with a message below ABI 6. */
int landlock_create_signal_scope(struct error *error);

#endif

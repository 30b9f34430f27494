/* Named Landlock protections: the ABI each needs, and whether it may be missing. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_POLICY_PROTECTION_H
#define CORE_POLICY_PROTECTION_H

#include "core/base/error.h"

enum protection {
	PROTECTION_FS_REFER,
	PROTECTION_FS_TRUNCATE,
	PROTECTION_NET_TCP,
	PROTECTION_FS_IOCTL_DEV,
	PROTECTION_SIGNAL_SCOPE,
	PROTECTION_ABSTRACT_UNIX_SOCKET_SCOPE,
	PROTECTION_COUNT
};

enum protection_mode { PROTECTION_STRICT, PROTECTION_DEGRADABLE, PROTECTION_DISABLED };

enum protection_state {
	PROTECTION_ACTIVE,
	PROTECTION_IS_DEGRADED, /* the kernel lacks it and the user said that this is fine */
	PROTECTION_IS_DISABLED,
	PROTECTION_UNAVAILABLE /* strict and the kernel lacks it: the run is refused */
};

/* Kebab-case name ("fs-refer"); never NULL for a valid value. */
const char *protection_name(enum protection protection);
/* CamelCase name as `sandlock check` prints it ("FsRefer"). */
const char *protection_title(enum protection protection);
/* The first Landlock ABI that has it. */
int protection_minimum_abi(enum protection protection);
/* Case-insensitive name to value; -EINVAL with the message "unknown protection: …" and the names.
 */
int protection_parse(const char *name, enum protection *ret_protection, struct error *error);
enum protection_state protection_resolve(
	enum protection protection, enum protection_mode mode, int abi);
/* Resolves, and refuses what is unavailable: 0 and *ret_state, or -EOPNOTSUPP with a message that
 * names the protection, both ABIs and the flag that runs without it. */
int protection_require(enum protection protection, enum protection_mode mode, int abi,
	enum protection_state *ret_state, struct error *error);
/* "active", "degraded", "disabled", "unavailable". */
const char *protection_state_name(enum protection_state state);

#endif

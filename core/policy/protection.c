/* Named Landlock protections: the ABI each needs, and whether it may be missing. */
// SPDX-License-Identifier: Apache-2.0

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <strings.h>

#include "core/base/text.h"
#include "core/policy/protection.h"

static const struct {
	const char *name;
	const char *title;
	int minimum_abi;
} protections[PROTECTION_COUNT] = {
	[PROTECTION_FS_REFER] = { "fs-refer", "FsRefer", 2 },
	[PROTECTION_FS_TRUNCATE] = { "fs-truncate", "FsTruncate", 3 },
	[PROTECTION_NET_TCP] = { "net-tcp", "NetTcp", 4 },
	[PROTECTION_FS_IOCTL_DEV] = { "fs-ioctl-dev", "FsIoctlDev", 5 },
	[PROTECTION_SIGNAL_SCOPE] = { "signal-scope", "SignalScope", 6 },
	[PROTECTION_ABSTRACT_UNIX_SOCKET_SCOPE] = { "abstract-unix-socket-scope",
		"AbstractUnixSocketScope", 6 },
};

/* What a mode means where the kernel has the protection, and where it lacks it. */
static const struct {
	enum protection_state available;
	enum protection_state missing;
} resolution[] = {
	[PROTECTION_STRICT] = { PROTECTION_ACTIVE, PROTECTION_UNAVAILABLE },
	[PROTECTION_DEGRADABLE] = { PROTECTION_ACTIVE, PROTECTION_IS_DEGRADED },
	[PROTECTION_DISABLED] = { PROTECTION_IS_DISABLED, PROTECTION_IS_DISABLED },
};

static const char *const state_names[] = {
	[PROTECTION_ACTIVE] = "active",
	[PROTECTION_IS_DEGRADED] = "degraded",
	[PROTECTION_IS_DISABLED] = "disabled",
	[PROTECTION_UNAVAILABLE] = "unavailable",
};

const char *protection_name(enum protection protection)
{
	assert(protection < PROTECTION_COUNT);
	return protections[protection].name;
}

const char *protection_title(enum protection protection)
{
	assert(protection < PROTECTION_COUNT);
	return protections[protection].title;
}

int protection_minimum_abi(enum protection protection)
{
	assert(protection < PROTECTION_COUNT);
	return protections[protection].minimum_abi;
}

const char *protection_state_name(enum protection_state state)
{
	assert(state < ARRAY_LEN(state_names));
	return state_names[state];
}

static int unknown_protection(const char *name, struct error *error)
{
	cleanup_text struct text names = { 0 };

	for (size_t i = 0; i < PROTECTION_COUNT; i++) {
		text_add(&names, "%s%s", i > 0 ? ", " : "", protections[i].name);
	}
	return error_set(error, EINVAL, "unknown protection: %s (known: %s)", name, names.bytes);
}

int protection_parse(const char *name, enum protection *ret_protection, struct error *error)
{
	for (size_t i = 0; i < PROTECTION_COUNT; i++) {
		if (strcasecmp(name, protections[i].name) == 0 ||
			strcasecmp(name, protections[i].title) == 0) {
			*ret_protection = (enum protection)i;
			return 0;
		}
	}
	return unknown_protection(name, error);
}

enum protection_state protection_resolve(
	enum protection protection, enum protection_mode mode, int abi)
{
	assert(protection < PROTECTION_COUNT && mode < ARRAY_LEN(resolution));
	return abi >= protections[protection].minimum_abi ? resolution[mode].available
							  : resolution[mode].missing;
}

int protection_require(enum protection protection, enum protection_mode mode, int abi,
	enum protection_state *ret_state, struct error *error)
{
	enum protection_state state = protection_resolve(protection, mode, abi);

	if (state == PROTECTION_UNAVAILABLE) {
		return error_set(error, EOPNOTSUPP,
			"required protection %s is not available: host Landlock ABI is v%d, requires "
			"v%d (--allow-degraded %s runs without it)",
			protections[protection].title, abi, protections[protection].minimum_abi,
			protections[protection].name);
	}
	*ret_state = state;
	return 0;
}

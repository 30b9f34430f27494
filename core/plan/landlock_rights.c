/* What each Landlock ABI knows: rights, scopes and flags, with their names. */
// SPDX-License-Identifier: Apache-2.0

#include "core/plan/landlock_rights.h"
#include "core/base/attributes.h"

#define FS_1	 ((1ull << 13) - 1)
#define FS_2	 (FS_1 | RIGHT_FS_REFER)
#define FS_3	 (FS_2 | RIGHT_FS_TRUNCATE)
#define FS_5	 (FS_3 | RIGHT_FS_IOCTL_DEV)
#define FS_9	 (FS_5 | RIGHT_FS_RESOLVE_UNIX)
#define NET_4	 (RIGHT_NET_BIND_TCP | RIGHT_NET_CONNECT_TCP)
#define SCOPES_6 (SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL)
#define FLAGS_7                                                                                    \
	(RESTRICT_LOG_SAME_EXEC_OFF | RESTRICT_LOG_NEW_EXEC_ON | RESTRICT_LOG_SUBDOMAINS_OFF)
#define FLAGS_8 (FLAGS_7 | RESTRICT_TSYNC)

static const struct abi_row {
	uint64_t fs;
	uint64_t net;
	uint64_t scopes;
	uint32_t restrict_flags;
} abi_rows[LANDLOCK_LAST_ABI + 1] = {
	[0] = { 0, 0, 0, 0 },
	[1] = { FS_1, 0, 0, 0 },
	[2] = { FS_2, 0, 0, 0 },
	[3] = { FS_3, 0, 0, 0 },
	[4] = { FS_3, NET_4, 0, 0 },
	[5] = { FS_5, NET_4, 0, 0 },
	[6] = { FS_5, NET_4, SCOPES_6, 0 },
	[7] = { FS_5, NET_4, SCOPES_6, FLAGS_7 },
	[8] = { FS_5, NET_4, SCOPES_6, FLAGS_8 },
	[9] = { FS_9, NET_4, SCOPES_6, FLAGS_8 },
};

static const char *const fs_names[] = { "execute", "write-file", "read-file", "read-dir",
	"remove-dir", "remove-file", "make-char", "make-dir", "make-reg", "make-sock", "make-fifo",
	"make-block", "make-sym", "refer", "truncate", "ioctl-dev", "resolve-unix" };
static const char *const net_names[] = { "bind-tcp", "connect-tcp" };
static const char *const scope_names[] = { "abstract-unix-socket", "signal" };

static const struct abi_row *find_row(int abi)
{
	int row = abi < 0 ? 0 : abi > LANDLOCK_LAST_ABI ? LANDLOCK_LAST_ABI : abi;

	return &abi_rows[row];
}

uint64_t landlock_fs_rights(int abi)
{
	return find_row(abi)->fs;
}

uint64_t landlock_net_rights(int abi)
{
	return find_row(abi)->net;
}

uint64_t landlock_scopes(int abi)
{
	return find_row(abi)->scopes;
}

uint32_t landlock_restrict_flags(int abi)
{
	return find_row(abi)->restrict_flags;
}

const char *landlock_fs_right_name(unsigned int bit)
{
	return bit < ARRAY_LEN(fs_names) ? fs_names[bit] : NULL;
}

const char *landlock_net_right_name(unsigned int bit)
{
	return bit < ARRAY_LEN(net_names) ? net_names[bit] : NULL;
}

const char *landlock_scope_name(unsigned int bit)
{
	return bit < ARRAY_LEN(scope_names) ? scope_names[bit] : NULL;
}

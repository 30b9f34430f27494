/* What each Landlock ABI knows: rights, scopes and flags, with their names. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_PLAN_LANDLOCK_RIGHTS_H
#define CORE_PLAN_LANDLOCK_RIGHTS_H

#include <stddef.h>
#include <stdint.h>

/* The values of include/uapi/linux/landlock.h, under our own names because the headers of the build
 * machine may be older than the kernel that runs.  RESOLVE_UNIX is bit 16 in the header of
 * Linux 7.1 (commit "landlock: Control pathname UNIX domain socket resolution by path"). */
#define RIGHT_FS_EXECUTE      (1ull << 0)
#define RIGHT_FS_WRITE_FILE   (1ull << 1)
#define RIGHT_FS_READ_FILE    (1ull << 2)
#define RIGHT_FS_READ_DIR     (1ull << 3)
#define RIGHT_FS_REMOVE_DIR   (1ull << 4)
#define RIGHT_FS_REMOVE_FILE  (1ull << 5)
#define RIGHT_FS_MAKE_CHAR    (1ull << 6)
#define RIGHT_FS_MAKE_DIR     (1ull << 7)
#define RIGHT_FS_MAKE_REG     (1ull << 8)
#define RIGHT_FS_MAKE_SOCK    (1ull << 9)
#define RIGHT_FS_MAKE_FIFO    (1ull << 10)
#define RIGHT_FS_MAKE_BLOCK   (1ull << 11)
#define RIGHT_FS_MAKE_SYM     (1ull << 12)
#define RIGHT_FS_REFER	      (1ull << 13) /* ABI 2 */
#define RIGHT_FS_TRUNCATE     (1ull << 14) /* ABI 3 */
#define RIGHT_FS_IOCTL_DEV    (1ull << 15) /* ABI 5 */
#define RIGHT_FS_RESOLVE_UNIX (1ull << 16) /* ABI 9 */

#define RIGHT_NET_BIND_TCP    (1ull << 0) /* ABI 4 */
#define RIGHT_NET_CONNECT_TCP (1ull << 1) /* ABI 4 */

#define SCOPE_ABSTRACT_UNIX_SOCKET (1ull << 0) /* ABI 6 */
#define SCOPE_SIGNAL		   (1ull << 1) /* ABI 6 */

/* Flags of landlock_restrict_self. */
#define RESTRICT_LOG_SAME_EXEC_OFF  (1u << 0) /* ABI 7 */
#define RESTRICT_LOG_NEW_EXEC_ON    (1u << 1) /* ABI 7 */
#define RESTRICT_LOG_SUBDOMAINS_OFF (1u << 2) /* ABI 7 */
#define RESTRICT_TSYNC		    (1u << 3) /* ABI 8: all threads of the process at once */

/* The last ABI of the table.  A newer kernel is used as if it had this one. */
#define LANDLOCK_LAST_ABI 9

/* Rights that each ABI knows; abi above the table answers with the last row, below 1 with none. */
uint64_t landlock_fs_rights(int abi);
uint64_t landlock_net_rights(int abi);
uint64_t landlock_scopes(int abi);
uint32_t landlock_restrict_flags(int abi);

/* Kebab-case names by bit number ("read-file", "connect-tcp", "signal"); NULL above the table. */
const char *landlock_fs_right_name(unsigned int bit);
const char *landlock_net_right_name(unsigned int bit);
const char *landlock_scope_name(unsigned int bit);

#endif

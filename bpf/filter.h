/* Compiles a trap set into the program that the kernel runs before every system call. */
// SPDX-License-Identifier: Apache-2.0
#ifndef BPF_FILTER_H
#define BPF_FILTER_H

#include <stdint.h>

#include "bpf/program.h"
#include "bpf/trap_set.h"

/* How a number is looked up.  The line gives the same verdicts and exists to be measured against.
 */
enum filter_search { FILTER_SEARCH_TREE, FILTER_SEARCH_LINE };

/* Writes a program for one architecture (its AUDIT_ARCH_* token) with these properties:
 * - a call of another architecture is killed after two instructions;
 * - a number that the set does not know answers ENOSYS, and so does every number of the x32 ABI;
 * - a number without argument tests reaches its verdict without loading an argument, so that the
 *   kernel's bitmap of always-allowed numbers spares it the program (seccomp.c, since Linux 5.11);
 * - no instruction is unreachable.
 * 0, -E2BIG or -ENOMEM; *ret_program is owned by the caller and untouched on failure.  Pure and
 * thread-safe; needs about 50 KiB of stack. */
int filter_compile(const struct trap_set *set, uint32_t audit_token, enum filter_search search,
	struct bpf_program *ret_program) nodiscard;

#endif

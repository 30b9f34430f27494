/* The registers of a stopped tracee on x86_64. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#include "arch/tracee.h"

const bool tracee_takes_result = true;

int tracee_get_call(pid_t tid, struct tracee_call *ret_call)
{
	struct user_regs_struct registers;

	if (ptrace(PTRACE_GETREGS, tid, NULL, &registers) < 0) {
		return -errno;
	}
	*ret_call = (struct tracee_call){ (long)registers.orig_rax, (long)registers.rax };
	return 0;
}

int tracee_set_result(pid_t tid, long result)
{
	return ptrace(PTRACE_POKEUSER, tid, offsetof(struct user_regs_struct, rax), result) < 0
		       ? -errno
		       : 0;
}

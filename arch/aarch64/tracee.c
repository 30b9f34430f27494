/* The registers of a stopped tracee on aarch64. */
// SPDX-License-Identifier: Apache-2.0

#include <elf.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#include "arch/tracee.h"

#define SYSTEM_CALL 0xd4000001u /* svc #0 */

const bool tracee_takes_result = false;

/* The kernel has put the program counter back on the instruction before it asks for the signal
 * (arch/arm64/kernel/signal.c): a call that will be made again looks like one that is about to be
 * made. */
int tracee_get_call(pid_t tid, struct tracee_call *ret_call)
{
	struct user_regs_struct registers;
	struct iovec bytes = { &registers, sizeof(registers) };
	long instruction;

	if (ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &bytes) < 0) {
		return -errno;
	}
	errno = 0;
	instruction = ptrace(PTRACE_PEEKTEXT, tid, registers.pc, NULL);
	if (instruction == -1 && errno != 0) {
		return -errno;
	}
	*ret_call = (struct tracee_call){ -1, 0 };
	if ((uint32_t)instruction == SYSTEM_CALL) {
		*ret_call = (struct tracee_call){ (long)registers.regs[8], -RESTART_AS_ASKED };
	}
	return 0;
}

int tracee_set_result(pid_t tid, long result)
{
	(void)tid;
	(void)result;
	return -ENOSYS;
}

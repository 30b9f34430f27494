/* The registers of a stopped tracee, as far as a system call that a signal interrupted shows. */
// SPDX-License-Identifier: Apache-2.0
#ifndef ARCH_TRACEE_H
#define ARCH_TRACEE_H

#include <stdbool.h>
#include <sys/types.h>

/* What the kernel keeps for itself and turns into EINTR or a restart when it returns to the program
 * (include/linux/errno.h): as SA_RESTART says, and always. */
#define RESTART_AS_ASKED    512 /* ERESTARTSYS */
#define RESTART_IN_ANY_CASE 513 /* ERESTARTNOINTR */

/* A system call that ends with a signal: its number and its result, negative for an error.  For the
 * thread that traces it, while it is in a signal-delivery-stop or a PTRACE_EVENT_STOP.
 *
 * x86_64 shows the result before the kernel has looked at it, and takes another one.  The others
 * have prepared the restart by then: they show a call that is about to be made again, with a result
 * of -RESTART_AS_ASKED, and take none. */
struct tracee_call {
	long nr; /* negative: not in a system call */
	long result;
};

/* Whether tracee_set_result() does anything here. */
extern const bool tracee_takes_result;

/* 0 or -errno (-ESRCH: it was killed meanwhile). */
int tracee_get_call(pid_t tid, struct tracee_call *ret_call);
int tracee_set_result(pid_t tid, long result);

#endif

/* Who a thread id belongs to, told by the kernel itself. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_PROCESS_TASK_IDENTITY_H
#define CORE_PROCESS_TASK_IDENTITY_H

#include <stdint.h>
#include <sys/types.h>

#include "core/base/attributes.h"

struct task_identity {
	pid_t tgid;	   /* the process; the thread itself when it leads it */
	uint64_t identity; /* of the thread: an inode of pidfs, which is never used again */
};

/* `tid` must not be reused meanwhile: a tracee that was not waited for, or a task whose
 * notification stands.  A pidfd tells for about 3 us (pidfd_open(2), PIDFD_GET_INFO of Linux 6.13);
 * older kernels are asked through /proc, where the time of the start takes the inode's place.  0,
 * -ESRCH, or another -errno (-EMFILE: no descriptor is left). */
int task_identify(pid_t tid, struct task_identity *ret_identity) nodiscard;

#endif

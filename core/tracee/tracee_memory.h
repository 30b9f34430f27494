/* Memory of a task that waits for our answer: bounded copies in and out. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_TRACEE_TRACEE_MEMORY_H
#define CORE_TRACEE_TRACEE_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/attributes.h"

struct call;

/* For all three.  The copy is made by process_vm_readv(2) and process_vm_writev(2), which keep to
 * the protection of the task's pages.  They name the task by a number: a copy read is good only
 * because the notification still stood afterwards, and before a write it is looked at too.  What
 * the number could come to mean in between is another task of the same sandbox at the worst,
 * because the signal scope of this thread, a Landlock domain, keeps it from the memory of
 * everything outside.
 *
 * 0 or a count; -EFAULT as the kernel would answer, also when the memory may not be looked at;
 * -ESRCH when the task is gone, and the answer, whatever it will be, is lost. */

/* Copies exactly `size` bytes. */
int tracee_read(struct call *call, uint64_t address, void *buffer, size_t size) nodiscard;

/* Copies a string with its NUL, page by page, so that nothing behind its last page is touched.  Its
 * length; -ENAMETOOLONG when no NUL is among the first `size` bytes. */
ssize_t tracee_read_string(
	struct call *call, uint64_t address, char *buffer, size_t size) nodiscard;

/* Writes exactly `size` bytes.  On -EFAULT the part before the first bad page may have been
 * written, as by the kernel. */
int tracee_write(struct call *call, uint64_t address, const void *buffer, size_t size) nodiscard;

#endif

/* Memory of a task that waits for our answer: bounded copies in and out. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "core/handler/call.h"
#include "core/process/domain.h"
#include "core/tracee/tracee_memory.h"

#define SMALLEST_PAGE 4096 /* every page size is a multiple of it */

static bool is_waiting(const struct call *call)
{
	return notif_is_valid(call->domain->listener, call->notif);
}

/* Bytes copied, or -EFAULT. */
static ssize_t copy_in(const struct call *call, uint64_t address, void *buffer, size_t size)
{
	struct iovec local = { buffer, size };
	struct iovec remote = { (void *)(uintptr_t)address, size };
	ssize_t copied = process_vm_readv(call->notif->tid, &local, 1, &remote, 1, 0);

	return copied < 0 ? -EFAULT : copied;
}

int tracee_read(struct call *call, uint64_t address, void *buffer, size_t size)
{
	ssize_t copied = copy_in(call, address, buffer, size);

	call->has_read_memory = true;
	if (!is_waiting(call)) {
		return -ESRCH;
	}
	return copied == (ssize_t)size ? 0 : -EFAULT;
}

ssize_t tracee_read_string(struct call *call, uint64_t address, char *buffer, size_t size)
{
	size_t length = 0;
	ssize_t result = -ENAMETOOLONG;

	call->has_read_memory = true;
	while (length < size && result == -ENAMETOOLONG) {
		uint64_t from = address + length;
		size_t part = SMALLEST_PAGE - from % SMALLEST_PAGE;
		const char *end;
		ssize_t copied;

		part = part < size - length ? part : size - length;
		copied = copy_in(call, from, buffer + length, part);
		if (copied != (ssize_t)part) {
			result = -EFAULT;
			break;
		}
		end = memchr(buffer + length, '\0', part);
		if (end != NULL) {
			result = end - buffer;
		}
		length += part;
	}
	return is_waiting(call) ? result : -ESRCH;
}

int tracee_write(struct call *call, uint64_t address, const void *buffer, size_t size)
{
	struct iovec local = { (void *)(uintptr_t)buffer, size };
	struct iovec remote = { (void *)(uintptr_t)address, size };
	ssize_t copied;

	if (!is_waiting(call)) {
		return -ESRCH;
	}
	copied = process_vm_writev(call->notif->tid, &local, 1, &remote, 1, 0);
	return copied == (ssize_t)size ? 0 : -EFAULT;
}

/* Owned descriptors. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <unistd.h>

#include "core/base/fd.h"

void fd_close(int *fd)
{
	if (*fd >= 0) {
		int saved = errno;

		(void)close(*fd); /* Linux releases the number even when close reports an error */
		*fd = -1;
		errno = saved;
	}
}

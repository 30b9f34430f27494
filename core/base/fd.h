/* Owned descriptors. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_BASE_FD_H
#define CORE_BASE_FD_H

#include "core/base/attributes.h"

/* Closes *fd if it is not negative and sets it to -1; errno is kept. */
void fd_close(int *fd);
#define cleanup_close cleanup(fd_close)

/* Takes the descriptor out of a variable that a cleanup guards. */
static inline int fd_steal(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

#endif

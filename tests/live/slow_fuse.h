/* A file system with one file whose pages come late: served by a process of the test, without
 * libfuse. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_LIVE_SLOW_FUSE_H
#define TESTS_LIVE_SLOW_FUSE_H

#include <stdbool.h>
#include <sys/types.h>

#define SLOW_FILE_SIZE (64l * 4096)

struct slow_fuse {
	pid_t server;
	char directory[64]; /* holds the file "slow" */
};

/* Mounts it in a mount name space that the calling process enters for the purpose, so that nothing
 * is left outside.  Each read is answered `delay_ms` after it came, or with EINTR when the kernel
 * takes the question back.  Fails the test when this machine has no /dev/fuse. */
struct slow_fuse slow_fuse_start(const char *directory, unsigned int delay_ms);
void slow_fuse_stop(struct slow_fuse *fuse);

#endif

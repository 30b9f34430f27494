/* Exec verified: what a held execve or execveat asks for is copied once and resolved as the kernel
 * would, and at the exec event, where the new image is complete and has run nothing yet, it is
 * compared with what became of it. */
// SPDX-License-Identifier: Apache-2.0
#ifndef CORE_TRACEE_TRACEE_EXEC_H
#define CORE_TRACEE_TRACEE_EXEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/attributes.h"
#include "core/tracee/argv_digest.h"

struct call;

#define EXEC_PATH_BYTES 4096 /* with the NUL, as PATH_MAX */
/* More than this the kernel takes from nobody: three quarters of the default stack limit for all
 * strings and the pointers to them (fs/exec.c, since Linux 4.13).  So an argument list is never cut
 * here: it is whole, or the exec fails. */
#define EXEC_ARGV_BYTES (6 << 20)

/* A call as it was copied.  One for each worker, used again and again. */
struct exec_request {
	pid_t tid;
	int dirfd;	    /* AT_FDCWD for execve */
	unsigned int flags; /* of execveat; 0 for execve */
	int error;	/* what is wrong with path or flags, as the kernel's -errno; 0: nothing */
	int argv_error; /* the same of argv; the kernel looks at the file before */
	char path[EXEC_PATH_BYTES];
	char *argv;	   /* owned: the strings, each with its NUL, one behind the other */
	size_t argv_bytes; /* of them */
	size_t argc;	   /* at least 1 without an error: for none the kernel makes an empty one */
	size_t capacity;   /* of `argv` */
	char *scratch;	   /* owned: for the resolution */
};

/* NULL without memory.  About 230 KiB, untouched for the most part. */
struct exec_request *exec_request_create(void) nodiscard;
void exec_request_destroy(struct exec_request *request);

/* Copies the call: bytes, not text.  0, also when the kernel will refuse what was found (see .error
 * and .argv_error: EFAULT, ENAMETOOLONG, ENOENT, EINVAL, E2BIG).  -ESRCH when the task is gone;
 * -ENOMEM: the call must be refused. */
int exec_request_read(struct exec_request *request, struct call *call) nodiscard;

/* The argument behind `argument`, the first for NULL; NULL behind the last. */
const char *exec_request_next(const struct exec_request *request, const char *argument);

/* A file, whatever name leads to it and through whatever mount.  The time of birth tells it from a
 * later file with the same number, where the filesystem keeps one. */
struct file_identity {
	uint64_t device;
	uint64_t inode;
	int64_t born_s;
	uint32_t born_ns;
};

bool file_identity_equal(const struct file_identity *one, const struct file_identity *other);

/* What an exec may become.  A plain value without owned parts: the worker stores a copy in the
 * task's record before the answer is sent; it holds until the exec event, or is overwritten by the
 * next exec of the same thread.  The event names the process; which thread called is what
 * PTRACE_GETEVENTMSG says. */
struct exec_expectation {
	int error;	      /* -errno: nothing may come of this exec; the members below are 0 */
	unsigned int scripts; /* how many "#!" files stand before the image */
	struct file_identity file;  /* what the call names: the program or the first script */
	struct file_identity image; /* what /proc/PID/exe is to be */
	struct argv_key key;	    /* of `argv`: new for each exec */
	struct argv_sum argv; /* of the whole list, with what the kernel puts before scripts */
};

/* Finds the file, reads "#!" lines (256 bytes each, of at most five scripts) and computes the list
 * that the new image will get.  Call it while the notification is held, on a thread that may block
 * (a file may be on a network).
 *
 * 0 with an expectation, whose .error says what the kernel will answer if the exec must fail.  The
 * call can then be continued, so that the kernel answers itself, or be refused with that errno.
 * Otherwise -ESRCH (the task is gone) or another -errno of our own, such as -EMFILE: the call must
 * be refused.
 *
 * Where it differs from the kernel:
 * - A file that the task may execute and we may not read is -EACCES: whether it is a script cannot
 *   be known, nor, after the exec, what the image is, because it is not dumpable.
 * - Handlers registered in binfmt_misc are not known.  A file that is neither program nor script is
 *   expected to be the image itself, so that an ENOEXEC stays one, and what a handler makes of the
 *   file is a difference at the event.
 * - Permission bits, noexec mounts and rights of Landlock are left to the kernel.
 * - The contents of a file, and the loader that an ELF file names (PT_INTERP), are what they are
 * when the kernel reads them. */
int exec_request_resolve(const struct exec_request *request, const struct call *call,
	struct exec_expectation *ret_expectation) nodiscard;

/* At the exec event, on the thread that traces `tgid`, before the process goes on.  0: the image
 * and its arguments are what was expected.  1: they are not.  -errno: that could not be found out.
 * For all but 0 the process must be killed and must not go on.  Nothing else in the process can
 * change the answer: its other threads are gone and its memory is new. */
int exec_expectation_check(const struct exec_expectation *expectation, pid_t tgid) nodiscard;

#endif

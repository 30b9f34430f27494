/* Who a thread id belongs to, told by the kernel itself. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/process/proc_reader.h"
#include "core/process/task_identity.h"

/* Linux 6.9 and 6.13; the headers of the build machine may be older (include/uapi/linux/pidfd.h).
 */
#define ANY_THREAD O_EXCL /* PIDFD_THREAD */

struct thread_info {
	uint64_t mask;
	uint64_t cgroup;
	uint32_t pid;
	uint32_t tgid;
	uint32_t ppid;
	uint32_t ids[8];
	int32_t exit_code;
};
#define GET_THREAD_INFO _IOWR(0xff, 11, struct thread_info) /* PIDFD_GET_INFO */
#define INFO_PID	1				    /* PIDFD_INFO_PID */

static int ask_pidfd(int fd, struct task_identity *ret_identity)
{
	struct thread_info info = { .mask = INFO_PID };
	struct stat file;

	if (ioctl(fd, GET_THREAD_INFO, &info) < 0 || fstat(fd, &file) < 0) {
		return -errno;
	}
	*ret_identity = (struct task_identity){ (pid_t)info.tgid, file.st_ino };
	return 0;
}

static int ask_proc(pid_t tid, struct task_identity *ret_identity)
{
	struct proc_files files;
	struct proc_status status;
	struct proc_stat stat;
	int r;

	proc_files_init(&files, tid, false);
	r = proc_files_status(&files, &status);
	proc_files_finish(&files);
	if (r >= 0) {
		r = proc_read_stat(tid, &stat);
	}
	if (r >= 0) {
		*ret_identity = (struct task_identity){ (pid_t)status.process, stat.start_ticks };
	}
	return r < 0 ? r : 0;
}

int task_identify(pid_t tid, struct task_identity *ret_identity)
{
	int fd = (int)syscall(SYS_pidfd_open, tid, ANY_THREAD);
	int r = -ENOTTY;

	if (fd < 0 && errno != EINVAL) {
		return -errno;
	}
	if (fd >= 0) {
		r = ask_pidfd(fd, ret_identity);
		fd_close(&fd);
	}
	/* A kernel without the question does not know the descriptor's kind, or the flag. */
	return r == -ENOTTY || r == -EINVAL ? ask_proc(tid, ret_identity) : r;
}

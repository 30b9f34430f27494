/* /proc/PID/{stat,status,statm,smaps_rollup} read, through descriptors that can be kept open. */
// SPDX-License-Identifier: Apache-2.0

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/process/proc_reader.h"

#define LINE_BYTES 4096

int proc_open(pid_t pid, const char *name, int flags)
{
	char path[64];
	int fd;

	(void)snprintf(
		path, sizeof(path), "/proc/%d/%s", (int)pid, name); /* names are ours, short */
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		/* Is it the process that is missing, or the file (a kernel option)? */
		struct stat ignored;

		(void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
		return stat(path, &ignored) < 0 && access("/proc/self", F_OK) == 0 ? -ESRCH
										   : -ENOENT;
	}
	return fd < 0 ? -errno : fd;
}

void proc_files_init(struct proc_files *files, pid_t pid, bool keep)
{
	*files = (struct proc_files){ .pid = pid, .keep = keep };
	for (size_t i = 0; i < PROC_FILE_COUNT; i++) {
		files->descriptors[i] = -1;
	}
}

void proc_files_finish(struct proc_files *files)
{
	for (size_t i = 0; i < PROC_FILE_COUNT; i++) {
		fd_close(&files->descriptors[i]);
	}
}

static int files_open(struct proc_files *files, enum proc_file which)
{
	char children[32];
	int fd = files->descriptors[which];

	if (fd >= 0) {
		return fd;
	}
	switch (which) {
	case PROC_FILE_CHILDREN:
		(void)snprintf(children, sizeof(children), "task/%d/children", (int)files->pid);
		fd = proc_open(files->pid, children, O_RDONLY);
		break;
	case PROC_FILE_TASKS:
		fd = proc_open(files->pid, "task", O_RDONLY | O_DIRECTORY);
		break;
	case PROC_FILE_STATM:
		fd = proc_open(files->pid, "statm", O_RDONLY);
		break;
	default:
		fd = proc_open(files->pid, "status", O_RDONLY);
		break;
	}
	files->descriptors[which] = fd >= 0 ? fd : -1;
	return fd;
}

static void files_release(struct proc_files *files, enum proc_file which)
{
	if (!files->keep) {
		fd_close(&files->descriptors[which]);
	}
}

/* One read from the start: these texts arrive whole if the buffer holds them. */
static ssize_t read_start(int fd, char *text, size_t size)
{
	ssize_t length = pread(fd, text, size, 0);

	return length < 0 ? -errno : length == 0 ? -ESRCH : length;
}

int proc_files_threads(struct proc_files *files)
{
	struct stat status;
	int fd = files_open(files, PROC_FILE_TASKS);
	int r = fd;

	if (fd >= 0) {
		/* proc_task_getattr: "." and "..", the directory above, and one per thread. */
		r = fstat(fd, &status) < 0 ? -errno
		    : status.st_nlink <= 2 ? -ESRCH
					   : (int)status.st_nlink - 2;
	}
	files_release(files, PROC_FILE_TASKS);
	return r;
}

int proc_files_statm(struct proc_files *files, struct proc_statm *ret_statm)
{
	char text[256];
	ssize_t length = files_open(files, PROC_FILE_STATM);

	if (length >= 0) {
		length = read_start((int)length, text, sizeof(text));
	}
	files_release(files, PROC_FILE_STATM);
	return length < 0 ? (int)length : proc_statm_parse(text, (size_t)length, ret_statm);
}

int proc_read_lines(int fd, line_fn each, void *context)
{
	char text[LINE_BYTES];
	size_t held = 0;
	off_t offset = 0;
	bool skipping = false; /* the rest of a line that was too long */

	for (;;) {
		ssize_t length = pread(fd, text + held, sizeof(text) - held, offset);
		char *line = text, *end;

		if (length <= 0) {
			return length < 0 ? -errno : 0;
		}
		offset += length;
		held += (size_t)length;
		while ((end = memchr(line, '\n', held - (size_t)(line - text))) != NULL) {
			if (!skipping && each(context, line, (size_t)(end - line))) {
				return 0;
			}
			skipping = false;
			line = end + 1;
		}
		held -= (size_t)(line - text);
		memmove(text, line, held);
		if (held == sizeof(text)) {
			if (!skipping && each(context, text, held)) {
				return 0;
			}
			skipping = true;
			held = 0;
		}
	}
}

static bool status_line(void *context, const char *line, size_t length)
{
	return proc_status_parse_line(context, line, length);
}

int proc_files_status(struct proc_files *files, struct proc_status *ret_status)
{
	struct proc_status status = { 0 };
	int r = files_open(files, PROC_FILE_STATUS);

	if (r >= 0) {
		r = proc_read_lines(r, status_line, &status);
	}
	files_release(files, PROC_FILE_STATUS);
	if (r >= 0) {
		*ret_status = status;
	}
	return r;
}

static int read_pids(int fd, pid_fn found, void *context)
{
	struct pid_scanner scanner = { 0 };
	char text[LINE_BYTES];
	off_t offset = 0;

	for (;;) {
		ssize_t length = pread(fd, text, sizeof(text), offset);
		int r;

		if (length < 0) {
			return -errno;
		}
		if (length == 0) {
			return pid_scanner_feed(&scanner, "\n", 1, found, context);
		}
		r = pid_scanner_feed(&scanner, text, (size_t)length, found, context);
		if (r < 0) {
			return r;
		}
		offset += length;
	}
}

int proc_files_children(struct proc_files *files, pid_fn found, void *context)
{
	int r = files_open(files, PROC_FILE_CHILDREN);

	if (r >= 0) {
		r = read_pids(r, found, context);
	}
	files_release(files, PROC_FILE_CHILDREN);
	return r;
}

static int read_thread_children(DIR *tasks, pid_fn found, void *context)
{
	struct dirent *entry;

	/* readdir tells its failure from the end by errno only. */
	while (errno = 0, (entry = readdir(tasks)) != NULL) {
		char name[sizeof(entry->d_name) + sizeof("/children")];
		cleanup_close int fd = -1;
		int r;

		if (entry->d_name[0] == '.') {
			continue;
		}
		(void)snprintf(name, sizeof(name), "%s/children", entry->d_name);
		fd = openat(dirfd(tasks), name, O_RDONLY | O_CLOEXEC);
		if (fd < 0 && errno != ENOENT && errno != ESRCH) {
			return -errno;
		}
		/* A thread may go; what it had as children went to a sibling or to the reaper. */
		r = fd < 0 ? 0 : read_pids(fd, found, context);
		if (r < 0 && r != -ESRCH) {
			return r;
		}
	}
	return -errno;
}

int proc_files_thread_children(struct proc_files *files, pid_fn found, void *context)
{
	int fd = proc_open(files->pid, "task", O_RDONLY | O_DIRECTORY);
	DIR *tasks;
	int r;

	if (fd < 0) {
		return fd;
	}
	tasks = fdopendir(fd);
	if (tasks == NULL) {
		r = -errno;
		(void)close(fd); /* only read from */
		return r;
	}
	r = read_thread_children(tasks, found, context);
	(void)closedir(tasks); /* only read from */
	return r;
}

int proc_find_memory_thread(pid_t pid)
{
	int fd = proc_open(pid, "task", O_RDONLY | O_DIRECTORY);
	DIR *tasks = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	int found = -ESRCH;

	if (tasks == NULL) {
		fd_close(&fd);
		return -ESRCH;
	}
	while (found < 0 && (entry = readdir(tasks)) != NULL) {
		struct proc_statm statm;
		struct proc_files files;

		proc_files_init(&files, (pid_t)atoi(entry->d_name), false); /* "." is 0: none */
		if (files.pid > 0 && proc_files_statm(&files, &statm) == 0 && statm.size > 0) {
			found = files.pid;
		}
		proc_files_finish(&files);
	}
	(void)closedir(tasks); /* only read from */
	return found;
}

int proc_read_stat(pid_t pid, struct proc_stat *ret_stat)
{
	cleanup_close int fd = proc_open(pid, "stat", O_RDONLY);
	char text[2048]; /* 52 numbers of at most 21 bytes, and comm */
	ssize_t length;

	if (fd < 0) {
		return fd;
	}
	length = read_start(fd, text, sizeof(text));
	return length < 0 ? (int)length : proc_stat_parse(text, (size_t)length, ret_stat);
}

static bool rollup_line(void *context, const char *line, size_t length)
{
	return proc_rollup_parse_line(context, line, length);
}

int proc_read_rollup(pid_t pid, struct proc_rollup *ret_rollup)
{
	cleanup_close int fd = proc_open(pid, "smaps_rollup", O_RDONLY);
	struct proc_rollup rollup = { 0 };
	int r;

	if (fd < 0) {
		return fd;
	}
	r = proc_read_lines(fd, rollup_line, &rollup);
	if (r < 0) {
		return r;
	}
	*ret_rollup = rollup;
	return 0;
}

/* Names resolved as the kernel would for a task.  The walk goes component by component, because two
 * kinds of links mean another thing to us than to the task: /proc/self and /proc/thread-self, which
 * are replaced, and what a path below them leads to, which is then found under the task's number.
 */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/process/proc_reader.h"
#include "core/tracee/tracee_path.h"

#define PROC_ROOT_INODE 1 /* of every procfs: fixed since Linux 2.6 */

struct walk {
	const struct tracee_paths *paths;
	int at;		    /* owned: O_PATH */
	const char *rest;   /* in the scratch, which it fills from behind */
	unsigned int links; /* followed so far */
	bool follow;
	bool is_over; /* `at` is what was looked for */
};

int tracee_paths_init(struct tracee_paths *paths, pid_t tid, char *scratch)
{
	int root = proc_open(tid, "root", O_PATH | O_DIRECTORY);

	if (root < 0) {
		return root;
	}
	*paths = (struct tracee_paths){ .tid = tid, .root = root, .scratch = scratch };
	return 0;
}

void tracee_paths_finish(struct tracee_paths *paths)
{
	fd_close(&paths->root);
}

bool tracee_path_error_is_ours(int error)
{
	return error == -EMFILE || error == -ENFILE || error == -ENOMEM || error == -EINTR ||
	       error == -EAGAIN || error == -ESRCH;
}

static int step_to(struct walk *walk, int fd)
{
	if (fd < 0) {
		return -errno;
	}
	fd_close(&walk->at);
	walk->at = fd;
	return 0;
}

static int step_to_root(struct walk *walk)
{
	return step_to(walk, fcntl(walk->paths->root, F_DUPFD_CLOEXEC, 0));
}

static bool is_root(const struct walk *walk)
{
	struct statx here, root;
	const unsigned int mask = STATX_INO | STATX_MNT_ID;

	return statx(walk->at, "", AT_EMPTY_PATH, mask, &here) == 0 &&
	       statx(walk->paths->root, "", AT_EMPTY_PATH, mask, &root) == 0 &&
	       here.stx_ino == root.stx_ino && here.stx_mnt_id == root.stx_mnt_id &&
	       here.stx_dev_major == root.stx_dev_major && here.stx_dev_minor == root.stx_dev_minor;
}

/* Puts the text of a link before the rest. */
static int go_on_with(struct walk *walk, const char *text, size_t length, bool is_last)
{
	size_t room = (size_t)(walk->rest - walk->paths->scratch);
	char *start;

	if (length == 0) {
		return -ENOENT;
	}
	if (length + 1 > room) {
		return -ENAMETOOLONG; /* cannot be: see TRACEE_PATH_SCRATCH */
	}
	start = walk->paths->scratch + room - length;
	if (!is_last) {
		start--;
		start[length] = '/';
	}
	memcpy(start, text, length);
	walk->rest = start + strspn(start, "/");
	return text[0] == '/' ? step_to_root(walk) : 0;
}

static bool tgid_line(void *context, const char *line, size_t length)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%.*s", (int)length, line);
	return sscanf(text, "Tgid: %d", (int *)context) == 1;
}

static int read_tgid(pid_t tid, int *ret_tgid)
{
	cleanup_close int fd = proc_open(tid, "status", O_RDONLY);
	int tgid = 0;
	int r = fd < 0 ? fd : proc_read_lines(fd, tgid_line, &tgid);

	if (r == 0 && tgid == 0) {
		r = -ESRCH;
	}
	if (r == 0) {
		*ret_tgid = tgid;
	}
	return r;
}

/* What "self" and "thread-self" mean to the task; the numbers are ours, so the procfs must count as
 * we do. */
static int text_for_task(const struct walk *walk, const char *name, char *text, size_t size)
{
	char seen[16];
	ssize_t length = readlinkat(walk->at, "self", seen, sizeof(seen) - 1);
	int tgid = 0;
	int r;

	if (length < 0) {
		return -errno;
	}
	seen[length] = '\0';
	if (atoi(seen) != getpid()) {
		return -EACCES;
	}
	r = read_tgid(walk->paths->tid, &tgid);
	if (r < 0) {
		return r;
	}
	if (strcmp(name, "self") == 0) {
		return snprintf(text, size, "%d", tgid);
	}
	return snprintf(text, size, "%d/task/%d", tgid, (int)walk->paths->tid);
}

/* A link that has no text of its own, like those in /proc/PID/fd: the kernel jumps. */
static bool is_magic(const struct walk *walk, const char *name)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS };
	cleanup_close int fd = (int)syscall(SYS_openat2, walk->at, name, &how, sizeof(how));

	return fd < 0 && errno == ELOOP;
}

static bool is_replaced(const struct walk *walk, const char *name)
{
	struct stat here;

	return (strcmp(name, "self") == 0 || strcmp(name, "thread-self") == 0) &&
	       fstat(walk->at, &here) == 0 && here.st_ino == PROC_ROOT_INODE;
}

/* -EINVAL if `name` is no link. */
static int follow_link(struct walk *walk, const char *name, bool is_last)
{
	char text[PATH_MAX];
	ssize_t length = readlinkat(walk->at, name, text, sizeof(text));
	struct statfs filesystem;

	if (length < 0) {
		return -errno;
	}
	if (is_last && !walk->follow) {
		return -ELOOP;
	}
	if (walk->links++ == TRACEE_PATH_LINKS) {
		return -ELOOP;
	}
	if (fstatfs(walk->at, &filesystem) < 0) {
		return -errno;
	}
	if (filesystem.f_type == PROC_SUPER_MAGIC) {
		if (is_replaced(walk, name)) {
			length = text_for_task(walk, name, text, sizeof(text));
			if (length < 0) {
				return (int)length;
			}
		} else if (is_magic(walk, name)) {
			walk->is_over = is_last;
			return step_to(
				walk, openat(walk->at, name,
					      O_PATH | O_CLOEXEC | (is_last ? 0 : O_DIRECTORY)));
		}
	}
	return go_on_with(walk, text, (size_t)length, is_last);
}

static int step_into(struct walk *walk, const char *name)
{
	int fd = openat(walk->at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd >= 0 || (errno != ENOTDIR && errno != ELOOP)) {
		return step_to(walk, fd);
	}
	r = follow_link(walk, name, false);
	return r == -EINVAL ? -ENOTDIR : r;
}

static int step_onto(struct walk *walk, const char *name)
{
	cleanup_close int fd = openat(walk->at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat found;

	if (fd < 0 || fstat(fd, &found) < 0) {
		return -errno;
	}
	if (S_ISLNK(found.st_mode)) {
		int r = follow_link(walk, name, true);

		return r == -EINVAL ? -ENOENT : r; /* replaced meanwhile */
	}
	walk->is_over = true;
	return step_to(walk, fd_steal(&fd));
}

/* One component. */
static int step(struct walk *walk)
{
	char name[NAME_MAX + 1];
	size_t length = strcspn(walk->rest, "/");
	bool is_last = walk->rest[length] == '\0';

	if (length > NAME_MAX) {
		return -ENAMETOOLONG;
	}
	memcpy(name, walk->rest, length);
	name[length] = '\0';
	walk->rest += length;
	walk->rest += strspn(walk->rest, "/");
	if (strcmp(name, ".") == 0) {
		return 0;
	}
	if (strcmp(name, "..") == 0) {
		return is_root(walk) ? 0
				     : step_to(walk, openat(walk->at, "..",
							     O_PATH | O_DIRECTORY | O_CLOEXEC));
	}
	return is_last ? step_onto(walk, name) : step_into(walk, name);
}

/* Where the walk begins; an empty path ends there, and only a relative one looks at `dirfd`. */
static int open_start(const struct tracee_paths *paths, int dirfd, const char *path)
{
	char name[32];
	int fd;

	if (path[0] == '/') {
		fd = fcntl(paths->root, F_DUPFD_CLOEXEC, 0);
		return fd < 0 ? -errno : fd;
	}
	if (dirfd == AT_FDCWD) {
		return proc_open(paths->tid, "cwd", O_PATH);
	}
	if (dirfd < 0) {
		return -EBADF;
	}
	(void)snprintf(name, sizeof(name), "fd/%d", dirfd);
	fd = proc_open(paths->tid, name, O_PATH);
	return fd == -ENOENT ? -EBADF : fd;
}

int tracee_path_open(struct tracee_paths *paths, int dirfd, const char *path, bool follow)
{
	size_t size = strlen(path) + 1;
	cleanup_close int start = open_start(paths, dirfd, path);
	struct walk walk = { .paths = paths, .at = -1, .follow = follow };
	int r = start < 0 ? start : 0;

	if (r == 0 && size > PATH_MAX) {
		r = -ENAMETOOLONG;
	}
	if (r < 0) {
		return r;
	}
	walk.rest = memcpy(paths->scratch + TRACEE_PATH_SCRATCH - size, path, size);
	walk.rest += strspn(walk.rest, "/");
	walk.at = fd_steal(&start);
	while (r == 0 && !walk.is_over && walk.rest[0] != '\0') {
		r = step(&walk);
	}
	if (r < 0) {
		fd_close(&walk.at);
		return r;
	}
	return walk.at;
}

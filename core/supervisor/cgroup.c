/* A delegated cgroup v2 with the memory controller: made, filled, read, removed. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/supervisor/cgroup.h"

#define TEXT_MAXIMUM	65536
#define REMOVE_ATTEMPTS 50
#define REMOVE_PAUSE_NS 2000000
#define MAKE_ATTEMPTS	16

struct cgroup {
	int root;      /* owned */
	int directory; /* owned */
	char name[48];
};

/* ---- files --------------------------------------------------------------------------------- */

static int write_file(int directory, const char *name, const char *text)
{
	/* cgroupfs lets nobody create files, so O_CREAT changes nothing there; a directory that
	 * only looks like it can be used in a test. */
	cleanup_close int fd = openat(directory, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	size_t length = strlen(text);
	ssize_t written = fd < 0 ? -1 : write(fd, text, length);

	if (written < 0) {
		return -errno;
	}
	return (size_t)written == length ? 0 : -EIO;
}

static int read_file(int directory, const char *name, struct text *ret_text)
{
	cleanup_close int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	char bytes[4096];
	ssize_t length = fd < 0 ? -1 : 0;

	while (fd >= 0 && ret_text->length < TEXT_MAXIMUM &&
		(length = read(fd, bytes, sizeof(bytes))) > 0) {
		text_add_bytes(ret_text, bytes, (size_t)length);
	}
	if (length < 0) {
		return -errno;
	}
	text_add_bytes(ret_text, "", 0); /* an empty file is an empty string */
	return 0;
}

/* Is `word` one of the blank-separated words of the file? */
static bool file_has_word(int directory, const char *name, const char *word)
{
	cleanup_text struct text text = { 0 };
	char *rest = NULL;

	if (read_file(directory, name, &text) < 0) {
		return false;
	}
	for (char *item = strtok_r(text.bytes, " \t\n", &rest); item != NULL;
		item = strtok_r(NULL, " \t\n", &rest)) {
		if (strcmp(item, word) == 0) {
			return true;
		}
	}
	return false;
}

/* ---- where we are -------------------------------------------------------------------------- */

/* The start of the line that begins with `prefix`, behind the prefix. */
static const char *find_line(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);

	while (text != NULL && *text != '\0') {
		if (strncmp(text, prefix, length) == 0) {
			return text + length;
		}
		text = strchr(text, '\n');
		text = text != NULL ? text + 1 : NULL;
	}
	return NULL;
}

/* Adds a path of mountinfo: proc_pid_mountinfo(5) writes blanks, newlines and backslashes in octal.
 */
static void add_unescaped(struct text *text, const char *path, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		char byte = path[i];

		if (byte == '\\' && i + 3 < length && path[i + 1] >= '0' && path[i + 1] <= '3' &&
			path[i + 2] >= '0' && path[i + 2] <= '7' && path[i + 3] >= '0' &&
			path[i + 3] <= '7') {
			byte = (char)((path[i + 1] - '0') * 64 + (path[i + 2] - '0') * 8 +
				      (path[i + 3] - '0'));
			i += 3;
		}
		text_add_bytes(text, &byte, 1);
	}
}

/* One line of mountinfo: "id parent major:minor root point options … - type source options". */
static bool mount_parse(const char *line, struct text *ret_root, struct text *ret_point)
{
	const char *end = strchrnul(line, '\n');
	const char *type = memmem(line, (size_t)(end - line), " - cgroup2 ", 11);
	const char *field = line;

	if (type == NULL) {
		return false;
	}
	for (int i = 0; i < 5; i++) {
		size_t length = strcspn(field, " \n");

		if (field + length > type || field[length] != ' ') {
			return false;
		}
		if (i >= 3) {
			add_unescaped(i == 3 ? ret_root : ret_point, field, length);
		}
		field += length + 1;
	}
	return true;
}

int cgroup_path_parse(const char *cgroups, const char *mounts, struct text *ret_path)
{
	const char *own = find_line(cgroups, "0::/");
	size_t own_length;

	if (own == NULL) {
		return -ENOENT;
	}
	own--; /* its slash */
	own_length = strcspn(own, "\n");
	for (const char *line = mounts; *line != '\0';) {
		cleanup_text struct text root = { 0 }, point = { 0 };

		if (mount_parse(line, &root, &point)) {
			size_t skipped = strcmp(root.bytes, "/") == 0 ? 0 : root.length;

			/* Only what lies below the root of the mount is visible in it. */
			if (skipped <= own_length && memcmp(own, root.bytes, skipped) == 0 &&
				(own[skipped] == '/' || skipped == own_length)) {
				text_add_bytes(ret_path, point.bytes, point.length);
				if (own_length - skipped > 1) {
					text_add_bytes(
						ret_path, own + skipped, own_length - skipped);
				}
				return 0;
			}
		}
		line = strchrnul(line, '\n');
		line += *line == '\n';
	}
	return -ENOENT;
}

/* Can groups with a memory limit be made in there? */
static bool root_is_usable(int root)
{
	return faccessat(root, ".", W_OK | X_OK, AT_EACCESS) == 0 &&
	       file_has_word(root, "cgroup.controllers", "memory");
}

int cgroup_find_root(struct text *ret_path)
{
	cleanup_text struct text cgroups = { 0 }, mounts = { 0 }, path = { 0 };
	cleanup_close int own = -1, parent = -1;
	char delegated[2] = "";

	if (read_file(AT_FDCWD, "/proc/self/cgroup", &cgroups) < 0 ||
		read_file(AT_FDCWD, "/proc/self/mountinfo", &mounts) < 0 ||
		cgroup_path_parse(cgroups.bytes, mounts.bytes, &path) < 0) {
		return -ENOENT;
	}
	own = open(path.bytes, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (own < 0) {
		return -ENOENT;
	}
	parent = openat(own, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent >= 0 && fgetxattr(parent, "user.delegate", delegated, sizeof(delegated)) == 1 &&
		delegated[0] == '1' && root_is_usable(parent)) {
		text_add(&path, "/..");
	} else if (!root_is_usable(own)) {
		return -ENOENT;
	}
	text_add_bytes(ret_path, path.bytes, path.length);
	return 0;
}

/* ---- the group ----------------------------------------------------------------------------- */

static int make_directory(struct cgroup *cgroup)
{
	for (unsigned int i = 0; i < MAKE_ATTEMPTS; i++) {
		(void)snprintf(
			cgroup->name, sizeof(cgroup->name), "sandlock-%d-%u", (int)getpid(), i);
		if (mkdirat(cgroup->root, cgroup->name, 0755) == 0) {
			cgroup->directory = openat(
				cgroup->root, cgroup->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			return cgroup->directory < 0 ? -errno : 0;
		}
		if (errno != EEXIST) {
			break;
		}
	}
	cgroup->name[0] = '\0'; /* nothing to remove */
	return -errno;
}

static int set_limit(struct cgroup *cgroup, uint64_t memory_limit)
{
	char number[24];
	int r;

	(void)snprintf(number, sizeof(number), "%llu", (unsigned long long)memory_limit);
	r = write_file(cgroup->directory, "memory.max", number);
	if (r < 0) {
		return r;
	}
	/* A kernel without swap accounting lacks the file: then there is nothing to forbid. */
	r = write_file(cgroup->directory, "memory.swap.max", "0");
	return r == -ENOENT || r == -EACCES || r == -EPERM ? 0 : r;
}

static int start(struct cgroup *cgroup, const char *root, uint64_t memory_limit)
{
	int r;

	cgroup->root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cgroup->root < 0 || !root_is_usable(cgroup->root)) {
		return -ENOENT;
	}
	/* EBUSY: there are processes in `root` itself.  EACCES: it is only readable for us. */
	if (!file_has_word(cgroup->root, "cgroup.subtree_control", "memory") &&
		write_file(cgroup->root, "cgroup.subtree_control", "+memory") < 0) {
		return -ENOENT;
	}
	r = make_directory(cgroup);
	return r < 0 ? r : set_limit(cgroup, memory_limit);
}

struct cgroup *cgroup_create(const char *root, uint64_t memory_limit)
{
	struct cgroup *cgroup = calloc(1, sizeof(*cgroup));
	int r;

	if (cgroup == NULL) {
		return NULL;
	}
	cgroup->root = -1;
	cgroup->directory = -1;
	r = start(cgroup, root, memory_limit);
	if (r < 0) {
		(void)cgroup_destroy(cgroup); /* the first failure is the one to report */
		errno = -r;
		return NULL;
	}
	return cgroup;
}

int cgroup_add(struct cgroup *cgroup, pid_t pid)
{
	char number[16];

	(void)snprintf(number, sizeof(number), "%d", (int)pid);
	return write_file(cgroup->directory, "cgroup.procs", number);
}

int cgroup_read_memory(const struct cgroup *cgroup, struct cgroup_memory *ret_memory)
{
	cleanup_text struct text events = { 0 }, peak = { 0 };
	struct cgroup_memory memory = { 0 };
	const char *kills;
	int r = read_file(cgroup->directory, "memory.events", &events);

	if (r < 0) {
		return r;
	}
	kills = find_line(events.bytes, "oom_kill ");
	if (kills != NULL) {
		memory.oom_kills = strtoull(kills, NULL, 10);
	}
	if (read_file(cgroup->directory, "memory.peak", &peak) == 0 && peak.bytes != NULL) {
		memory.peak_bytes = strtoull(peak.bytes, NULL, 10);
	}
	*ret_memory = memory;
	return 0;
}

int cgroup_destroy(struct cgroup *cgroup)
{
	const struct timespec pause = { .tv_nsec = REMOVE_PAUSE_NS };
	int r = 0;

	if (cgroup == NULL) {
		return 0;
	}
	if (cgroup->name[0] != '\0') {
		r = unlinkat(cgroup->root, cgroup->name, AT_REMOVEDIR) < 0 ? -errno : 0;
		for (int i = 0; r == -EBUSY && i < REMOVE_ATTEMPTS; i++) {
			/* Since Linux 5.14. */
			(void)write_file(cgroup->directory, "cgroup.kill", "1");
			(void)nanosleep(&pause, NULL);
			r = unlinkat(cgroup->root, cgroup->name, AT_REMOVEDIR) < 0 ? -errno : 0;
		}
	}
	fd_close(&cgroup->directory);
	fd_close(&cgroup->root);
	free(cgroup);
	return r;
}

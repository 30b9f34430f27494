/* Exec verified: the call copied, resolved, and compared with what became of it. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/handler/call.h"
#include "core/process/domain.h"
#include "core/process/proc_reader.h"
#include "core/tracee/script_line.h"
#include "core/tracee/tracee_exec.h"
#include "core/tracee/tracee_memory.h"
#include "core/tracee/tracee_path.h"

#define SMALLEST_PAGE	4096 /* every page size is a multiple of it */
#define ARGUMENT_PAGES	32   /* MAX_ARG_STRLEN of linux/binfmts.h */
#define ARGV_CAPACITY	(64 << 10)
#define SCRIPTS_MAX	5 /* the program they lead to is the sixth file, and the last */
#define CMDLINE_PART	4096
#define FLAGS_OF_6_14	0x10000 /* AT_EXECVE_CHECK: looks, and runs nothing */
#define EXECVEAT_FLAGS	(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | FLAGS_OF_6_14)
#define SCRIPT_NAME_MAX (EXEC_PATH_BYTES + 32) /* "/dev/fd/N/" and a path */

/* The last page that was copied: neighbouring strings cost one copy. */
struct page_copy {
	bool is_filled;
	uint64_t address;
	char bytes[SMALLEST_PAGE];
};

struct exec_request *exec_request_create(void)
{
	struct exec_request *request = calloc(1, sizeof(*request));

	if (request == NULL) {
		return NULL;
	}
	request->argv = malloc(ARGV_CAPACITY);
	request->capacity = ARGV_CAPACITY;
	request->scratch = malloc(TRACEE_PATH_SCRATCH);
	if (request->argv == NULL || request->scratch == NULL) {
		exec_request_destroy(request);
		return NULL;
	}
	return request;
}

void exec_request_destroy(struct exec_request *request)
{
	if (request != NULL) {
		free(request->argv);
		free(request->scratch);
		free(request);
	}
}

/* Points at the byte of the task at `address` and says how many follow in the copy. */
static int page_look(struct call *call, struct page_copy *page, uint64_t address,
	const char **ret_bytes, size_t *ret_length)
{
	uint64_t offset = address % SMALLEST_PAGE;

	if (!page->is_filled || page->address != address - offset) {
		int r = tracee_read(call, address - offset, page->bytes, SMALLEST_PAGE);

		page->is_filled = r == 0;
		page->address = address - offset;
		if (r < 0) {
			return r;
		}
	}
	*ret_bytes = page->bytes + offset;
	*ret_length = SMALLEST_PAGE - (size_t)offset;
	return 0;
}

static int read_pointer(
	struct call *call, struct page_copy *page, uint64_t address, uint64_t *ret_pointer)
{
	char bytes[sizeof(*ret_pointer)];
	size_t done = 0;

	while (done < sizeof(bytes)) {
		const char *found;
		size_t length;
		int r = page_look(call, page, address + done, &found, &length);

		if (r < 0) {
			return r;
		}
		length = length < sizeof(bytes) - done ? length : sizeof(bytes) - done;
		memcpy(bytes + done, found, length);
		done += length;
	}
	memcpy(ret_pointer, bytes, sizeof(bytes));
	return 0;
}

static int argv_append(struct exec_request *request, const char *bytes, size_t length)
{
	size_t needed = request->argv_bytes + length;

	if (needed > EXEC_ARGV_BYTES) {
		return -E2BIG;
	}
	if (needed > request->capacity) {
		size_t capacity = 2 * needed;
		char *argv = realloc(request->argv, capacity);

		if (argv == NULL) {
			return -ENOMEM;
		}
		request->argv = argv;
		request->capacity = capacity;
	}
	memcpy(request->argv + request->argv_bytes, bytes, length);
	request->argv_bytes = needed;
	return 0;
}

static int read_argument(
	struct exec_request *request, struct call *call, struct page_copy *page, uint64_t address)
{
	size_t start = request->argv_bytes;
	size_t maximum = ARGUMENT_PAGES * (size_t)sysconf(_SC_PAGESIZE);

	for (;;) {
		const char *found, *end;
		size_t length;
		int r = page_look(call, page, address, &found, &length);

		if (r < 0) {
			return r;
		}
		end = memchr(found, '\0', length);
		length = end != NULL ? (size_t)(end - found) + 1 : length;
		r = argv_append(request, found, length);
		if (r < 0) {
			return r;
		}
		if (request->argv_bytes - start > maximum) {
			return -E2BIG;
		}
		if (end != NULL) {
			request->argc++;
			return 0;
		}
		address += length;
	}
}

static int read_argv(struct exec_request *request, struct call *call, uint64_t argv)
{
	struct page_copy pointers = { .is_filled = false };
	struct page_copy strings = { .is_filled = false };

	while (argv != 0) {
		uint64_t pointer;
		int r = read_pointer(call, &pointers, argv, &pointer);

		if (r == 0 && pointer != 0) {
			r = read_argument(request, call, &strings, pointer);
		}
		if (r == 0 &&
			request->argv_bytes + request->argc * sizeof(pointer) > EXEC_ARGV_BYTES) {
			r = -E2BIG;
		}
		if (r < 0) {
			return r;
		}
		if (pointer == 0) {
			break;
		}
		argv += sizeof(pointer);
	}
	if (request->argc == 0) {
		request->argc = 1;
		return argv_append(request, "", 1);
	}
	return 0;
}

static int read_path(struct exec_request *request, struct call *call, uint64_t address)
{
	ssize_t length = tracee_read_string(call, address, request->path, EXEC_PATH_BYTES);

	if (length < 0) {
		request->path[0] = '\0';
		return (int)length;
	}
	if (length == 0 && (request->flags & AT_EMPTY_PATH) == 0) {
		return -ENOENT;
	}
	return (request->flags & ~(unsigned int)EXECVEAT_FLAGS) != 0 ? -EINVAL : 0;
}

static void forget_argv(struct exec_request *request)
{
	request->argv_bytes = 0;
	request->argc = 0;
	if (request->capacity > 2 * ARGV_CAPACITY) {
		char *argv = realloc(request->argv, ARGV_CAPACITY);

		if (argv != NULL) {
			request->argv = argv;
			request->capacity = ARGV_CAPACITY;
		}
	}
}

int exec_request_read(struct exec_request *request, struct call *call)
{
	const uint64_t *args = call->notif->args;
	bool is_at = call->notif->nr == SYS_execveat;

	request->tid = call->notif->tid;
	request->dirfd = is_at ? (int)args[0] : AT_FDCWD;
	request->flags = is_at ? (unsigned int)args[4] : 0;
	request->error = read_path(request, call, is_at ? args[1] : args[0]);
	forget_argv(request);
	request->argv_error = read_argv(request, call, is_at ? args[2] : args[1]);
	if (request->error == -ESRCH || request->argv_error == -ESRCH) {
		return -ESRCH;
	}
	return request->argv_error == -ENOMEM ? -ENOMEM : 0;
}

const char *exec_request_next(const struct exec_request *request, const char *argument)
{
	const char *next = argument == NULL ? request->argv : argument + strlen(argument) + 1;

	return next < request->argv + request->argv_bytes ? next : NULL;
}

bool file_identity_equal(const struct file_identity *one, const struct file_identity *other)
{
	return one->device == other->device && one->inode == other->inode &&
	       one->born_s == other->born_s && one->born_ns == other->born_ns;
}

/* The mode, or -errno. */
static int identify(int dirfd, const char *path, struct file_identity *ret_identity)
{
	struct statx file;

	if (statx(dirfd, path, path[0] == '\0' ? AT_EMPTY_PATH : 0,
		    STATX_TYPE | STATX_INO | STATX_BTIME, &file) < 0) {
		return -errno;
	}
	*ret_identity = (struct file_identity){
		.device = makedev(file.stx_dev_major, file.stx_dev_minor),
		.inode = file.stx_ino,
	};
	if ((file.stx_mask & STATX_BTIME) != 0) {
		ret_identity->born_s = file.stx_btime.tv_sec;
		ret_identity->born_ns = file.stx_btime.tv_nsec;
	}
	return file.stx_mode;
}

/* The first bytes of a regular file, zeroes behind its end. */
static int read_head(int path_fd, char head[SCRIPT_LINE_BYTES])
{
	char name[64];
	cleanup_close int fd = -1;
	ssize_t length;

	(void)snprintf(name, sizeof(name), "/proc/thread-self/fd/%d", path_fd);
	fd = open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		return errno == EPERM ? -EACCES : -errno;
	}
	memset(head, 0, SCRIPT_LINE_BYTES);
	length = pread(fd, head, SCRIPT_LINE_BYTES, 0);
	return length < 0 ? -errno : 0;
}

/* Opens one file of the chain, which must be regular, and says what it is. */
static int look_at_file(struct tracee_paths *paths, int dirfd, const char *path, bool follow,
	struct file_identity *ret_identity, char head[SCRIPT_LINE_BYTES])
{
	cleanup_close int fd = tracee_path_open(paths, dirfd, path, follow);
	int mode;

	if (fd < 0) {
		return fd;
	}
	mode = identify(fd, "", ret_identity);
	if (mode < 0) {
		return mode;
	}
	if (!S_ISREG(mode)) {
		return S_ISLNK(mode) ? -ELOOP : -EACCES;
	}
	return read_head(fd, head);
}

/* What the kernel calls the file of the call, as an interpreter gets it. */
static void script_name(const struct exec_request *request, char name[SCRIPT_NAME_MAX])
{
	if (request->dirfd == AT_FDCWD || request->path[0] == '/') {
		(void)snprintf(name, SCRIPT_NAME_MAX, "%s", request->path);
	} else if (request->path[0] == '\0') {
		(void)snprintf(name, SCRIPT_NAME_MAX, "/dev/fd/%d", request->dirfd);
	} else {
		(void)snprintf(
			name, SCRIPT_NAME_MAX, "/dev/fd/%d/%s", request->dirfd, request->path);
	}
}

/* Each script takes the first argument away and puts interpreter, argument and its own name there;
 * its own name is the interpreter of the one before. */
static void digest_argv(const struct exec_request *request, const struct script_line *lines,
	struct exec_expectation *expectation)
{
	struct argv_digest digest;
	size_t skipped = 0;

	argv_digest_begin(&digest, &expectation->key);
	for (unsigned int i = expectation->scripts; i-- > 0;) {
		argv_digest_add_string(&digest, lines[i].interpreter);
		if (lines[i].argument != NULL) {
			argv_digest_add_string(&digest, lines[i].argument);
		}
	}
	if (expectation->scripts > 0) {
		char name[SCRIPT_NAME_MAX];

		script_name(request, name);
		argv_digest_add_string(&digest, name);
		skipped = strlen(request->argv) + 1;
	}
	argv_digest_add(&digest, request->argv + skipped, request->argv_bytes - skipped);
	argv_digest_end(&digest, &expectation->argv);
}

static int follow_chain(const struct exec_request *request, struct tracee_paths *paths,
	struct exec_expectation *expectation)
{
	char heads[SCRIPTS_MAX + 1][SCRIPT_LINE_BYTES];
	struct script_line lines[SCRIPTS_MAX + 1];
	unsigned int count = 0;
	int r = look_at_file(paths, request->dirfd, request->path,
		(request->flags & AT_SYMLINK_NOFOLLOW) == 0, &expectation->file, heads[0]);

	expectation->image = expectation->file;
	while (r == 0 && script_line_parse(heads[count], &lines[count])) {
		const char *interpreter = lines[count].interpreter;

		if (++count > SCRIPTS_MAX) {
			return -ELOOP;
		}
		r = look_at_file(
			paths, AT_FDCWD, interpreter, true, &expectation->image, heads[count]);
	}
	if (r == 0) {
		r = request->argv_error;
	}
	if (r == 0) {
		expectation->scripts = count;
		digest_argv(request, lines, expectation);
	}
	return r;
}

static int resolve(const struct exec_request *request, struct exec_expectation *expectation)
{
	cleanup_tracee_paths struct tracee_paths paths = { .root = -1 };
	int r;

	if (request->error < 0) {
		return request->error;
	}
	r = tracee_paths_init(&paths, request->tid, request->scratch);
	return r < 0 ? r : follow_chain(request, &paths, expectation);
}

int exec_request_resolve(const struct exec_request *request, const struct call *call,
	struct exec_expectation *ret_expectation)
{
	struct exec_expectation expectation = { .error = 0 };
	int r;

	if (getrandom(&expectation.key, sizeof(expectation.key), 0) != sizeof(expectation.key)) {
		return -EAGAIN;
	}
	r = resolve(request, &expectation);
	if (!notif_is_valid(call->domain->listener, call->notif)) {
		return -ESRCH;
	}
	if (tracee_path_error_is_ours(r)) {
		return r;
	}
	if (r < 0) {
		expectation = (struct exec_expectation){ .error = r };
	}
	*ret_expectation = expectation;
	return 0;
}

/* Bounded: the process is stopped, and its list is no longer than the kernel takes. */
static int digest_cmdline(pid_t tgid, const struct argv_key *key, struct argv_sum *ret_sum)
{
	cleanup_close int fd = proc_open(tgid, "cmdline", O_RDONLY);
	struct argv_digest digest;
	size_t left = 2 * (size_t)EXEC_ARGV_BYTES;

	if (fd < 0) {
		return fd;
	}
	argv_digest_begin(&digest, key);
	for (;;) {
		char part[CMDLINE_PART];
		ssize_t length = read(fd, part, sizeof(part));

		if (length < 0 && errno != EINTR) {
			return -errno;
		}
		if (length == 0) {
			break;
		}
		if (length > 0) {
			if ((size_t)length > left) {
				return -E2BIG;
			}
			left -= (size_t)length;
			argv_digest_add(&digest, part, (size_t)length);
		}
	}
	argv_digest_end(&digest, ret_sum);
	return 0;
}

int exec_expectation_check(const struct exec_expectation *expectation, pid_t tgid)
{
	struct file_identity image;
	struct argv_sum argv;
	char name[32];
	int r;

	if (expectation->error != 0) {
		return 1;
	}
	(void)snprintf(name, sizeof(name), "/proc/%d/exe", (int)tgid);
	r = identify(AT_FDCWD, name, &image);
	if (r < 0) {
		return r;
	}
	if (!file_identity_equal(&image, &expectation->image)) {
		return 1;
	}
	r = digest_cmdline(tgid, &expectation->key, &argv);
	if (r < 0) {
		return r;
	}
	return memcmp(&argv, &expectation->argv, sizeof(argv)) != 0;
}

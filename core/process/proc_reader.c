/* /proc/PID/{stat,status,statm,smaps_rollup} parsed, through descriptors that can be kept open. */
// SPDX-License-Identifier: Apache-2.0

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/process/proc_reader.h"

#define LINE_BYTES 4096

/* ---- text ---------------------------------------------------------------------------------- */

struct cursor {
	const char *at, *end;
};

static void cursor_skip_blanks(struct cursor *cursor)
{
	while (cursor->at < cursor->end && (*cursor->at == ' ' || *cursor->at == '\t')) {
		cursor->at++;
	}
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : INT_MAX;
}

/* Blanks, then digits of `base`.  False without a digit, or when the number does not fit. */
static bool cursor_number(struct cursor *cursor, unsigned int base, uint64_t *ret_value)
{
	uint64_t value = 0;
	const char *first;

	cursor_skip_blanks(cursor);
	first = cursor->at;
	for (; cursor->at < cursor->end && digit_value(*cursor->at) < (int)base; cursor->at++) {
		if (__builtin_mul_overflow(value, (uint64_t)base, &value) ||
			__builtin_add_overflow(value, (uint64_t)digit_value(*cursor->at), &value)) {
			return false;
		}
	}
	if (cursor->at == first) {
		return false;
	}
	*ret_value = value;
	return true;
}

/* Skips fields that are divided by blanks, whatever they hold. */
static void cursor_skip_fields(struct cursor *cursor, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		cursor_skip_blanks(cursor);
		while (cursor->at < cursor->end && *cursor->at != ' ' && *cursor->at != '\n') {
			cursor->at++;
		}
	}
}

static bool cursor_pid(struct cursor *cursor, pid_t *ret_pid)
{
	uint64_t number;

	if (!cursor_number(cursor, 10, &number) || number > INT_MAX) {
		return false;
	}
	*ret_pid = (pid_t)number;
	return true;
}

int proc_stat_parse(const char *text, size_t length, struct proc_stat *ret_stat)
{
	struct cursor cursor = { text, text + length };
	const char *open = memchr(text, '(', length);
	const char *close = memrchr(text, ')', length); /* the last: comm may hold more of them */
	struct proc_stat stat = { 0 };
	size_t comm;

	if (open == NULL || close == NULL || close < open || !cursor_pid(&cursor, &stat.pid)) {
		return -EBADMSG;
	}
	comm = (size_t)(close - open - 1);
	memcpy(stat.comm, open + 1, comm < sizeof(stat.comm) ? comm : sizeof(stat.comm) - 1);

	cursor.at = close + 1;
	cursor_skip_blanks(&cursor);
	if (cursor.at == cursor.end) {
		return -EBADMSG;
	}
	stat.state = *cursor.at++;
	if (!cursor_pid(&cursor, &stat.parent)) {
		return -EBADMSG;
	}
	cursor_skip_fields(&cursor, 9); /* pgrp to cmajflt, fields 5 to 13 */
	if (!cursor_number(&cursor, 10, &stat.user_ticks) ||
		!cursor_number(&cursor, 10, &stat.system_ticks)) {
		return -EBADMSG;
	}
	cursor_skip_fields(&cursor, 4); /* cutime to nice, 16 to 19 */
	if (!cursor_number(&cursor, 10, &stat.threads)) {
		return -EBADMSG;
	}
	cursor_skip_fields(&cursor, 1); /* itrealvalue, 21 */
	if (!cursor_number(&cursor, 10, &stat.start_ticks)) {
		return -EBADMSG;
	}
	*ret_stat = stat;
	return 0;
}

int proc_statm_parse(const char *text, size_t length, struct proc_statm *ret_statm)
{
	struct cursor cursor = { text, text + length };
	struct proc_statm statm;
	uint64_t code, library;

	if (!cursor_number(&cursor, 10, &statm.size) ||
		!cursor_number(&cursor, 10, &statm.resident) ||
		!cursor_number(&cursor, 10, &statm.shared) || !cursor_number(&cursor, 10, &code) ||
		!cursor_number(&cursor, 10, &library) || !cursor_number(&cursor, 10, &statm.data)) {
		return -EBADMSG;
	}
	*ret_statm = statm;
	return 0;
}

/* Moves behind "name:" and the blanks after it. */
static bool cursor_skip_name(struct cursor *cursor, const char *name)
{
	size_t length = strlen(name);

	if ((size_t)(cursor->end - cursor->at) <= length || memcmp(cursor->at, name, length) != 0 ||
		cursor->at[length] != ':') {
		return false;
	}
	cursor->at += length + 1;
	cursor_skip_blanks(cursor);
	return true;
}

/* "123 kB" to the end of the line. */
static bool cursor_bytes(struct cursor *cursor, uint64_t *ret_bytes)
{
	uint64_t kib;

	if (!cursor_number(cursor, 10, &kib) || kib > UINT64_MAX / 1024) {
		return false;
	}
	cursor_skip_blanks(cursor);
	if (cursor->end - cursor->at != 2 || memcmp(cursor->at, "kB", 2) != 0) {
		return false;
	}
	*ret_bytes = kib * 1024;
	return true;
}

bool proc_line_bytes(const char *line, size_t length, const char *name, uint64_t *ret_bytes)
{
	struct cursor cursor = { line, line + length };

	return cursor_skip_name(&cursor, name) && cursor_bytes(&cursor, ret_bytes);
}

enum value_form { VALUE_LETTER, VALUE_DECIMAL, VALUE_HEX, VALUE_BYTES };

static const struct status_row {
	const char *name;
	enum value_form form;
	size_t offset;
} status_rows[] = {
	{ "State", VALUE_LETTER, offsetof(struct proc_status, state) },
	{ "RssAnon", VALUE_BYTES, offsetof(struct proc_status, anonymous) },
	{ "RssShmem", VALUE_BYTES, offsetof(struct proc_status, shared_memory) },
	{ "VmPTE", VALUE_BYTES, offsetof(struct proc_status, page_tables) },
	{ "VmSwap", VALUE_BYTES, offsetof(struct proc_status, swapped) },
	{ "Threads", VALUE_DECIMAL, offsetof(struct proc_status, threads) },
	{ "SigPnd", VALUE_HEX, offsetof(struct proc_status, pending) },
	{ "ShdPnd", VALUE_HEX, offsetof(struct proc_status, shared_pending) },
	{ "SigBlk", VALUE_HEX, offsetof(struct proc_status, blocked) },
	{ "SigCgt", VALUE_HEX, offsetof(struct proc_status, caught) }, /* the last one */
};

bool proc_status_parse_line(struct proc_status *status, const char *line, size_t length)
{
	for (size_t i = 0; i < ARRAY_LEN(status_rows); i++) {
		const struct status_row *row = &status_rows[i];
		struct cursor cursor = { line, line + length };
		uint64_t *number = (uint64_t *)((char *)status + row->offset);
		uint64_t value;

		/* Most lines are told apart by their first byte. */
		if (length == 0 || line[0] != row->name[0] ||
			!cursor_skip_name(&cursor, row->name)) {
			continue;
		}
		switch (row->form) {
		case VALUE_LETTER:
			if (cursor.at < cursor.end) {
				*((char *)status + row->offset) = *cursor.at;
			}
			break;
		case VALUE_DECIMAL:
		case VALUE_HEX:
			if (cursor_number(&cursor, row->form == VALUE_HEX ? 16 : 10, &value)) {
				*number = value;
			}
			break;
		case VALUE_BYTES:
			if (cursor_bytes(&cursor, &value)) {
				*number = value;
			}
			break;
		}
		return row == &status_rows[ARRAY_LEN(status_rows) - 1];
	}
	return false;
}

bool proc_rollup_parse_line(struct proc_rollup *rollup, const char *line, size_t length)
{
	if (proc_line_bytes(line, length, "Pss_Anon", &rollup->anonymous) ||
		proc_line_bytes(line, length, "Pss_Shmem", &rollup->shared_memory)) {
		return false;
	}
	return proc_line_bytes(line, length, "SwapPss", &rollup->swapped);
}

static bool cursor_skip_byte(struct cursor *cursor, char byte)
{
	if (cursor->at == cursor->end || *cursor->at != byte) {
		return false;
	}
	cursor->at++;
	return true;
}

bool proc_mapping_parse(const char *line, size_t length, struct proc_mapping *ret_mapping)
{
	struct cursor cursor = { line, line + length };
	uint64_t begin, end, major, minor, inode;

	/* "begin-end rwxp offset major:minor inode path": names of other lines begin with a capital
	 */
	if (!cursor_number(&cursor, 16, &begin) || !cursor_skip_byte(&cursor, '-') ||
		!cursor_number(&cursor, 16, &end)) {
		return false;
	}
	cursor_skip_fields(&cursor, 2);
	if (!cursor_number(&cursor, 16, &major) || !cursor_skip_byte(&cursor, ':') ||
		!cursor_number(&cursor, 16, &minor) || !cursor_number(&cursor, 10, &inode) ||
		major > UINT32_MAX || minor > UINT32_MAX) {
		return false;
	}
	*ret_mapping = (struct proc_mapping){
		.major = (uint32_t)major,
		.minor = (uint32_t)minor,
		.inode = inode,
	};
	return true;
}

int pid_scanner_feed(
	struct pid_scanner *scanner, const char *text, size_t length, pid_fn found, void *context)
{
	for (size_t i = 0; i < length; i++) {
		int digit = digit_value(text[i]);
		int r;

		if (digit < 10) {
			/* Beyond INT_MAX it is no pid: it stays there and is dropped. */
			if (scanner->number <= INT_MAX) {
				scanner->number = scanner->number * 10 + (uint64_t)digit;
			}
			scanner->inside = true;
			continue;
		}
		if (scanner->inside && scanner->number > 0 && scanner->number <= INT_MAX) {
			r = found(context, (pid_t)scanner->number);
			if (r < 0) {
				return r;
			}
		}
		*scanner = (struct pid_scanner){ 0 };
	}
	return 0;
}

/* ---- files --------------------------------------------------------------------------------- */

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

	while ((entry = readdir(tasks)) != NULL) {
		char name[sizeof(entry->d_name) + sizeof("/children")];
		cleanup_close int fd = -1;
		int r;

		if (digit_value(entry->d_name[0]) >= 10) {
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
	return 0;
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

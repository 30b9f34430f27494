/* The texts of /proc/PID parsed: stat, status, statm, smaps, smaps_rollup, children. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "core/base/attributes.h"
#include "core/process/proc_text.h"

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
	{ "Tgid", VALUE_DECIMAL, offsetof(struct proc_status, process) },
	{ "RssAnon", VALUE_BYTES, offsetof(struct proc_status, anonymous) },
	{ "RssShmem", VALUE_BYTES, offsetof(struct proc_status, shared_memory) },
	{ "VmPTE", VALUE_BYTES, offsetof(struct proc_status, page_tables) },
	{ "VmSwap", VALUE_BYTES, offsetof(struct proc_status, swapped) },
	{ "Threads", VALUE_DECIMAL, offsetof(struct proc_status, threads) },
	{ "SigPnd", VALUE_HEX, offsetof(struct proc_status, pending) },
	{ "ShdPnd", VALUE_HEX, offsetof(struct proc_status, shared_pending) },
	{ "SigBlk", VALUE_HEX, offsetof(struct proc_status, blocked) },
	{ "SigIgn", VALUE_HEX, offsetof(struct proc_status, ignored) },
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

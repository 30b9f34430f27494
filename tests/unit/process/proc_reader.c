/* The parsers of /proc, with what a hostile process can put there. */
// SPDX-License-Identifier: Apache-2.0
/* native only: qemu-user's own threads show in /proc */

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/attributes.h"
#include "core/process/proc_reader.h"

#define AFTER_STATE                                                                                \
	" 7 8 9 0 -1 4194304 10 0 20 0 111 222 0 0 20 0 3 0 987654321 4096 5 18446744073709551615"

static const struct stat_row {
	const char *text;
	int answer;
	const char *comm;
	char state;
} stat_rows[] = {
	{ "42 (make) S" AFTER_STATE, 0, "make", 'S' },
	{ "42 (a b) R" AFTER_STATE, 0, "a b", 'R' },
	{ "42 () R" AFTER_STATE, 0, "", 'R' },
	{ "42 (x) R 1 (y) Z" AFTER_STATE, 0, "x) R 1 (y", 'Z' },
	{ "42 (((()))) T" AFTER_STATE, 0, "((()))", 'T' },
	{ "42 (\n1 (init) S 0) R" AFTER_STATE, 0, "\n1 (init) S 0", 'R' },
	{ "42 (kworker/u8:1-events_unbound) I" AFTER_STATE, 0, "kworker/u8:1-ev", 'I' },
	{ "", -EBADMSG, NULL, 0 },
	{ "42", -EBADMSG, NULL, 0 },
	{ "42 (make", -EBADMSG, NULL, 0 },
	{ "42 )make( S" AFTER_STATE, -EBADMSG, NULL, 0 },
	{ "42 (make)", -EBADMSG, NULL, 0 },
	{ "42 (make) S", -EBADMSG, NULL, 0 },
	{ "42 (make) S 7 8 9 0 -1 4194304 10 0 20 0 111", -EBADMSG, NULL, 0 },
	{ "(make) S" AFTER_STATE, -EBADMSG, NULL, 0 },
	{ "99999999999999999999 (make) S" AFTER_STATE, -EBADMSG, NULL, 0 },
	{ "42 (make) S 99999999999999999999" AFTER_STATE, -EBADMSG, NULL, 0 },
};

Test(proc_stat, parses_any_command_name)
{
	for (size_t i = 0; i < ARRAY_LEN(stat_rows); i++) {
		const struct stat_row *row = &stat_rows[i];
		struct proc_stat stat = { .pid = -7 };

		int r = proc_stat_parse(row->text, strlen(row->text), &stat);

		cr_expect_eq(r, row->answer, "row %zu: %d", i, r);
		if (r == 0) {
			cr_expect_eq(stat.pid, 42);
			cr_expect_str_eq(stat.comm, row->comm, "row %zu: %s", i, stat.comm);
			cr_expect_eq(stat.state, row->state, "row %zu", i);
			cr_expect_eq(stat.parent, 7);
			cr_expect_eq(stat.user_ticks, 111);
			cr_expect_eq(stat.system_ticks, 222);
			cr_expect_eq(stat.threads, 3);
			cr_expect_eq(stat.start_ticks, 987654321);
		} else {
			cr_expect_eq(stat.pid, -7, "row %zu: untouched", i);
		}
	}
}

/* Cut anywhere, in memory that ends there: a sanitizer sees a byte too many. */
Test(proc_stat, reads_nothing_behind_its_end)
{
	const char *text = stat_rows[3].text;

	for (size_t length = 0; length <= strlen(text); length++) {
		char *exact = malloc(length > 0 ? length : 1);
		struct proc_stat stat;

		memcpy(exact, text, length);
		(void)proc_stat_parse(exact, length, &stat);
		free(exact);
	}
}

static const struct statm_row {
	const char *text;
	int answer;
} statm_rows[] = {
	{ "765 408 374 5 0 91 0\n", 0 },
	{ "765 408 374 5 0 91", 0 },
	{ "", -EBADMSG },
	{ "765 408 374 5 0", -EBADMSG },
	{ "765 -1 374 5 0 91 0\n", -EBADMSG },
	{ "765 99999999999999999999 374 5 0 91 0\n", -EBADMSG },
	{ "x 408 374 5 0 91 0\n", -EBADMSG },
};

Test(proc_statm, parses_the_whole_or_nothing)
{
	for (size_t i = 0; i < ARRAY_LEN(statm_rows); i++) {
		struct proc_statm statm = { .size = 1 };

		int r = proc_statm_parse(statm_rows[i].text, strlen(statm_rows[i].text), &statm);

		cr_expect_eq(r, statm_rows[i].answer, "row %zu", i);
		cr_expect_eq(statm.size, r == 0 ? 765 : 1, "row %zu", i);
		cr_expect(r < 0 ||
			  (statm.resident == 408 && statm.shared == 374 && statm.data == 91));
	}
}

static const struct status_line_row {
	const char *line;
	struct proc_status expected;
} status_line_rows[] = {
	{ "State:\tS (sleeping)", { .state = 'S' } },
	{ "State:\t", { 0 } },
	{ "RssAnon:\t     112 kB", { .anonymous = 112 * 1024 } },
	{ "RssShmem:\t       8 kB", { .shared_memory = 8 * 1024 } },
	{ "VmSwap:\t       4 kB", { .swapped = 4 * 1024 } },
	{ "VmPTE:\t      48 kB", { .page_tables = 48 * 1024 } },
	{ "Threads:\t17", { .threads = 17 } },
	{ "SigPnd:\t0000000000040000", { .pending = 0x40000 } },
	{ "ShdPnd:\tffffffffffffffff", { .shared_pending = UINT64_MAX } },
	{ "SigBlk:\t0000000000000001", { .blocked = 1 } },
	{ "SigCgt:\t0000000000000002", { .caught = 2 } },
	{ "RssAnon:\t     112", { 0 } },
	{ "RssAnon:\t     112 MB", { 0 } },
	{ "RssAnon:\t     112 kB extra", { 0 } },
	{ "RssAnon:\t    -112 kB", { 0 } },
	{ "RssAnon:\t 18014398509481984 kB", { 0 } }, /* times 1024 it is 2^64 */
	{ "RssAnon:\t 99999999999999999999 kB", { 0 } },
	{ "RssAnon", { 0 } },
	{ "RssAnonymous:\t 112 kB", { 0 } },
	{ "Name:\tRssAnon:\t 112 kB", { 0 } },
	{ "Name:\t\\nRssAnon:\t 112 kB", { 0 } },
	{ " RssAnon:\t 112 kB", { 0 } },
	{ "ShdPnd:\t00000000000000000000000000000001", { .shared_pending = 1 } },
	{ "ShdPnd:\t1ffffffffffffffff", { 0 } },
	{ "", { 0 } },
};

Test(proc_status, takes_only_lines_of_the_right_form)
{
	for (size_t i = 0; i < ARRAY_LEN(status_line_rows); i++) {
		const struct status_line_row *row = &status_line_rows[i];
		struct proc_status status = { 0 };

		(void)proc_status_parse_line(&status, row->line, strlen(row->line));

		cr_expect(memcmp(&status, &row->expected, sizeof(status)) == 0, "row %zu: %s", i,
			row->line);
	}
}

Test(proc_status, reads_nothing_behind_the_end_of_a_line)
{
	for (size_t i = 0; i < ARRAY_LEN(status_line_rows); i++) {
		for (size_t length = 0; length <= strlen(status_line_rows[i].line); length++) {
			char *exact = malloc(length > 0 ? length : 1);
			struct proc_status status = { 0 };
			struct proc_mapping mapping;

			memcpy(exact, status_line_rows[i].line, length);
			(void)proc_status_parse_line(&status, exact, length);
			(void)proc_mapping_parse(exact, length, &mapping);
			free(exact);
		}
	}
}

static const struct mapping_row {
	const char *line;
	bool answer;
	struct proc_mapping expected;
} mapping_rows[] = {
	{ "7f00-7f10 rw-s 00000000 00:01 1234    /memfd:x (deleted)", true, { 0, 1, 1234 } },
	{ "7f00-7f10 rw-s 00000000 fe:1f 77 /memfd:ff-ff rw-s 0 00:01 9", true, { 254, 31, 77 } },
	{ "7f00-7f10 rw-p 00000000 00:00 0 ", true, { 0, 0, 0 } },
	{ "7f00-7f10 rw-p 00000000 00:00 0", true, { 0, 0, 0 } },
	{ "Pss:                 350 kB", false, { 0 } },
	{ "Anonymous: 1 kB", false, { 0 } },
	{ "7f00 rw-p 00000000 00:00 0", false, { 0 } },
	{ "7f00-7f10 rw-p 00000000 0000 0", false, { 0 } },
	{ "7f00-7f10", false, { 0 } },
	{ "7f00-7f10 rw-s 00000000 fffffffff:01 1234", false, { 0 } },
	{ "", false, { 0 } },
};

Test(proc_mapping, tells_mappings_from_other_lines)
{
	for (size_t i = 0; i < ARRAY_LEN(mapping_rows); i++) {
		const struct mapping_row *row = &mapping_rows[i];
		struct proc_mapping mapping = { 0 };

		bool answer = proc_mapping_parse(row->line, strlen(row->line), &mapping);

		cr_expect_eq(answer, row->answer, "row %zu", i);
		cr_expect(mapping.major == row->expected.major &&
				  mapping.minor == row->expected.minor &&
				  mapping.inode == row->expected.inode,
			"row %zu", i);
	}
}

Test(proc_rollup, adds_nothing_that_is_not_asked_for)
{
	static const char *const lines[] = {
		"Pss:                 350 kB",
		"Pss_Dirty:           112 kB",
		"Pss_Anon:            100 kB",
		"Pss_File:            238 kB",
		"Pss_Shmem:             7 kB",
		"Swap:                  9 kB",
		"SwapPss:               3 kB",
	};
	struct proc_rollup rollup = { 0 };
	bool last = false;

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		last = proc_rollup_parse_line(&rollup, lines[i], strlen(lines[i]));
	}

	cr_assert(last);
	cr_assert_eq(rollup.anonymous, 100 * 1024);
	cr_assert_eq(rollup.shared_memory, 7 * 1024);
	cr_assert_eq(rollup.swapped, 3 * 1024);
}

struct pids {
	pid_t pids[16];
	size_t count;
	int answer;
};

static int collect_pid(void *context, pid_t pid)
{
	struct pids *pids = context;

	cr_assert_lt(pids->count, ARRAY_LEN(pids->pids));
	pids->pids[pids->count++] = pid;
	return pids->answer;
}

static const struct children_row {
	const char *text;
	size_t count;
	pid_t first, last;
} children_rows[] = {
	{ "", 0, 0, 0 },
	{ "1", 1, 1, 1 },
	{ "10 200 3000 ", 3, 10, 3000 },
	{ "2147483647 ", 1, 2147483647, 2147483647 },
	{ "2147483648 ", 0, 0, 0 },
	{ "99999999999999999999999999999999 5 ", 1, 5, 5 },
	{ "0 7 ", 1, 7, 7 },
	{ "-7 8 ", 2, 7, 8 }, /* no sign in this grammar: the kernel writes none */
	{ "  12\n\n34  ", 2, 12, 34 },
};

/* Each text is cut at each place: the pieces give the same pids. */
Test(pid_scanner, finds_the_same_pids_however_the_text_arrives)
{
	for (size_t i = 0; i < ARRAY_LEN(children_rows); i++) {
		const struct children_row *row = &children_rows[i];
		size_t length = strlen(row->text);

		for (size_t cut = 0; cut <= length; cut++) {
			struct pid_scanner scanner = { 0 };
			struct pids pids = { 0 };

			(void)pid_scanner_feed(&scanner, row->text, cut, collect_pid, &pids);
			(void)pid_scanner_feed(
				&scanner, row->text + cut, length - cut, collect_pid, &pids);
			(void)pid_scanner_feed(&scanner, "\n", 1, collect_pid, &pids);

			cr_expect_eq(pids.count, row->count, "row %zu, cut %zu", i, cut);
			if (row->count > 0) {
				cr_expect_eq(pids.pids[0], row->first);
				cr_expect_eq(pids.pids[pids.count - 1], row->last);
			}
		}
	}
}

Test(pid_scanner, ends_when_it_is_told_to)
{
	struct pid_scanner scanner = { 0 };
	struct pids pids = { .answer = -ENOMEM };

	int r = pid_scanner_feed(&scanner, "1 2 3 ", 6, collect_pid, &pids);

	cr_assert_eq(r, -ENOMEM);
	cr_assert_eq(pids.count, 1);
}

struct lines {
	size_t count, longest;
	char last[16];
};

static bool collect_line(void *context, const char *line, size_t length)
{
	struct lines *lines = context;

	lines->count++;
	lines->longest = length > lines->longest ? length : lines->longest;
	(void)snprintf(lines->last, sizeof(lines->last), "%.*s", (int)length, line);
	return false;
}

static int file_with(const char *text, size_t length)
{
	int fd = memfd_create("lines", MFD_CLOEXEC);

	cr_assert_eq(write(fd, text, length), (ssize_t)length);
	return fd;
}

Test(proc_read_lines, cuts_a_line_that_is_too_long_and_goes_on)
{
	static char text[20000];
	struct lines lines = { 0 };
	int fd;

	memset(text, 'x', sizeof(text));
	memcpy(text, "first\n", 6);
	memcpy(text + sizeof(text) - 6, "\nlast\n", 6);
	fd = file_with(text, sizeof(text));

	int r = proc_read_lines(fd, collect_line, &lines);

	(void)close(fd);
	cr_assert_eq(r, 0);
	cr_assert_eq(lines.count, 3);
	cr_assert_eq(lines.longest, 4096);
	cr_assert_str_eq(lines.last, "last");
}

Test(proc_read_lines, finds_every_line_at_every_alignment)
{
	static char text[9000];

	for (size_t shift = 4080; shift < 4110; shift++) {
		struct lines lines = { 0 };
		int fd;

		memset(text, 'x', shift);
		memcpy(text + shift, "\nab\nlast\n", 9);
		fd = file_with(text, shift + 9);

		cr_assert_eq(proc_read_lines(fd, collect_line, &lines), 0);

		(void)close(fd);
		cr_expect_eq(lines.count, 3, "shift %zu: %zu", shift, lines.count);
		cr_expect_str_eq(lines.last, "last");
	}
}

Test(proc_files, shows_this_process)
{
	struct proc_files files;
	struct proc_status status;
	struct proc_statm statm;
	struct proc_rollup rollup;
	struct proc_stat stat;

	proc_files_init(&files, getpid(), true);
	cr_assert_eq(proc_files_status(&files, &status), 0);
	cr_assert_eq(proc_files_threads(&files), (int)status.threads);
	cr_assert_eq(proc_files_statm(&files, &statm), 0);
	cr_assert_eq(proc_read_rollup(getpid(), &rollup), 0);
	cr_assert_eq(proc_read_stat(getpid(), &stat), 0);
	proc_files_finish(&files);

	cr_assert_eq(status.state, 'R');
	cr_assert_gt(status.anonymous, 0);
	cr_assert_gt(statm.resident, 0);
	cr_assert_gt(rollup.anonymous, 0);
	cr_assert_eq(stat.pid, getpid());
	cr_assert_eq(stat.parent, getppid());
}

Test(proc_files, tells_that_a_process_is_gone)
{
	struct proc_files kept, fresh;
	struct proc_statm statm;
	struct proc_status status;
	struct pids pids = { 0 };
	pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (pid == 0) {
		(void)pause();
		_exit(0);
	}
	proc_files_init(&kept, pid, true);
	proc_files_init(&fresh, pid, false);
	cr_assert_eq(proc_files_statm(&kept, &statm), 0);
	cr_assert_eq(proc_files_status(&kept, &status), 0);
	cr_assert_eq(proc_files_threads(&kept), 1);
	cr_assert_eq(proc_files_children(&kept, collect_pid, &pids), 0);
	(void)kill(pid, SIGKILL);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);

	cr_expect_eq(proc_files_statm(&kept, &statm), -ESRCH);
	cr_expect_eq(proc_files_status(&kept, &status), -ESRCH);
	cr_expect_eq(proc_files_threads(&kept), -ESRCH);
	cr_expect_leq(proc_files_children(&kept, collect_pid, &pids), 0);
	cr_expect_eq(pids.count, 0);
	cr_expect_eq(proc_files_statm(&fresh, &statm), -ESRCH);
	cr_expect_eq(proc_files_status(&fresh, &status), -ESRCH);
	cr_expect_eq(proc_files_threads(&fresh), -ESRCH);
	cr_expect_eq(proc_read_stat(pid, &(struct proc_stat){ 0 }), -ESRCH);
	cr_expect_eq(proc_read_rollup(pid, &(struct proc_rollup){ 0 }), -ESRCH);
	cr_expect_eq(proc_find_memory_thread(pid), -ESRCH);
	proc_files_finish(&kept);
	proc_files_finish(&fresh);
}

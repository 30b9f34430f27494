/* What a file of options and a descriptor may hold, and how much. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/text.h"
#include "tools/cli/word_list.h"

static int memory_file(size_t length)
{
	int fd = memfd_create("words", MFD_CLOEXEC);

	cr_assert_eq(ftruncate(fd, (off_t)length), 0);
	return fd;
}

static int expand(struct word_list *list, const char *lines, struct error *error)
{
	*list = (struct word_list){ 0 };
	word_list_add(list, "@name");
	word_list_add(list, "behind");
	return word_list_expand_lines(list, 0, "name", lines, strlen(lines), error);
}

Test(word_list, splits_a_line_at_its_first_blank_only)
{
	static const struct {
		const char *line, *text, *value;
	} rows[] = {
		{ "--flag", "--flag", NULL },
		{ "--flag value", "--flag", "value" },
		{ "--flag \t two  words ", "--flag", "two  words" },
		{ "--flag=two words", "--flag=two words", NULL },
		{ "--flag a=b", "--flag", "a=b" },
		{ "--flag =b", "--flag", "=b" },
		{ "-f value", "-f", "value" },
		{ "-f", "-f", NULL },
		{ "-fvalue with blank", "-fvalue with blank", NULL },
		{ "@a file", "@a file", NULL },
		{ "\t -f x\r", "-f", "x" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct word_list list;
		struct error error = { 0 };

		cr_assert_eq(expand(&list, rows[i].line, &error), 0, "%s", error.text);

		cr_assert_eq(list.count, 2, "%s", rows[i].line);
		cr_expect_str_eq(list.items[0].text, rows[i].text);
		cr_expect_str_eq(list.items[0].value != NULL ? list.items[0].value : "(none)",
			rows[i].value != NULL ? rows[i].value : "(none)");
		cr_expect_str_eq(list.items[0].file, "name");
		cr_expect_eq(list.items[0].line, 1);
		cr_expect_str_eq(list.items[1].text, "behind");
		cr_expect_null(list.items[1].file);
		word_list_finish(&list);
	}
}

Test(word_list, counts_lines_that_it_skips)
{
	struct word_list list;
	struct error error = { 0 };

	cr_assert_eq(expand(&list, "\n# -a\n  \n -b\n#\n-c", &error), 0);

	cr_assert_eq(list.count, 3);
	cr_expect_eq(list.items[0].line, 4);
	cr_expect_eq(list.items[1].line, 6);
	word_list_finish(&list);
}

Test(word_list, may_become_shorter)
{
	struct word_list list;
	struct error error = { 0 };

	cr_assert_eq(expand(&list, "# nothing\n", &error), 0);

	cr_assert_eq(list.count, 1);
	cr_expect_str_eq(list.items[0].text, "behind");
	word_list_finish(&list);
}

Test(word_list, nests_eight_deep_and_no_deeper)
{
	struct word_list list = { 0 };
	struct error error = { 0 };
	int depth = 0;

	word_list_add(&list, "@name");
	while (word_list_expand_lines(&list, 0, "name", "@name", 5, &error) == 0) {
		depth++;
	}

	cr_assert_eq(depth, WORD_DEPTH_MAXIMUM);
	cr_assert_str_eq(error.text, "@name: too many files of options (64, 8 deep)");
	word_list_finish(&list);
}

Test(word_list, takes_64_files_and_no_more)
{
	struct word_list list = { 0 };
	struct error error = { 0 };
	int files = 0;

	for (int i = 0; i <= WORD_FILES_MAXIMUM; i++) {
		word_list_add(&list, "@name");
	}
	while (word_list_expand_lines(&list, 0, "name", "# nothing", 9, &error) == 0) {
		files++;
	}

	cr_assert_eq(files, WORD_FILES_MAXIMUM);
	cr_assert_str_eq(error.text, "@name: too many files of options (64, 8 deep)");
	cr_assert_eq(list.count, 1);
	word_list_finish(&list);
}

Test(word_list, refuses_bytes_that_are_not_lines)
{
	struct word_list list = { 0 };
	struct error error = { 0 };

	word_list_add(&list, "@name");
	int r = word_list_expand_lines(&list, 0, "name", "-a\0-b", 5, &error);

	cr_assert_eq(r, -EINVAL);
	cr_assert_str_eq(error.text, "@name: has a NUL byte (lines of options are expected)");
	cr_assert_eq(list.count, 1);
	word_list_finish(&list);
}

Test(word_list, refuses_files_and_descriptors_that_are_too_large)
{
	struct word_list list = { 0 };
	struct error error = { 0 };
	int file = memory_file(WORD_FILE_BYTES + 1);
	int words = memory_file(WORD_ARGS_BYTES + 1);
	cleanup_free char *name = must_format("@/proc/self/fd/%d", file);
	cleanup_free char *file_text = must_format("%s: larger than 1 MiB", name);
	cleanup_free char *words_text = must_format("--args: %d: more than 32 MiB", words);

	word_list_add(&list, name);

	cr_expect_eq(word_list_expand_file(&list, 0, &error), -EFBIG);
	cr_expect_str_eq(error.text, file_text);
	cr_expect_eq(word_list_expand_fd(&list, 0, words, &error), -EFBIG);
	cr_expect_str_eq(error.text, words_text);
	cr_expect_eq(list.count, 1);
	word_list_finish(&list);
	close(file);
	close(words);
}

Test(word_list, refuses_a_descriptor_that_cannot_be_read)
{
	struct word_list list = { 0 };
	struct error error = { 0 };
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	cleanup_free char *text =
		must_format("--args: %d: cannot read this descriptor: Bad file descriptor", fd);

	cr_assert_eq(word_list_expand_fd(&list, 0, fd, &error), -EBADF);

	cr_expect_str_eq(error.text, text);
	close(fd);
}

Test(word_list, takes_nothing_from_an_empty_descriptor)
{
	struct word_list list = { 0 };
	struct error error = { 0 };

	word_list_add(&list, "behind");

	cr_assert_eq(word_list_expand_fd(&list, 0, memory_file(0), &error), 0);
	cr_expect_eq(list.count, 1);
	word_list_finish(&list);
}

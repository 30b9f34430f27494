/* The words of a command line, with what @FILE and --args put between them. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/base/text.h"
#include "tools/cli/word_list.h"

static void word_finish(struct word *word)
{
	free(word->text);
	free(word->value);
}

void word_list_finish(struct word_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		word_finish(&list->items[i]);
	}
	for (size_t i = 0; i < list->file_count; i++) {
		free(list->files[i]);
	}
	free(list->items);
	*list = (struct word_list){ 0 };
}

static void word_list_reserve(struct word_list *list, size_t count)
{
	if (count > list->capacity) {
		list->capacity = 2 * count;
		list->items = must_reallocate(list->items, list->capacity, sizeof(list->items[0]));
	}
}

static void append(struct word_list *list, struct word word)
{
	word_list_reserve(list, list->count + 1);
	list->items[list->count++] = word;
}

void word_list_add(struct word_list *list, const char *text)
{
	append(list, (struct word){ .text = must_copy(text) });
}

/* Puts the words of `more` in the place of the `used` words from `index` on.  `more` is left empty.
 */
static void replace_words(struct word_list *list, size_t index, size_t used, struct word_list *more)
{
	size_t behind = list->count - index - used;
	size_t count = index + more->count + behind;

	for (size_t i = 0; i < used; i++) {
		word_finish(&list->items[index + i]);
	}
	word_list_reserve(list, count);
	if (behind > 0) {
		memmove(list->items + index + more->count, list->items + index + used,
			behind * sizeof(list->items[0]));
	}
	for (size_t i = 0; i < more->count; i++) {
		list->items[index + i] = more->items[i];
	}
	list->count = count;
	more->count = 0;
}

/* Reads to the end; more than `maximum` bytes are an error (-EFBIG). */
static int read_all(int fd, size_t maximum, struct text *ret_bytes)
{
	char block[16384];
	ssize_t count;

	while ((count = read(fd, block, sizeof(block))) != 0) {
		if (count < 0) {
			if (errno == EINTR) {
				continue;
			}
			return -errno;
		}
		text_add_bytes(ret_bytes, block, (size_t)count);
		if (ret_bytes->length > maximum) {
			return -EFBIG;
		}
	}
	return 0;
}

static char *copy_bytes(const char *start, const char *end)
{
	return must_format("%.*s", (int)(end - start), start);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* One trimmed line.  A value is split off at the first blank of "--flag VALUE" and "-f VALUE"; a
 * line with "=" before it, "-fVALUE" and "@FILE" are one word. */
static struct word read_line(const char *start, const char *end)
{
	struct word word = { 0 };
	const char *split = start;

	while (split < end && !is_blank(*split) && *split != '=') {
		split++;
	}
	if (*start != '-' || split == end || *split == '=' ||
		(end - start > 2 && start[1] != '-' && !is_blank(start[2]))) {
		word.text = copy_bytes(start, end);
		return word;
	}
	word.text = copy_bytes(start, split);
	while (is_blank(*split)) {
		split++;
	}
	word.value = copy_bytes(split, end);
	return word;
}

/* "-x…", "--x…" or "@x…": something must follow the mark. */
static bool is_option(const char *start, const char *end)
{
	size_t mark = end - start > 1 && start[0] == '-' && start[1] == '-' ? 2 : 1;

	return (*start == '-' || *start == '@') && (size_t)(end - start) > mark &&
	       !is_blank(start[mark]);
}

int word_list_expand_lines(struct word_list *list, size_t index, const char *name,
	const char *bytes, size_t length, struct error *error)
{
	cleanup_word_list struct word_list more = { 0 };
	const char *cursor = bytes, *limit = bytes + length;
	unsigned int depth = list->items[index].depth + 1;
	unsigned int number = 0;

	if (list->file_count == WORD_FILES_MAXIMUM || depth > WORD_DEPTH_MAXIMUM) {
		return error_set(error, ELOOP, "@%s: too many files of options (%u, %u deep)", name,
			WORD_FILES_MAXIMUM, WORD_DEPTH_MAXIMUM);
	}
	if (memchr(bytes, '\0', length) != NULL) {
		return error_set(
			error, EINVAL, "@%s: has a NUL byte (lines of options are expected)", name);
	}
	list->files[list->file_count++] = must_copy(name);
	while (cursor < limit) {
		const char *newline = memchr(cursor, '\n', (size_t)(limit - cursor));
		const char *start = cursor, *end = newline != NULL ? newline : limit;
		struct word word;

		cursor = end + 1;
		number++;
		while (start < end && is_blank(*start)) {
			start++;
		}
		while (end > start && is_blank(end[-1])) {
			end--;
		}
		if (start == end || *start == '#') {
			continue;
		}
		if (!is_option(start, end)) {
			return error_set(error, EINVAL, "@%s:%u: \"%.*s\": not an option", name,
				number, (int)(end - start), start);
		}
		word = read_line(start, end);
		word.file = list->files[list->file_count - 1];
		word.line = number;
		word.depth = depth;
		append(&more, word);
	}
	replace_words(list, index, 1, &more);
	return 0;
}

int word_list_expand_file(struct word_list *list, size_t index, struct error *error)
{
	const char *name = list->items[index].text + 1;
	cleanup_free char *copy = must_copy(name);
	cleanup_text struct text bytes = { 0 };
	cleanup_close int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int r = fd < 0 ? -errno : read_all(fd, WORD_FILE_BYTES, &bytes);

	if (r == -EFBIG) {
		return error_set(error, EFBIG, "@%s: larger than 1 MiB", name);
	}
	if (r < 0) {
		return error_set(error, -r, "@%s: %s", name, strerror(-r));
	}
	return word_list_expand_lines(
		list, index, copy, bytes.length > 0 ? bytes.bytes : "", bytes.length, error);
}

/* Descriptors 0 to 2 stay taken, so that nothing opened later becomes standard input. */
static void close_source(int fd)
{
	int null;

	if (fd > 2) {
		(void)close(fd); /* it was read to its end: nothing is lost */
		return;
	}
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null >= 0) {
		(void)dup2(null, fd); /* fails only for descriptors that are not open */
		(void)close(null);    /* as above */
	}
}

int word_list_expand_fd(struct word_list *list, size_t index, int fd, struct error *error)
{
	cleanup_word_list struct word_list more = { 0 };
	cleanup_text struct text bytes = { 0 };
	int r = read_all(fd, WORD_ARGS_BYTES, &bytes);

	if (r == -EFBIG) {
		return error_set(error, EFBIG, "--args: %d: more than 32 MiB", fd);
	}
	if (r < 0) {
		return error_set(
			error, -r, "--args: %d: cannot read this descriptor: %s", fd, strerror(-r));
	}
	close_source(fd);
	for (size_t i = 0; i < bytes.length; i += strlen(bytes.bytes + i) + 1) {
		word_list_add(&more, bytes.bytes + i);
	}
	replace_words(list, index, 0, &more);
	return 0;
}

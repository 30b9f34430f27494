/* The words of a command line, with what @FILE and --args put between them. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLI_WORD_LIST_H
#define TOOLS_CLI_WORD_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/error.h"

#define WORD_FILES_MAXIMUM 64	       /* @FILE words in one command line, nested ones included */
#define WORD_DEPTH_MAXIMUM 8	       /* a file that names a file that names a file … */
#define WORD_FILE_BYTES	   (1u << 20)  /* of one @FILE */
#define WORD_ARGS_BYTES	   (32u << 20) /* of one --args */

struct word {
	char *text;  /* owned */
	char *value; /* owned; the rest of a line of a file; NULL: none */
	const char
		*file; /* borrowed from the list; NULL: a word of the command line or of --args */
	unsigned int line;  /* in that file, from 1 */
	unsigned int depth; /* how many files deep; 0: not from a file */
};

/* Owned.  Zero-initialised is empty. */
struct word_list {
	struct word *items;
	size_t count;
	size_t capacity;		 /* of `items` */
	char *files[WORD_FILES_MAXIMUM]; /* owned: names for messages */
	size_t file_count;
};

void word_list_finish(struct word_list *list);
#define cleanup_word_list cleanup(word_list_finish)
void word_list_add(struct word_list *list, const char *text);

/* Replaces word `index`, which is "@FILE", by the options of the file.  The file has one option on
 * each line: `--flag`, `--flag VALUE` or `--flag=VALUE`, or the same with a letter, or @FILE. VALUE
 * is the rest of the line as it stands: there is no quoting and no escape.  Blanks at both ends of
 * a line are dropped; empty lines, and lines that start with #, are skipped.  0, or -errno with a
 * message that names the file. */
int word_list_expand_file(struct word_list *list, size_t index, struct error *error);
/* The part of it that needs no file: puts the lines of `bytes` in place of word `index`. */
int word_list_expand_lines(struct word_list *list, size_t index, const char *name,
	const char *bytes, size_t length, struct error *error);

/* Replaces the `used` words from `index` on by the NUL-separated words that descriptor `fd` holds
 * up to its end, and closes it (0 becomes /dev/null instead).  A last word without NUL counts too.
 */
int word_list_expand_fd(struct word_list *list, size_t index, int fd, struct error *error);

#endif

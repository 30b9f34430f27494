/* Reads tests/bpf/<name>.rows: a policy, and lines of a call, six arguments and a verdict.
 *
 *     # …text…            policy: supervised tcp listen unix group=ptrace deny=openat2
 *     socket  2 1 0 - - -  ALLOW
 *
 * An argument is a number or "-", any value.  "# not live: reason" at the end of a line keeps a row
 * from being tried on the running kernel. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_BPF_ROWS_H
#define TESTS_BPF_ROWS_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/plan/syscall_rules.h"

static const char *const rows_files[] = {
	"default",
	"network",
	"unix",
	"unsupervised",
	"groups",
	"denied",
};

struct rows_line {
	size_t number; /* in its file, for messages */
	enum syscall_id id;
	uint64_t arguments[6];
	bool is_any[6];
	enum verdict verdict;
	bool not_live;
};

#define ROWS_LINES 256
struct rows {
	struct syscall_choices choices;
	struct rows_line lines[ROWS_LINES];
	size_t count;
};

static inline void rows_fail(const char *path, size_t number, const char *what)
{
	fprintf(stderr, "%s:%zu: %s\n", path, number, what);
	abort();
}

static inline bool rows_parse_choice(const char *word, struct syscall_choices *choices)
{
	int group = strncmp(word, "group=", 6) == 0 ? syscall_group_find(word + 6) : -1;
	int id = strncmp(word, "deny=", 5) == 0 ? syscall_find(word + 5) : -1;

	if (group >= 0) {
		choices->allowed_groups |= 1u << group;
	} else if (id >= 0) {
		choices->denied[id] = true;
	} else if (strcmp(word, "supervised") == 0) {
		choices->supervised = true;
	} else if (strcmp(word, "tcp") == 0) {
		choices->tcp_sockets = true;
	} else if (strcmp(word, "listen") == 0) {
		choices->listen = true;
	} else if (strcmp(word, "unix") == 0) {
		choices->unix_sockets = true;
	} else {
		return strcmp(word, "unsupervised") == 0;
	}
	return true;
}

static inline bool rows_parse_argument(const char *word, uint64_t *ret_value, bool *ret_is_any)
{
	char *end;

	*ret_is_any = strcmp(word, "-") == 0;
	*ret_value = *ret_is_any ? 0 : strtoull(word, &end, 0);
	return *ret_is_any || (end != word && *end == '\0');
}

static inline bool rows_parse_line(char *text, struct rows_line *ret_line)
{
	char *save, *comment = strchr(text, '#');
	const char *word;
	int id, verdict = 0;

	ret_line->not_live = comment != NULL && strncmp(comment, "# not live:", 11) == 0;
	if (comment != NULL) {
		*comment = '\0';
	}
	word = strtok_r(text, " \n", &save);
	id = word == NULL ? -1 : syscall_find(word);
	if (id < 0) {
		return false;
	}
	ret_line->id = (enum syscall_id)id;
	for (int i = 0; i < 6; i++) {
		word = strtok_r(NULL, " \n", &save);
		if (word == NULL ||
			!rows_parse_argument(word, &ret_line->arguments[i], &ret_line->is_any[i])) {
			return false;
		}
	}
	word = strtok_r(NULL, " \n", &save);
	while (word != NULL && verdict < VERDICT_COUNT &&
		strcmp(word, verdict_name((enum verdict)verdict)) != 0) {
		verdict++;
	}
	ret_line->verdict = (enum verdict)verdict;
	return word != NULL && verdict < VERDICT_COUNT && strtok_r(NULL, " \n", &save) == NULL;
}

/* Ends the program with a message when the file is missing or malformed. */
static inline void rows_load(const char *name, struct rows *rows)
{
	char path[64], text[512], *save;
	size_t number = 0;
	FILE *file;

	memset(rows, 0, sizeof(*rows));
	(void)snprintf(path, sizeof(path), "tests/bpf/%s.rows", name);
	file = fopen(path, "re");
	if (file == NULL) {
		rows_fail(path, 0, "cannot be read");
	}
	while (fgets(text, sizeof(text), file) != NULL) {
		char *policy = strstr(text, "policy: ");

		number++;
		if (text[0] == '#' && policy != NULL) {
			char *word = strtok_r(policy + strlen("policy: "), " \n", &save);

			for (; word != NULL; word = strtok_r(NULL, " \n", &save)) {
				if (!rows_parse_choice(word, &rows->choices)) {
					rows_fail(path, number, word);
				}
			}
		} else if (text[0] != '#' && text[0] != '\n') {
			if (rows->count == ROWS_LINES ||
				!rows_parse_line(text, &rows->lines[rows->count])) {
				rows_fail(path, number, "malformed row");
			}
			rows->lines[rows->count++].number = number;
		}
	}
	(void)fclose(file); /* only read */
}

#endif

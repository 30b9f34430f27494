/* The first line of a script, "#!INTERPRETER ARGUMENT", cut as the kernel cuts it. */
// SPDX-License-Identifier: Apache-2.0

#include <stddef.h>
#include <string.h>

#include "core/tracee/script_line.h"

#define NAME_FIRST 2 /* behind "#!" */
#define LAST	   (SCRIPT_LINE_BYTES - 1)
#define NOWHERE	   SCRIPT_LINE_BYTES

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

/* From `first` to `last`, both included; NOWHERE if there is none. */
static size_t find_text(const char *bytes, size_t first, size_t last)
{
	while (first <= last && is_blank(bytes[first])) {
		first++;
	}
	return first <= last ? first : NOWHERE;
}

static size_t find_end_of_name(const char *bytes, size_t first, size_t last)
{
	while (first <= last && !is_blank(bytes[first]) && bytes[first] != '\0') {
		first++;
	}
	return first <= last ? first : NOWHERE;
}

/* Where the newline stands, which a NUL before it hides.  Without one, the last byte, if the name
 * ends before it: an end of the file has the look of a NUL. */
static size_t find_end_of_line(const char *bytes)
{
	const char *newline = memchr(bytes, '\n', SCRIPT_LINE_BYTES);
	const char *nul = memchr(bytes, '\0', SCRIPT_LINE_BYTES);
	size_t name;

	if (newline != NULL && (nul == NULL || newline < nul)) {
		return (size_t)(newline - bytes);
	}
	name = find_text(bytes, NAME_FIRST, LAST);
	if (name == NOWHERE || find_end_of_name(bytes, name, LAST) == NOWHERE) {
		return NOWHERE;
	}
	return LAST;
}

bool script_line_parse(char bytes[SCRIPT_LINE_BYTES], struct script_line *ret_line)
{
	size_t end, name, gap, argument = NOWHERE;

	if (bytes[0] != '#' || bytes[1] != '!') {
		return false;
	}
	end = find_end_of_line(bytes);
	if (end == NOWHERE) {
		return false;
	}
	while (is_blank(bytes[end - 1])) {
		end--;
	}
	name = find_text(bytes, NAME_FIRST, end);
	if (name == NOWHERE || name == end) {
		return false;
	}
	gap = find_end_of_name(bytes, name, end);
	if (gap != NOWHERE && bytes[gap] != '\0') {
		argument = find_text(bytes, gap, end);
	}
	bytes[end] = '\0';
	if (argument != NOWHERE) {
		bytes[gap] = '\0';
	}
	ret_line->interpreter = bytes + name;
	ret_line->argument = argument == NOWHERE ? NULL : bytes + argument;
	return true;
}

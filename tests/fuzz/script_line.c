/* The first line of a script, and the digest of an argument list: what is found lies in the bytes
 * and ends in them, and a list has one digest however it arrives. */
// SPDX-License-Identifier: Apache-2.0

#include <stdbool.h>

#include "core/tracee/argv_digest.h"
#include "core/tracee/script_line.h"
#include "tests/fuzz/fuzz.h"

static const struct argv_key key = { { 1, 2 } };

static bool lies_in(const char *string, const char bytes[SCRIPT_LINE_BYTES])
{
	return string >= bytes + 2 && string < bytes + SCRIPT_LINE_BYTES &&
	       memchr(string, '\0', (size_t)(bytes + SCRIPT_LINE_BYTES - string)) != NULL;
}

/* Its parts, written as a line of their own, are the same parts. */
static void check_again(const struct script_line *line)
{
	char bytes[2 * SCRIPT_LINE_BYTES] = { 0 };
	struct script_line again = { 0 };
	int length = snprintf(bytes, sizeof(bytes), "#!%s%s%s\n", line->interpreter,
		line->argument != NULL ? " " : "", line->argument != NULL ? line->argument : "");

	/* Blanks at the end belong to an argument only where no newline follows. */
	if (length < SCRIPT_LINE_BYTES && line->interpreter[0] != '\0' &&
		(line->argument == NULL || strchr(" \t", bytes[length - 2]) == NULL)) {
		must_hold(script_line_parse(bytes, &again));
		must_hold(strcmp(again.interpreter, line->interpreter) == 0);
		must_hold((again.argument == NULL) == (line->argument == NULL));
		must_hold(line->argument == NULL || strcmp(again.argument, line->argument) == 0);
	}
}

static void check_line(const uint8_t *input, size_t size)
{
	/* On the heap, so that the sanitizer sees each byte too far. */
	char *bytes = calloc(1, SCRIPT_LINE_BYTES);
	struct script_line line = { 0 };

	memcpy(bytes, input, size < SCRIPT_LINE_BYTES ? size : SCRIPT_LINE_BYTES);
	if (script_line_parse(bytes, &line)) {
		must_hold(bytes[0] == '#' && bytes[1] == '!');
		must_hold(lies_in(line.interpreter, bytes));
		must_hold(strpbrk(line.interpreter, " \t\n") == NULL);
		must_hold(line.argument == NULL || lies_in(line.argument, bytes));
		must_hold(line.argument == NULL || strchr(line.argument, '\n') == NULL);
		must_hold(line.argument == NULL || strchr(" \t", line.argument[0]) == NULL ||
			  line.argument[0] == '\0');
		check_again(&line);
	} else {
		must_hold(line.interpreter == NULL && line.argument == NULL);
	}
	free(bytes);
}

static void check_digest(const uint8_t *input, size_t size)
{
	size_t cut = size > 0 ? input[0] % size : 0;
	struct argv_digest whole, parts;
	struct argv_sum one, two;

	argv_digest_begin(&whole, &key);
	argv_digest_add(&whole, input, size);
	argv_digest_end(&whole, &one);
	argv_digest_begin(&parts, &key);
	argv_digest_add(&parts, input, cut);
	argv_digest_add(&parts, input + cut, size - cut);
	argv_digest_end(&parts, &two);
	must_hold(memcmp(&one, &two, sizeof(one)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	check_line(input, size);
	check_digest(input, size);
	return 0;
}

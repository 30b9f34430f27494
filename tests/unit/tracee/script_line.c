/* The first line of a script, at the edges of what the kernel reads of it. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <string.h>

#include "core/base/attributes.h"
#include "core/tracee/script_line.h"

/* The file starts with `text`; then come `count` times `filler`, then `end`, then nothing. */
struct script_row {
	const char *text;
	char filler;
	int count;
	const char *end;
	const char *interpreter; /* NULL: not a script */
	const char *argument;	 /* NULL: none */
};

static const struct script_row rows[] = {
	{ "#!/bin/sh\n", 0, 0, "", "/bin/sh", NULL },
	{ "#!/bin/sh -x\n", 0, 0, "", "/bin/sh", "-x" },
	{ "#!/bin/sh -x -y\n", 0, 0, "", "/bin/sh", "-x -y" },
	{ "#! \t /bin/sh\t -x \t\nignored\n", 0, 0, "", "/bin/sh", "-x" },
	{ "#!/bin/sh\r\n", 0, 0, "", "/bin/sh\r", NULL },
	{ "#!/bin/sh -x\r\n", 0, 0, "", "/bin/sh", "-x\r" },
	/* Without a newline: the end of the file counts as the end of the name. */
	{ "#!/bin/sh", 0, 0, "", "/bin/sh", NULL },
	{ "#!/bin/sh -x", 0, 0, "", "/bin/sh", "-x" },
	{ "#!/bin/sh -x ", 0, 0, "", "/bin/sh", "-x " },
	{ "#!/bin/sh ", 0, 0, "", "/bin/sh", "" },
	{ "#!", 0, 0, "", "", NULL },
	{ "#! ", 0, 0, "", "", NULL },
	/* Nothing there. */
	{ "#!\n", 0, 0, "", NULL, NULL },
	{ "#! \t\n", 0, 0, "", NULL, NULL },
	{ "#!\n/bin/sh\n", 0, 0, "", NULL, NULL },
	{ "#!", ' ', 254, "", NULL, NULL },
	{ "", 0, 0, "", NULL, NULL },
	{ "#", 0, 0, "", NULL, NULL },
	{ "# !/bin/sh\n", 0, 0, "", NULL, NULL },
	{ " #!/bin/sh\n", 0, 0, "", NULL, NULL },
	{ "\177ELF", 0, 0, "", NULL, NULL },
	/* A name that may go on behind the 256 bytes is none; one byte less is whole. */
	{ "#!", 'a', 254, "", NULL, NULL },
	{ "#! ", 'a', 253, "", NULL, NULL },
	/* Blanks up to the name, in the last byte. */
	{ "#!", ' ', 253, "a", NULL, NULL },
	/* An argument may be cut, and its last byte always is. */
	{ "#!/b ", ' ', 250, "x", "/b", NULL },
	{ "#!/b ", ' ', 249, "yx", "/b", "y" },
};

Test(script_line, is_cut_as_the_kernel_cuts_it)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct script_row *row = &rows[i];
		char bytes[SCRIPT_LINE_BYTES] = { 0 };
		struct script_line line = { 0 };
		size_t length = strlen(row->text);
		bool is_script;

		memcpy(bytes, row->text, length);
		memset(bytes + length, row->filler, (size_t)row->count);
		memcpy(bytes + length + row->count, row->end, strlen(row->end));
		is_script = script_line_parse(bytes, &line);

		cr_expect_eq(is_script, row->interpreter != NULL, "row %zu", i);
		if (is_script && row->interpreter != NULL) {
			cr_expect_str_eq(line.interpreter, row->interpreter, "row %zu", i);
			cr_expect_eq(line.argument == NULL, row->argument == NULL, "row %zu", i);
		}
		if (line.argument != NULL && row->argument != NULL) {
			cr_expect_str_eq(line.argument, row->argument, "row %zu", i);
		}
	}
}

static bool parse_with(size_t place, char byte, struct script_line *ret_line, char *bytes)
{
	memset(bytes, 'a', SCRIPT_LINE_BYTES);
	memcpy(bytes, "#!", 2);
	bytes[place] = byte;
	return script_line_parse(bytes, ret_line);
}

Test(script_line, takes_a_name_as_long_as_fits)
{
	char bytes[SCRIPT_LINE_BYTES];
	struct script_line line;

	cr_assert(parse_with(255, '\n', &line, bytes));
	cr_expect_eq(strlen(line.interpreter), 253);
	cr_assert(parse_with(255, ' ', &line, bytes));
	cr_expect_eq(strlen(line.interpreter), 253);
	cr_expect_null(line.argument);
	cr_assert(parse_with(255, '\0', &line, bytes));
	cr_expect_eq(strlen(line.interpreter), 253);
}

Test(script_line, does_not_see_a_newline_behind_a_nul)
{
	char bytes[SCRIPT_LINE_BYTES] = "#!/bin/a\0 b c\n";
	struct script_line line;

	cr_assert(script_line_parse(bytes, &line));
	cr_expect_str_eq(line.interpreter, "/bin/a");
	cr_expect_null(line.argument);
}

Test(script_line, ends_an_argument_at_a_nul)
{
	char bytes[SCRIPT_LINE_BYTES] = "#!/bin/a b\0 c\n";
	struct script_line line;

	cr_assert(script_line_parse(bytes, &line));
	cr_expect_str_eq(line.interpreter, "/bin/a");
	cr_expect_str_eq(line.argument, "b");
}

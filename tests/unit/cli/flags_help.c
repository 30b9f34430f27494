/* Help and man page source: complete, and readable where they are read. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/policy/policy_options.h"
#include "tools/cli/flags.h"

static char *printed(void (*print)(FILE *file))
{
	char *text = NULL;
	size_t length;
	FILE *file = open_memstream(&text, &length);

	print(file);
	fclose(file);
	return text;
}

Test(flags_help, fits_80_columns_without_trailing_blanks)
{
	cleanup_free char *help = printed(flags_print_help);
	char *rest = help;

	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		cr_expect_leq(strlen(line), 80, "%s", line);
		cr_expect(line[0] == '\0' || line[strlen(line) - 1] != ' ', "%s", line);
	}
}

Test(flags_help, has_every_option_once_at_the_start_of_a_line)
{
	cleanup_free char *help = printed(flags_print_help);

	for (size_t i = 0; i < policy_option_count; i++) {
		const struct policy_option *option = &policy_options[i];
		cleanup_free char *start =
			option->letter != 0
				? must_format("\n  -%c, --%s", option->letter, option->flag)
				: must_format("\n      --%s", option->flag);
		cleanup_free char *named = must_format(" --%s", option->flag);
		bool is_available = option->type != OPTION_UNAVAILABLE;

		cr_expect_eq(strstr(help, start) != NULL, is_available, "%s", start);
		cr_expect_not_null(strstr(help, named), "%s", named);
	}
}

Test(flags_help, has_a_heading_for_each_section_with_options)
{
	cleanup_free char *help = printed(flags_print_help);
	cleanup_free char *man = printed(flags_print_man);

	for (enum option_section section = 0; section < SECTION_COUNT; section++) {
		cleanup_free char *heading = must_format("\n%s:\n", option_section_title(section));
		cleanup_free char *roff = must_format(".SS %s\n", option_section_title(section));
		bool expected = section != SECTION_HTTP; /* nothing of it is built */

		cr_expect_eq(strstr(help, heading) != NULL, expected, "%s", heading);
		cr_expect_eq(strstr(man, roff) != NULL, expected, "%s", roff);
	}
}

Test(flags_print_man, has_a_paragraph_for_every_option)
{
	cleanup_free char *man = printed(flags_print_man);
	size_t paragraphs = 0, options = 1; /* @FILE */

	for (const char *c = man; (c = strstr(c, "\n.TP\n")) != NULL; c++) {
		paragraphs++;
	}
	for (size_t i = 0; i < policy_option_count; i++) {
		options += policy_options[i].type != OPTION_UNAVAILABLE;
	}

	cr_assert_eq(paragraphs, options);
	cr_assert_not_null(
		strstr(man, ".TP\n\\fB\\-m\\fR, \\fB\\-\\-max\\-memory\\fR \\fISIZE\\fR\n"));
	cr_assert_not_null(strstr(man, "\\fB\\-\\-explain\\fR[=\\fItext|json\\fR]\n"));
}

Test(flags_print_man, says_what_needs_a_supervisor)
{
	cleanup_free char *man = printed(flags_print_man);
	size_t said = 0, expected = 0;

	for (const char *c = man;
		(c = strstr(c, "\nNot with \\fB\\-\\-no\\-supervisor\\fR.\n")) != NULL; c++) {
		said++;
	}
	for (size_t i = 0; i < policy_option_count; i++) {
		expected += policy_options[i].type != OPTION_UNAVAILABLE &&
			    !policy_options[i].without_supervisor;
	}

	cr_assert_gt(expected, 0);
	cr_assert_eq(said, expected);
}

/* A line that starts with a dot is a request: only those that are meant may be there. */
Test(flags_print_man, has_no_accidental_requests)
{
	cleanup_free char *man = printed(flags_print_man);
	char *rest = man;

	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		cr_expect_neq(line[0], '\'', "%s", line);
		cr_expect(
			line[0] != '.' || strncmp(line, ".SS ", 4) == 0 || strcmp(line, ".TP") == 0,
			"%s", line);
	}
}

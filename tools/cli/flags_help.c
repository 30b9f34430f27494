/* The option table as help text and as man page source. */
// SPDX-License-Identifier: Apache-2.0

#include <string.h>

#include "core/base/text.h"
#include "core/policy/policy_options.h"
#include "tools/cli/flags.h"

#define HELP_COLUMNS 80
#define HELP_INDENT  26 /* where the texts start */

static const char help_file_of_options[] =
	"Read options from FILE, one on each line: --flag VALUE or --flag=VALUE. VALUE is the "
	"rest of the line as it stands, without quotes. Empty lines and lines that start with # "
	"are skipped.";

static const char man_file_of_options[] =
	".TP\n"
	"\\fB@\\fIFILE\\fR\n"
	"Read options from \\fIFILE\\fR, one on each line: \\fB\\-\\-flag\\fR \\fIVALUE\\fR or\n"
	"\\fB\\-\\-flag=\\fIVALUE\\fR, or a letter instead of the name, or another\n"
	"\\fB@\\fIFILE\\fR. \\fIVALUE\\fR is the rest of the line as it stands: there are no\n"
	"quotes, no escapes and no variables. Blanks at both ends of a line are dropped. Empty\n"
	"lines, and lines that start with #, are skipped. The command itself cannot be in the\n"
	"file. Names are taken from the current directory. Files nest up to 8 deep, 64 in all,\n"
	"1 MiB each.\n"
	".SS Not available in this version\n"
	"These options are known and refused:\n";

/* "-r, --fs-read PATH" */
static void add_usage(const struct policy_option *option, struct text *text)
{
	if (option->letter != 0) {
		text_add(text, "-%c, ", option->letter);
	} else {
		text_add(text, "    ");
	}
	text_add(text, "--%s", option->flag);
	if (option->action == ACTION_HELP) {
		return; /* its value is for the build of the man page */
	}
	if (option->value_is_optional) {
		text_add(text, "[=%s]", option->value);
	} else if (option->value != NULL) {
		text_add(text, " %s", option->value);
	}
}

/* Words of `words` in lines of HELP_COLUMNS; `column` is where the first line stands already. */
static void print_wrapped(FILE *file, const char *words, size_t column, size_t indent)
{
	while (*words != '\0') {
		size_t length = strcspn(words, " ");
		size_t blank = column > indent ? 1 : 0;

		if (blank > 0 && column + blank + length > HELP_COLUMNS) {
			(void)fprintf(file, "\n%*s", (int)indent, ""); /* stdio keeps the failure */
			column = indent;
			blank = 0;
		}
		(void)fprintf(file, "%s%.*s", blank > 0 ? " " : "", (int)length, words);
		column += blank + length;
		words += length;
		words += strspn(words, " ");
	}
	(void)fputc('\n', file);
}

static bool is_available(const struct policy_option *option)
{
	return option->type != OPTION_UNAVAILABLE;
}

static bool section_has_options(enum option_section section)
{
	for (size_t i = 0; i < policy_option_count; i++) {
		if (policy_options[i].section == section && is_available(&policy_options[i])) {
			return true;
		}
	}
	return false;
}

static void print_help_row(FILE *file, const struct policy_option *option)
{
	cleanup_text struct text usage = { 0 };
	int indent = HELP_INDENT;

	add_usage(option, &usage);
	(void)fprintf(file, "  %s", usage.bytes);
	if (usage.length + 2 >= HELP_INDENT) {
		(void)fprintf(file, "\n%*s", indent, "");
	} else {
		(void)fprintf(file, "%*s", indent - 2 - (int)usage.length, "");
	}
	print_wrapped(file, option->text, HELP_INDENT, HELP_INDENT);
}

static void add_unavailable(struct text *text)
{
	for (size_t i = 0; i < policy_option_count; i++) {
		if (!is_available(&policy_options[i])) {
			text_add(text, " --%s", policy_options[i].flag);
		}
	}
}

void flags_print_help(FILE *file)
{
	cleanup_text struct text unavailable = { 0 };

	(void)fputs("Usage: sandlock run [OPTIONS] -- COMMAND [ARGUMENT...]\n"
		    "       sandlock run [OPTIONS] --exec-shell TEXT\n\n"
		    "Run a command that can reach only what the options grant.\n",
		file);
	for (enum option_section section = 0; section < SECTION_COUNT; section++) {
		if (!section_has_options(section)) {
			continue;
		}
		(void)fprintf(file, "\n%s:\n", option_section_title(section));
		for (size_t i = 0; i < policy_option_count; i++) {
			if (policy_options[i].section == section &&
				is_available(&policy_options[i])) {
				print_help_row(file, &policy_options[i]);
			}
		}
	}
	(void)fputs("\nFiles of options:\n", file);
	(void)fprintf(file, "  %-*s", HELP_INDENT - 2, "    @FILE");
	print_wrapped(file, help_file_of_options, HELP_INDENT, HELP_INDENT);
	(void)fputs("\nSIZE is a whole number with an optional K, M, G or T (1024-based).\n"
		    "Exit status: that of the command; 128+N if signal N ended it; 124 timeout;\n"
		    "125 sandlock itself failed; 126 not executable; 127 not found.\n\n"
		    "Not available in this version:\n  ",
		file);
	add_unavailable(&unavailable);
	print_wrapped(file, unavailable.bytes + 1, 2, 2);
}

/* Text in which roff sees nothing but text. */
static void print_roff(FILE *file, const char *text)
{
	for (const char *c = text; *c != '\0'; c++) {
		const char *escaped = NULL;

		if (*c == '\\') {
			escaped = "\\e";
		} else if (*c == '-') {
			escaped = "\\-";
		} else if ((*c == '.' || *c == '\'') && c == text) {
			escaped = *c == '.' ? "\\&." : "\\&'";
		}
		if (escaped != NULL) {
			(void)fputs(escaped, file);
		} else {
			(void)fputc(*c, file);
		}
	}
}

static void print_roff_row(FILE *file, const struct policy_option *option)
{
	(void)fputs(".TP\n", file);
	if (option->letter != 0) {
		(void)fprintf(file, "\\fB\\-%c\\fR, ", option->letter);
	}
	(void)fputs("\\fB\\-\\-", file);
	print_roff(file, option->flag);
	(void)fputs("\\fR", file);
	if (option->value != NULL && option->action != ACTION_HELP) {
		(void)fputs(option->value_is_optional ? "[=\\fI" : " \\fI", file);
		print_roff(file, option->value);
		(void)fputs(option->value_is_optional ? "\\fR]" : "\\fR", file);
	}
	(void)fputc('\n', file);
	print_roff(file, option->text);
	if (option->details != NULL) {
		(void)fputc('\n', file);
		print_roff(file, option->details);
	}
	if (!option->without_supervisor) {
		(void)fputs("\nNot with \\fB\\-\\-no\\-supervisor\\fR.", file);
	}
	(void)fputc('\n', file);
}

void flags_print_man(FILE *file)
{
	cleanup_text struct text unavailable = { 0 };

	for (enum option_section section = 0; section < SECTION_COUNT; section++) {
		if (!section_has_options(section)) {
			continue;
		}
		(void)fprintf(file, ".SS %s\n", option_section_title(section));
		for (size_t i = 0; i < policy_option_count; i++) {
			if (policy_options[i].section == section &&
				is_available(&policy_options[i])) {
				print_roff_row(file, &policy_options[i]);
			}
		}
	}
	(void)fputs(man_file_of_options, file);
	add_unavailable(&unavailable);
	print_roff(file, unavailable.bytes + 1);
	(void)fputc('\n', file);
}

/* The command line of `sandlock run`: from words to a policy.
 *
 * getopt_long() is not used: it takes abbreviations, so that an option added later breaks scripts;
 * it cannot look into @FILE where an option is expected and leave a value "@x" alone; and its state
 * is global. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <string.h>

#include "core/base/text.h"
#include "core/policy/policy_check.h"
#include "core/policy/policy_options.h"
#include "tools/cli/flags.h"
#include "tools/cli/word_list.h"

struct parser {
	struct word_list words;
	size_t next; /* the first word that was not looked at */
	struct sandbox_policy *policy;
	struct run_flags flags;
	bool is_done; /* --help and --version: nothing else matters */
	struct error *error;
};

static void parser_finish(struct parser *parser)
{
	word_list_finish(&parser->words);
}

static int refuse_unknown(struct parser *parser, const char *word, size_t length)
{
	const char *name = word + 2;
	const struct policy_option *nearest = option_find_nearest(name, length - 2);

	if (nearest != NULL) {
		return error_set(parser->error, EINVAL, "%.*s: unknown option (did you mean --%s?)",
			(int)length, word, nearest->flag);
	}
	return error_set(parser->error, EINVAL, "%.*s: unknown option (see sandlock run --help)",
		(int)length, word);
}

static int act_on_explain(struct parser *parser, const char *value)
{
	bool json = value != NULL && strcmp(value, "json") == 0;

	if (value != NULL && !json && strcmp(value, "text") != 0) {
		return error_set(
			parser->error, EINVAL, "--explain: \"%s\": not text or json", value);
	}
	parser->flags.mode = json ? RUN_EXPLAIN_JSON : RUN_EXPLAIN_TEXT;
	return 0;
}

static int act_on_help(struct parser *parser, const char *value)
{
	if (value != NULL && strcmp(value, "roff") != 0) {
		return error_set(parser->error, EINVAL, "--help: \"%s\": takes no value", value);
	}
	parser->flags.mode = value != NULL ? RUN_HELP_ROFF : RUN_HELP;
	parser->is_done = true;
	return 0;
}

/* Puts the words of the descriptor behind those that were looked at already. */
static int act_on_args(struct parser *parser, const struct policy_option *option, const char *value)
{
	uint64_t fd;

	if (parse_number(value, 0, option->maximum, &fd) < 0 || fd == 1 || fd == 2) {
		return error_set(
			parser->error, EINVAL, "--args: \"%s\": %s", value, option->bounds);
	}
	return word_list_expand_fd(&parser->words, parser->next, (int)fd, parser->error);
}

static int apply(struct parser *parser, const struct policy_option *option, const char *value)
{
	if (option->type != OPTION_ACTION) {
		return option_set(option, parser->policy, value, parser->error);
	}
	if (value != NULL && option->value == NULL) {
		return error_set(
			parser->error, EINVAL, "--%s: \"%s\": takes no value", option->flag, value);
	}
	if (value == NULL && option_takes_value(option)) {
		return error_set(parser->error, EINVAL, "--%s: needs a value: --%s %s",
			option->flag, option->flag, option->value);
	}
	switch (option->action) {
	case ACTION_ARGS:
		return act_on_args(parser, option, value);
	case ACTION_EXPLAIN:
		return act_on_explain(parser, value);
	case ACTION_HELP:
		return act_on_help(parser, value);
	case ACTION_VERSION:
		parser->flags.mode = RUN_VERSION;
		parser->is_done = true;
		return 0;
	default:
		return error_set(parser->error, EINVAL, "--%s: not an option of run", option->flag);
	}
}

/* The value behind an option: the rest of its line, or the next word of the command line. */
static const char *take_value(
	struct parser *parser, const struct policy_option *option, const struct word *word)
{
	if (word->value != NULL || word->file != NULL || !option_takes_value(option) ||
		option->type == OPTION_UNAVAILABLE || parser->next == parser->words.count) {
		return word->value;
	}
	return parser->words.items[parser->next++].text;
}

/* "--flag", "--flag=VALUE", "--flag VALUE". */
static int parse_long(struct parser *parser, const struct word *word)
{
	const char *name = word->text + 2;
	size_t length = strcspn(name, "=");
	const struct policy_option *option = option_find(name, length);

	if (option == NULL) {
		return refuse_unknown(parser, word->text, length + 2);
	}
	return apply(parser, option,
		name[length] == '=' ? name + length + 1 : take_value(parser, option, word));
}

/* "-f", "-fVALUE", "-f VALUE", and several letters without values in one word. */
static int parse_letters(struct parser *parser, const struct word *word)
{
	for (const char *letter = word->text + 1; *letter != '\0' && !parser->is_done; letter++) {
		const struct policy_option *option = option_find_letter(*letter);
		bool is_last = letter[1] == '\0';
		const char *value = NULL;
		int r;

		if (option == NULL) {
			return error_set(parser->error, EINVAL,
				"-%c: unknown option (see sandlock run --help)", *letter);
		}
		if (is_last) {
			value = take_value(parser, option, word);
		} else if (option_takes_value(option)) {
			value = letter + 1;
		}
		r = apply(parser, option, value);
		if (r < 0 || (!is_last && option_takes_value(option))) {
			return r;
		}
	}
	return 0;
}

static int parse_word(struct parser *parser)
{
	/* A copy: --args moves the list.  What it points to stays. */
	struct word word = parser->words.items[parser->next++];

	if (word.text[0] == '-' && word.text[1] == '-') {
		return parse_long(parser, &word);
	}
	if (word.text[0] == '-' && word.text[1] != '\0') {
		return parse_letters(parser, &word);
	}
	return error_set(parser->error, EINVAL,
		"\"%s\": not an option; the command follows -- (sandlock run [OPTIONS] -- COMMAND)",
		word.text);
}

static void take_command(struct parser *parser)
{
	while (parser->next < parser->words.count) {
		string_list_add(
			&parser->policy->program.argv, parser->words.items[parser->next++].text);
	}
}

static int parse(struct parser *parser)
{
	while (parser->next < parser->words.count && !parser->is_done) {
		const struct word *word = &parser->words.items[parser->next];
		const char *file = word->file;
		unsigned int line = word->line;
		int r;

		if (strcmp(word->text, "--") == 0 && file == NULL) {
			parser->next++;
			take_command(parser);
			break;
		}
		r = word->text[0] == '@'
			    ? word_list_expand_file(&parser->words, parser->next, parser->error)
			    : parse_word(parser);
		if (r < 0) {
			if (file != NULL) {
				error_prefix(parser->error, "@%s:%u", file, line);
			}
			return r;
		}
	}
	return parser->is_done ? 0 : policy_check(parser->policy, parser->error);
}

int flags_parse(int argc, char **argv, struct sandbox_policy *policy, struct run_flags *ret_flags,
	struct error *error)
{
	cleanup(parser_finish) struct parser parser = { .policy = policy, .error = error };
	int r;

	for (int i = 1; i < argc; i++) {
		word_list_add(&parser.words, argv[i]);
	}
	r = parse(&parser);
	if (r == 0) {
		*ret_flags = parser.flags;
	}
	return r;
}

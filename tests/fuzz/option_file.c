/* Files of options: whatever the bytes, the words are options with their line, or one clear error.
 */
// SPDX-License-Identifier: Apache-2.0

#include "core/base/text.h"
#include "tests/fuzz/fuzz.h"
#include "tools/cli/word_list.h"

static void check_word(const struct word *word, unsigned int line_before)
{
	must_hold(word->text[0] == '-' || word->text[0] == '@');
	must_hold(word->text[1] != '\0' && strcmp(word->text, "--") != 0);
	must_hold(strchr(word->text, '\n') == NULL);
	must_hold(word->value == NULL || strchr(word->value, '\n') == NULL);
	must_hold(word->value == NULL || word->value[0] != '\0');
	must_hold(word->value == NULL || strpbrk(word->text, " \t\r=") == NULL);
	must_hold(word->line > line_before && word->depth == 1 && strcmp(word->file, "f") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	cleanup_word_list struct word_list list = { 0 };
	struct error error = { 0 };
	unsigned int line = 0;

	word_list_add(&list, "@f");
	word_list_add(&list, "--");
	if (word_list_expand_lines(&list, 0, "f", (const char *)input, size, &error) < 0) {
		must_hold(strncmp(error.text, "@f:", 3) == 0);
		must_hold(strchr(error.text, '\n') == NULL);
		must_hold(list.count == 2);
		return 0;
	}
	for (size_t i = 0; i + 1 < list.count; i++) {
		check_word(&list.items[i], line);
		line = list.items[i].line;
	}
	must_hold(strcmp(list.items[list.count - 1].text, "--") == 0);
	return 0;
}

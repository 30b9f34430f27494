/* Messages for humans. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/text.h"

Test(error, reports_and_fails_in_one_step)
{
	struct error error = { 0 };

	int r = error_set(&error, ENOENT, "%s: %d", "thing", 7);

	cr_assert_eq(r, -ENOENT);
	cr_assert_eq(error.code, ENOENT);
	cr_assert_str_eq(error.text, "thing: 7");
}

Test(error, needs_no_place_for_the_message)
{
	int r = error_set(NULL, EPERM, "%s", "unseen");

	error_prefix(NULL, "%s", "unseen");

	cr_assert_eq(r, -EPERM);
}

Test(error, cannot_make_a_terminal_obey)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "a\nb\x1b[2J\x7f", "a?b?[2J?" },
		{ "\xc2\x9b"
		  "2J",
			"??2J" }, /* U+009B: CSI */
		{ "\x9b"
		  "2J",
			"?2J" },
		{ "\xff\xfe", "??" },
		{ "\xc2\xa0ü€😀", "\xc2\xa0ü€😀" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct error error = { 0 };

		(void)error_set(&error, EINVAL, "%s", rows[i].in); /* the text is looked at */

		cr_expect_str_eq(error.text, rows[i].out);
	}
}

Test(error, is_cut_at_its_size)
{
	struct error error = { 0 };
	char *longer = must_format("%0600d", 1);

	(void)error_set(&error, EINVAL, "%s", longer); /* the text is looked at */
	error_prefix(&error, "%s", longer);

	cr_assert_eq(strlen(error.text), 127 + 2 + 380);
	free(longer);
}

Test(error, has_no_half_letter_where_it_was_cut)
{
	struct error error = { 0 };
	char *longer = must_format("%0510d€", 1);

	(void)error_set(&error, EINVAL, "%s", longer); /* the text is looked at */

	cr_assert_eq(error.text[510], '?');
	free(longer);
}

Test(error, keeps_its_code_behind_a_prefix)
{
	struct error error = { 0 };

	(void)error_set(&error, EBADF, "closed"); /* the text is looked at */
	error_prefix(&error, "@%s:%d", "file", 3);

	cr_assert_str_eq(error.text, "@file:3: closed");
	cr_assert_eq(error.code, EBADF);
}

/* Growing strings, lists, and the grammars of numbers, sizes and durations. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/base/text.h"

#define SECOND UINT64_C(1000000000)

struct row {
	const char *text;
	int result;
	uint64_t value;
};

Test(text, grows_and_stays_terminated)
{
	struct text text = { 0 };

	for (int i = 0; i < 1000; i++) {
		text_add(&text, "%d,", i % 10);
	}
	text_add_bytes(&text, "a\0b", 3);

	cr_assert_eq(text.length, 2003);
	cr_assert_eq(strlen(text.bytes), 2001);
	cr_assert_eq(text.bytes[2003], '\0');
	cr_assert_eq(memcmp(text.bytes + 1996, "8,9,a\0b", 7), 0);
	text_finish(&text);
	cr_assert_null(text.bytes);
}

Test(text, is_a_string_once_nothing_was_added)
{
	struct text first = { 0 }, second = { 0 };

	text_add_bytes(&first, NULL, 0);
	text_add(&second, "%s", "");

	cr_assert_eq(first.length + second.length, 0);
	cr_assert_str_eq(first.bytes, "");
	cr_assert_str_eq(second.bytes, "");
	text_finish(&first);
	text_finish(&second);
}

Test(text, writes_json_strings_that_every_reader_takes)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "", "\"\"" }, { "plain", "\"plain\"" }, { "q\"b\\", "\"q\\\"b\\\\\"" },
		{ "\n\x01\x7f", "\"\\u000a\\u0001\\u007f\"" }, { "ü€😀", "\"ü€😀\"" },
		{ "\xff", "\"\\ufffd\"" }, { "\xc0\x80", "\"\\ufffd\\ufffd\"" }, /* overlong NUL */
		{ "\xe0\x80\x80x", "\"\\ufffd\\ufffd\\ufffdx\"" },		 /* overlong */
		{ "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"" },		 /* surrogate */
		{ "\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"" },
		{ "\xe2\x82", "\"\\ufffd\\ufffd\"" }, /* cut short */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct text text = { 0 };

		text_add_json(&text, rows[i].in);

		cr_expect_str_eq(text.bytes, rows[i].out);
		text_finish(&text);
	}
}

/* The Unicode Standard, table 3-7, by arithmetic: what a decoder and its inverse agree on. */
static size_t expected_utf8_length(const unsigned char *s)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = s[0] < 0x80	  ? 1
			: s[0] >> 5 == 6  ? 2
			: s[0] >> 4 == 14 ? 3
			: s[0] >> 3 == 30 ? 4
					  : 0;
	uint32_t point = length < 2 ? s[0] : s[0] & (0x7fu >> length);

	for (size_t i = 1; i < length; i++) {
		if (s[i] >> 6 != 2) {
			return 0;
		}
		point = point << 6 | (s[i] & 0x3f);
	}
	if (point < least[length] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
		return 0;
	}
	return length;
}

Test(text, tells_utf8_from_other_bytes)
{
	static const unsigned char third[] = { 0, 0x41, 0x80, 0xbf, 0xc0 };

	for (unsigned int first = 0; first < 256; first++) {
		for (unsigned int second = 0; second < 256; second++) {
			for (size_t i = 0; i < ARRAY_LEN(third) * ARRAY_LEN(third); i++) {
				unsigned char bytes[] = { (unsigned char)first,
					(unsigned char)second, third[i / ARRAY_LEN(third)],
					third[i % ARRAY_LEN(third)], 0 };

				cr_assert_eq(utf8_sequence_length((const char *)bytes),
					expected_utf8_length(bytes), "%02x %02x %02x %02x",
					bytes[0], bytes[1], bytes[2], bytes[3]);
			}
		}
	}
}

Test(string_list, owns_copies_and_ends_with_null)
{
	struct string_list list = { 0 };
	char word[] = "one";

	string_list_add(&list, word);
	word[0] = 'x';
	string_list_add(&list, "two");

	cr_assert_eq(list.count, 2);
	cr_assert_str_eq(list.items[0], "one");
	cr_assert_null(list.items[2]);
	cr_assert(string_list_contains(&list, "two"));
	cr_assert_not(string_list_contains(&list, "tw"));
	string_list_finish(&list);
	cr_assert_eq(list.count, 0);
}

Test(parse_number, takes_digits_within_bounds_only)
{
	static const struct row rows[] = {
		{ "5", 0, 5 },
		{ "005", 0, 5 },
		{ "10", 0, 10 },
		{ "4", -ERANGE, 0 },
		{ "11", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "+5", -EINVAL, 0 },
		{ "-5", -EINVAL, 0 },
		{ " 5", -EINVAL, 0 },
		{ "5 ", -EINVAL, 0 },
		{ "0x5", -EINVAL, 0 },
		{ "5a", -EINVAL, 0 },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "99999999999999999999999", -ERANGE, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t value = 77;

		cr_expect_eq(parse_number(rows[i].text, 5, 10, &value), rows[i].result, "%s",
			rows[i].text);
		cr_expect_eq(value, rows[i].result == 0 ? rows[i].value : 77, "%s", rows[i].text);
	}
}

Test(parse_number, reaches_the_largest_number)
{
	uint64_t value = 0;

	cr_assert_eq(parse_number("18446744073709551615", 0, UINT64_MAX, &value), 0);
	cr_assert_eq(value, UINT64_MAX);
}

Test(parse_size, takes_one_binary_suffix)
{
	static const struct row rows[] = {
		{ "0", 0, 0 },
		{ "12", 0, 12 },
		{ "1k", 0, 1024 },
		{ "1K", 0, 1024 },
		{ "512M", 0, UINT64_C(512) << 20 },
		{ "4g", 0, UINT64_C(4) << 30 },
		{ "2T", 0, UINT64_C(2) << 40 },
		{ "  7 M\t", 0, UINT64_C(7) << 20 },
		{ "16777215T", 0, UINT64_C(16777215) << 40 },
		{ "16777216T", -ERANGE, 0 }, /* 2^64: must not become 0 */
		{ "18446744073709551616", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "  ", -EINVAL, 0 },
		{ "M", -EINVAL, 0 },
		{ "1P", -EINVAL, 0 },
		{ "1KB", -EINVAL, 0 },
		{ "1.5G", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "1 2", -EINVAL, 0 },
		{ "1M1", -EINVAL, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t value = 77;

		cr_expect_eq(parse_size(rows[i].text, &value), rows[i].result, "%s", rows[i].text);
		cr_expect_eq(value, rows[i].result == 0 ? rows[i].value : 77, "%s", rows[i].text);
	}
}

Test(parse_seconds, takes_fractions_to_the_nanosecond)
{
	static const struct row rows[] = {
		{ "0", 0, 0 },
		{ "90", 0, 90 * SECOND },
		{ "1.5", 0, SECOND + SECOND / 2 },
		{ "0.000000001", 0, 1 },
		{ "1.999999999", 0, 2 * SECOND - 1 },
		{ "4294967295", 0, UINT32_MAX * SECOND },
		{ "4294967296", -ERANGE, 0 },
		{ "0.0000000001", -EINVAL, 0 },
		{ "1.", -EINVAL, 0 },
		{ ".5", -EINVAL, 0 },
		{ "1.x", -EINVAL, 0 },
		{ "1s", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "1e3", -EINVAL, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t value = 77;

		cr_expect_eq(
			parse_seconds(rows[i].text, &value), rows[i].result, "%s", rows[i].text);
		cr_expect_eq(value, rows[i].result == 0 ? rows[i].value : 77, "%s", rows[i].text);
	}
}

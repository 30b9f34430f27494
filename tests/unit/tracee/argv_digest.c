/* The digest of an argument list: the published algorithm, however the list is cut into calls. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <string.h>

#include "core/base/attributes.h"
#include "core/tracee/argv_digest.h"

static struct argv_sum sum_of(const struct argv_key *key, const void *bytes, size_t length)
{
	struct argv_digest digest;
	struct argv_sum sum;

	argv_digest_begin(&digest, key);
	argv_digest_add(&digest, bytes, length);
	argv_digest_end(&digest, &sum);
	return sum;
}

static bool is_equal(const struct argv_sum *one, const struct argv_sum *other)
{
	return memcmp(one, other, sizeof(*one)) == 0;
}

/* The key of the published vectors: the bytes 0 to 15. */
static const struct argv_key published = { { 0x0706050403020100, 0x0f0e0d0c0b0a0908 } };

static const struct {
	size_t length; /* of the bytes 0, 1, 2 ... */
	uint64_t words[2];
} vectors[] = {
	{ 0, { 0xe6a825ba047f81a3, 0x930255c71472f66d } },
	{ 1, { 0x44af996bd8c187da, 0x45fc229b11597634 } },
	{ 7, { 0x53c1dbd8beebf1a1, 0x3982f01fa64ab8c0 } },
	{ 8, { 0x61f55862baa9623b, 0xb49714f364e2830f } },
	{ 9, { 0xabbad90a06994426, 0xed716dbb028b7fc4 } },
	{ 15, { 0x11a8b03399e99354, 0xd9c3cf970fec087e } },
	{ 16, { 0xbb54b067caa4e26e, 0x77052385bf1533fd } },
	{ 63, { 0x4a83502f77d15051, 0x7cbd3f979a063e50 } },
};

Test(argv_digest, is_that_of_the_published_algorithm)
{
	unsigned char bytes[64];

	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (unsigned char)i;
	}
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		struct argv_sum sum = sum_of(&published, bytes, vectors[i].length);

		cr_expect_eq(sum.words[0], vectors[i].words[0], "length %zu", vectors[i].length);
		cr_expect_eq(sum.words[1], vectors[i].words[1], "length %zu", vectors[i].length);
	}
}

Test(argv_digest, does_not_depend_on_how_the_list_is_cut)
{
	static const char list[] = "program\0first\0second and more\0\0last";
	struct argv_sum whole = sum_of(&published, list, sizeof(list));

	for (size_t first = 0; first <= sizeof(list); first++) {
		for (size_t second = first; second <= sizeof(list); second++) {
			struct argv_digest digest;
			struct argv_sum sum;

			argv_digest_begin(&digest, &published);
			argv_digest_add(&digest, list, first);
			argv_digest_add(&digest, list + first, second - first);
			argv_digest_add(&digest, list + second, sizeof(list) - second);
			argv_digest_end(&digest, &sum);
			cr_assert(is_equal(&sum, &whole), "%zu %zu", first, second);
		}
	}
}

Test(argv_digest, tells_apart_where_an_argument_ends)
{
	struct argv_sum one = sum_of(&published, "a\0bc", 5);
	struct argv_sum two = sum_of(&published, "ab\0c", 5);
	struct argv_sum cut = sum_of(&published, "a\0b", 4);
	struct argv_sum more = sum_of(&published, "a\0bc\0", 6);

	cr_expect_not(is_equal(&one, &two));
	cr_expect_not(is_equal(&one, &cut));
	cr_expect_not(is_equal(&one, &more));
}

Test(argv_digest, counts_a_string_with_its_end)
{
	struct argv_digest digest;
	struct argv_sum strings, bytes = sum_of(&published, "one\0\0two", 9);

	argv_digest_begin(&digest, &published);
	argv_digest_add_string(&digest, "one");
	argv_digest_add_string(&digest, "");
	argv_digest_add_string(&digest, "two");
	argv_digest_end(&digest, &strings);

	cr_expect(is_equal(&strings, &bytes));
}

Test(argv_digest, depends_on_the_key)
{
	struct argv_key other = published;
	struct argv_sum one = sum_of(&published, "a", 2), two;

	other.words[1] ^= 1;
	two = sum_of(&other, "a", 2);

	cr_expect_not(is_equal(&one, &two));
}

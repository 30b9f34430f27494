/* What the features decide, without a task. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "handlers/cpu_count.h"
#include "handlers/host_identity.h"

Test(host_identity, replaces_only_the_node_name)
{
	struct utsname kernel = { .sysname = "Linux", .nodename = "builder7", .release = "6.18" };
	struct utsname answer;

	host_identity_answer(&kernel, "box", &answer);

	cr_assert_str_eq(answer.nodename, "box");
	memcpy(answer.nodename, kernel.nodename, sizeof(answer.nodename));
	cr_assert_arr_eq(&answer, &kernel, sizeof(answer));
}

Test(host_identity, leaves_nothing_of_a_longer_name_and_cuts_what_is_too_long)
{
	struct utsname kernel = { .nodename = "a-very-long-name-of-a-host" };
	struct utsname answer;
	char name[100];

	host_identity_answer(&kernel, "b", &answer);
	for (size_t i = 1; i < sizeof(answer.nodename); i++) {
		cr_assert_eq(answer.nodename[i], '\0');
	}

	memset(name, 'x', sizeof(name));
	name[99] = '\0';
	host_identity_answer(&kernel, name, &answer);
	cr_assert_eq(strlen(answer.nodename), 64);
}

struct mask_row {
	uint32_t count, offered;
	size_t kernel_bytes;
	int answer;
};

Test(cpu_count, takes_the_sizes_that_a_kernel_with_so_many_processors_takes)
{
	static const struct mask_row rows[] = {
		{ 1, 8, 8, 8 },
		{ 2, 128, 8, 8 },
		{ 64, 8, 8, 8 },
		{ 65, 8, 8, -EINVAL },
		{ 65, 16, 8, 16 },
		{ 1024, 128, 8, 128 },
		{ 1024, 127, 8, -EINVAL },
		{ 4, 0, 8, -EINVAL },
		{ 4, 1024, 1024, 1024 },
		{ 4, 8, 1024, 8 },
		{ 4, 1u << 31, 16, 16 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_Alignas(long) unsigned char mask[CPU_COUNT_MASK_BYTES];
		int size = cpu_count_answer(
			rows[i].count, rows[i].offered, rows[i].kernel_bytes, mask);
		uint32_t bits = 0;

		cr_expect_eq(size, rows[i].answer, "row %zu: %d", i, size);
		for (int byte = 0; byte < size; byte++) {
			bits += (uint32_t)__builtin_popcount(mask[byte]);
		}
		cr_expect_eq(bits, size < 0 ? 0 : rows[i].count, "row %zu: %u bits", i, bits);
	}
}

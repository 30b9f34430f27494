/* Protections: names, floors, and what each mode means below and above the floor. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/policy/protection.h"

static const struct {
	enum protection protection;
	const char *name;
	const char *title;
	int minimum_abi;
} expected[] = {
	{ PROTECTION_FS_REFER, "fs-refer", "FsRefer", 2 },
	{ PROTECTION_FS_TRUNCATE, "fs-truncate", "FsTruncate", 3 },
	{ PROTECTION_NET_TCP, "net-tcp", "NetTcp", 4 },
	{ PROTECTION_FS_IOCTL_DEV, "fs-ioctl-dev", "FsIoctlDev", 5 },
	{ PROTECTION_SIGNAL_SCOPE, "signal-scope", "SignalScope", 6 },
	{ PROTECTION_ABSTRACT_UNIX_SOCKET_SCOPE, "abstract-unix-socket-scope",
		"AbstractUnixSocketScope", 6 },
};

Test(protection, has_a_name_a_title_and_a_floor_for_each)
{
	cr_assert_eq(sizeof(expected) / sizeof(expected[0]), PROTECTION_COUNT);
	for (size_t i = 0; i < PROTECTION_COUNT; i++) {
		cr_expect_str_eq(protection_name(expected[i].protection), expected[i].name);
		cr_expect_str_eq(protection_title(expected[i].protection), expected[i].title);
		cr_expect_eq(
			protection_minimum_abi(expected[i].protection), expected[i].minimum_abi);
	}
}

Test(protection, is_parsed_by_name_and_title_in_any_case)
{
	static const struct {
		const char *text;
		enum protection protection;
	} spellings[] = {
		{ "fs-refer", PROTECTION_FS_REFER },
		{ "FsRefer", PROTECTION_FS_REFER },
		{ "FSREFER", PROTECTION_FS_REFER },
		{ "Net-TCP", PROTECTION_NET_TCP },
		{ "abstractunixsocketscope", PROTECTION_ABSTRACT_UNIX_SOCKET_SCOPE },
	};

	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		enum protection protection = PROTECTION_COUNT;
		struct error error = { 0 };

		cr_expect_eq(protection_parse(spellings[i].text, &protection, &error), 0, "%s",
			spellings[i].text);
		cr_expect_eq(protection, spellings[i].protection, "%s", spellings[i].text);
	}
}

Test(protection, refuses_an_unknown_name_and_lists_the_known_ones)
{
	static const char *const wrong[] = { "", "fs", "fs-refer ", "fs_refer", "net-udp" };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		enum protection protection = PROTECTION_NET_TCP;
		struct error error = { 0 };

		cr_expect_eq(protection_parse(wrong[i], &protection, &error), -EINVAL);
		cr_expect_eq(protection, PROTECTION_NET_TCP);
		cr_expect_eq(strncmp(error.text, "unknown protection: ", 20), 0, "%s", error.text);
		cr_expect_not_null(strstr(error.text, "abstract-unix-socket-scope"));
	}
}

Test(protection, resolves_by_mode_and_floor_for_abi_1_to_9)
{
	for (int abi = 1; abi <= 9; abi++) {
		for (size_t i = 0; i < PROTECTION_COUNT; i++) {
			enum protection protection = expected[i].protection;
			bool available = abi >= expected[i].minimum_abi;

			cr_expect_eq(protection_resolve(protection, PROTECTION_STRICT, abi),
				available ? PROTECTION_ACTIVE : PROTECTION_UNAVAILABLE);
			cr_expect_eq(protection_resolve(protection, PROTECTION_DEGRADABLE, abi),
				available ? PROTECTION_ACTIVE : PROTECTION_IS_DEGRADED);
			cr_expect_eq(protection_resolve(protection, PROTECTION_DISABLED, abi),
				PROTECTION_IS_DISABLED);
		}
	}
}

Test(protection, refuses_what_is_strict_and_missing_with_both_abis_and_a_cure)
{
	enum protection_state state = PROTECTION_ACTIVE;
	struct error error = { 0 };

	int r = protection_require(PROTECTION_FS_IOCTL_DEV, PROTECTION_STRICT, 4, &state, &error);

	cr_assert_eq(r, -EOPNOTSUPP);
	cr_assert_str_eq(error.text,
		"required protection FsIoctlDev is not available: host Landlock ABI is v4, "
		"requires v5 (--allow-degraded fs-ioctl-dev runs without it)");
}

Test(protection, lets_the_same_run_pass_when_it_may_degrade)
{
	enum protection_state state = PROTECTION_ACTIVE;

	int r = protection_require(PROTECTION_FS_IOCTL_DEV, PROTECTION_DEGRADABLE, 4, &state, NULL);

	cr_assert_eq(r, 0);
	cr_assert_eq(state, PROTECTION_IS_DEGRADED);
	cr_assert_str_eq(protection_state_name(state), "degraded");
}

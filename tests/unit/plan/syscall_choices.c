/* Names of --extra-allow-syscall and --extra-deny-syscall, and the messages about them. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/plan/syscall_rules.h"

/* Comma-separated names, as a short way to write a list. */
static struct string_list list_of(const char *names)
{
	struct string_list list = { 0 };
	char copy[256], *save;

	(void)snprintf(copy, sizeof(copy), "%s", names);
	for (char *name = strtok_r(copy, ",", &save); name != NULL;
		name = strtok_r(NULL, ",", &save)) {
		string_list_add(&list, name);
	}
	return list;
}

static int add(
	struct syscall_choices *choices, const char *allow, const char *deny, struct error *error)
{
	cleanup_string_list struct string_list allowed = list_of(allow), denied = list_of(deny);

	return syscall_choices_add(choices, &allowed, &denied, error);
}

Test(syscall_choices, allow_groups_and_deny_calls)
{
	struct syscall_choices choices = { .supervised = true };
	struct error error = { 0 };

	cr_assert_eq(add(&choices, "sysv_ipc,perf", "openat2,chroot", &error), 0);

	cr_assert_eq(
		choices.allowed_groups, 1u << SYSCALL_GROUP_SYSV_IPC | 1u << SYSCALL_GROUP_PERF);
	cr_assert(choices.denied[SYSCALL_openat2]);
	cr_assert(choices.denied[SYSCALL_chroot]);
	cr_assert_not(choices.denied[SYSCALL_openat]);
	cr_assert_eq(syscall_rules_get(&choices, SYSCALL_openat2).verdict, VERDICT_EPERM);
	cr_assert_eq(syscall_rules_get(&choices, SYSCALL_openat2).police, SYSCALL_POLICE_USER);
	cr_assert_eq(syscall_rules_get(&choices, SYSCALL_shmget).verdict, VERDICT_ALLOW);
}

Test(syscall_choices, deny_all_members_of_a_group)
{
	struct syscall_choices choices = { .supervised = false };
	struct error error = { 0 };

	cr_assert_eq(add(&choices, "", "userns", &error), 0);

	cr_assert(choices.denied[SYSCALL_unshare]);
	cr_assert(choices.denied[SYSCALL_setns]);
}

Test(syscall_choices, deny_unix_sockets_that_landlock_could_police)
{
	struct syscall_choices choices = { .supervised = true, .unix_sockets = true };
	struct seccomp_data call = {
		.arch = arch_audit_token(ARCH_X86_64),
		.nr = syscall_number(ARCH_X86_64, SYSCALL_socket),
		.args = { 1, 1, 0 },
	};
	struct error error = { 0 };

	cr_assert_eq(syscall_rules_verdict(ARCH_X86_64, &choices, &call), VERDICT_ALLOW);
	cr_assert_eq(add(&choices, "", "unix_sockets", &error), 0);

	cr_assert_eq(syscall_rules_verdict(ARCH_X86_64, &choices, &call), VERDICT_EPERM);
}

struct message_case {
	const char *allow;
	const char *deny;
	const char *text;
};

Test(syscall_choices, explain_each_mistake_in_one_line)
{
	static const struct message_case cases[] = {
		{ "openat,nothing", "",
			"unknown syscall group name(s): openat, nothing (known groups: sysv_ipc, "
			"ptrace, perf, io_uring, userns, unix_sockets, scheduling); individual "
			"syscalls cannot be re-allowed" },
		{ "", "read,frobnicate,zap", "unknown syscall or group name(s): frobnicate, zap" },
		{ "", "", NULL },
		{ "perf", "perf", "syscall group `perf` is both allowed and denied" },
		{ "sysv_ipc", "shmget",
			"syscall `shmget` is denied but belongs to allowed group `sysv_ipc`" },
		{ "ptrace", "perf",
			"syscall `perf_event_open` is denied but belongs to allowed group `ptrace`" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct syscall_choices choices = { .supervised = true }, before = choices;
		struct error error = { 0 };
		int r = add(&choices, cases[i].allow, cases[i].deny, &error);

		if (cases[i].text == NULL) {
			cr_assert_eq(r, 0);
			continue;
		}
		cr_assert_eq(r, -EINVAL, "case %zu", i);
		cr_assert_str_eq(error.text, cases[i].text);
		cr_assert_eq(memcmp(&choices, &before, sizeof(choices)), 0, "case %zu", i);
	}
}

Test(syscall_choices, do_not_know_calls_that_only_other_architectures_have)
{
	struct syscall_choices choices = { .supervised = true };
	struct error error = { 0 };
	const char *name = ARCH_NATIVE == ARCH_RISCV64 ? "open" : "riscv_flush_icache";

	cr_assert_eq(add(&choices, "", name, &error), -EINVAL);
	cr_assert_not_null(strstr(error.text, name));
}

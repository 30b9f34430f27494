/* Rules across options, on policies that no parser has seen. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/policy/policy_check.h"

static void given_a_command(struct sandbox_policy *policy)
{
	policy_init(policy);
	string_list_add(&policy->program.argv, "true");
}

static void expect_refusal(struct sandbox_policy *policy, const char *text)
{
	struct error error = { 0 };

	cr_expect_lt(policy_check(policy, &error), 0, "%s", text);
	cr_expect_str_eq(error.text, text);
	policy_finish(policy);
}

Test(policy_check, passes_a_command_alone)
{
	struct sandbox_policy policy;
	struct error error = { 0 };

	given_a_command(&policy);

	cr_assert_eq(policy_check(&policy, &error), 0, "%s", error.text);
	policy_finish(&policy);
}

Test(policy_check, wants_one_command)
{
	struct sandbox_policy policy;

	policy_init(&policy);
	expect_refusal(&policy,
		"no command specified (sandlock run [OPTIONS] -- COMMAND, or --exec-shell TEXT)");

	given_a_command(&policy);
	policy.program.exec_shell = must_copy("true");
	expect_refusal(
		&policy, "--exec-shell: cannot be combined with a command after -- (\"true\")");

	policy_init(&policy);
	string_list_add(&policy.program.argv, "");
	expect_refusal(&policy, "empty command: the word after -- is empty");
}

Test(policy_check, holds_numbers_to_their_bounds)
{
	struct sandbox_policy policy;

	given_a_command(&policy);
	policy.limits.cpu_percent = 0;
	expect_refusal(&policy, "--cpu: max_cpu must be 1-100, got 0");

	given_a_command(&policy);
	policy.limits.cpu_percent = 101;
	expect_refusal(&policy, "--cpu: max_cpu must be 1-100, got 101");
}

Test(policy_check, lists_all_that_needs_a_supervisor)
{
	struct sandbox_policy policy;

	given_a_command(&policy);
	policy.run.no_supervisor = true;
	policy.limits.memory = 1;
	policy.limits.timeout_ns = 1;
	policy.program.cwd = must_copy("/");
	policy.program.no_coredump = true;
	policy.network.bind.any = true;
	string_list_add(&policy.syscalls.extra_allow, "ptrace");
	string_list_add(&policy.filesystem.read, "/usr"); /* works without */
	string_list_add(&policy.filesystem.presets, "build");

	expect_refusal(&policy,
		"--no-supervisor is incompatible with: --preset, --net-allow-bind, --max-memory, "
		"--timeout, --cwd, --no-coredump, --extra-allow-syscall");
}

Test(policy_check, wants_what_an_option_refers_to)
{
	struct sandbox_policy policy;

	given_a_command(&policy);
	policy.limits.kill_after_ns = 1;
	expect_refusal(&policy, "--kill-after: needs --timeout");

	given_a_command(&policy);
	policy.run.record_env = true;
	expect_refusal(&policy, "--record-env: needs --status-fd, where the record goes");
}

Test(policy_check, keeps_fs_refer_on)
{
	struct sandbox_policy policy;
	struct error error = { 0 };

	given_a_command(&policy);
	policy.protections[PROTECTION_FS_REFER] = PROTECTION_DISABLED;

	cr_assert_eq(policy_check(&policy, &error), -EINVAL);
	cr_assert_not_null(strstr(error.text, "FsRefer is not permitted"));
	policy_finish(&policy);

	given_a_command(&policy);
	policy.protections[PROTECTION_FS_REFER] = PROTECTION_DEGRADABLE;
	cr_assert_eq(policy_check(&policy, &error), 0);
	policy_finish(&policy);
}

Test(policy_check, looks_at_descriptors)
{
	struct sandbox_policy policy;
	struct error error = { 0 };
	int readable = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int writable = open("/dev/null", O_WRONLY | O_CLOEXEC);
	cleanup_free char *not_writable =
		must_format("--status-fd: %d: not open for writing", readable);
	cleanup_free char *twice = must_format("--keep-fd: %d: given twice", readable);
	cleanup_free char *own_report = must_format(
		"--keep-fd: %d: is --status-fd (the command could write its own report)", writable);

	given_a_command(&policy);
	policy.run.status_fd = 987;
	expect_refusal(&policy, "--status-fd: 987: not an open descriptor");

	given_a_command(&policy);
	policy.run.status_fd = readable;
	expect_refusal(&policy, not_writable);

	given_a_command(&policy);
	(void)number_list_add(&policy.program.keep_fds, 987); /* the first */
	expect_refusal(&policy, "--keep-fd: 987: not an open descriptor");

	given_a_command(&policy);
	policy.program.keep_fds.items = must_allocate(2 * sizeof(uint32_t));
	policy.program.keep_fds.count = 2;
	policy.program.keep_fds.items[0] = policy.program.keep_fds.items[1] = (uint32_t)readable;
	expect_refusal(&policy, twice);

	given_a_command(&policy);
	policy.run.status_fd = writable;
	(void)number_list_add(&policy.program.keep_fds, (uint32_t)writable); /* the first */
	expect_refusal(&policy, own_report);

	given_a_command(&policy);
	policy.run.status_fd = writable;
	(void)number_list_add(&policy.program.keep_fds, (uint32_t)readable); /* the first */
	cr_expect_eq(policy_check(&policy, &error), 0, "%s", error.text);
	policy_finish(&policy);
	close(readable);
	close(writable);
}

Test(policy_check_name, knows_every_rule_of_names)
{
	static const struct {
		const char *name, *part;
	} rows[] = {
		{ "", "sandbox name must not be empty" },
		{ "a b", "must not contain whitespace or control characters" },
		{ "a\tb", "must not contain whitespace or control characters" },
		{ "a\x7f", "must not contain whitespace or control characters" },
		{ "\x01", "must not contain whitespace or control characters" },
		{ "a/b", "must not contain '/'" },
		{ ".", "must not be '.' or '..'" },
		{ "..", "must not be '.' or '..'" },
		{ "0123456789012345678901234567890123456789012345678901234567890123x",
			"must be at most 64 bytes" },
		{ "0123456789012345678901234567890123456789012345678901234567890123", NULL },
		{ "...", NULL },
		{ "a", NULL },
		{ "täst-1_2.3", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct error error = { 0 };

		int r = policy_check_name(rows[i].name, &error);

		cr_expect_eq(r, rows[i].part != NULL ? -EINVAL : 0, "\"%s\"", rows[i].name);
		cr_expect(rows[i].part == NULL || strstr(error.text, rows[i].part) != NULL, "%s",
			error.text);
	}
}

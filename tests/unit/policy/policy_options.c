/* The table of options: its own rules, its look-ups, and what each row does to a policy. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/policy/option_value.h"
#include "core/policy/policy_options.h"

#define SECOND UINT64_C(1000000000)

/* Sets one option and fails the test if that is refused. */
static void set(struct sandbox_policy *policy, const char *flag, const char *value)
{
	const struct policy_option *option = option_find(flag, strlen(flag));
	struct error error = { 0 };

	cr_assert_not_null(option, "--%s", flag);
	cr_assert_eq(option_set(option, policy, value, &error), 0, "--%s: %s", flag, error.text);
}

Test(policy_options, are_grouped_by_section)
{
	for (size_t i = 1; i < policy_option_count; i++) {
		cr_expect_geq(policy_options[i].section, policy_options[i - 1].section, "--%s",
			policy_options[i].flag);
	}
	for (enum option_section section = 0; section < SECTION_COUNT; section++) {
		cr_expect_not_null(option_section_name(section));
		cr_expect_not_null(option_section_title(section));
	}
}

Test(policy_options, have_names_of_their_own)
{
	for (size_t i = 0; i < policy_option_count; i++) {
		const struct policy_option *a = &policy_options[i];

		for (const char *c = a->flag; *c != '\0'; c++) {
			cr_expect(islower(*c) || *c == '-', "--%s", a->flag);
		}
		for (size_t j = 0; j < i; j++) {
			const struct policy_option *b = &policy_options[j];

			cr_expect_str_neq(a->flag, b->flag);
			cr_expect(a->letter == 0 || a->letter != b->letter, "-%c", a->letter);
			cr_expect(a->key == NULL || b->key == NULL || a->section != b->section ||
					  strcmp(a->key, b->key) != 0,
				"%s", a->flag);
		}
	}
}

Test(policy_options, are_explained_in_sentences)
{
	for (size_t i = 0; i < policy_option_count; i++) {
		const struct policy_option *option = &policy_options[i];
		const char *texts[] = { option->text, option->details };

		if (option->type == OPTION_UNAVAILABLE) {
			continue;
		}
		cr_expect_not_null(option->text, "--%s", option->flag);
		for (size_t j = 0; j < ARRAY_LEN(texts); j++) {
			const char *text = texts[j];

			if (text != NULL) {
				cr_expect(isupper(text[0]), "--%s", option->flag);
				cr_expect_eq(text[strlen(text) - 1], '.', "--%s", option->flag);
				cr_expect_null(strstr(text, "  "), "--%s", option->flag);
				cr_expect_null(strchr(text, '\n'), "--%s", option->flag);
			}
		}
	}
}

Test(policy_options, can_say_what_is_out_of_bounds)
{
	for (size_t i = 0; i < policy_option_count; i++) {
		const struct policy_option *option = &policy_options[i];
		bool is_single = option->type == OPTION_NUMBER || option->type == OPTION_FD ||
				 option->type == OPTION_FDS || option->type == OPTION_SIZE;

		cr_expect(!is_single || option->bounds != NULL, "--%s", option->flag);
		cr_expect(option->minimum == 0 || option->bounds != NULL, "--%s", option->flag);
	}
}

Test(policy_options, of_every_type_can_be_set)
{
	for (int type = 0; type < OPTION_TYPE_COUNT; type++) {
		if (type != OPTION_ACTION) {
			cr_expect(option_type_rules((enum option_type)type)->read != NULL, "%d",
				type);
		}
	}
}

/* What users were promised: nobody can drop a row unseen. */
Test(policy_options, hold_every_name_that_was_promised)
{
	static const char available[] =
		"fs-read fs-write cwd env clean-env max-open-files cpu-cores no-coredump "
		"no-huge-pages no-randomize-memory user gpu extra-deny-syscall extra-allow-syscall "
		"net-allow-bind net-allow name exec-shell status-fd args ignore-missing stdout stderr "
		"max-output preset max-memory cpu timeout kill-after record-env supervisor-cpus "
		"num-cpus max-processes argv-guard workers-max keep-cap keep-fd allow-degraded disable no-supervisor explain interactive help version";
	static const char unavailable[] =
		"fs-deny fs-mount chroot image workdir fs-storage max-disk on-exit on-error dry-run "
		"net-deny net-deny-bind port-remap http-allow http-deny http-port http-ca http-key "
		"http-inject-ca http-ca-out credential http-auth random-seed "
		"time-start deterministic-dirs profile profile-file";
	const char *const lists[] = { available, unavailable };
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		for (const char *name = lists[i]; *name != '\0';) {
			size_t length = strcspn(name, " ");
			const struct policy_option *option = option_find(name, length);

			cr_assert_not_null(option, "%.*s", (int)length, name);
			cr_expect_eq(option->type == OPTION_UNAVAILABLE, i == 1, "%.*s",
				(int)length, name);
			count++;
			name += length + (name[length] == ' ');
		}
	}

	cr_assert_eq(count, policy_option_count);
}

Test(policy_options, have_the_letters_that_scripts_use)
{
	static const struct {
		char letter;
		const char *flag;
	} rows[] = {
		{ 'r', "fs-read" },
		{ 'w', "fs-write" },
		{ 'm', "max-memory" },
		{ 'c', "cpu" },
		{ 't', "timeout" },
		{ 'e', "exec-shell" },
		{ 'i', "interactive" },
		{ 'P', "max-processes" },
		{ 'p', "profile" },
		{ 'h', "help" },
	};
	size_t letters = 0;

	for (size_t i = 0; i < policy_option_count; i++) {
		letters += policy_options[i].letter != 0;
	}

	cr_assert_eq(letters, ARRAY_LEN(rows));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct policy_option *option = option_find_letter(rows[i].letter);

		cr_assert_not_null(option, "-%c", rows[i].letter);
		cr_expect_str_eq(option->flag, rows[i].flag);
	}
	cr_assert_null(option_find_letter('x'));
	cr_assert_null(option_find_letter('\0'));
}

/* Which options have their full effect without a supervisor: every other one is refused beside
 * --no-supervisor. */
Test(policy_options, that_need_no_supervisor_are_these)
{
	static const char names[] =
		" fs-read fs-write ignore-missing env clean-env name exec-shell keep-cap keep-fd "
		"extra-deny-syscall allow-degraded disable stdout stderr no-supervisor explain args "
		"interactive help version ";

	for (size_t i = 0; i < policy_option_count; i++) {
		cleanup_free char *name = must_format(" %s ", policy_options[i].flag);

		cr_expect_eq(policy_options[i].without_supervisor, strstr(names, name) != NULL,
			"--%s", policy_options[i].flag);
	}
}

Test(policy_options, suggest_the_nearest_name)
{
	static const struct {
		const char *word, *flag;
	} rows[] = {
		{ "max-memmory", "max-memory" },
		{ "max-mem", "max-memory" },
		{ "memory", "max-memory" },
		{ "timeuot", "timeout" },
		{ "fs-raed", "fs-read" },
		{ "read", "fs-read" },
		{ "keepcap", "keep-cap" },
		{ "extra_deny_syscall", "extra-deny-syscall" },
		{ "no-coredumps", "no-coredump" },
		{ "nme", "name" },
		{ "xyzzy", NULL },
		{ "zz", NULL },
		{ "", NULL },
		{ "a-very-long-word-that-nobody-would-ever-use-as-the-name-of-an-option", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct policy_option *option =
			option_find_nearest(rows[i].word, strlen(rows[i].word));

		cr_expect_str_eq(option != NULL ? option->flag : "(none)",
			rows[i].flag != NULL ? rows[i].flag : "(none)", "%s", rows[i].word);
	}
}

Test(policy, denies_everything_and_limits_nothing_by_default)
{
	struct sandbox_policy policy;
	struct string_list words = { 0 };

	policy_init(&policy);
	policy_list_flags(&policy, &words);

	cr_assert_eq(words.count, 0);
	cr_assert_eq(policy.limits.cpu_percent, 100);
	cr_assert_eq(policy.run.status_fd, -1);
	cr_assert(port_set_is_empty(&policy.network.bind));
	cr_assert(port_set_is_empty(&policy.network.connect));
	policy_finish(&policy);
}

Test(policy, is_the_default_again_after_its_end)
{
	struct sandbox_policy policy;

	policy_init(&policy);
	set(&policy, "preset", "build");
	set(&policy, "max-memory", "1G");
	set(&policy, "name", "x");
	policy_finish(&policy);
	policy_finish(&policy);

	cr_assert_eq(policy.limits.memory, 0);
	cr_assert_null(policy.program.name);
	cr_assert_eq(policy.filesystem.optional_read.count, 0);
}

Test(option_set, fills_the_field_of_each_scalar)
{
	struct sandbox_policy policy;

	policy_init(&policy);
	set(&policy, "ignore-missing", NULL);
	set(&policy, "max-memory", "4G");
	set(&policy, "cpu", "25");
	set(&policy, "max-open-files", "256");
	set(&policy, "timeout", "1.5");
	set(&policy, "kill-after", "2");
	set(&policy, "max-output", "10M");
	set(&policy, "exec-shell", "echo hi");
	set(&policy, "cwd", "sub/dir");
	set(&policy, "clean-env", NULL);
	set(&policy, "name", "box");
	set(&policy, "user", "1000:100");
	set(&policy, "no-coredump", NULL);
	set(&policy, "no-huge-pages", NULL);
	set(&policy, "no-randomize-memory", NULL);
	set(&policy, "status-fd", "9");
	set(&policy, "stdout", "out");
	set(&policy, "stderr", "err");
	set(&policy, "record-env", NULL);
	set(&policy, "no-supervisor", NULL);
	set(&policy, "interactive", NULL);

	cr_expect(policy.filesystem.ignore_missing);
	cr_expect_eq(policy.limits.memory, UINT64_C(4) << 30);
	cr_expect_eq(policy.limits.cpu_percent, 25);
	cr_expect_eq(policy.limits.open_files, 256);
	cr_expect_eq(policy.limits.timeout_ns, SECOND + SECOND / 2);
	cr_expect_eq(policy.limits.kill_after_ns, 2 * SECOND);
	cr_expect_eq(policy.limits.output, UINT64_C(10) << 20);
	cr_expect_str_eq(policy.program.exec_shell, "echo hi");
	cr_expect_str_eq(policy.program.cwd, "sub/dir");
	cr_expect(policy.program.clean_env);
	cr_expect_str_eq(policy.program.name, "box");
	cr_expect(policy.program.has_user);
	cr_expect_eq(policy.program.uid, 1000);
	cr_expect_eq(policy.program.gid, 100);
	cr_expect(policy.program.no_coredump);
	cr_expect(policy.program.no_huge_pages);
	cr_expect(policy.determinism.no_randomize_memory);
	cr_expect_eq(policy.run.status_fd, 9);
	cr_expect_str_eq(policy.run.stdout_path, "out");
	cr_expect_str_eq(policy.run.stderr_path, "err");
	cr_expect(policy.run.record_env);
	cr_expect(policy.run.no_supervisor);
	policy_finish(&policy);
}

Test(option_set, appends_to_each_list)
{
	struct sandbox_policy policy;

	policy_init(&policy);
	set(&policy, "fs-read", "/a");
	set(&policy, "fs-read", "/a");
	set(&policy, "fs-write", "b");
	set(&policy, "env", "A=1");
	set(&policy, "env", "A=");
	set(&policy, "cpu-cores", "3,0-1");
	set(&policy, "cpu-cores", "1,7");
	set(&policy, "supervisor-cpus", "1023");
	set(&policy, "keep-fd", "3");
	set(&policy, "keep-cap", "CAP_NET_RAW");
	set(&policy, "keep-cap", "chown");
	set(&policy, "extra-deny-syscall", "mount");
	set(&policy, "extra-allow-syscall", "ptrace");
	set(&policy, "net-allow", "tcp://:443");
	set(&policy, "net-allow-bind", "8080");
	set(&policy, "allow-degraded", "net-tcp");
	set(&policy, "disable", "signal-scope");

	cr_expect_eq(policy.filesystem.read.count, 2);
	cr_expect_str_eq(policy.filesystem.write.items[0], "b");
	cr_expect_str_eq(policy.program.env.items[1], "A=");
	cr_expect_eq(policy.limits.cpu_cores.count, 4);
	cr_expect_eq(policy.limits.cpu_cores.items[0], 3);
	cr_expect_eq(policy.limits.cpu_cores.items[3], 7);
	cr_expect_eq(policy.run.supervisor_cpus.items[0], 1023);
	cr_expect_eq(policy.program.keep_fds.items[0], 3);
	cr_expect_eq(policy.program.keep_caps, 1u << 13 | 1u << 0);
	cr_expect_str_eq(policy.syscalls.extra_deny.items[0], "mount");
	cr_expect_str_eq(policy.syscalls.extra_allow.items[0], "ptrace");
	cr_expect_eq(policy.network.connect.ranges[0].first, 443);
	cr_expect_eq(policy.network.bind.ranges[0].first, 8080);
	cr_expect_eq(policy.protections[PROTECTION_NET_TCP], PROTECTION_DEGRADABLE);
	cr_expect_eq(policy.protections[PROTECTION_SIGNAL_SCOPE], PROTECTION_DISABLED);
	policy_finish(&policy);
}

Test(option_set, lets_the_last_scalar_count)
{
	struct sandbox_policy policy;

	policy_init(&policy);
	set(&policy, "max-memory", "1G");
	set(&policy, "max-memory", "2G");
	set(&policy, "name", "first");
	set(&policy, "name", "second");
	set(&policy, "gpu", "0,1");
	set(&policy, "gpu", "all");
	set(&policy, "disable", "net-tcp");
	set(&policy, "allow-degraded", "net-tcp");

	cr_expect_eq(policy.limits.memory, UINT64_C(2) << 30);
	cr_expect_str_eq(policy.program.name, "second");
	cr_expect_eq(policy.limits.gpu, GPU_ALL);
	cr_expect_eq(policy.limits.gpu_devices.count, 0);
	cr_expect_eq(policy.protections[PROTECTION_NET_TCP], PROTECTION_DEGRADABLE);
	policy_finish(&policy);
}

Test(option_set, keeps_the_order_of_gpus)
{
	struct sandbox_policy policy;

	policy_init(&policy);
	set(&policy, "gpu", "all");
	set(&policy, "gpu", "2,0");

	cr_expect_eq(policy.limits.gpu, GPU_LISTED);
	cr_expect_eq(policy.limits.gpu_devices.items[0], 2);
	cr_expect_eq(policy.limits.gpu_devices.items[1], 0);
	policy_finish(&policy);
}

Test(option_set, changes_nothing_when_it_refuses)
{
	static const struct {
		const char *flag, *good, *bad;
	} rows[] = {
		{ "max-memory", "1G", "x" },
		{ "cpu", "50", "0" },
		{ "timeout", "5", "soon" },
		{ "cpu-cores", "1", "2,x" },
		{ "cpu-cores", "1", "5-1024" },
		{ "gpu", "0", "1,x" },
		{ "user", "1:2", "3:x" },
		{ "env", "A=1", "B" },
		{ "fs-read", "/a", "" },
		{ "cwd", "/a", "" },
		{ "net-allow", "tcp://:1", "tcp://:2,x" },
		{ "net-allow-bind", "1", "2,x" },
		{ "keep-cap", "CAP_CHOWN", "x" },
		{ "disable", "net-tcp", "x" },
		{ "keep-fd", "3", "2" },
		{ "status-fd", "3", "2147483648" },
		{ "preset", "build", "x" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct policy_option *option =
			option_find(rows[i].flag, strlen(rows[i].flag));
		struct sandbox_policy policy;
		struct error error = { 0 };
		struct text before = { 0 }, after = { 0 };
		int r;

		policy_init(&policy);
		set(&policy, rows[i].flag, rows[i].good);
		policy_print_flags(&policy, &before);
		r = option_set(option, &policy, rows[i].bad, &error);
		policy_print_flags(&policy, &after);

		cr_expect_lt(r, 0, "--%s", rows[i].flag);
		cr_expect_str_eq(before.bytes, after.bytes);
		text_finish(&before);
		text_finish(&after);
		policy_finish(&policy);
	}
}

Test(option_set, refuses_every_option_that_is_not_built)
{
	for (size_t i = 0; i < policy_option_count; i++) {
		struct sandbox_policy policy;
		struct error error = { 0 };
		cleanup_free char *expected =
			must_format("--%s: not available in this version", policy_options[i].flag);

		if (policy_options[i].type != OPTION_UNAVAILABLE) {
			continue;
		}
		policy_init(&policy);

		cr_expect_eq(option_set(&policy_options[i], &policy, NULL, &error), -EOPNOTSUPP);
		cr_expect_str_eq(error.text, expected);
		cr_expect_eq(option_set(&policy_options[i], &policy, "value", &error), -EOPNOTSUPP);
	}
}

Test(policy_print_flags, writes_values_in_their_shortest_form)
{
	static const struct {
		const char *flag, *value, *expected;
	} rows[] = {
		{ "max-memory", "2048M", "--max-memory 2G" },
		{ "max-memory", "1025", "--max-memory 1025" },
		{ "max-memory", "1T", "--max-memory 1T" },
		{ "max-output", "1536k", "--max-output 1536K" },
		{ "timeout", "1.500", "--timeout 1.5" },
		{ "timeout", "60", "--timeout 60" },
		{ "timeout", "0.000000001", "--timeout 0.000000001" },
		{ "cpu-cores", "0-2", "--cpu-cores 0,1,2" },
		{ "net-allow-bind", "81,80,90", "--net-allow-bind 80-81,90" },
		{ "net-allow-bind", "*", "--net-allow-bind '*'" },
		{ "net-allow", "tcp://:81,80", "--net-allow 'tcp://*:80,81'" },
		{ "net-allow", "tcp://*", "--net-allow 'tcp://*'" },
		{ "gpu", "all", "--gpu all" },
		{ "user", "0:5", "--user 0:5" },
		{ "keep-cap", "net_raw", "--keep-cap CAP_NET_RAW" },
		{ "disable", "SIGNAL-SCOPE", "--disable signal-scope" },
		{ "preset", "build", "--preset build" },
		{ "name", "", "--name ''" },
		{ "exec-shell", "it's $HOME", "--exec-shell 'it'\\''s $HOME'" },
		{ "fs-read", "/a b", "--fs-read '/a b'" },
		{ "fs-read", "~", "--fs-read '~'" },
		{ "cpu", "100", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sandbox_policy policy;
		struct text text = { 0 };

		policy_init(&policy);
		set(&policy, rows[i].flag, rows[i].value);
		policy_print_flags(&policy, &text);

		cr_expect_str_eq(text.bytes != NULL ? text.bytes : "", rows[i].expected);
		text_finish(&text);
		policy_finish(&policy);
	}
}

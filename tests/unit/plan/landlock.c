/* The Landlock plan without a kernel: rights, rules and messages for ABI 1 to 9. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/plan/landlock_plan.h"

/* Written out as numbers, so that a slip in the table under test cannot hide here too. */
static const struct {
	int abi;
	uint64_t fs;
	uint64_t net;
	uint64_t scopes;
	uint32_t restrict_flags;
} abi_table[] = {
	{ 1, 0x1fff, 0, 0, 0 },
	{ 2, 0x3fff, 0, 0, 0 },
	{ 3, 0x7fff, 0, 0, 0 },
	{ 4, 0x7fff, 3, 0, 0 },
	{ 5, 0xffff, 3, 0, 0 },
	{ 6, 0xffff, 3, 3, 0 },
	{ 7, 0xffff, 3, 3, 7 },
	{ 8, 0xffff, 3, 3, 15 },
	{ 9, 0x1ffff, 3, 3, 15 },
	{ 10, 0x1ffff, 3, 3, 15 },
	{ 1000, 0x1ffff, 3, 3, 15 },
	{ 0, 0, 0, 0, 0 },
	{ -95, 0, 0, 0, 0 },
};

static char directory[] = "/tmp/sandlock-landlock-XXXXXX";
static char file_path[64], fifo_path[64], missing_path[64], link_path[64];

static void make_tree(void)
{
	cr_assert_not_null(mkdtemp(directory));
	(void)snprintf(file_path, sizeof(file_path), "%s/file", directory);
	(void)snprintf(fifo_path, sizeof(fifo_path), "%s/fifo", directory);
	(void)snprintf(link_path, sizeof(link_path), "%s/link", directory);
	(void)snprintf(missing_path, sizeof(missing_path), "%s/missing", directory);
	int fd = open(file_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	cr_assert_geq(fd, 0);
	close(fd);
	cr_assert_eq(mkfifo(fifo_path, 0600), 0);
	cr_assert_eq(symlink(directory, link_path), 0);
}

static void remove_tree(void)
{
	unlink(file_path);
	unlink(fifo_path);
	unlink(link_path);
	rmdir(directory);
}

static void degrade_all(struct sandbox_policy *policy)
{
	for (size_t i = 0; i < PROTECTION_COUNT; i++) {
		policy->protections[i] = PROTECTION_DEGRADABLE;
	}
}

static void finish_lists(struct sandbox_policy *policy)
{
	string_list_finish(&policy->filesystem.read);
	string_list_finish(&policy->filesystem.write);
	string_list_finish(&policy->filesystem.devices);
}

static size_t count_open_descriptors(void)
{
	size_t count = 0;

	for (int fd = 0; fd < 1024; fd++) {
		count += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
	}
	return count;
}

TestSuite(landlock_plan, .init = make_tree, .fini = remove_tree);

Test(landlock_plan, knows_the_rights_of_each_abi)
{
	for (size_t i = 0; i < ARRAY_LEN(abi_table); i++) {
		int abi = abi_table[i].abi;

		cr_expect_eq(landlock_fs_rights(abi), abi_table[i].fs, "ABI %d", abi);
		cr_expect_eq(landlock_net_rights(abi), abi_table[i].net, "ABI %d", abi);
		cr_expect_eq(landlock_scopes(abi), abi_table[i].scopes, "ABI %d", abi);
		cr_expect_eq(
			landlock_restrict_flags(abi), abi_table[i].restrict_flags, "ABI %d", abi);
	}
}

Test(landlock_plan, has_a_name_for_every_right_of_the_last_abi)
{
	for (unsigned int bit = 0; bit < 64; bit++) {
		uint64_t right = 1ull << bit;

		cr_expect_eq(landlock_fs_right_name(bit) != NULL,
			(landlock_fs_rights(LANDLOCK_LAST_ABI) & right) != 0);
		cr_expect_eq(landlock_net_right_name(bit) != NULL,
			(landlock_net_rights(LANDLOCK_LAST_ABI) & right) != 0);
		cr_expect_eq(landlock_scope_name(bit) != NULL,
			(landlock_scopes(LANDLOCK_LAST_ABI) & right) != 0);
	}
}

Test(landlock_plan, handles_all_that_the_abi_has_when_protections_may_degrade)
{
	for (int abi = 1; abi <= 9; abi++) {
		struct sandbox_policy policy = { 0 };
		cleanup_landlock_plan struct landlock_plan plan = { 0 };
		struct error error = { 0 };

		degrade_all(&policy);

		cr_assert_eq(
			landlock_plan_compile(&policy, abi, &plan, &error), 0, "%s", error.text);

		cr_expect_eq(plan.abi, abi);
		cr_expect_eq(plan.attr.handled_access_fs, abi_table[abi - 1].fs, "ABI %d", abi);
		cr_expect_eq(plan.attr.handled_access_net, abi_table[abi - 1].net, "ABI %d", abi);
		cr_expect_eq(plan.attr.scoped, abi_table[abi - 1].scopes, "ABI %d", abi);
		cr_expect_eq(plan.polices_tcp_bind, abi >= 4);
		cr_expect_eq(plan.polices_tcp_connect, abi >= 4);
		cr_expect_eq(plan.polices_unix_paths, abi >= 9);
		for (size_t i = 0; i < PROTECTION_COUNT; i++) {
			cr_expect_eq(plan.protections[i],
				abi >= protection_minimum_abi((enum protection)i)
					? PROTECTION_ACTIVE
					: PROTECTION_IS_DEGRADED);
		}
	}
}

Test(landlock_plan, refuses_a_strict_policy_below_abi_6_naming_the_first_gap)
{
	static const char *const first_gap[] = { NULL, "FsRefer", "FsTruncate", "NetTcp",
		"FsIoctlDev", "SignalScope", NULL };

	for (int abi = 1; abi <= 6; abi++) {
		struct sandbox_policy policy = { 0 };
		cleanup_landlock_plan struct landlock_plan plan = { 0 };
		struct error error = { 0 };
		char wanted[128];

		int r = landlock_plan_compile(&policy, abi, &plan, &error);

		if (first_gap[abi] == NULL) {
			cr_expect_eq(r, 0, "ABI %d: %s", abi, error.text);
			continue;
		}
		cr_expect_eq(r, -EOPNOTSUPP, "ABI %d", abi);
		(void)snprintf(wanted, sizeof(wanted),
			"required protection %s is not available: host Landlock ABI is v%d, requires",
			first_gap[abi], abi);
		cr_expect_eq(strncmp(error.text, wanted, strlen(wanted)), 0, "%s", error.text);
		cr_expect_null(plan.paths);
	}
}

Test(landlock_plan, leaves_out_exactly_the_rights_of_a_disabled_protection)
{
	static const struct {
		enum protection protection;
		struct landlock_attr missing;
	} rows[] = {
		{ PROTECTION_FS_TRUNCATE, { 0x4000, 0, 0 } },
		{ PROTECTION_NET_TCP, { 0, 3, 0 } },
		{ PROTECTION_FS_IOCTL_DEV, { 0x8000, 0, 0 } },
		{ PROTECTION_SIGNAL_SCOPE, { 0, 0, 2 } },
		{ PROTECTION_ABSTRACT_UNIX_SOCKET_SCOPE, { 0, 0, 1 } },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sandbox_policy policy = { 0 };
		cleanup_landlock_plan struct landlock_plan plan = { 0 };

		policy.protections[rows[i].protection] = PROTECTION_DISABLED;

		cr_assert_eq(landlock_plan_compile(&policy, 7, &plan, NULL), 0);

		cr_expect_eq(
			plan.attr.handled_access_fs, 0xffff & ~rows[i].missing.handled_access_fs);
		cr_expect_eq(plan.attr.handled_access_net, 3 & ~rows[i].missing.handled_access_net);
		cr_expect_eq(plan.attr.scoped, 3 & ~rows[i].missing.scoped);
		cr_expect_eq(plan.protections[rows[i].protection], PROTECTION_IS_DISABLED);
	}
}

Test(landlock_plan, grants_what_the_class_the_file_type_and_the_abi_allow)
{
	/* Rights of a read, a write and a device grant, on a directory and on a file. */
	static const struct {
		int abi;
		uint64_t read[2], write[2], device[2];
	} rows[] = {
		{ 1, { 0xd, 0x5 }, { 0x1fff, 0x7 }, { 0xe, 0x6 } },
		{ 2, { 0xd, 0x5 }, { 0x3fff, 0x7 }, { 0xe, 0x6 } },
		{ 3, { 0xd, 0x5 }, { 0x7fff, 0x4007 }, { 0xe, 0x6 } },
		{ 5, { 0xd, 0x5 }, { 0xffff, 0xc007 }, { 0x800e, 0x8006 } },
		{ 7, { 0xd, 0x5 }, { 0xffff, 0xc007 }, { 0x800e, 0x8006 } },
		{ 9, { 0xd, 0x5 }, { 0x1ffff, 0x1c007 }, { 0x800e, 0x8006 } },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const uint64_t *wanted[] = { rows[i].read, rows[i].write, rows[i].device };

		for (enum landlock_class class = LANDLOCK_CLASS_READ;
			class <= LANDLOCK_CLASS_DEVICE; class ++) {
			struct sandbox_policy policy = { 0 };
			cleanup_landlock_plan struct landlock_plan plan = { 0 };

			degrade_all(&policy);
			cr_assert_eq(landlock_plan_compile(&policy, rows[i].abi, &plan, NULL), 0);
			cr_assert_eq(landlock_plan_add_path(&plan, directory, class, NULL), 0);
			cr_assert_eq(landlock_plan_add_path(&plan, file_path, class, NULL), 0);

			cr_assert_eq(plan.path_count, 2);
			cr_expect_eq(plan.paths[0].access, wanted[class][0], "ABI %d class %d",
				rows[i].abi, class);
			cr_expect_eq(plan.paths[1].access, wanted[class][1], "ABI %d class %d",
				rows[i].abi, class);
		}
	}
}

Test(landlock_plan, drops_the_bit_of_a_disabled_protection_from_grants_too)
{
	struct sandbox_policy policy = { 0 };
	cleanup_landlock_plan struct landlock_plan plan = { 0 };

	policy.protections[PROTECTION_FS_IOCTL_DEV] = PROTECTION_DISABLED;
	string_list_add(&policy.filesystem.write, directory);
	cr_assert_eq(landlock_plan_compile(&policy, 7, &plan, NULL), 0);

	cr_assert_eq(plan.paths[0].access, 0x7fff);
	finish_lists(&policy);
}

Test(landlock_plan, opens_paths_without_reading_or_waiting)
{
	struct sandbox_policy policy = { 0 };
	cleanup_landlock_plan struct landlock_plan plan = { 0 };

	cr_assert_eq(chmod(file_path, 0), 0);
	string_list_add(&policy.filesystem.read, fifo_path);
	string_list_add(&policy.filesystem.read, file_path);
	cr_assert_eq(landlock_plan_compile(&policy, 7, &plan, NULL), 0);

	for (size_t i = 0; i < 2; i++) {
		cr_assert_eq(fcntl(plan.paths[i].fd, F_GETFL) & O_PATH, O_PATH);
		cr_assert_eq(fcntl(plan.paths[i].fd, F_GETFD), FD_CLOEXEC);
	}
	finish_lists(&policy);
}

Test(landlock_plan, follows_a_link_to_what_it_names)
{
	struct sandbox_policy policy = { 0 };
	cleanup_landlock_plan struct landlock_plan plan = { 0 };

	string_list_add(&policy.filesystem.read, link_path);
	cr_assert_eq(landlock_plan_compile(&policy, 7, &plan, NULL), 0);

	cr_assert_eq(plan.paths[0].access, 0xd);
	finish_lists(&policy);
}

Test(landlock_plan, merges_grants_of_one_path)
{
	struct sandbox_policy policy = { 0 };
	cleanup_landlock_plan struct landlock_plan plan = { 0 };
	size_t before = count_open_descriptors();

	string_list_add(&policy.filesystem.read, directory);
	string_list_add(&policy.filesystem.read, file_path);
	string_list_add(&policy.filesystem.write, directory);
	string_list_add(&policy.filesystem.devices, file_path);
	cr_assert_eq(landlock_plan_compile(&policy, 7, &plan, NULL), 0);

	cr_assert_eq(plan.path_count, 2);
	cr_expect_eq(plan.paths[0].access, 0xffff);
	cr_expect_str_eq(plan.paths[0].source, "-r");
	cr_expect_eq(plan.paths[1].access, 0x8007);
	cr_expect_eq(count_open_descriptors(), before + 2);
	finish_lists(&policy);
}

Test(landlock_plan, refuses_a_missing_path_and_keeps_nothing_open)
{
	struct sandbox_policy policy = { 0 };
	struct landlock_plan plan = { 0 };
	struct error error = { 0 };
	size_t before = count_open_descriptors();
	char wanted[256];

	string_list_add(&policy.filesystem.read, directory);
	string_list_add(&policy.filesystem.read, missing_path);

	cr_assert_eq(landlock_plan_compile(&policy, 7, &plan, &error), -ENOENT);

	(void)snprintf(wanted, sizeof(wanted),
		"-r %s: cannot open: No such file or directory (use --ignore-missing to skip it)",
		missing_path);
	cr_assert_str_eq(error.text, wanted);
	cr_assert_null(plan.paths);
	cr_assert_eq(count_open_descriptors(), before);
	finish_lists(&policy);
}

Test(landlock_plan, skips_and_records_a_missing_path_when_told_so)
{
	struct sandbox_policy policy = { .filesystem.ignore_missing = true };
	cleanup_landlock_plan struct landlock_plan plan = { 0 };
	char below_a_file[80];

	(void)snprintf(below_a_file, sizeof(below_a_file), "%s/x", file_path);
	string_list_add(&policy.filesystem.read, missing_path);
	string_list_add(&policy.filesystem.write, below_a_file);
	string_list_add(&policy.filesystem.read, directory);
	cr_assert_eq(landlock_plan_compile(&policy, 7, &plan, NULL), 0);

	cr_assert_eq(plan.path_count, 1);
	cr_assert_eq(plan.skipped.count, 2);
	cr_assert_str_eq(plan.skipped.items[0], missing_path);
	cr_assert_str_eq(plan.skipped.items[1], below_a_file);
	finish_lists(&policy);
}

Test(landlock_plan, skips_a_missing_device_without_being_told)
{
	struct sandbox_policy policy = { 0 };
	cleanup_landlock_plan struct landlock_plan plan = { 0 };

	string_list_add(&policy.filesystem.devices, missing_path);
	string_list_add(&policy.filesystem.devices, "/dev/null");
	cr_assert_eq(landlock_plan_compile(&policy, 7, &plan, NULL), 0);

	cr_assert_eq(plan.path_count, 1);
	cr_assert_eq(plan.skipped.count, 0);
	cr_assert_eq(plan.paths[0].access, 0x8006);
	finish_lists(&policy);
}

Test(landlock_plan, says_that_descriptors_ran_out)
{
	struct sandbox_policy policy = { 0 };
	struct landlock_plan plan = { 0 };
	struct error error = { 0 };
	struct rlimit few = { 64, 64 };
	cleanup_text struct text path = { 0 };
	size_t before = count_open_descriptors();

	for (int i = 0; i < 100; i++) {
		text_add(&path, "/");
		string_list_add(&policy.filesystem.read, path.bytes);
	}
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);

	int r = landlock_plan_compile(&policy, 7, &plan, &error);

	cr_assert_eq(r, -EMFILE);
	cr_assert_not_null(strstr(error.text, "raise `ulimit -n`"));
	cr_assert_eq(count_open_descriptors(), before);
	finish_lists(&policy);
}

Test(landlock_plan, explains_why_there_is_no_landlock)
{
	static const struct {
		int reason;
		const char *cure;
	} rows[] = {
		{ -ENOSYS, "CONFIG_SECURITY_LANDLOCK" },
		{ -EOPNOTSUPP, "lsm=" },
		{ -EPERM, "container's profile" },
		{ -EIO, "Input/output error" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sandbox_policy policy = { 0 };
		struct landlock_plan plan = { 0 };
		struct error error = { 0 };

		cr_expect_eq(landlock_plan_compile(&policy, rows[i].reason, &plan, &error),
			rows[i].reason);
		cr_expect_eq(strncmp(error.text, "landlock unavailable: ", 22), 0);
		cr_expect_not_null(strstr(error.text, rows[i].cure), "%s", error.text);
	}
}

Test(landlock_plan, makes_ascending_unique_port_rules_of_both_sides)
{
	struct port_range bind[] = { { 8000, 8002 }, { 80, 80 }, { 8001, 8001 } };
	struct port_range connect[] = { { 443, 443 }, { 8002, 8003 }, { 0, 0 } };
	static const struct landlock_port_rule wanted[] = { { 0, 2 }, { 80, 1 }, { 443, 2 },
		{ 8000, 1 }, { 8001, 1 }, { 8002, 3 }, { 8003, 2 } };
	struct sandbox_policy policy = { .network = { .bind = { .ranges = bind, .count = 3 },
						 .connect = { .ranges = connect, .count = 3 } } };
	cleanup_landlock_plan struct landlock_plan plan = { 0 };

	cr_assert_eq(landlock_plan_compile(&policy, 7, &plan, NULL), 0);

	cr_assert_eq(plan.port_count, ARRAY_LEN(wanted));
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		cr_expect_eq(plan.ports[i].port, wanted[i].port);
		cr_expect_eq(plan.ports[i].access, wanted[i].access, "port %d", wanted[i].port);
	}
}

Test(landlock_plan, makes_one_rule_for_every_port_of_the_full_range)
{
	struct port_range all = { 0, 65535 };
	struct sandbox_policy policy = { .network.connect = { .ranges = &all, .count = 1 } };
	cleanup_landlock_plan struct landlock_plan plan = { 0 };

	cr_assert_eq(landlock_plan_compile(&policy, 7, &plan, NULL), 0);

	cr_assert_eq(plan.port_count, 65536);
	cr_assert_eq(plan.ports[65535].port, 65535);
}

Test(landlock_plan, does_not_handle_a_side_that_is_open_to_any_port)
{
	struct port_range connect = { 443, 443 };
	struct sandbox_policy policy = { .network = { .bind.any = true,
						 .connect = { .ranges = &connect, .count = 1 } } };
	cleanup_landlock_plan struct landlock_plan plan = { 0 };

	cr_assert_eq(landlock_plan_compile(&policy, 7, &plan, NULL), 0);

	cr_assert_eq(plan.attr.handled_access_net, 2);
	cr_assert_not(plan.polices_tcp_bind);
	cr_assert(plan.polices_tcp_connect);
	cr_assert_eq(plan.port_count, 1);
}

Test(landlock_plan, makes_no_port_rule_when_the_kernel_cannot_hold_it)
{
	struct port_range port = { 443, 443 };
	struct sandbox_policy policy = { .network.connect = { .ranges = &port, .count = 1 } };
	cleanup_landlock_plan struct landlock_plan plan = { 0 };

	degrade_all(&policy);
	cr_assert_eq(landlock_plan_compile(&policy, 3, &plan, NULL), 0);

	cr_assert_eq(plan.port_count, 0);
	cr_assert_eq(plan.attr.handled_access_net, 0);
	cr_assert_not(plan.polices_tcp_connect);
}

/* Attacks on files outside the grants, on read-only ones, and by ioctl on devices. */
// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/live/acts.h"

TestSuite(attack_files, .timeout = 60);

#define CANARY_TEXT "canary\n"

/* The tree that the guest expects, owned by the user who will act on it. */
static struct scratch tree_create(uid_t owner)
{
	static const char *const directories[] = { "out", "in", "read", "out/directory" };
	static const char *const files[] = { "out/file", "out/file2", "out/file3", "out/metadata",
		"out/program", "in/file", "in/file3", "read/file" };
	struct scratch scratch = scratch_create();

	for (size_t i = 0; i < ARRAY_LEN(directories); i++) {
		const char *path = scratch_file(&scratch, directories[i]);

		cr_assert_eq(mkdir(path, 0755), 0);
		cr_assert_eq(chown(path, owner, owner), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const char *path = scratch_file(&scratch, files[i]);

		file_write(path, CANARY_TEXT);
		cr_assert_eq(chmod(path, 0755), 0);
		cr_assert_eq(chown(path, owner, owner), 0);
	}
	cr_assert_eq(symlink("file", scratch_file(&scratch, "out/alias")), 0);
	return scratch;
}

static struct run_result act(const struct scratch *scratch, const char *subcommand,
	const char *const *options, uid_t uid)
{
	return run_once(&(struct run_spec){
		.options = options,
		.outside = options == NULL,
		.command = WORDS(guest("attack_files"), subcommand, scratch->path, "/dev/urandom"),
		.uid = uid,
	});
}

static void expect_canary_whole(const struct scratch *scratch, const char *name)
{
	cleanup_free char *text = file_read(scratch_file(scratch, name));

	cr_assert(text != NULL, "%s is gone", name);
	cr_assert_str_eq(text, CANARY_TEXT, "%s was changed", name);
}

/* Outside, acts that undo earlier ones (a name that is gone) still find what they need. */
static const struct act content[] = {
	{ "open_read", EACCES, ACT_DONE },
	{ "open_write", EACCES, ACT_DONE },
	{ "open_append", EACCES, ACT_DONE },
	{ "open_truncate", EACCES, ACT_DONE },
	{ "open_directory", EACCES, ACT_DONE },
	{ "open_create", EACCES, ACT_DONE },
	{ "open_tmpfile", EACCES, ACT_DONE },
	{ "creat", EACCES, ACT_DONE },
	{ "openat2", EACCES, ACT_DONE },
	{ "open_beneath", EACCES, ACT_DONE },
	{ "open_after_chdir", EACCES, ACT_DONE },
	{ "open_dot_dot", EACCES, ACT_DONE },
	{ "open_by_link", EACCES, ACT_DONE },
	{ "exec", EACCES, ENOEXEC },
	{ "truncate", EACCES, ACT_DONE },
	{ "unlink", EACCES, ACT_DONE },
	{ "rmdir", EACCES, ACT_DONE },
	{ "mkdir", EACCES, ACT_DONE },
	{ "mkfifo", EACCES, ACT_DONE },
	{ "symlink", EACCES, ACT_DONE },
	{ "rename_out", EACCES, ACT_DONE },
	{ "rename_in", EACCES, ACT_DONE },
	{ "exchange", EACCES, ACT_DONE },
	/* The target directory may have new names: what is refused is bringing a file with it. */
	{ "link_out", EXDEV, ACT_DONE },
	{ "link_in", EACCES, ACT_DONE },
};

static void attack_content(uid_t uid)
{
	cleanup_scratch struct scratch control = tree_create(uid);
	cleanup_scratch struct scratch scratch = tree_create(uid);
	const char *const *options =
		WORDS("-w", scratch_file(&scratch, "in"), "-r", scratch_file(&scratch, "read"));

	cleanup_result struct run_result outside = act(&control, "content", NULL, uid);
	cleanup_result struct run_result inside = act(&scratch, "content", options, uid);

	acts_check_outside(&outside, content, ARRAY_LEN(content));
	acts_check_inside(&inside, content, ARRAY_LEN(content));
	expect_canary_whole(&scratch, "out/file");
	expect_canary_whole(&scratch, "out/file2");
	expect_canary_whole(&scratch, "out/file3");
	cr_assert_neq(access(scratch_file(&scratch, "out/made"), F_OK), 0);
	cr_assert_neq(access(scratch_file(&scratch, "in/linked"), F_OK), 0);
}

Test(attack_files, changes_no_content_or_name_outside_the_grants_as_root)
{
	attack_content(0);
}

Test(attack_files, changes_no_content_or_name_outside_the_grants_as_an_ordinary_user)
{
	attack_content(NOBODY);
}

Test(attack_files, reopens_a_descriptor_with_no_more_rights_than_its_path_has)
{
	static const struct act table[] = {
		{ "reopen_read", EACCES, ACT_DONE },
		{ "reopen_write", EACCES, ACT_DONE },
		{ "reopen_granted", ACT_DONE, ACT_DONE },
	};
	cleanup_scratch struct scratch scratch = tree_create(0);
	const char *const *options = WORDS("-w", scratch_file(&scratch, "in"), "-r",
		scratch_file(&scratch, "read"), "-r", "/proc");

	cleanup_result struct run_result outside = act(&scratch, "reopen", NULL, 0);
	cleanup_result struct run_result inside = act(&scratch, "reopen", options, 0);

	acts_check_outside(&outside, table, ARRAY_LEN(table));
	acts_check_inside(&inside, table, ARRAY_LEN(table));
}

Test(attack_files, truncates_only_what_is_writable)
{
	static const struct act table[] = {
		{ "truncate_none", EACCES, ACT_DONE },
		{ "truncate_read", EACCES, ACT_DONE },
		{ "open_truncate_read", EACCES, ACT_DONE },
		{ "creat_read", EACCES, ACT_DONE },
		{ "open_read", ACT_DONE, ACT_DONE },
		{ "truncate_write", ACT_DONE, ACT_DONE },
		{ "ftruncate_write", ACT_DONE, ACT_DONE },
	};
	cleanup_scratch struct scratch control = tree_create(0);
	cleanup_scratch struct scratch scratch = tree_create(0);
	const char *const *options =
		WORDS("-w", scratch_file(&scratch, "in"), "-r", scratch_file(&scratch, "read"));

	cleanup_result struct run_result outside = act(&control, "truncate", NULL, 0);
	cleanup_result struct run_result inside = act(&scratch, "truncate", options, 0);

	acts_check_outside(&outside, table, ARRAY_LEN(table));
	acts_check_inside(&inside, table, ARRAY_LEN(table));
	expect_canary_whole(&scratch, "out/file");
	expect_canary_whole(&scratch, "read/file");
}

Test(attack_files, sends_device_commands_only_to_writable_devices)
{
	/* For the second column the device is granted by -w. */
	static const struct act table[] = {
		{ "device_open", ACT_DONE, ACT_DONE },
		{ "device_ioctl", EACCES, ACT_DONE },
		{ "device_ioctl_exempt", ACT_DONE, ACT_DONE },
		{ "get_flags", ACT_DONE, ACT_DONE },
	};
	cleanup_scratch struct scratch scratch = tree_create(0);
	const char *in = scratch_file(&scratch, "in");

	cleanup_result struct run_result outside = act(&scratch, "devices", NULL, 0);
	cleanup_result struct run_result granted =
		act(&scratch, "devices", WORDS("-w", in, "-w", "/dev/urandom"), 0);
	cleanup_result struct run_result inside =
		act(&scratch, "devices", WORDS("-w", in, "-r", "/dev/urandom"), 0);

	acts_check_outside(&outside, table, ARRAY_LEN(table));
	acts_check_outside(&granted, table, ARRAY_LEN(table));
	acts_check_inside(&inside, table, ARRAY_LEN(table));
}

Test(attack_files, sets_no_attribute_that_needs_a_capability)
{
	/* The last needs a filesystem that can share blocks; inside there is no source to share. */
	static const struct act table[] = {
		{ "set_immutable", EPERM, ACT_DONE },
		{ "clone_from", EBADF, ACT_ANY },
	};
	cleanup_scratch struct scratch scratch = tree_create(0);

	cleanup_result struct run_result outside = act(&scratch, "devices", NULL, 0);
	cleanup_result struct run_result inside =
		act(&scratch, "devices", WORDS("-w", scratch_file(&scratch, "in")), 0);

	acts_check_outside(&outside, table, ARRAY_LEN(table));
	acts_check_inside(&inside, table, ARRAY_LEN(table));
}

/* Landlock has no right for metadata: what stays open to the owner of a file is listed here as it
 * is in sandlock.7, so that neither changes unnoticed. */
Test(attack_files, leaves_open_exactly_the_metadata_calls_that_are_documented)
{
	static const struct act table[] = {
		{ "stat", ACT_DONE, ACT_DONE },
		{ "access", ACT_DONE, ACT_DONE },
		{ "statfs", ACT_DONE, ACT_DONE },
		{ "path_descriptor", ACT_DONE, ACT_DONE },
		{ "readlink", ACT_DONE, ACT_DONE },
		{ "chdir", ACT_DONE, ACT_DONE },
		{ "inotify", ACT_DONE, ACT_DONE },
		{ "chmod", ACT_DONE, ACT_DONE },
		{ "fchmodat2", ACT_DONE, ACT_DONE },
		{ "chown", ACT_DONE, ACT_DONE },
		{ "utime", ACT_DONE, ACT_DONE },
		{ "utimes", ACT_DONE, ACT_DONE },
		{ "futimesat", ACT_DONE, ACT_DONE },
		{ "utimensat", ACT_DONE, ACT_DONE },
		{ "setxattr", ACT_DONE, ACT_DONE },
		{ "getxattr", ACT_DONE, ACT_DONE },
		{ "listxattr", ACT_DONE, ACT_DONE },
		{ "removexattr", ACT_DONE, ACT_DONE },
		{ "setxattrat", ACT_DONE, ACT_DONE },
		{ "getxattrat", ACT_DONE, ACT_DONE },
		{ "file_getattr", ACT_ANY, ACT_ANY },
		{ "file_setattr", ACT_ANY, ACT_ANY },
	};
	cleanup_scratch struct scratch scratch = tree_create(0);

	cleanup_result struct run_result outside = act(&scratch, "metadata", NULL, 0);
	cleanup_result struct run_result inside =
		act(&scratch, "metadata", WORDS("-w", scratch_file(&scratch, "in")), 0);

	acts_check_outside(&outside, table, ARRAY_LEN(table));
	acts_check_inside(&inside, table, ARRAY_LEN(table));
	expect_canary_whole(&scratch, "out/metadata");
}

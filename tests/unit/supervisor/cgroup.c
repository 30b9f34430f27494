/* The cgroup's files, in a directory that imitates them: no kernel is asked here. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/attributes.h"
#include "core/supervisor/cgroup.h"

static char root[64];

static void put(const char *directory, const char *name, const char *text)
{
	char path[400];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "we");
	cr_assert_not_null(file, "%s", path);
	(void)fputs(text, file);
	(void)fclose(file);
}

static const char *get(const char *directory, const char *name)
{
	static char text[256];
	char path[400];
	int fd;
	ssize_t length;

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return NULL;
	}
	length = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	text[length > 0 ? length : 0] = '\0';
	return text;
}

/* The one directory in `root`, or an empty string. */
static const char *group(void)
{
	static char path[400];
	struct dirent *entry;
	DIR *directory = opendir(root);

	path[0] = '\0';
	cr_assert_not_null(directory);
	while ((entry = readdir(directory)) != NULL) {
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.') {
			(void)snprintf(path, sizeof(path), "%s/%s", root, entry->d_name);
		}
	}
	(void)closedir(directory);
	return path;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

static void make_root(void)
{
	(void)snprintf(root, sizeof(root), "/tmp/cgroup-test-XXXXXX");
	cr_assert_not_null(mkdtemp(root));
	put(root, "cgroup.controllers", "cpuset cpu memory pids\n");
	put(root, "cgroup.subtree_control", "memory pids\n");
}

static void remove_root(void)
{
	(void)nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(cgroup, .init = make_root, .fini = remove_root);

Test(cgroup, sets_the_limit_and_takes_a_process_in)
{
	struct cgroup *cgroup = cgroup_create(root, 512u << 20);

	cr_assert_not_null(cgroup);
	cr_assert_eq(cgroup_add(cgroup, 4711), 0);

	cr_expect_str_eq(get(group(), "memory.max"), "536870912");
	cr_expect_str_eq(get(group(), "memory.swap.max"), "0");
	cr_expect_str_eq(get(group(), "cgroup.procs"), "4711");
	cr_expect_str_eq(get(root, "cgroup.subtree_control"), "memory pids\n", "left alone");
	(void)cgroup_destroy(cgroup);
}

Test(cgroup, enables_the_controller_where_it_is_allowed_to)
{
	put(root, "cgroup.subtree_control", "pids\n");

	struct cgroup *cgroup = cgroup_create(root, 1u << 20);

	cr_assert_not_null(cgroup);
	cr_assert_str_eq(get(root, "cgroup.subtree_control"), "+memory");
	(void)cgroup_destroy(cgroup);
}

static const struct absent_row {
	const char *file, *text;
} absent_rows[] = {
	{ "cgroup.controllers", "cpuset cpu pids\n" },
	{ "cgroup.controllers", "" },
	{ "cgroup.controllers", "memory.max memoryx xmemory\n" },
};

Test(cgroup, is_absent_without_the_controller)
{
	for (size_t i = 0; i < ARRAY_LEN(absent_rows); i++) {
		put(root, absent_rows[i].file, absent_rows[i].text);
		errno = 0;

		struct cgroup *cgroup = cgroup_create(root, 1u << 20);

		cr_expect_null(cgroup);
		cr_expect_eq(errno, ENOENT);
		cr_expect_str_eq(group(), "", "nothing is left");
	}
}

Test(cgroup, is_absent_without_the_directory)
{
	struct cgroup *cgroup = cgroup_create("/nonexistent", 1u << 20);

	cr_assert_null(cgroup);
	cr_assert_eq(errno, ENOENT);
}

static const struct memory_row {
	const char *events, *peak;
	struct cgroup_memory expected;
} memory_rows[] = {
	{ "low 0\nhigh 0\nmax 7\noom 2\noom_kill 3\noom_group_kill 4\n", "1048576\n",
		{ 1048576, 3 } },
	{ "low 0\noom_kill 18446744073709551615\n", "0\n", { 0, UINT64_MAX } },
	{ "low 0\n", "12\n", { 12, 0 } },
	{ "", "", { 0, 0 } },
};

Test(cgroup, reads_what_the_kernel_counted)
{
	struct cgroup *cgroup = cgroup_create(root, 1u << 20);
	struct cgroup_memory memory;

	cr_assert_not_null(cgroup);
	cr_expect_eq(cgroup_read_memory(cgroup, &memory), -ENOENT);
	for (size_t i = 0; i < ARRAY_LEN(memory_rows); i++) {
		put(group(), "memory.events", memory_rows[i].events);
		put(group(), "memory.peak", memory_rows[i].peak);

		cr_expect_eq(cgroup_read_memory(cgroup, &memory), 0);

		cr_expect_eq(memory.peak_bytes, memory_rows[i].expected.peak_bytes, "row %zu", i);
		cr_expect_eq(memory.oom_kills, memory_rows[i].expected.oom_kills, "row %zu", i);
	}
	(void)cgroup_destroy(cgroup);
}

/* Real directories go with their files, these do not: the test takes them out. */
Test(cgroup, removes_its_group)
{
	struct cgroup *cgroup = cgroup_create(root, 1u << 20);
	char path[500];

	cr_assert_not_null(cgroup);
	(void)snprintf(path, sizeof(path), "%s/memory.max", group());
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/memory.swap.max", group());
	(void)unlink(path);

	int r = cgroup_destroy(cgroup);

	cr_assert_eq(r, 0);
	cr_assert_str_eq(group(), "");
}

Test(cgroup, makes_groups_side_by_side)
{
	struct cgroup *first = cgroup_create(root, 1u << 20);
	struct cgroup *second = cgroup_create(root, 2u << 20);

	cr_assert_not_null(first);
	cr_assert_not_null(second);
	(void)cgroup_destroy(first);
	(void)cgroup_destroy(second);
}

static const struct path_row {
	const char *cgroups, *mounts;
	int answer;
	const char *path;
} path_rows[] = {
	{ "0::/user.slice/a.scope\n", "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", 0,
		"/sys/fs/cgroup/user.slice/a.scope" },
	{ "4:memory:/x\n0::/\n",
		"1 2 0:3 / / rw - ext4 /dev/vda rw\n30 23 0:26 / /sys/fs/cgroup/unified rw,nosuid "
		"shared:9 - cgroup2 cgroup2 rw\n",
		0, "/sys/fs/cgroup/unified" },
	{ "0::/a/b\n", "30 23 0:26 /a /mnt/my\\040group rw - cgroup2 none rw\n", 0,
		"/mnt/my group/b" },
	{ "0::/a\n", "30 23 0:26 /a /mnt rw - cgroup2 none rw\n", 0, "/mnt" },
	{ "0::/ab\n", "30 23 0:26 /a /mnt rw - cgroup2 none rw\n", -ENOENT, "" },
	{ "0::/a\n", "30 23 0:26 /abc /mnt rw - cgroup2 none rw\n", -ENOENT, "" },
	{ "4:memory:/x\n", "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", -ENOENT, "" },
	{ "0::/a\n", "30 23 0:26 / /sys/fs/cgroup rw - cgroup cgroup rw,memory\n", -ENOENT, "" },
	{ "0::/a\n", "30 23 - cgroup2 \n\n - cgroup2 \nx", -ENOENT, "" },
	{ "0::/a\n", "", -ENOENT, "" },
	{ "", "", -ENOENT, "" },
	{ "10::/a\n", "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", -ENOENT, "" },
};

Test(cgroup_path, finds_the_directory_of_the_caller)
{
	for (size_t i = 0; i < ARRAY_LEN(path_rows); i++) {
		const struct path_row *row = &path_rows[i];
		cleanup_text struct text path = { 0 };

		int r = cgroup_path_parse(row->cgroups, row->mounts, &path);

		cr_expect_eq(r, row->answer, "row %zu: %d", i, r);
		cr_expect_str_eq(path.bytes != NULL ? path.bytes : "", row->path, "row %zu", i);
	}
}

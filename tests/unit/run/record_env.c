/* The record of the machine, from a tree of files that imitates /proc and /sys. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/run/record_env.h"

static char root[64];

static void put(const char *path, const char *content)
{
	char whole[400];
	FILE *file;

	(void)snprintf(whole, sizeof(whole), "%s%s", root, path);
	for (char *slash = whole + strlen(root) + 1; (slash = strchr(slash, '/')) != NULL;
		slash++) {
		*slash = '\0';
		(void)mkdir(whole, 0755);
		*slash = '/';
	}
	file = fopen(whole, "we");
	cr_assert_not_null(file, "%s", whole);
	(void)fputs(content, file);
	(void)fclose(file);
}

static void make_root(void)
{
	(void)snprintf(root, sizeof(root), "/tmp/record-test-XXXXXX");
	cr_assert_not_null(mkdtemp(root));
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

static void remove_root(void)
{
	(void)nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(record_env, .init = make_root, .fini = remove_root);

static void expect_part(const char *json, const char *part)
{
	cr_expect_not_null(strstr(json, part), "no %s in %s", part, json);
}

Test(record_env, says_null_for_what_it_cannot_read)
{
	static const char *const parts[] = { "\"cpu_model\":null", "\"governor\":null",
		"\"turbo\":null", "\"smt\":null", "\"aslr\":null", "\"huge_pages\":null",
		"\"load_begin\":null", "\"load_end\":null", "\"cpus\":null",
		"\"memory_bytes\":null", "\"migrations\":null", "\"voluntary_switches\":null",
		"\"minor_faults\":null", "\"argv_bytes\":null", "\"steal_ms\":null",
		"\"mitigations\":null" };
	struct env_record record = { 0 };
	cleanup_text struct text text = { 0 };

	record_env_begin_at(&record, root);
	record_env_end_at(&record, root);
	record_env_json(&record, &text);

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		expect_part(text.bytes, parts[i]);
	}
	record_env_finish(&record);
}

static const struct machine_row {
	const char *path, *content, *part;
} machine_rows[] = {
	{ "/proc/cpuinfo", "processor\t: 0\nmodel name\t: Fast \"9\" CPU\n",
		"\"cpu_model\":\"Fast \\\"9\\\" CPU\"" },
	{ "/proc/cpuinfo", "model names\t: x\nmodel\t: 5\n", "\"cpu_model\":null" },
	{ "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n",
		"\"governor\":\"powersave\"" },
	{ "/sys/devices/system/cpu/cpufreq/boost", "1\n", "\"turbo\":\"on\"" },
	{ "/sys/devices/system/cpu/intel_pstate/no_turbo", "1\n", "\"turbo\":\"off\"" },
	{ "/sys/devices/system/cpu/smt/active", "0\n", "\"smt\":\"off\"" },
	{ "/sys/devices/system/cpu/smt/active", "maybe\n", "\"smt\":null" },
	{ "/proc/sys/kernel/randomize_va_space", "2\n", "\"aslr\":\"full\"" },
	{ "/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n",
		"\"huge_pages\":\"madvise\"" },
	{ "/sys/kernel/mm/transparent_hugepage/enabled", "always\n", "\"huge_pages\":null" },
	{ "/sys/devices/system/cpu/vulnerabilities/meltdown", "Not affected\n",
		"\"mitigations\":{\"meltdown\":\"Not affected\"}" },
	{ "/sys/devices/system/cpu/online", "0-3,8,10-11\n", "\"cpus\":7" },
	{ "/sys/devices/system/cpu/online", "3-0\n", "\"cpus\":null" },
	{ "/proc/meminfo", "MemTotal:       24683648 kB\n", "\"memory_bytes\":25276055552" },
	{ "/proc/meminfo", "MemTotal:       -1 kB\n", "\"memory_bytes\":null" },
	{ "/proc/loadavg", "0.10 0.20 0.30 1/99 4711\n",
		"\"load_begin\":\"0.10 0.20 0.30 1/99 4711\"" },
};

Test(record_env, reads_the_machine)
{
	for (size_t i = 0; i < sizeof(machine_rows) / sizeof(machine_rows[0]); i++) {
		struct env_record record = { 0 };
		cleanup_text struct text text = { 0 };

		put(machine_rows[i].path, machine_rows[i].content);
		record_env_begin_at(&record, root);
		record_env_json(&record, &text);

		expect_part(text.bytes, machine_rows[i].part);
		record_env_finish(&record);
	}
}

static const struct steal_row {
	const char *begin, *end, *part;
} steal_rows[] = {
	{ "cpu  1 2 3 4 5 6 7 100 0 0\n", "cpu  1 2 3 4 5 6 7 350 0 0\n", "\"steal_ms\":2500" },
	{ "cpu  1 2 3 4 5 6 7 100\n", "cpu  1 2 3 4 5 6 7 100\n", "\"steal_ms\":0" },
	{ "cpu  1 2 3 4 5 6 7 100\n", "cpu  1 2 3 4 5 6 7 99\n", "\"steal_ms\":null" },
	{ "cpu  1 2 3 4 5 6 7\n", "cpu  1 2 3 4 5 6 7 9\n", "\"steal_ms\":null" },
	{ "cpu0 1 2 3 4 5 6 7 1\n", "cpu0 1 2 3 4 5 6 7 9\n", "\"steal_ms\":null" },
	{ "cpu  1 2 3 4 5 6 7 x\n", "cpu  1 2 3 4 5 6 7 9\n", "\"steal_ms\":null" },
};

Test(record_env, tells_what_was_stolen_during_the_run)
{
	for (size_t i = 0; i < sizeof(steal_rows) / sizeof(steal_rows[0]); i++) {
		struct env_record record = { 0 };
		cleanup_text struct text text = { 0 };

		cr_assert_eq(sysconf(_SC_CLK_TCK), 100);
		put("/proc/stat", steal_rows[i].begin);
		record_env_begin_at(&record, root);
		put("/proc/stat", steal_rows[i].end);
		record_env_end_at(&record, root);
		record_env_json(&record, &text);

		expect_part(text.bytes, steal_rows[i].part);
		record_env_finish(&record);
	}
}

Test(record_env, tells_what_it_was_told_of_the_run)
{
	char *argv[] = { "make", "-j2", NULL }, *environment[] = { NULL };
	struct rusage usage = { .ru_nvcsw = 1, .ru_nivcsw = 2, .ru_minflt = 3, .ru_majflt = 4 };
	struct env_record record = { 0 };
	cleanup_text struct text text = { 0 };

	record_env_usage(&record, &usage);
	record_env_strings(&record, argv, environment);
	record_env_json(&record, &text);

	expect_part(text.bytes, "\"voluntary_switches\":1,\"involuntary_switches\":2,");
	expect_part(text.bytes, "\"minor_faults\":3,\"major_faults\":4,");
	expect_part(text.bytes, "\"argv_bytes\":9,\"environment_bytes\":0,");
	record_env_finish(&record);
}

Test(record_env, knows_this_machine)
{
	struct env_record record = { 0 };
	cleanup_text struct text text = { 0 };

	record_env_begin(&record);
	record_env_process(&record, getpid());
	record_env_end(&record);
	record_env_json(&record, &text);

	cr_assert_not_null(record.kernel);
	cr_assert(record.cpus.known);
	cr_assert(record.memory_bytes.known);
	cr_assert(record.steal_end.known);
	cr_assert_eq(text.bytes[0], '{');
	cr_assert_eq(text.bytes[text.length - 1], '}');
	if (getenv("LIMITS_VERBOSE") != NULL) {
		(void)fprintf(stderr, "%s\n", text.bytes);
	}
	record_env_finish(&record);
}

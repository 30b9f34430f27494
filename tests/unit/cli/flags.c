/* Command lines that are right: from words to a policy and back. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/policy/capability_name.h"
#include "core/policy/policy_options.h"
#include "core/policy/presets.h"
#include "tools/cli/flags.h"

#define STATUS_FD 219
#define KEEP_FD	  220 /* and those after it */
#define KEEP_FDS  3

/* Parses words that end with NULL and fails the test if they are refused. */
static struct run_flags parse(struct sandbox_policy *policy, const char *const *words)
{
	struct run_flags flags = { 0 };
	struct error error = { 0 };
	int argc = 0;

	while (words[argc] != NULL) {
		argc++;
	}
	policy_init(policy);
	cr_assert_eq(flags_parse(argc, (char **)(void *)words, policy, &flags, &error), 0, "%s",
		error.text);
	return flags;
}

static int memory_file(const char *bytes, size_t length)
{
	int fd = memfd_create("words", MFD_CLOEXEC);

	cr_assert_eq(write(fd, bytes, length), (ssize_t)length);
	cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* Writes a file of options and gives its name, which the caller removes and frees. */
static char *option_file(const char *text)
{
	char *name = must_copy("/tmp/sandlock-flags-XXXXXX");
	int fd = mkstemp(name);

	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	return name;
}

Test(flags, take_values_in_every_form)
{
	static const char *const words[] = { "run", "-r", "/a", "-r/b", "--fs-read", "/c",
		"--fs-read=/d", "-r=e", "-im1G", "--env=A=B=C", "--", "make", "-j2", "--", "@x",
		NULL };
	static const char *const read[] = { "/a", "/b", "/c", "/d", "=e" };
	struct sandbox_policy policy;

	struct run_flags flags = parse(&policy, words);

	cr_assert_eq(flags.mode, RUN_NORMAL);
	cr_assert_eq(policy.filesystem.read.count, ARRAY_LEN(read));
	for (size_t i = 0; i < ARRAY_LEN(read); i++) {
		cr_expect_str_eq(policy.filesystem.read.items[i], read[i]);
	}
	cr_expect_eq(policy.limits.memory, UINT64_C(1) << 30);
	cr_expect_str_eq(policy.program.env.items[0], "A=B=C");
	cr_assert_eq(policy.program.argv.count, 4);
	cr_expect_str_eq(policy.program.argv.items[2], "--");
	cr_expect_str_eq(policy.program.argv.items[3], "@x");
	policy_finish(&policy);
}

Test(flags, take_words_that_look_like_options_as_values)
{
	static const char *const words[] = { "run", "--exec-shell", "--help", "--cwd", "@dir",
		"--stdout", "--", NULL };
	struct sandbox_policy policy;

	struct run_flags flags = parse(&policy, words);

	cr_assert_eq(flags.mode, RUN_NORMAL);
	cr_expect_str_eq(policy.program.exec_shell, "--help");
	cr_expect_str_eq(policy.program.cwd, "@dir");
	cr_expect_str_eq(policy.run.stdout_path, "--");
	policy_finish(&policy);
}

Test(flags, tell_what_to_do)
{
	static const struct {
		const char *words[6];
		int mode;
	} rows[] = {
		{ { "run", "--", "true" }, RUN_NORMAL },
		{ { "run", "--help", "--frobnicate" }, RUN_HELP },
		{ { "run", "-ih" }, RUN_HELP },
		{ { "run", "-m", "1G", "-h" }, RUN_HELP },
		{ { "run", "--help=roff" }, RUN_HELP_ROFF },
		{ { "run", "--version" }, RUN_VERSION },
		{ { "run", "--explain", "--", "true" }, RUN_EXPLAIN_TEXT },
		{ { "run", "--explain=text", "--", "true" }, RUN_EXPLAIN_TEXT },
		{ { "run", "--explain=json", "-e", "true" }, RUN_EXPLAIN_JSON },
		{ { "run", "--", "true", "--help" }, RUN_NORMAL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sandbox_policy policy;

		cr_expect_eq((int)parse(&policy, rows[i].words).mode, rows[i].mode, "row %zu", i);
		policy_finish(&policy);
	}
}

Test(flags, read_options_from_files)
{
	cleanup_free char *inner = option_file("-w /out\n");
	cleanup_free char *lines = must_format("# a comment\n"
					       "\n"
					       "  --fs-read /usr/my dir\t \r\n"
					       "--fs-read=/a=b c\n"
					       "-r/c d\n"
					       "-r \"quoted\" $HOME \\n\n"
					       "--env A=x  y\n"
					       "--clean-env\n"
					       "@%s\n"
					       "-m\t1G",
		inner);
	cleanup_free char *outer = option_file(lines);
	cleanup_free char *at = must_format("@%s", outer);
	const char *const words[] = { "run", "-r", "/first", at, "-r", "/last", "--", "cmd", NULL };
	static const char *const read[] = { "/first", "/usr/my dir", "/a=b c", "/c d",
		"\"quoted\" $HOME \\n", "/last" };
	struct sandbox_policy policy;

	parse(&policy, words);

	cr_assert_eq(policy.filesystem.read.count, ARRAY_LEN(read));
	for (size_t i = 0; i < ARRAY_LEN(read); i++) {
		cr_expect_str_eq(policy.filesystem.read.items[i], read[i]);
	}
	cr_expect_str_eq(policy.filesystem.write.items[0], "/out");
	cr_expect_str_eq(policy.program.env.items[0], "A=x  y");
	cr_expect(policy.program.clean_env);
	cr_expect_eq(policy.limits.memory, UINT64_C(1) << 30);
	cr_expect_eq(policy.program.argv.count, 1);
	policy_finish(&policy);
	unlink(inner);
	unlink(outer);
}

Test(flags, name_the_line_of_a_file_that_is_wrong)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{ "\n-m 12X\n",
			":2: --max-memory: \"12X\": unknown byte size suffix (use K, M, G or T)" },
		{ "-c 5\n--fs-raed /x\n",
			":2: --fs-raed: unknown option (did you mean --fs-read?)" },
		{ "--clean-env yes\n", ":1: --clean-env: \"yes\": takes no value" },
		{ "--name\nx\n", ":2: \"x\": not an option" },
		{ "--name\n-c 5\n", ":1: --name: needs a value: --name NAME" },
		{ "-c 5\nmake -j2\n", ":2: \"make -j2\": not an option" },
		{ "--\n", ":1: \"--\": not an option" },
		{ "-\n", ":1: \"-\": not an option" },
		{ "- m 4\n", ":1: \"- m 4\": not an option" },
		{ "-- make\n", ":1: \"-- make\": not an option" },
		{ "@\n", ":1: \"@\": not an option" },
		{ "--chroot /x\n", ":1: --chroot: not available in this version" },
		{ "@/nonexistent/file\n", ":1: @/nonexistent/file: No such file or directory" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_free char *name = option_file(rows[i].text);
		cleanup_free char *at = must_format("@%s", name);
		cleanup_free char *expected = must_format("@%s%s", name, rows[i].expected);
		char *words[] = { "run", at, "--", "true", NULL };
		struct sandbox_policy policy;
		struct run_flags flags;
		struct error error = { 0 };

		policy_init(&policy);

		cr_expect_lt(flags_parse(4, words, &policy, &flags, &error), 0);
		cr_expect_str_eq(error.text, expected);
		policy_finish(&policy);
		unlink(name);
	}
}

Test(flags, stop_reading_a_file_that_names_itself)
{
	cleanup_free char *name = option_file("");
	cleanup_free char *at = must_format("@%s", name);
	char *words[] = { "run", at, "--", "true", NULL };
	struct sandbox_policy policy;
	struct run_flags flags;
	struct error error = { 0 };
	FILE *file = fopen(name, "we");

	for (int i = 0; i < 100; i++) {
		fprintf(file, "%s\n", at);
	}
	fclose(file);
	policy_init(&policy);

	cr_expect_lt(flags_parse(4, words, &policy, &flags, &error), 0);
	cr_expect_not_null(strstr(error.text, "too many files of options"), "%s", error.text);
	policy_finish(&policy);
	unlink(name);
}

Test(flags, read_words_from_a_descriptor_and_close_it)
{
	static const char bytes[] = "-r\0/a b\0--env\0X=\n'\"\0--\0make\0\0-j2";
	int fd = memory_file(bytes, sizeof(bytes) - 1);
	cleanup_free char *number = must_format("%d", fd);
	const char *const words[] = { "run", "-m", "1G", "--args", number, "last", NULL };
	static const char *const argv[] = { "make", "", "-j2", "last" };
	struct sandbox_policy policy;

	parse(&policy, words);

	cr_expect_eq(fcntl(fd, F_GETFD), -1);
	cr_expect_str_eq(policy.filesystem.read.items[0], "/a b");
	cr_expect_str_eq(policy.program.env.items[0], "X=\n'\"");
	cr_expect_eq(policy.limits.memory, UINT64_C(1) << 30);
	cr_assert_eq(policy.program.argv.count, ARRAY_LEN(argv));
	for (size_t i = 0; i < ARRAY_LEN(argv); i++) {
		cr_expect_str_eq(policy.program.argv.items[i], argv[i]);
	}
	policy_finish(&policy);
}

Test(flags, read_a_long_command_through_a_pipe_on_standard_input)
{
	const char *const words[] = { "run", "--args", "0", NULL };
	struct sandbox_policy policy;
	int ends[2];

	cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
	if (fork() == 0) {
		FILE *file = fdopen(ends[1], "w");

		close(ends[0]);
		fprintf(file, "--%ccc", 0);
		for (int i = 0; i < 50000; i++) {
			fprintf(file, "%cobject-%d.o", 0, i);
		}
		fclose(file);
		_exit(0);
	}
	close(ends[1]);
	cr_assert_eq(dup2(ends[0], 0), 0);
	close(ends[0]);

	parse(&policy, words);

	cr_assert_eq(policy.program.argv.count, 50001);
	cr_assert_str_eq(policy.program.argv.items[50000], "object-49999.o");
	cr_assert_geq(
		fcntl(0, F_GETFD), 0); /* /dev/null now: nothing else may become standard input */
	policy_finish(&policy);
}

/* Random policies for the round trip.  Everything is drawn that can be written as flags. */

static unsigned int draw(unsigned int limit)
{
	return (unsigned int)random() % limit;
}

static bool toss(void)
{
	return draw(2) == 0;
}

static const char *draw_text(void)
{
	static const char *const texts[] = { "/usr", "a b", "it's", "\"", "$HOME", "new\nline",
		"--flag", "-x", "@file", "#", "=", "ü€", "\\", "*", "~", "a=b", "--", " lead",
		"trail " };

	return texts[draw(ARRAY_LEN(texts))];
}

static void draw_texts(struct string_list *list)
{
	for (unsigned int count = draw(4); count > 0; count--) {
		string_list_add(list, draw_text());
	}
}

static void draw_numbers(struct number_list *list)
{
	for (unsigned int count = draw(4); count > 0; count--) {
		(void)number_list_add(list, draw(1024)); /* once is enough */
	}
}

/* Sorted, apart from each other, as the parser leaves a set. */
static void draw_ports(struct port_set *set, bool has_ranges)
{
	uint32_t port = draw(3);

	set->any = draw(5) == 0;
	for (unsigned int count = set->any ? 0 : draw(4); count > 0 && port < 60000; count--) {
		uint32_t first = port + 2 + draw(1000);
		uint32_t last = has_ranges && toss() ? first + draw(1000) : first;

		set->ranges = must_reallocate(set->ranges, set->count + 1, sizeof(set->ranges[0]));
		set->ranges[set->count++] = (struct port_range){ (uint16_t)first, (uint16_t)last };
		port = last;
	}
}

static char *draw_string(void)
{
	return toss() ? must_copy(draw_text()) : NULL;
}

static void draw_unsupervised(struct sandbox_policy *policy)
{
	policy->program.name = toss() ? must_format("box-%u", draw(1000)) : NULL;
	if (toss()) {
		policy->program.exec_shell = must_copy(draw_text());
	} else {
		string_list_add(&policy->program.argv, draw_text());
		draw_texts(&policy->program.argv);
	}
	for (unsigned int count = draw(3); count > 0; count--) {
		cleanup_free char *pair = must_format("K%u=%s", draw(9), draw_text());

		string_list_add(&policy->program.env, pair);
	}
	policy->program.clean_env = toss();
	policy->program.keep_caps = toss() ? ((uint64_t)random() << 20 ^ (uint64_t)random()) &
						     ((UINT64_C(1) << CAPABILITY_COUNT) - 1)
					   : 0;
	for (unsigned int i = 0; i < KEEP_FDS; i++) {
		if (toss()) {
			(void)number_list_add(&policy->program.keep_fds, KEEP_FD + i); /* new */
		}
	}
	draw_texts(&policy->filesystem.read);
	draw_texts(&policy->filesystem.write);
	policy->filesystem.ignore_missing = toss();
	draw_texts(&policy->syscalls.extra_deny);
	policy->run.stdout_path = draw_string();
	policy->run.stderr_path = draw_string();
	for (int i = 0; i < PROTECTION_COUNT; i++) {
		policy->protections[i] =
			(enum protection_mode)draw(i == PROTECTION_FS_REFER ? 2 : 3);
	}
}

static void draw_supervised(struct sandbox_policy *policy)
{
	policy->program.cwd = draw_string();
	policy->program.no_coredump = toss();
	policy->program.no_huge_pages = toss();
	policy->program.has_user = toss();
	policy->program.uid = policy->program.has_user ? draw(UINT32_MAX) : 0;
	policy->program.gid = policy->program.has_user ? draw(70000) : 0;
	if (toss()) {
		cr_assert_eq(preset_apply("build", policy, NULL), 0);
	}
	draw_ports(&policy->network.bind, true);
	draw_ports(&policy->network.connect, false);
	policy->limits.memory = toss() ? ((uint64_t)random() + 1) << draw(30) : 0;
	policy->limits.cpu_percent = 1 + draw(100);
	policy->limits.open_files = draw(5000);
	draw_numbers(&policy->limits.cpu_cores);
	policy->limits.gpu = (enum gpu_access)draw(2);
	if (toss()) {
		draw_numbers(&policy->limits.gpu_devices);
		policy->limits.gpu = policy->limits.gpu_devices.count > 0 ? GPU_LISTED : GPU_NONE;
	}
	policy->limits.timeout_ns = toss() ? (uint64_t)random() * (1 + draw(1000)) + 1 : 0;
	policy->limits.kill_after_ns =
		policy->limits.timeout_ns != 0 && toss() ? draw(100) * UINT64_C(1000000000) : 0;
	policy->limits.output = toss() ? (uint64_t)draw(100) << draw(40) : 0;
	policy->determinism.no_randomize_memory = toss();
	draw_texts(&policy->syscalls.extra_allow);
	policy->run.status_fd = toss() ? STATUS_FD : -1;
	policy->run.record_env = policy->run.status_fd >= 0 && toss();
	draw_numbers(&policy->run.supervisor_cpus);
}

static void draw_policy(struct sandbox_policy *policy)
{
	policy_init(policy);
	draw_unsupervised(policy);
	policy->run.no_supervisor = draw(4) == 0;
	if (!policy->run.no_supervisor) {
		draw_supervised(policy);
	}
}

static bool strings_equal(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool string_lists_equal(const struct string_list *a, const struct string_list *b)
{
	bool equal = a->count == b->count;

	for (size_t i = 0; equal && i < a->count; i++) {
		equal = strcmp(a->items[i], b->items[i]) == 0;
	}
	return equal;
}

static bool number_lists_equal(const struct number_list *a, const struct number_list *b)
{
	return a->count == b->count &&
	       (a->count == 0 || memcmp(a->items, b->items, a->count * sizeof(a->items[0])) == 0);
}

static bool port_sets_equal(const struct port_set *a, const struct port_set *b)
{
	return a->any == b->any && a->count == b->count &&
	       (a->count == 0 ||
		       memcmp(a->ranges, b->ranges, a->count * sizeof(a->ranges[0])) == 0);
}

static bool programs_equal(const struct sandbox_policy *a, const struct sandbox_policy *b)
{
	return strings_equal(a->program.name, b->program.name) &&
	       string_lists_equal(&a->program.argv, &b->program.argv) &&
	       strings_equal(a->program.exec_shell, b->program.exec_shell) &&
	       string_lists_equal(&a->program.env, &b->program.env) &&
	       strings_equal(a->program.cwd, b->program.cwd) &&
	       a->program.clean_env == b->program.clean_env &&
	       a->program.no_coredump == b->program.no_coredump &&
	       a->program.no_huge_pages == b->program.no_huge_pages &&
	       a->program.has_user == b->program.has_user && a->program.uid == b->program.uid &&
	       a->program.gid == b->program.gid && a->program.keep_caps == b->program.keep_caps &&
	       number_lists_equal(&a->program.keep_fds, &b->program.keep_fds);
}

static bool limits_equal(const struct sandbox_policy *a, const struct sandbox_policy *b)
{
	return a->limits.memory == b->limits.memory &&
	       a->limits.cpu_percent == b->limits.cpu_percent &&
	       a->limits.open_files == b->limits.open_files &&
	       number_lists_equal(&a->limits.cpu_cores, &b->limits.cpu_cores) &&
	       a->limits.gpu == b->limits.gpu &&
	       number_lists_equal(&a->limits.gpu_devices, &b->limits.gpu_devices) &&
	       a->limits.timeout_ns == b->limits.timeout_ns &&
	       a->limits.kill_after_ns == b->limits.kill_after_ns &&
	       a->limits.output == b->limits.output;
}

static bool walls_equal(const struct sandbox_policy *a, const struct sandbox_policy *b)
{
	return string_lists_equal(&a->filesystem.read, &b->filesystem.read) &&
	       string_lists_equal(&a->filesystem.optional_read, &b->filesystem.optional_read) &&
	       string_lists_equal(&a->filesystem.write, &b->filesystem.write) &&
	       string_lists_equal(&a->filesystem.devices, &b->filesystem.devices) &&
	       string_lists_equal(&a->filesystem.presets, &b->filesystem.presets) &&
	       a->filesystem.ignore_missing == b->filesystem.ignore_missing &&
	       a->filesystem.private_tmp == b->filesystem.private_tmp &&
	       port_sets_equal(&a->network.bind, &b->network.bind) &&
	       port_sets_equal(&a->network.connect, &b->network.connect) &&
	       a->determinism.no_randomize_memory == b->determinism.no_randomize_memory &&
	       string_lists_equal(&a->syscalls.extra_allow, &b->syscalls.extra_allow) &&
	       string_lists_equal(&a->syscalls.extra_deny, &b->syscalls.extra_deny) &&
	       memcmp(a->protections, b->protections, sizeof(a->protections)) == 0;
}

static bool policies_equal(const struct sandbox_policy *a, const struct sandbox_policy *b)
{
	return programs_equal(a, b) && limits_equal(a, b) && walls_equal(a, b) &&
	       a->run.no_supervisor == b->run.no_supervisor &&
	       a->run.record_env == b->run.record_env && a->run.status_fd == b->run.status_fd &&
	       strings_equal(a->run.stdout_path, b->run.stdout_path) &&
	       strings_equal(a->run.stderr_path, b->run.stderr_path) &&
	       number_lists_equal(&a->run.supervisor_cpus, &b->run.supervisor_cpus);
}

static bool wants_full_counts(void)
{
	const char *counts = getenv("SANDLOCK_COUNTS");

	return counts != NULL && strcmp(counts, "full") == 0;
}

Test(flags, give_the_policy_back_that_was_printed)
{
	int rounds = wants_full_counts() ? 20000 : 500;
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	srandom(3);
	for (int i = 0; i <= KEEP_FDS; i++) {
		cr_assert_geq(dup2(null, STATUS_FD + i), 0);
	}
	for (int round = 0; round < rounds; round++) {
		struct sandbox_policy policy, again;
		cleanup_string_list struct string_list words = { 0 };
		struct text line = { 0 };

		draw_policy(&policy);
		string_list_add(&words, "run");
		policy_list_flags(&policy, &words);
		policy_print_flags(&policy, &line);
		parse(&again, (const char *const *)words.items);

		cr_assert(policies_equal(&policy, &again), "round %d: %s", round, line.bytes);
		text_finish(&line);
		policy_finish(&again);
		policy_finish(&policy);
	}
}

Test(flags, are_printed_so_that_a_shell_reads_the_same_words)
{
	srandom(4);
	for (int round = 0; round < 30; round++) {
		struct sandbox_policy policy;
		cleanup_string_list struct string_list words = { 0 };
		cleanup_text struct text command = { 0 };
		char block[16384];
		size_t length, offset = 0;
		FILE *shell;

		draw_policy(&policy);
		policy_list_flags(&policy, &words);
		text_add(&command, "printf '%%s\\0' ");
		policy_print_flags(&policy, &command);
		shell = popen(command.bytes, "re");
		cr_assert_not_null(shell);
		length = fread(block, 1, sizeof(block), shell);
		pclose(shell);

		for (size_t i = 0; i < words.count; i++) {
			cr_assert_lt(offset, length);
			cr_assert_str_eq(block + offset, words.items[i]);
			offset += strlen(block + offset) + 1;
		}
		cr_assert_eq(offset, length);
		policy_finish(&policy);
	}
}

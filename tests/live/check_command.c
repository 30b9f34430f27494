/* `sandlock check` against this kernel, against faults, and below outer filters. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/fault.h"
#include "core/base/text.h"
#include "core/plan/landlock_plan.h"
#include "tests/json_checker.h"

#ifdef SANDLOCK_FAULTS
#define HAS_FAULTS true
#else
#define HAS_FAULTS false
#endif

/* What a run of `sandlock check` left. */
struct run {
	int status; /* as waitpid gives it */
	struct text out;
	struct text err;
};

static void run_finish(struct run *run)
{
	text_finish(&run->out);
	text_finish(&run->err);
}
#define cleanup_run cleanup(run_finish)

static FILE *open_output(void)
{
	FILE *file = tmpfile();

	cr_assert_not_null(file);
	return file;
}

static void take_output(FILE *file, struct text *ret_text)
{
	char bytes[4096];
	size_t length;

	rewind(file);
	while ((length = fread(bytes, 1, sizeof(bytes), file)) > 0) {
		text_add_bytes(ret_text, bytes, length);
	}
	text_add_bytes(ret_text, "", 0);
	fclose(file);
}

/* Runs `sandlock check [argument]` after `prepare` in the child; both may be NULL. */
static void run_check(const char *argument, void (*prepare)(void), struct run *ret_run)
{
	FILE *out = open_output();
	FILE *err = open_output();
	pid_t child = fork();

	if (child == 0) {
		const char *program = getenv("SANDLOCK");

		dup2(fileno(out), STDOUT_FILENO);
		dup2(fileno(err), STDERR_FILENO);
		if (prepare != NULL) {
			prepare();
		}
		execl(program, "sandlock", "check", argument, NULL);
		_exit(99);
	}
	cr_assert_eq(waitpid(child, &ret_run->status, 0), child);
	take_output(out, &ret_run->out);
	take_output(err, &ret_run->err);
}

static int exit_status(const struct run *run)
{
	return WIFEXITED(run->status) ? WEXITSTATUS(run->status) : -1;
}

static bool is_one_line(const struct text *text)
{
	return text->length > 0 && strchr(text->bytes, '\n') == text->bytes + text->length - 1;
}

/* Answers `action` to the numbers first..last and allows the rest. */
static void install_outer_filter(unsigned int first, unsigned int last, uint32_t action)
{
	struct sock_filter instructions[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, first, 0, 2),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, last, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_LEN(instructions), instructions };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
		_exit(98);
	}
}

static void hide_landlock(void)
{
	install_outer_filter(SYS_landlock_create_ruleset, SYS_landlock_restrict_self,
		SECCOMP_RET_ERRNO | ENOSYS);
}

static void refuse_landlock(void)
{
	install_outer_filter(
		SYS_landlock_create_ruleset, SYS_landlock_restrict_self, SECCOMP_RET_ERRNO | EPERM);
}

static void ignore_landlock_restriction(void)
{
	install_outer_filter(
		SYS_landlock_restrict_self, SYS_landlock_restrict_self, SECCOMP_RET_ERRNO | 0);
}

static void refuse_seccomp(void)
{
	install_outer_filter(SYS_seccomp, SYS_seccomp, SECCOMP_RET_ERRNO | EPERM);
}

static void ignore_seccomp(void)
{
	install_outer_filter(SYS_seccomp, SYS_seccomp, SECCOMP_RET_ERRNO | 0);
}

static void hide_close_range(void)
{
	install_outer_filter(SYS_close_range, SYS_close_range, SECCOMP_RET_ERRNO | ENOSYS);
}

static void kill_at_pidfd(void)
{
	install_outer_filter(SYS_pidfd_open, SYS_pidfd_open, SECCOMP_RET_KILL_PROCESS);
}

static void refuse_user_namespaces(void)
{
	install_outer_filter(SYS_unshare, SYS_unshare, SECCOMP_RET_ERRNO | EPERM);
}

static void harmless_filter(void)
{
	install_outer_filter(SYS_reboot, SYS_reboot, SECCOMP_RET_ERRNO | EPERM);
}

Test(check_command, reports_that_a_run_works_here)
{
	cleanup_run struct run run = { 0 };
	static const char *const lines[] = { "Kernel feature support:\n",
		"  Minimum required: ABI v6\n", "  Status:         OK\n",
		"  Signal scoping: supported (ABI v6+)\n",
		"  FsRefer                requires v2 — available\n",
		"  Platform: ", "  seccomp-filter         ok",
		"\nA run with default options would work.\n" };

	run_check(NULL, NULL, &run);

	cr_assert_eq(exit_status(&run), 0, "%s%s", run.out.bytes, run.err.bytes);
	cr_assert_str_empty(run.err.bytes);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		cr_expect_not_null(strstr(run.out.bytes, lines[i]), "%s", lines[i]);
	}
}

Test(check_command, says_the_same_in_json)
{
	cleanup_run struct run run = { 0 };
	char abi[32];

	run_check("--json", NULL, &run);

	(void)snprintf(abi, sizeof(abi), "\"abi\":%d,", landlock_host_abi());
	cr_assert_eq(exit_status(&run), 0);
	cr_assert(json_is_valid(run.out.bytes), "%s", run.out.bytes);
	cr_assert_not_null(strstr(run.out.bytes, "{\"works\":true,\"cure\":null,"));
	cr_assert_not_null(strstr(run.out.bytes, abi));
	cr_assert_not_null(strstr(run.out.bytes, "\"name\":\"seccomp-filter\""));
}

/* Each row: what is in the way, the exit status, and what the one line on stderr names. */
static const struct {
	const char *name;
	void (*prepare)(void);
	int status;
	const char *reason;
	const char *cure;
} outer_filters[] = {
	{ "none", NULL, 0, "", "" },
	{ "harmless", harmless_filter, 0, "", "" },
	{ "landlock ENOSYS", hide_landlock, 1,
		"landlock unavailable: ", "CONFIG_SECURITY_LANDLOCK" },
	{ "landlock EPERM", refuse_landlock, 1, "landlock unavailable: ", "container's profile" },
	{ "landlock ignored", ignore_landlock_restriction, 1,
		"landlock-restriction: ", "real Linux kernel" },
	{ "seccomp EPERM", refuse_seccomp, 1, "seccomp-filter: Operation not permitted",
		"allow seccomp" },
	{ "seccomp ignored", ignore_seccomp, 1, "seccomp-filter: ", "real Linux kernel" },
	{ "close_range ENOSYS", hide_close_range, 1, "close-range: Function not implemented",
		"Linux 5.9" },
	{ "pidfd_open kills", kill_at_pidfd, 1, "pidfd: killed by signal 31", "allow pidfd_open" },
	{ "unshare EPERM", refuse_user_namespaces, 0, "", "" },
};

Test(check_command, names_what_an_outer_filter_takes_and_its_cure)
{
	for (size_t i = 0; i < ARRAY_LEN(outer_filters); i++) {
		cleanup_run struct run run = { 0 };

		run_check("--json", outer_filters[i].prepare, &run);

		cr_expect_eq(exit_status(&run), outer_filters[i].status, "%s: %s",
			outer_filters[i].name, run.err.bytes);
		cr_expect(json_is_valid(run.out.bytes), "%s", outer_filters[i].name);
		cr_expect_eq(run.err.length > 0, outer_filters[i].status != 0);
		if (outer_filters[i].status != 0) {
			cr_expect(is_one_line(&run.err), "%s", run.err.bytes);
			cr_expect_eq(strncmp(run.err.bytes, "sandlock: ", 10), 0);
		}
		cr_expect_not_null(strstr(run.err.bytes, outer_filters[i].reason), "%s: %s",
			outer_filters[i].name, run.err.bytes);
		cr_expect_not_null(strstr(run.err.bytes, outer_filters[i].cure), "%s: %s",
			outer_filters[i].name, run.err.bytes);
	}
}

Test(check_command, reports_a_missing_optional_feature_without_failing)
{
	cleanup_run struct run run = { 0 };

	run_check(NULL, refuse_user_namespaces, &run);

	cr_assert_eq(exit_status(&run), 0);
	cr_assert_not_null(strstr(run.out.bytes,
		"  user-namespace         Operation not permitted — needed by --user (optional)"));
}

Test(check_command, prints_the_short_form_without_landlock)
{
	cleanup_run struct run run = { 0 };

	run_check(NULL, hide_landlock, &run);

	cr_assert_eq(exit_status(&run), 1);
	cr_assert_not_null(strstr(run.out.bytes, "  Landlock: unavailable (landlock unavailable"));
	cr_assert_not_null(strstr(run.out.bytes, "  Status:   UNSUPPORTED\n"));
	cr_assert_not_null(strstr(run.out.bytes, "\nA run with default options would fail.\n"));
}

static void check_with_fault(const char *fault, int status, const char *reason)
{
	cleanup_run struct run run = { 0 };

	setenv("SANDLOCK_FAULT", fault, 1);
	run_check(NULL, NULL, &run);
	unsetenv("SANDLOCK_FAULT");

	cr_expect_eq(exit_status(&run), HAS_FAULTS ? status : 0, "%s: %s", fault, run.err.bytes);
	cr_expect_not_null(
		strstr(run.err.bytes, HAS_FAULTS ? reason : ""), "%s: %s", fault, run.err.bytes);
}

Test(check_command, believes_a_lowered_abi_in_debug_builds_only)
{
	static const char *const reasons[] = {
		"landlock unavailable: the kernel has it switched off",
		"required protection FsRefer is not available: host Landlock ABI is v1, requires v2",
		"required protection FsTruncate is not available: host Landlock ABI is v2, requires v3",
		"required protection NetTcp is not available: host Landlock ABI is v3, requires v4",
		"required protection FsIoctlDev is not available: host Landlock ABI is v4, requires v5",
		"required protection SignalScope is not available: host Landlock ABI is v5, requires "
		"v6",
		""
	};

	for (size_t abi = 0; abi < ARRAY_LEN(reasons); abi++) {
		char fault[32];

		(void)snprintf(fault, sizeof(fault), "landlock-abi:%zu", abi);
		check_with_fault(fault, abi < 6 ? 1 : 0, reasons[abi]);
	}
}

Test(check_command, notices_a_wall_without_effect)
{
	check_with_fault(
		"landlock-restrict", 1, "landlock-restriction: the call succeeds without effect");
	check_with_fault("seccomp-install", 1, "seccomp-filter: the call succeeds without effect");
}

Test(check_command, refuses_an_argument_that_it_does_not_know)
{
	static const char *const wrong[] = { "--jsn", "json", "", "--json=1", "-x\n\033[1m" };

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		cleanup_run struct run run = { 0 };

		run_check(wrong[i], NULL, &run);

		cr_expect_eq(exit_status(&run), 125, "%s", wrong[i]);
		cr_expect_str_empty(run.out.bytes);
		cr_expect(is_one_line(&run.err), "%s", run.err.bytes);
	}
}

static void fill_stdout(void)
{
	dup2(open("/dev/full", O_WRONLY), STDOUT_FILENO);
}

Test(check_command, fails_when_the_report_cannot_be_written)
{
	cleanup_run struct run run = { 0 };

	run_check(NULL, fill_stdout, &run);

	cr_assert_eq(exit_status(&run), 125);
	cr_assert_not_null(strstr(run.err.bytes, "No space left on device"));
}

static void close_standard_input(void)
{
	close(STDIN_FILENO);
}

Test(check_command, works_without_standard_input)
{
	cleanup_run struct run run = { 0 };

	run_check(NULL, close_standard_input, &run);

	cr_assert_eq(exit_status(&run), 0, "%s", run.err.bytes);
}

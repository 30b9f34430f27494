/* A wall that the kernel did not build must stop the run before the command starts, whether the
 * call failed or only pretended to succeed. */
// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/live/acts.h"
#include "tests/live/probe.h"
#include "tests/live/status_line.h"

TestSuite(setup_walls, .timeout = 60);

static void expect_refusal(const struct run_result *result, const char *what)
{
	cr_assert_eq(result->exit_code, 125, "%s: %d %s", what, result->exit_code, result->err);
	cr_assert_str_eq(result->out, "", "%s: the command ran", what);
	cr_assert_neq(result->err[0], '\0', "%s: no message", what);
	cr_assert(status_line_is_valid(result->status_json), "%s: %s", what, result->status_json);
	cr_assert_str_eq(status_string(result->status_json, "reason"), "setup");
	cr_assert_eq(survivors_count(result->marker), 0);
}

static struct run_result run_with_fault(const char *fault)
{
	return run_once(&(struct run_spec){
		.binary = sandlock_faults_path(),
		.env = WORDS(word("SANDLOCK_FAULT=%s", fault)),
		.command = WORDS(guest("report"), "identity"),
	});
}

Test(setup_walls, refuses_to_run_when_landlock_took_no_effect)
{
	cleanup_result struct run_result control = run_with_fault("no-such-point");
	cleanup_result struct run_result faulty = run_with_fault("landlock-restrict");

	cr_assert_eq(control.exit_code, 0, "%s", control.err);
	cr_assert_neq(acts_get(&control, "uid"), ACT_MISSING);
	expect_refusal(&faulty, "landlock-restrict");
}

Test(setup_walls, refuses_to_run_when_the_filter_took_no_effect)
{
	cleanup_result struct run_result faulty = run_with_fault("seccomp-install");

	expect_refusal(&faulty, "seccomp-install");
}

Test(setup_walls, refuses_to_run_when_both_took_no_effect)
{
	cleanup_result struct run_result faulty =
		run_with_fault("landlock-restrict,seccomp-install");

	expect_refusal(&faulty, "both");
}

/* The environment of a user must not weaken the program that users have. */
Test(setup_walls, reads_no_fault_from_the_environment_of_a_release_build)
{
	struct run_spec spec = {
		.env = WORDS("SANDLOCK_FAULT=landlock-restrict,seccomp-install"),
		.command = WORDS(guest("attack_process"), "state"),
	};

	if (sandlock_has_faults()) {
		spec.env = NULL;
	}
	cleanup_result struct run_result inside = run_once(&spec);

	cr_assert_eq(inside.exit_code, 0, "%s", inside.err);
	cr_assert_eq(acts_get(&inside, "no_new_privs"), 1);
	cr_assert_eq(acts_get(&inside, "filter_on"), EINVAL);
	cr_assert_neq(acts_get(&inside, "ring"), ACT_DONE);
}

/* What a container profile or an old kernel does: the call is not there. */
static void answer_enosys(void *argument)
{
	const long *number = argument;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)*number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_LEN(code), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
		_exit(97);
	}
}

Test(setup_walls, refuses_to_run_without_the_calls_that_build_them)
{
	static long missing[] = { 444 /* landlock_create_ruleset */, 445 /* landlock_add_rule */,
		446 /* landlock_restrict_self */, SYS_seccomp };

	for (size_t i = 0; i < ARRAY_LEN(missing); i++) {
		struct run_spec spec = {
			.command = WORDS(guest("report"), "identity"),
			.prepare = answer_enosys,
			.prepare_argument = &missing[i],
		};

		cleanup_result struct run_result inside = run_once(&spec);
		spec.outside = true;
		cleanup_result struct run_result outside = run_once(&spec);

		cr_assert_eq(outside.exit_code, 0);
		expect_refusal(&inside, word("without call %ld", missing[i]));
	}
}

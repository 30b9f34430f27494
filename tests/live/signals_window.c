/* A signal that comes between a notification and its receipt: no call gives an errno for it that
 * the kernel would not give.  Every row that any feature asks for is tried, by the rows themselves.
 */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arch/syscall.h"
#include "core/base/text.h"
#include "core/handler/handler.h"
#include "tests/live/acts.h"
#include "tests/live/pty.h"

/* As core/run/sandbox.h declares it; that header and the harness's use the same names. */
const struct feature *const *sandbox_features(void);

TestSuite(signals_window, .timeout = 600);

/* What makes a policy want a feature.  One that is not here fails the test. */
static const struct {
	const char *feature;
	const char *flags[4];
} wishes[] = {
	{ "host-identity", { "--name", "box" } },
	{ "cpu-count", { "--num-cpus", "2" } },
	{ "process-limit", { "-P", "3" } },
};

static const char *const *flags_of(const struct feature *feature)
{
	for (size_t i = 0; i < ARRAY_LEN(wishes); i++) {
		if (strcmp(wishes[i].feature, feature->name) == 0) {
			return wishes[i].flags;
		}
	}
	cr_assert_fail("%s: this test knows no flag that wants it", feature->name);
	return NULL;
}

static const char *call_name(const struct trap_row *trap)
{
	int id = syscall_find_number(ARCH_NATIVE, (uint32_t)trap->nr);

	cr_assert_geq(id, 0);
	return syscall_name((enum syscall_id)id);
}

/* The errnos of one run, a bit each in the order of the guest's lines, as text to compare. */
static void errnos_of(const struct run_result *result, struct text *ret_errnos)
{
	const char *at = result->out;

	*ret_errnos = (struct text){ 0 };
	while ((at = strstr(at, "errno_")) != NULL) {
		at += strlen("errno_");
		text_add(ret_errnos, "%d ", atoi(at));
	}
}

static struct run_result exercise(const struct trap_row *trap, const char *const *flags,
	const char *fault, const char *const *also)
{
	const char *count = word("%d", count_choose(1000, 20000));
	const char *options[8];
	size_t used = 0;

	for (size_t i = 0; flags != NULL && flags[i] != NULL; i++) {
		options[used++] = flags[i];
	}
	options[used] = NULL;
	return run_once(&(struct run_spec){
		.outside = flags == NULL,
		.binary = fault != NULL ? sandlock_faults_path() : NULL,
		.options = options,
		.command = WORDS(guest("signals_window"), "exercise", call_name(trap), count),
		.env = fault != NULL ? WORDS(fault) : also,
		.limit_seconds = 300,
	});
}

/* Runs one row outside and inside, and compares. */
static void compare_row(const struct feature *feature, const struct trap_row *trap,
	const char *fault, const char *const *env)
{
	const char *name = call_name(trap);
	cleanup_result struct run_result outside = exercise(trap, NULL, NULL, NULL);
	cleanup_result struct run_result inside = exercise(trap, flags_of(feature), fault, env);
	struct text expected, actual;

	cr_assert_eq(outside.exit_code, 0, "%s, %s: %d: the guest cannot exercise it",
		feature->name, name, outside.exit_code);
	cr_expect_eq(inside.exit_code, 0, "%s: %d %s", name, inside.exit_code, inside.err);
	cr_expect_gt(acts_get(&inside, "signals"), 100, "%s: no storm", name);
	errnos_of(&outside, &expected);
	errnos_of(&inside, &actual);
	cr_expect_not_null(actual.bytes, "%s: nothing was tried", name);
	if (actual.bytes != NULL && expected.bytes != NULL) {
		cr_expect_str_eq(actual.bytes, expected.bytes, "%s: %s", name, inside.out);
	}
	text_finish(&expected);
	text_finish(&actual);
}

static void compare_all(const char *fault, const char *const *env)
{
	size_t rows = 0;

	for (const struct feature *const *feature = sandbox_features(); *feature != NULL;
		feature++) {
		for (const struct trap_row *trap = (*feature)->traps; trap->handle != NULL;
			trap++) {
			if (trap->nr >= 0) {
				compare_row(*feature, trap, fault, env);
				rows++;
			}
		}
	}
	cr_assert_gt(rows, 0);
}

Test(signals_window, gives_every_row_the_errnos_that_it_has_natively)
{
	compare_all(NULL, NULL);
}

Test(signals_window, gives_them_with_the_queue_forced)
{
	compare_all(NULL, WORDS("SANDLOCK_DISPATCH=queue"));
}

Test(signals_window, gives_them_where_registers_cannot_be_changed)
{
	compare_all("SANDLOCK_FAULT=signals-held-back", NULL);
}

/* The positive control: without the repair each of the rows shows what it is for. */
Test(signals_window, is_seen_by_every_row_without_the_repair)
{
	for (const struct feature *const *feature = sandbox_features(); *feature != NULL;
		feature++) {
		for (const struct trap_row *trap = (*feature)->traps; trap->handle != NULL;
			trap++) {
			if (trap->nr < 0 || trap->interruptible) {
				continue;
			}
			cleanup_result struct run_result inside = exercise(trap, flags_of(*feature),
				"SANDLOCK_FAULT=signals-unrepaired", NULL);

			cr_expect_gt(acts_get(&inside, word("errno_%d", EINTR)), 0, "%s: %s %s",
				call_name(trap), inside.out, inside.err);
		}
	}
}

static const struct act waits[] = {
	{ "open_fifo", EINTR, EINTR },
	{ "flock", EINTR, EINTR },
	{ "connect", EINTR, EINTR },
	{ "read_terminal", EINTR, EINTR },
};

static struct run_result wait_natively(bool outside, const char *fault)
{
	cleanup_scratch struct scratch scratch = scratch_create();
	cleanup_pty struct pty pty = pty_open();
	const char *port = word("%d", 20000 + getpid() % 10000);
	struct run_spec spec = {
		.outside = outside,
		.binary = fault != NULL ? sandlock_faults_path() : NULL,
		.env = fault != NULL ? WORDS(fault) : NULL,
		.options = WORDS("-P", "10", "-w", scratch.path, "--net-allow", "tcp://*",
			"--net-allow-bind", port),
		.command = WORDS(guest("signals_window"), "wait", scratch.path, port),
		.terminal = pty.slave,
	};
	struct run_result result = run_once(&spec);

	/* Its lines went to the terminal. */
	(void)pty_wait_text(&pty, "read_terminal ", 2);
	pty_drain(&pty);
	free(result.out);
	result.out = strdup(pty.transcript);
	for (char *at = result.out; (at = strchr(at, '\r')) != NULL;) {
		memmove(at, at + 1, strlen(at));
	}
	return result;
}

Test(signals_window, leaves_the_kernels_own_interruptions_alone)
{
	cleanup_result struct run_result outside = wait_natively(true, NULL);
	cleanup_result struct run_result inside = wait_natively(false, NULL);
	cleanup_result struct run_result portable =
		wait_natively(false, "SANDLOCK_FAULT=signals-held-back");

	acts_check_outside(&outside, waits, ARRAY_LEN(waits));
	acts_check_inside(&inside, waits, ARRAY_LEN(waits));
	acts_check_inside(&portable, waits, ARRAY_LEN(waits));
}

/* Values tell them apart: none is lost, none comes twice, each says who sent it. */
Test(signals_window, delivers_every_queued_signal_once_and_in_order)
{
	int count = count_choose(2000, 40000);
	const char *const command[] = { guest("signals_window"), "values", word("%d", count),
		NULL };
	cleanup_result struct run_result outside = run_outside(command);
	cleanup_result struct run_result inside = run_inside(WORDS("--name", "box"), command);
	cleanup_result struct run_result portable = run_once(&(struct run_spec){
		.binary = sandlock_faults_path(),
		.options = WORDS("--name", "box"),
		.command = command,
		.env = WORDS("SANDLOCK_FAULT=signals-held-back"),
		.limit_seconds = 120,
	});
	const struct act table[] = {
		{ "failed", 0, 0 },
		{ "last", count, count },
		{ "unordered", 0, 0 },
		{ "altered", 0, 0 },
		{ "heard_directed", 1, 1 },
		{ "too_many_directed", 0, 0 },
	};

	acts_check_outside(&outside, table, ARRAY_LEN(table));
	acts_check_inside(&inside, table, ARRAY_LEN(table));
	acts_check_inside(&portable, table, ARRAY_LEN(table));
}

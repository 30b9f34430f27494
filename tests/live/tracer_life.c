/* Under the tracer a program sees of job control, threads, forks, execs and ignored signals what it
 * sees without: the same guest, outside and inside, line by line. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/live/acts.h"
#include "tests/live/probe.h"

TestSuite(tracer_life, .timeout = 300);

#define TRACED WORDS("-P", "1000", "--extra-allow-syscall", "sysv_ipc")

/* For tests that need a run without a tracer. */
static void skip_if_all_is_traced(void)
{
	const char *flags = getenv("SANDLOCK_TEST_FLAGS");

	if (flags != NULL && strstr(flags, "-P") != NULL) {
		cr_skip_test("SANDLOCK_TEST_FLAGS has every run traced");
	}
}

/* Runs the command outside and traced: equal output, equal end. */
static void check_same(const char *const *command, size_t least_lines)
{
	cleanup_result struct run_result outside = run_outside(command);
	cleanup_result struct run_result inside = run_once(
		&(struct run_spec){ .options = TRACED, .command = command, .limit_seconds = 120 });
	size_t lines = 0;

	for (const char *at = outside.out; (at = strchr(at, '\n')) != NULL; at++) {
		lines++;
	}
	cr_expect_geq(lines, least_lines, "%s", outside.out);
	cr_expect_eq(outside.exit_code, 0, "%s", outside.err);
	cr_expect_str_eq(inside.out, outside.out);
	cr_expect_eq(inside.exit_code, 0, "%d %s", inside.exit_code, inside.err);
}

Test(tracer_life, stops_and_continues_all_threads_and_tells_the_parent)
{
	check_same(WORDS(guest("tracer_life"), "group_stop"), 6);
}

Test(tracer_life, bears_a_storm_of_stops)
{
	const char *rounds = word("%d", count_choose(100, 6000));

	check_same(WORDS(guest("tracer_life"), "stop_storm", rounds), 2);
}

Test(tracer_life, follows_an_exec_by_a_thread_that_is_not_the_leader)
{
	const char *rounds = word("%d", count_choose(50, 1000));

	check_same(WORDS(guest("tracer_life"), "exec_thread", rounds), 3);
}

Test(tracer_life, keeps_a_process_whose_leader_has_ended)
{
	check_same(WORDS(guest("tracer_life"), "leader_exit"), 2);
}

Test(tracer_life, lets_eight_threads_vfork_and_spawn_at_once)
{
	const char *rounds = word("%d", count_choose(20, 1000));

	check_same(WORDS(guest("tracer_life"), "spawn_storm", rounds), 1);
}

Test(tracer_life, gives_failed_forks_their_errno_and_goes_on)
{
	check_same(WORDS(guest("tracer_life"), "failed_forks"), 3);
}

Test(tracer_life, ends_a_process_with_its_threads)
{
	check_same(WORDS(guest("tracer_life"), "exit_threads"), 1);
}

Test(tracer_life, keeps_signals_for_a_stopped_task)
{
	check_same(WORDS(guest("tracer_life"), "signal_stopped"), 6);
}

Test(tracer_life, lets_a_parent_look_without_reaping)
{
	check_same(WORDS(guest("tracer_life"), "look_only"), 11);
}

/* One thing that differs, as the manual says: there is one tracer. */
Test(tracer_life, leaves_no_room_for_another_tracer)
{
	const char *const command[] = { guest("tracer_life"), "trace", NULL };
	skip_if_all_is_traced();

	static const struct act table[] = {
		{ "traceme", EPERM, 0 },
		{ "seize", EPERM, 0 },
	};
	cleanup_result struct run_result outside = run_outside(command);
	cleanup_result struct run_result inside =
		run_inside(WORDS("-P", "10", "--extra-allow-syscall", "ptrace"), command);
	cleanup_result struct run_result untraced =
		run_inside(WORDS("--extra-allow-syscall", "ptrace"), command);

	acts_check_outside(&outside, table, ARRAY_LEN(table));
	acts_check_inside(&inside, table, ARRAY_LEN(table));
	cr_assert_str_eq(untraced.out, outside.out);
}

/* An image that its user may run and not read: the kernel makes it undumpable, and its tracer may
 * not look at everything. */
Test(tracer_life, runs_an_image_that_its_user_cannot_read)
{
	cleanup_scratch struct scratch scratch = scratch_create();
	const char *image = scratch_file(&scratch, "image");
	const char *const copy[] = { "/bin/cp", guest("tracer_life"), image, NULL };
	cleanup_result struct run_result copied = run_outside(copy);
	struct run_spec spec = {
		.uid = NOBODY,
		.outside = true,
		.command = WORDS(image, "dumpable"),
	};

	cr_assert_eq(chmod(image, 0111), 0, "%s", copied.err);
	cleanup_result struct run_result outside = run_once(&spec);
	spec.outside = false;
	spec.options = WORDS("-P", "100", "-r", scratch.path, "-r", "/proc");
	cleanup_result struct run_result inside = run_once(&spec);

	cr_assert_eq(acts_get(&outside, "readable"), 0, "%s %s", outside.out, outside.err);
	cr_assert_eq(acts_get(&outside, "works"), 0);
	cr_assert_str_eq(inside.out, outside.out, "%s", inside.err);
}

/* 70 pairs of a wait and what comes meanwhile: ignored, handled, both at once, stopped. */
Test(tracer_life, wakes_no_wait_for_a_signal_that_is_ignored)
{
	check_same(WORDS(guest("signals_ignored"), "disturb"), 70);
}

Test(tracer_life, lets_no_fork_fail_for_what_a_wait_went_through)
{
	const char *rounds = word("%d", count_choose(30, 600));

	check_same(WORDS(guest("signals_ignored"), "fork_after", rounds), 1);
}

static const struct act settled[] = {
	{ "epoll_wait", 0, 0 },
	{ "epoll_wait.clone", 0, 0 },
	{ "semtimedop", 0, 0 },
	{ "semtimedop.clone", 0, 0 },
	{ "sigtimedwait", 0, 0 },
	{ "sigtimedwait.clone", 0, 0 },
	{ "recv", 0, 0 },
	{ "recv.clone", 0, 0 },
	{ "poll", 0, 0 },
	{ "poll.clone", 0, 0 },
	{ "nanosleep", 0, 0 },
	{ "nanosleep.clone", 0, 0 },
	{ "futex", 0, 0 },
	{ "futex.clone", 0, 0 },
};

/* At the limit the tracer stops threads that may be forking, and they may be waiting by then. */
Test(tracer_life, hides_the_stops_of_its_own_making)
{
	const char *rounds = word("%d", count_choose(30, 1000));
	cleanup_result struct run_result inside = run_once(&(struct run_spec){
		.options = WORDS("-P", "3", "--extra-allow-syscall", "sysv_ipc"),
		.command = WORDS(guest("signals_ignored"), "settle", rounds),
		.limit_seconds = 200,
	});

	acts_check_inside(&inside, settled, ARRAY_LEN(settled));
	cr_assert_not_null(strstr(inside.err, "EAGAIN"), "the limit was never reached");
}

/* The positive control: waits do feel them. */
Test(tracer_life, would_show_the_stops_of_its_own_making)
{
	cleanup_result struct run_result inside = run_once(&(struct run_spec){
		.binary = sandlock_faults_path(),
		.options = WORDS("-P", "3", "--extra-allow-syscall", "sysv_ipc"),
		.command = WORDS(guest("signals_ignored"), "settle", "50"),
		.env = WORDS("SANDLOCK_FAULT=signals-unrepaired"),
		.limit_seconds = 200,
	});

	cr_assert_gt(acts_get(&inside, "epoll_wait") + acts_get(&inside, "semtimedop") +
			     acts_get(&inside, "sigtimedwait") + acts_get(&inside, "recv"),
		0, "%s", inside.out);
}

static double seconds_of(const char *status, const char *member)
{
	const char *found = strstr(status, member);

	return found != NULL ? atof(found + strlen(member)) / 1e9 : -1000;
}

/* Stopped by its tracer most of the times that somebody looks, and stopped by the throttle all the
 * same: a fifth of two seconds is due, and without a throttle it would be all of them. */
Test(tracer_life, throttles_what_gets_signals_all_the_time)
{
	int lock = machine_lock();
	cleanup_result struct run_result inside = run_once(&(struct run_spec){
		.options = WORDS("-P", "10", "-c", "20", "-t", "2"),
		.command = WORDS(guest("signals_ignored"), "burn"),
	});
	double seconds = seconds_of(inside.status_json, "\"user_ns\":") +
			 seconds_of(inside.status_json, "\"system_ns\":");

	close(lock);
	cr_assert_eq(inside.exit_code, 124, "%d %s", inside.exit_code, inside.err);
	cr_assert(seconds > 0 && seconds < 1.2, "%s", inside.status_json);
}

/* The thread's end is the sandbox's, wherever it comes. */
Test(tracer_life, ends_everything_when_the_tracer_ends)
{
	static const char *const faults[] = { "SANDLOCK_FAULT=tracer-end:1",
		"SANDLOCK_FAULT=tracer-end:2", "SANDLOCK_FAULT=tracer-end:3",
		"SANDLOCK_FAULT=tracer-end:7", "SANDLOCK_FAULT=tracer-end:50",
		"SANDLOCK_FAULT=tracer-end:501" };

	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		cleanup_result struct run_result inside = run_once(&(struct run_spec){
			.binary = sandlock_faults_path(),
			.options = WORDS("-P", "1000"),
			.command = WORDS(guest("tracer_life"), "stop_storm", "100000"),
			.env = WORDS(faults[i]),
		});
		double gone = survivors_wait_gone(inside.marker, 0.2);
		const char *line = strchr(inside.err, '\n');

		cr_expect_eq(inside.exit_code, 125, "%s: %d", faults[i], inside.exit_code);
		cr_expect_not_null(strstr(inside.status_json, "\"reason\":\"supervisor\""),
			"%s: %s", faults[i], inside.status_json);
		cr_expect_not_null(strstr(inside.err, "tracer"), "%s: %s", faults[i], inside.err);
		cr_expect(line != NULL && line[1] == '\0', "not one line: %s", inside.err);
		cr_expect_geq(gone, 0.0, "%s: survivors", faults[i]);
		if (gone < 0) {
			survivors_kill(inside.marker);
		}
	}
}

/* The filter of an outer sandbox refuses ptrace. */
Test(tracer_life, works_in_a_sandbox_that_allows_ptrace_and_says_so_in_another)
{
	skip_if_all_is_traced();

	const char *const inner[] = { sandlock_path(), "run", "-P", "5", "-r", guests_directory(),
		"-r", "/usr", "-r", "/proc", "--", guest("tracer_life"), "nothing", NULL };
	const char *const env[] = { "ASAN_OPTIONS=detect_leaks=0", NULL };
	cleanup_result struct run_result refused = run_once(&(struct run_spec){
		.options = WORDS("-r", sandlock_path(), "-r", "/usr", "-r", "/proc"),
		.command = inner,
		.env = env });
	cleanup_result struct run_result allowed = run_once(
		&(struct run_spec){ .options = WORDS("-r", sandlock_path(), "-r", "/usr", "-r",
					    "/proc", "--extra-allow-syscall", "ptrace"),
			.command = inner,
			.env = env });
	const char *line = strchr(refused.err, '\n');

	cr_assert_eq(refused.exit_code, 125, "%d %s", refused.exit_code, refused.err);
	cr_assert_not_null(strstr(refused.err, "--extra-allow-syscall ptrace"));
	cr_assert(line != NULL && line[1] == '\0', "not one line: %s", refused.err);
	cr_assert_eq(allowed.exit_code, 9, "%d %s", allowed.exit_code, allowed.err);
}

/* What is traced already cannot be traced by an inner sandbox: it says so, and what helps. */
Test(tracer_life, says_why_an_inner_sandbox_cannot_trace)
{
	struct run_spec spec = {
		.options = WORDS("-P", "50", "-r", sandlock_path(), "-r", "/usr", "-r", "/proc"),
		.command = WORDS(sandlock_path(), "run", "-P", "5", "-r", guests_directory(), "-r",
			"/usr", "-r", "/proc", "--", guest("tracer_life"), "nothing"),
		.env = WORDS("ASAN_OPTIONS=detect_leaks=0"),
	};
	cleanup_result struct run_result inside = run_once(&spec);
	const char *line = strchr(inside.err, '\n');

	cr_assert_eq(inside.exit_code, 125, "%d %s", inside.exit_code, inside.err);
	cr_assert_not_null(strstr(inside.err, "--no-supervisor"), "%s", inside.err);
	cr_assert(line != NULL && line[1] == '\0', "not one line: %s", inside.err);
}

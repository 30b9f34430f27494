/* Handlers that block, that get stuck, and that never return: what it costs the others.  The test
 * brings rows of its own and a child that calls them. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/handler/call.h"
#include "core/supervisor/supervisor.h"
#include "core/supervisor/worker.h"
#include "core/tracee/tracee_memory.h"
#include "tests/live/harness.h"
#include "tests/notified_child.h"

#define CALLERS_MAX 64
#define QUICK_CALLS 200
#define MAGIC	    0x5a5a
#define WAIT_NS	    UINT64_C(20000000000)

/* What the child has seen; shared. */
struct board {
	_Atomic int answered; /* calls that were held and got the right answer */
	_Atomic int refused;  /* those that got EAGAIN */
	_Atomic int wrong;
	_Atomic int quick;	    /* quick calls that got the right answer */
	_Atomic int held_at_finish; /* calls that were still held when the last quick one ended */
	_Atomic int held;	    /* handlers that wait; also written by the test */
};

struct scene {
	int callers;	  /* that make a call which is held */
	int number;	  /* of that call */
	int quick_number; /* of the calls that must go on */
};

static struct board *board;
static int release_event; /* readable: every held handler goes on */
static struct scene scene;
static struct notified_child child;
static struct supervisor *supervisor;
static struct plan plan;

static void wait_for_release(void)
{
	struct pollfd source = { .fd = release_event, .events = POLLIN };

	atomic_fetch_add(&board->held, 1);
	while (poll(&source, 1, -1) < 0) { /* the end of a run interrupts a receiver */
	}
	atomic_fetch_sub(&board->held, 1);
}

static struct action block(struct call *call)
{
	if (worker_block_begin(call) < 0) {
		return action_errno(EAGAIN);
	}
	wait_for_release();
	worker_block_end(call);
	return action_return((int64_t)call->notif->args[0] ^ MAGIC);
}

static struct action get_stuck(struct call *call)
{
	wait_for_release();
	return action_return((int64_t)call->notif->args[0] ^ MAGIC);
}

/* Copies task memory. */
static struct action answer(struct call *call)
{
	uint64_t value = 0;

	if (tracee_read(call, call->notif->args[1], &value, sizeof(value)) < 0) {
		return action_errno(EFAULT);
	}
	return action_return((int64_t)value ^ MAGIC);
}

static bool always(const struct sandbox_policy *policy)
{
	(void)policy;
	return true;
}

static const struct trap_row rows[] = {
	{ SYS(getuid), CLASS_REGISTER, block, .blocks = true, .interruptible = true },
	{ SYS(geteuid), CLASS_REGISTER, get_stuck, .blocks = false, .interruptible = true },
	{ SYS(getgid), CLASS_REGISTER, get_stuck, .blocks = false, .interruptible = true },
	{ SYS(getegid), CLASS_ON_BEHALF, answer, .blocks = false, .interruptible = true },
	TRAP_END,
};
static const struct feature feature = { .name = "test", .wanted = always, .traps = rows };
static const struct feature *const features[] = { &feature, NULL };
static const int numbers[] = { SYS(getuid), SYS(geteuid), SYS(getgid), SYS(getegid) };

static int call_held(int number, int i)
{
	long r = syscall(number, i);

	if (r == (i ^ MAGIC)) {
		atomic_fetch_add(&board->answered, 1);
	} else {
		atomic_fetch_add(errno == EAGAIN ? &board->refused : &board->wrong, 1);
	}
	return 0;
}

/* Callers that are held, and when they are, one process that makes quick calls. */
static int act(void *context)
{
	const struct scene *act = context;

	for (int i = 0; i < act->callers; i++) {
		if (fork() == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			_exit(call_held(act->number, i));
		}
	}
	while (atomic_load(&board->held) + atomic_load(&board->refused) == 0) {
		(void)usleep(1000);
	}
	for (uint64_t i = 0; i < QUICK_CALLS; i++) {
		if (syscall(act->quick_number, 0, &i) == (long)(i ^ MAGIC)) {
			atomic_fetch_add(&board->quick, 1);
		}
	}
	atomic_store(&board->held_at_finish, atomic_load(&board->held));
	while (wait(NULL) > 0) {
	}
	return 0;
}

static void no_tree(void *context)
{
	(void)context;
}

static void start(unsigned int workers, struct scene what)
{
	struct error error = { 0 };

	scene = what;
	board = mmap(
		NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(board, MAP_FAILED);
	memset(board, 0, sizeof(*board));
	release_event = eventfd(0, EFD_CLOEXEC);
	cr_assert_eq(notify_plan_compile(NULL, features, &plan.notify, &error), 0);
	plan.workers_max = workers;
	child = notified_child_start(numbers, ARRAY_LEN(numbers), act, &scene);
	cr_assert_geq(child.listener, 0);
	cr_assert_eq(supervisor_start(
			     &plan, child.listener, child.pid, no_tree, NULL, &supervisor, &error),
		0, "%s", error.text);
	(void)close(child.gate);
}

static void wait_for(_Atomic int *value, int wanted)
{
	for (int i = 0; i < 8000 && atomic_load(value) < wanted; i++) {
		(void)usleep(1000);
	}
	cr_assert_geq(atomic_load(value), wanted);
}

static void let_go(void)
{
	uint64_t one = 1;

	cr_assert_eq(write(release_event, &one, sizeof(one)), sizeof(one));
}

/* Each row that anything was received of had one answer for each. */
static void check_balance(void)
{
	struct call_summary summaries[8];
	size_t count = supervisor_summarize(supervisor, summaries, ARRAY_LEN(summaries));

	cr_expect_gt(count, 0);
	for (size_t i = 0; i < count; i++) {
		cr_expect(call_summary_is_balanced(&summaries[i]), "call %d", summaries[i].nr);
	}
}

static void finish(void)
{
	cr_assert_eq(waitpid(child.pid, NULL, 0), child.pid);
	supervisor_stop(supervisor);
	check_balance();
	supervisor_destroy(supervisor);
	notify_plan_finish(&plan.notify);
	(void)close(release_event);
	(void)munmap(board, sizeof(*board));
}

TestSuite(handlers, .timeout = 60);

Test(handlers, that_block_cost_only_their_own_callers)
{
	static const int counts[] = { 8, 64 };

	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		start(256, (struct scene){ counts[i], SYS(getuid), SYS(getegid) });
		wait_for(&board->quick, QUICK_CALLS);
		wait_for(&board->held, counts[i]);
		let_go();
		wait_for(&board->answered, counts[i]);

		cr_expect_gt(board->held_at_finish, 0);
		cr_expect_eq(board->refused + board->wrong, 0);
		finish();
	}
}

Test(handlers, beyond_the_bound_are_refused_and_leave_one_worker)
{
	static const unsigned int workers[] = { 1, 2, 16 };

	for (size_t i = 0; i < ARRAY_LEN(workers); i++) {
		int room = workers[i] > 1 ? (int)workers[i] - 1 : 1;

		start(workers[i], (struct scene){ 20, SYS(getuid), SYS(getegid) });
		wait_for(&board->quick, QUICK_CALLS);
		wait_for(&board->held, room);
		wait_for(&board->refused, 20 - room);
		cr_expect_leq(atomic_load(&board->held), room);
		let_go();
		finish();
	}
}

/* The row is one that the receiver runs itself: its first call stops it, the others its workers. */
Test(handlers, that_get_stuck_do_not_stop_calls_of_other_rows)
{
	static const unsigned int workers[] = { 256, 16, 2, 1 };

	for (size_t i = 0; i < ARRAY_LEN(workers); i++) {
		start(workers[i], (struct scene){ 20, SYS(geteuid), SYS(getegid) });
		wait_for(&board->quick, QUICK_CALLS);
		cr_expect_gt(board->held_at_finish, 0);
		if (getenv("SANDLOCK_DISPATCH") == NULL) {
			cr_expect_geq(supervisor_handovers(supervisor), 1);
		}
		let_go();
		wait_for(&board->answered, 20);
		cr_expect_eq(board->wrong, 0);
		finish();
	}
}

Test(handlers, that_get_stuck_do_not_exhaust_the_workers)
{
	start(256, (struct scene){ 64, SYS(geteuid), SYS(getegid) });
	wait_for(&board->held, 64);
	wait_for(&board->quick, QUICK_CALLS);

	let_go();
	wait_for(&board->answered, 64);
	finish();
}

/* Thread states: what a thread of ours has switched voluntarily so far. */
static long count_wake_ups(void)
{
	FILE *pipe = popen("cat /proc/$PPID/task/*/status", "re");
	char line[256];
	long count = 0;

	while (fgets(line, sizeof(line), pipe) != NULL) {
		long number;

		if (sscanf(line, "voluntary_ctxt_switches: %ld", &number) == 1) {
			count += number;
		}
	}
	(void)pclose(pipe);
	return count;
}

Test(handlers, wake_nobody_when_none_runs)
{
	cleanup_close int lock = machine_lock();
	long before, after, alone;

	start(256, (struct scene){ 1, SYS(getuid), SYS(getegid) });
	wait_for(&board->quick, QUICK_CALLS);
	(void)usleep(50000);
	/* What the counting itself costs, and then with a rest in between: a thread that ticks
	 * every 2 ms would switch 250 times; ThreadSanitizer has one that switches five times. */
	before = count_wake_ups();
	alone = count_wake_ups() - before;
	before = count_wake_ups();
	(void)usleep(500000);
	after = count_wake_ups();

	cr_expect_leq(after - before, alone + 50, "%ld wake-ups, %ld of the counting",
		after - before, alone);
	let_go();
	finish();
}

/* What is left behind looks at the board of its run for ever, so each of these is a test alone. */
static void end_with_a_stuck_handler(int number)
{
	double began;

	start(2, (struct scene){ 5, number, SYS(getegid) });
	wait_for(&board->held, 1);
	(void)kill(child.pid, SIGKILL);
	(void)waitpid(child.pid, NULL, 0);
	began = now_seconds();
	cr_expect_not(supervisor_stop(supervisor));

	cr_expect_lt(now_seconds() - began, 5.0);
	check_balance();
	supervisor_destroy(supervisor);
}

Test(handlers, that_block_for_ever_do_not_hold_up_the_end)
{
	end_with_a_stuck_handler(SYS(getuid));
}

Test(handlers, that_never_return_do_not_hold_up_the_end)
{
	end_with_a_stuck_handler(SYS(geteuid));
}

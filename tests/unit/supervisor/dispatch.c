/* Who is asked, in which order, and what happens to a call that nobody has an opinion on. */
// SPDX-License-Identifier: Apache-2.0
/* native only: the stand-in does not expect signals */

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "core/plan/notify_plan.h"
#include "core/supervisor/dispatch.h"
#include "core/supervisor/guard.h"
#include "core/supervisor/receiver.h"

static char asked[16];
static size_t asked_count;

static struct action say_next(struct call *call)
{
	(void)call;
	asked[asked_count++] = 'n';
	return action_next();
}

static struct action say_three(struct call *call)
{
	(void)call;
	asked[asked_count++] = '3';
	return action_return(3);
}

static struct action say_four(struct call *call)
{
	(void)call;
	asked[asked_count++] = '4';
	return action_return(4);
}

static struct action read_and_say_next(struct call *call)
{
	call->has_read_memory = true;
	return action_next();
}

static bool always(const struct sandbox_policy *policy)
{
	(void)policy;
	return true;
}

static bool never(const struct sandbox_policy *policy)
{
	(void)policy;
	return false;
}

static const struct arg_test first_is_one = ARG_IS(0, INT, 1);
static const struct trap_row first_traps[] = {
	{ SYS(getpid), CLASS_REGISTER, say_next, .only_if = NULL },
	{ SYS(getppid), CLASS_REGISTER, say_three, .only_if = &first_is_one },
	{ SYS(futex_wait), CLASS_DOOR, read_and_say_next, .blocks = true },
	{ SYS(gettid), CLASS_ON_BEHALF, read_and_say_next, .only_if = NULL },
	{ -1, CLASS_REGISTER, say_four, .only_if = NULL },
	TRAP_END,
};
static const struct trap_row second_traps[] = {
	{ SYS(getppid), CLASS_REGISTER, say_four, .only_if = NULL },
	{ SYS(getpid), CLASS_REGISTER, say_three, .only_if = NULL },
	TRAP_END,
};
static const struct trap_row unwanted_traps[] = {
	{ SYS(getuid), CLASS_REGISTER, say_four, .only_if = NULL },
	TRAP_END,
};
static const struct feature first = { .name = "first", .wanted = always, .traps = first_traps };
static const struct feature second = { .name = "second", .wanted = always, .traps = second_traps };
static const struct feature unwanted = {
	.name = "unwanted", .wanted = never, .traps = unwanted_traps
};
static const struct feature *const all[] = { &first, &unwanted, &second, NULL };

static struct notify_plan notify;
static struct dispatch_table table;

static void set_up(void)
{
	cr_assert_eq(notify_plan_compile(NULL, all, &notify, NULL), 0);
	cr_assert_eq(dispatch_table_init(&table, &notify), 0);
}

static void tear_down(void)
{
	dispatch_table_finish(&table);
	notify_plan_finish(&notify);
}

TestSuite(dispatch, .init = set_up, .fini = tear_down);

static struct action ask(int nr, uint64_t argument)
{
	struct notif notif = { .nr = nr, .tid = 1, .args = { argument } };
	struct call call;

	asked_count = 0;
	call_begin(&call, NULL, NULL, &notif);
	return dispatch_ask(dispatch_find(&table, nr), &call);
}

Test(dispatch, asks_in_the_order_of_the_features_until_one_has_an_opinion)
{
	struct action action = ask(SYS(getpid), 0);

	cr_assert_eq(action.value, 3);
	cr_assert_arr_eq(asked, "n3", 2);
}

Test(dispatch, asks_only_rows_whose_test_holds)
{
	cr_expect_eq(ask(SYS(getppid), 1).value, 3);
	cr_expect_eq(ask(SYS(getppid), 2).value, 4);
}

Test(dispatch, refuses_a_call_that_no_row_asked_for)
{
	cr_expect_eq(ask(SYS(getuid), 0).error, EPERM);
	cr_expect_eq(ask(-5, 0).error, EPERM);
	cr_expect_eq(ask(100000, 0).error, EPERM);
}

Test(dispatch, lets_a_door_continue_after_it_has_read_memory)
{
	cr_assert_eq(ask(SYS(futex_wait), 0).kind, ACTION_NEXT);
	cr_assert(dispatch_find(&table, SYS(futex_wait))->blocks);
	cr_assert_not(dispatch_find(&table, SYS(getpid))->blocks);
}

Test(dispatch, stops_a_handler_that_would_continue_on_the_strength_of_memory, .signal = SIGABRT)
{
	(void)ask(SYS(gettid), 0);
}

Test(guard, lets_the_kernel_run_what_a_visible_task_asked_for)
{
	struct notif seen = { .tid = 5 }, unseen = { .tid = 0 };
	struct call call;

	call_begin(&call, NULL, NULL, &seen);
	cr_assert_eq(guard_ask(&call).kind, ACTION_NEXT);
	call_begin(&call, NULL, NULL, &unseen);
	cr_assert_eq(guard_ask(&call).error, EPERM);
}

Test(backlog, grows_with_the_callers_and_forgets_them_when_the_receiver_has_slept)
{
	struct backlog backlog = { 0 };
	bool crowded = false;

	for (int round = 0; round < 100; round++) {
		cr_assert_not(backlog_note(&backlog, 100 + round % 2, false), "two callers");
	}
	backlog = (struct backlog){ 0 };
	for (int tid = 1; tid <= 8; tid++) {
		crowded = backlog_note(&backlog, tid, false);
	}
	cr_assert(crowded);
	cr_assert_not(backlog_note(&backlog, 1, true));
}

Test(counters, balance_when_each_notification_had_one_answer)
{
	static struct call_counters counters;
	struct call_summary summary;

	counters_receive(&counters);
	counters_receive(&counters);
	counters_answer(&counters, REPLY_DONE, 1000);
	counters_summarize(&counters, 39, &summary);
	cr_assert_not(call_summary_is_balanced(&summary));

	counters_answer(&counters, REPLY_LOST, 3000);
	counters_summarize(&counters, 39, &summary);
	cr_assert(call_summary_is_balanced(&summary));
	cr_assert_eq(summary.received, 2);
	cr_assert_eq(summary.lost, 1);
	cr_assert_float_eq((double)summary.p99_ns, 3000.0, 375.0);
}

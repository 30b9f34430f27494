/* The undo list of a call. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/handler/call.h"

static char order[16];

static void note(void *name)
{
	(void)strcat(order, name);
}

static void run_with(struct action action, enum reply_result result)
{
	struct call call;

	order[0] = '\0';
	call_begin(&call, NULL, NULL, NULL);
	cr_assert_eq(call_undo_add(&call, note, "a"), 0);
	cr_assert_eq(call_undo_add(&call, note, "b"), 0);
	call_end(&call, &action, result);
}

Test(call, undoes_in_reverse_order_what_was_lost_or_refused)
{
	struct action failed_injection = action_inject_fd(-1, ACTION_SLOT_LOWEST, true);

	failed_injection.error = EMFILE;
	run_with(action_return(0), REPLY_LOST);
	cr_expect_str_eq(order, "ba");
	run_with(action_next(), REPLY_LOST);
	cr_expect_str_eq(order, "ba");
	run_with(action_errno(EPERM), REPLY_DONE);
	cr_expect_str_eq(order, "ba");
	run_with(action_kill_task(), REPLY_DONE);
	cr_expect_str_eq(order, "ba");
	run_with(failed_injection, REPLY_DONE);
	cr_expect_str_eq(order, "ba");
}

Test(call, keeps_what_the_task_got)
{
	run_with(action_return(3), REPLY_DONE);
	cr_expect_str_eq(order, "");
	run_with(action_inject_fd(-1, ACTION_SLOT_LOWEST, true), REPLY_DONE);
	cr_expect_str_eq(order, "");
	run_with(action_next(), REPLY_CONTINUED);
	cr_expect_str_eq(order, "");
}

Test(call, refuses_more_undos_than_it_can_hold)
{
	struct call call;

	call_begin(&call, NULL, NULL, NULL);
	for (int i = 0; i < CALL_UNDO_MAX; i++) {
		cr_assert_eq(call_undo_add(&call, note, "a"), 0);
	}

	cr_assert_eq(call_undo_add(&call, note, "a"), -ENOSPC);
}

/* What features ask for, as the filter is told of it. */
// SPDX-License-Identifier: Apache-2.0
/* native only: a whole plan asks the kernel for Landlock, which qemu-user does not pass on */

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/interpreter.h"
#include "core/plan/plan.h"
#include "core/policy/policy.h"

static struct action say_next(struct call *call)
{
	(void)call;
	return action_next();
}

static bool always(const struct sandbox_policy *policy)
{
	(void)policy;
	return true;
}

static const struct arg_test first_is_one = ARG_IS(0, INT, 1);
static const struct arg_test first_is_two = ARG_IS(0, INT, 2);
static const struct arg_test is_any_command = ARG_WITHIN(1, INT, 0, UINT32_MAX);

#define FEATURE(id, ...)                                                                           \
	static const struct trap_row id##_traps[] = { __VA_ARGS__, TRAP_END };                     \
	static const struct feature id = { .name = #id, .wanted = always, .traps = id##_traps };   \
	static const struct feature *const only_##id[] = { &id, NULL }

FEATURE(plain, { SYS(uname), CLASS_REGISTER, say_next, .only_if = NULL },
	{ SYS(getpid), CLASS_REGISTER, say_next, .only_if = &first_is_one },
	{ SYS(getpid), CLASS_REGISTER, say_next, .only_if = &first_is_two });
FEATURE(greedy, { SYS(ioctl), CLASS_REGISTER, say_next, .only_if = &is_any_command },
	{ SYS(reboot), CLASS_REGISTER, say_next, .only_if = NULL },
	{ SYS(socket), CLASS_REGISTER, say_next, .only_if = NULL },
	{ SYS(clone), CLASS_REGISTER, say_next, .only_if = NULL });
FEATURE(deadly, { SYS(futex), CLASS_REGISTER, say_next, .only_if = NULL });

static struct sandbox_policy policy;

static void set_up(void)
{
	policy_init(&policy);
	string_list_add(&policy.program.argv, "/bin/true");
}

static void tear_down(void)
{
	policy_finish(&policy);
}

TestSuite(notify_plan, .init = set_up, .fini = tear_down);

static struct plan compile(const struct feature *const *features)
{
	struct error error;
	struct plan plan;

	cr_assert_eq(plan_compile(&policy, features, &plan, &error), 0, "%s", error.text);
	cr_assert(bpf_program_is_valid(&plan.filter));
	return plan;
}

static uint32_t verdict(const struct plan *plan, int nr, uint64_t a, uint64_t b, uint64_t c)
{
	struct seccomp_data call = {
		.nr = nr, .arch = arch_audit_token(ARCH_NATIVE), .args = { a, b, c }
	};

	return bpf_program_run(&plan->filter, &call, NULL);
}

Test(notify_plan, changes_nothing_for_a_policy_that_wants_no_feature)
{
	struct plan with = compile((const struct feature *const[]){ NULL });
	struct plan without = compile(NULL);

	cr_assert_not(notify_plan_needs_listener(&with.notify));
	cr_assert_eq(with.filter.count, without.filter.count);
	cr_assert_arr_eq(with.filter.instructions, without.filter.instructions,
		with.filter.count * sizeof(struct sock_filter));
	plan_finish(&with);
	plan_finish(&without);
}

Test(notify_plan, notifies_of_what_was_asked_and_only_of_that)
{
	struct plan plan = compile(only_plain);

	cr_expect(notify_plan_needs_listener(&plan.notify));
	cr_expect_eq(verdict(&plan, SYS(uname), 0, 0, 0), SECCOMP_RET_USER_NOTIF);
	cr_expect_eq(verdict(&plan, SYS(getpid), 1, 0, 0), SECCOMP_RET_USER_NOTIF);
	cr_expect_eq(verdict(&plan, SYS(getpid), 2, 0, 0), SECCOMP_RET_USER_NOTIF);
	cr_expect_eq(verdict(&plan, SYS(getpid), 3, 0, 0), SECCOMP_RET_ALLOW);
	cr_expect_eq(verdict(&plan, SYS(getppid), 1, 0, 0), SECCOMP_RET_ALLOW);
	plan_finish(&plan);
}

/* The denials of the rows, one by number, two by argument. */
Test(notify_plan, leaves_denied_what_the_rows_deny)
{
	struct plan plan = compile(only_greedy);

	cr_expect_eq(verdict(&plan, SYS(reboot), 0, 0, 0), SECCOMP_RET_ERRNO | EPERM);
	cr_expect_eq(verdict(&plan, SYS(ioctl), 0, 0x5412, 0), SECCOMP_RET_ERRNO | EPERM);
	cr_expect_eq(verdict(&plan, SYS(ioctl), 0, 1, 0), SECCOMP_RET_USER_NOTIF);
	cr_expect_eq(verdict(&plan, SYS(socket), 17, 3, 0), SECCOMP_RET_ERRNO | EPERM);
	cr_expect_eq(verdict(&plan, SYS(clone), 0x10000000, 0, 0), SECCOMP_RET_ERRNO | EPERM);
	cr_expect_eq(verdict(&plan, SYS(clone), 17, 0, 0), SECCOMP_RET_USER_NOTIF);
	plan_finish(&plan);
}

Test(notify_plan, agrees_with_the_rows_on_random_calls)
{
	static const struct feature *const both[] = { &plain, &greedy, NULL };
	struct plan plan = compile(both);

	srandom(1);
	for (int i = 0; i < 200000; i++) {
		struct seccomp_data call = { .nr = (int)(random() % 480),
			.arch = arch_audit_token(ARCH_NATIVE) };

		for (int a = 0; a < 6; a++) {
			call.args[a] = random() % 2 == 0 ? (uint64_t)random() % 64
							 : (uint64_t)random() << 32 | random();
		}
		cr_assert_eq(bpf_program_run(&plan.filter, &call, NULL),
			verdict_return_value(
				syscall_rules_verdict(ARCH_NATIVE, &plan.choices, &call)),
			"call %d", call.nr);
	}
	plan_finish(&plan);
}

Test(notify_plan, refuses_a_feature_that_would_hold_up_the_hand_over)
{
	struct error error = { 0 };
	struct plan plan;

	cr_assert_eq(plan_compile(&policy, only_deadly, &plan, &error), -EINVAL);
	cr_assert_not_null(strstr(error.text, "futex"), "%s", error.text);
}

Test(notify_plan, asks_nobody_without_a_supervisor)
{
	policy.run.no_supervisor = true;
	struct plan plan = compile(only_plain);

	cr_assert_not(notify_plan_needs_listener(&plan.notify));
	cr_assert_eq(verdict(&plan, SYS(uname), 0, 0, 0), SECCOMP_RET_ALLOW);
	plan_finish(&plan);
}

Test(notify_plan, names_the_features_that_look_at_a_call)
{
	static const struct feature *const both[] = { &plain, &greedy, &plain, NULL };
	struct plan plan = compile(both);
	cleanup_text struct text text = { 0 };

	notify_plan_add_features(&plan.notify, SYS(uname), &text);
	cr_assert_str_eq(text.bytes, "plain");
	plan_finish(&plan);
}

static int approve(struct call *call, const struct exec_request *request)
{
	(void)call;
	(void)request;
	return 0;
}

Test(notify_plan, needs_a_tracer_for_a_judge_and_for_calls_that_signals_must_not_end)
{
	static const struct trap_row ending[] = {
		{ SYS(uname), CLASS_REGISTER, say_next, .interruptible = true }, TRAP_END
	};
	static const struct feature without = {
		.name = "ending", .wanted = always, .traps = ending
	};
	static const struct feature judge = {
		.name = "judge", .wanted = always, .traps = ending, .judge_exec = approve
	};
	static const struct feature *const lists[][2] = { { &without, NULL }, { &judge, NULL },
		{ &plain, NULL } };
	static const bool expected[] = { false, true, true };

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		struct plan plan = compile(lists[i]);

		cr_expect_eq(notify_plan_needs_tracer(&plan.notify), expected[i], "%zu", i);
		plan_finish(&plan);
	}
}

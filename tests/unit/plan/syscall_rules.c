/* The rows are complete, and the compiled filter says what they say. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/interpreter.h"
#include "core/plan/syscall_rules.h"

static const struct syscall_choices supervised = { .supervised = true };
static const struct syscall_choices unsupervised = { .supervised = false };

Test(syscall_rules, say_of_every_call_who_polices_it_and_why)
{
	for (enum syscall_id id = 0; id < SYSCALL_COUNT; id++) {
		struct syscall_rule rule = syscall_rules_get(&supervised, id);

		cr_assert_not_null(rule.reason, "%s has no row", syscall_name(id));
		cr_assert_gt(strlen(rule.reason), 6u, "%s: %s", syscall_name(id), rule.reason);
		cr_assert_not_null(syscall_police_name(rule.police));
	}
}

Test(syscall_rules, call_nothing_refused_that_is_allowed)
{
	for (enum syscall_id id = 0; id < SYSCALL_COUNT; id++) {
		struct syscall_rule rule = syscall_rules_get(&supervised, id);

		if (rule.police == SYSCALL_POLICE_REFUSED) {
			cr_assert_neq(rule.verdict, VERDICT_ALLOW, "%s", syscall_name(id));
			cr_assert_not(rule.is_tested, "%s", syscall_name(id));
		} else if (rule.police != SYSCALL_POLICE_ARGUMENTS) {
			cr_assert_eq(rule.verdict, VERDICT_ALLOW, "%s", syscall_name(id));
		}
	}
}

Test(syscall_rules, never_allow_less_without_a_supervisor)
{
	for (enum syscall_id id = 0; id < SYSCALL_COUNT; id++) {
		enum verdict with = syscall_rules_get(&supervised, id).verdict;
		enum verdict without = syscall_rules_get(&unsupervised, id).verdict;

		cr_assert(without == with || without == VERDICT_ALLOW, "%s", syscall_name(id));
	}
}

/* The default deny list of the specification, in its words. */
Test(syscall_rules, deny_what_the_specification_lists)
{
	static const char *const names[] = { "mount", "umount2", "pivot_root", "swapon", "swapoff",
		"reboot", "sethostname", "setdomainname", "kexec_load", "init_module",
		"finit_module", "delete_module", "setns", "perf_event_open", "bpf", "userfaultfd",
		"keyctl", "add_key", "request_key", "ptrace", "process_vm_readv",
		"process_vm_writev", "open_by_handle_at", "name_to_handle_at", "ioperm", "iopl",
		"quotactl", "acct", "lookup_dcookie", "nfsservctl", "io_uring_setup",
		"io_uring_enter", "io_uring_register", "shmget", "shmat", "shmdt", "shmctl",
		"msgget", "msgsnd", "msgrcv", "msgctl", "semget", "semop", "semctl", "semtimedop",
		"clone3", "kexec_file_load", "open_tree", "move_mount", "fsopen", "fsmount",
		"fspick", "mount_setattr", "listmount", "statmount", "syslog", "fanotify_init" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct syscall_rule rule = syscall_rules_get(&supervised, syscall_find(names[i]));

		cr_assert_neq(rule.verdict, VERDICT_ALLOW, "%s", names[i]);
		cr_assert_not(rule.is_tested, "%s", names[i]);
	}
}

Test(syscall_rules, leave_a_sandbox_inside_what_it_needs_when_unsupervised)
{
	static const enum syscall_id needed[] = { SYSCALL_seccomp, SYSCALL_landlock_restrict_self,
		SYSCALL_ptrace, SYSCALL_unshare, SYSCALL_setns, SYSCALL_mount, SYSCALL_umount2,
		SYSCALL_pivot_root, SYSCALL_process_vm_readv, SYSCALL_process_vm_writev,
		SYSCALL_pidfd_getfd, SYSCALL_personality };

	for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
		struct syscall_rule rule = syscall_rules_get(&unsupervised, needed[i]);

		cr_assert_eq(rule.verdict, VERDICT_ALLOW, "%s", syscall_name(needed[i]));
		cr_assert_not(rule.is_tested, "%s", syscall_name(needed[i]));
	}
}

Test(syscall_rules, allow_every_member_of_an_allowed_group)
{
	for (int group = 0; group < SYSCALL_GROUP_COUNT; group++) {
		const struct syscall_group_info *info = syscall_group_get(group);
		struct syscall_choices choices = {
			.supervised = true,
			.allowed_groups = 1u << group,
		};

		for (size_t i = 0; i < info->member_count; i++) {
			struct syscall_rule rule = syscall_rules_get(&choices, info->members[i]);

			cr_assert_eq(rule.verdict, VERDICT_ALLOW);
			cr_assert_not(rule.is_tested);
			cr_assert_eq(rule.police, SYSCALL_POLICE_USER);
		}
	}
}

static enum verdict verdict_of(const struct syscall_choices *choices, enum syscall_id id,
	uint64_t arg0, uint64_t arg1, uint64_t arg2)
{
	struct seccomp_data call = {
		.arch = arch_audit_token(ARCH_X86_64),
		.nr = syscall_number(ARCH_X86_64, id),
		.args = { arg0, arg1, arg2 },
	};

	return syscall_rules_verdict(ARCH_X86_64, choices, &call);
}

Test(syscall_rules, let_each_choice_open_its_own_sockets_only)
{
	struct syscall_choices tcp = { .supervised = true, .tcp_sockets = true };
	struct syscall_choices local = { .supervised = true, .unix_sockets = true };
	struct syscall_choices group = {
		.supervised = true,
		.allowed_groups = 1u << SYSCALL_GROUP_UNIX_SOCKETS,
	};

	cr_assert_eq(verdict_of(&tcp, SYSCALL_socket, 2, 1, 0), VERDICT_ALLOW);
	cr_assert_eq(verdict_of(&tcp, SYSCALL_socket, 1, 1, 0), VERDICT_EPERM);
	cr_assert_eq(verdict_of(&local, SYSCALL_socket, 1, 1, 0), VERDICT_ALLOW);
	cr_assert_eq(verdict_of(&local, SYSCALL_socket, 2, 1, 0), VERDICT_EPERM);
	cr_assert_eq(verdict_of(&group, SYSCALL_socket, 1, 2, 0), VERDICT_ALLOW);
	cr_assert_eq(verdict_of(&supervised, SYSCALL_socket, 1, 1, 0), VERDICT_EPERM);
	cr_assert_eq(verdict_of(&supervised, SYSCALL_socketpair, 1, 1, 0), VERDICT_ALLOW);
}

Test(syscall_rules, let_listen_only_where_something_may_listen)
{
	struct syscall_choices port = { .supervised = true, .tcp_sockets = true, .listen = true };
	struct syscall_choices tcp = { .supervised = true, .tcp_sockets = true };
	struct syscall_choices local = { .supervised = true, .unix_sockets = true };

	cr_assert_eq(verdict_of(&port, SYSCALL_listen, 3, 5, 0), VERDICT_ALLOW);
	cr_assert_eq(verdict_of(&tcp, SYSCALL_listen, 3, 5, 0), VERDICT_EPERM);
	cr_assert_eq(verdict_of(&local, SYSCALL_listen, 3, 5, 0), VERDICT_ALLOW);
}

Test(syscall_rules, let_leaksanitizer_make_its_tracer_only_with_the_ptrace_group)
{
	/* CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_UNTRACED */
	const uint64_t flags = 0x100 | 0x200 | 0x400 | 0x800000;
	struct syscall_choices debugging = {
		.supervised = true,
		.allowed_groups = 1u << SYSCALL_GROUP_PTRACE,
	};

	cr_assert_eq(verdict_of(&debugging, SYSCALL_clone, flags, 0, 0), VERDICT_ALLOW);
	cr_assert_eq(verdict_of(&debugging, SYSCALL_prctl, 0x59616d61, 1, 0), VERDICT_ALLOW);
	cr_assert_eq(verdict_of(&supervised, SYSCALL_clone, flags, 0, 0), VERDICT_EPERM);
	cr_assert_eq(verdict_of(&debugging, SYSCALL_clone, flags | 0x8000, 0, 0), VERDICT_EPERM);
}

static struct syscall_choices random_choices(void)
{
	struct syscall_choices choices = {
		.supervised = rand() % 2,
		.allowed_groups = (uint32_t)rand() % (1u << SYSCALL_GROUP_COUNT),
		.denied_groups = (uint32_t)rand() % (1u << SYSCALL_GROUP_COUNT),
		.tcp_sockets = rand() % 2,
		.listen = rand() % 2,
		.unix_sockets = rand() % 2,
	};

	for (int i = rand() % 3 == 0 ? 300 : 0; i > 0; i--) {
		choices.denied[rand() % SYSCALL_COUNT] = true;
	}
	return choices;
}

Test(syscall_rules, compile_to_what_they_say_for_random_policies)
{
	const char *counts = getenv("SANDLOCK_COUNTS");
	int rounds = counts != NULL && strcmp(counts, "full") == 0 ? 1000 : 50;

	srand(1);
	for (int round = 0; round < rounds * ARCH_COUNT; round++) {
		cleanup_bpf_program struct bpf_program program = { 0 };
		struct syscall_choices choices = random_choices();
		enum arch arch = (enum arch)(round % ARCH_COUNT);

		cr_assert_eq(syscall_rules_compile(arch, &choices, &program), 0);
		cr_assert(bpf_program_is_valid(&program));
		for (int nr = -1; nr < 1024; nr++) {
			struct seccomp_data call = { .arch = arch_audit_token(arch), .nr = nr };

			for (size_t i = 0; i < 6; i++) {
				call.args[i] = rand() % 2 == 0 ? (uint64_t)rand() % 12
							       : 1ULL << rand() % 64;
			}
			cr_assert_eq(bpf_program_run(&program, &call, NULL),
				verdict_return_value(syscall_rules_verdict(arch, &choices, &call)),
				"round %d, nr %d", round, nr);
		}
	}
}

Test(syscall_rules, describe_what_the_filter_answers)
{
	cleanup_bpf_program struct bpf_program program = { 0 };

	cr_assert_eq(syscall_rules_compile(ARCH_X86_64, &supervised, &program), 0);

	for (enum syscall_id id = 0; id < SYSCALL_COUNT; id++) {
		struct syscall_rule rule = syscall_rules_get(&supervised, id);
		struct seccomp_data call = {
			.arch = arch_audit_token(ARCH_X86_64),
			.nr = syscall_number(ARCH_X86_64, id),
		};

		if (call.nr >= 0 && !rule.is_tested) {
			cr_assert_eq(bpf_program_run(&program, &call, NULL),
				verdict_return_value(rule.verdict), "%s", syscall_name(id));
		}
	}
}

Test(syscall_rules, stay_short_enough_to_start_quickly)
{
	for (enum arch arch = 0; arch < ARCH_COUNT; arch++) {
		cleanup_bpf_program struct bpf_program program = { 0 };

		cr_assert_eq(syscall_rules_compile(arch, &supervised, &program), 0);

		cr_assert_lt(program.count, 180u, "%s", arch_name(arch));
	}
}

static void *compile_often(void *expected)
{
	const struct bpf_program *wanted = expected;
	bool equal = true;

	for (int i = 0; i < 50 && equal; i++) {
		cleanup_bpf_program struct bpf_program program = { 0 };

		equal = syscall_rules_compile(ARCH_NATIVE, &supervised, &program) == 0 &&
			program.count == wanted->count &&
			memcmp(program.instructions, wanted->instructions,
				program.count * sizeof(*program.instructions)) == 0;
	}
	return equal ? expected : NULL;
}

Test(syscall_rules, compile_in_several_threads_at_once)
{
	cleanup_bpf_program struct bpf_program program = { 0 };
	pthread_t threads[4];

	cr_assert_eq(syscall_rules_compile(ARCH_NATIVE, &supervised, &program), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		cr_assert_eq(pthread_create(&threads[i], NULL, compile_often, &program), 0);
	}

	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		void *result = NULL;

		cr_assert_eq(pthread_join(threads[i], &result), 0);
		cr_assert_eq(result, (void *)&program);
	}
}

/* The compiled filters on the running kernel: the rows, and every number with bad pointers.
 *
 * Each call is made by a child of its own without capabilities.  Three runs tell who answered: the
 * filter itself; the filter with its errors replaced by values that no call returns; and, of calls
 * that are allowed, no filter at all. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bpf/golden.h"
#include "tests/bpf/rows.h"

/* As a pointer it faults, as a descriptor, process, signal or size it is none. */
#define BAD_ARGUMENT 0xfffffffffffff008

/* The kernel passes errors up to 4095 on; it has none of its own up there. */
#define MARK_EPERM  4000
#define MARK_ENOSYS 4001

#define CALL_TIMEOUT_MS 2000

struct outcome {
	bool answered; /* the call returned; otherwise it ended the child, or blocked */
	bool failed;
	int error;
};

#define PREPARATION_FAILED 77

/* As the child of a sandbox is before its filter. */
static void prepare(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };

	/* Some calls end in a fault; a sanitizer should not report it. */
	(void)signal(SIGSEGV, SIG_DFL);
	for (int capability = 0; prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0; capability++) {
	}
	if (syscall(SYS_capset, &header, none) != 0 ||
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
		_exit(PREPARATION_FAILED);
	}
}

static void install(const struct bpf_program *program)
{
	struct sock_fprog filter = { (unsigned short)program->count, program->instructions };

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) != 0) {
		_exit(PREPARATION_FAILED);
	}
}

static void call_and_report(
	const struct bpf_program *program, int nr, const uint64_t arguments[6], int report)
{
	struct outcome outcome = { .answered = true };

	prepare();
	if (program != NULL) {
		install(program);
	}
	outcome.failed = syscall(nr, arguments[0], arguments[1], arguments[2], arguments[3],
				 arguments[4], arguments[5]) == -1;
	outcome.error = outcome.failed ? errno : 0;
	(void)!write(report, &outcome, sizeof(outcome)); /* a missing report is noticed */
	_exit(0);
}

static struct outcome make_call(
	const struct bpf_program *program, int nr, const uint64_t arguments[6])
{
	struct outcome outcome = { 0 };
	struct pollfd waiting = { .events = POLLIN };
	int report[2], status;
	pid_t child;

	cr_assert_eq(pipe(report), 0);
	child = fork();
	cr_assert_geq(child, 0);
	if (child == 0) {
		call_and_report(program, nr, arguments, report[1]);
	}
	cr_assert_eq(close(report[1]), 0);
	waiting.fd = report[0];
	if (poll(&waiting, 1, CALL_TIMEOUT_MS) == 1 &&
		read(report[0], &outcome, sizeof(outcome)) != sizeof(outcome)) {
		outcome.answered = false;
	}
	(void)kill(child, SIGKILL); /* it may be gone already */
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(!WIFEXITED(status) || WEXITSTATUS(status) != PREPARATION_FAILED);
	cr_assert_eq(close(report[0]), 0);
	return outcome;
}

/* The same program with errors that only it can return. */
static void mark(const struct bpf_program *program, struct bpf_program *ret_marked)
{
	size_t size = program->count * sizeof(struct sock_filter);

	ret_marked->instructions = must_allocate(size);
	ret_marked->count = program->count;
	memcpy(ret_marked->instructions, program->instructions, size);
	for (size_t i = 0; i < program->count; i++) {
		struct sock_filter *instruction = &ret_marked->instructions[i];

		if (instruction->code != (BPF_RET | BPF_K)) {
			continue;
		}
		if (instruction->k == (SECCOMP_RET_ERRNO | EPERM)) {
			instruction->k = SECCOMP_RET_ERRNO | MARK_EPERM;
		} else if (instruction->k == (SECCOMP_RET_ERRNO | ENOSYS)) {
			instruction->k = SECCOMP_RET_ERRNO | MARK_ENOSYS;
		}
	}
}

/* One call under a filter whose answer to it should be `wanted`, a SECCOMP_RET_ value. */
static void check_call(const struct bpf_program *program, const struct bpf_program *marked, int nr,
	const uint64_t arguments[6], uint32_t wanted, const char *what)
{
	struct outcome real = make_call(program, nr, arguments);
	struct outcome by_mark = make_call(marked, nr, arguments);

	if (wanted != SECCOMP_RET_ALLOW) {
		int error = (int)(wanted & SECCOMP_RET_DATA);

		cr_assert(real.failed && real.error == error, "%s: errno %d, not %d", what,
			real.error, error);
		cr_assert_eq(by_mark.error, error == EPERM ? MARK_EPERM : MARK_ENOSYS,
			"%s: not the filter answers %d", what, by_mark.error);
	} else {
		struct outcome bare = make_call(NULL, nr, arguments);

		cr_assert(by_mark.error != MARK_EPERM && by_mark.error != MARK_ENOSYS,
			"%s is refused by the filter", what);
		cr_assert(real.answered == bare.answered && real.failed == bare.failed &&
				  real.error == bare.error,
			"%s: errno %d inside, %d outside", what, real.error, bare.error);
	}
}

static void check_row(const char *file, const struct rows_line *line,
	const struct bpf_program *program, const struct bpf_program *marked)
{
	uint64_t arguments[6];
	char what[96];

	for (size_t i = 0; i < 6; i++) {
		arguments[i] = line->is_any[i] ? BAD_ARGUMENT : line->arguments[i];
	}
	(void)snprintf(
		what, sizeof(what), "%s.rows:%zu: %s", file, line->number, syscall_name(line->id));
	check_call(program, marked, syscall_number(ARCH_NATIVE, line->id), arguments,
		verdict_return_value(line->verdict), what);
}

Test(filter_kernel, obeys_the_rows, .timeout = 120)
{
	static struct rows rows;

	for (size_t file = 0; file < ARRAY_LEN(rows_files); file++) {
		cleanup_bpf_program struct bpf_program program = { 0 }, marked = { 0 };

		rows_load(rows_files[file], &rows);
		cr_assert_eq(syscall_rules_compile(ARCH_NATIVE, &rows.choices, &program), 0);
		mark(&program, &marked);
		for (size_t i = 0; i < rows.count; i++) {
			if (!rows.lines[i].not_live &&
				syscall_number(ARCH_NATIVE, rows.lines[i].id) >= 0) {
				check_row(rows_files[file], &rows.lines[i], &program, &marked);
			}
		}
	}
}

/* Allowed calls that cannot be made for the comparison. */
static const struct {
	int nr;
	const char *reason;
} skipped[] = {
	{ SYS(pause), "blocks until a signal comes" },
	{ SYS(vfork), "its child would run on the stack of the caller" },
};

static bool is_skipped(int nr)
{
	for (size_t i = 0; i < ARRAY_LEN(skipped); i++) {
		if (skipped[i].nr == nr) {
			return true;
		}
	}
	return false;
}

static void walk_numbers(enum golden_run run, const struct syscall_choices *choices)
{
	static const uint64_t arguments[6] = { BAD_ARGUMENT, BAD_ARGUMENT, BAD_ARGUMENT,
		BAD_ARGUMENT, BAD_ARGUMENT, BAD_ARGUMENT };
	struct golden *golden = golden_load(arch_name(ARCH_NATIVE));
	cleanup_bpf_program struct bpf_program program = { 0 }, marked = { 0 };

	cr_assert_eq(syscall_rules_compile(ARCH_NATIVE, choices, &program), 0);
	mark(&program, &marked);
	for (int nr = 0; nr < 1024; nr++) {
		struct seccomp_data call = { .nr = nr, .arch = golden->audit_token };
		char what[64];

		memcpy(call.args, arguments, sizeof(arguments));
		(void)snprintf(what, sizeof(what), "%d %s", nr,
			nr < GOLDEN_NUMBERS ? golden->rows[nr].name : "");
		if (!is_skipped(nr)) {
			check_call(&program, &marked, nr, arguments,
				golden_answer(golden, run, &call), what);
		}
	}
	free(golden);
}

Test(filter_kernel, answers_bad_pointers_as_the_golden_table_says, .timeout = 120)
{
	struct syscall_choices choices = { .supervised = true };

	walk_numbers(GOLDEN_SUPERVISED, &choices);
}

Test(filter_kernel, answers_bad_pointers_without_supervisor_too, .timeout = 120)
{
	struct syscall_choices choices = { .supervised = false };

	walk_numbers(GOLDEN_UNSUPERVISED, &choices);
}

/* Runs a command under the filter alone; its wait status. */
static int run_command(const struct syscall_choices *choices, const char *const argv[])
{
	cleanup_bpf_program struct bpf_program program = { 0 };
	int status;
	pid_t child;

	cr_assert_eq(syscall_rules_compile(ARCH_NATIVE, choices, &program), 0);
	child = fork();
	cr_assert_geq(child, 0);
	if (child == 0) {
		prepare();
		install(&program);
		(void)execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	return status;
}

static int run_shell(const struct syscall_choices *choices, const char *script)
{
	const char *const argv[] = { "/bin/sh", "-c", script, NULL };

	return run_command(choices, argv);
}

static const struct syscall_choices defaults = { .supervised = true };

Test(filter_kernel, lets_pipelines_and_children_of_a_shell_run)
{
	cr_assert_eq(
		run_shell(&defaults, "test \"$(echo a b | tr ' ' '\\n' | sort -r | head -1)\" = b"),
		0);
}

Test(filter_kernel, lets_a_compiler_run)
{
	cr_assert_eq(
		run_shell(&defaults, "echo 'int main(void){return 0;}' | gcc -x c -o /dev/null -"),
		0);
}

Test(filter_kernel, lets_threads_and_processes_start_without_clone3)
{
	const char *guests = getenv("GUESTS");
	char path[256];
	const char *const argv[] = { path, NULL };

	(void)snprintf(path, sizeof(path), "%s/filter_threads",
		guests == NULL ? "build/release/guests" : guests);

	cr_assert_eq(run_command(&defaults, argv), 0);
}

/* A program that leaks, built once outside. */
static void run_leaking_program(
	const struct syscall_choices *choices, int *ret_status, bool *ret_found)
{
	char directory[] = "/tmp/sandlock-filter-XXXXXX";
	char command[512];

	cr_assert_not_null(mkdtemp(directory));
	(void)snprintf(command, sizeof(command),
		"cd %s && echo 'void *malloc(unsigned long); int main(void){ volatile char *p = "
		"malloc(7); p = 0; return p != 0; }' | gcc -x c -O0 -fsanitize=address -o leak - ",
		directory);
	cr_assert_eq(system(command), 0);
	(void)snprintf(command, sizeof(command),
		"cd %s && ASAN_OPTIONS= LSAN_OPTIONS= exec ./leak 2> output", directory);
	*ret_status = run_shell(choices, command);
	(void)snprintf(
		command, sizeof(command), "grep -q 'detected memory leaks' %s/output", directory);
	*ret_found = system(command) == 0;
	(void)snprintf(command, sizeof(command), "rm -r %s", directory);
	cr_assert_eq(system(command), 0);
}

Test(filter_kernel, lets_leaksanitizer_work_with_the_ptrace_group)
{
	struct syscall_choices debugging = {
		.supervised = true,
		.allowed_groups = 1u << SYSCALL_GROUP_PTRACE,
	};
	int status;
	bool found;

	run_leaking_program(&debugging, &status, &found);

	cr_assert(found);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) != 0);
}

Test(filter_kernel, keeps_leaksanitizer_from_tracing_without_it)
{
	int status;
	bool found;

	run_leaking_program(&defaults, &status, &found);

	cr_assert_not(found);
}

/* Under the filter of `choices`: one datagram from a pair of sockets to a socket file. */
static bool datagram_arrives(const struct syscall_choices *choices)
{
	char directory[] = "/tmp/sandlock-filter-XXXXXX";
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	cleanup_bpf_program struct bpf_program program = { 0 };
	int outside = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), status;
	bool arrived;
	pid_t child;

	cr_assert_not_null(mkdtemp(directory));
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", directory);
	cr_assert_eq(bind(outside, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(syscall_rules_compile(ARCH_NATIVE, choices, &program), 0);
	child = fork();
	cr_assert_geq(child, 0);
	if (child == 0) {
		int pair[2] = { -1, -1 };

		prepare();
		install(&program);
		(void)socketpair(AF_UNIX, SOCK_DGRAM, 0, pair); /* may be refused */
		(void)sendto(pair[0], "x", 1, 0, (struct sockaddr *)&address, sizeof(address));
		_exit(0);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	arrived = recv(outside, &status, 1, MSG_DONTWAIT) == 1;
	cr_assert_eq(unlink(address.sun_path), 0);
	cr_assert_eq(rmdir(directory), 0);
	cr_assert_eq(close(outside), 0);
	return arrived;
}

Test(filter_kernel, keeps_a_pair_of_sockets_from_reaching_a_socket_file)
{
	struct syscall_choices granted = {
		.supervised = true,
		.allowed_groups = 1u << SYSCALL_GROUP_UNIX_SOCKETS,
	};

	cr_assert(datagram_arrives(&granted));
	cr_assert_not(datagram_arrives(&defaults));
}

/* The error of pinning the calling thread by its own number, as pthread_setaffinity_np does. */
static int pin_by_number(const struct syscall_choices *choices)
{
	cleanup_bpf_program struct bpf_program program = { 0 };
	unsigned long cpus[16] = { 0 };
	int status;
	pid_t child;

	cr_assert_eq(syscall_rules_compile(ARCH_NATIVE, choices, &program), 0);
	child = fork();
	cr_assert_geq(child, 0);
	if (child == 0) {
		long tid = syscall(SYS_gettid);

		prepare();
		install(&program);
		if (syscall(SYS_sched_getaffinity, tid, sizeof(cpus), cpus) < 0) {
			_exit(PREPARATION_FAILED);
		}
		_exit(syscall(SYS_sched_setaffinity, tid, sizeof(cpus), cpus) == 0 ? 0 : errno);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

Test(filter_kernel, lets_threads_be_pinned_by_number_only_with_the_scheduling_group)
{
	struct syscall_choices scheduling = {
		.supervised = true,
		.allowed_groups = 1u << SYSCALL_GROUP_SCHEDULING,
	};

	cr_assert_eq(pin_by_number(&scheduling), 0);
	cr_assert_eq(pin_by_number(&defaults), EPERM);
}

#ifdef __x86_64__
/* The status of a child that calls `attack` under the default filter. */
static int attack_under_filter(void (*attack)(void))
{
	cleanup_bpf_program struct bpf_program program = { 0 };
	int status;
	pid_t child;

	cr_assert_eq(syscall_rules_compile(ARCH_NATIVE, &defaults, &program), 0);
	child = fork();
	cr_assert_geq(child, 0);
	if (child == 0) {
		prepare();
		install(&program);
		attack();
		_exit(0);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	return status;
}

static void call_by_int80(void)
{
	long result = 20; /* getpid, a call that both ABIs have and allow */

	__asm__ volatile("int $0x80" : "+a"(result) : : "memory");
}

static void call_by_x32(void)
{
	if (syscall(0x40000000 + SYS_getpid) != -1 || errno != ENOSYS) {
		_exit(1);
	}
}

static void call_number_minus_one(void)
{
	if (syscall(-1) != -1 || errno != ENOSYS) {
		_exit(1);
	}
}

/* A nested program may restrict itself further, and listen to what its own children call. */
static void install_own_filter(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog filter = { 1, &allow };

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
		    &filter) < 0) {
		_exit(1);
	}
}

Test(filter_kernel, kills_a_call_of_the_32_bit_abi)
{
	int status = attack_under_filter(call_by_int80);

	cr_assert(WIFSIGNALED(status));
	cr_assert_eq(WTERMSIG(status), SIGSYS);
}

Test(filter_kernel, does_not_know_the_x32_abi)
{
	cr_assert_eq(attack_under_filter(call_by_x32), 0);
}

Test(filter_kernel, answers_number_minus_one_as_the_kernel_does)
{
	cr_assert_eq(attack_under_filter(call_number_minus_one), 0);
}

Test(filter_kernel, lets_a_program_install_filters_of_its_own)
{
	cr_assert_eq(attack_under_filter(install_own_filter), 0);
}
#endif

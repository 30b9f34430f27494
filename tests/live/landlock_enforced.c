/* The rulesets of the plan against the running kernel: for each ABI that is planned for, exactly
 * what that ABI handles is refused, and the same act succeeds where it is granted or not handled.
 */
// SPDX-License-Identifier: Apache-2.0

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/fault.h"
#include "core/plan/landlock_plan.h"

static char root[] = "/tmp/sandlock-live-XXXXXX";
static char granted[64], outside[64], secret[96], socket_path[96];
static char name_one[96], name_other[96];
static struct sockaddr_un abstract_name;
static socklen_t abstract_length;
static uint16_t listening_port;

/* A listening socket of this process, which is outside of every domain. */
static void listen_on(
	int domain, const struct sockaddr *address, socklen_t length, uint16_t *ret_port)
{
	struct sockaddr_in bound;
	socklen_t bound_length = sizeof(bound);
	int fd = socket(domain, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_eq(bind(fd, address, length), 0);
	cr_assert_eq(listen(fd, 64), 0);
	if (ret_port != NULL) {
		cr_assert_eq(getsockname(fd, (struct sockaddr *)&bound, &bound_length), 0);
		*ret_port = ntohs(bound.sin_port);
	}
}

static void make_file(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, "secret", 6), 6);
	close(fd);
}

static void make_world(void)
{
	struct sockaddr_in loopback = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_un socket_file = { .sun_family = AF_UNIX };
	char path[128];

	cr_assert_not_null(mkdtemp(root));
	(void)snprintf(granted, sizeof(granted), "%s/granted", root);
	(void)snprintf(outside, sizeof(outside), "%s/outside", root);
	(void)snprintf(secret, sizeof(secret), "%s/secret", outside);
	(void)snprintf(socket_path, sizeof(socket_path), "%s/socket", outside);
	cr_assert_eq(mkdir(granted, 0700), 0);
	cr_assert_eq(mkdir(outside, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/one", granted);
	cr_assert_eq(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/other", granted);
	cr_assert_eq(mkdir(path, 0700), 0);
	(void)snprintf(name_one, sizeof(name_one), "%s/one/file", granted);
	(void)snprintf(name_other, sizeof(name_other), "%s/other/file", granted);
	make_file(name_one);
	make_file(secret);

	listen_on(AF_INET, (struct sockaddr *)&loopback, sizeof(loopback), &listening_port);
	(void)snprintf(socket_file.sun_path, sizeof(socket_file.sun_path), "%s", socket_path);
	listen_on(AF_UNIX, (struct sockaddr *)&socket_file, sizeof(socket_file), NULL);
	abstract_name.sun_family = AF_UNIX;
	int length = snprintf(abstract_name.sun_path + 1, sizeof(abstract_name.sun_path) - 1,
		"sandlock-live-%d", getpid());

	abstract_length =
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1) + (socklen_t)length;
	listen_on(AF_UNIX, (struct sockaddr *)&abstract_name, abstract_length, NULL);
}

static void remove_world(void)
{
	char *command = must_format("rm -rf '%s'", root);

	cr_assert_eq(system(command), 0);
	free(command);
}

/* The acts: each answers 0 or errno, and undoes what it did. */

static int try_read(void)
{
	int fd = open(secret, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? errno : 0;
}

static int try_write(void)
{
	int fd = open(secret, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? errno : 0;
}

static int try_list(void)
{
	int fd = open(outside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? errno : 0;
}

static int try_make_directory(void)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/new", outside);
	if (mkdir(path, 0700) < 0) {
		return errno;
	}
	return rmdir(path) < 0 ? errno : 0;
}

static int try_link_and_unlink(void)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/link", outside);
	if (symlink("x", path) < 0) {
		return errno;
	}
	return unlink(path) < 0 ? errno : 0;
}

static int try_truncate(void)
{
	return truncate(secret, 6) < 0 ? errno : 0;
}

static int try_tcp_connect(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons(listening_port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0;
}

static int try_tcp_bind(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0;
}

static int try_device_ioctl(void)
{
	int bits;
	int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		return ENODEV;
	}
	return ioctl(fd, RNDGETENTCNT, &bits) < 0 ? errno : 0;
}

static int try_signal(void)
{
	return kill(getppid(), 0) < 0 ? errno : 0;
}

static int try_abstract_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return connect(fd, (struct sockaddr *)&abstract_name, abstract_length) < 0 ? errno : 0;
}

static int try_socket_file(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0;
}

/* Below ABI 2 the kernel refuses every move between directories by itself. */
static int try_move(void)
{
	if (rename(name_one, name_other) < 0) {
		return errno;
	}
	return rename(name_other, name_one) < 0 ? errno : 0;
}

static const struct act {
	const char *name;
	int (*run)(void);
	int minimum_abi;	    /* the first ABI that refuses it */
	int refusal;		    /* with this errno */
	enum protection protection; /* that it stands for; PROTECTION_COUNT: none, always handled */
	bool is_path;		    /* a write grant of `outside` allows it */
} acts[] = {
	{ "read", try_read, 1, EACCES, PROTECTION_COUNT, true },
	{ "write", try_write, 1, EACCES, PROTECTION_COUNT, true },
	{ "list", try_list, 1, EACCES, PROTECTION_COUNT, true },
	{ "mkdir", try_make_directory, 1, EACCES, PROTECTION_COUNT, true },
	{ "symlink", try_link_and_unlink, 1, EACCES, PROTECTION_COUNT, true },
	{ "truncate", try_truncate, 3, EACCES, PROTECTION_FS_TRUNCATE, true },
	{ "connect", try_tcp_connect, 4, EACCES, PROTECTION_NET_TCP, false },
	{ "bind", try_tcp_bind, 4, EACCES, PROTECTION_NET_TCP, false },
	{ "ioctl", try_device_ioctl, 5, EACCES, PROTECTION_FS_IOCTL_DEV, false },
	{ "kill", try_signal, 6, EPERM, PROTECTION_SIGNAL_SCOPE, false },
	{ "abstract", try_abstract_socket, 6, EPERM, PROTECTION_ABSTRACT_UNIX_SOCKET_SCOPE, false },
	{ "socket file", try_socket_file, 9, EACCES, PROTECTION_COUNT, true },
};

static int restrict_self(int ruleset)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		return -errno;
	}
	return syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? -errno : 0;
}

/* Runs the act in a child that is confined by up to two rulesets; -1 stands for none. */
static int run_in_child(int (*run)(void), int ruleset, int inner_ruleset)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		if ((ruleset >= 0 && restrict_self(ruleset) < 0) ||
			(inner_ruleset >= 0 && restrict_self(inner_ruleset) < 0)) {
			_exit(255);
		}
		_exit(run());
	}
	cr_assert_gt(child, 0);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* A policy that grants `granted` for writing, a device for reading and, if wanted, `outside`. */
static int make_ruleset(int abi, enum protection disabled, bool grant_outside)
{
	struct sandbox_policy policy = { 0 };
	cleanup_landlock_plan struct landlock_plan plan = { 0 };
	struct error error = { 0 };
	int ruleset;

	for (size_t i = 0; i < PROTECTION_COUNT; i++) {
		policy.protections[i] = i == disabled ? PROTECTION_DISABLED : PROTECTION_DEGRADABLE;
	}
	string_list_add(&policy.filesystem.write, granted);
	string_list_add(&policy.filesystem.read, "/dev/urandom");
	if (grant_outside) {
		string_list_add(&policy.filesystem.write, outside);
	}
	cr_assert_eq(landlock_plan_compile(&policy, abi, &plan, &error), 0, "%s", error.text);
	ruleset = landlock_plan_create_ruleset(&plan, &error);
	cr_assert_geq(ruleset, 0, "%s", error.text);
	string_list_finish(&policy.filesystem.read);
	string_list_finish(&policy.filesystem.write);
	return ruleset;
}

/* The probe as a run sees it: a fault point lowers it in debug builds and only there. */
static int probe_as(int abi)
{
	char fault[32];
	int probed;

	(void)snprintf(fault, sizeof(fault), "landlock-abi:%d", abi);
	unsetenv("SANDLOCK_FAULT");
	probed = landlock_host_abi();
	setenv("SANDLOCK_FAULT", fault, 1);
#ifdef SANDLOCK_FAULTS
	cr_assert_eq(landlock_host_abi(), abi < probed ? abi : probed);
#else
	cr_assert_eq(landlock_host_abi(), probed);
#endif
	unsetenv("SANDLOCK_FAULT");
	return abi < probed ? abi : probed;
}

TestSuite(landlock_enforced, .init = make_world, .fini = remove_world);

Test(landlock_enforced, refuses_nothing_to_a_process_outside)
{
	for (size_t i = 0; i < ARRAY_LEN(acts); i++) {
		cr_expect_eq(run_in_child(acts[i].run, -1, -1), 0, "%s", acts[i].name);
	}
	cr_expect_eq(run_in_child(try_move, -1, -1), 0);
}

Test(landlock_enforced, refuses_exactly_what_the_planned_abi_handles)
{
	for (int wanted = 1; wanted <= landlock_host_abi(); wanted++) {
		int abi = probe_as(wanted);
		int ruleset = make_ruleset(abi, PROTECTION_COUNT, false);

		for (size_t i = 0; i < ARRAY_LEN(acts); i++) {
			cr_expect_eq(run_in_child(acts[i].run, ruleset, -1),
				abi >= acts[i].minimum_abi ? acts[i].refusal : 0, "ABI %d: %s", abi,
				acts[i].name);
		}
		close(ruleset);
	}
}

Test(landlock_enforced, allows_the_same_acts_where_they_are_granted)
{
	for (int abi = 1; abi <= landlock_host_abi(); abi++) {
		int ruleset = make_ruleset(abi, PROTECTION_COUNT, true);

		for (size_t i = 0; i < ARRAY_LEN(acts); i++) {
			if (acts[i].is_path) {
				cr_expect_eq(run_in_child(acts[i].run, ruleset, -1), 0,
					"ABI %d: %s", abi, acts[i].name);
			}
		}
		close(ruleset);
	}
}

Test(landlock_enforced, moves_between_granted_directories_from_abi_2_on)
{
	for (int abi = 1; abi <= landlock_host_abi(); abi++) {
		int ruleset = make_ruleset(abi, PROTECTION_COUNT, false);

		cr_expect_eq(
			run_in_child(try_move, ruleset, -1), abi >= 2 ? 0 : EXDEV, "ABI %d", abi);
		close(ruleset);
	}
}

Test(landlock_enforced, leaves_out_only_what_a_disabled_protection_stands_for)
{
	int abi = landlock_host_abi();

	for (size_t disabled = PROTECTION_FS_TRUNCATE; disabled < PROTECTION_COUNT; disabled++) {
		int ruleset = make_ruleset(abi, (enum protection)disabled, false);

		for (size_t i = 0; i < ARRAY_LEN(acts); i++) {
			bool refused = abi >= acts[i].minimum_abi && acts[i].protection != disabled;

			cr_expect_eq(run_in_child(acts[i].run, ruleset, -1),
				refused ? acts[i].refusal : 0, "without %s: %s",
				protection_name((enum protection)disabled), acts[i].name);
		}
		close(ruleset);
	}
}

Test(landlock_enforced, intersects_nested_domains)
{
	int wide = make_ruleset(landlock_host_abi(), PROTECTION_COUNT, true);
	int narrow = make_ruleset(landlock_host_abi(), PROTECTION_COUNT, false);

	cr_expect_eq(run_in_child(try_read, wide, -1), 0);
	cr_expect_eq(run_in_child(try_read, wide, narrow), EACCES);
	cr_expect_eq(run_in_child(try_read, narrow, wide), EACCES);
}

Test(landlock_enforced, allows_tcp_on_the_named_ports_and_no_other)
{
	static const struct {
		int16_t connect_offset; /* from the port that listens */
		bool bind_any_number;	/* port 0 */
		int connect_answer;
		int bind_answer;
	} rows[] = {
		{ 0, true, 0, 0 },
		{ 0, false, 0, EACCES },
		{ 1, true, EACCES, 0 },
		{ -1, false, EACCES, EACCES },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint16_t port = (uint16_t)(listening_port + rows[i].connect_offset);
		struct port_range connect_range = { port, port };
		struct port_range bind_range = { rows[i].bind_any_number ? 0 : 9, 9 };
		struct sandbox_policy policy = {
			.network = { .bind = { .ranges = &bind_range, .count = 1 },
				.connect = { .ranges = &connect_range, .count = 1 } }
		};
		cleanup_landlock_plan struct landlock_plan plan = { 0 };

		cr_assert_eq(landlock_plan_compile(&policy, landlock_host_abi(), &plan, NULL), 0);
		int ruleset = landlock_plan_create_ruleset(&plan, NULL);

		cr_expect_eq(run_in_child(try_tcp_connect, ruleset, -1), rows[i].connect_answer);
		cr_expect_eq(run_in_child(try_tcp_bind, ruleset, -1), rows[i].bind_answer);
		close(ruleset);
	}
}

Test(landlock_enforced, holds_the_full_range_of_ports)
{
	struct port_range all = { 0, 65535 };
	struct sandbox_policy policy = { .network.connect = { .ranges = &all, .count = 1 } };
	cleanup_landlock_plan struct landlock_plan plan = { 0 };

	cr_assert_eq(landlock_plan_compile(&policy, landlock_host_abi(), &plan, NULL), 0);
	int ruleset = landlock_plan_create_ruleset(&plan, NULL);

	cr_assert_eq(run_in_child(try_tcp_connect, ruleset, -1), 0);
	cr_assert_eq(run_in_child(try_tcp_bind, ruleset, -1), EACCES);
}

Test(landlock_enforced, does_not_police_tcp_that_is_granted_as_a_whole)
{
	struct sandbox_policy policy = { .network = { .bind.any = true, .connect.any = true } };
	cleanup_landlock_plan struct landlock_plan plan = { 0 };

	cr_assert_eq(landlock_plan_compile(&policy, landlock_host_abi(), &plan, NULL), 0);
	int ruleset = landlock_plan_create_ruleset(&plan, NULL);

	cr_expect_eq(run_in_child(try_tcp_connect, ruleset, -1), 0);
	cr_expect_eq(run_in_child(try_tcp_bind, ruleset, -1), 0);
	cr_expect_eq(run_in_child(try_read, ruleset, -1), EACCES);
}

static int execute_true(void)
{
	char *const arguments[] = { "true", NULL };
	char path[96];

	(void)snprintf(path, sizeof(path), "%s/true", outside);
	(void)execve(path, arguments, NULL); /* returns only on failure */
	return errno;
}

/* A static program, so that nothing but the file itself needs a right. */
static void copy_program(void)
{
	char *command = must_format("cp '%s/landlock_true' '%s/true'", getenv("GUESTS"), outside);

	cr_assert_eq(system(command), 0, "%s", command);
	free(command);
}

Test(landlock_enforced, lets_a_device_grant_read_and_write_but_not_execute)
{
	static const struct {
		enum landlock_class class;
		int answer;
	} rows[] = {
		{ LANDLOCK_CLASS_READ, 0 },
		{ LANDLOCK_CLASS_WRITE, 0 },
		{ LANDLOCK_CLASS_DEVICE, EACCES },
	};

	copy_program();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sandbox_policy policy = { 0 };
		cleanup_landlock_plan struct landlock_plan plan = { 0 };

		cr_assert_eq(landlock_plan_compile(&policy, landlock_host_abi(), &plan, NULL), 0);
		cr_assert_eq(landlock_plan_add_path(&plan, outside, rows[i].class, NULL), 0);
		int ruleset = landlock_plan_create_ruleset(&plan, NULL);

		cr_expect_eq(run_in_child(execute_true, ruleset, -1), rows[i].answer, "class %d",
			rows[i].class);
		cr_expect_eq(run_in_child(try_read, ruleset, -1), 0);
		cr_expect_eq(run_in_child(try_write, ruleset, -1),
			rows[i].class == LANDLOCK_CLASS_READ ? EACCES : 0);
		close(ruleset);
	}
}

static int signal_own_child(void)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		pause();
		_exit(1);
	}
	if (kill(child, SIGKILL) < 0) {
		return errno;
	}
	return waitpid(child, &status, 0) == child && WIFSIGNALED(status) ? 0 : ECHILD;
}

Test(landlock_enforced, scopes_signals_for_the_keeper_and_nothing_else)
{
	struct error error = { 0 };

	int ruleset = landlock_create_signal_scope(&error);

	cr_assert_geq(ruleset, 0, "%s", error.text);
	cr_expect_eq(fcntl(ruleset, F_GETFD), FD_CLOEXEC);
	cr_expect_eq(run_in_child(signal_own_child, ruleset, -1), 0);
	for (size_t i = 0; i < ARRAY_LEN(acts); i++) {
		cr_expect_eq(run_in_child(acts[i].run, ruleset, -1),
			acts[i].run == try_signal ? EPERM : 0, "%s", acts[i].name);
	}
}

Test(landlock_enforced, refuses_a_signal_scope_below_abi_6)
{
	struct error error = { 0 };

	setenv("SANDLOCK_FAULT", "landlock-abi:5", 1);

	int ruleset = landlock_create_signal_scope(&error);

#ifdef SANDLOCK_FAULTS
	cr_assert_eq(ruleset, -EOPNOTSUPP);
	cr_assert_not_null(strstr(error.text, "host Landlock ABI is v5, requires v6"));
#else
	cr_assert_geq(ruleset, 0);
#endif
}

Test(landlock_enforced, names_a_path_that_the_kernel_cannot_hold)
{
	struct sandbox_policy policy = { 0 };
	cleanup_landlock_plan struct landlock_plan plan = { 0 };
	struct error error = { 0 };
	int ends[2];
	char path[64];

	cr_assert_eq(pipe(ends), 0);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
	string_list_add(&policy.filesystem.read, path);
	cr_assert_eq(landlock_plan_compile(&policy, landlock_host_abi(), &plan, NULL), 0);

	int ruleset = landlock_plan_create_ruleset(&plan, &error);

	cr_assert_eq(ruleset, -EBADFD);
	cr_assert_not_null(strstr(error.text, path), "%s", error.text);
	string_list_finish(&policy.filesystem.read);
}

/* What a process may ask of the kernel about itself that would change who watches it: prctl,
 * personality, io_uring, filters of its own, code from memory. */
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "tests/live/guests/act.h"

#define SCAN_LIMIT 1024

struct operation {
	const char *name;
	long arguments[3];
};

static int try_prctl(void *argument)
{
	const long *a = ((const struct operation *)argument)->arguments;

	return syscall(SYS_prctl, a[0], a[1], a[2], 0, 0) < 0 ? errno : 0;
}

static int try_personality(void *argument)
{
	return syscall(SYS_personality, *(unsigned long *)argument) < 0 ? errno : 0;
}

static int run_prctl(int argc, char **argv)
{
	static const struct operation operations[] = {
		{ "dumpable_off", { PR_SET_DUMPABLE, 0 } },
		{ "ptracer_any", { PR_SET_PTRACER, -1 } },
		{ "securebits", { PR_SET_SECUREBITS, 0 } },
		{ "set_mm", { PR_SET_MM, PR_SET_MM_START_CODE, 1 } },
		{ "dumpable_high_bits", { 0x100000000 | PR_SET_DUMPABLE, 0 } },
		{ "set_name", { PR_SET_NAME, (long)"guest" } },
		{ "death_signal", { PR_SET_PDEATHSIG, 9 } },
		{ "subreaper", { PR_SET_CHILD_SUBREAPER, 1 } },
		{ "no_new_privs", { PR_SET_NO_NEW_PRIVS, 1 } },
		{ "timer_slack", { PR_SET_TIMERSLACK, 1000 } },
	};

	(void)argc;
	(void)argv;
	for (size_t i = 0; i < ACT_COUNT(operations); i++) {
		act_forked(operations[i].name, try_prctl, (void *)&operations[i]);
	}
	return 0;
}

static int run_personality(int argc, char **argv)
{
	static const struct {
		const char *name;
		unsigned long value;
	} values[] = {
		{ "query", 0xffffffff },
		{ "linux", PER_LINUX },
		{ "no_randomize", ADDR_NO_RANDOMIZE },
		{ "read_implies_exec", READ_IMPLIES_EXEC },
		{ "map_page_zero", MMAP_PAGE_ZERO },
		{ "compat_layout", ADDR_COMPAT_LAYOUT },
		{ "short_inode", SHORT_INODE },
		{ "solaris", PER_SOLARIS },
	};

	(void)argc;
	(void)argv;
	for (size_t i = 0; i < ACT_COUNT(values); i++) {
		act_forked(values[i].name, try_personality, (void *)&values[i].value);
	}
	return 0;
}

static int try_ring(void *argument)
{
	unsigned char parameters[120] = { 0 };

	(void)argument;
	return syscall(SYS_io_uring_setup, 4, parameters) < 0 ? errno : 0;
}

static int run_ring(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	act_forked("io_uring_setup", try_ring, NULL);
	act_result("io_uring_enter", syscall(SYS_io_uring_enter, -1, 0, 0, 0, 0, 0));
	act_result("io_uring_register", syscall(SYS_io_uring_register, -1, 0, 0, 0));
	return 0;
}

/* A filter that answers one number with EXDEV. */
static int install_filter(unsigned number, unsigned verdict, unsigned flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, verdict),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ACT_COUNT(code), code };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static int own_filter(void *argument)
{
	(void)argument;
	if (install_filter(SYS_getppid, SECCOMP_RET_ERRNO | EXDEV, 0) < 0) {
		return errno;
	}
	return syscall(SYS_getppid) == -1 && errno == EXDEV ? 0 : GUEST_BROKEN;
}

/* A filter of one's own that "allows" what the sandbox denies must not win. */
static int own_filter_cannot_widen(void *argument)
{
	if (install_filter(SYS_unshare, SECCOMP_RET_ALLOW, 0) < 0) {
		return errno;
	}
	return try_ring(argument);
}

static int strict_mode(void *argument)
{
	(void)argument;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL) < 0) {
		return errno;
	}
	syscall(SYS_exit, 0);
	return GUEST_BROKEN;
}

static int run_filters(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	act_forked("own_filter", own_filter, NULL);
	act_forked("own_filter_then_ring", own_filter_cannot_widen, NULL);
	act_forked("strict_mode", strict_mode, NULL);
	return 0;
}

/* Open descriptors above 2, and those that answer like a seccomp listener. */
static int run_scan(int argc, char **argv)
{
	int open_count = 0, listeners = 0;
	uint64_t id = 1;

	/* "own" makes the listener that the scan must then find: the control of the scan itself. */
	if (argc > 1 && strcmp(argv[1], "own") == 0) {
		act_value("own_listener", install_filter(SYS_getppid, SECCOMP_RET_USER_NOTIF,
						  SECCOMP_FILTER_FLAG_NEW_LISTENER) < 0);
	}
	for (int fd = 3; fd < SCAN_LIMIT; fd++) {
		if (fcntl(fd, F_GETFD) < 0) {
			continue;
		}
		open_count++;
		listeners += ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) < 0 && errno == ENOENT;
	}
	act_value("descriptors", open_count);
	act_value("listeners", listeners);
	return 0;
}

/* attack_process state: what must hold after any exec. */
static int run_state(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	act_value("no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	/* Strict mode cannot be left or entered from filter mode: EINVAL says that a filter is on.
	 */
	act_forked("filter_on", strict_mode, NULL);
	act_value("euid", (long)geteuid());
	act_forked("ring", try_ring, NULL);
	return 0;
}

static int copy_to_memfd(const char *path)
{
	int source = open(path, O_RDONLY);
	int memory = memfd_create("copy", MFD_CLOEXEC);
	char block[65536];
	ssize_t count;

	while ((count = read(source, block, sizeof(block))) > 0) {
		if (write(memory, block, (size_t)count) != count) {
			return -1;
		}
	}
	return count == 0 ? memory : -1;
}

/* attack_process memfd PROGRAM WORD...: runs a copy of a readable file out of memory. */
static int run_memfd(int argc, char **argv)
{
	int memory = argc < 3 ? -1 : copy_to_memfd(argv[1]);

	if (memory < 0) {
		return GUEST_MISUSED;
	}
	act_value("memfd_copied", 0);
	syscall(SYS_execveat, memory, "", argv + 1, environ, 0x1000 /* AT_EMPTY_PATH */);
	act_value("memfd_exec", errno);
	return 0;
}

/* attack_process map FILE: code from a file that is granted for reading. */
static int run_map(int argc, char **argv)
{
	int fd = argc < 2 ? -1 : open(argv[1], O_RDONLY);
	void *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

	act_value("map_exec", code == MAP_FAILED ? errno : 0);
	return 0;
}

static int run_exec(int argc, char **argv)
{
	if (argc < 2) {
		return GUEST_MISUSED;
	}
	execv(argv[1], argv + 1);
	act_value("exec", errno);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct act_command commands[] = {
		{ "prctl", run_prctl },
		{ "personality", run_personality },
		{ "ring", run_ring },
		{ "filters", run_filters },
		{ "scan", run_scan },
		{ "state", run_state },
		{ "memfd", run_memfd },
		{ "map", run_map },
		{ "exec", run_exec },
	};

	return act_dispatch(commands, ACT_COUNT(commands), argc, argv);
}

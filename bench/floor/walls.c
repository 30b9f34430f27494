/* Landlock rules, capability drop and a filter of the shape that a real run installs, written by
 * hand against the kernel's interface. */
// SPDX-License-Identifier: Apache-2.0
#include "bench/floor/walls.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if !defined(__x86_64__)
#error "the floor programs know the system call table of x86_64 only"
#endif

/* The kernel's structures as of Landlock ABI 6; the headers of the build machine may be older. */
struct ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

struct path_attr {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));

#define FS_RIGHTS_ALL	    0xffffull /* ABI 5: sixteen rights */
#define FS_EXECUTE	    (1ull << 0)
#define FS_READ_FILE	    (1ull << 2)
#define FS_READ_DIR	    (1ull << 3)
#define FS_WRITE_FILE	    (1ull << 1)
#define FS_TRUNCATE	    (1ull << 14)
#define FS_IOCTL_DEV	    (1ull << 15)
#define FS_RIGHTS_OF_A_FILE (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)
#define NET_RIGHTS_ALL	    0x3ull /* bind and connect, ABI 4 */
#define SCOPE_ABSTRACT_UNIX (1ull << 0)
#define SCOPE_SIGNAL	    (1ull << 1)
#define RULE_PATH_BENEATH   1

static const struct walls_path default_paths[] = {
	{ "/usr", false },
	{ "/lib", false },
	{ "/lib64", false },
	{ "/bin", false },
	{ "/etc", false },
	{ "/tmp", true },
};

enum verdict {
	VERDICT_ALLOW,
	VERDICT_REFUSE, /* EPERM */
	VERDICT_ABSENT, /* ENOSYS */
	VERDICT_NOTIFY,
	VERDICT_TESTS, /* from here on: allowed unless the argument test matches */
	VERDICT_CLONE = VERDICT_TESTS,
	VERDICT_FIRST_NONZERO,
	VERDICT_SECOND_NONZERO,
	VERDICT_IOCTL,
	VERDICT_SOCKET,
	VERDICT_FAST_OPEN_SEND,
	VERDICT_FAST_OPEN_MESSAGE,
	VERDICT_PRCTL,
	VERDICT_COUNT,
};

#define ARGUMENT(index) ((uint32_t)offsetof(struct seccomp_data, args[index]))
#define NAMESPACES                                                                                 \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
		CLONE_NEWPID | CLONE_NEWNET)

/* One test on the low word of one argument; a match refuses the call. */
static const struct {
	uint32_t offset;
	uint32_t value;
	uint16_t jump;
	bool refuse_on_match;
} argument_tests[VERDICT_COUNT] = {
	[VERDICT_CLONE] = { ARGUMENT(0), NAMESPACES | CLONE_UNTRACED | CLONE_PARENT, BPF_JSET,
		true },
	[VERDICT_FIRST_NONZERO] = { ARGUMENT(0), 0, BPF_JEQ, false },
	[VERDICT_SECOND_NONZERO] = { ARGUMENT(1), 0, BPF_JEQ, false },
	[VERDICT_IOCTL] = { ARGUMENT(1), TIOCSTI, BPF_JEQ, true },
	[VERDICT_SOCKET] = { ARGUMENT(0), AF_INET6, BPF_JGT, true },
	[VERDICT_FAST_OPEN_SEND] = { ARGUMENT(3), MSG_FASTOPEN, BPF_JSET, true },
	[VERDICT_FAST_OPEN_MESSAGE] = { ARGUMENT(2), MSG_FASTOPEN, BPF_JSET, true },
	[VERDICT_PRCTL] = { ARGUMENT(0), PR_SET_MM, BPF_JEQ, true },
};

#define KNOWN_CALLS 470 /* what is at or above answers ENOSYS, x32 included */

static const struct {
	uint16_t nr;
	uint8_t verdict;
} special_calls[] = {
	{ SYS_ioctl, VERDICT_IOCTL },
	{ SYS_shmget, VERDICT_REFUSE },
	{ SYS_shmat, VERDICT_REFUSE },
	{ SYS_shmctl, VERDICT_REFUSE },
	{ SYS_socket, VERDICT_SOCKET },
	{ SYS_sendto, VERDICT_FAST_OPEN_SEND },
	{ SYS_sendmsg, VERDICT_FAST_OPEN_MESSAGE },
	{ SYS_listen, VERDICT_REFUSE },
	{ SYS_clone, VERDICT_CLONE },
	{ SYS_semget, VERDICT_REFUSE },
	{ SYS_semop, VERDICT_REFUSE },
	{ SYS_semctl, VERDICT_REFUSE },
	{ SYS_shmdt, VERDICT_REFUSE },
	{ SYS_msgget, VERDICT_REFUSE },
	{ SYS_msgsnd, VERDICT_REFUSE },
	{ SYS_msgrcv, VERDICT_REFUSE },
	{ SYS_msgctl, VERDICT_REFUSE },
	{ SYS_ptrace, VERDICT_REFUSE },
	{ SYS_syslog, VERDICT_REFUSE },
	{ SYS_uselib, VERDICT_ABSENT },
	{ SYS_personality, VERDICT_FIRST_NONZERO },
	{ SYS_ustat, VERDICT_REFUSE },
	{ SYS_sysfs, VERDICT_REFUSE },
	{ SYS_setpriority, VERDICT_SECOND_NONZERO },
	{ SYS_sched_setparam, VERDICT_FIRST_NONZERO },
	{ SYS_sched_setscheduler, VERDICT_FIRST_NONZERO },
	{ SYS_vhangup, VERDICT_REFUSE },
	{ SYS_modify_ldt, VERDICT_REFUSE },
	{ SYS_pivot_root, VERDICT_REFUSE },
	{ SYS__sysctl, VERDICT_ABSENT },
	{ SYS_prctl, VERDICT_PRCTL },
	{ SYS_adjtimex, VERDICT_REFUSE },
	{ SYS_chroot, VERDICT_REFUSE },
	{ SYS_acct, VERDICT_REFUSE },
	{ SYS_settimeofday, VERDICT_REFUSE },
	{ SYS_mount, VERDICT_REFUSE },
	{ SYS_umount2, VERDICT_REFUSE },
	{ SYS_swapon, VERDICT_REFUSE },
	{ SYS_swapoff, VERDICT_REFUSE },
	{ SYS_reboot, VERDICT_REFUSE },
	{ SYS_sethostname, VERDICT_NOTIFY },
	{ SYS_setdomainname, VERDICT_REFUSE },
	{ SYS_iopl, VERDICT_REFUSE },
	{ SYS_ioperm, VERDICT_REFUSE },
	{ SYS_create_module, VERDICT_ABSENT },
	{ SYS_init_module, VERDICT_REFUSE },
	{ SYS_delete_module, VERDICT_REFUSE },
	{ SYS_get_kernel_syms, VERDICT_ABSENT },
	{ SYS_query_module, VERDICT_ABSENT },
	{ SYS_quotactl, VERDICT_REFUSE },
	{ SYS_nfsservctl, VERDICT_ABSENT },
	{ SYS_lookup_dcookie, VERDICT_REFUSE },
	{ SYS_remap_file_pages, VERDICT_REFUSE },
	{ SYS_clock_settime, VERDICT_REFUSE },
	{ SYS_vserver, VERDICT_ABSENT },
	{ SYS_mbind, VERDICT_REFUSE },
	{ SYS_mq_open, VERDICT_REFUSE },
	{ SYS_mq_unlink, VERDICT_REFUSE },
	{ SYS_kexec_load, VERDICT_REFUSE },
	{ SYS_add_key, VERDICT_REFUSE },
	{ SYS_request_key, VERDICT_REFUSE },
	{ SYS_keyctl, VERDICT_REFUSE },
	{ SYS_ioprio_set, VERDICT_SECOND_NONZERO },
	{ SYS_migrate_pages, VERDICT_REFUSE },
	{ SYS_unshare, VERDICT_REFUSE },
	{ SYS_move_pages, VERDICT_REFUSE },
	{ SYS_vmsplice, VERDICT_REFUSE },
	{ SYS_perf_event_open, VERDICT_REFUSE },
	{ SYS_fanotify_init, VERDICT_REFUSE },
	{ SYS_prlimit64, VERDICT_FIRST_NONZERO },
	{ SYS_name_to_handle_at, VERDICT_REFUSE },
	{ SYS_open_by_handle_at, VERDICT_REFUSE },
	{ SYS_clock_adjtime, VERDICT_REFUSE },
	{ SYS_sendmmsg, VERDICT_FAST_OPEN_SEND },
	{ SYS_setns, VERDICT_REFUSE },
	{ SYS_process_vm_readv, VERDICT_REFUSE },
	{ SYS_process_vm_writev, VERDICT_REFUSE },
	{ SYS_kcmp, VERDICT_REFUSE },
	{ SYS_finit_module, VERDICT_REFUSE },
	{ SYS_sched_setattr, VERDICT_FIRST_NONZERO },
	{ SYS_kexec_file_load, VERDICT_REFUSE },
	{ SYS_bpf, VERDICT_REFUSE },
	{ SYS_userfaultfd, VERDICT_REFUSE },
	{ SYS_io_uring_setup, VERDICT_REFUSE },
	{ SYS_io_uring_enter, VERDICT_REFUSE },
	{ SYS_io_uring_register, VERDICT_REFUSE },
	{ SYS_open_tree, VERDICT_REFUSE },
	{ SYS_move_mount, VERDICT_REFUSE },
	{ SYS_fsopen, VERDICT_REFUSE },
	{ SYS_fsconfig, VERDICT_REFUSE },
	{ SYS_fsmount, VERDICT_REFUSE },
	{ SYS_fspick, VERDICT_REFUSE },
	{ SYS_clone3, VERDICT_ABSENT },
	{ SYS_pidfd_getfd, VERDICT_REFUSE },
	{ SYS_process_madvise, VERDICT_REFUSE },
	{ SYS_mount_setattr, VERDICT_REFUSE },
	{ SYS_quotactl_fd, VERDICT_REFUSE },
	{ SYS_memfd_secret, VERDICT_REFUSE },
	{ SYS_process_mrelease, VERDICT_REFUSE },
	{ SYS_set_mempolicy_home_node, VERDICT_REFUSE },
};

/* Neighbours of equal verdict: from `first` up to the next range. */
struct range {
	uint32_t first;
	enum verdict verdict;
};

static void filter_add(
	struct walls *walls, uint16_t code, uint8_t jump_true, uint8_t jump_false, uint32_t value)
{
	assert(walls->filter_count < WALLS_FILTER_MAX);
	walls->filter[walls->filter_count++] =
		(struct sock_filter){ code, jump_true, jump_false, value };
}

static void filter_add_leaf(struct walls *walls, enum verdict verdict)
{
	static const uint32_t answers[VERDICT_TESTS] = {
		[VERDICT_ALLOW] = SECCOMP_RET_ALLOW,
		[VERDICT_REFUSE] = SECCOMP_RET_ERRNO | EPERM,
		[VERDICT_ABSENT] = SECCOMP_RET_ERRNO | ENOSYS,
		[VERDICT_NOTIFY] = SECCOMP_RET_USER_NOTIF,
	};

	if (verdict < VERDICT_TESTS) {
		filter_add(walls, BPF_RET | BPF_K, 0, 0, answers[verdict]);
		return;
	}

	bool refuse = argument_tests[verdict].refuse_on_match;

	filter_add(walls, BPF_LD | BPF_W | BPF_ABS, 0, 0, argument_tests[verdict].offset);
	filter_add(walls, BPF_JMP | argument_tests[verdict].jump | BPF_K, 0, 1,
		argument_tests[verdict].value);
	filter_add(walls, BPF_RET | BPF_K, 0, 0, answers[refuse ? VERDICT_REFUSE : VERDICT_ALLOW]);
	filter_add(walls, BPF_RET | BPF_K, 0, 0, answers[refuse ? VERDICT_ALLOW : VERDICT_REFUSE]);
}

/* A balanced search tree over ranges[0..count). */
static void filter_add_tree(struct walls *walls, const struct range *ranges, size_t count)
{
	if (count == 1) {
		filter_add_leaf(walls, ranges[0].verdict);
		return;
	}

	size_t middle = count / 2;
	size_t jump = walls->filter_count;

	filter_add(walls, BPF_JMP | BPF_JGE | BPF_K, 0, 0, ranges[middle].first);
	filter_add_tree(walls, ranges, middle);

	size_t distance = walls->filter_count - jump - 1;

	assert(distance <= UINT8_MAX);
	walls->filter[jump].jt = (uint8_t)distance;
	filter_add_tree(walls, ranges + middle, count - middle);
}

static void filter_build(struct walls *walls)
{
	uint8_t verdicts[KNOWN_CALLS + 1] = { 0 };
	struct range ranges[KNOWN_CALLS + 1];
	size_t count = 0;

	for (size_t i = 0; i < sizeof(special_calls) / sizeof(special_calls[0]); i++) {
		verdicts[special_calls[i].nr] = special_calls[i].verdict;
	}
	if (!walls->notify) {
		verdicts[SYS_sethostname] = VERDICT_REFUSE;
	}
	verdicts[KNOWN_CALLS] = VERDICT_ABSENT;
	for (uint32_t nr = 0; nr <= KNOWN_CALLS; nr++) {
		if (count == 0 || ranges[count - 1].verdict != verdicts[nr]) {
			ranges[count++] = (struct range){ nr, verdicts[nr] };
		}
	}

	walls->filter_count = 0;
	filter_add(walls, BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, arch));
	filter_add(walls, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, AUDIT_ARCH_X86_64);
	filter_add(walls, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_KILL_PROCESS);
	filter_add(walls, BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr));
	filter_add_tree(walls, ranges, count);
}

static int ruleset_create(const struct ruleset_attr *attr)
{
	int fd = (int)syscall(SYS_landlock_create_ruleset, attr, sizeof(*attr), 0);

	return fd < 0 ? -errno : fd;
}

int walls_create_signal_scope(void)
{
	return ruleset_create(&(struct ruleset_attr){ .scoped = SCOPE_SIGNAL });
}

static int ruleset_add_path(int ruleset_fd, const struct walls_path *path)
{
	struct path_attr rule = {
		.allowed_access =
			path->writable ? FS_RIGHTS_ALL : FS_EXECUTE | FS_READ_FILE | FS_READ_DIR,
		.parent_fd = open(path->path, O_PATH | O_CLOEXEC),
	};
	long r;

	if (rule.parent_fd < 0) {
		return -errno;
	}
	r = syscall(SYS_landlock_add_rule, ruleset_fd, RULE_PATH_BENEATH, &rule, 0);
	if (r < 0 && errno == EINVAL) {
		/* Not a directory: the rights that make and remove entries do not fit it. */
		rule.allowed_access &= FS_RIGHTS_OF_A_FILE;
		r = syscall(SYS_landlock_add_rule, ruleset_fd, RULE_PATH_BENEATH, &rule, 0);
	}
	r = r < 0 ? -errno : 0;
	(void)close(rule.parent_fd);
	return (int)r;
}

/* A name that nobody can have made before, and the right to write there. */
static int private_tmp_make(struct walls *walls)
{
	const struct walls_path path = { walls->tmp, true };
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random)) {
		return -EIO;
	}
	(void)snprintf(
		walls->tmp, sizeof(walls->tmp), "/tmp/floor-%016llx", (unsigned long long)random);
	return mkdir(walls->tmp, 0700) < 0 ? -errno : ruleset_add_path(walls->ruleset_fd, &path);
}

void walls_finish(const struct walls *walls)
{
	if (walls->tmp[0] != '\0') {
		(void)rmdir(walls->tmp);
	}
}

int walls_prepare(struct walls *walls)
{
	const struct ruleset_attr attr = {
		.handled_access_fs = FS_RIGHTS_ALL,
		.handled_access_net = NET_RIGHTS_ALL,
		.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL,
	};

	if (walls->path_count == 0) {
		memcpy(walls->paths, default_paths, sizeof(default_paths));
		walls->path_count = sizeof(default_paths) / sizeof(default_paths[0]);
	}

	walls->ruleset_fd = ruleset_create(&attr);
	if (walls->ruleset_fd < 0) {
		return walls->ruleset_fd;
	}
	for (size_t i = 0; i < walls->path_count; i++) {
		int r = ruleset_add_path(walls->ruleset_fd, &walls->paths[i]);

		if (r < 0) {
			return r;
		}
	}
	filter_build(walls);
	return walls->private_tmp ? private_tmp_make(walls) : 0;
}

int walls_set_no_new_privileges(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

int walls_drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	/* Past the last capability the kernel answers EINVAL; a caller without CAP_SETPCAP is told
	 * EPERM and has nothing in its permitted set that the bounding set could give back. */
	for (int capability = 0; prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0; capability++) {
	}
	return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

int walls_restrict_self(int ruleset_fd)
{
	return syscall(SYS_landlock_restrict_self, ruleset_fd, 0) < 0 ? -errno : 0;
}

int walls_install_filter(const struct walls *walls)
{
	const struct sock_fprog program = {
		.len = (unsigned short)walls->filter_count,
		.filter = (struct sock_filter *)walls->filter,
	};
	unsigned long flags = walls->notify ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0;
	long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);

	return r < 0 ? -errno : (int)r;
}

static int check(bool holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "selftest: failed: %s\n", what);
	}
	return holds ? 0 : 1;
}

int walls_check(const struct walls *walls, int outside)
{
	const struct sockaddr_in discard = {
		.sin_family = AF_INET,
		.sin_port = htons(9),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int failures = 0;
	int fd;
	long r;

	fd = open("/usr", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	failures += check(fd >= 0, "a granted directory opens");
	(void)close(fd);
	fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	failures += check(fd < 0 && errno == EACCES, "a file that nobody granted is refused");

	failures += check(kill(getpid(), 0) == 0, "a process may signal itself");
	if (outside != 0) {
		r = kill(outside, 0);
		failures += check(r < 0 && errno == EPERM, "a process outside cannot be signalled");
	}

	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	failures += check(fd >= 0, "a TCP socket can be made");
	r = connect(fd, (const struct sockaddr *)&discard, sizeof(discard));
	failures += check(r < 0 && errno == EACCES, "a TCP connect is refused");
	(void)close(fd);

	r = syscall(SYS_io_uring_setup, 0, NULL);
	failures += check(r < 0 && errno == EPERM, "the filter refuses io_uring_setup");
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
	failures += check(fd < 0 && errno == EPERM, "the filter looks at the socket's family");
	r = syscall(SYS_clone3, NULL, 0);
	failures += check(r < 0 && errno == ENOSYS, "the filter answers ENOSYS to clone3");
	r = prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0);
	failures += check(geteuid() != 0 || r == 0, "the bounding set is empty");

	r = syscall(SYS_sethostname, "floor", 5);
	if (walls->notify) {
		failures += check(r == WALLS_NOTIFIED_ANSWER, "the notified call is answered");
	} else {
		failures += check(r < 0 && errno == EPERM, "sethostname is refused");
	}
	return failures;
}

static bool walls_add_path(struct walls *walls, const char *path, bool writable)
{
	if (path == NULL || walls->path_count == WALLS_PATHS_MAX) {
		return false;
	}
	walls->paths[walls->path_count++] = (struct walls_path){ path, writable };
	return true;
}

int walls_parse(struct walls *walls, int argc, char **argv, bool *ret_selftest)
{
	*walls = (struct walls){ .ruleset_fd = -1 };
	*ret_selftest = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--listener") == 0) {
			walls->notify = true;
		} else if (strcmp(argv[i], "--private-tmp") == 0) {
			walls->private_tmp = true;
		} else if (strcmp(argv[i], "--selftest") == 0) {
			*ret_selftest = true;
		} else if (strcmp(argv[i], "-r") == 0 || strcmp(argv[i], "-w") == 0) {
			if (!walls_add_path(walls, argv[i + 1], argv[i][1] == 'w')) {
				return -EINVAL;
			}
			i++;
		} else if (strcmp(argv[i], "--") == 0) {
			return i + 1 < argc ? i + 1 : -EINVAL;
		} else {
			return -EINVAL;
		}
	}
	return *ret_selftest ? argc : -EINVAL;
}

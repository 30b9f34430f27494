/* Calls that need a capability, each with arguments that do no harm where they are allowed: the
 * kernel looks at the capability first and at the nonsense afterwards. */
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>

#include "tests/live/guests/act.h"

#define NR_OPEN_TREE	 428
#define NR_MOVE_MOUNT	 429
#define NR_FSOPEN	 430
#define NR_FSPICK	 433
#define NR_MOUNT_SETATTR 442
#define NR_QUOTACTL_FD	 443

static const struct timezone absurd_timezone = { .tz_minuteswest = 100000 };
static const struct timespec before_boot = { 0, 0 };
static struct timex absurd_tick = { .modes = ADJ_TICK, .tick = -1 };
static const gid_t one_group[1] = { 1 };
static const struct sched_param realtime = { .sched_priority = 1 };
static struct {
	unsigned handle_bytes;
	int handle_type;
	unsigned char bytes[8];
} stale_handle = { 8, 1, { 0xff, 0xff, 0xff, 0x7f, 1, 1, 1, 1 } };
static struct __user_cap_header_struct capability_header = { _LINUX_CAPABILITY_VERSION_3, 0 };
static const struct __user_cap_data_struct one_capability[2] = { { 1, 1, 0 }, { 0, 0, 0 } };

struct call {
	const char *name;
	long number;
	long arguments[5];
};

/* Paths are relative to a directory of the test's own that holds "own", owned by the caller,
 * and "foreign", owned by another user and closed to all but him. */
static const struct call calls[] = {
	{ "chroot", SYS_chroot, { (long)"." } },
	{ "mknod", SYS_mknod, { (long)"node", S_IFCHR | 0600, (long)((1 << 8) | 3) } },
	{ "open_by_handle_at", SYS_open_by_handle_at, { AT_FDCWD, (long)&stale_handle, O_RDONLY } },
	{ "syslog", SYS_syslog, { 8, 0, 0 } },
	{ "settimeofday", SYS_settimeofday, { 0, (long)&absurd_timezone } },
	{ "clock_settime", SYS_clock_settime, { CLOCK_REALTIME, (long)&before_boot } },
	{ "adjtimex", SYS_adjtimex, { (long)&absurd_tick } },
	{ "clock_adjtime", SYS_clock_adjtime, { CLOCK_REALTIME, (long)&absurd_tick } },
	{ "reboot", SYS_reboot, { 0, 0, 0, 0 } },
	{ "kexec_load", SYS_kexec_load, { 0, 1 << 20, 0, 0 } },
	{ "kexec_file_load", SYS_kexec_file_load, { -1, -1, 0, 0, 0 } },
	{ "setns", SYS_setns, { -1, 0 } },
	{ "bpf", SYS_bpf, { 9999, 0, 0 } },
	{ "fanotify_init", SYS_fanotify_init, { 4, 0 } },
	{ "quotactl", SYS_quotactl, { 0x800002 << 8, (long)"none", 0, 0 } },
	{ "quotactl_fd", NR_QUOTACTL_FD, { -1, 0x800002 << 8, 0, 0 } },
	{ "swapon", SYS_swapon, { (long)"absent", 0 } },
	{ "swapoff", SYS_swapoff, { (long)"absent" } },
	{ "iopl", SYS_iopl, { 3 } },
	{ "ioperm", SYS_ioperm, { 0x80, 1, 1 } },
	{ "sethostname", SYS_sethostname, { 0, -1 } },
	{ "setdomainname", SYS_setdomainname, { 0, -1 } },
	{ "init_module", SYS_init_module, { 0, 0, (long)"" } },
	{ "finit_module", SYS_finit_module, { -1, (long)"", 0 } },
	{ "delete_module", SYS_delete_module, { (long)"absent", 0 } },
	{ "mount", SYS_mount, { (long)"none", (long)".", (long)"no-such-type", 0, 0 } },
	{ "umount2", SYS_umount2, { (long)"own", 0 } },
	{ "pivot_root", SYS_pivot_root, { (long)".", (long)"." } },
	{ "acct", SYS_acct, { (long)"absent" } },
	{ "perf_event_open", SYS_perf_event_open, { 0, 0, -1, -1, 0 } },
	{ "userfaultfd", SYS_userfaultfd, { 0 } },
	{ "open_tree", NR_OPEN_TREE, { AT_FDCWD, (long)".", 1 } },
	{ "move_mount", NR_MOVE_MOUNT, { -1, (long)"", -1, (long)"", 0 } },
	{ "fsopen", NR_FSOPEN, { (long)"tmpfs", 0 } },
	{ "fspick", NR_FSPICK, { AT_FDCWD, (long)"/proc", 0 } },
	{ "mount_setattr", NR_MOUNT_SETATTR, { -1, (long)"", 0, 0, 0 } },
	{ "setuid", SYS_setuid, { 1 } },
	{ "setgid", SYS_setgid, { 1 } },
	{ "setresuid", SYS_setresuid, { 1, 1, 1 } },
	{ "setgroups", SYS_setgroups, { 1, (long)one_group } },
	{ "chown", SYS_chown, { (long)"own", 1, 1 } },
	{ "dac_override", SYS_open, { (long)"foreign", O_RDONLY } },
	{ "capset", SYS_capset, { (long)&capability_header, (long)one_capability } },
	{ "capability_drop", SYS_prctl, { PR_CAPBSET_DROP, CAP_WAKE_ALARM, 0, 0, 0 } },
	{ "set_mm", SYS_prctl, { PR_SET_MM, PR_SET_MM_START_CODE, 1, 0, 0 } },
	{ "securebits", SYS_prctl, { PR_SET_SECUREBITS, 0, 0, 0, 0 } },
	{ "nice_up", SYS_setpriority, { PRIO_PROCESS, 0, -5 } },
	{ "realtime", SYS_sched_setscheduler, { 0, SCHED_FIFO, (long)&realtime } },
	{ "ioprio_realtime", SYS_ioprio_set, { 1, 0, (1 << 13) | 4 } },
	{ "socket_raw", SYS_socket, { AF_INET, SOCK_RAW, 255 } },
	{ "trusted_xattr", SYS_setxattr,
		{ (long)"own", (long)"trusted.sandlock", (long)"x", 1, 0 } },
};

static int make_call(void *argument)
{
	const struct call *call = argument;
	const long *a = call->arguments;

	/* Some (vhangup, TIOCCONS and their kin) look for a terminal: this process has none. */
	setsid();
	return syscall(call->number, a[0], a[1], a[2], a[3], a[4], 0) < 0 ? errno : 0;
}

static int hang_up(void *argument)
{
	(void)argument;
	setsid();
	return vhangup() < 0 ? errno : 0;
}

static int raise_open_files(void *argument)
{
	struct rlimit limit;

	(void)argument;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_max += 1;
	return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? errno : 0;
}

/* attack_privileged calls DIRECTORY */
static int run_calls(int argc, char **argv)
{
	if (argc < 2 || chdir(argv[1]) != 0) {
		return GUEST_MISUSED;
	}
	unlink("own");
	close(open("own", O_WRONLY | O_CREAT | O_EXCL, 0644));
	for (size_t i = 0; i < ACT_COUNT(calls); i++) {
		act_forked(calls[i].name, make_call, (void *)&calls[i]);
	}
	act_forked("vhangup", hang_up, NULL);
	act_forked("raise_open_files", raise_open_files, NULL);
	unlink("node");
	return 0;
}

/* How many capabilities stand in each set of this process. */
static int run_sets(int argc, char **argv)
{
	struct __user_cap_data_struct sets[2];
	int bounding = 0, ambient = 0;

	(void)argc;
	(void)argv;
	syscall(SYS_capget, &capability_header, sets);
	for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++) {
		bounding += prctl(PR_CAPBSET_READ, capability);
		ambient += prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability, 0, 0) > 0;
	}
	act_value("permitted",
		__builtin_popcount(sets[0].permitted) + __builtin_popcount(sets[1].permitted));
	act_value("effective",
		__builtin_popcount(sets[0].effective) + __builtin_popcount(sets[1].effective));
	act_value("inheritable",
		__builtin_popcount(sets[0].inheritable) + __builtin_popcount(sets[1].inheritable));
	act_value("bounding", bounding);
	act_value("ambient", ambient);
	act_value("no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	act_value("uid", (long)geteuid());
	return 0;
}

/* attack_privileged exec PROGRAM WORD...: for what survives an exec. */
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
		{ "calls", run_calls },
		{ "sets", run_sets },
		{ "exec", run_exec },
	};

	return act_dispatch(commands, ACT_COUNT(commands), argc, argv);
}

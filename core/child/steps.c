/* The steps between clone and exec.  Their order is their meaning: what needs privileges comes
 * before they are dropped, the walls come last, and the self-check looks at the walls from inside.
 */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/personality.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/resource.h>

#include "core/child/child.h"
#include "core/child/raw.h"

#define SECCOMP_MODE_IS_FILTER 2 /* what PR_GET_SECCOMP answers behind a filter */

/* A group of its own: the terminal's signals and `kill 0` of the command stay inside. */
static long enter_own_group(const struct launch *launch)
{
	(void)launch;
	return raw_syscall(__NR_setpgid, 0, 0);
}

/* The keeper may have died before the request; then this task has another parent already. */
static long die_with_the_keeper(const struct launch *launch)
{
	long r = raw_syscall(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL);

	if (r == 0 && raw_syscall(__NR_getppid) != launch->keeper) {
		return -ESRCH;
	}
	return r;
}

/* tcsetpgrp from a background group raises SIGTTOU; every signal is blocked here, so that the
 * kernel lets it through (tty_ioctl(4)). */
static long take_the_terminal(const struct launch *launch)
{
	int group = (int)raw_syscall(__NR_getpid);

	if (!launch->takes_terminal) {
		return 0;
	}
	return raw_syscall(__NR_ioctl, launch->stdio[0], TIOCSPGRP, &group);
}

static long write_file(const char *path, const char *bytes, size_t length)
{
	long fd = raw_syscall(__NR_openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC);
	long r;

	if (fd < 0) {
		return fd;
	}
	r = raw_syscall(__NR_write, fd, bytes, length);
	(void)raw_syscall(__NR_close, fd); /* the write has said what there is to say */
	return r < 0 ? r : 0;
}

static size_t put_number(char *at, uint64_t value)
{
	char digits[20];
	size_t count = 0;

	do {
		digits[count++] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	for (size_t i = 0; i < count; i++) {
		at[i] = digits[count - 1 - i];
	}
	return count;
}

static long write_id_map(const char *path, uint64_t inside, uint64_t outside)
{
	char line[48];
	size_t length = put_number(line, inside);

	line[length++] = ' ';
	length += put_number(line + length, outside);
	line[length++] = ' ';
	line[length++] = '1';
	return write_file(path, line, length);
}

/* The keeper cloned this task into a user namespace; a single identity is mapped, which needs no
 * privilege once setgroups is denied (user_namespaces(7)). */
static long map_the_user(const struct launch *launch)
{
	const struct plan *plan = launch->plan;
	long r;

	if (!plan->has_user) {
		return 0;
	}
	r = write_id_map("/proc/self/uid_map", plan->uid, plan->host_uid);
	if (r == 0) {
		r = write_file("/proc/self/setgroups", "deny", 4);
	}
	return r == 0 ? write_id_map("/proc/self/gid_map", plan->gid, plan->host_gid) : r;
}

/* The sources are moved above the targets first, so that no target overwrites a later source. */
static long connect_streams(const struct launch *launch)
{
	long moved[3];

	for (int i = 0; i < 3; i++) {
		moved[i] = launch->stdio[i];
		if (moved[i] >= 0 && moved[i] < 3 && moved[i] != i) {
			moved[i] = raw_syscall(__NR_fcntl, moved[i], F_DUPFD_CLOEXEC, 3);
			if (moved[i] < 0) {
				return moved[i];
			}
		}
	}
	for (int i = 0; i < 3; i++) {
		long r = 0;

		if (moved[i] >= 0 && moved[i] != i) {
			r = raw_syscall(__NR_dup3, moved[i], i, 0);
		}
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

static long fix_the_layout(const struct launch *launch)
{
	long persona;

	if (!launch->plan->no_randomize_memory) {
		return 0;
	}
	persona = raw_syscall(__NR_personality, 0xffffffff);
	if (persona < 0) {
		return persona;
	}
	persona = raw_syscall(__NR_personality, persona | ADDR_NO_RANDOMIZE);
	return persona < 0 ? persona : 0;
}

static long pin_to_processors(const struct launch *launch)
{
	const struct cpu_mask *cpus = &launch->plan->cpus;
	long r = 0;

	if (cpus->is_set) {
		r = raw_syscall(__NR_sched_setaffinity, 0, sizeof(cpus->words), cpus->words);
	}
	return r < 0 ? r : 0;
}

static long refuse_huge_pages(const struct launch *launch)
{
	return launch->plan->no_huge_pages ? raw_syscall(__NR_prctl, PR_SET_THP_DISABLE, 1, 0, 0, 0)
					   : 0;
}

static long set_limit(long pid, int resource, uint64_t limit)
{
	struct {
		uint64_t soft;
		uint64_t hard;
	} pair = { limit, limit };

	return raw_syscall(__NR_prlimit64, pid, resource, &pair, NULL);
}

/* A limit of 0 stops core files, but a core_pattern that is a pipe ignores it; 1 is the one value
 * that stops the pipe too (fs/coredump.c, "cprm.limit == 1"), and no file fits in it either. */
static long refuse_core_dumps(const struct launch *launch)
{
	return launch->plan->no_coredump ? set_limit(0, RLIMIT_CORE, 1) : 0;
}

static long enter_directory(const struct launch *launch)
{
	const char *cwd = launch->plan->cwd;

	return cwd != NULL ? raw_syscall(__NR_chdir, cwd) : 0;
}

/* Under root, the groups of the caller would open files that no grant of this identity names.
 * Anyone else cannot change them, and keeps what the kernel gives to its uid anyway. */
static long leave_groups(const struct launch *launch)
{
	if (launch->plan->host_uid != 0 || launch->plan->has_user) {
		return 0;
	}
	long r = raw_syscall(__NR_setgroups, 0, NULL);
	return r == -EPERM ? 0 : r; /* without CAP_SETGID there is nothing to be gained either */
}

/* The bounding set first: shrinking it needs CAP_SETPCAP.  A caller without that capability cannot
 * gain any through exec either, because no_new_privs is set (capabilities(7)). */
static long drop_capabilities(const struct launch *launch)
{
	uint64_t keep = launch->plan->keep_caps;
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct sets[2];
	long r = raw_syscall(__NR_capget, &header, sets);

	if (r < 0) {
		return r;
	}
	(void)raw_syscall(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (unsigned int cap = 0; cap < 64; cap++) {
		if ((keep >> cap) & 1) {
			continue;
		}
		r = raw_syscall(__NR_prctl, PR_CAPBSET_DROP, cap, 0, 0, 0);
		if (r == -EINVAL) {
			break; /* beyond the last capability that this kernel knows */
		}
		if (r < 0 && r != -EPERM) {
			return r;
		}
	}
	for (unsigned int i = 0; i < 2; i++) {
		uint32_t kept = sets[i].permitted & (uint32_t)(keep >> (32 * i));

		sets[i].effective = kept;
		sets[i].permitted = kept;
		sets[i].inheritable = kept;
	}
	return raw_syscall(__NR_capset, &header, sets);
}

static long refuse_new_privileges(const struct launch *launch)
{
	(void)launch;
	return raw_syscall(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static long enter_landlock(const struct launch *launch)
{
	if (launch->ruleset_fd < 0 || launch->plan->fault_skip_landlock) {
		return 0;
	}
	return raw_syscall(__NR_landlock_restrict_self, launch->ruleset_fd, 0);
}

static long close_between(unsigned int first, unsigned int last, unsigned int spared)
{
	long r = 0;

	if (spared >= first && spared <= last) {
		if (spared > first) {
			r = raw_syscall(__NR_close_range, first, spared - 1, 0);
		}
		first = spared + 1;
	}
	return r < 0 || first > last ? r : raw_syscall(__NR_close_range, first, last, 0);
}

/* Everything goes but 0, 1, 2 and what was declared.  The list is sorted and holds nothing below 3.
 * In a table that the keeper shares its end of the socket stays too: exec closes it. */
static long close_descriptors(const struct launch *launch)
{
	const struct number_list *keep = &launch->plan->keep_fds;
	unsigned int spared = launch->hand_over != NULL ? (unsigned int)launch->control_fd : 0;
	unsigned int next = 3;
	long r;

	for (size_t i = 0; i < keep->count; i++) {
		if (keep->items[i] > next) {
			r = close_between(next, keep->items[i] - 1, spared);
			if (r < 0) {
				return r;
			}
		}
		r = raw_syscall(__NR_fcntl, keep->items[i], F_SETFD, 0);
		if (r < 0) {
			return r;
		}
		next = keep->items[i] + 1;
	}
	return close_between(next, ~0u, spared);
}

/* A budget, never a grant: not above what the caller has. */
long child_limit_open_files(const struct launch *launch, long pid)
{
	struct {
		uint64_t soft;
		uint64_t hard;
	} inherited;
	uint64_t limit = launch->plan->open_files;
	long r;

	if (limit == 0) {
		return 0;
	}
	r = raw_syscall(__NR_prlimit64, 0, RLIMIT_NOFILE, NULL, &inherited);
	if (r < 0) {
		return r;
	}
	limit = inherited.soft < limit ? inherited.soft : limit;
	limit = inherited.hard < limit ? inherited.hard : limit;
	return set_limit(pid, RLIMIT_NOFILE, limit);
}

/* The listener takes a number below the limit, and afterwards nothing but waiting is safe: so the
 * keeper sets it then. */
static long limit_open_files(const struct launch *launch)
{
	return launch->hand_over == NULL ? child_limit_open_files(launch, 0) : 0;
}

/* exec resets what has a handler and keeps what is ignored; the command gets the defaults of both.
 * KILL and STOP cannot be set, and 32 and 33 are real signals to the kernel. */
static long reset_dispositions(const struct launch *launch)
{
	struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		raw_sigset mask;
	} action = { 0 };

	(void)launch;
	for (int signal = 1; signal <= RAW_SIGNAL_COUNT; signal++) {
		if (signal != SIGKILL && signal != SIGSTOP) {
			long r = raw_syscall(
				__NR_rt_sigaction, signal, &action, NULL, sizeof(raw_sigset));

			if (r < 0) {
				return r;
			}
		}
	}
	return 0;
}

/* Without SECCOMP_FILTER_FLAG_SPEC_ALLOW speculation mitigations stay as the system has them. */
static long load_filter(const struct plan *plan, unsigned int flags)
{
	const struct bpf_program *filter = &plan->filter;
	struct sock_fprog program = {
		.len = (unsigned short)filter->count,
		.filter = filter->instructions,
	};

	return raw_syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static long install_the_filter(const struct launch *launch)
{
	if (launch->hand_over != NULL || launch->plan->fault_skip_filter) {
		return 0;
	}
	return load_filter(launch->plan, 0);
}

/* From here until exec nothing is called that could be notified while nobody is there to answer:
 * see check_hand_over() of the plan.  The kernel marks the listener to be closed on exec; the
 * keeper closes it before that, for both. */
static long install_the_listener(const struct launch *launch)
{
	struct hand_over *hand_over = launch->hand_over;
	long fd;

	if (hand_over == NULL || launch->plan->fault_skip_filter) {
		return 0;
	}
	fd = load_filter(launch->plan,
		SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
	if (fd < 0) {
		return fd;
	}
	raw_futex_post(&hand_over->listener, (uint32_t)fd + HAND_OVER_NUMBER);
	while (__atomic_load_n(&hand_over->resumed, __ATOMIC_ACQUIRE) == 0) {
		raw_futex_wait(&hand_over->resumed, 0, 0);
	}
	return 0;
}

/* Proofs from inside, before the filter could hide behind a notification what Landlock answers: a
 * path that no rule grants, and a signal to the keeper outside. */
static long check_landlock(const struct launch *launch)
{
	const struct plan *plan = launch->plan;

	if (raw_syscall(__NR_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) {
		return -EPROTO;
	}
	if (plan->denied_path != NULL && raw_syscall(__NR_openat, AT_FDCWD, plan->denied_path,
						 O_RDONLY | O_DIRECTORY | O_CLOEXEC) >= 0) {
		return -EPROTO;
	}
	if (plan->landlock.attr.scoped != 0 && launch->keeper > 0 && plan->scopes_signals &&
		raw_syscall(__NR_kill, launch->keeper, 0) != -EPERM) {
		return -EPROTO;
	}
	return 0;
}

/* The mode is asked for where that cannot be notified; with a listener its descriptor tells.  The
 * other proof is a call whose native answer would be EBADF; a denied call is never notified. */
static long check_the_filter(const struct launch *launch)
{
	if (launch->hand_over == NULL &&
		raw_syscall(__NR_prctl, PR_GET_SECCOMP, 0, 0, 0, 0) != SECCOMP_MODE_IS_FILTER) {
		return -EPROTO;
	}
	return raw_syscall(__NR_ioctl, -1, TIOCSTI, NULL) == -EPERM ? 0 : -EPROTO;
}

static long reset_the_mask(const struct launch *launch)
{
	raw_sigset none = 0;

	(void)launch;
	return raw_syscall(__NR_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof(none));
}

/* Tries the files in the order of PATH, as execvp(3) does: a missing one is passed over, one that
 * may not be run is remembered. */
static long execute(const struct launch *launch)
{
	const struct plan *plan = launch->plan;
	long result = -ENOENT;

	launch->report->exec_ns = raw_now();
	launch->report->stage = REPORT_EXECUTING;
	for (char *const *path = plan->exec_paths; *path != NULL; path++) {
		long r = raw_syscall(__NR_execve, *path, plan->argv, plan->envp);

		if (r == -ENOEXEC) {
			/* No magic number and no "#!": a script for the shell, as execvp runs it.
			 */
			plan->shell_argv[1] = *path;
			r = raw_syscall(
				__NR_execve, plan->shell_argv[0], plan->shell_argv, plan->envp);
		}
		if (r != -ENOENT && r != -ENOTDIR && r != -EACCES) {
			return r;
		}
		result = r == -EACCES ? r : result;
	}
	return result;
}

struct step {
	const char *name;
	long (*run)(const struct launch *launch);
	bool in_place; /* also when the program confines itself and execs */
	const char *cure;
};

#define SELF_CHECK_CURE                                                                            \
	"a wall was put up without an error but does not hold: the command was not started"

static const struct step steps[] = {
	{ "own process group", enter_own_group, false, NULL },
	{ "death signal", die_with_the_keeper, false, "the keeper was killed during the start" },
	{ "take the terminal", take_the_terminal, false, "run it with standard input from a file" },
	{ "map the user", map_the_user, false,
		"--user needs unprivileged user namespaces (user.max_user_namespaces)" },
	{ "standard streams", connect_streams, true, NULL },
	{ "fixed memory layout", fix_the_layout, true,
		"an outer sandbox refuses personality(2); run without --no-randomize-memory" },
	{ "processors", pin_to_processors, true, "no processor of --cpu-cores is online" },
	{ "huge pages", refuse_huge_pages, true, NULL },
	{ "core dumps", refuse_core_dumps, true, NULL },
	{ "working directory", enter_directory, true, "see --cwd" },
	{ "supplementary groups", leave_groups, true, NULL },
	{ "capabilities", drop_capabilities, true, NULL },
	{ "no new privileges", refuse_new_privileges, true, NULL },
	{ "landlock", enter_landlock, true, NULL },
	{ "self-check", check_landlock, true, SELF_CHECK_CURE },
	{ "descriptors", close_descriptors, true, "close_range(2) needs Linux 5.9" },
	{ "open files", limit_open_files, true, NULL },
	{ "signal dispositions", reset_dispositions, true, NULL },
	{ "signal mask", reset_the_mask, true, NULL },
	{ "seccomp filter", install_the_filter, true,
		"the kernel needs CONFIG_SECCOMP_FILTER, and an outer sandbox must allow seccomp(2)" },
	{ "seccomp listener", install_the_listener, false,
		"if an outer sandbox listens already, use --no-supervisor inside it, or no option "
		"that needs notifications; Linux 5.19 is needed" },
	{ "self-check", check_the_filter, true, SELF_CHECK_CURE },
	{ "exec", execute, true, NULL },
};

void child_become_command(const struct launch *launch)
{
	struct run_report *report = launch->report;

	report->stage = REPORT_CHILD_SETUP;
	for (unsigned int i = 0; i < ARRAY_LEN(steps); i++) {
		long r = 0;

		if (launch->keeper != 0 || steps[i].in_place) {
			r = steps[i].run(launch);
		}
		if (r < 0) {
			report->step = i;
			report->error = (int32_t)-r;
			report->stage = REPORT_FAILED;
			if (launch->hand_over != NULL) {
				raw_futex_post(&launch->hand_over->listener, HAND_OVER_FAILED);
			}
			return;
		}
	}
}

const char *step_name(unsigned int step)
{
	if (step == REPORT_STEP_KEEPER) {
		return "keeper";
	}
	if (step == REPORT_STEP_HAND_OVER) {
		return "listener hand-over";
	}
	return step < ARRAY_LEN(steps) ? steps[step].name : "unknown step";
}

const char *step_cure(unsigned int step)
{
	return step < ARRAY_LEN(steps) ? steps[step].cure : NULL;
}

/* One row per system call: its verdict in supervised and unsupervised runs, and who polices it. */
// SPDX-License-Identifier: Apache-2.0

#include <assert.h>
#include <errno.h>
#include <linux/sched.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "bpf/filter.h"
#include "core/plan/syscall_rules.h"

/* What the clauses below may depend on, computed once from the choices. */
enum {
	ALWAYS = 0,
	TCP = 1 << 0,	    /* TCP sockets may be made */
	UNIX = 1 << 1,	    /* UNIX sockets may be made */
	LISTENING = 1 << 2, /* some socket may listen */
	UNSUPERVISED = 1 << 3,
	DEBUGGING = 1 << 4,  /* group ptrace */
	NAMESPACES = 1 << 5, /* group userns */
};

/* A clause that exists only if all facts of `only_if` and none of `unless` hold. */
struct rule_clause {
	uint8_t only_if;
	uint8_t unless;
	struct arg_clause clause;
};

#define CLAUSE(verdict_, only_if_, unless_, ...)                                                   \
	{                                                                                          \
		.only_if = (only_if_), .unless = (unless_),                                        \
		.clause = {                                                                        \
			.tests = { __VA_ARGS__ },                                                  \
			.test_count = sizeof((struct arg_test[]){ __VA_ARGS__ }) /                 \
				      sizeof(struct arg_test),                                     \
			.verdict = VERDICT_##verdict_,                                             \
		},                                                                                 \
	}
#define PERMIT(...) CLAUSE(ALLOW, ALWAYS, ALWAYS, __VA_ARGS__)
#define REFUSE(...) CLAUSE(EPERM, ALWAYS, ALWAYS, __VA_ARGS__)

/* Values that the headers of the build machine may lack. */
#define CLONE_NAMESPACES                                                                           \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
		CLONE_NEWPID | CLONE_NEWNET)
#define PIDFD_SELF_THREAD_VALUE	      ((uint32_t)-10000) /* linux/fcntl.h of 6.14 and later */
#define PIDFD_SELF_THREAD_GROUP_VALUE ((uint32_t)-10001)
#define PR_SET_VMA_VALUE	      0x53564d41u
#define PR_GET_AUXV_VALUE	      0x41555856u
#define PRCTL_LAST		      78 /* PR_FUTEX_HASH, the last one of Linux 6.18 */
#define IOPRIO_WHO_PROCESS_VALUE      1

/* The low 32 bits are all that the kernel takes of the flags of clone, on every architecture. */
static const struct rule_clause clone_clauses[] = {
	REFUSE(ARG_HAS(0, INT, CLONE_PARENT)), /* the child would belong to the keeper */
	/* A child that no tracer is told of.  LeakSanitizer makes its own tracer so. */
	CLAUSE(EPERM, ALWAYS, DEBUGGING | UNSUPERVISED, ARG_HAS(0, INT, CLONE_UNTRACED)),
	CLAUSE(EPERM, ALWAYS, NAMESPACES, ARG_HAS(0, INT, CLONE_NAMESPACES)),
	PERMIT(),
};

/* Only what takes nothing but the caller out of what it shares with others. */
static const struct rule_clause unshare_clauses[] = {
	REFUSE(ARG_HAS(0, U64, ~(uint64_t)(CLONE_FILES | CLONE_FS | CLONE_SYSVSEM))),
	PERMIT(),
};

/* Families whose sockets Landlock can hold; of TCP only the protocol that its rules see, which
 * leaves out MPTCP and SMC.  The type carries SOCK_CLOEXEC and SOCK_NONBLOCK above its four bits.
 */
#define TCP_CLAUSE(family, protocol)                                                               \
	CLAUSE(ALLOW, TCP, ALWAYS, ARG_IS(0, INT, family),                                         \
		ARG_MASKED_IS(1, INT, 0xf, SOCK_STREAM), ARG_IS(2, INT, protocol))
static const struct rule_clause socket_clauses[] = {
	CLAUSE(ALLOW, UNIX, ALWAYS, ARG_IS(0, INT, AF_UNIX)),
	TCP_CLAUSE(AF_INET, 0),
	TCP_CLAUSE(AF_INET, IPPROTO_TCP),
	TCP_CLAUSE(AF_INET6, 0),
	TCP_CLAUSE(AF_INET6, IPPROTO_TCP),
};

/* Both ends are inside.  But a datagram socket, although paired, sends to and connects with any
 * socket file by name; the connected kinds refuse both.  Those are SOCK_STREAM (1) and
 * SOCK_SEQPACKET (5), which differ in one bit of the four that make the type. */
static const struct rule_clause socketpair_clauses[] = {
	CLAUSE(ALLOW, UNIX, ALWAYS, ARG_IS(0, INT, AF_UNIX)),
	PERMIT(ARG_IS(0, INT, AF_UNIX),
		ARG_MASKED_IS(1, INT, 0xf & ~(SOCK_STREAM ^ SOCK_SEQPACKET), SOCK_STREAM)),
};

/* TCP_ULP can turn a TCP socket into an SMC one, whose connection Landlock does not see. */
static const struct rule_clause setsockopt_clauses[] = {
	REFUSE(ARG_IS(1, INT, IPPROTO_TCP), ARG_IS(2, INT, TCP_ULP)),
	PERMIT(),
};

static const struct rule_clause listen_clauses[] = {
	CLAUSE(ALLOW, LISTENING, ALWAYS),
};

static const struct rule_clause sendto_clauses[] = {
	REFUSE(ARG_HAS(3, INT, MSG_FASTOPEN)),
	PERMIT(),
};

static const struct rule_clause sendmsg_clauses[] = {
	REFUSE(ARG_HAS(2, INT, MSG_FASTOPEN)),
	PERMIT(),
};

static const struct rule_clause sendmmsg_clauses[] = {
	REFUSE(ARG_HAS(3, INT, MSG_FASTOPEN)),
	PERMIT(),
};

/* S_IFCHR and S_IFBLK differ in one bit, which no other type shares with them. */
#define DEVICE_MASK (S_IFMT & ~(S_IFCHR ^ S_IFBLK))
static const struct rule_clause mknod_clauses[] = {
	REFUSE(ARG_MASKED_IS(1, INT, DEVICE_MASK, S_IFCHR)),
	PERMIT(),
};

static const struct rule_clause mknodat_clauses[] = {
	REFUSE(ARG_MASKED_IS(2, INT, DEVICE_MASK, S_IFCHR)),
	PERMIT(),
};

/* 0 is the caller.  A thread's own number cannot be told from another's by registers. */
static const struct rule_clause pid_self_clauses[] = {
	PERMIT(ARG_IS(0, INT, 0)),
};

static const struct rule_clause pidfd_self_clauses[] = {
	PERMIT(ARG_IS(0, FD, PIDFD_SELF_THREAD_VALUE)),
	PERMIT(ARG_IS(0, FD, PIDFD_SELF_THREAD_GROUP_VALUE)),
};

static const struct rule_clause setpriority_clauses[] = {
	PERMIT(ARG_IS(0, INT, PRIO_PROCESS), ARG_IS(1, INT, 0)),
};

static const struct rule_clause ioprio_set_clauses[] = {
	PERMIT(ARG_IS(0, INT, IOPRIO_WHO_PROCESS_VALUE), ARG_IS(1, INT, 0)),
};

/* What a container engine permits too; -1 asks for the present one. */
static const struct rule_clause personality_clauses[] = {
	PERMIT(ARG_IS(0, INT, PER_LINUX)),
	PERMIT(ARG_IS(0, INT, PER_LINUX32)),
	PERMIT(ARG_IS(0, INT, UNAME26)),
	PERMIT(ARG_IS(0, INT, PER_LINUX32 | UNAME26)),
	PERMIT(ARG_IS(0, INT, 0xffffffff)),
	CLAUSE(ALLOW, DEBUGGING, ALWAYS, ARG_IS(0, INT, ADDR_NO_RANDOMIZE)),
};

/* Operations on the caller itself: those that Linux 6.18 knows but for a few; a number that nobody
 * has looked at is refused. */
static const struct rule_clause prctl_clauses[] = {
	REFUSE(ARG_IS(0, INT, PR_SET_DUMPABLE)),   /* would blind the supervisor */
	REFUSE(ARG_IS(0, INT, PR_SET_SECUREBITS)), /* changes how capabilities are dropped */
	REFUSE(ARG_IS(0, INT, PR_SET_MM)),	   /* forges what /proc shows of the caller */
	REFUSE(ARG_IS(0, INT, PR_SET_IO_FLUSHER)), /* takes memory reserves of the machine */
	REFUSE(ARG_IS(0, INT, PR_SCHED_CORE)),	   /* takes the number of another process */
	PERMIT(ARG_WITHIN(0, INT, PR_SET_PDEATHSIG, PRCTL_LAST)),
	PERMIT(ARG_IS(0, INT, PR_SET_VMA_VALUE)),
	PERMIT(ARG_IS(0, INT, PR_GET_AUXV_VALUE)),
	CLAUSE(ALLOW, DEBUGGING, ALWAYS, ARG_IS(0, INT, PR_SET_PTRACER)),
};

/* The kernel takes 32 bits of the command: the upper half must not hide one.  First what puts input
 * into a terminal or takes the console over, then what shows the interfaces of the host. */
static const struct rule_clause ioctl_clauses[] = {
	REFUSE(ARG_IS(1, INT, TIOCSTI)),
	REFUSE(ARG_IS(1, INT, TIOCLINUX)),
	REFUSE(ARG_IS(1, INT, TIOCCONS)),
	REFUSE(ARG_IS(1, INT, TIOCSETD)),
	REFUSE(ARG_IS(1, INT, TIOCSIG)),	    /* a signal that no scope sees */
	REFUSE(ARG_WITHIN(1, INT, 0x4b00, 0x4bff)), /* KD*: keyboard and display of a console */
	REFUSE(ARG_WITHIN(1, INT, 0x5600, 0x56ff)), /* VT_*: virtual terminals */
	REFUSE(ARG_IS(1, INT, SIOCGIFNAME)),
	REFUSE(ARG_WITHIN(1, INT, SIOCGIFCONF, SIOCGIFFLAGS)),
	REFUSE(ARG_IS(1, INT, SIOCGIFADDR)),
	REFUSE(ARG_IS(1, INT, SIOCGIFDSTADDR)),
	REFUSE(ARG_IS(1, INT, SIOCGIFBRDADDR)),
	REFUSE(ARG_IS(1, INT, SIOCGIFNETMASK)),
	REFUSE(ARG_IS(1, INT, SIOCGIFHWADDR)),
	REFUSE(ARG_IS(1, INT, SIOCGIFINDEX)),
	REFUSE(ARG_IS(1, INT, SIOCETHTOOL)),
	PERMIT(),
};

/* The lists above by the name that the rows use.  What no clause decides is refused. */
#define TEST_LISTS(X)                                                                              \
	X(CLONE, clone_clauses)                                                                    \
	X(UNSHARE, unshare_clauses)                                                                \
	X(SOCKET, socket_clauses)                                                                  \
	X(SETSOCKOPT, setsockopt_clauses)                                                          \
	X(SOCKETPAIR, socketpair_clauses)                                                          \
	X(LISTEN, listen_clauses)                                                                  \
	X(SENDTO, sendto_clauses)                                                                  \
	X(SENDMSG, sendmsg_clauses)                                                                \
	X(SENDMMSG, sendmmsg_clauses)                                                              \
	X(MKNOD, mknod_clauses)                                                                    \
	X(MKNODAT, mknodat_clauses)                                                                \
	X(PID_SELF, pid_self_clauses)                                                              \
	X(PIDFD_SELF, pidfd_self_clauses)                                                          \
	X(SETPRIORITY, setpriority_clauses)                                                        \
	X(IOPRIO_SET, ioprio_set_clauses)                                                          \
	X(PERSONALITY, personality_clauses)                                                        \
	X(PRCTL, prctl_clauses)                                                                    \
	X(IOCTL, ioctl_clauses)

enum test_list {
#define X(name, clauses) TESTS_##name,
	TEST_LISTS(X)
#undef X
		TESTS_COUNT,
	TESTS_NONE = TESTS_COUNT,
};

static const struct {
	const struct rule_clause *clauses;
	size_t count;
} test_lists[TESTS_COUNT] = {
#define X(name, clauses) [TESTS_##name] = { clauses, ARRAY_LEN(clauses) },
	TEST_LISTS(X)
#undef X
};

/* A verdict column; TESTED means by the clauses. */
enum column {
	COLUMN_ALLOW = VERDICT_ALLOW,
	COLUMN_EPERM = VERDICT_EPERM,
	COLUMN_ENOSYS = VERDICT_ENOSYS,
	COLUMN_TESTED = VERDICT_COUNT,
};

struct row {
	uint8_t supervised;   /* enum column */
	uint8_t unsupervised; /* enum column */
	uint8_t tests;	      /* enum test_list */
	uint8_t police;	      /* enum syscall_police */
	const char *reason;
};

static const struct row rows[SYSCALL_COUNT] = {
#define ALLOW(name, police, reason)                                                                \
	[SYSCALL_##name] = { COLUMN_ALLOW, COLUMN_ALLOW, TESTS_NONE, SYSCALL_POLICE_##police,      \
		reason },
#define DENY(name, supervised, unsupervised, reason)                                               \
	[SYSCALL_##name] = { COLUMN_##supervised, COLUMN_##unsupervised, TESTS_NONE,               \
		SYSCALL_POLICE_REFUSED, reason },
#define TEST(name, tests, unsupervised, reason)                                                    \
	[SYSCALL_##name] = { COLUMN_TESTED, COLUMN_##unsupervised, TESTS_##tests,                  \
		SYSCALL_POLICE_ARGUMENTS, reason },
#include "core/plan/syscall_rules.def"
#undef ALLOW
#undef DENY
#undef TEST
};

static const char *const police_names[SYSCALL_POLICE_COUNT] = {
	[SYSCALL_POLICE_HARMLESS] = "harmless",
	[SYSCALL_POLICE_LANDLOCK] = "landlock",
	[SYSCALL_POLICE_PERMISSIONS] = "file permissions",
	[SYSCALL_POLICE_ARGUMENTS] = "arguments",
	[SYSCALL_POLICE_REFUSED] = "refused",
	[SYSCALL_POLICE_USER] = "user",
};

const char *syscall_police_name(enum syscall_police police)
{
	return police_names[police];
}

static bool group_is_allowed(const struct syscall_choices *choices, enum syscall_group group)
{
	return (choices->allowed_groups >> group & 1) != 0;
}

static uint8_t facts_of(const struct syscall_choices *choices)
{
	bool has_unix =
		(choices->unix_sockets || group_is_allowed(choices, SYSCALL_GROUP_UNIX_SOCKETS)) &&
		(choices->denied_groups >> SYSCALL_GROUP_UNIX_SOCKETS & 1) == 0;
	bool debugging = group_is_allowed(choices, SYSCALL_GROUP_PTRACE);
	bool userns = group_is_allowed(choices, SYSCALL_GROUP_USERNS);

	return (uint8_t)((choices->tcp_sockets ? TCP : 0) | (has_unix ? UNIX : 0) |
			 (choices->listen || has_unix ? LISTENING : 0) |
			 (choices->supervised ? 0 : UNSUPERVISED) | (debugging ? DEBUGGING : 0) |
			 (userns ? NAMESPACES : 0));
}

/* Copies the clauses that exist under these facts to `clauses`, which has room for all. */
static struct trap trap_of_tests(enum test_list list, uint8_t facts, struct arg_clause *clauses)
{
	struct trap trap = { .clauses = clauses, .otherwise = VERDICT_EPERM };

	for (size_t i = 0; i < test_lists[list].count; i++) {
		const struct rule_clause *clause = &test_lists[list].clauses[i];

		if ((clause->only_if & ~facts) != 0 || (clause->unless & facts) != 0) {
			continue;
		}
		clauses[trap.clause_count++] = clause->clause;
	}
	return trap_simplified(&trap);
}

static bool is_lifted(const struct syscall_choices *choices, enum syscall_id id)
{
	return choices->allowed_groups != 0 &&
	       (choices->allowed_groups & syscall_groups_of(id)) != 0;
}

static enum column column_of(const struct syscall_choices *choices, enum syscall_id id, bool lifted)
{
	if (choices->denied[id]) {
		return COLUMN_EPERM;
	}
	if (lifted) {
		return COLUMN_ALLOW;
	}
	return choices->supervised ? rows[id].supervised : rows[id].unsupervised;
}

/* is_lifted for all calls at once: this is on the way of every start. */
static void mark_lifted(const struct syscall_choices *choices, bool lifted[SYSCALL_COUNT])
{
	memset(lifted, 0, SYSCALL_COUNT * sizeof(*lifted));
	for (enum syscall_group group = 0; group < SYSCALL_GROUP_COUNT; group++) {
		const struct syscall_group_info *info = syscall_group_get(group);

		for (size_t i = 0; group_is_allowed(choices, group) && i < info->member_count;
			i++) {
			lifted[info->members[i]] = true;
		}
	}
}

/* The trap set asks a notifying decision last, so that a call which the rows deny stays denied. */
static int add_notified(
	enum arch arch, const struct syscall_choices *choices, struct syscall_traps *traps)
{
	if (choices->notify_count > SYSCALL_RULES_NOTIFIED) {
		return -ENOSPC;
	}
	for (size_t i = 0; i < choices->notify_count; i++) {
		const struct syscall_notify *notify = &choices->notify[i];
		int id = syscall_find_number(ARCH_NATIVE, (uint32_t)notify->number);
		int number = id < 0 ? -1 : syscall_number(arch, (enum syscall_id)id);
		struct trap trap = { .otherwise = VERDICT_NOTIFY };
		int r;

		if (number < 0) {
			continue;
		}
		if (notify->only_if != NULL) {
			traps->notified[i] = (struct arg_clause){
				.tests = { *notify->only_if },
				.test_count = 1,
				.verdict = VERDICT_NOTIFY,
			};
			trap = (struct trap){
				.clauses = &traps->notified[i],
				.clause_count = 1,
				.otherwise = VERDICT_ALLOW,
			};
		}
		r = trap_set_add(&traps->set, (uint32_t)number, &trap);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

int syscall_rules_collect(
	enum arch arch, const struct syscall_choices *choices, struct syscall_traps *ret_traps)
{
	uint8_t facts = facts_of(choices);
	struct trap tested[TESTS_COUNT];
	bool lifted[SYSCALL_COUNT];
	size_t used = 0;

	for (enum test_list list = 0; list < TESTS_COUNT; list++) {
		assert(used + test_lists[list].count <= SYSCALL_RULES_CLAUSES);
		tested[list] = trap_of_tests(list, facts, &ret_traps->clauses[used]);
		used += tested[list].clause_count;
	}
	mark_lifted(choices, lifted);
	trap_set_init(&ret_traps->set);
	for (enum syscall_id id = 0; id < SYSCALL_COUNT; id++) {
		int number = syscall_number(arch, id);
		enum column column;
		struct trap trap;
		int r;

		if (number < 0) {
			continue;
		}
		column = column_of(choices, id, lifted[id]);
		trap = column == COLUMN_TESTED ? tested[rows[id].tests]
					       : (struct trap){ .otherwise = (uint8_t)column };
		r = trap_set_add(&ret_traps->set, (uint32_t)number, &trap);
		if (r < 0) {
			return r;
		}
	}
	return add_notified(arch, choices, ret_traps);
}

int syscall_rules_compile(
	enum arch arch, const struct syscall_choices *choices, struct bpf_program *ret_program)
{
	struct syscall_traps traps;
	int r = syscall_rules_collect(arch, choices, &traps);

	if (r < 0) {
		return r;
	}
	return filter_compile(&traps.set, arch_audit_token(arch), FILTER_SEARCH_TREE, ret_program);
}

struct syscall_rule syscall_rules_get(const struct syscall_choices *choices, enum syscall_id id)
{
	struct arg_clause clauses[SYSCALL_RULES_CLAUSES];
	enum column column = column_of(choices, id, is_lifted(choices, id));
	struct syscall_rule rule = { .police = rows[id].police, .reason = rows[id].reason };
	struct trap trap = { .otherwise = (uint8_t)column };

	if (column == COLUMN_TESTED) {
		trap = trap_of_tests(rows[id].tests, facts_of(choices), clauses);
	}
	rule.verdict = trap.otherwise;
	rule.is_tested = trap.clause_count > 0;
	if (choices->denied[id]) {
		rule.police = SYSCALL_POLICE_USER;
		rule.reason = "denied by --extra-deny-syscall";
	} else if (is_lifted(choices, id)) {
		rule.police = SYSCALL_POLICE_USER;
		rule.reason = "allowed by --extra-allow-syscall";
	}
	return rule;
}

static bool is_notified(
	const struct syscall_choices *choices, enum syscall_id id, const uint64_t arguments[6])
{
	for (size_t i = 0; i < choices->notify_count; i++) {
		const struct syscall_notify *notify = &choices->notify[i];

		if (notify->number == syscall_number(ARCH_NATIVE, id) &&
			(notify->only_if == NULL || arg_test_holds(notify->only_if, arguments))) {
			return true;
		}
	}
	return false;
}

enum verdict syscall_rules_verdict(
	enum arch arch, const struct syscall_choices *choices, const struct seccomp_data *call)
{
	struct arg_clause clauses[SYSCALL_RULES_CLAUSES];
	uint64_t arguments[6];
	enum verdict verdict;
	enum column column;
	struct trap trap;
	int id;

	if (call->arch != arch_audit_token(arch)) {
		return VERDICT_KILL;
	}
	id = syscall_find_number(arch, (uint32_t)call->nr);
	if (id < 0) {
		return VERDICT_ENOSYS;
	}
	column = column_of(choices, (enum syscall_id)id, is_lifted(choices, (enum syscall_id)id));
	memcpy(arguments, call->args, sizeof(arguments));
	if (column != COLUMN_TESTED) {
		verdict = (enum verdict)column;
	} else {
		trap = trap_of_tests(rows[id].tests, facts_of(choices), clauses);
		verdict = trap_verdict(&trap, arguments);
	}
	if (verdict == VERDICT_ALLOW && is_notified(choices, (enum syscall_id)id, arguments)) {
		verdict = VERDICT_NOTIFY;
	}
	return verdict;
}

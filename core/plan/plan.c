/* Policy to plan: asks this host what it can do, and decides everything once. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bpf/interpreter.h"
#include "core/base/fault.h"
#include "core/plan/command.h"
#include "core/plan/plan.h"

#define LONG_BITS (8 * sizeof(unsigned long))

extern char **environ;

static const enum arch native_arch =
#if defined(__x86_64__)
	ARCH_X86_64;
#elif defined(__aarch64__)
	ARCH_AARCH64;
#elif defined(__riscv)
	ARCH_RISCV64;
#endif

static char *compile_name(const struct sandbox_policy *policy)
{
	static atomic_uint counter;

	if (policy->program.name != NULL) {
		return must_copy(policy->program.name);
	}
	return must_format("sandbox-%d-%u", (int)getpid(), atomic_fetch_add(&counter, 1) + 1);
}

/* A name that nobody can have made beforehand; the directory itself is made at the start. */
static int compile_private_tmp(
	const struct sandbox_policy *policy, struct plan *plan, struct error *error)
{
	const char *parent = getenv("TMPDIR");
	uint64_t random;

	if (!policy->filesystem.private_tmp) {
		return 0;
	}
	if (!plan->supervised) {
		return error_set(error, EINVAL,
			"--no-supervisor is incompatible with: --preset build (nobody would remove its "
			"temporary directory; name the grants with -r and -w)");
	}
	if (parent == NULL || parent[0] != '/') {
		parent = "/tmp";
	}
	if (getrandom(&random, sizeof(random), 0) != sizeof(random)) {
		return error_set(error, EIO, "private temporary directory: no random bytes");
	}
	plan->private_tmp = must_format("%s/sandlock-%016llx", parent, (unsigned long long)random);
	return 0;
}

static int check_cpus(const char *option, const struct number_list *cpus, struct error *error)
{
	long configured = cpus->count > 0 ? sysconf(_SC_NPROCESSORS_CONF) : 0;

	for (size_t i = 0; i < cpus->count; i++) {
		if (cpus->items[i] >= (unsigned long)configured ||
			cpus->items[i] >= PLAN_CPU_WORDS * LONG_BITS) {
			return error_set(error, EINVAL,
				"%s: %u: no such processor (this machine has 0 to %ld)", option,
				cpus->items[i], configured - 1);
		}
	}
	return 0;
}

static int compile_cpus(const struct sandbox_policy *policy, struct plan *plan, struct error *error)
{
	struct cpu_mask *cpus = &plan->cpus;
	const struct number_list *cores = &policy->limits.cpu_cores;
	const struct number_list *ours = &policy->run.supervisor_cpus;
	int r = check_cpus("--cpu-cores", cores, error);

	if (r >= 0) {
		r = check_cpus("--supervisor-cpus", ours, error);
	}
	if (r < 0) {
		return r;
	}
	/* A supervisor that pins itself must not pin the command: it gets the caller's set back. */
	if (cores->count == 0 && ours->count > 0) {
		if (sched_getaffinity(0, sizeof(cpus->words), (cpu_set_t *)cpus->words) < 0) {
			return error_set(error, errno, "sched_getaffinity: %s", strerror(errno));
		}
		cpus->is_set = true;
	}
	for (size_t i = 0; i < cores->count; i++) {
		cpus->words[cores->items[i] / LONG_BITS] |= 1ul << (cores->items[i] % LONG_BITS);
		cpus->is_set = true;
	}
	return 0;
}

/* Between filter and exec the child makes these calls while nobody may be there to answer: waiting
 * for the receiver, and one that the filter denies, as a proof.  Asked of the program itself. */
static int check_hand_over(const struct plan *plan, struct error *error)
{
	static const struct {
		int number;
		uint64_t args[2];
		uint32_t verdict;
	} calls[] = {
		{ SYS(futex), { 0, 0 }, SECCOMP_RET_ALLOW },
		{ SYS(ioctl), { (uint32_t)-1, TIOCSTI }, SECCOMP_RET_ERRNO },
		{ SYS(exit_group), { 0, 0 }, SECCOMP_RET_ALLOW },
	};

	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		struct seccomp_data data = {
			.nr = calls[i].number,
			.arch = arch_audit_token(native_arch),
			.args = { calls[i].args[0], calls[i].args[1] },
		};
		uint32_t answer = bpf_program_run(&plan->filter, &data, NULL);

		if ((answer & SECCOMP_RET_ACTION_FULL) != calls[i].verdict) {
			return error_set(error, EINVAL,
				"seccomp filter: %s must neither be denied nor notified while the "
				"listener is handed over",
				syscall_name((enum syscall_id)syscall_find_number(
					native_arch, (uint32_t)calls[i].number)));
		}
	}
	return 0;
}

static int compile_notify(const struct sandbox_policy *policy,
	const struct feature *const *features, struct plan *plan, struct error *error)
{
	int r;

	/* Nobody is there to ask: what the policy wants of a feature is refused by policy_check()
	 * or said to be without effect. */
	if (!plan->supervised) {
		return 0;
	}
	r = notify_plan_compile(policy, features, &plan->notify, error);
	if (r >= 0) {
		plan->choices.notify = plan->notify.asked;
		plan->choices.notify_count = plan->notify.count;
	}
	return r;
}

static int compile_filter(
	const struct sandbox_policy *policy, struct plan *plan, struct error *error)
{
	const struct landlock_plan *landlock = &plan->landlock;
	struct syscall_choices *choices = &plan->choices;
	int r;

	choices->supervised = plan->supervised;
	choices->tcp_sockets = (landlock->polices_tcp_connect || policy->network.connect.any) &&
			       (landlock->polices_tcp_bind || policy->network.bind.any);
	choices->listen = !port_set_is_empty(&policy->network.bind);
	choices->unix_sockets = landlock->polices_unix_paths;
	r = syscall_choices_add(
		choices, &policy->syscalls.extra_allow, &policy->syscalls.extra_deny, error);
	if (r < 0) {
		return r;
	}
	r = syscall_rules_compile(native_arch, choices, &plan->filter);
	if (r < 0) {
		return error_set(error, -r, "seccomp filter: %s", strerror(-r));
	}
	return notify_plan_needs_listener(&plan->notify) ? check_hand_over(plan, error) : 0;
}

/* The root directory is the one place that nearly no policy grants whole; where one does, the other
 * proofs of the self-check remain. */
static void compile_self_check(struct plan *plan)
{
	const struct landlock_plan *landlock = &plan->landlock;
	struct stat root;

	plan->denied_path = stat("/", &root) == 0 ? "/" : NULL;
	for (size_t i = 0; plan->denied_path != NULL && i < landlock->path_count; i++) {
		if (landlock->paths[i].device == root.st_dev &&
			landlock->paths[i].inode == root.st_ino) {
			plan->denied_path = NULL;
		}
	}
	plan->scopes_signals = landlock->protections[PROTECTION_SIGNAL_SCOPE] == PROTECTION_ACTIVE;
}

static int compare_numbers(const void *one, const void *other)
{
	uint32_t a = *(const uint32_t *)one;
	uint32_t b = *(const uint32_t *)other;

	return (a > b) - (a < b);
}

/* In order, each once; the standard streams are kept anyway. */
static void compile_keep_fds(const struct number_list *asked, struct number_list *ret_kept)
{
	uint32_t *items = must_allocate(asked->count * sizeof(items[0]));
	size_t kept = 0;

	if (asked->count > 0) {
		memcpy(items, asked->items, asked->count * sizeof(items[0]));
		qsort(items, asked->count, sizeof(items[0]), compare_numbers);
	}
	for (size_t i = 0; i < asked->count; i++) {
		if (items[i] > 2 && (kept == 0 || items[kept - 1] != items[i])) {
			items[kept++] = items[i];
		}
	}
	*ret_kept = (struct number_list){ items, kept };
}

static void compile_settings(const struct sandbox_policy *policy, struct plan *plan)
{
	plan->no_coredump = policy->program.no_coredump;
	plan->no_huge_pages = policy->program.no_huge_pages;
	plan->no_randomize_memory = policy->determinism.no_randomize_memory;
	plan->host_uid = geteuid();
	plan->host_gid = getegid();
	plan->has_user = policy->program.has_user && (policy->program.uid != plan->host_uid ||
							     policy->program.gid != plan->host_gid);
	plan->uid = policy->program.uid;
	plan->gid = policy->program.gid;
	plan->keep_caps = policy->program.keep_caps;
	plan->open_files = policy->limits.open_files;
	compile_keep_fds(&policy->program.keep_fds, &plan->keep_fds);
	plan->memory_limit = policy->limits.memory;
	plan->cpu_percent = policy->limits.cpu_percent;
	plan->timeout_ns = policy->limits.timeout_ns;
	plan->kill_after_ns = policy->limits.kill_after_ns;
	plan->output_limit = policy->limits.output;
	plan->process_limit = policy->limits.processes;
	plan->num_cpus = policy->limits.num_cpus;
	plan->argv_guard = (enum argv_guard)policy->run.argv_guard;
	plan->workers_max = policy->run.workers_max;
	plan->fault_skip_landlock = fault_is_set("landlock-restrict");
	plan->fault_skip_filter = fault_is_set("seccomp-install");
}

int plan_compile(const struct sandbox_policy *policy, const struct feature *const *features,
	struct plan *ret_plan, struct error *error)
{
	struct plan plan = { .supervised = !policy->run.no_supervisor };
	int r;

	plan.name = compile_name(policy);
	compile_settings(policy, &plan);
	r = compile_private_tmp(policy, &plan, error);
	if (r >= 0) {
		r = command_compile(policy, environ, &plan, error);
	}
	if (r >= 0) {
		r = compile_cpus(policy, &plan, error);
	}
	if (r >= 0) {
		r = landlock_plan_compile(policy, landlock_host_abi(), &plan.landlock, error);
	}
	if (r >= 0) {
		r = compile_notify(policy, features, &plan, error);
	}
	if (r >= 0) {
		r = compile_filter(policy, &plan, error);
	}
	if (r < 0) {
		plan_finish(&plan);
		return r;
	}
	compile_self_check(&plan);
	*ret_plan = plan;
	return 0;
}

void plan_finish(struct plan *plan)
{
	free(plan->name);
	free(plan->private_tmp);
	free(plan->keep_fds.items);
	command_finish(plan);
	landlock_plan_finish(&plan->landlock);
	bpf_program_finish(&plan->filter);
	notify_plan_finish(&plan->notify);
	*plan = (struct plan){ 0 };
}

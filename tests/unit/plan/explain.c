/* --explain against the plan: what it says about system calls equals what the interpreter answers.
 */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/interpreter.h"
#include "core/plan/explain.h"
#include "tests/json_checker.h"

/* A plan made by hand, so that no test here needs a kernel with Landlock. */
static void make_plan(const struct sandbox_policy *policy, int abi, struct plan *ret_plan)
{
	static char *argv[] = { "make", "-j2", NULL };
	static char *envp[] = { "A=1", "BC=23", NULL };
	struct plan plan = { .name = "box", .argv = argv, .envp = envp, .cpu_percent = 100 };
	struct landlock_plan *landlock = &plan.landlock;
	struct error error = { 0 };

	cr_assert_eq(landlock_plan_compile(policy, abi, landlock, &error), 0, "%s", error.text);
	plan.supervised = !policy->run.no_supervisor;
	plan.choices.supervised = plan.supervised;
	plan.choices.tcp_sockets = (landlock->polices_tcp_connect || policy->network.connect.any) &&
				   (landlock->polices_tcp_bind || policy->network.bind.any);
	plan.choices.listen = !port_set_is_empty(&policy->network.bind);
	plan.choices.unix_sockets = landlock->polices_unix_paths;
	cr_assert_eq(syscall_choices_add(&plan.choices, &policy->syscalls.extra_allow,
			     &policy->syscalls.extra_deny, &error),
		0, "%s", error.text);
	cr_assert_eq(syscall_rules_compile(ARCH_NATIVE, &plan.choices, &plan.filter), 0);
	*ret_plan = plan;
}

static void finish_plan(struct plan *plan)
{
	landlock_plan_finish(&plan->landlock);
	bpf_program_finish(&plan->filter);
}

#define RANDOM_POLICIES 500

static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 33) % limit;
}

static uint64_t random_word(void)
{
	uint64_t high = random_below(UINT32_MAX);

	return high << 32 | random_below(UINT32_MAX);
}

static void add_random_ports(struct port_set *set)
{
	uint32_t count = random_below(4);

	set->any = random_below(4) == 0;
	for (uint32_t i = 0; i < count && !set->any; i++) {
		/* Close together, so that ranges of both sides meet and overlap; or at the end. */
		uint32_t first = random_below(8) == 0 ? 65536 - 1 - random_below(20)
						      : 8000 + random_below(200);
		uint32_t last = first + random_below(40);

		set->ranges = must_reallocate(set->ranges, set->count + 1, sizeof(set->ranges[0]));
		set->ranges[set->count++] = (struct port_range){ (uint16_t)first,
			(uint16_t)(last > 65535 ? 65535 : last) };
	}
}

/* Groups and calls are chosen so that the policy has no contradiction. */
static void make_random_policy(struct sandbox_policy *policy)
{
	static const char *const paths[] = { "/", "/usr", "/dev/null", "/tmp", "/proc/self" };
	uint32_t allowed = 0;

	policy_init(policy);
	policy->run.no_supervisor = random_below(3) == 0;
	for (size_t i = 0; i < PROTECTION_COUNT; i++) {
		policy->protections[i] =
			random_below(4) == 0 ? PROTECTION_DISABLED : PROTECTION_DEGRADABLE;
	}
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		if (random_below(2) == 0) {
			string_list_add(random_below(2) == 0 ? &policy->filesystem.read
							     : &policy->filesystem.write,
				paths[i]);
		}
	}
	add_random_ports(&policy->network.bind);
	add_random_ports(&policy->network.connect);
	for (int group = 0; group < SYSCALL_GROUP_COUNT; group++) {
		if (random_below(4) == 0) {
			allowed |= 1u << group;
			string_list_add(&policy->syscalls.extra_allow,
				syscall_group_get((enum syscall_group)group)->name);
		}
	}
	for (uint32_t i = random_below(12); i > 0; i--) {
		enum syscall_id id = (enum syscall_id)random_below(SYSCALL_COUNT);

		if ((syscall_groups_of(id) & allowed) == 0 &&
			syscall_number(ARCH_NATIVE, id) >= 0 &&
			syscall_group_find(syscall_name(id)) < 0) {
			string_list_add(&policy->syscalls.extra_deny, syscall_name(id));
		}
	}
}

/* The text of one array of the JSON form, up to the bracket that closes it. */
static char *find_array(const char *json, const char *name)
{
	char *wanted = must_format("\"%s\":[", name);
	const char *start = strstr(json, wanted);
	const char *c;
	int depth = 0;
	char *array;

	cr_assert_not_null(start, "%s", wanted);
	start += strlen(wanted);
	for (c = start; depth > 0 || *c != ']'; c++) {
		if (*c == '"') {
			for (c++; *c != '"'; c++) {
				c += *c == '\\' ? 1 : 0;
			}
		}
		depth += (*c == '[') - (*c == ']');
	}
	array = must_allocate((size_t)(c - start) + 1);
	memcpy(array, start, (size_t)(c - start));
	free(wanted);
	return array;
}

/* What --explain says of one number: the answers as a set of bits by answer_bit(). */
struct claims {
	uint32_t answers[1024];
};

static uint32_t answer_bit(const char *answer)
{
	static const char *const answers[] = { "ALLOW", "EPERM", "ENOSYS", "KILL", "NOTIFY" };

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		if (strncmp(answer, answers[i], strlen(answers[i])) == 0) {
			return 1u << i;
		}
	}
	cr_assert_fail("unknown answer: %.16s", answer);
	return 0;
}

static uint32_t result_bit(uint32_t value)
{
	switch (value) {
	case SECCOMP_RET_ALLOW:
		return 1u << 0;
	case SECCOMP_RET_ERRNO | 1:
		return 1u << 1;
	case SECCOMP_RET_ERRNO | 38:
		return 1u << 2;
	case SECCOMP_RET_KILL_PROCESS:
		return 1u << 3;
	default:
		cr_assert_fail("unknown result: %x", value);
		return 0;
	}
}

/* Reads "denied" and "filtered" objects, and the names of "allowed". */
static void read_claims(const char *json, struct claims *ret_claims)
{
	static const char *const arrays[] = { "denied", "filtered" };
	char *array;

	memset(ret_claims, 0, sizeof(*ret_claims));
	for (size_t i = 0; i < ARRAY_LEN(arrays); i++) {
		array = find_array(json, arrays[i]);
		for (char *c = array; (c = strstr(c, "\"number\":")) != NULL;) {
			unsigned long number = strtoul(c + 9, &c, 10);
			char *end = strstr(c, ",\"by\"");

			cr_assert_lt(number, 1024);
			for (c = strchr(c, ':') + 1; c < end; c++) {
				if (*c == '"') {
					ret_claims->answers[number] |= answer_bit(c + 1);
					c = strchr(c + 1, '"');
				}
			}
		}
		free(array);
	}
	array = find_array(json, "allowed");
	for (char *name = strtok(array, "\","); name != NULL; name = strtok(NULL, "\",")) {
		int number = syscall_number(ARCH_NATIVE, (enum syscall_id)syscall_find(name));

		cr_assert_geq(number, 0, "%s", name);
		cr_assert_eq(ret_claims->answers[number], 0, "%s stands in two lists", name);
		ret_claims->answers[number] = 1u << 0;
	}
	free(array);
}

/* Makes an argument that the test accepts. */
static uint64_t satisfy(const struct arg_test *test, uint64_t argument)
{
	switch (test->relation) {
	case ARG_EQUAL:
		return test->value;
	case ARG_MASKED_EQUAL:
		return (argument & ~test->mask) | test->value;
	case ARG_ANY_BIT:
		return argument | (test->mask & -test->mask);
	default:
		return test->low;
	}
}

/* Something near to what some test of the call looks at. */
static uint64_t near_argument(const struct trap *trap, unsigned int position)
{
	const struct arg_clause *clause = &trap->clauses[random_below(trap->clause_count)];

	for (size_t i = 0; i < clause->test_count; i++) {
		if (clause->tests[i].argument == position) {
			uint64_t argument = random_below(2) == 0 ? 0 : random_word();

			argument = satisfy(&clause->tests[i], argument);
			return random_below(3) == 0 ? argument + random_below(3) - 1 : argument;
		}
	}
	return random_below(2) == 0 ? 0 : random_word();
}

static void run_sample(const struct plan *plan, struct seccomp_data *call, uint32_t *answers)
{
	*answers |= result_bit(bpf_program_run(&plan->filter, call, NULL));
}

/* All answers that samples of the arguments get from the interpreter. */
static uint32_t sample_answers(const struct plan *plan, const struct trap *trap, uint32_t number)
{
	struct seccomp_data call = { .nr = (int)number, .arch = arch_audit_token(ARCH_NATIVE) };
	size_t rounds = trap != NULL && trap->clause_count > 0 ? 300 : 4;
	uint32_t answers = 0;

	run_sample(plan, &call, &answers);
	memset(call.args, 0xff, sizeof(call.args));
	run_sample(plan, &call, &answers);
	for (size_t round = 0; round < rounds; round++) {
		for (unsigned int i = 0; i < 6; i++) {
			call.args[i] = trap != NULL && trap->clause_count > 0
					       ? near_argument(trap, i)
					       : random_word();
		}
		if (round % 2 == 0 && trap != NULL && trap->clause_count > 0) {
			const struct arg_clause *clause =
				&trap->clauses[(round / 2) % trap->clause_count];

			for (size_t i = 0; i < clause->test_count; i++) {
				const struct arg_test *test = &clause->tests[i];

				call.args[test->argument] =
					satisfy(test, call.args[test->argument]);
			}
		}
		run_sample(plan, &call, &answers);
	}
	return answers;
}

static void compare_calls(const struct plan *plan, const struct claims *claims)
{
	struct syscall_traps *traps = must_allocate(sizeof(*traps));

	cr_assert_eq(syscall_rules_collect(ARCH_NATIVE, &plan->choices, traps), 0);
	for (uint32_t number = 0; number < 1024; number++) {
		const struct trap *trap = trap_set_get(&traps->set, number);
		const struct trap *next = trap != NULL ? trap_set_next(&traps->set, trap) : NULL;
		uint32_t answers = sample_answers(plan, trap, number);
		uint32_t claimed = claims->answers[number];

		if (next != NULL) {
			answers |= sample_answers(plan, next, number);
		}
		if (syscall_find_number(ARCH_NATIVE, number) < 0) {
			cr_assert_eq(claimed, 0, "%u is no call", number);
			claimed = 1u << 2; /* "unknown" says ENOSYS */
		}
		cr_assert_eq(claimed, answers, "%u (%s): explained %x, sampled %x", number,
			claimed == 4 ? "unknown" : "known", claimed, answers);
	}
	free(traps);
}

static void compare_ports(const struct plan *plan, const char *json, const char *name,
	const struct port_set *set, bool policed)
{
	static uint8_t wanted[65536], claimed[65536];
	const char *array = strstr(json, name);
	const char *c;

	memset(wanted, 0, sizeof(wanted));
	memset(claimed, 0, sizeof(claimed));
	for (size_t i = 0; i < set->count && policed; i++) {
		memset(wanted + set->ranges[i].first, 1,
			set->ranges[i].last - set->ranges[i].first + 1u);
	}
	cr_assert_not_null(array);
	c = strchr(array, '[');
	for (c++; *c == '[' || *c == ',';) {
		char *end;

		c += *c == ',' ? 2 : 1;
		unsigned long first = strtoul(c, &end, 10);
		unsigned long last = strtoul(end + 1, &end, 10);

		cr_assert(first <= last && last < 65536 && *end == ']');
		memset(claimed + first, 1, last - first + 1);
		c = end + 1;
	}
	cr_assert_arr_eq(claimed, wanted, sizeof(wanted), "%s with %zu rules", name,
		plan->landlock.port_count);
}

Test(explain, says_of_every_call_what_the_interpreter_says)
{
	const char *counts = getenv("SANDLOCK_COUNTS");
	int policies = counts != NULL && strcmp(counts, "full") == 0 ? RANDOM_POLICIES
								     : RANDOM_POLICIES / 5;

	random_state = 42;
	for (int i = 0; i < policies; i++) {
		cleanup_policy struct sandbox_policy policy;
		cleanup_text struct text json = { 0 };
		struct claims claims;
		struct plan plan;

		make_random_policy(&policy);
		make_plan(&policy, 1 + (int)random_below(9), &plan);

		explain_json(&plan, &json);

		cr_assert(json_is_valid(json.bytes));
		read_claims(json.bytes, &claims);
		compare_calls(&plan, &claims);
		compare_ports(&plan, json.bytes, "\"tcp_bind\":{", &policy.network.bind,
			plan.landlock.polices_tcp_bind);
		compare_ports(&plan, json.bytes, "\"tcp_connect\":{", &policy.network.connect,
			plan.landlock.polices_tcp_connect);
		finish_plan(&plan);
	}
}

Test(explain, is_valid_json_for_any_bytes_in_names_and_paths)
{
	cleanup_policy struct sandbox_policy policy;
	struct plan plan;

	random_state = 7;
	policy_init(&policy);
	make_plan(&policy, 7, &plan);
	for (int i = 0; i < 2000; i++) {
		cleanup_text struct text json = { 0 };
		char bytes[40] = { 0 };
		char *argv[] = { bytes, bytes, NULL };

		for (size_t j = 0; j < sizeof(bytes) - 1; j++) {
			bytes[j] = (char)(1 + random_below(255));
		}
		plan.name = plan.cwd = plan.private_tmp = bytes;
		plan.argv = plan.exec_paths = argv;

		explain_json(&plan, &json);

		cr_assert(json_is_valid(json.bytes), "%s", json.bytes);
	}
	finish_plan(&plan);
}

Test(explain, sends_no_control_byte_to_a_terminal)
{
	cleanup_policy struct sandbox_policy policy;
	cleanup_text struct text text = { 0 };
	struct plan plan;
	char *argv[] = { "\033[2J\r\n\tx",
		"\xc2\x9b"
		"1m",
		"\x9b", "\xc3\xa4", "\x7f", NULL };

	policy_init(&policy);
	make_plan(&policy, 7, &plan);
	plan.argv = argv;
	plan.cwd = "/tmp/\b\a";

	explain_text(&plan, &text);

	cr_assert_not_null(strstr(
		text.bytes, "runs: \\x1b[2J\\x0d\\x0a\\x09x \\xc2\\x9b1m \\x9b \xc3\xa4 \\x7f\n"));
	for (const char *c = text.bytes; *c != '\0'; c++) {
		cr_assert(((unsigned char)*c >= 0x20 && *c != 0x7f) || *c == '\n');
	}
	finish_plan(&plan);
}

/* What the text form has for the plan of the test below. */
static const char *const parts[] = { "Sandbox box, supervised\n", "  runs: make -j2\n",
	"arguments: 2, 9 bytes; environment: 2 variables, 10 bytes\n",
	"descriptors kept: 0, 1, 2, 7\n", "  keeper ", "  timer     -t", "  sampler   -m",
	"  throttle  -c", "  relay     --max-output", "none: no listener, no tracer\n",
	"Landlock (ABI v4)\n", "protection fs-ioctl-dev               degraded\n",
	"protection net-tcp                    disabled\n",
	"protection fs-refer                   active\n",
	"  -r         /usr: execute, read-file, "
	"read-dir\n",
	"  -w         /tmp: everything above\n", "  skipped    /does/not/exist: does not exist\n",
	"  sandlock   /tmp/own: everything above\n", "TCP connect: not policed by Landlock\n",
	"  io_uring: asynchronous rings\n    price: ",
	"EPERM, denied by --extra-deny-syscall:\n"
	"    chdir\n",
	"calls of another architecture: KILL\n",
	"  clone (EPERM or ALLOW): ", "Capabilities kept\n  CAP_NET_RAW\n",
	"memory of the tree: 1048576 bytes\n", "processor time: 25 %\n", "  time: 1.500 s\n",
	"  output: 77 bytes\n", "  open files: 99\n", "  processors: 0 65\n", "  user inside: 5:6,",
	"no core dumps\n", "no transparent huge pages\n", "no address space randomisation\n" };

Test(explain, names_every_part_of_the_plan)
{
	cleanup_policy struct sandbox_policy policy;
	cleanup_text struct text text = { 0 };
	struct plan plan;
	uint32_t kept = 7;

	policy_init(&policy);
	for (size_t i = 0; i < PROTECTION_COUNT; i++) {
		policy.protections[i] = PROTECTION_DEGRADABLE;
	}
	policy.protections[PROTECTION_NET_TCP] = PROTECTION_DISABLED;
	policy.filesystem.ignore_missing = true;
	string_list_add(&policy.filesystem.read, "/usr");
	string_list_add(&policy.filesystem.read, "/does/not/exist");
	string_list_add(&policy.filesystem.write, "/tmp");
	string_list_add(&policy.syscalls.extra_allow, "io_uring");
	string_list_add(&policy.syscalls.extra_deny, "chdir");
	make_plan(&policy, 4, &plan);
	plan.private_tmp = "/tmp/own";
	plan.keep_fds = (struct number_list){ &kept, 1 };
	plan.keep_caps = 1u << 13;
	plan.memory_limit = 1048576;
	plan.cpu_percent = 25;
	plan.timeout_ns = 1500000000;
	plan.output_limit = 77;
	plan.open_files = 99;
	plan.cpus.is_set = true;
	plan.cpus.words[0] = 1;
	plan.cpus.words[1] = 2;
	plan.has_user = true;
	plan.uid = 5;
	plan.gid = 6;
	plan.no_coredump = plan.no_huge_pages = plan.no_randomize_memory = true;

	explain_text(&plan, &text);

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		cr_expect_not_null(strstr(text.bytes, parts[i]), "%s in\n%s", parts[i], text.bytes);
	}
	finish_plan(&plan);
}

Test(explain, says_nothing_about_what_is_off)
{
	static const char *const unwanted[] = { "sampler", "throttle", "timer", "relay", "keeper ",
		"skipped", "memory of the tree", "private temporary directory" };
	cleanup_policy struct sandbox_policy policy;
	cleanup_text struct text text = { 0 };
	struct plan plan;

	policy_init(&policy);
	policy.run.no_supervisor = true;
	make_plan(&policy, 7, &plan);

	explain_text(&plan, &text);

	for (size_t i = 0; i < ARRAY_LEN(unwanted); i++) {
		cr_expect_null(strstr(text.bytes, unwanted[i]), "%s", unwanted[i]);
	}
	cr_expect_not_null(strstr(text.bytes, "Limits and settings\n  none\n"));
	cr_expect_not_null(strstr(text.bytes, "  nothing: --no-supervisor"));
	finish_plan(&plan);
}

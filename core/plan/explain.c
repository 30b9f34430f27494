/* The plan as text for a human. */
// SPDX-License-Identifier: Apache-2.0

#include <stdio.h>
#include <string.h>

#include "core/plan/explain.h"
#include "core/plan/explain_facts.h"
#include "core/policy/capability_name.h"

#define LINE_WIDTH 96

/* The length of a UTF-8 sequence that a terminal may see, 0 for anything else: C1 control
 * characters (U+0080 to U+009F) are orders to a terminal as well. */
static size_t printable_length(const unsigned char *s)
{
	size_t length = s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;

	if (s[0] >= 0x20 && s[0] < 0x7f) {
		return 1;
	}
	if (s[0] == 0xc2 && s[1] < 0xa0) {
		return 0;
	}
	for (size_t i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80) {
			return 0;
		}
	}
	return length;
}

static void add_printable(struct text *out, const char *string)
{
	while (*string != '\0') {
		size_t length = printable_length((const unsigned char *)string);

		if (length == 0) {
			text_add(out, "\\x%02x", (unsigned char)*string++);
		} else {
			text_add_bytes(out, string, length);
			string += length;
		}
	}
}

/* A list that breaks its lines and starts each with `indent` blanks. */
struct list {
	struct text *out;
	size_t indent;
	size_t column;
	size_t count;
};

static struct list list_begin(struct text *out, size_t indent)
{
	return (struct list){ .out = out, .indent = indent, .column = 0 };
}

static void list_add(struct list *list, const char *word)
{
	size_t length = strlen(word);

	if (list->count > 0) {
		text_add(list->out, ",");
	}
	if (list->count == 0 || list->column + length + 2 > LINE_WIDTH) {
		text_add(list->out, "%s%*s", list->count == 0 ? "" : "\n", (int)list->indent, "");
		list->column = list->indent;
	} else {
		text_add(list->out, " ");
		list->column += 2;
	}
	text_add(list->out, "%s", word);
	list->column += length;
	list->count++;
}

static void list_end(struct list *list)
{
	text_add(list->out, "\n");
}

static void add_bits(struct text *out, uint64_t bits, const char *(*name_of)(unsigned int bit))
{
	const char *separator = "";

	if (bits == 0) {
		text_add(out, "none");
	}
	for (unsigned int bit = 0; bit < 64; bit++) {
		const char *name = (bits >> bit & 1) != 0 ? name_of(bit) : NULL;

		if (name != NULL) {
			text_add(out, "%s%s", separator, name);
			separator = ", ";
		}
	}
	text_add(out, "\n");
}

static void add_command(
	struct text *out, const struct plan *plan, const struct explain_facts *facts)
{
	text_add(out, "Command\n  runs:");
	for (size_t i = 0; plan->argv != NULL && plan->argv[i] != NULL; i++) {
		text_add(out, " ");
		add_printable(out, plan->argv[i]);
	}
	text_add(out, "\n  looked for at:");
	for (size_t i = 0; plan->exec_paths != NULL && plan->exec_paths[i] != NULL; i++) {
		text_add(out, " ");
		add_printable(out, plan->exec_paths[i]);
	}
	text_add(out, "\n  working directory: ");
	add_printable(out, plan->cwd != NULL ? plan->cwd : "as inherited");
	text_add(out, "\n  arguments: %zu, %zu bytes; environment: %zu variables, %zu bytes\n",
		facts->arguments.count, facts->arguments.bytes, facts->environment.count,
		facts->environment.bytes);
	text_add(out, "  descriptors kept: 0, 1, 2");
	for (size_t i = 0; i < plan->keep_fds.count; i++) {
		text_add(out, ", %u", plan->keep_fds.items[i]);
	}
	if (plan->private_tmp != NULL) {
		text_add(out, "\n  private temporary directory: ");
		add_printable(out, plan->private_tmp);
	}
	text_add(out, "\n");
}

static void add_starts(struct text *out, const struct plan *plan, const struct explain_facts *facts)
{
	struct list notified = list_begin(out, 2);

	text_add(out, "\nStarted beside the command\n");
	for (size_t i = 0; i < facts->start_count; i++) {
		text_add(out, "  %-9s %s\n", facts->starts[i].what, facts->starts[i].why);
	}
	if (!plan->supervised) {
		text_add(out, "  nothing: --no-supervisor confines this process and executes the "
			      "command in it\n");
	}
	text_add(out, "\nNotified calls (a supervisor is asked)\n");
	for (size_t i = 0; i < facts->call_count; i++) {
		if (facts->calls[i].treatment == CALL_NOTIFIED) {
			cleanup_text struct text who = { 0 };
			cleanup_free char *entry = NULL;

			notify_plan_add_features(&plan->notify, (int)facts->calls[i].number, &who);
			entry = must_format("%s (%s)", facts->calls[i].name,
				who.length > 0 ? who.bytes : "by the rows");
			list_add(&notified, entry);
		}
	}
	if (notified.count == 0) {
		text_add(out, "  none: no listener, no tracer");
	}
	list_end(&notified);
}

static void add_port_range(void *context, unsigned int first, unsigned int last)
{
	char word[32];

	if (first == last) {
		(void)snprintf(word, sizeof(word), "%u", first); /* fits: two numbers of 5 digits */
	} else {
		(void)snprintf(word, sizeof(word), "%u-%u", first, last);
	}
	list_add(context, word);
}

static void add_tcp(struct text *out, const char *act, const struct landlock_plan *landlock,
	bool policed, uint64_t right)
{
	struct list ports = list_begin(out, 4);

	text_add(out, "  TCP %s: ", act);
	if (!policed) {
		text_add(out, "not policed by Landlock\n");
		return;
	}
	text_add(out, "only these ports:\n");
	explain_each_port_range(landlock, right, add_port_range, &ports);
	if (ports.count == 0) {
		text_add(out, "    none");
	}
	list_end(&ports);
}

static void add_path(struct text *out, const struct landlock_plan *landlock, const char *source,
	const char *path, uint64_t access)
{
	text_add(out, "  %-10s ", source);
	add_printable(out, path);
	text_add(out, ": ");
	if (access == landlock->attr.handled_access_fs) {
		text_add(out, "everything above\n");
	} else {
		add_bits(out, access, landlock_fs_right_name);
	}
}

static void add_landlock(struct text *out, const struct plan *plan)
{
	const struct landlock_plan *landlock = &plan->landlock;

	text_add(out, "\nLandlock (ABI v%d)\n  refused unless granted: ", landlock->abi);
	add_bits(out, landlock->attr.handled_access_fs, landlock_fs_right_name);
	text_add(out, "  network rights handled: ");
	add_bits(out, landlock->attr.handled_access_net, landlock_net_right_name);
	text_add(out, "  kept inside: ");
	add_bits(out, landlock->attr.scoped, landlock_scope_name);
	for (size_t i = 0; i < PROTECTION_COUNT; i++) {
		text_add(out, "  protection %-26s %s\n", protection_name((enum protection)i),
			protection_state_name(landlock->protections[i]));
	}
	for (size_t i = 0; i < landlock->path_count; i++) {
		add_path(out, landlock, landlock->paths[i].source, landlock->paths[i].path,
			landlock->paths[i].access);
	}
	if (plan->private_tmp != NULL) { /* made and granted at the start */
		add_path(out, landlock, "sandlock", plan->private_tmp,
			landlock->attr.handled_access_fs);
	}
	for (size_t i = 0; i < landlock->skipped.count; i++) {
		text_add(out, "  skipped    ");
		add_printable(out, landlock->skipped.items[i]);
		text_add(out, ": does not exist\n");
	}
	add_tcp(out, "connect", landlock, landlock->polices_tcp_connect, RIGHT_NET_CONNECT_TCP);
	add_tcp(out, "bind", landlock, landlock->polices_tcp_bind, RIGHT_NET_BIND_TCP);
	text_add(out, "  socket files: %s\n",
		landlock->polices_unix_paths ? "connecting needs a write grant"
					     : "not policed by Landlock");
}

/* Denied calls that share answer and reason stand together, where the first of them would. */
static void add_denied(struct text *out, const struct explain_facts *facts)
{
	for (size_t i = 0; i < facts->call_count; i++) {
		const struct explained_call *call = &facts->calls[i];
		struct list names = list_begin(out, 4);
		bool is_first = call->treatment == CALL_DENIED;

		for (size_t j = 0; j < i && is_first; j++) {
			is_first = facts->calls[j].treatment != CALL_DENIED ||
				   facts->calls[j].verdicts.values[0] != call->verdicts.values[0] ||
				   strcmp(facts->calls[j].reason, call->reason) != 0;
		}
		if (!is_first) {
			continue;
		}
		text_add(
			out, "  %s, %s:\n", explain_answer(call->verdicts.values[0]), call->reason);
		for (size_t j = i; j < facts->call_count; j++) {
			if (facts->calls[j].treatment == CALL_DENIED &&
				facts->calls[j].verdicts.values[0] == call->verdicts.values[0] &&
				strcmp(facts->calls[j].reason, call->reason) == 0) {
				list_add(&names, facts->calls[j].name);
			}
		}
		list_end(&names);
	}
}

static void add_answers(struct text *out, const struct filter_verdicts *verdicts)
{
	for (size_t i = 0; i < verdicts->count; i++) {
		text_add(out, "%s%s", i > 0 ? " or " : "", explain_answer(verdicts->values[i]));
	}
}

static void add_groups(struct text *out, const struct plan *plan)
{
	if (plan->choices.allowed_groups == 0) {
		text_add(out, "  none\n");
	}
	for (int group = 0; group < SYSCALL_GROUP_COUNT; group++) {
		const struct syscall_group_info *info =
			syscall_group_get((enum syscall_group)group);

		if ((plan->choices.allowed_groups >> group & 1) != 0) {
			text_add(out, "  %s: %s\n    price: %s\n", info->name, info->allows,
				info->price);
		}
	}
}

static void add_system_calls(
	struct text *out, const struct plan *plan, const struct explain_facts *facts)
{
	size_t allowed = 0;

	text_add(out, "\nGroups of system calls allowed beyond the default\n");
	add_groups(out, plan);
	text_add(out, "\nDenied system calls (by %zu instructions)\n", plan->filter.count);
	add_denied(out, facts);
	text_add(out, "  every other number: ");
	add_answers(out, &facts->unknown);
	if (facts->x32.count > 0) {
		text_add(out, "; x32 numbers: ");
		add_answers(out, &facts->x32);
	}
	text_add(out, "; calls of another architecture: ");
	add_answers(out, &facts->foreign);
	text_add(out, "\n\nSystem calls filtered by their arguments\n");
	for (size_t i = 0; i < facts->call_count; i++) {
		const struct explained_call *call = &facts->calls[i];

		allowed += call->treatment == CALL_ALLOWED ? 1 : 0;
		if (call->treatment == CALL_FILTERED) {
			text_add(out, "  %s (", call->name);
			add_answers(out, &call->verdicts);
			text_add(out, "): %s\n", call->reason);
		}
	}
	text_add(out, "  The %zu calls not named here are allowed.\n", allowed);
}

static void add_seconds(struct text *out, const char *name, uint64_t nanoseconds)
{
	text_add(out, "  %s: %llu.%03llu s\n", name, (unsigned long long)(nanoseconds / 1000000000),
		(unsigned long long)(nanoseconds / 1000000 % 1000));
}

static void add_limits(struct text *out, const struct plan *plan)
{
	size_t before;

	text_add(out, "\nLimits and settings\n");
	before = out->length;
	if (plan->memory_limit != 0) {
		text_add(out, "  memory of the tree: %llu bytes\n",
			(unsigned long long)plan->memory_limit);
	}
	if (plan->cpu_percent != 0 && plan->cpu_percent < 100) {
		text_add(out, "  processor time: %u %%\n", plan->cpu_percent);
	}
	if (plan->timeout_ns != 0) {
		add_seconds(out, "time", plan->timeout_ns);
		add_seconds(out, "between TERM and KILL", plan->kill_after_ns);
	}
	if (plan->output_limit != 0) {
		text_add(out, "  output: %llu bytes\n", (unsigned long long)plan->output_limit);
	}
	if (plan->open_files != 0) {
		text_add(out, "  open files: %u\n", plan->open_files);
	}
	if (plan->cpus.is_set) {
		size_t bits = 8 * sizeof(plan->cpus.words[0]);

		text_add(out, "  processors:");
		for (size_t cpu = 0; cpu < PLAN_CPU_WORDS * bits; cpu++) {
			if ((plan->cpus.words[cpu / bits] >> (cpu % bits) & 1) != 0) {
				text_add(out, " %zu", cpu);
			}
		}
		text_add(out, "\n");
	}
	if (plan->has_user) {
		text_add(out, "  user inside: %u:%u, in a user namespace\n", plan->uid, plan->gid);
	}
	text_add(out, "%s%s%s", plan->no_coredump ? "  no core dumps\n" : "",
		plan->no_huge_pages ? "  no transparent huge pages\n" : "",
		plan->no_randomize_memory ? "  no address space randomisation\n" : "");
	if (out->length == before) {
		text_add(out, "  none\n");
	}
}

void explain_text(const struct plan *plan, struct text *ret)
{
	cleanup_explain_facts struct explain_facts facts;

	explain_facts_gather(plan, &facts);
	text_add(ret, "Sandbox ");
	add_printable(ret, plan->name);
	text_add(ret, ", %s\n\n", plan->supervised ? "supervised" : "without a supervisor");
	add_command(ret, plan, &facts);
	add_starts(ret, plan, &facts);
	add_landlock(ret, plan);
	add_system_calls(ret, plan, &facts);
	text_add(ret, "\nCapabilities kept\n  ");
	add_bits(ret, plan->keep_caps, capability_name);
	add_limits(ret, plan);
}

/* The plan as JSON. */
// SPDX-License-Identifier: Apache-2.0

#include "core/plan/explain.h"
#include "core/plan/explain_facts.h"
#include "core/policy/capability_name.h"

/* Writes members and items with the commas between them. */
struct json {
	struct text *out;
	bool needs_comma;
};

static void json_comma(struct json *json)
{
	if (json->needs_comma) {
		text_add_bytes(json->out, ",", 1);
	}
	json->needs_comma = true;
}

/* Opens an array or object; `name` is NULL for an item of an array. */
static void json_open(struct json *json, const char *name, const char *bracket)
{
	json_comma(json);
	if (name != NULL) {
		text_add(json->out, "\"%s\":", name);
	}
	text_add(json->out, "%s", bracket);
	json->needs_comma = false;
}

static void json_close(struct json *json, const char *bracket)
{
	text_add(json->out, "%s", bracket);
	json->needs_comma = true;
}

static void json_name(struct json *json, const char *name)
{
	json_comma(json);
	if (name != NULL) {
		text_add(json->out, "\"%s\":", name);
	}
}

static void json_string(struct json *json, const char *name, const char *value)
{
	json_name(json, name);
	if (value != NULL) {
		text_add_json(json->out, value);
	} else {
		text_add(json->out, "null");
	}
}

static void json_number(struct json *json, const char *name, uint64_t value)
{
	json_name(json, name);
	text_add(json->out, "%llu", (unsigned long long)value);
}

/* 0 stands for "none". */
static void json_limit(struct json *json, const char *name, uint64_t value)
{
	if (value != 0) {
		json_number(json, name, value);
	} else {
		json_string(json, name, NULL);
	}
}

static void json_bool(struct json *json, const char *name, bool value)
{
	json_name(json, name);
	text_add(json->out, "%s", value ? "true" : "false");
}

static void json_strings(struct json *json, const char *name, char *const *strings)
{
	json_open(json, name, "[");
	for (size_t i = 0; strings != NULL && strings[i] != NULL; i++) {
		json_string(json, NULL, strings[i]);
	}
	json_close(json, "]");
}

static void json_bits(struct json *json, const char *name, uint64_t bits,
	const char *(*name_of)(unsigned int bit))
{
	json_open(json, name, "[");
	for (unsigned int bit = 0; bit < 64; bit++) {
		if ((bits >> bit & 1) != 0) {
			json_string(json, NULL, name_of(bit));
		}
	}
	json_close(json, "]");
}

static void json_answers(
	struct json *json, const char *name, const struct filter_verdicts *verdicts)
{
	json_open(json, name, "[");
	for (size_t i = 0; i < verdicts->count; i++) {
		json_string(json, NULL, explain_answer(verdicts->values[i]));
	}
	json_close(json, "]");
}

static void json_size(struct json *json, const char *name, const struct explained_size *size)
{
	json_open(json, name, "{");
	json_number(json, "count", size->count);
	json_number(json, "bytes", size->bytes);
	json_close(json, "}");
}

static void add_command(
	struct json *json, const struct plan *plan, const struct explain_facts *facts)
{
	json_open(json, "command", "{");
	json_strings(json, "argv", plan->argv);
	json_strings(json, "exec_paths", plan->exec_paths);
	json_string(json, "cwd", plan->cwd);
	json_string(json, "private_tmp", plan->private_tmp);
	json_size(json, "arguments", &facts->arguments);
	json_size(json, "environment", &facts->environment);
	json_open(json, "descriptors", "[");
	for (unsigned int fd = 0; fd <= 2; fd++) {
		json_number(json, NULL, fd);
	}
	for (size_t i = 0; i < plan->keep_fds.count; i++) {
		json_number(json, NULL, plan->keep_fds.items[i]);
	}
	json_close(json, "]");
	json_close(json, "}");
}

static void add_starts(struct json *json, const struct explain_facts *facts)
{
	json_open(json, "starts", "[");
	for (size_t i = 0; i < facts->start_count; i++) {
		json_open(json, NULL, "{");
		json_string(json, "what", facts->starts[i].what);
		json_string(json, "why", facts->starts[i].why);
		json_close(json, "}");
	}
	json_close(json, "]");
}

static void add_port_range(void *context, unsigned int first, unsigned int last)
{
	struct json *json = context;

	json_open(json, NULL, "[");
	json_number(json, NULL, first);
	json_number(json, NULL, last);
	json_close(json, "]");
}

static void add_tcp(struct json *json, const char *name, const struct landlock_plan *landlock,
	bool policed, uint64_t right)
{
	json_open(json, name, "{");
	json_bool(json, "policed", policed);
	json_open(json, "ports", "[");
	explain_each_port_range(landlock, right, add_port_range, json);
	json_close(json, "]");
	json_close(json, "}");
}

static void add_path(struct json *json, const char *source, const char *path, uint64_t access)
{
	json_open(json, NULL, "{");
	json_string(json, "path", path);
	json_string(json, "source", source);
	json_bits(json, "rights", access, landlock_fs_right_name);
	json_close(json, "}");
}

static void add_landlock(struct json *json, const struct plan *plan)
{
	const struct landlock_plan *landlock = &plan->landlock;

	json_open(json, "landlock", "{");
	json_number(json, "abi", (uint64_t)landlock->abi);
	json_bits(json, "handled_fs", landlock->attr.handled_access_fs, landlock_fs_right_name);
	json_bits(json, "handled_net", landlock->attr.handled_access_net, landlock_net_right_name);
	json_bits(json, "scoped", landlock->attr.scoped, landlock_scope_name);
	json_open(json, "protections", "[");
	for (size_t i = 0; i < PROTECTION_COUNT; i++) {
		json_open(json, NULL, "{");
		json_string(json, "name", protection_name((enum protection)i));
		json_string(json, "state", protection_state_name(landlock->protections[i]));
		json_close(json, "}");
	}
	json_close(json, "]");
	json_open(json, "paths", "[");
	for (size_t i = 0; i < landlock->path_count; i++) {
		add_path(json, landlock->paths[i].source, landlock->paths[i].path,
			landlock->paths[i].access);
	}
	if (plan->private_tmp != NULL) { /* made and granted at the start */
		add_path(json, "sandlock", plan->private_tmp, landlock->attr.handled_access_fs);
	}
	json_close(json, "]");
	json_strings(json, "skipped", landlock->skipped.items);
	add_tcp(json, "tcp_connect", landlock, landlock->polices_tcp_connect,
		RIGHT_NET_CONNECT_TCP);
	add_tcp(json, "tcp_bind", landlock, landlock->polices_tcp_bind, RIGHT_NET_BIND_TCP);
	json_bool(json, "socket_files_policed", landlock->polices_unix_paths);
	json_close(json, "}");
}

static void add_call(struct json *json, const struct explained_call *call)
{
	json_open(json, NULL, "{");
	json_string(json, "name", call->name);
	json_number(json, "number", call->number);
	if (call->treatment == CALL_DENIED) {
		json_string(json, "answer", explain_answer(call->verdicts.values[0]));
	} else {
		json_answers(json, "answers", &call->verdicts);
	}
	json_string(json, "by", call->police);
	json_string(json, "why", call->reason);
	json_close(json, "}");
}

static void add_calls(struct json *json, const char *name, const struct explain_facts *facts,
	enum call_treatment treatment)
{
	json_open(json, name, "[");
	for (size_t i = 0; i < facts->call_count; i++) {
		const struct explained_call *call = &facts->calls[i];

		if (call->treatment != treatment) {
			continue;
		}
		if (treatment == CALL_DENIED || treatment == CALL_FILTERED) {
			add_call(json, call);
		} else {
			json_string(json, NULL, call->name);
		}
	}
	json_close(json, "]");
}

static void add_groups(struct json *json, uint32_t allowed)
{
	json_open(json, "allowed_groups", "[");
	for (int group = 0; group < SYSCALL_GROUP_COUNT; group++) {
		const struct syscall_group_info *info =
			syscall_group_get((enum syscall_group)group);

		if ((allowed >> group & 1) == 0) {
			continue;
		}
		json_open(json, NULL, "{");
		json_string(json, "name", info->name);
		json_string(json, "allows", info->allows);
		json_string(json, "price", info->price);
		json_close(json, "}");
	}
	json_close(json, "]");
}

static void add_system_calls(
	struct json *json, const struct plan *plan, const struct explain_facts *facts)
{
	json_open(json, "system_calls", "{");
	add_groups(json, plan->choices.allowed_groups);
	add_calls(json, "denied", facts, CALL_DENIED);
	add_calls(json, "filtered", facts, CALL_FILTERED);
	add_calls(json, "allowed", facts, CALL_ALLOWED);
	json_answers(json, "unknown", &facts->unknown);
	json_answers(json, "x32", &facts->x32);
	json_answers(json, "foreign", &facts->foreign);
	json_number(json, "instructions", plan->filter.count);
	json_close(json, "}");
}

static void add_limits(struct json *json, const struct plan *plan)
{
	json_open(json, "limits", "{");
	json_limit(json, "memory", plan->memory_limit);
	json_limit(json, "cpu_percent", plan->cpu_percent < 100 ? plan->cpu_percent : 0);
	json_limit(json, "timeout", plan->timeout_ns);
	json_limit(json, "kill_after", plan->timeout_ns != 0 ? plan->kill_after_ns : 0);
	json_limit(json, "output", plan->output_limit);
	json_limit(json, "open_files", plan->open_files);
	if (plan->cpus.is_set) {
		json_open(json, "cpus", "[");
		for (unsigned int cpu = 0; cpu < PLAN_CPU_WORDS * 8 * sizeof(long); cpu++) {
			size_t bits = 8 * sizeof(long);

			if ((plan->cpus.words[cpu / bits] >> (cpu % bits) & 1) != 0) {
				json_number(json, NULL, cpu);
			}
		}
		json_close(json, "]");
	} else {
		json_string(json, "cpus", NULL);
	}
	json_close(json, "}");
}

static void add_settings(struct json *json, const struct plan *plan)
{
	json_bits(json, "capabilities", plan->keep_caps, capability_name);
	add_limits(json, plan);
	json_open(json, "settings", "{");
	json_bool(json, "no_coredump", plan->no_coredump);
	json_bool(json, "no_huge_pages", plan->no_huge_pages);
	json_bool(json, "no_randomize_memory", plan->no_randomize_memory);
	if (plan->has_user) {
		json_open(json, "user", "{");
		json_number(json, "uid", plan->uid);
		json_number(json, "gid", plan->gid);
		json_close(json, "}");
	} else {
		json_string(json, "user", NULL);
	}
	json_close(json, "}");
}

void explain_json(const struct plan *plan, struct text *ret)
{
	cleanup_explain_facts struct explain_facts facts;
	struct json json = { .out = ret };

	explain_facts_gather(plan, &facts);
	json_open(&json, NULL, "{");
	json_string(&json, "name", plan->name);
	json_bool(&json, "supervised", plan->supervised);
	add_command(&json, plan, &facts);
	add_starts(&json, &facts);
	add_calls(&json, "notified", &facts, CALL_NOTIFIED);
	add_landlock(&json, plan);
	add_system_calls(&json, plan, &facts);
	add_settings(&json, plan);
	json_close(&json, "}\n");
}

/* The master table of options, and what is derived from it. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/policy/option_value.h"
#include "core/policy/policy_options.h"

#define FIELD(member) offsetof(struct sandbox_policy, member)
#define HIGHEST_CPU   1023 /* what the plan's set of processors can hold */
#define NAME_MAXIMUM  64   /* longer words are not compared with option names */

#define UNAVAILABLE(section_, key_, flag_, letter_, value_)                                        \
	{                                                                                          \
		.section = section_, .type = OPTION_UNAVAILABLE, .key = key_, .flag = flag_,       \
		.letter = letter_, .value = value_                                                 \
	}

static const struct {
	const char *name;
	const char *title;
} sections[SECTION_COUNT] = {
	[SECTION_FILESYSTEM] = { "filesystem", "Files" },
	[SECTION_NETWORK] = { "network", "Network" },
	[SECTION_HTTP] = { "http", "HTTP" },
	[SECTION_LIMITS] = { "limits", "Limits" },
	[SECTION_PROGRAM] = { "program", "Program" },
	[SECTION_DETERMINISM] = { "determinism", "Determinism" },
	[SECTION_SYSCALLS] = { "syscalls", "System calls" },
	[SECTION_PROTECTIONS] = { "protections", "Kernel protections" },
	[SECTION_RUN] = { "run", "The run" },
	[SECTION_COMMAND_LINE] = { "command-line", "Command line" },
};

/* Grouped by section in the order of enum option_section; the order of help and man page. */
// clang-format off
const struct policy_option policy_options[] = {
	{
		.section = SECTION_FILESYSTEM, .key = "read", .flag = "fs-read", .letter = 'r',
		.value = "PATH",
		.type = OPTION_PATHS, .offset = FIELD(filesystem.read), .without_supervisor = true,
		.text = "Grant reading and executing PATH and everything below it. May be "
			"repeated.",
		.details = "A path that does not exist is an error unless --ignore-missing is "
			"given. The grant follows symbolic links once, when the run starts.",
	},
	{
		.section = SECTION_FILESYSTEM, .key = "write", .flag = "fs-write", .letter = 'w',
		.value = "PATH",
		.type = OPTION_PATHS, .offset = FIELD(filesystem.write), .without_supervisor = true,
		.text = "Grant reading, executing and writing PATH and everything below it. May be "
			"repeated.",
	},
	{
		.section = SECTION_FILESYSTEM, .key = "preset", .flag = "preset", .value = "NAME",
		.type = OPTION_PRESET, .offset = FIELD(filesystem.presets),
		.text = "Add a bundle of grants. build: read /usr /lib* /bin /sbin /etc /opt, use "
			"the harmless device nodes, and have a private temporary directory that is "
			"removed at the end.",
		.details = "The build preset grants nothing of /proc, /sys and /dev/shm (Python's "
			"multiprocessing wants --fs-write /dev/shm). The device nodes are "
			"/dev/null, /dev/zero, /dev/full, /dev/random, /dev/urandom and /dev/tty. "
			"What does not exist is skipped. Files in /etc that the user who runs "
			"sandlock may read can be read inside as well.",
	},
	{
		.section = SECTION_FILESYSTEM, .key = "ignore_missing", .flag = "ignore-missing",
		.type = OPTION_SWITCH, .offset = FIELD(filesystem.ignore_missing),
		.without_supervisor = true,
		.text = "Skip paths of --fs-read and --fs-write that do not exist instead of "
			"refusing the run.",
	},
	UNAVAILABLE(SECTION_FILESYSTEM, "deny", "fs-deny", 0, "PATH"),
	UNAVAILABLE(SECTION_FILESYSTEM, "mount", "fs-mount", 0, "VIRTUAL:HOST[:ro|:rw]"),
	UNAVAILABLE(SECTION_FILESYSTEM, "chroot", "chroot", 0, "PATH"),
	UNAVAILABLE(SECTION_FILESYSTEM, NULL, "image", 0, "REF"),
	UNAVAILABLE(SECTION_FILESYSTEM, "workdir", "workdir", 0, "PATH"),
	UNAVAILABLE(SECTION_FILESYSTEM, "fs_storage", "fs-storage", 0, "PATH"),
	UNAVAILABLE(SECTION_FILESYSTEM, "on_exit", "on-exit", 0, "commit|abort|keep"),
	UNAVAILABLE(SECTION_FILESYSTEM, "on_error", "on-error", 0, "commit|abort|keep"),
	UNAVAILABLE(SECTION_FILESYSTEM, NULL, "dry-run", 0, NULL),

	{
		.section = SECTION_NETWORK, .key = "allow", .flag = "net-allow", .value = "RULE",
		.type = OPTION_CONNECT_RULE, .offset = FIELD(network.connect),
		.text = "Allow TCP connections to ports of any host: tcp://*:443, tcp://*:80,443, "
			"or tcp://* for all ports. May be repeated.",
		.details = "Rules that name a host, UDP or ICMP are not available in this version "
			"and are refused. Without a rule no TCP connection is possible.",
	},
	{
		.section = SECTION_NETWORK, .key = "allow_bind", .flag = "net-allow-bind",
		.value = "PORTS",
		.type = OPTION_BIND_PORTS, .offset = FIELD(network.bind),
		.text = "Allow binding and listening on TCP ports: 8080, 8000-8999, 80,443, or * "
			"for all. May be repeated.",
		.details = "Port 0 stands for a port that the kernel chooses. Without a rule no "
			"TCP port can be bound.",
	},
	UNAVAILABLE(SECTION_NETWORK, "deny", "net-deny", 0, "RULE"),
	UNAVAILABLE(SECTION_NETWORK, "deny_bind", "net-deny-bind", 0, "PORTS"),
	UNAVAILABLE(SECTION_NETWORK, "port_remap", "port-remap", 0, NULL),

	UNAVAILABLE(SECTION_HTTP, "allow", "http-allow", 0, "RULE"),
	UNAVAILABLE(SECTION_HTTP, "deny", "http-deny", 0, "RULE"),
	UNAVAILABLE(SECTION_HTTP, "ports", "http-port", 0, "PORT"),
	UNAVAILABLE(SECTION_HTTP, "ca", "http-ca", 0, "PATH"),
	UNAVAILABLE(SECTION_HTTP, "key", "http-key", 0, "PATH"),
	UNAVAILABLE(SECTION_HTTP, "inject_ca", "http-inject-ca", 0, "PATH"),
	UNAVAILABLE(SECTION_HTTP, "ca_out", "http-ca-out", 0, "PATH"),
	UNAVAILABLE(SECTION_HTTP, NULL, "credential", 0, "NAME=SOURCE"),
	UNAVAILABLE(SECTION_HTTP, NULL, "http-auth", 0, "RULE"),

	{
		.section = SECTION_LIMITS, .key = "memory", .flag = "max-memory", .letter = 'm',
		.value = "SIZE",
		.type = OPTION_SIZE, .offset = FIELD(limits.memory), .minimum = 1,
		.bounds = "max_memory must be at least 1 byte (omit it for no limit)",
		.text = "Kill the process that takes the memory of all processes together past "
			"SIZE (512M, 4G).",
		.details = "Memory is measured, not reserved: what a program maps and does not "
			"touch is free.",
	},
	{
		.section = SECTION_LIMITS, .key = "cpu", .flag = "cpu", .letter = 'c',
		.value = "PERCENT",
		.type = OPTION_NUMBER, .offset = FIELD(limits.cpu_percent), .minimum = 1,
		.maximum = 100,
		.bounds = "max_cpu must be 1-100",
		.text = "Let all processes together run for PERCENT of the time, 1 to 100.",
	},
	{
		.section = SECTION_LIMITS, .key = "cpu_cores", .flag = "cpu-cores", .value = "LIST",
		.type = OPTION_NUMBERS, .offset = FIELD(limits.cpu_cores), .maximum = HIGHEST_CPU,
		.text = "Run on these processors only: 0,2-3.",
	},
	{
		.section = SECTION_LIMITS, .key = "open_files", .flag = "max-open-files",
		.value = "N",
		.type = OPTION_NUMBER, .offset = FIELD(limits.open_files), .minimum = 1,
		.maximum = UINT32_MAX,
		.bounds = "max_open_files must be 1-4294967295 (omit it to inherit the limit)",
		.text = "Limit the open descriptors of each process to N, or to what is inherited "
			"if that is less.",
	},
	{
		.section = SECTION_LIMITS, .key = "gpu_devices", .flag = "gpu", .value = "all|LIST",
		.type = OPTION_GPU, .maximum = HIGHEST_CPU,
		.text = "Grant all GPUs, or those with these numbers. The last one given counts.",
	},
	{
		.section = SECTION_LIMITS, .key = "timeout", .flag = "timeout", .letter = 't',
		.value = "SECONDS",
		.type = OPTION_SECONDS, .offset = FIELD(limits.timeout_ns), .minimum = 1,
		.bounds = "timeout must be above 0 (omit it for none)",
		.text = "End the run after SECONDS (90, 1.5) with exit status 124.",
	},
	{
		.section = SECTION_LIMITS, .key = "kill_after", .flag = "kill-after",
		.value = "SECONDS",
		.type = OPTION_SECONDS, .offset = FIELD(limits.kill_after_ns),
		.text = "On a timeout send TERM first, and KILL after SECONDS more. Default: KILL "
			"at once.",
	},
	{
		.section = SECTION_LIMITS, .key = "output", .flag = "max-output", .value = "SIZE",
		.type = OPTION_SIZE, .offset = FIELD(limits.output), .minimum = 1,
		.bounds = "max_output must be at least 1 byte (omit it for no limit)",
		.text = "End the run when standard output and error together exceed SIZE.",
	},
	{
		.section = SECTION_LIMITS, .key = "num_cpus", .flag = "num-cpus", .value = "N",
		.type = OPTION_NUMBER, .offset = FIELD(limits.num_cpus), .minimum = 1,
		.maximum = HIGHEST_CPU + 1,
		.bounds = "num_cpus must be 1-1024 (omit it for those of the host)",
		.text = "Let sched_getaffinity answer N processors, as nproc and thread pools ask it.",
		.details = "It changes what programs are told, not where they run: see --cpu-cores and --cpu for "
			"that. Programs that read /proc/cpuinfo or /sys still see the host's.",
	},
	{
		.section = SECTION_LIMITS, .key = "processes", .flag = "max-processes", .letter = 'P',
		.value = "N",
		.type = OPTION_NUMBER, .offset = FIELD(limits.processes), .minimum = 1,
		.maximum = UINT32_MAX,
		.bounds = "max_processes must be at least 1 (omit it for no limit)",
		.text = "Let at most N processes be alive at once; another fork fails with EAGAIN.",
		.details = "The command is the first of them, threads do not count, and one that has ended "
			"leaves the count whether or not it was waited for. The first refusal is said on "
			"standard error. The tree is traced (ptrace(2)) for it.",
	},
	UNAVAILABLE(SECTION_LIMITS, "disk", "max-disk", 0, "SIZE"),

	{
		.section = SECTION_PROGRAM, .key = "shell", .flag = "exec-shell", .letter = 'e',
		.value = "TEXT",
		.type = OPTION_STRING, .offset = FIELD(program.exec_shell),
		.without_supervisor = true,
		.text = "Run /bin/sh -c TEXT instead of a command after --.",
	},
	{
		.section = SECTION_PROGRAM, .key = "cwd", .flag = "cwd", .value = "PATH",
		.type = OPTION_PATH, .offset = FIELD(program.cwd),
		.text = "Start in directory PATH; a relative one is taken from the current "
			"directory.",
	},
	{
		.section = SECTION_PROGRAM, .key = "env", .flag = "env", .value = "KEY=VALUE",
		.type = OPTION_ENV, .offset = FIELD(program.env), .without_supervisor = true,
		.text = "Set an environment variable. May be repeated; a later one replaces an "
			"earlier one.",
	},
	{
		.section = SECTION_PROGRAM, .key = "clean_env", .flag = "clean-env",
		.type = OPTION_SWITCH, .offset = FIELD(program.clean_env),
		.without_supervisor = true,
		.text = "Start from an empty environment instead of the present one.",
	},
	{
		.section = SECTION_PROGRAM, .key = "name", .flag = "name", .value = "NAME",
		.type = OPTION_STRING, .offset = FIELD(program.name), .without_supervisor = true,
		.text = "Name of the sandbox, up to 64 bytes, and the host name that uname answers inside. "
			"Default: sandbox-PID-COUNTER, and the host's own name inside.",
		.details = "Only uname(2) is answered: /etc/hostname is the file of the host, where a grant shows it. "
			"With --no-supervisor nobody is there to answer, and the command sees the host's name.",
	},
	{
		.section = SECTION_PROGRAM, .key = "user", .flag = "user", .value = "UID:GID",
		.type = OPTION_USER, .maximum = UINT32_MAX - 1,
		.text = "User and group as seen inside, by a user namespace.",
	},
	{
		.section = SECTION_PROGRAM, .key = "keep_caps", .flag = "keep-cap",
		.value = "CAP_NAME",
		.type = OPTION_CAPABILITY, .offset = FIELD(program.keep_caps),
		.without_supervisor = true,
		.text = "Keep a capability that would be dropped. May be repeated.",
		.details = "Names are those of capabilities(7), with or without CAP_. A capability "
			"that sandlock itself does not have cannot be kept.",
	},
	{
		.section = SECTION_PROGRAM, .key = NULL, .flag = "keep-fd", .value = "FD",
		.type = OPTION_FDS, .offset = FIELD(program.keep_fds), .minimum = 3,
		.maximum = INT_MAX,
		.bounds = "must be 3-2147483647 (0, 1 and 2 are always inherited)",
		.without_supervisor = true,
		.text = "Let the command inherit descriptor FD beside 0, 1 and 2. May be repeated.",
	},
	{
		.section = SECTION_PROGRAM, .key = "no_coredump", .flag = "no-coredump",
		.type = OPTION_SWITCH, .offset = FIELD(program.no_coredump),
		.text = "Write no core files.",
	},
	{
		.section = SECTION_PROGRAM, .key = "no_huge_pages", .flag = "no-huge-pages",
		.type = OPTION_SWITCH, .offset = FIELD(program.no_huge_pages),
		.text = "Turn transparent huge pages off.",
	},

	{
		.section = SECTION_DETERMINISM, .key = "no_randomize_memory",
		.flag = "no-randomize-memory",
		.type = OPTION_SWITCH, .offset = FIELD(determinism.no_randomize_memory),
		.text = "Turn address space randomisation off.",
	},
	UNAVAILABLE(SECTION_DETERMINISM, "random_seed", "random-seed", 0, "N"),
	UNAVAILABLE(SECTION_DETERMINISM, "time_start", "time-start", 0, "TIME"),
	UNAVAILABLE(SECTION_DETERMINISM, "deterministic_dirs", "deterministic-dirs", 0, NULL),

	{
		.section = SECTION_SYSCALLS, .key = "extra_deny", .flag = "extra-deny-syscall",
		.value = "NAME",
		.type = OPTION_STRINGS, .offset = FIELD(syscalls.extra_deny),
		.without_supervisor = true,
		.text = "Refuse one more system call, or a group of them. May be repeated.",
	},
	{
		.section = SECTION_SYSCALLS, .key = "extra_allow", .flag = "extra-allow-syscall",
		.value = "GROUP",
		.type = OPTION_STRINGS, .offset = FIELD(syscalls.extra_allow),
		.text = "Allow a group of calls that is refused by default. May be repeated.",
		.details = "Each group opens a door in the walls: --explain names its price.",
	},

	{
		.section = SECTION_PROTECTIONS, .key = "allow_degraded", .flag = "allow-degraded",
		.value = "PROTECTION",
		.type = OPTION_PROTECTION, .mode = PROTECTION_DEGRADABLE,
		.without_supervisor = true,
		.text = "Run even if the kernel lacks a protection: fs-refer, fs-truncate, "
			"net-tcp, fs-ioctl-dev, signal-scope, abstract-unix-socket-scope. May be "
			"repeated.",
	},
	{
		.section = SECTION_PROTECTIONS, .key = "disable", .flag = "disable",
		.value = "PROTECTION",
		.type = OPTION_PROTECTION, .mode = PROTECTION_DISABLED, .without_supervisor = true,
		.text = "Switch a protection off, except fs-refer. May be repeated.",
		.details = "Of --allow-degraded and --disable for the same protection the last one "
			"counts.",
	},

	{
		.section = SECTION_RUN, .key = NULL, .flag = "status-fd", .value = "FD",
		.type = OPTION_FD, .offset = FIELD(run.status_fd), .maximum = INT_MAX,
		.bounds = "must be 0-2147483647",
		.text = "Write one JSON line about how the run went to descriptor FD.",
	},
	{
		.section = SECTION_RUN, .key = "stdout", .flag = "stdout", .value = "FILE",
		.type = OPTION_PATH, .offset = FIELD(run.stdout_path), .without_supervisor = true,
		.text = "Write standard output of the command to FILE.",
	},
	{
		.section = SECTION_RUN, .key = "stderr", .flag = "stderr", .value = "FILE",
		.type = OPTION_PATH, .offset = FIELD(run.stderr_path), .without_supervisor = true,
		.text = "Write standard error of the command to FILE.",
	},
	{
		.section = SECTION_RUN, .key = "record_env", .flag = "record-env",
		.type = OPTION_SWITCH, .offset = FIELD(run.record_env),
		.text = "Add to the status line what influences a measurement: processor, kernel "
			"settings, load.",
	},
	{
		.section = SECTION_RUN, .key = "supervisor_cpus", .flag = "supervisor-cpus",
		.value = "LIST",
		.type = OPTION_NUMBERS, .offset = FIELD(run.supervisor_cpus),
		.maximum = HIGHEST_CPU,
		.text = "Run sandlock itself on these processors, away from the measured ones.",
	},
	{
		.section = SECTION_RUN, .key = "no_supervisor", .flag = "no-supervisor",
		.type = OPTION_SWITCH, .offset = FIELD(run.no_supervisor),
		.without_supervisor = true,
		.text = "Confine this process and become the command: no limits, no status, no "
			"second process. Options that need a supervisor are refused.",
	},
	{
		.section = SECTION_RUN, .key = "workers_max", .flag = "workers-max", .value = "N",
		.type = OPTION_NUMBER, .offset = FIELD(run.workers_max), .minimum = 1, .maximum = 4096,
		.bounds = "workers_max must be 1-4096",
		.text = "Answer notified system calls by up to N threads beside the one that receives them. "
			"Default: 256; they start on demand.",
	},

	{
		.section = SECTION_RUN, .key = "argv_guard", .flag = "argv-guard",
		.value = "verify|freeze",
		.type = OPTION_WORD, .offset = FIELD(run.argv_guard),
		.bounds = "neither verify nor freeze",
		.text = "How path and arguments of a judged exec are kept from changing after the judgement.",
		.details = "In both cases the finished image is compared with what was judged, before it runs its "
			"first instruction, and killed if it differs. freeze also stops every other task "
			"while they are read and until the answer is given. Without a judge neither has an effect.",
	},

	{
		.section = SECTION_COMMAND_LINE, .flag = "explain", .value = "text|json",
		.value_is_optional = true,
		.type = OPTION_ACTION, .action = ACTION_EXPLAIN, .without_supervisor = true,
		.text = "Print what would be enforced, and run nothing.",
	},
	{
		.section = SECTION_COMMAND_LINE, .flag = "args", .value = "FD",
		.type = OPTION_ACTION, .action = ACTION_ARGS, .without_supervisor = true,
		.maximum = INT_MAX,
		.bounds = "must be 0 or 3-2147483647",
		.text = "Read more words from descriptor FD, each ended by a NUL byte. They take "
			"the place of --args FD and may hold options, -- and the command.",
		.details = "The descriptor is read to its end and closed. At most 32 MiB are read.",
	},
	{
		.section = SECTION_COMMAND_LINE, .flag = "interactive", .letter = 'i',
		.type = OPTION_IGNORED, .without_supervisor = true,
		.text = "Accepted for old scripts, without effect.",
	},
	{
		.section = SECTION_COMMAND_LINE, .flag = "help", .letter = 'h', .value = "roff",
		.value_is_optional = true,
		.type = OPTION_ACTION, .action = ACTION_HELP, .without_supervisor = true,
		.text = "Print this help.",
	},
	{
		.section = SECTION_COMMAND_LINE, .flag = "version",
		.type = OPTION_ACTION, .action = ACTION_VERSION, .without_supervisor = true,
		.text = "Print the version.",
	},
	UNAVAILABLE(SECTION_COMMAND_LINE, NULL, "profile", 'p', "NAME"),
	UNAVAILABLE(SECTION_COMMAND_LINE, NULL, "profile-file", 0, "PATH"),
};
// clang-format on

const size_t policy_option_count = ARRAY_LEN(policy_options);

const char *option_section_title(enum option_section section)
{
	return sections[section].title;
}

const char *option_section_name(enum option_section section)
{
	return sections[section].name;
}

const struct policy_option *option_find(const char *name, size_t length)
{
	for (size_t i = 0; i < policy_option_count; i++) {
		const char *flag = policy_options[i].flag;

		if (strlen(flag) == length && memcmp(flag, name, length) == 0) {
			return &policy_options[i];
		}
	}
	return NULL;
}

const struct policy_option *option_find_letter(char letter)
{
	for (size_t i = 0; letter != 0 && i < policy_option_count; i++) {
		if (policy_options[i].letter == letter) {
			return &policy_options[i];
		}
	}
	return NULL;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many letters must be changed, added, left out or swapped with their neighbour. */
static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t rows[3][NAME_MAXIMUM + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t j = 0; j <= b_length; j++) {
		above[j] = j;
	}
	for (size_t i = 1; i <= a_length; i++) {
		size_t *recycled = before;

		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t changed = above[j - 1] + (a[i - 1] != b[j - 1]);

			row[j] = least(changed, least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
				row[j] = least(row[j], before[j - 2] + 1);
			}
		}
		before = above;
		above = row;
		row = recycled;
	}
	return above[b_length];
}

/* Whether `flag` starts with the word, or has it as its last part ("memory" of "max-memory"). */
static bool is_part_of(const char *flag, const char *name, size_t length)
{
	size_t flag_length = strlen(flag);

	if (length < 3 || flag_length <= length) {
		return false;
	}
	return memcmp(flag, name, length) == 0 ||
	       (flag[flag_length - length - 1] == '-' &&
		       memcmp(flag + flag_length - length, name, length) == 0);
}

const struct policy_option *option_find_nearest(const char *name, size_t length)
{
	const struct policy_option *nearest = NULL;
	size_t nearest_distance = length < 6 ? 2 : 3; /* the first that is too far */

	if (length == 0 || length > NAME_MAXIMUM) {
		return NULL;
	}
	for (size_t i = 0; i < policy_option_count; i++) {
		const char *flag = policy_options[i].flag;
		size_t distance = edit_distance(name, length, flag, strlen(flag));

		if (is_part_of(flag, name, length)) {
			distance = least(distance, 1);
		}
		if (distance < nearest_distance) {
			nearest = &policy_options[i];
			nearest_distance = distance;
		}
	}
	return nearest;
}

int option_set(const struct policy_option *option, struct sandbox_policy *policy, const char *value,
	struct error *error)
{
	const struct option_type_rules *rules = option_type_rules(option->type);

	if (option->type != OPTION_UNAVAILABLE) {
		if (value == NULL && option->value != NULL) {
			return error_set(error, EINVAL, "--%s: needs a value: --%s %s",
				option->flag, option->flag, option->value);
		}
		if (value != NULL && option->value == NULL) {
			return error_set(
				error, EINVAL, "--%s: \"%s\": takes no value", option->flag, value);
		}
	}
	return rules->read(option, policy, value, error);
}

void option_list_values(const struct policy_option *option, const struct sandbox_policy *policy,
	struct string_list *values)
{
	const struct option_type_rules *rules = option_type_rules(option->type);

	if (rules->list != NULL) {
		rules->list(option, policy, values);
	}
}

bool option_is_given(const struct policy_option *option, const struct sandbox_policy *policy)
{
	cleanup_string_list struct string_list values = { 0 };

	option_list_values(option, policy, &values);
	return values.count > 0;
}

void policy_list_flags(const struct sandbox_policy *policy, struct string_list *words)
{
	for (size_t i = 0; i < policy_option_count; i++) {
		const struct policy_option *option = &policy_options[i];
		cleanup_string_list struct string_list values = { 0 };
		cleanup_free char *flag = must_format("--%s", option->flag);

		option_list_values(option, policy, &values);
		for (size_t j = 0; j < values.count; j++) {
			string_list_add(words, flag);
			if (option->value != NULL) {
				string_list_add(words, values.items[j]);
			}
		}
	}
	if (policy->program.argv.count > 0) {
		string_list_add(words, "--");
	}
	for (size_t i = 0; i < policy->program.argv.count; i++) {
		string_list_add(words, policy->program.argv.items[i]);
	}
}

/* A word as the shell reads it: bare if nothing in it is special, else in single quotes. */
static void print_word(const char *word, struct text *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "_@%+=:,./-";

	if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
		text_add(text, "%s", word);
		return;
	}
	text_add_bytes(text, "'", 1);
	for (const char *c = word; *c != '\0'; c++) {
		if (*c == '\'') {
			text_add(text, "'\\''");
		} else {
			text_add_bytes(text, c, 1);
		}
	}
	text_add_bytes(text, "'", 1);
}

void policy_print_flags(const struct sandbox_policy *policy, struct text *text)
{
	cleanup_string_list struct string_list words = { 0 };

	policy_list_flags(policy, &words);
	for (size_t i = 0; i < words.count; i++) {
		if (i > 0) {
			text_add_bytes(text, " ", 1);
		}
		print_word(words.items[i], text);
	}
}

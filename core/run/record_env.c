/* What a benchmark harness must know of the machine and of the run (--record-env). */
// SPDX-License-Identifier: Apache-2.0

#include <dirent.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/process/proc_reader.h"
#include "core/run/record_env.h"

/* ---- reading ------------------------------------------------------------------------------- */

/* The first line of a file, or NULL. */
static char *read_first_line(const char *root, const char *path)
{
	cleanup_free char *whole = must_format("%s%s", root, path);
	cleanup_close int fd = open(whole, O_RDONLY | O_CLOEXEC);
	char line[1024];
	ssize_t length = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);

	if (length <= 0) {
		return NULL;
	}
	line[length] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return line[0] != '\0' ? must_copy(line) : NULL;
}

/* Looks for a line "NAME<blanks>:<blanks>VALUE". */
struct search {
	const char *name;
	char *value; /* owned; NULL: not found */
};

static bool search_line(void *context, const char *line, size_t length)
{
	struct search *search = context;
	size_t name = strlen(search->name);
	const char *end = line + length, *at = line + name;

	if (length < name || memcmp(line, search->name, name) != 0) {
		return false;
	}
	while (at < end && (*at == ' ' || *at == '\t')) {
		at++;
	}
	if (at == end || *at != ':') {
		return false;
	}
	for (at++; at < end && (*at == ' ' || *at == '\t'); at++) {
	}
	search->value = must_format("%.*s", (int)(end - at), at);
	return true;
}

static char *search_file(const char *root, const char *path, const char *name)
{
	cleanup_free char *whole = must_format("%s%s", root, path);
	cleanup_close int fd = open(whole, O_RDONLY | O_CLOEXEC);
	struct search search = { .name = name };

	if (fd >= 0) {
		(void)proc_read_lines(fd, search_line, &search); /* unreadable is not found */
	}
	return search.value;
}

/* "always [madvise] never" has madvise chosen. */
static char *chosen_word(char *line)
{
	char *open = line != NULL ? strchr(line, '[') : NULL;
	char *close = open != NULL ? strchr(open, ']') : NULL;
	char *word = close != NULL ? must_format("%.*s", (int)(close - open - 1), open + 1) : NULL;

	free(line);
	return word;
}

/* One file that tells it, and what its first line means; the first file that exists decides. */
struct source {
	const char *path;
	struct {
		const char *content, *meaning;
	} meanings[3];
};

static const struct source turbo_sources[] = {
	{ "/sys/devices/system/cpu/intel_pstate/no_turbo", { { "0", "on" }, { "1", "off" } } },
	{ "/sys/devices/system/cpu/cpufreq/boost", { { "1", "on" }, { "0", "off" } } },
};

static const struct source smt_sources[] = {
	{ "/sys/devices/system/cpu/smt/active", { { "1", "on" }, { "0", "off" } } },
};

static const struct source aslr_sources[] = {
	{ "/proc/sys/kernel/randomize_va_space",
		{ { "0", "off" }, { "1", "without heap" }, { "2", "full" } } },
};

static char *read_meaning(const char *root, const struct source *sources, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		cleanup_free char *line = read_first_line(root, sources[i].path);

		for (size_t j = 0; line != NULL && j < ARRAY_LEN(sources[i].meanings); j++) {
			const char *content = sources[i].meanings[j].content;

			if (content != NULL && strcmp(line, content) == 0) {
				return must_copy(sources[i].meanings[j].meaning);
			}
		}
	}
	return NULL;
}

static int compare_names(const struct dirent **left, const struct dirent **right)
{
	return strcmp((*left)->d_name, (*right)->d_name);
}

static void read_mitigations(struct env_record *record, const char *root)
{
	static const char path[] = "/sys/devices/system/cpu/vulnerabilities";
	cleanup_free char *whole = must_format("%s%s", root, path);
	struct dirent **entries = NULL;
	int count = scandir(whole, &entries, NULL, compare_names);

	for (int i = 0; i < count; i++) {
		cleanup_free char *file = must_format("%s/%s", path, entries[i]->d_name);
		cleanup_free char *line =
			entries[i]->d_name[0] != '.' ? read_first_line(root, file) : NULL;

		if (line != NULL) {
			string_list_add(&record->mitigations, entries[i]->d_name);
			string_list_add(&record->mitigations, line);
		}
		free(entries[i]);
	}
	free(entries);
}

/* proc_stat(5): "cpu user nice system idle iowait irq softirq steal …". */
static struct env_number read_steal(const char *root)
{
	cleanup_free char *line = read_first_line(root, "/proc/stat");
	char *rest = NULL, *word = line != NULL ? strtok_r(line, " ", &rest) : NULL;
	struct env_number steal = { 0 };

	if (word == NULL || strcmp(word, "cpu") != 0) {
		return steal;
	}
	for (int i = 0; i < 8 && word != NULL; i++) {
		word = strtok_r(NULL, " ", &rest);
	}
	steal.known = word != NULL && parse_number(word, 0, UINT64_MAX, &steal.value) == 0;
	return steal;
}

/* "MemTotal: 123 kB" */
static struct env_number read_memory(const char *root)
{
	cleanup_free char *value = search_file(root, "/proc/meminfo", "MemTotal");
	struct env_number memory = { 0 };
	char *end = value != NULL ? strchr(value, ' ') : NULL;
	uint64_t kib;

	if (end != NULL && strcmp(end, " kB") == 0) {
		*end = '\0';
		if (parse_number(value, 0, UINT64_MAX / 1024, &kib) == 0) {
			memory = (struct env_number){ true, kib * 1024 };
		}
	}
	return memory;
}

/* "0-1,4": how many. */
static struct env_number read_cpus(const char *root)
{
	cleanup_free char *line = read_first_line(root, "/sys/devices/system/cpu/online");
	struct env_number cpus = { .known = line != NULL };
	char *rest = NULL;

	for (char *range = line != NULL ? strtok_r(line, ",", &rest) : NULL; range != NULL;
		range = strtok_r(NULL, ",", &rest)) {
		char *dash = strchr(range, '-');
		uint64_t first, last;

		if (dash != NULL) {
			*dash = '\0';
		}
		if (parse_number(range, 0, UINT16_MAX, &first) < 0 ||
			parse_number(dash != NULL ? dash + 1 : range, first, UINT16_MAX, &last) <
				0) {
			return (struct env_number){ 0 };
		}
		cpus.value += last - first + 1;
	}
	return cpus;
}

/* ---- writing ------------------------------------------------------------------------------- */

static void add_string(struct text *text, const char *name, const char *value)
{
	text_add(text, "\"%s\":", name);
	if (value != NULL) {
		text_add_json(text, value);
	} else {
		text_add(text, "null");
	}
	text_add(text, ",");
}

static void add_number(struct text *text, const char *name, struct env_number number)
{
	if (number.known) {
		text_add(text, "\"%s\":%llu,", name, (unsigned long long)number.value);
	} else {
		text_add(text, "\"%s\":null,", name);
	}
}

static const struct string_row {
	const char *name;
	size_t offset;
} string_rows[] = {
	{ "kernel", offsetof(struct env_record, kernel) },
	{ "architecture", offsetof(struct env_record, architecture) },
	{ "cpu_model", offsetof(struct env_record, cpu_model) },
	{ "governor", offsetof(struct env_record, governor) },
	{ "turbo", offsetof(struct env_record, turbo) },
	{ "smt", offsetof(struct env_record, smt) },
	{ "aslr", offsetof(struct env_record, aslr) },
	{ "huge_pages", offsetof(struct env_record, huge_pages) },
	{ "load_begin", offsetof(struct env_record, load_begin) },
	{ "load_end", offsetof(struct env_record, load_end) },
};

static const struct number_row {
	const char *name;
	size_t offset;
} number_rows[] = {
	{ "cpus", offsetof(struct env_record, cpus) },
	{ "memory_bytes", offsetof(struct env_record, memory_bytes) },
	{ "migrations", offsetof(struct env_record, migrations) },
	{ "voluntary_switches", offsetof(struct env_record, voluntary_switches) },
	{ "involuntary_switches", offsetof(struct env_record, involuntary_switches) },
	{ "minor_faults", offsetof(struct env_record, minor_faults) },
	{ "major_faults", offsetof(struct env_record, major_faults) },
	{ "argv_bytes", offsetof(struct env_record, argv_bytes) },
	{ "environment_bytes", offsetof(struct env_record, environment_bytes) },
};

static struct env_number steal_milliseconds(const struct env_record *record)
{
	uint64_t per_second = (uint64_t)sysconf(_SC_CLK_TCK);

	if (!record->steal_begin.known || !record->steal_end.known ||
		record->steal_end.value < record->steal_begin.value) {
		return (struct env_number){ 0 };
	}
	return (struct env_number){ true,
		(record->steal_end.value - record->steal_begin.value) * 1000 / per_second };
}

void record_env_json(const struct env_record *record, struct text *text)
{
	text_add(text, "{");
	for (size_t i = 0; i < ARRAY_LEN(string_rows); i++) {
		const struct string_row *row = &string_rows[i];

		add_string(text, row->name, *(char *const *)((const char *)record + row->offset));
	}
	for (size_t i = 0; i < ARRAY_LEN(number_rows); i++) {
		const struct number_row *row = &number_rows[i];

		add_number(text, row->name,
			*(const struct env_number *)((const char *)record + row->offset));
	}
	add_number(text, "steal_ms", steal_milliseconds(record));
	if (record->mitigations.count == 0) {
		text_add(text, "\"mitigations\":null}");
		return;
	}
	text_add(text, "\"mitigations\":{");
	for (size_t i = 0; i + 1 < record->mitigations.count; i += 2) {
		text_add(text, "%s", i > 0 ? "," : "");
		text_add_json(text, record->mitigations.items[i]);
		text_add(text, ":");
		text_add_json(text, record->mitigations.items[i + 1]);
	}
	text_add(text, "}}");
}

/* ---- the record ---------------------------------------------------------------------------- */

void record_env_begin_at(struct env_record *record, const char *root)
{
	struct utsname name;

	if (uname(&name) == 0) {
		record->kernel = must_format("%s %s", name.release, name.version);
		record->architecture = must_copy(name.machine);
	}
	record->cpu_model = search_file(root, "/proc/cpuinfo", "model name");
	record->governor =
		read_first_line(root, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
	record->turbo = read_meaning(root, turbo_sources, ARRAY_LEN(turbo_sources));
	record->smt = read_meaning(root, smt_sources, ARRAY_LEN(smt_sources));
	record->aslr = read_meaning(root, aslr_sources, ARRAY_LEN(aslr_sources));
	record->huge_pages =
		chosen_word(read_first_line(root, "/sys/kernel/mm/transparent_hugepage/enabled"));
	read_mitigations(record, root);
	record->cpus = read_cpus(root);
	record->memory_bytes = read_memory(root);
	record->load_begin = read_first_line(root, "/proc/loadavg");
	record->steal_begin = read_steal(root);
}

void record_env_end_at(struct env_record *record, const char *root)
{
	record->steal_end = read_steal(root);
	record->load_end = read_first_line(root, "/proc/loadavg");
}

void record_env_begin(struct env_record *record)
{
	record_env_begin_at(record, "");
}

void record_env_end(struct env_record *record)
{
	record_env_end_at(record, "");
}

static struct env_number number(long value)
{
	return (struct env_number){ value >= 0, value >= 0 ? (uint64_t)value : 0 };
}

void record_env_usage(struct env_record *record, const struct rusage *usage)
{
	record->voluntary_switches = number(usage->ru_nvcsw);
	record->involuntary_switches = number(usage->ru_nivcsw);
	record->minor_faults = number(usage->ru_minflt);
	record->major_faults = number(usage->ru_majflt);
}

void record_env_process(struct env_record *record, pid_t pid)
{
	cleanup_free char *path = must_format("/proc/%d/sched", (int)pid);
	cleanup_free char *value = search_file("", path, "se.nr_migrations");

	record->migrations.known =
		value != NULL && parse_number(value, 0, UINT64_MAX, &record->migrations.value) == 0;
}

static struct env_number count_bytes(char *const *strings)
{
	struct env_number bytes = { .known = strings != NULL };

	for (; strings != NULL && *strings != NULL; strings++) {
		bytes.value += strlen(*strings) + 1;
	}
	return bytes;
}

void record_env_strings(struct env_record *record, char *const *argv, char *const *environment)
{
	record->argv_bytes = count_bytes(argv);
	record->environment_bytes = count_bytes(environment);
}

void record_env_finish(struct env_record *record)
{
	for (size_t i = 0; i < ARRAY_LEN(string_rows); i++) {
		free(*(char **)((char *)record + string_rows[i].offset));
	}
	string_list_finish(&record->mitigations);
	*record = (struct env_record){ 0 };
}

/* `sandlock check`: would a run work here, and if not, why. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/base/text.h"
#include "core/plan/landlock_plan.h"
#include "tools/cli/check_probes.h"
#include "tools/cli/cmd_check.h"

#define EXIT_WORKS	0
#define EXIT_WOULD_FAIL 1
#define EXIT_USAGE	125

#define MINIMUM_ABI	      6 /* what a run with every protection strict needs */
#define CREATE_RULESET_ERRATA (1u << 1)

static const char usage[] =
	"usage: sandlock check [--json]\n"
	"Tries the kernel features that a run needs.  Exits 0 if a run with default options would\n"
	"work, 1 with the cure on stderr if not.\n";

/* All facts of the report, gathered before anything is printed. */
struct report {
	struct utsname host;
	int abi;			/* or -errno */
	uint32_t errata;		/* bit N - 1: erratum N is fixed */
	struct error landlock;		/* why there is none */
	struct check_outcome *outcomes; /* owned, one per probe */
	bool works;
	struct error cure; /* when it does not */
};

static uint32_t read_errata(void)
{
	long errata = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_ERRATA);

	return errata > 0 ? (uint32_t)errata : 0; /* kernels before 6.15 do not know the question */
}

/* The first thing that is in the way of a run, in the order in which the run would meet it. */
static void find_cure(struct report *report)
{
	if (report->abi < 0) {
		report->cure = report->landlock;
		return;
	}
	for (size_t i = 0; i < PROTECTION_COUNT; i++) {
		enum protection_state state;

		if (protection_require((enum protection)i, PROTECTION_STRICT, report->abi, &state,
			    &report->cure) < 0) {
			return;
		}
	}
	for (size_t i = 0; i < check_probe_count(); i++) {
		const struct check_probe *probe = check_probe_at(i);

		if (probe->required && report->outcomes[i].kind != CHECK_OK) {
			check_probe_cure(probe, &report->outcomes[i], &report->cure);
			return;
		}
	}
	report->works = true;
}

static void report_gather(struct report *report)
{
	(void)uname(&report->host); /* cannot fail for a valid buffer */
	report->abi = landlock_host_abi();
	if (report->abi < 0) {
		(void)landlock_unavailable(report->abi, &report->landlock); /* only for its text */
	} else {
		report->errata = read_errata();
	}
	report->outcomes = must_allocate(check_probe_count() * sizeof(report->outcomes[0]));
	for (size_t i = 0; i < check_probe_count(); i++) {
		report->outcomes[i] = check_probe_run(check_probe_at(i));
	}
	find_cure(report);
}

static void print_landlock(const struct report *report, struct text *out)
{
	static const struct {
		const char *label;
		int minimum_abi;
	} features[] = {
		{ "Filesystem:", 1 },
		{ "File truncate:", 3 },
		{ "TCP ports:", 4 },
		{ "Device ioctl:", 5 },
		{ "IPC scoping:", 6 },
		{ "Signal scoping:", 6 },
	};

	text_add(out, "Kernel feature support:\n");
	if (report->abi < 0) {
		text_add(out, "  Landlock: unavailable (%s)\n  Status:   UNSUPPORTED\n",
			report->landlock.text);
		return;
	}
	text_add(out, "  Landlock:       ABI v%d\n  Minimum required: ABI v%d\n", report->abi,
		MINIMUM_ABI);
	text_add(out, "  Status:         %s\n",
		report->abi >= MINIMUM_ABI ? "OK" : "UNSUPPORTED (upgrade kernel)");
	for (size_t i = 0; i < ARRAY_LEN(features); i++) {
		text_add(out, "  %-15s ", features[i].label);
		if (report->abi >= features[i].minimum_abi) {
			text_add(out, "supported (ABI v%d+)\n", features[i].minimum_abi);
		} else {
			text_add(out, "not supported\n");
		}
	}
	text_add(out, "\nPer-protection availability (host Landlock ABI v%d):\n", report->abi);
	for (size_t i = 0; i < PROTECTION_COUNT; i++) {
		int minimum = protection_minimum_abi((enum protection)i);

		text_add(out, "  %-22s requires v%d — %s\n", protection_title((enum protection)i),
			minimum, report->abi >= minimum ? "available" : "unavailable");
	}
}

static void print_text(const struct report *report, struct text *out)
{
	print_landlock(report, out);
	text_add(out, "  Platform: %s\n", report->host.machine);
	text_add(out, "\nTried here (kernel %s, libseccomp %d.%d.%d):\n", report->host.release,
		SCMP_VER_MAJOR, SCMP_VER_MINOR, SCMP_VER_MICRO);
	for (size_t i = 0; i < check_probe_count(); i++) {
		const struct check_probe *probe = check_probe_at(i);
		struct error what;

		check_outcome_describe(&report->outcomes[i], &what);
		text_add(out, "  %-22s %s — needed by %s%s\n", probe->name, what.text,
			probe->needed_by, probe->required ? "" : " (optional)");
	}
	if (report->errata != 0) {
		text_add(out, "  Landlock errata fixed:");
		for (unsigned int bit = 0; bit < 32; bit++) {
			if ((report->errata >> bit & 1) != 0) {
				text_add(out, " %u", bit + 1);
			}
		}
		text_add(out, "\n");
	}
	text_add(out, "\nA run with default options would %s\n", report->works ? "work." : "fail.");
}

static void add_json_string(struct text *out, const char *name, const char *value)
{
	text_add(out, "\"%s\":", name);
	if (value != NULL) {
		text_add_json(out, value);
	} else {
		text_add(out, "null");
	}
}

static void print_json_landlock(const struct report *report, struct text *out)
{
	const char *separator = "";

	text_add(out, "\"landlock\":{\"abi\":");
	if (report->abi > 0) {
		text_add(out, "%d", report->abi);
	} else {
		text_add(out, "null");
	}
	text_add(out, ",\"minimum\":%d,", MINIMUM_ABI);
	add_json_string(out, "reason", report->abi > 0 ? NULL : report->landlock.text);
	text_add(out, ",\"errata\":[");
	for (unsigned int bit = 0; bit < 32; bit++) {
		if ((report->errata >> bit & 1) != 0) {
			text_add(out, "%s%u", separator, bit + 1);
			separator = ",";
		}
	}
	text_add(out, "]},\"protections\":[");
	for (size_t i = 0; i < PROTECTION_COUNT; i++) {
		int minimum = protection_minimum_abi((enum protection)i);

		text_add(out,
			"%s{\"name\":\"%s\",\"title\":\"%s\",\"requires\":%d,\"available\":%s}",
			i > 0 ? "," : "", protection_name((enum protection)i),
			protection_title((enum protection)i), minimum,
			report->abi >= minimum ? "true" : "false");
	}
	text_add(out, "]");
}

static void print_json(const struct report *report, struct text *out)
{
	text_add(out, "{\"works\":%s,", report->works ? "true" : "false");
	add_json_string(out, "cure", report->works ? NULL : report->cure.text);
	text_add(out, ",");
	add_json_string(out, "kernel", report->host.release);
	text_add(out, ",");
	add_json_string(out, "platform", report->host.machine);
	text_add(out, ",\"libseccomp\":\"%d.%d.%d\",", SCMP_VER_MAJOR, SCMP_VER_MINOR,
		SCMP_VER_MICRO);
	print_json_landlock(report, out);
	text_add(out, ",\"probes\":[");
	for (size_t i = 0; i < check_probe_count(); i++) {
		const struct check_probe *probe = check_probe_at(i);
		bool is_ok = report->outcomes[i].kind == CHECK_OK;
		struct error what;

		check_outcome_describe(&report->outcomes[i], &what);
		text_add(out, "%s{\"name\":\"%s\",", i > 0 ? "," : "", probe->name);
		add_json_string(out, "needed_by", probe->needed_by);
		text_add(out, ",\"required\":%s,\"ok\":%s,", probe->required ? "true" : "false",
			is_ok ? "true" : "false");
		add_json_string(out, "error", is_ok ? NULL : what.text);
		text_add(out, "}");
	}
	text_add(out, "]}\n");
}

int cmd_check(int argc, char **argv)
{
	struct report report = { 0 };
	cleanup_text struct text out = { 0 };
	bool wants_json = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0) {
			wants_json = true;
		} else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			return fputs(usage, stdout) < 0 || fflush(stdout) != 0 ? EXIT_USAGE : 0;
		} else {
			struct error error;

			(void)error_set(&error, EINVAL, "check: unknown argument: %s (only --json)",
				argv[i]);
			(void)fprintf(stderr, "sandlock: %s\n", error.text); /* nothing is left */
			return EXIT_USAGE;
		}
	}

	/* The probes fork: what stdio holds must not be written twice. */
	(void)fflush(stdout);
	report_gather(&report);
	(wants_json ? print_json : print_text)(&report, &out);
	free(report.outcomes);

	if (fwrite(out.bytes, 1, out.length, stdout) != out.length || fflush(stdout) != 0) {
		(void)fprintf(
			stderr, "sandlock: check: cannot write to stdout: %s\n", strerror(errno));
		return EXIT_USAGE;
	}
	if (!report.works) {
		(void)fprintf(stderr, "sandlock: %s\n", report.cure.text); /* nothing is left */
		return EXIT_WOULD_FAIL;
	}
	return EXIT_WORKS;
}

/* Each feature's rows in tests/bpf/features, against the program that its flags make. */
// SPDX-License-Identifier: Apache-2.0
/* native only: a whole plan asks the kernel for Landlock, which qemu-user does not pass on */

#include <criterion/criterion.h>
#include <glob.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/interpreter.h"
#include "core/base/text.h"
#include "core/plan/plan.h"
#include "core/policy/policy_options.h"
#include "core/run/sandbox.h"

#define BLANKS " \t\n"

/* The words of a line after "flags". */
static void set_flags(struct sandbox_policy *policy)
{
	const char *flag;

	while ((flag = strtok(NULL, BLANKS)) != NULL) {
		const struct policy_option *option = option_find(flag + 2, strlen(flag + 2));
		struct error error;

		cr_assert_not_null(option, "%s", flag);
		cr_assert_eq(
			option_set(option, policy,
				option_takes_value(option) ? strtok(NULL, BLANKS) : NULL, &error),
			0, "%s", error.text);
	}
}

/* A "-" is tried with values that programs use and values that they do not. */
static const uint64_t any[] = { 0, 1, 3, 0x7fffffff, 0xffffffff, UINT64_C(1) << 63, UINT64_MAX };

static void check_row(const char *path, const struct plan *plan, const char *call)
{
	int id = syscall_find(call);
	const char *words[7];
	int number;

	cr_assert_geq(id, 0, "%s: %s", path, call);
	number = syscall_number(ARCH_NATIVE, (enum syscall_id)id);
	for (int i = 0; i < 7; i++) {
		words[i] = strtok(NULL, BLANKS);
		cr_assert_not_null(words[i], "%s: %s", path, call);
	}
	for (size_t value = 0; number >= 0 && value < ARRAY_LEN(any); value++) {
		struct seccomp_data data = { .nr = number, .arch = arch_audit_token(ARCH_NATIVE) };
		enum verdict verdict = 0;
		uint32_t answer;

		for (int i = 0; i < 6; i++) {
			data.args[i] = strcmp(words[i], "-") == 0 ? any[value]
								  : strtoull(words[i], NULL, 0);
		}
		answer = bpf_program_run(&plan->filter, &data, NULL);
		while (verdict < VERDICT_COUNT && verdict_return_value(verdict) != answer) {
			verdict++;
		}
		cr_assert_lt(verdict, VERDICT_COUNT, "%s: %s: %#x", path, call, answer);
		cr_expect_str_eq(verdict_name(verdict), words[6], "%s: %s", path, call);
	}
}

static int check_file(const char *path)
{
	FILE *file = fopen(path, "re");
	struct sandbox_policy policy;
	struct plan plan;
	struct error error;
	char line[256];
	int rows = 0;

	cr_assert_not_null(file, "%s", path);
	policy_init(&policy);
	string_list_add(&policy.program.argv, "/bin/true");
	while (fgets(line, sizeof(line), file) != NULL) {
		const char *word = strtok(line, BLANKS);

		if (word == NULL || word[0] == '#') {
			continue;
		}
		if (strcmp(word, "flags") == 0) {
			set_flags(&policy);
			cr_assert_eq(plan_compile(&policy, sandbox_features(), &plan, &error), 0,
				"%s", error.text);
			continue;
		}
		check_row(path, &plan, word);
		rows++;
	}
	(void)fclose(file);
	plan_finish(&plan);
	policy_finish(&policy);
	return rows;
}

Test(features, make_the_verdicts_of_their_rows)
{
	glob_t found;

	cr_assert_eq(glob("tests/bpf/features/*.rows", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		cr_expect_gt(check_file(found.gl_pathv[i]), 3, "%s", found.gl_pathv[i]);
	}
	globfree(&found);
}

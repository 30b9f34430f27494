/* argv, environment and the files to try. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <string.h>

#include "core/plan/command.h"

static struct sandbox_policy policy;
static struct plan plan;

static void begin(void)
{
	policy_init(&policy);
	plan = (struct plan){ 0 };
}

static void end(void)
{
	command_finish(&plan);
	policy_finish(&policy);
}

TestSuite(command, .init = begin, .fini = end);

static const char *variable(const char *name)
{
	size_t length = strlen(name);

	for (char **entry = plan.envp; *entry != NULL; entry++) {
		if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=') {
			return *entry + length + 1;
		}
	}
	return NULL;
}

Test(command, searches_each_directory_of_path_in_order)
{
	char *inherited[] = { "PATH=/one:/two/:", NULL };
	struct error error;

	string_list_add(&policy.program.argv, "tool");

	cr_assert_eq(command_compile(&policy, inherited, &plan, &error), 0);

	cr_assert_str_eq(plan.exec_paths[0], "/one/tool");
	cr_assert_str_eq(plan.exec_paths[1], "/two/tool");
	cr_assert_str_eq(plan.exec_paths[2], "tool", "an empty element is the working directory");
	cr_assert_null(plan.exec_paths[3]);
}

Test(command, does_not_search_for_a_name_with_a_slash)
{
	char *inherited[] = { "PATH=/one", NULL };
	struct error error;

	string_list_add(&policy.program.argv, "./tool");

	cr_assert_eq(command_compile(&policy, inherited, &plan, &error), 0);

	cr_assert_str_eq(plan.exec_paths[0], "./tool");
	cr_assert_null(plan.exec_paths[1]);
}

Test(command, lets_the_last_assignment_of_a_variable_win)
{
	char *inherited[] = { "A=outside", "AB=kept", NULL };
	struct error error;

	string_list_add(&policy.program.argv, "/bin/true");
	string_list_add(&policy.program.env, "A=1");
	string_list_add(&policy.program.env, "A=2");

	cr_assert_eq(command_compile(&policy, inherited, &plan, &error), 0);

	cr_assert_str_eq(variable("A"), "2");
	cr_assert_str_eq(variable("AB"), "kept");
	cr_assert_null(plan.envp[2], "a variable stands once");
}

Test(command, starts_from_nothing_with_a_clean_environment)
{
	char *inherited[] = { "SECRET=1", NULL };
	struct error error;

	string_list_add(&policy.program.argv, "/bin/true");
	string_list_add(&policy.program.env, "ONLY=this");
	policy.program.clean_env = true;

	cr_assert_eq(command_compile(&policy, inherited, &plan, &error), 0);

	cr_assert_null(variable("SECRET"));
	cr_assert_str_eq(variable("ONLY"), "this");
}

Test(command, hands_a_shell_command_to_the_shell)
{
	char *inherited[] = { NULL };
	struct error error;

	policy.program.exec_shell = must_copy("echo hi | cat");

	cr_assert_eq(command_compile(&policy, inherited, &plan, &error), 0);

	cr_assert_str_eq(plan.argv[0], "/bin/sh");
	cr_assert_str_eq(plan.argv[2], "echo hi | cat");
	cr_assert_str_eq(plan.exec_paths[0], "/bin/sh");
}

Test(command, prepares_the_shell_for_a_script_without_an_interpreter_line)
{
	char *inherited[] = { NULL };
	struct error error;

	string_list_add(&policy.program.argv, "./script");
	string_list_add(&policy.program.argv, "argument");

	cr_assert_eq(command_compile(&policy, inherited, &plan, &error), 0);

	cr_assert_str_eq(plan.shell_argv[0], "/bin/sh");
	cr_assert_str_eq(plan.shell_argv[2], "argument");
	cr_assert_null(plan.shell_argv[3]);
}

Test(command, refuses_a_policy_without_a_command)
{
	char *inherited[] = { NULL };
	struct error error = { 0 };

	int r = command_compile(&policy, inherited, &plan, &error);

	cr_assert_lt(r, 0);
	cr_assert(strstr(error.text, "no command specified") != NULL, "%s", error.text);
}

Test(command, names_the_granted_gpus_to_the_runtimes)
{
	char *inherited[] = { "CUDA_VISIBLE_DEVICES=7", NULL };
	struct error error;

	string_list_add(&policy.program.argv, "/bin/true");
	policy.limits.gpu = GPU_LISTED;
	number_list_add(&policy.limits.gpu_devices, 0);
	number_list_add(&policy.limits.gpu_devices, 2);

	cr_assert_eq(command_compile(&policy, inherited, &plan, &error), 0);

	cr_assert_str_eq(variable("CUDA_VISIBLE_DEVICES"), "0,2");
	cr_assert_str_eq(variable("ROCR_VISIBLE_DEVICES"), "0,2");
}

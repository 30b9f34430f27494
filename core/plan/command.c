/* What the child becomes: argv, environment, and the files to try. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/plan/command.h"

/* What execvp(3) searches without PATH, and the system's own directories beside it. */
#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

static char **strings_copy(char *const *strings, size_t count)
{
	char **copy = must_allocate((count + 1) * sizeof(copy[0]));

	for (size_t i = 0; i < count; i++) {
		copy[i] = must_copy(strings[i]);
	}
	return copy;
}

static void strings_free(char **strings)
{
	for (size_t i = 0; strings != NULL && strings[i] != NULL; i++) {
		free(strings[i]);
	}
	free(strings);
}

static void set_variable(struct string_list *environment, const char *assignment)
{
	size_t name_length = strcspn(assignment, "=") + 1;

	for (size_t i = 0; i < environment->count; i++) {
		if (strncmp(environment->items[i], assignment, name_length) == 0) {
			free(environment->items[i]);
			environment->items[i] = must_copy(assignment);
			return;
		}
	}
	string_list_add(environment, assignment);
}

static const char *get_variable(char *const *environment, const char *name)
{
	size_t length = strlen(name);

	for (; *environment != NULL; environment++) {
		if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=') {
			return *environment + length + 1;
		}
	}
	return NULL;
}

/* The runtimes of both makers number the cards that these variables name from 0. */
static void show_gpus(const struct number_list *devices, struct string_list *environment)
{
	static const char *const names[] = { "CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES" };
	cleanup_text struct text list = { 0 };

	text_add(&list, "%s", "");
	for (size_t i = 0; i < devices->count; i++) {
		text_add(&list, "%s%u", i > 0 ? "," : "", devices->items[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		cleanup_free char *assignment = must_format("%s=%s", names[i], list.bytes);

		set_variable(environment, assignment);
	}
}

static void compile_environment(
	const struct sandbox_policy *policy, char *const *inherited, struct plan *plan)
{
	struct string_list environment = { 0 };

	for (; !policy->program.clean_env && *inherited != NULL; inherited++) {
		string_list_add(&environment, *inherited);
	}
	for (size_t i = 0; i < policy->program.env.count; i++) {
		set_variable(&environment, policy->program.env.items[i]);
	}
	if (policy->limits.gpu == GPU_LISTED) {
		show_gpus(&policy->limits.gpu_devices, &environment);
	}
	if (plan->private_tmp != NULL) {
		cleanup_free char *assignment = must_format("TMPDIR=%s", plan->private_tmp);

		set_variable(&environment, assignment);
	}
	if (environment.items == NULL) {
		environment.items = must_allocate(sizeof(environment.items[0]));
	}
	plan->envp = environment.items;
}

/* One candidate for a command with a slash, one for each directory of PATH otherwise.  An empty
 * element of PATH is the working directory (execvp(3)). */
static void compile_exec_paths(struct plan *plan)
{
	struct string_list candidates = { 0 };
	const char *command = plan->argv[0];
	const char *path = get_variable(plan->envp, "PATH");

	if (strchr(command, '/') != NULL) {
		string_list_add(&candidates, command);
		plan->exec_paths = candidates.items;
		return;
	}
	for (path = path != NULL ? path : DEFAULT_PATH;; path++) {
		int length = (int)strcspn(path, ":");
		cleanup_free char *file = must_format("%.*s%s%s", length, path,
			length > 0 && path[length - 1] != '/' ? "/" : "", command);

		string_list_add(&candidates, file);
		path += length;
		if (*path == '\0') {
			break;
		}
	}
	plan->exec_paths = candidates.items;
}

int command_compile(const struct sandbox_policy *policy, char *const *inherited, struct plan *plan,
	struct error *error)
{
	const struct string_list *argv = &policy->program.argv;
	char *const shell[] = { "/bin/sh", "-c", policy->program.exec_shell };
	size_t count;

	if (policy->program.exec_shell != NULL) {
		plan->argv = strings_copy(shell, ARRAY_LEN(shell));
	} else if (argv->count > 0) {
		plan->argv = strings_copy(argv->items, argv->count);
	} else {
		return error_set(error, EINVAL, "no command specified: put it after `--`");
	}
	if (plan->argv[0][0] == '\0') {
		return error_set(error, ENOENT, "the command's name is empty");
	}
	compile_environment(policy, inherited, plan);
	compile_exec_paths(plan);
	plan->cwd = policy->program.cwd != NULL ? must_copy(policy->program.cwd) : NULL;

	for (count = 0; plan->argv[count] != NULL; count++) {
	}
	/* sh, file, the arguments behind argv[0]: the terminator of argv is copied with them. */
	plan->shell_argv = must_allocate((count + 2) * sizeof(plan->shell_argv[0]));
	plan->shell_argv[0] = shell[0];
	memcpy(plan->shell_argv + 2, plan->argv + 1, count * sizeof(plan->argv[0]));
	return 0;
}

void command_finish(struct plan *plan)
{
	strings_free(plan->argv);
	strings_free(plan->envp);
	strings_free(plan->exec_paths);
	free(plan->shell_argv); /* its elements are borrowed */
	free(plan->cwd);
}

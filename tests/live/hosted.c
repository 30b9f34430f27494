/* A run that the library makes in a process of its own, with features of the test's own. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/text.h"
#include "core/policy/policy_options.h"
#include "tests/live/hosted.h"

void *hosted_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	cr_assert_neq(memory, MAP_FAILED);
	return memory;
}

struct beside {
	const struct hosted *hosted;
	struct sandbox *sandbox;
};

static void *run_beside(void *argument)
{
	const struct beside *beside = argument;

	beside->hosted->beside(beside->sandbox, beside->hosted->context);
	return NULL;
}

static void set_options(const struct hosted *hosted, struct sandbox_policy *policy)
{
	struct error error;

	for (const char *const *word = hosted->options; *word != NULL; word++) {
		const struct policy_option *option = option_find(*word + 2, strlen(*word + 2));
		const char *value = NULL;

		if (option != NULL && option_takes_value(option)) {
			value = *++word;
		}
		if (option == NULL || option_set(option, policy, value, &error) < 0) {
			fprintf(stderr, "%s: %s\n", *word, option == NULL ? "unknown" : error.text);
			_exit(99);
		}
	}
	for (const char *const *word = hosted->command; *word != NULL; word++) {
		string_list_add(&policy->program.argv, *word);
	}
}

/* The stack of the thread that Criterion had beside the one that forked is free here, and
 * ThreadSanitizer ends a process in which a new thread takes it, as it believes the old one alive.
 * It is too small for threads that want more. */
void hosted_avoid_used_stack(void)
{
	pthread_attr_t attributes;
	size_t size;

	(void)pthread_getattr_default_np(&attributes); /* without memory the default stays */
	if (pthread_attr_getstacksize(&attributes, &size) == 0 &&
		pthread_attr_setstacksize(&attributes, 2 * size) == 0) {
		(void)pthread_setattr_default_np(&attributes);
	}
	(void)pthread_attr_destroy(&attributes);
}

/* In the new process, which has one thread. */
static int make_run(const struct hosted *hosted, struct result *ret_result)
{
	struct sandbox_policy policy;
	struct plan plan;
	struct sandbox *sandbox;
	struct error error;
	struct beside beside = { hosted, NULL };
	pthread_t thread;

	hosted_avoid_used_stack();
	policy_init(&policy);
	set_options(hosted, &policy);
	if (plan_compile(&policy, hosted->features != NULL ? hosted->features : sandbox_features(),
		    &plan, &error) < 0 ||
		sandbox_start(&policy, &plan, &sandbox, &error) < 0) {
		fprintf(stderr, "%s\n", error.text);
		return 98;
	}
	beside.sandbox = sandbox;
	if (hosted->beside != NULL && pthread_create(&thread, NULL, run_beside, &beside) != 0) {
		return 97;
	}
	sandbox_wait(sandbox, ret_result);
	if (hosted->beside != NULL) {
		(void)pthread_join(thread, NULL);
	}
	sandbox_destroy(sandbox);
	plan_finish(&plan);
	policy_finish(&policy);
	return 0;
}

int hosted_run(const struct hosted *hosted, struct result *ret_result)
{
	struct result *shared = hosted_memory(sizeof(*shared));
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		_exit(make_run(hosted, shared));
	}
	cr_assert_gt(pid, 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the run: status %#x", status);
	*ret_result = *shared;
	(void)munmap(shared, sizeof(*shared));
	return ret_result->code;
}

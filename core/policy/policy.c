/* What the user asked for: defaults, and the end of what a policy owns. */
// SPDX-License-Identifier: Apache-2.0

#include <stdlib.h>

#include "core/policy/policy.h"

void number_list_finish(struct number_list *list)
{
	free(list->items);
	*list = (struct number_list){ 0 };
}

bool number_list_contains(const struct number_list *list, uint32_t number)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i] == number) {
			return true;
		}
	}
	return false;
}

bool number_list_add(struct number_list *list, uint32_t number)
{
	if (number_list_contains(list, number)) {
		return false;
	}
	list->items = must_reallocate(list->items, list->count + 1, sizeof(list->items[0]));
	list->items[list->count++] = number;
	return true;
}

void policy_init(struct sandbox_policy *policy)
{
	*policy = (struct sandbox_policy){
		.limits.cpu_percent = 100,
		.run.status_fd = -1,
		.run.workers_max = 256,
	};
}

void policy_finish(struct sandbox_policy *policy)
{
	free(policy->program.name);
	string_list_finish(&policy->program.argv);
	free(policy->program.exec_shell);
	string_list_finish(&policy->program.env);
	free(policy->program.cwd);
	number_list_finish(&policy->program.keep_fds);

	string_list_finish(&policy->filesystem.read);
	string_list_finish(&policy->filesystem.optional_read);
	string_list_finish(&policy->filesystem.write);
	string_list_finish(&policy->filesystem.devices);
	string_list_finish(&policy->filesystem.presets);

	port_set_finish(&policy->network.bind);
	port_set_finish(&policy->network.connect);

	number_list_finish(&policy->limits.cpu_cores);
	number_list_finish(&policy->limits.gpu_devices);

	string_list_finish(&policy->syscalls.extra_allow);
	string_list_finish(&policy->syscalls.extra_deny);

	free(policy->run.stdout_path);
	free(policy->run.stderr_path);
	number_list_finish(&policy->run.supervisor_cpus);

	policy_init(policy);
}

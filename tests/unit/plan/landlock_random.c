/* The Landlock plan of random policies: what must hold of every plan, for every ABI. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/plan/landlock_plan.h"

#define RANDOM_POLICIES 3000

static uint64_t random_state = 1;

static uint32_t random_below(uint32_t limit)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 33) % limit;
}

static void add_random_paths(struct string_list *list)
{
	static const char *const paths[] = { "/", "/usr", "/usr/", "/usr/bin/env", "/dev/null",
		"/dev", "/tmp", "/proc/self", "/proc/self/fd/0", "/etc/passwd", ".",
		"/usr/../usr" };

	for (uint32_t i = random_below(6); i > 0; i--) {
		string_list_add(list, paths[random_below(ARRAY_LEN(paths))]);
	}
}

static void add_random_ports(struct port_set *set)
{
	set->any = random_below(5) == 0;
	for (uint32_t i = set->any ? 0 : random_below(5); i > 0; i--) {
		uint32_t first = random_below(4) == 0 ? random_below(65536) : random_below(100);
		uint32_t last = first + random_below(20);

		set->ranges = must_reallocate(set->ranges, set->count + 1, sizeof(set->ranges[0]));
		set->ranges[set->count++] = (struct port_range){ (uint16_t)first,
			(uint16_t)(last > 65535 ? 65535 : last) };
	}
}

static void make_random_policy(struct sandbox_policy *policy)
{
	policy_init(policy);
	for (size_t i = 0; i < PROTECTION_COUNT; i++) {
		policy->protections[i] =
			random_below(3) == 0 ? PROTECTION_DISABLED : PROTECTION_DEGRADABLE;
	}
	add_random_paths(&policy->filesystem.read);
	add_random_paths(&policy->filesystem.write);
	add_random_paths(&policy->filesystem.devices);
	add_random_ports(&policy->network.bind);
	add_random_ports(&policy->network.connect);
	policy->limits.gpu = random_below(4) == 0 ? GPU_ALL : GPU_NONE;
}

static void check_attributes(const struct landlock_plan *plan, const struct sandbox_policy *policy)
{
	static const struct {
		enum protection protection;
		uint64_t fs, net, scoped;
	} bits[] = {
		{ PROTECTION_FS_REFER, 0x2000, 0, 0 },
		{ PROTECTION_FS_TRUNCATE, 0x4000, 0, 0 },
		{ PROTECTION_NET_TCP, 0, 3, 0 },
		{ PROTECTION_FS_IOCTL_DEV, 0x8000, 0, 0 },
		{ PROTECTION_SIGNAL_SCOPE, 0, 0, 2 },
		{ PROTECTION_ABSTRACT_UNIX_SOCKET_SCOPE, 0, 0, 1 },
	};
	uint64_t open_sides =
		(policy->network.bind.any ? 1u : 0u) | (policy->network.connect.any ? 2u : 0u);
	uint64_t fs = 0x1fff | (plan->abi >= 9 ? 0x10000u : 0u);
	uint64_t net = 0, scoped = 0;

	for (size_t i = 0; i < ARRAY_LEN(bits); i++) {
		if (plan->protections[bits[i].protection] == PROTECTION_ACTIVE) {
			fs |= bits[i].fs;
			net |= bits[i].net;
			scoped |= bits[i].scoped;
		}
	}
	cr_assert_eq(plan->attr.handled_access_fs, fs);
	cr_assert_eq(plan->attr.handled_access_net, net & ~open_sides);
	cr_assert_eq(plan->attr.scoped, scoped);
}

static void check_paths(const struct landlock_plan *plan)
{
	for (size_t i = 0; i < plan->path_count; i++) {
		const struct landlock_path_rule *rule = &plan->paths[i];
		struct stat status;

		cr_assert_eq(fcntl(rule->fd, F_GETFL) & O_PATH, O_PATH);
		cr_assert_eq(fstat(rule->fd, &status), 0);
		cr_assert_neq(rule->access, 0);
		cr_assert_eq(rule->access & ~plan->attr.handled_access_fs, 0);
		if (!S_ISDIR(status.st_mode)) {
			cr_assert_eq(rule->access & ~0x1c007ull, 0);
		}
		for (size_t j = 0; j < i; j++) {
			cr_assert_str_neq(plan->paths[j].path, rule->path);
		}
	}
}

static void check_ports(const struct landlock_plan *plan, const struct sandbox_policy *policy)
{
	const struct port_set *sets[] = { &policy->network.bind, &policy->network.connect };
	size_t next = 0;

	for (uint32_t port = 0; port < 65536; port++) {
		uint64_t wanted = 0;

		for (size_t side = 0; side < 2; side++) {
			for (size_t i = 0; i < sets[side]->count; i++) {
				if (port >= sets[side]->ranges[i].first &&
					port <= sets[side]->ranges[i].last) {
					wanted |= 1u << side;
				}
			}
		}
		wanted &= plan->attr.handled_access_net;
		if (wanted != 0) {
			cr_assert_lt(next, plan->port_count);
			cr_assert_eq(plan->ports[next].port, port);
			cr_assert_eq(plan->ports[next].access, wanted);
			next++;
		}
	}
	cr_assert_eq(next, plan->port_count);
}

Test(landlock_random, holds_its_promises_for_any_policy)
{
	const char *counts = getenv("SANDLOCK_COUNTS");
	int policies = counts != NULL && strcmp(counts, "full") == 0 ? RANDOM_POLICIES
								     : RANDOM_POLICIES / 20;

	for (int i = 0; i < policies; i++) {
		cleanup_policy struct sandbox_policy policy;
		cleanup_landlock_plan struct landlock_plan plan = { 0 };
		struct error error = { 0 };

		make_random_policy(&policy);

		cr_assert_eq(
			landlock_plan_compile(&policy, 1 + (int)random_below(9), &plan, &error), 0,
			"%s", error.text);

		check_attributes(&plan, &policy);
		check_paths(&plan);
		check_ports(&plan, &policy);
	}
}

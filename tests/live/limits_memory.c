/* Memory by measurement, on real trees. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/supervisor/sampler.h"
#include "tests/live/limits_tree.h"

#define MIB (1024ull * 1024)

/* What came of watching a tree for a while. */
struct watch {
	uint32_t kills;
	struct sampler_victim first;
	uint64_t first_ns; /* after the start of the watch */
	uint64_t looks;
	uint64_t cpu_ns, wall_ns;
	uint64_t peak_bytes;
	uint32_t peak_processes;
};

static uint64_t thread_cpu_ns(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* The part of the supervisor's loop that matters here. */
static struct watch watch_tree(
	const struct limits_tree *tree, uint64_t limit, uint64_t milliseconds)
{
	struct sampler *sampler = sampler_create(tree->keeper, limit);
	uint64_t begin_ns = limits_clock_ns(), cpu_ns = thread_cpu_ns();
	uint64_t end_ns = begin_ns + milliseconds * 1000000;
	struct watch watch = { 0 };

	cr_assert_not_null(sampler);
	for (uint64_t now_ns; (now_ns = limits_clock_ns()) < end_ns;) {
		uint64_t due_ns = sampler_due(sampler) < end_ns ? sampler_due(sampler) : end_ns;
		struct sampler_victim victim;

		if (now_ns < due_ns) {
			struct timespec wait = {
				.tv_sec = (time_t)((due_ns - now_ns) / 1000000000),
				.tv_nsec = (long)((due_ns - now_ns) % 1000000000),
			};

			(void)ppoll(NULL, 0, &wait, NULL);
			continue;
		}
		watch.looks++;
		if (sampler_look(sampler, now_ns, &victim) && watch.kills++ == 0) {
			watch.first = victim;
			watch.first_ns = limits_clock_ns() - begin_ns;
		}
	}
	watch.wall_ns = limits_clock_ns() - begin_ns;
	watch.cpu_ns = thread_cpu_ns() - cpu_ns;
	watch.peak_bytes = sampler_peak_bytes(sampler);
	watch.peak_processes = sampler_peak_processes(sampler);
	sampler_destroy(sampler);
	if (getenv("LIMITS_VERBOSE") != NULL) {
		(void)fprintf(stderr,
			"kills %u, first '%.16s' of %.1f MiB, tree %.1f MiB, after %.1f ms; looks "
			"%lu, cpu %.2f %%, peak %.1f MiB, processes %u\n",
			watch.kills, watch.first.comm, (double)watch.first.bytes / MIB,
			(double)watch.first.tree_bytes / MIB, (double)watch.first_ns / 1e6,
			watch.looks, (double)watch.cpu_ns * 100 / (double)watch.wall_ns,
			(double)watch.peak_bytes / MIB, watch.peak_processes);
	}
	return watch;
}

static struct watch watch_guest(
	const char *const *arguments, uint64_t limit, uint64_t milliseconds, uint32_t *ret_alive)
{
	struct limits_tree tree = limits_tree_start(arguments);
	struct watch watch = watch_tree(&tree, limit, milliseconds);

	*ret_alive = limits_tree_count(&tree);
	limits_tree_stop(&tree);
	return watch;
}

#define GUEST(...) ((const char *const[]){ __VA_ARGS__, NULL })

Test(limits_memory, kills_the_process_that_goes_past_the_limit)
{
	uint32_t alive;

	struct watch watch = watch_guest(GUEST("allocate", "1024"), 512 * MIB, 1500, &alive);

	cr_assert_eq(watch.kills, 1);
	cr_assert_eq(alive, 0);
	cr_assert_str_eq(watch.first.comm, "limits_guest");
	cr_assert_gt(watch.first.tree_bytes, 512 * MIB);
	cr_assert_lt(watch.first.tree_bytes, 640 * MIB, "overshoot %lu",
		watch.first.tree_bytes - 512 * MIB);
}

Test(limits_memory, is_in_time_for_huge_pages)
{
	uint32_t alive;

	struct watch watch = watch_guest(GUEST("allocate-huge", "4096"), 512 * MIB, 1500, &alive);

	cr_assert_eq(watch.kills, 1);
	cr_assert_eq(alive, 0);
	cr_assert_lt(watch.first.tree_bytes, 1024 * MIB, "overshoot %lu",
		watch.first.tree_bytes - 512 * MIB);
}

Test(limits_memory, ends_one_of_two_that_are_too_much_together)
{
	struct limits_tree tree = limits_tree_start(GUEST("pair", "300"));

	struct watch watch = watch_tree(&tree, 512 * MIB, 1000);
	uint32_t alive = limits_tree_count(&tree);

	limits_tree_stop(&tree);
	cr_assert_eq(watch.kills, 1);
	cr_assert_eq(alive, 2, "the parent and one child live: %u", alive);
	cr_assert_lt(watch.first.tree_bytes, 600 * MIB);
}

Test(limits_memory, lets_reserved_address_space_live)
{
	uint32_t alive;

	struct watch watch = watch_guest(GUEST("reserve", "65536"), 512 * MIB, 500, &alive);

	cr_assert_eq(watch.kills, 0);
	cr_assert_eq(alive, 1);
}

Test(limits_memory, counts_pages_once_that_forked_copies_share)
{
	uint32_t alive;

	struct watch watch = watch_guest(GUEST("copies", "100", "10"), 512 * MIB, 1000, &alive);

	cr_assert_eq(watch.kills, 0);
	cr_assert_eq(alive, 11);
}

Test(limits_memory, notices_copies_that_are_written)
{
	uint32_t alive;

	struct watch watch = watch_guest(GUEST("rewrite", "100", "10"), 512 * MIB, 1500, &alive);

	cr_assert_geq(watch.kills, 5);
	cr_assert_geq(alive, 1);
	cr_assert_leq(alive, 5);
}

Test(limits_memory, counts_shared_memory_once)
{
	uint32_t alive;

	struct watch watch = watch_guest(GUEST("shared", "200", "5"), 512 * MIB, 1000, &alive);

	cr_assert_eq(watch.kills, 0);
	cr_assert_eq(alive, 6);
}

Test(limits_memory, finds_the_child_of_a_thread)
{
	uint32_t alive;

	struct watch watch = watch_guest(GUEST("threads", "1024"), 512 * MIB, 1500, &alive);

	cr_assert_eq(watch.kills, 1);
	cr_assert_eq(alive, 1, "the process with the threads lives: %u", alive);
}

Test(limits_memory, sees_a_process_whose_first_thread_has_ended)
{
	uint32_t alive;

	struct watch watch = watch_guest(GUEST("leaderless", "1024"), 512 * MIB, 1500, &alive);

	cr_assert_eq(watch.kills, 1);
	cr_assert_eq(alive, 0);
}

Test(limits_memory, kills_nobody_in_a_storm_of_short_processes)
{
	uint32_t alive;

	struct watch watch = watch_guest(GUEST("storm", "300"), 512 * MIB, 1500, &alive);

	cr_assert_eq(watch.kills, 0);
	cr_assert_geq(alive, 1);
}

Test(limits_memory, counts_borrowed_memory_once)
{
	uint32_t alive;

	struct watch watch = watch_guest(GUEST("borrow", "300"), 512 * MIB, 1000, &alive);

	cr_assert_eq(watch.kills, 0);
	cr_assert_eq(alive, 2);
}

Test(limits_memory, rests_while_the_limit_is_far)
{
	uint32_t alive;

	struct watch watch = watch_guest(GUEST("copies", "10", "2"), 8192 * MIB, 2000, &alive);

	cr_assert_leq(watch.looks, 8, "%lu looks in 2 s", watch.looks);
	cr_assert_leq(watch.cpu_ns * 100, watch.wall_ns);
}

Test(limits_memory, never_looks_where_the_machine_has_less_than_the_limit)
{
	uint32_t alive;

	struct watch watch = watch_guest(GUEST("copies", "10", "2"), 1ull << 50, 300, &alive);

	cr_assert_eq(watch.looks, 0);
}

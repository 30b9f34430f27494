/* Random grants on a small tree: what the kernel then allows equals a model of a few lines. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/plan/landlock_plan.h"

#define ROUNDS 400

/* Every entry but the first stands in the directory that its parent index names. */
static const struct entry {
	const char *path;
	int parent;
	bool is_directory;
} tree[] = {
	{ "", -1, true },
	{ "/a", 0, true },
	{ "/a/x", 1, true },
	{ "/a/x/one", 2, false },
	{ "/a/two", 1, false },
	{ "/b", 0, true },
	{ "/b/y", 5, true },
	{ "/b/y/three", 6, false },
	{ "/four", 0, false },
};

/* What is tried on each entry. */
enum attempt { TRY_READ, TRY_WRITE, TRY_MAKE, ATTEMPT_COUNT };

static uint64_t random_state = 99;
static char root[] = "/tmp/sandlock-model-XXXXXX";

static uint32_t random_below(uint32_t limit)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 33) % limit;
}

static void make_tree(void)
{
	cr_assert_not_null(mkdtemp(root));
	for (size_t i = 1; i < ARRAY_LEN(tree); i++) {
		cleanup_free char *path = must_format("%s%s", root, tree[i].path);

		if (tree[i].is_directory) {
			cr_assert_eq(mkdir(path, 0700), 0);
		} else {
			close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
		}
	}
}

static void remove_tree(void)
{
	cleanup_free char *command = must_format("rm -rf '%s'", root);

	cr_assert_eq(system(command), 0);
}

static bool attempt(const char *path, bool is_directory, enum attempt what)
{
	cleanup_free char *inner = must_format("%s/new", path);
	int fd;

	switch (what) {
	case TRY_READ:
		fd = open(path, O_RDONLY | O_CLOEXEC);
		break;
	case TRY_WRITE:
		fd = is_directory ? -1 : open(path, O_WRONLY | O_CLOEXEC);
		break;
	default:
		fd = is_directory ? open(inner, O_CREAT | O_RDWR | O_CLOEXEC, 0600) : -1;
		(void)unlink(inner); /* fails where making did */
		break;
	}
	if (fd >= 0) {
		close(fd);
	}
	return fd >= 0;
}

/* One bit for each entry and attempt, set where it succeeds; ruleset -1: unconfined. */
static uint32_t try_all(int ruleset)
{
	uint32_t successes = 0;
	int ends[2], status;
	pid_t child;

	cr_assert_eq(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		if (ruleset >= 0 && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
					    syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)) {
			_exit(1);
		}
		for (size_t i = 0; i < ARRAY_LEN(tree) * ATTEMPT_COUNT; i++) {
			const struct entry *entry = &tree[i / ATTEMPT_COUNT];
			cleanup_free char *path = must_format("%s%s", root, entry->path);

			if (attempt(path, entry->is_directory, i % ATTEMPT_COUNT)) {
				successes |= 1u << i;
			}
		}
		_exit(write(ends[1], &successes, sizeof(successes)) == sizeof(successes) ? 0 : 1);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0);
	cr_assert_eq(read(ends[0], &successes, sizeof(successes)), sizeof(successes));
	close(ends[0]);
	close(ends[1]);
	return successes;
}

/* An entry has the strongest grant of itself and of the directories above it. */
static bool is_granted(const bool *granted, int entry)
{
	for (; entry >= 0; entry = tree[entry].parent) {
		if (granted[entry]) {
			return true;
		}
	}
	return false;
}

static uint32_t model(const bool *read, const bool *write)
{
	uint32_t successes = 0;

	for (int i = 0; i < (int)ARRAY_LEN(tree); i++) {
		bool can_write = is_granted(write, i);
		bool can_read = can_write || is_granted(read, i);

		successes |= (uint32_t)can_read << (i * ATTEMPT_COUNT + TRY_READ);
		successes |= (uint32_t)(can_write && !tree[i].is_directory)
			     << (i * ATTEMPT_COUNT + TRY_WRITE);
		successes |= (uint32_t)(can_write && tree[i].is_directory)
			     << (i * ATTEMPT_COUNT + TRY_MAKE);
	}
	return successes;
}

TestSuite(landlock_model, .init = make_tree, .fini = remove_tree);

Test(landlock_model, allows_everything_to_a_process_outside)
{
	bool all[ARRAY_LEN(tree)] = { true };

	cr_assert_eq(try_all(-1), model(all, all));
}

Test(landlock_model, allows_exactly_what_random_grants_say)
{
	const char *counts = getenv("SANDLOCK_COUNTS");
	int rounds = counts != NULL && strcmp(counts, "full") == 0 ? ROUNDS : ROUNDS / 20;

	for (int round = 0; round < rounds; round++) {
		cleanup_policy struct sandbox_policy policy;
		cleanup_landlock_plan struct landlock_plan plan = { 0 };
		bool read[ARRAY_LEN(tree)] = { false }, write[ARRAY_LEN(tree)] = { false };
		int ruleset;

		policy_init(&policy);
		for (size_t i = 0; i < ARRAY_LEN(tree); i++) {
			cleanup_free char *path = must_format("%s%s", root, tree[i].path);

			read[i] = random_below(6) == 0;
			write[i] = random_below(10) == 0;
			if (read[i]) {
				string_list_add(&policy.filesystem.read, path);
			}
			if (write[i]) {
				string_list_add(&policy.filesystem.write, path);
			}
		}
		cr_assert_eq(landlock_plan_compile(&policy, landlock_host_abi(), &plan, NULL), 0);
		ruleset = landlock_plan_create_ruleset(&plan, NULL);

		cr_assert_eq(try_all(ruleset), model(read, write), "round %d", round);
		close(ruleset);
	}
}

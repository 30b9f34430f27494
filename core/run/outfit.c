/* What a run needs beside its plan: streams, temporary directory, rulesets. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/plan/landlock_plan.h"
#include "core/run/outfit.h"

#define REMOVE_DEPTH 32 /* directories that nftw holds open at once */

/* A directory that the command made unreadable is opened up before nftw looks into it; what cannot
 * be removed stays, and the next entry is tried. */
static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)walk;
	if (type == FTW_DNR) {
		(void)chmod(path, 0700); /* retried by the caller's second walk */
		return 0;
	}
	(void)remove(path);
	return 0;
}

/* Nothing of the sandbox runs any more, so nobody can exchange a directory for a link under the
 * walk; FTW_PHYS does not follow those that are there. */
static void remove_tree(const char *path)
{
	/* Most runs leave it empty. */
	for (int round = 0; rmdir(path) < 0 && errno != ENOENT; round++) {
		if (round == REMOVE_DEPTH) {
			(void)fprintf(stderr, "sandlock: private temporary directory %s: %s\n",
				path, strerror(errno)); /* nobody to tell if stderr is gone */
			return;
		}
		(void)chmod(path, 0700); /* the command owns it and may have changed it */
		(void)nftw(
			path, remove_entry, REMOVE_DEPTH, FTW_DEPTH | FTW_PHYS); /* best effort */
	}
}

static int open_output(const char *option, const char *path, int *ret_fd, struct error *error)
{
	if (path == NULL) {
		return 0;
	}
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);

	if (fd < 0) {
		return error_set(
			error, errno, "%s: %s: cannot open: %s", option, path, strerror(errno));
	}
	*ret_fd = fd;
	return 0;
}

/* One file for both streams is opened once, so that neither writes over the other. */
static int open_error_output(
	struct outfit *outfit, const struct sandbox_policy *policy, struct error *error)
{
	const char *path = policy->run.stderr_path;

	if (path == NULL || policy->run.stdout_path == NULL ||
		strcmp(path, policy->run.stdout_path) != 0) {
		return open_output("--stderr", path, &outfit->files[1], error);
	}
	outfit->files[1] = fcntl(outfit->files[0], F_DUPFD_CLOEXEC, 3);
	return outfit->files[1] < 0
		       ? error_set(error, errno, "--stderr: %s: %s", path, strerror(errno))
		       : 0;
}

static int make_streams(struct outfit *outfit, const struct sandbox_policy *policy,
	const struct plan *plan, struct error *error)
{
	int r = open_output("--stdout", policy->run.stdout_path, &outfit->files[0], error);

	if (r >= 0) {
		r = open_error_output(outfit, policy, error);
	}
	if (r < 0) {
		return r;
	}
	for (int i = 0; i < 2; i++) {
		outfit->stdio[i + 1] = outfit->files[i] >= 0 ? outfit->files[i] : i + 1;
	}
	if (plan->output_limit == 0) {
		return 0;
	}
	r = relay_init(&outfit->relay, plan->output_limit, outfit->stdio + 1, outfit->writers);
	if (r < 0) {
		return error_set(error, -r, "--max-output: cannot make pipes: %s", strerror(-r));
	}
	outfit->has_relay = true;
	outfit->stdio[1] = outfit->writers[0];
	outfit->stdio[2] = outfit->writers[1];
	return 0;
}

/* The name is random and mkdir does not follow a link, so the directory is ours alone. */
static int make_private_tmp(struct outfit *outfit, const struct plan *plan, struct error *error)
{
	if (plan->private_tmp == NULL) {
		return 0;
	}
	if (mkdir(plan->private_tmp, 0700) < 0) {
		return error_set(error, errno, "private temporary directory %s: %s (see TMPDIR)",
			plan->private_tmp, strerror(errno));
	}
	outfit->private_tmp = plan->private_tmp;
	return landlock_ruleset_add_write(
		outfit->ruleset_fd, &plan->landlock, plan->private_tmp, error);
}

int outfit_init(struct outfit *outfit, const struct sandbox_policy *policy, const struct plan *plan,
	struct error *error)
{
	int r;

	*outfit = (struct outfit){
		.files = { -1, -1 },
		.writers = { -1, -1 },
		.stdio = { 0, 1, 2 },
		.ruleset_fd = -1,
		.scope_fd = -1,
	};
	r = make_streams(outfit, policy, plan, error);
	if (r >= 0) {
		r = outfit->ruleset_fd = landlock_plan_create_ruleset(&plan->landlock, error);
	}
	if (r >= 0) {
		r = make_private_tmp(outfit, plan, error);
	}
	if (r >= 0 && plan->supervised && plan->scopes_signals) {
		r = outfit->scope_fd = landlock_create_signal_scope(error);
	}
	if (r < 0) {
		outfit_finish(outfit);
	}
	return r < 0 ? r : 0;
}

void outfit_release(struct outfit *outfit)
{
	for (int i = 0; i < 2; i++) {
		if (!outfit->has_relay) { /* which writes into the files itself */
			fd_close(&outfit->files[i]);
		}
		fd_close(&outfit->writers[i]);
	}
	fd_close(&outfit->ruleset_fd);
	fd_close(&outfit->scope_fd);
}

void outfit_remove_private_tmp(const struct outfit *outfit)
{
	if (outfit->private_tmp != NULL) {
		remove_tree(outfit->private_tmp);
	}
}

void outfit_finish(struct outfit *outfit)
{
	if (outfit->has_relay) {
		relay_finish(&outfit->relay);
		outfit->has_relay = false;
	}
	outfit_release(outfit);
	outfit_remove_private_tmp(outfit);
	*outfit = (struct outfit){
		.files = { -1, -1 }, .writers = { -1, -1 }, .ruleset_fd = -1, .scope_fd = -1
	};
}

/* The walls of the two floor programs: the least work that confines a process with the kernel's own
 * calls.  Shares no code with what it is compared against. */
// SPDX-License-Identifier: Apache-2.0
#ifndef BENCH_FLOOR_WALLS_H
#define BENCH_FLOOR_WALLS_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

#define WALLS_PATHS_MAX	 16
#define WALLS_FILTER_MAX 384

/* What the supervisor half of the floor answers to the one call that is notified. */
#define WALLS_NOTIFIED_ANSWER 7

struct walls_path {
	const char *path; /* borrowed */
	bool writable;
};

struct walls {
	struct walls_path paths[WALLS_PATHS_MAX];
	bool private_tmp;  /* a directory of its own in /tmp, made and removed */
	size_t path_count; /* 0 on entry of walls_prepare: the six defaults */
	bool notify;	   /* sethostname is notified instead of refused */
	struct sock_filter filter[WALLS_FILTER_MAX];
	size_t filter_count;
	int ruleset_fd; /* owned, -1 before walls_prepare */
	char tmp[32];	/* the private directory; empty: none */
};

/* Opens the paths, makes the Landlock ruleset and the private directory, and builds the filter.  0
 * or -errno.  walls_finish removes the directory, which must be empty. */
int walls_prepare(struct walls *walls);
void walls_finish(const struct walls *walls);

/* A ruleset that only scopes signals: a descriptor, or -errno. */
int walls_create_signal_scope(void);

/* The steps of a child, in the order in which they must run.  Each returns 0 or -errno; none
 * allocates or takes a lock, so they may run in a child that shares its parent's memory. */
int walls_set_no_new_privileges(void);
int walls_drop_capabilities(void);
int walls_restrict_self(int ruleset_fd);

/* Installs the filter.  Returns the listener if the walls notify, else 0; -errno on failure. */
int walls_install_filter(const struct walls *walls);

/* Tries from inside what the walls refuse, with a positive control beside each.  `outside` is a
 * process that must be out of reach, 0 where no domain scopes signals from it.  Returns the number
 * of checks that failed, each named on stderr. */
int walls_check(const struct walls *walls, int outside);

/* Reads the arguments both programs share: [--listener] [--private-tmp] [--selftest] [-r PATH]
 * [-w PATH] -- COMMAND. Returns the index of the command, or -EINVAL. */
int walls_parse(struct walls *walls, int argc, char **argv, bool *ret_selftest);

#endif

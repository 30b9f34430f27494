/* The floor of an unsupervised run: confines itself with Landlock and a filter, then becomes the
 * command. */
// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/floor/walls.h"

static int confine(const struct walls *walls)
{
	int r = walls_set_no_new_privileges();

	if (r == 0) {
		r = walls_drop_capabilities();
	}
	if (r == 0) {
		r = walls_restrict_self(walls->ruleset_fd);
	}
	return r == 0 ? walls_install_filter(walls) : r;
}

int main(int argc, char **argv)
{
	static struct walls walls;
	bool selftest;
	int command = walls_parse(&walls, argc, argv, &selftest);
	int r;

	if (command < 0 || walls.notify) {
		fprintf(stderr, "usage: exec [-r PATH] [-w PATH] -- COMMAND | exec --selftest\n");
		return 125;
	}

	r = walls_prepare(&walls);
	if (r == 0) {
		r = confine(&walls);
	}
	if (r < 0) {
		fprintf(stderr, "exec: cannot confine: %s\n", strerror(-r));
		return 125;
	}
	if (selftest) {
		/* The parent is outside the domain. */
		int failures = walls_check(&walls, getppid());

		printf("exec: %zu instructions, %d checks failed\n", walls.filter_count, failures);
		return failures == 0 ? 0 : 1;
	}

	(void)syscall(SYS_close_range, 3u, ~0u, 0);
	execve(argv[command], argv + command, environ);
	fprintf(stderr, "exec: %s: %s\n", argv[command], strerror(errno));
	return errno == ENOENT ? 127 : 126;
}

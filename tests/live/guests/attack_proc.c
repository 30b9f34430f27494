/* Opens the files of /proc that belong to the process whose number arrives on stdin. */
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>

#include "tests/live/guests/act.h"

struct file {
	const char *act;
	const char *name;
	int flags;
};

static const struct file files[] = {
	{ "mem", "mem", O_RDONLY },
	{ "environ", "environ", O_RDONLY },
	{ "maps", "maps", O_RDONLY },
	{ "auxv", "auxv", O_RDONLY },
	{ "io", "io", O_RDONLY },
	{ "stack", "stack", O_RDONLY },
	{ "limits_write", "limits", O_WRONLY },
	{ "oom_score_adj_write", "oom_score_adj", O_WRONLY },
	{ "status", "status", O_RDONLY },
};

static const char *const links[] = { "root", "exe", "cwd", "fd/0" };

int main(void)
{
	char line[32], path[96], target[256];
	int pid = fgets(line, sizeof(line), stdin) == NULL ? 0 : atoi(line);

	for (size_t i = 0; i < ACT_COUNT(files); i++) {
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i].name);
		fd = open(path, files[i].flags);
		/* Some refuse the reading rather than the opening. */
		if (fd >= 0 && files[i].flags == O_RDONLY && strcmp(files[i].name, "mem") != 0 &&
			read(fd, target, 1) < 0) {
			fd = -1;
		}
		act_result(files[i].act, fd);
	}
	for (size_t i = 0; i < ACT_COUNT(links); i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, links[i]);
		act_result(links[i], readlink(path, target, sizeof(target)));
	}
	return 0;
}

/* The little of the FUSE protocol (linux/fuse.h, fuse(4)) that one read-only file needs. */
// SPDX-License-Identifier: Apache-2.0
#include "tests/live/slow_fuse.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/live/harness.h"

#define FILE_NODE     2
#define REQUEST_BYTES (FUSE_MIN_READ_BUFFER + 65536)
#define PENDING_MAX   256

struct pending {
	uint64_t unique; /* 0: free */
	uint32_t size;
	double due;
};

static struct pending pending[PENDING_MAX];
static int device;

static void answer(uint64_t unique, int error, const void *body, size_t size)
{
	struct fuse_out_header header = {
		.len = (uint32_t)(sizeof(header) + size),
		.error = -error,
		.unique = unique,
	};
	struct iovec parts[] = { { &header, sizeof(header) }, { (void *)(size_t)body, size } };

	(void)!writev(device, parts, size > 0 ? 2 : 1); /* ENOENT: the asker is gone */
}

static struct fuse_attr attributes(uint64_t node)
{
	return (struct fuse_attr){
		.ino = node,
		.mode = node == FILE_NODE ? S_IFREG | 0444 : S_IFDIR | 0755,
		.nlink = 1,
		.size = node == FILE_NODE ? SLOW_FILE_SIZE : 0,
		.blksize = 4096,
	};
}

static void look_up(uint64_t unique, const char *name)
{
	struct fuse_entry_out entry = {
		.nodeid = FILE_NODE,
		.entry_valid = 3600,
		.attr_valid = 3600,
		.attr = attributes(FILE_NODE),
	};

	if (strcmp(name, "slow") == 0) {
		answer(unique, 0, &entry, sizeof(entry));
	} else {
		answer(unique, ENOENT, NULL, 0);
	}
}

static void keep(uint64_t unique, uint32_t size, double due)
{
	for (size_t i = 0; i < PENDING_MAX; i++) {
		if (pending[i].unique == 0) {
			pending[i] = (struct pending){ unique, size, due };
			return;
		}
	}
	answer(unique, EIO, NULL, 0);
}

static void take_back(uint64_t unique)
{
	for (size_t i = 0; i < PENDING_MAX; i++) {
		if (pending[i].unique == unique) {
			pending[i].unique = 0;
			answer(unique, EINTR, NULL, 0);
		}
	}
}

static void serve(const char *request, unsigned int delay_ms)
{
	const struct fuse_in_header *header = (const void *)request;
	const void *body = request + sizeof(*header);
	struct fuse_init_out init = {
		.major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = 4096, .max_background = 256
	};
	struct fuse_attr_out attr = { .attr_valid = 3600, .attr = attributes(header->nodeid) };
	struct fuse_open_out opened = { .fh = 1 };

	switch (header->opcode) {
	case FUSE_INIT:
		answer(header->unique, 0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		look_up(header->unique, body);
		break;
	case FUSE_GETATTR:
		answer(header->unique, 0, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		answer(header->unique, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
		keep(header->unique, ((const struct fuse_read_in *)body)->size,
			now_seconds() + delay_ms / 1e3);
		break;
	case FUSE_INTERRUPT:
		take_back(((const struct fuse_interrupt_in *)body)->unique);
		break;
	case FUSE_FLUSH:
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
		answer(header->unique, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
		break; /* has no answer */
	default:
		answer(header->unique, ENOSYS, NULL, 0);
	}
}

static void answer_what_is_due(void)
{
	static const char zeros[65536];
	double now = now_seconds();

	for (size_t i = 0; i < PENDING_MAX; i++) {
		if (pending[i].unique != 0 && pending[i].due <= now) {
			answer(pending[i].unique, 0, zeros,
				pending[i].size < sizeof(zeros) ? pending[i].size : sizeof(zeros));
			pending[i].unique = 0;
		}
	}
}

static void serve_all(unsigned int delay_ms)
{
	static char request[REQUEST_BYTES] __attribute__((aligned(8)));
	struct pollfd source = { .fd = device, .events = POLLIN };

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		if (poll(&source, 1, 10) > 0) {
			ssize_t length = read(device, request, sizeof(request));

			if (length < 0 && errno == ENODEV) {
				_exit(0);
			}
			if (length > 0) {
				serve(request, delay_ms);
			}
		}
		answer_what_is_due();
	}
}

struct slow_fuse slow_fuse_start(const char *directory, unsigned int delay_ms)
{
	struct slow_fuse fuse = { 0 };
	char options[128];

	(void)snprintf(fuse.directory, sizeof(fuse.directory), "%s", directory);
	device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	cr_assert_geq(device, 0, "/dev/fuse: %s", strerror(errno));
	cr_assert(
		unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0,
		"a mount name space: %s", strerror(errno));
	(void)snprintf(options, sizeof(options),
		"fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", device);
	cr_assert_eq(mount("slow", directory, "fuse", MS_NOSUID | MS_NODEV | MS_RDONLY, options), 0,
		"mount: %s", strerror(errno));
	fuse.server = fork();
	if (fuse.server == 0) {
		serve_all(delay_ms);
	}
	(void)close(device);
	return fuse;
}

void slow_fuse_stop(struct slow_fuse *fuse)
{
	(void)umount2(fuse->directory, MNT_DETACH);
	(void)kill(fuse->server, SIGKILL);
	(void)waitpid(fuse->server, NULL, 0);
}

/* Reaches for a file outside the grants by every call that changes or reads content, names,
 * metadata, or devices.  The directories OUT (no grant), IN (writable) and READ (readable) each
 * hold "file". */
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/random.h>
#include <stdint.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <utime.h>

#include "tests/live/guests/act.h"

#define NR_FCHMODAT2	452
#define NR_SETXATTRAT	463
#define NR_GETXATTRAT	464
#define NR_FILE_GETATTR 468
#define NR_FILE_SETATTR 469

static const char *out, *in, *read_only;

static const char *path(const char *directory, const char *name)
{
	static char paths[4][PATH_MAX];
	static unsigned next;
	char *made = paths[next++ % 4];

	snprintf(made, PATH_MAX, "%s/%s", directory, name);
	return made;
}

static long opened(int fd)
{
	if (fd >= 0) {
		close(fd);
	}
	return fd;
}

/* Reopens what an O_PATH descriptor names. */
static long reopen(const char *file, int flags)
{
	char link[64];
	int fd = open(file, O_PATH);

	if (fd < 0) {
		return -1;
	}
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return opened(open(link, flags));
}

static long open_beneath(const char *directory, const char *name, int flags)
{
	int fd = open(directory, O_PATH | O_DIRECTORY);

	return fd < 0 ? -1 : opened(openat(fd, name, flags));
}

static long open_by_openat2(const char *file, uint64_t flags)
{
	uint64_t how[3] = { flags, 0, 0 };

	return opened((int)syscall(SYS_openat2, AT_FDCWD, file, how, sizeof(how)));
}

static long open_after_chdir(const char *directory, const char *name, int flags)
{
	return chdir(directory) < 0 ? -1 : opened(open(name, flags));
}

static long open_by_link(void)
{
	const char *link = path(in, "link");

	unlink(link);
	return symlink(path(out, "file"), link) < 0 ? -1 : opened(open(link, O_RDONLY));
}

static long open_by_exec(void)
{
	char *arguments[] = { (char *)"program", NULL };

	return execv(path(out, "program"), arguments);
}

/* Reading and writing the content, and the names. */
static int run_content(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	act_result("open_read", opened(open(path(out, "file"), O_RDONLY)));
	act_result("open_write", opened(open(path(out, "file"), O_WRONLY)));
	act_result("open_append", opened(open(path(out, "file"), O_WRONLY | O_APPEND)));
	act_result("open_truncate", opened(open(path(out, "file"), O_RDONLY | O_TRUNC)));
	act_result("open_directory", opened(open(out, O_RDONLY | O_DIRECTORY)));
	act_result("open_create", opened(open(path(out, "new"), O_WRONLY | O_CREAT, 0600)));
	act_result("open_tmpfile", opened(open(out, O_WRONLY | O_TMPFILE, 0600)));
	act_result("creat", opened(creat(path(out, "file"), 0600)));
	act_result("openat2", open_by_openat2(path(out, "file"), O_RDONLY));
	act_result("open_beneath", open_beneath(out, "file", O_RDONLY));
	act_result("open_after_chdir", open_after_chdir(out, "file", O_RDONLY));
	act_result("open_dot_dot", opened(open(path(in, "../out/file"), O_RDONLY)));
	act_result("open_by_link", open_by_link());
	act_result("exec", open_by_exec());
	act_result("truncate", truncate(path(out, "file"), 0));
	act_result("unlink", unlink(path(out, "file2")));
	act_result("rmdir", rmdir(path(out, "directory")));
	act_result("mkdir", mkdir(path(out, "made"), 0700));
	act_result("mkfifo", mkfifo(path(out, "fifo"), 0600));
	act_result("symlink", symlink("x", path(out, "symlink")));
	act_result("rename_out", rename(path(out, "file3"), path(in, "stolen")));
	act_result("rename_in", rename(path(in, "file3"), path(out, "given")));
	act_result("exchange", syscall(SYS_renameat2, AT_FDCWD, path(in, "file"), AT_FDCWD,
				       path(out, "file"), RENAME_EXCHANGE));
	act_result("link_out", link(path(out, "file"), path(in, "linked")));
	act_result("link_in", link(path(in, "file"), path(out, "linked")));
	return 0;
}

/* /proc is granted for this one. */
static int run_reopen(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	act_result("reopen_read", reopen(path(out, "file"), O_RDONLY));
	act_result("reopen_write", reopen(path(read_only, "file"), O_WRONLY));
	act_result("reopen_granted", reopen(path(in, "file"), O_RDWR));
	return 0;
}

static int run_truncate(int argc, char **argv)
{
	int fd = open(path(in, "file"), O_RDWR);

	(void)argc;
	(void)argv;
	act_result("truncate_none", truncate(path(out, "file"), 0));
	act_result("truncate_read", truncate(path(read_only, "file"), 0));
	act_result("open_truncate_read", opened(open(path(read_only, "file"), O_RDONLY | O_TRUNC)));
	act_result("creat_read", opened(creat(path(read_only, "file"), 0600)));
	act_result("open_read", opened(open(path(read_only, "file"), O_RDONLY)));
	act_result("truncate_write", truncate(path(in, "file"), 0));
	act_result("ftruncate_write", ftruncate(fd, 1));
	return 0;
}

/* attack_files devices NODE: a character device that knows RNDGETENTCNT, opened for reading. */
static int run_devices(int argc, char **argv)
{
	int node = argc < 2 ? -1 : open(argv[1], O_RDONLY);
	int value = 0, flags = 0, fd = open(path(in, "file"), O_RDONLY);

	act_result("device_open", node);
	act_result("device_ioctl", ioctl(node, RNDGETENTCNT, &value));
	act_result("device_ioctl_exempt", ioctl(node, FIOCLEX));
	act_result("get_flags", ioctl(fd, FS_IOC_GETFLAGS, &flags));
	flags |= FS_IMMUTABLE_FL;
	act_result("set_immutable", ioctl(fd, FS_IOC_SETFLAGS, &flags));
	/* The control leaves no file behind that cannot be removed. */
	flags &= ~FS_IMMUTABLE_FL;
	(void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
	act_result("clone_from", ioctl(fd, FICLONE, open(path(out, "file"), O_RDONLY)));
	return 0;
}

/* What Landlock does not look at. */
static int run_metadata(int argc, char **argv)
{
	const char *file = path(out, "metadata");
	struct stat status;
	struct statfs filesystem;
	struct timeval times[2] = { { 1, 0 }, { 1, 0 } };
	struct utimbuf time = { 1, 1 };
	char bytes[256];
	unsigned char attributes[32] = { 0 };
	struct {
		uint64_t value;
		uint32_t size, flags;
	} xattr = { (uint64_t)(uintptr_t)bytes, 1, 0 };

	(void)argc;
	(void)argv;
	act_result("stat", stat(file, &status));
	act_result("access", access(file, R_OK));
	act_result("statfs", statfs(file, &filesystem));
	act_result("path_descriptor", opened(open(file, O_PATH)));
	act_result("readlink", readlink(path(out, "alias"), bytes, sizeof(bytes)));
	act_result("chdir", chdir(out));
	act_result("inotify", inotify_add_watch(inotify_init1(0), file, IN_ALL_EVENTS));
	act_result("chmod", chmod(file, 0640));
	act_result("fchmodat2", syscall(NR_FCHMODAT2, AT_FDCWD, file, 0600, 0));
	act_result("chown", chown(file, geteuid(), getegid()));
	act_result("utime", syscall(SYS_utime, file, &time));
	act_result("utimes", syscall(SYS_utimes, file, times));
	act_result("futimesat", syscall(SYS_futimesat, AT_FDCWD, file, times));
	act_result("utimensat", utimensat(AT_FDCWD, file, NULL, 0));
	act_result("setxattr", setxattr(file, "user.a", "x", 1, 0));
	act_result("getxattr", getxattr(file, "user.a", bytes, sizeof(bytes)));
	act_result("listxattr", listxattr(file, bytes, sizeof(bytes)));
	act_result("removexattr", removexattr(file, "user.a"));
	act_result("setxattrat", syscall(NR_SETXATTRAT, AT_FDCWD, file, 0, "user.b", &xattr, 16));
	act_result("getxattrat", syscall(NR_GETXATTRAT, AT_FDCWD, file, 0, "user.b", &xattr, 16));
	act_result("file_getattr", syscall(NR_FILE_GETATTR, AT_FDCWD, file, attributes, 24, 0));
	act_result("file_setattr", syscall(NR_FILE_SETATTR, AT_FDCWD, file, attributes, 24, 0));
	return 0;
}

/* attack_files SUBCOMMAND DIRECTORY [WORD] */
int main(int argc, char **argv)
{
	static const struct act_command commands[] = {
		{ "content", run_content },
		{ "reopen", run_reopen },
		{ "truncate", run_truncate },
		{ "devices", run_devices },
		{ "metadata", run_metadata },
	};

	if (argc < 3) {
		return GUEST_MISUSED;
	}
	out = strdup(path(argv[2], "out"));
	in = strdup(path(argv[2], "in"));
	read_only = strdup(path(argv[2], "read"));
	argv[2] = argv[1];
	argv[1] = argv[0];
	return act_dispatch(commands, ACT_COUNT(commands), argc - 1, argv + 1);
}

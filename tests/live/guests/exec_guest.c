/* Starts itself in every way that exec knows.  Called as anything but "do CASE DIRECTORY" it is the
 * program that was meant to run, and ends with 42; the file "bad" and the argument "evil" are what
 * must not run, and end with 66. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MEANT = 42, MUST_NOT = 66, WRONG_ERR = 90 };

extern char **environ;

static char *usual[] = { "t", "one", "two words", "", NULL };
static char *nothing[] = { NULL };
static char *empty_string[] = { "", NULL };

static void exec_at(int dirfd, const char *path, char **argv, int flags)
{
	(void)syscall(SYS_execveat, dirfd, path, argv, environ, flags);
}

static int copy_to_memfd(const char *name, unsigned int flags)
{
	static char bytes[1 << 16];
	int from = open(name, O_RDONLY);
	int to = memfd_create("image", flags);
	ssize_t length;

	while ((length = read(from, bytes, sizeof(bytes))) > 0) {
		(void)!write(to, bytes, (size_t)length);
	}
	(void)close(from);
	return to;
}

/* One line of the table: what is called, and what errno it ends with, if it comes back. */
struct exec_case {
	const char *name;
	void (*run)(void);
	int error;
};

static char directory[256];

static char *in_directory(const char *name)
{
	static char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

/* Only root can; for others it is an exec like any. */
static void run_in_other_root(void)
{
	const char *path = chroot(".") == 0 ? "/../sub/../../abs" : "t";

	(void)symlink("/..///t", "abs");
	(void)execv(path, usual);
}

static void run_from_subdirectory(void)
{
	(void)chdir("sub");
	(void)execv("../t", usual);
}

static void run_empty_argv(void)
{
	(void)execv("t", nothing);
}

static void run_null_argv(void)
{
	(void)syscall(SYS_execve, "t", NULL, environ);
}

static void run_empty_string(void)
{
	(void)execv("t", empty_string);
}

static void run_script_empty_argv(void)
{
	(void)execv("script", nothing);
}

static void run_fexecve(void)
{
	exec_at(open("t", O_RDONLY), "", usual, AT_EMPTY_PATH);
}

static void run_fexecve_path(void)
{
	exec_at(open("t", O_PATH | O_CLOEXEC), "", usual, AT_EMPTY_PATH);
}

static void run_fexecve_script(void)
{
	exec_at(open("script", O_RDONLY), "", usual, AT_EMPTY_PATH);
}

static void run_fexecve_script_cloexec(void)
{
	exec_at(open("script", O_RDONLY | O_CLOEXEC), "", usual, AT_EMPTY_PATH);
}

static void run_fexecve_link(void)
{
	exec_at(open("link", O_PATH | O_NOFOLLOW), "", usual, AT_EMPTY_PATH);
}

static void run_fexecve_fifo(void)
{
	exec_at(open("fifo", O_PATH), "", usual, AT_EMPTY_PATH);
}

static void run_memfd(void)
{
	exec_at(copy_to_memfd("t", MFD_CLOEXEC), "", usual, AT_EMPTY_PATH);
}

static void run_memfd_script(void)
{
	exec_at(copy_to_memfd("script", 0), "", usual, AT_EMPTY_PATH);
}

static void run_memfd_by_proc(void)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", copy_to_memfd("t", 0));
	(void)execv(path, usual);
}

static void run_by_dev_fd(void)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/dev/fd/%d", open("t", O_RDONLY));
	(void)execv(path, usual);
}

static void run_deleted(void)
{
	int fd = open("t", O_RDONLY);

	(void)unlink("t");
	exec_at(fd, "", usual, AT_EMPTY_PATH);
}

static void run_at_directory(void)
{
	exec_at(open("sub", O_PATH | O_DIRECTORY), "../t", usual, 0);
}

static void run_script_at_directory(void)
{
	exec_at(open("sub", O_RDONLY | O_DIRECTORY), "../script", usual, 0);
}

static void run_absolute_at_nothing(void)
{
	exec_at(-7, in_directory("t"), usual, 0);
}

static void run_at_bad_fd(void)
{
	exec_at(77, "t", usual, 0);
}

static void run_at_file(void)
{
	exec_at(open("t", O_RDONLY), "x", usual, 0);
}

static void run_at_cwd_empty(void)
{
	exec_at(AT_FDCWD, "", usual, AT_EMPTY_PATH);
}

static void run_nofollow(void)
{
	exec_at(AT_FDCWD, "t", usual, AT_SYMLINK_NOFOLLOW);
}

static void run_nofollow_link(void)
{
	exec_at(AT_FDCWD, "link", usual, AT_SYMLINK_NOFOLLOW);
}

static void run_nofollow_magic(void)
{
	exec_at(AT_FDCWD, "/proc/self/exe", usual, AT_SYMLINK_NOFOLLOW);
}

static void run_nofollow_below_link(void)
{
	exec_at(AT_FDCWD, "sublink/../t", usual, AT_SYMLINK_NOFOLLOW);
}

static void run_bad_flags(void)
{
	exec_at(AT_FDCWD, "t", usual, 0x4000);
}

static void run_bad_path(void)
{
	(void)syscall(SYS_execve, 8, usual, environ);
}

static void run_bad_argv(void)
{
	(void)syscall(SYS_execve, "t", 8, environ);
}

static void run_bad_argument(void)
{
	char *argv[] = { "t", (char *)8, NULL };

	(void)execv("t", argv);
}

static void run_bad_argv_of_nothing(void)
{
	(void)syscall(SYS_execve, "missing", 8, environ);
}

static void run_long_path(void)
{
	static char path[4097];

	memset(path, '/', sizeof(path) - 1);
	(void)execv(path, usual);
}

static void run_long_name(void)
{
	static char path[300];

	memset(path, 'a', sizeof(path) - 1);
	(void)execv(path, usual);
}

/* A path of 4095 bytes is the longest. */
static void run_longest_path(void)
{
	static char path[4096];

	memset(path, '/', sizeof(path) - 1);
	(void)chdir("/");
	memcpy(path + sizeof(path) - 1 - strlen(in_directory("t")), in_directory("t"),
		strlen(in_directory("t")));
	(void)execv(path, usual);
}

static void run_big_argv(void)
{
	static char *argv[8001];

	for (int i = 0; i < 8000; i++) {
		(void)!asprintf(&argv[i], "%0*d", 1 + i % 199, i);
	}
	(void)execv("t", argv);
}

static void run_too_big_argv(void)
{
	static char *argv[65];
	static char word[120001];

	memset(word, 'x', sizeof(word) - 1);
	for (int i = 0; i < 64; i++) {
		argv[i] = word;
	}
	(void)execv("t", argv);
}

static void run_longest_argument(void)
{
	static char word[131072];
	char *argv[] = { "t", word, NULL };

	memset(word, 'x', sizeof(word) - 1);
	(void)execv("t", argv);
}

static void run_too_long_argument(void)
{
	static char word[131073];
	char *argv[] = { "t", word, NULL };

	memset(word, 'x', sizeof(word) - 1);
	(void)execv("t", argv);
}

/* The pointers start at an odd address and go over the end of a page. */
static void run_odd_argv(void)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memcpy(page + 4083, usual, sizeof(usual));
	(void)syscall(SYS_execve, "t", page + 4083, environ);
}

static void run_edge_of_memory(void)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *argv[] = { page + 4092, NULL };

	(void)munmap(page + 4096, 4096);
	memcpy(page + 4092, "end", 4);
	(void)execv("t", argv);
}

static void run_path_search(void)
{
	(void)setenv("PATH", "missing:denied:sub", 1);
	(void)symlink("../t", "sub/program");
	(void)execvp("program", usual);
}

static void *exec_in_thread(void *unused)
{
	(void)unused;
	(void)execv("/proc/thread-self/exe", usual);
	return NULL;
}

static void run_in_thread(void)
{
	pthread_t thread;

	(void)pthread_create(&thread, NULL, exec_in_thread, NULL);
	(void)pthread_join(thread, NULL);
}

/* A thread with a table of its own: in one table, 100 is the program, in the other it is not. */
static const char *own_path, *own_file;

static void *exec_own_files(void *unused)
{
	(void)unused;
	(void)unshare(CLONE_FILES);
	(void)dup2(open(own_file, O_RDONLY), 100);
	exec_at(100, own_path, usual, AT_EMPTY_PATH);
	return NULL;
}

static void run_own_files(const char *path, const char *of_first, const char *of_thread)
{
	pthread_t thread;

	own_path = path;
	own_file = of_thread;
	(void)dup2(open(of_first, O_RDONLY), 100);
	(void)pthread_create(&thread, NULL, exec_own_files, NULL);
	(void)pthread_join(thread, NULL);
}

static void run_own_fexecve(void)
{
	run_own_files("", "garbage", "t");
}

static void run_own_thread_self(void)
{
	run_own_files("/proc/thread-self/fd/100", "garbage", "t");
}

static void run_own_self(void)
{
	run_own_files("/proc/self/fd/100", "t", "garbage");
}

static void end_as(int status)
{
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static void run_spawned(void)
{
	pid_t pid;
	int status = 0;

	if (posix_spawn(&pid, "script", NULL, NULL, usual, environ) == 0) {
		(void)waitpid(pid, &status, 0);
		end_as(status);
	}
}

static void run_vforked(void)
{
	int status = 0;
	pid_t pid = vfork();

	if (pid == 0) {
		(void)execv("link", usual);
		_exit(1);
	}
	(void)waitpid(pid, &status, 0);
	end_as(status);
}

static void run_shell(void)
{
	_exit(WEXITSTATUS(system("./script \"$HOME\"; exit $?")));
}

static void make_loop_of_links(void)
{
	(void)symlink("loop", "loop");
	(void)execv("loop", usual);
}

/* 40 links are followed, the 41st is not. */
static void run_chain(int count)
{
	char from[32], to[32] = "t";

	for (int i = 0; i < count; i++) {
		(void)snprintf(from, sizeof(from), "chain%d", i);
		(void)symlink(to, from);
		(void)strcpy(to, from);
	}
	(void)execv(to, usual);
}

static void run_chain_40(void)
{
	run_chain(40);
}

static void run_chain_41(void)
{
	run_chain(41);
}

static void run_scripts(int count)
{
	char from[32], to[32] = "t";

	for (int i = 0; i < count; i++) {
		FILE *file;

		(void)snprintf(from, sizeof(from), "script%d", i);
		file = fopen(from, "w");
		(void)fprintf(file, "#!%s arg %d\n", to, i);
		(void)fclose(file);
		(void)chmod(from, 0755);
		(void)strcpy(to, from);
	}
	(void)execv(to, usual);
}

static void run_scripts_5(void)
{
	run_scripts(5);
}

static void run_scripts_6(void)
{
	run_scripts(6);
}

static const struct exec_case cases[] = {
	{ "in-other-root", run_in_other_root, 0 },
	{ "from-subdirectory", run_from_subdirectory, 0 },
	{ "empty-argv", run_empty_argv, 0 },
	{ "null-argv", run_null_argv, 0 },
	{ "empty-string", run_empty_string, 0 },
	{ "script-empty-argv", run_script_empty_argv, 0 },
	{ "fexecve", run_fexecve, 0 },
	{ "fexecve-path", run_fexecve_path, 0 },
	{ "fexecve-script", run_fexecve_script, 0 },
	{ "fexecve-script-cloexec", run_fexecve_script_cloexec, ENOENT },
	{ "fexecve-link", run_fexecve_link, ELOOP },
	{ "fexecve-fifo", run_fexecve_fifo, EACCES },
	{ "memfd", run_memfd, 0 },
	{ "memfd-script", run_memfd_script, 0 },
	{ "memfd-by-proc", run_memfd_by_proc, 0 },
	{ "by-dev-fd", run_by_dev_fd, 0 },
	{ "deleted", run_deleted, 0 },
	{ "at-directory", run_at_directory, 0 },
	{ "script-at-directory", run_script_at_directory, 0 },
	{ "absolute-at-nothing", run_absolute_at_nothing, 0 },
	{ "at-bad-fd", run_at_bad_fd, EBADF },
	{ "at-file", run_at_file, ENOTDIR },
	{ "at-cwd-empty", run_at_cwd_empty, EACCES },
	{ "nofollow", run_nofollow, 0 },
	{ "nofollow-link", run_nofollow_link, ELOOP },
	{ "nofollow-magic", run_nofollow_magic, ELOOP },
	{ "nofollow-below-link", run_nofollow_below_link, 0 },
	{ "bad-flags", run_bad_flags, EINVAL },
	{ "bad-path", run_bad_path, EFAULT },
	{ "bad-argv", run_bad_argv, EFAULT },
	{ "bad-argument", run_bad_argument, EFAULT },
	{ "bad-argv-of-nothing", run_bad_argv_of_nothing, ENOENT },
	{ "long-path", run_long_path, ENAMETOOLONG },
	{ "long-name", run_long_name, ENAMETOOLONG },
	{ "longest-path", run_longest_path, 0 },
	{ "big-argv", run_big_argv, 0 },
	{ "too-big-argv", run_too_big_argv, E2BIG },
	{ "longest-argument", run_longest_argument, 0 },
	{ "too-long-argument", run_too_long_argument, E2BIG },
	{ "odd-argv", run_odd_argv, 0 },
	{ "edge-of-memory", run_edge_of_memory, 0 },
	{ "path-search", run_path_search, 0 },
	{ "in-thread", run_in_thread, 0 },
	{ "own-fexecve", run_own_fexecve, 0 },
	{ "own-thread-self", run_own_thread_self, 0 },
	{ "own-self", run_own_self, 0 },
	{ "spawned", run_spawned, 0 },
	{ "vforked", run_vforked, 0 },
	{ "shell", run_shell, 0 },
	{ "loop-of-links", make_loop_of_links, ELOOP },
	{ "chain-40", run_chain_40, 0 },
	{ "chain-41", run_chain_41, ELOOP },
	{ "scripts-5", run_scripts_5, 0 },
	{ "scripts-6", run_scripts_6, ELOOP },
};

/* "path:ERROR:PATH": a path, and the errno it ends with. */
static int run_path_case(const char *text)
{
	char *end;
	long error = strtol(text, &end, 10);

	(void)execv(end + 1, usual);
	return errno == error ? MEANT : WRONG_ERR + 1;
}

static int run_case(const char *name)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (strcmp(cases[i].name, name) == 0) {
			errno = 0;
			cases[i].run();
			return cases[i].error != 0 && errno == cases[i].error ? MEANT : WRONG_ERR;
		}
	}
	return WRONG_ERR + 2;
}

/* One name a line, for the test. */
static int list_cases(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)printf("%s %d\n", cases[i].name, cases[i].error);
	}
	return 0;
}

static bool is_bad_program(void)
{
	char path[512] = "";
	size_t length = (size_t)readlink("/proc/self/exe", path, sizeof(path) - 1);

	return length < sizeof(path) && length >= 4 && strcmp(path + length - 4, "/bad") == 0;
}

int main(int argc, char **argv)
{
	if (is_bad_program() || (argc > 1 && strcmp(argv[1], "evil") == 0)) {
		return MUST_NOT;
	}
	if (argc > 1 && strcmp(argv[1], "list") == 0) {
		return list_cases();
	}
	if (argc < 4 || strcmp(argv[1], "do") != 0) {
		return MEANT;
	}
	(void)snprintf(directory, sizeof(directory), "%s", argv[3]);
	if (chdir(directory) < 0) {
		return 1;
	}
	if (strncmp(argv[2], "path:", 5) == 0) {
		return run_path_case(argv[2] + 5);
	}
	return run_case(argv[2]);
}

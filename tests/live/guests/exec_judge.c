/* Programs that write into "canary" with their first instructions when they must not run, and what
 * tries to bring them in: see main(). */
// SPDX-License-Identifier: Apache-2.0

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MEANT	 42
#define MUST_NOT 66
#define REFUSED	 13
#define THREADS	 8

extern char **environ;

/* Where the files "t" and "b" begin, instead of in the libc: on the stack are argc, argv[0], ... */
void entry_good(void);
void entry_bad(void);
void begin_good(const uintptr_t *stack);
void begin_bad(const uintptr_t *stack);

#if defined(__x86_64__)
__asm__(".globl entry_good\nentry_good:\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall begin_good\n"
	".globl entry_bad\nentry_bad:\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall begin_bad\n");
#elif defined(__aarch64__)
__asm__(".globl entry_good\nentry_good:\n\tmov x0, sp\n\tb begin_good\n"
	".globl entry_bad\nentry_bad:\n\tmov x0, sp\n\tb begin_bad\n");
#elif defined(__riscv)
__asm__(".globl entry_good\nentry_good:\n\tmv a0, sp\n\tj begin_good\n"
	".globl entry_bad\nentry_bad:\n\tmv a0, sp\n\tj begin_bad\n");
#endif

/* The libc was not started here: plain system calls only. */
static void leave_trace(char what)
{
	long fd = syscall(SYS_openat, AT_FDCWD, "canary", O_WRONLY | O_APPEND | O_CREAT, 0644);

	(void)syscall(SYS_write, fd, &what, 1L);
	(void)syscall(SYS_exit_group, (long)MUST_NOT);
}

/* The only list that is approved of the races begins with "t", "a". */
void begin_good(const uintptr_t *stack)
{
	const char *argument = stack[0] > 1 ? (const char *)stack[2] : "";

	if (argument[0] == 'e' && argument[1] == '\0') {
		leave_trace('a');
	}
	(void)syscall(SYS_exit_group, (long)MEANT);
	__builtin_unreachable();
}

void begin_bad(const uintptr_t *stack)
{
	(void)stack;
	leave_trace('i');
	__builtin_unreachable();
}

/* A copy of this program that begins elsewhere. */
static void make_program(const char *name, void (*entry)(void))
{
	int from = open("/proc/self/exe", O_RDONLY);
	int to = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	uint64_t address = (uint64_t)(uintptr_t)entry;
	struct stat stat;

	if (fstat(from, &stat) < 0 ||
		copy_file_range(from, NULL, to, NULL, (size_t)stat.st_size, 0) != stat.st_size ||
		pwrite(to, &address, sizeof(address), offsetof(Elf64_Ehdr, e_entry)) < 0) {
		_exit(1);
	}
	(void)close(from);
	(void)close(to);
}

static void make_file(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0755);

	(void)!write(fd, text, strlen(text));
	(void)close(fd);
}

static int stage(void)
{
	make_program("t", entry_good);
	make_program("b", entry_bad);
	make_file("script", "#!./t x y\n");
	make_file("flips", "tababete");
	return symlink("t", "link") < 0 || link("t", "hard") < 0 || mkdir("empty", 0755) < 0;
}

/* What the execs read and the writers write: a path ("./t", "./b") and an argument ("a", "e"). */
struct page {
	char path[4];
	char argument[4];
	_Atomic bool is_over;
};

static struct page *page;

static void idle(int rounds)
{
	for (volatile int i = 0; i < rounds; i++) {
	}
}

/* The path alone, the argument alone, both; each for a while, and never for the same while. */
static void write_once(unsigned int round)
{
	volatile char *path = &page->path[2];
	volatile char *argument = page->argument;

	idle(4000 + (int)(round * 7919 % 16000));
	*path = (round & 1) != 0 ? 'b' : 't';
	*argument = (round & 2) != 0 ? 'e' : 'a';
	idle(4000 + (int)(round * 104729 % 16000));
	*path = 't';
	*argument = 'a';
}

static void *write_on(void *unused)
{
	for (unsigned int round = 0; !atomic_load(&page->is_over); round++) {
		write_once(round);
	}
	return unused;
}

/* The kernel writes, for a process that has asked it to. */
static void submit_on(void)
{
	int fd = open("flips", O_RDONLY);
	aio_context_t context = 0;

	if (syscall(SYS_io_setup, 8, &context) < 0) {
		_exit(3);
	}
	for (unsigned int round = 0; !atomic_load(&page->is_over); round++) {
		/* Four states of two bytes: "ta", "ba", "be", "te". */
		long offset = (long)(round % 4) * 2;
		struct iocb path = { .aio_lio_opcode = IOCB_CMD_PREAD,
			.aio_fildes = (uint32_t)fd,
			.aio_buf = (uintptr_t)&page->path[2],
			.aio_nbytes = 1,
			.aio_offset = offset };
		struct iocb argument = { .aio_lio_opcode = IOCB_CMD_PREAD,
			.aio_fildes = (uint32_t)fd,
			.aio_buf = (uintptr_t)page->argument,
			.aio_nbytes = 1,
			.aio_offset = offset + 1 };
		struct iocb *both[] = { &path, &argument };
		struct io_event events[8];

		if (syscall(SYS_io_submit, context, 2L, both) != 2) {
			_exit(4);
		}
		(void)syscall(SYS_io_getevents, context, 2L, 8L, events, NULL);
		idle(4000 + (int)(round * 7919 % 16000));
	}
	_exit(0);
}

static pid_t start_process(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)write_on(NULL);
		_exit(0);
	}
	return pid;
}

static pid_t start_submitter(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		submit_on();
	}
	return pid;
}

static int write_as_peer(void *unused)
{
	(void)write_on(unused);
	return 0;
}

/* A process of its own that shares all memory. */
static pid_t start_peer(void)
{
	static char stack[65536] __attribute__((aligned(16)));

	return clone(write_as_peer, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL);
}

static _Noreturn void exec_page(void)
{
	char *argv[] = { "t", page->argument, NULL };

	(void)execve(page->path, argv, environ);
	_exit(errno == EACCES ? REFUSED : 90);
}

static _Noreturn void exec_page_at(void)
{
	char *argv[] = { "t", page->argument, NULL };

	(void)syscall(SYS_execveat, AT_FDCWD, page->path, argv, environ, 0);
	_exit(errno == EACCES ? REFUSED : 90);
}

static pid_t by_fork(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		exec_page_at();
	}
	return pid;
}

static pid_t by_vfork(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		exec_page();
	}
	return pid;
}

/* The thread that writes is one of the process that calls exec. */
static pid_t by_threaded(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		pthread_t thread;

		(void)pthread_create(&thread, NULL, write_on, NULL);
		idle(20000);
		exec_page();
	}
	return pid;
}

static const struct race {
	const char *name;
	pid_t (*start_writer)(void); /* NULL: the child starts its own */
	pid_t (*start_child)(void);
} races[] = {
	{ "threads", NULL, by_threaded },
	{ "process", start_process, by_fork },
	{ "peer", start_peer, by_vfork },
	{ "submit", start_submitter, by_fork },
};

struct counts {
	int meant, refused, killed, must_not, other;
};

static void count_status(struct counts *counts, int status)
{
	if (WIFSIGNALED(status)) {
		counts->killed += WTERMSIG(status) == SIGKILL;
		counts->other += WTERMSIG(status) != SIGKILL;
	} else if (WEXITSTATUS(status) == MEANT) {
		counts->meant++;
	} else if (WEXITSTATUS(status) == MUST_NOT) {
		counts->must_not++;
	} else if (WEXITSTATUS(status) == REFUSED) {
		counts->refused++;
	} else {
		counts->other++;
	}
}

static int run_race(const struct race *race, int count)
{
	struct counts counts = { 0 };
	pid_t writer;

	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	(void)memcpy(page->path, "./t", 4);
	(void)memcpy(page->argument, "a", 2);
	writer = race->start_writer != NULL ? race->start_writer() : 0;
	for (int i = 0; i < count; i++) {
		int status = 0;
		pid_t pid = race->start_child();

		if (pid < 0 || waitpid(pid, &status, 0) != pid) {
			return 2;
		}
		count_status(&counts, status);
	}
	atomic_store(&page->is_over, true);
	if (writer > 0) {
		int status = 0;

		if (waitpid(writer, &status, 0) != writer || status != 0) {
			return 3;
		}
	}
	(void)printf("%d %d %d %d %d\n", counts.meant, counts.refused, counts.killed,
		counts.must_not, counts.other);
	return 0;
}

static char *const usual[] = { "t", "a", NULL };
static char *const searched[] = { "link", "a", NULL };
static int memory_file, opened;

static void by_hard_link(void)
{
	(void)execve("hard", usual, environ);
}

static void by_symlink(void)
{
	(void)execve("./empty/../link", usual, environ);
}

static void by_script(void)
{
	(void)execve("./script", usual, environ);
}

static void by_descriptor(void)
{
	(void)syscall(SYS_execveat, opened, "", usual, environ, AT_EMPTY_PATH);
}

static void by_memory_file(void)
{
	(void)syscall(SYS_execveat, memory_file, "", usual, environ, AT_EMPTY_PATH);
}

static void by_search(void)
{
	(void)execvp("link", searched);
}

static void *exec_here(void *unused)
{
	(void)execve("./t", usual, environ);
	return unused;
}

static void by_thread(void)
{
	pthread_t thread;

	(void)pthread_create(&thread, NULL, exec_here, NULL);
	(void)pthread_join(thread, NULL);
}

static void (*const ways[])(void) = {
	by_hard_link,
	by_symlink,
	by_script,
	by_descriptor,
	by_memory_file,
	by_search,
	by_thread,
};

static bool ran_as_meant(pid_t pid)
{
	int status = 0;

	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	       WEXITSTATUS(status) == MEANT;
}

static int open_memory_file(void)
{
	int from = open("t", O_RDONLY);
	int to = memfd_create("image", MFD_CLOEXEC);
	struct stat stat;
	char *bytes;

	(void)fstat(from, &stat);
	bytes = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, from, 0);
	(void)!write(to, bytes, (size_t)stat.st_size);
	(void)munmap(bytes, (size_t)stat.st_size);
	(void)close(from);
	return to;
}

/* Each way in its turn, in a child of its own. */
static int run_ways(int count)
{
	int failed = 0;

	memory_file = open_memory_file();
	opened = open("t", O_RDONLY | O_CLOEXEC);
	(void)setenv("PATH", "missing:empty:.", 1);
	for (int i = 0; i < count; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			ways[(size_t)i % (sizeof(ways) / sizeof(ways[0]))]();
			_exit(1);
		}
		failed += !ran_as_meant(pid);
	}
	return failed == 0 ? 0 : 1;
}

static _Atomic int storm_left, storm_failed;

static void *spawn_on(void *unused)
{
	while (atomic_fetch_sub(&storm_left, 1) > 0) {
		pid_t pid = 0;

		if (posix_spawn(&pid, "./t", NULL, NULL, usual, environ) != 0 ||
			!ran_as_meant(pid)) {
			atomic_fetch_add(&storm_failed, 1);
		}
	}
	return unused;
}

static int run_storm(int count)
{
	pthread_t threads[THREADS];

	atomic_store(&storm_left, count);
	for (int i = 0; i < THREADS; i++) {
		(void)pthread_create(&threads[i], NULL, spawn_on, NULL);
	}
	for (int i = 0; i < THREADS; i++) {
		(void)pthread_join(threads[i], NULL);
	}
	return atomic_load(&storm_failed) == 0 ? 0 : 1;
}

/* In the kernel for seconds, without a look at signals that do not kill. */
static void *stay_in_the_kernel(void *unused)
{
	size_t size = (size_t)1 << 36;
	char *range =
		mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	(void)madvise(range, size, MADV_NOHUGEPAGE);
	for (;;) {
		(void)madvise(range, size, MADV_POPULATE_READ);
		(void)madvise(range, size, MADV_DONTNEED);
	}
	return unused;
}

/* How often an exec was refused with EPERM beside a thread that cannot be stopped. */
static int run_beside_unstoppable(int count)
{
	pthread_t thread;
	int refused = 0;

	(void)pthread_create(&thread, NULL, stay_in_the_kernel, NULL);
	for (int i = 0; i < count && refused == 0; i++) {
		int status = 0;
		pid_t pid;

		(void)usleep(100000);
		pid = fork();
		if (pid == 0) {
			(void)execve("./t", usual, environ);
			_exit(errno == EPERM ? 1 : 2);
		}
		(void)waitpid(pid, &status, 0);
		if (!WIFEXITED(status) ||
			(WEXITSTATUS(status) != 1 && WEXITSTATUS(status) != MEANT)) {
			return 2;
		}
		refused += WEXITSTATUS(status) == 1;
	}
	return refused > 0 ? 0 : 1;
}

/* The errno of one exec. */
static int run_one(const char *path, const char *argument)
{
	char *argv[] = { "t", (char *)argument, NULL };

	(void)execve(path, argv, environ);
	return errno;
}

int main(int argc, char **argv)
{
	int count = argc > 2 ? atoi(argv[2]) : 0;

	if (argc < 2) {
		return 1;
	}
	if (strcmp(argv[1], "stage") == 0) {
		return chdir(argv[2]) < 0 ? 1 : stage();
	}
	if (strcmp(argv[1], "one") == 0) {
		return run_one(argv[2], argv[3]);
	}
	if (strcmp(argv[1], "ways") == 0) {
		return run_ways(count);
	}
	if (strcmp(argv[1], "storm") == 0) {
		return run_storm(count);
	}
	if (strcmp(argv[1], "unstoppable") == 0) {
		return run_beside_unstoppable(count);
	}
	for (size_t i = 0; i < sizeof(races) / sizeof(races[0]); i++) {
		if (strcmp(argv[1], races[i].name) == 0) {
			return run_race(&races[i], count);
		}
	}
	return 1;
}

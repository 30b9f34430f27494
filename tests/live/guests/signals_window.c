/* Makes one system call over and over under a storm of signals and says which errnos it gave; and
 * counts signals that carry values. */
// SPDX-License-Identifier: Apache-2.0

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <time.h>

#include "tests/live/guests/act.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

#define ERRNO_MAX 134

static volatile sig_atomic_t signals_seen;

static void count_signal(int signal)
{
	(void)signal;
	signals_seen++;
}

/* 10 kHz of one signal to this thread and an interval timer of 200 us, both without SA_RESTART. */
static int start_storm(void)
{
	struct sigaction action = { .sa_handler = count_signal };
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1 };
	struct itimerspec often = { { 0, 100000 }, { 0, 100000 } };
	struct itimerval timer = { { 0, 200 }, { 0, 200 } };
	timer_t id;

	event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
	return sigaction(SIGUSR1, &action, NULL) == 0 && sigaction(SIGALRM, &action, NULL) == 0 &&
			       timer_create(CLOCK_MONOTONIC, &event, &id) == 0 &&
			       timer_settime(id, 0, &often, NULL) == 0 &&
			       setitimer(ITIMER_REAL, &timer, NULL) == 0
		       ? 0
		       : -1;
}

static int reap(long pid)
{
	int status;

	if (pid < 0) {
		return errno;
	}
	while (waitpid((pid_t)pid, &status, 0) < 0) {
		if (errno != EINTR) {
			_exit(GUEST_BROKEN);
		}
	}
	return 0;
}

static int result_of(long r)
{
	return r < 0 ? errno : 0;
}

static int try_uname(void)
{
	struct utsname name;

	return result_of(syscall(SYS_uname, &name));
}

static int try_affinity(void)
{
	unsigned long mask[128];

	return result_of(syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask));
}

static int try_clone(void)
{
	long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0) {
		syscall(SYS_exit_group, 0);
	}
	return reap(pid);
}

#ifdef SYS_fork
static int try_fork(void)
{
	long pid = syscall(SYS_fork);

	if (pid == 0) {
		syscall(SYS_exit_group, 0);
	}
	return reap(pid);
}

static int try_vfork(void)
{
	long pid = vfork();

	if (pid == 0) {
		_exit(0);
	}
	return reap(pid);
}
#endif

static int try_mmap(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED) {
		return errno;
	}
	(void)syscall(SYS_munmap, page, 4096);
	return 0;
}

static int try_munmap(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? 0 : result_of(syscall(SYS_munmap, page, 4096));
}

static int try_mremap(void)
{
	static char *page;
	static size_t size = 4096;
	size_t next = size == 4096 ? 8192 : 4096;
	long r;

	if (page == NULL) {
		page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	}
	r = syscall(SYS_mremap, page, size, next, MREMAP_MAYMOVE, NULL);
	if (r < 0) {
		return errno;
	}
	page = (char *)(uintptr_t)r; /* NOLINT: the call answers an address */
	size = next;
	return 0;
}

static int try_brk(void)
{
	static long low;

	if (low == 0) {
		low = syscall(SYS_brk, 0);
	}
	return syscall(SYS_brk, low + 4096) == low + 4096 && syscall(SYS_brk, low) == low ? 0
											  : ENOMEM;
}

static int try_mprotect(void)
{
	static char *page;

	if (page == NULL) {
		page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	}
	return result_of(syscall(SYS_mprotect, page, 4096, PROT_READ | PROT_WRITE));
}

static int try_execve(void)
{
	const char *const none[] = { NULL };

	return result_of(syscall(SYS_execve, "/nowhere/to/be/found", none, none));
}

static int try_execveat(void)
{
	const char *const none[] = { NULL };

	return result_of(syscall(SYS_execveat, AT_FDCWD, "/nowhere/to/be/found", none, none, 0));
}

static int try_setpgid(void)
{
	return result_of(syscall(SYS_setpgid, 0, 0));
}

static const struct exerciser {
	const char *name;
	int (*run)(void); /* 0 or an errno */
} exercisers[] = {
	{ "uname", try_uname },
	{ "sched_getaffinity", try_affinity },
	{ "clone", try_clone },
#ifdef SYS_fork
	{ "fork", try_fork },
	{ "vfork", try_vfork },
#endif
	{ "mmap", try_mmap },
	{ "munmap", try_munmap },
	{ "mremap", try_mremap },
	{ "brk", try_brk },
	{ "mprotect", try_mprotect },
	{ "execve", try_execve },
	{ "execveat", try_execveat },
	{ "setpgid", try_setpgid },
};

/* One line for each errno that the call gave, and how often. */
static int exercise(const char *name, int count)
{
	static long seen[ERRNO_MAX];
	const struct exerciser *exerciser = NULL;

	for (size_t i = 0; i < ACT_COUNT(exercisers); i++) {
		if (strcmp(exercisers[i].name, name) == 0) {
			exerciser = &exercisers[i];
		}
	}
	if (exerciser == NULL) {
		return GUEST_MISUSED;
	}
	if (start_storm() < 0) {
		return GUEST_BROKEN;
	}
	for (int i = 0; i < count; i++) {
		seen[exerciser->run() % ERRNO_MAX]++;
	}
	(void)setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
	(void)signal(SIGUSR1, SIG_IGN);
	for (int number = 0; number < ERRNO_MAX; number++) {
		if (seen[number] > 0) {
			char line[32];

			(void)snprintf(line, sizeof(line), "errno_%d", number);
			act_value(line, seen[number]);
		}
	}
	act_value("signals", signals_seen);
	return 0;
}

/* One signal after the other, so that each wait is ended by one. */
static int start_slow_timer(void)
{
	struct sigaction action = { .sa_handler = count_signal };
	struct itimerval timer = { { 0, 20000 }, { 0, 20000 } };

	return sigaction(SIGALRM, &action, NULL) < 0 || setitimer(ITIMER_REAL, &timer, NULL) < 0
		       ? GUEST_BROKEN
		       : 0;
}

static void wait_for_writer(const char *directory)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/fifo-%d", directory, getpid());
	if (mkfifo(path, 0600) < 0) {
		act_value("open_fifo", GUEST_BROKEN);
		return;
	}
	act_result("open_fifo", open(path, O_RDONLY));
	(void)unlink(path);
}

static void wait_for_lock(const char *directory)
{
	char path[256];
	int held, wanted;

	(void)snprintf(path, sizeof(path), "%s/lock-%d", directory, getpid());
	held = open(path, O_RDWR | O_CREAT, 0600);
	wanted = open(path, O_RDWR);
	if (held < 0 || wanted < 0 || flock(held, LOCK_EX) < 0) {
		act_value("flock", GUEST_BROKEN);
		return;
	}
	act_result("flock", flock(wanted, LOCK_EX));
	(void)unlink(path);
}

/* Nobody accepts, so that at the latest the third connection waits for room. */
static void wait_for_accept(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	long r = 0;
	int one = 1;

	(void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		listen(listener, 0) < 0) {
		act_value("connect", GUEST_BROKEN);
		return;
	}
	for (int i = 0; i < 8 && r == 0; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		r = connect(fd, (struct sockaddr *)&address, sizeof(address));
	}
	act_result("connect", r);
}

/* Each waits for what does not come, until a signal ends it. */
static int wait_natively(const char *directory, int port)
{
	char byte;

	if (start_slow_timer() != 0) {
		return GUEST_BROKEN;
	}
	wait_for_writer(directory);
	wait_for_lock(directory);
	wait_for_accept(port);
	act_result("read_terminal", isatty(0) ? read(0, &byte, 1) : (errno = ENOTTY, -1));
	return 0;
}

/* What the handler saw: written by it alone, read when all is over. */
static struct {
	volatile long next;	 /* the value that is due */
	volatile long unordered; /* others */
	volatile long altered;	 /* that do not say who sent them, or how */
	volatile long directed;	 /* SIGUSR2, one at a time */
	volatile pid_t sender;
} heard;

static void hear_value(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	heard.unordered += info->si_value.sival_int != heard.next;
	heard.next = info->si_value.sival_int + 1;
	heard.altered += info->si_code != SI_QUEUE || info->si_pid != heard.sender ||
			 info->si_uid != getuid();
}

static void hear_directed(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	heard.directed++;
	heard.altered += info->si_code != SI_TKILL || info->si_pid != heard.sender;
}

static void listen_to(int signal, void (*hear)(int, siginfo_t *, void *))
{
	struct sigaction action = { .sa_sigaction = hear, .sa_flags = SA_SIGINFO };

	(void)sigfillset(&action.sa_mask);
	(void)sigaction(signal, &action, NULL);
}

/* Values in order; now and then a signal that may merge with another of its kind. */
static int send_values(pid_t target, long count, int go)
{
	struct timespec pause = { 0, 30000 };
	char byte;
	long directed = 0;

	(void)prctl(PR_SET_TIMERSLACK, 1);
	(void)!read(go, &byte, 1);
	for (long i = 0; i < count; i++) {
		while (sigqueue(target, SIGRTMIN, (union sigval){ .sival_int = (int)i }) < 0) {
			(void)nanosleep(&pause, NULL); /* EAGAIN: its queue is full */
		}
		if (i % 4 == 0) {
			directed += syscall(SYS_tgkill, target, target, SIGUSR2) == 0;
		}
		if (i % 3 == 0) {
			(void)nanosleep(&pause, NULL);
		}
	}
	(void)sigqueue(target, SIGRTMIN + 1, (union sigval){ .sival_int = (int)directed });
	return 0;
}

static volatile sig_atomic_t values_are_over;

static void hear_end(int signal)
{
	(void)signal;
	values_are_over = 1;
}

static int take_values(long count)
{
	int go[2];
	struct utsname name;
	long failed = 0, calls = 0;
	pid_t target = getpid();

	if (pipe(go) < 0) {
		return GUEST_BROKEN;
	}
	heard.sender = fork();
	if (heard.sender == 0) {
		_exit(send_values(target, count, go[0]));
	}
	listen_to(SIGRTMIN, hear_value);
	listen_to(SIGUSR2, hear_directed);
	(void)signal(SIGRTMIN + 1, hear_end);
	(void)!write(go[1], "", 1);
	while (!values_are_over) {
		failed += uname(&name) < 0;
		calls++;
	}
	for (int i = 0; i < 100; i++) { /* what was held back comes with the calls */
		failed += uname(&name) < 0;
	}
	(void)reap(heard.sender);
	act_value("failed", failed);
	act_value("last", heard.next);
	act_value("unordered", heard.unordered);
	act_value("altered", heard.altered);
	act_value("heard_directed", heard.directed > 0);
	act_value("too_many_directed", heard.directed > (count + 3) / 4);
	return 0;
}

int main(int argc, char **argv)
{
	const char *act = argc > 1 ? argv[1] : "";

	(void)prctl(PR_SET_TIMERSLACK, 1);
	if (strcmp(act, "exercise") == 0 && argc > 3) {
		return exercise(argv[2], atoi(argv[3]));
	}
	if (strcmp(act, "wait") == 0 && argc > 3) {
		return wait_natively(argv[2], atoi(argv[3]));
	}
	if (strcmp(act, "values") == 0 && argc > 2) {
		return take_values(atol(argv[2]));
	}
	return GUEST_MISUSED;
}

/* A tracer and a listener around one guest, of a few lines, for the verification of exec. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/handler/call.h"
#include "core/notif/notif.h"
#include "core/notif/reply.h"
#include "core/process/domain.h"
#include "tests/live/exec_tracer.h"

#define RECORDS 64 /* more threads than a guest has at once in an exec */
#define OPTIONS                                                                                    \
	(PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |     \
		PTRACE_O_EXITKILL)

struct record {
	pid_t tid;
	struct exec_expectation expectation;
};

/* Guarded by the lock, but for `watch` and `listener`, which are set once. */
struct scene {
	const struct exec_watch *watch;
	struct listener listener;
	pthread_mutex_t lock;
	struct record records[RECORDS];
	size_t next;
	struct exec_report report;
};

static struct scene scene;

/* The newest record of a thread is the one that counts. */
static void remember(pid_t tid, const struct exec_expectation *expectation)
{
	(void)pthread_mutex_lock(&scene.lock);
	for (size_t i = 0; i < RECORDS; i++) {
		if (scene.records[i].tid == tid) {
			scene.records[i].tid = 0;
		}
	}
	scene.records[scene.next++ % RECORDS] = (struct record){ tid, *expectation };
	scene.report.foreseen = expectation->error;
	(void)pthread_mutex_unlock(&scene.lock);
}

static struct action judge(struct exec_request *request, struct call *call)
{
	struct exec_expectation expectation = { .error = -EIO };
	int r = exec_request_read(request, call);

	if (r == 0) {
		r = exec_request_resolve(request, call, &expectation);
	}
	if (r < 0) {
		(void)pthread_mutex_lock(&scene.lock);
		scene.report.failed += r != -ESRCH;
		(void)pthread_mutex_unlock(&scene.lock);
		return action_errno(-r);
	}
	if (scene.watch->approves != NULL && !scene.watch->approves(request)) {
		return action_errno(EACCES);
	}
	remember(call->notif->tid, &expectation);
	return action_next();
}

static void *listen_to_guest(void *unused)
{
	struct domain domain = { .listener = &scene.listener };
	struct notif_pool *pool = notif_pool_create(&scene.listener, 2, 2);
	struct notif *notif = notif_pool_get(pool);
	struct exec_request *request = exec_request_create();

	(void)unused;
	for (;;) {
		struct call call;
		struct action action;
		int r = notif_receive(&scene.listener, notif);

		if (r < 0 && listener_is_over(&scene.listener)) {
			break;
		}
		if (r == 0) {
			call_begin(&call, &domain, NULL, notif);
			action = judge(request, &call);
			(void)reply(&scene.listener, notif, &action);
		}
	}
	exec_request_destroy(request);
	notif_pool_put(pool, notif);
	notif_pool_destroy(pool);
	return NULL;
}

static bool take_record(pid_t tid, struct exec_expectation *ret_expectation)
{
	bool found = false;

	(void)pthread_mutex_lock(&scene.lock);
	for (size_t i = 0; i < RECORDS; i++) {
		if (scene.records[i].tid == tid) {
			*ret_expectation = scene.records[i].expectation;
			scene.records[i].tid = 0;
			found = true;
		}
	}
	(void)pthread_mutex_unlock(&scene.lock);
	return found;
}

/* Whether it was the file that was not the one: only to count the two kinds. */
static bool is_image(const struct exec_expectation *expectation, pid_t pid)
{
	struct exec_expectation same = *expectation;
	char name[32];
	struct stat image;

	(void)snprintf(name, sizeof(name), "/proc/%d/exe", (int)pid);
	return stat(name, &image) == 0 && image.st_ino == same.image.inode &&
	       image.st_dev == same.image.device;
}

/* Whether the new image may run. */
static bool image_is_checked(pid_t pid)
{
	struct exec_expectation expectation;
	unsigned long former = 0;
	int r;

	(void)ptrace(PTRACE_GETEVENTMSG, pid, 0, &former);
	r = take_record((pid_t)former, &expectation) ? exec_expectation_check(&expectation, pid)
						     : -ENOENT;
	if (r == 0) {
		scene.report.matched++;
	} else if (r < 0) {
		scene.report.not_found_out++;
	} else if (is_image(&expectation, pid)) {
		scene.report.wrong_argv++;
	} else {
		scene.report.wrong_image++;
	}
	return r == 0;
}

static void handle_stop(pid_t pid, int status)
{
	int event = status >> 16;

	if (event == PTRACE_EVENT_EXEC && !image_is_checked(pid) && !scene.watch->blind) {
		(void)kill(pid, SIGKILL);
		return;
	}
	(void)ptrace(PTRACE_CONT, pid, NULL, (void *)(long)(event == 0 ? WSTOPSIG(status) : 0));
}

static void trace_to_the_end(pid_t guest)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		if (WIFSTOPPED(status)) {
			handle_stop(pid, status);
		} else if (pid == guest) {
			scene.report.status = status;
		}
	}
}

static int install_filter(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execveat, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_LEN(code), code };

	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
		&program);
}

static void be_the_guest(int out, int in, const char *const *command)
{
	int listener = install_filter();
	char go;

	(void)!write(out, &listener, sizeof(listener));
	if (read(in, &go, 1) == 1) {
		(void)execv(command[0], (char *const *)command);
	}
	_exit(127);
}

struct exec_report exec_watch_run(const struct exec_watch *watch, const char *const *command)
{
	int from_guest[2], to_guest[2], number = -1, pidfd;
	pthread_t thread;
	pid_t guest;

	cr_assert_eq(pipe2(from_guest, O_CLOEXEC), 0);
	cr_assert_eq(pipe2(to_guest, O_CLOEXEC), 0);
	scene = (struct scene){ .watch = watch, .lock = PTHREAD_MUTEX_INITIALIZER };
	guest = fork();
	if (guest == 0) {
		be_the_guest(from_guest[1], to_guest[0], command);
	}
	cr_assert_eq(read(from_guest[0], &number, sizeof(number)), (ssize_t)sizeof(number));
	cr_assert_geq(number, 0, "no listener");
	pidfd = (int)syscall(SYS_pidfd_open, guest, 0);
	number = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
	cr_assert_eq(listener_init(&scene.listener, number, NULL, NULL), 0);
	cr_assert_eq(ptrace(PTRACE_SEIZE, guest, 0, OPTIONS), 0);
	cr_assert_eq(pthread_create(&thread, NULL, listen_to_guest, NULL), 0);
	cr_assert_eq(write(to_guest[1], "g", 1), 1);
	trace_to_the_end(guest);
	(void)pthread_join(thread, NULL);
	listener_finish(&scene.listener);
	for (int i = 0; i < 2; i++) {
		(void)close(from_guest[i]);
		(void)close(to_guest[i]);
	}
	(void)close(pidfd);
	return scene.report;
}

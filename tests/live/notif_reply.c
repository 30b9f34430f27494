/* Receiving, answering and copying memory against a real listener, without the rest of a sandbox: a
 * child behind a filter that notifies getppid, and getpid. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/handler/call.h"
#include "core/notif/notif.h"
#include "core/notif/reply.h"
#include "core/process/domain.h"
#include "core/tracee/tracee_memory.h"

#define FILE_LIMIT 32
#define PAGE	   4096

/* What the child found; shared. */
struct finding {
	long answer;
	int error;
	int lowest;	  /* the lowest free slot before the call */
	int slot_is_open; /* of the answer, as a descriptor */
	int slot_is_cloexec;
	int file_is_ours; /* the descriptor is of the file that was sent */
};

static struct finding *finding;
static char *pages; /* two shared with the child, then one that is not there */
static struct listener listener;
static struct notif_pool *pool;
static struct notif *notif;
static pid_t child;
static int trees_ended;

static void note_end_of_tree(void *context)
{
	(void)context;
	trees_ended++;
}

static int install_filter(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_LEN(code), code };

	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
		&program);
}

static void send_fd(int socket, int fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} rights = { .header = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	struct iovec bytes = { "x", 1 };
	struct msghdr message = { .msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = &rights,
		.msg_controllen = sizeof(rights) };

	memcpy(CMSG_DATA(&rights.header), &fd, sizeof(fd));
	(void)sendmsg(socket, &message, 0);
}

static int receive_fd(int socket)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} rights;
	char byte;
	struct iovec bytes = { &byte, 1 };
	struct msghdr message = { .msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = &rights,
		.msg_controllen = sizeof(rights) };
	int fd = -1;

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&message) != NULL) {
		memcpy(&fd, CMSG_DATA(&rights.header), sizeof(fd));
	}
	return fd;
}

static void fill_table(void)
{
	while (open("/dev/null", O_RDONLY) >= 0) {
	}
}

/* The child: calls once, looks at what it got, and ends. */
static void be_the_caller(int socket, bool full_table)
{
	struct rlimit limit = { FILE_LIMIT, FILE_LIMIT };
	struct stat sent, found;
	int fd = install_filter();

	send_fd(socket, fd);
	(void)close(fd);
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	(void)dup2(0, 9); /* a slot in use */
	if (full_table) {
		fill_table();
	}
	finding->lowest = dup(0);
	(void)close(finding->lowest);
	errno = 0;
	finding->answer = syscall(SYS_getppid, pages, 2, 3);
	finding->error = errno;
	finding->slot_is_open = fcntl((int)finding->answer, F_GETFD) >= 0;
	finding->slot_is_cloexec = fcntl((int)finding->answer, F_GETFD) == FD_CLOEXEC;
	finding->file_is_ours = fstat((int)finding->answer, &found) == 0 &&
				stat("/proc/version", &sent) == 0 && sent.st_ino == found.st_ino;
	_exit(0);
}

static void start_caller(bool full_table)
{
	int ends[2];

	finding = mmap(
		NULL, sizeof(*finding), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pages = mmap(NULL, 3l * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert(finding != MAP_FAILED && pages != MAP_FAILED);
	cr_assert_eq(munmap(pages + 2l * PAGE, PAGE), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	child = fork();
	if (child == 0) {
		be_the_caller(ends[1], full_table);
	}
	cr_assert_eq(listener_init(&listener, receive_fd(ends[0]), note_end_of_tree, NULL), 0);
	(void)close(ends[0]);
	(void)close(ends[1]);
	pool = notif_pool_create(&listener, 2, 2);
	cr_assert_not_null(pool);
	notif = notif_pool_get(pool);
	cr_assert_eq(notif_receive(&listener, notif), 0);
}

static enum reply_result answer(struct action action)
{
	enum reply_result result = reply(&listener, notif, &action);

	cr_assert_eq(action.fd, -1);
	(void)waitpid(child, NULL, 0);
	return result;
}

static void start_with_room(void)
{
	start_caller(false);
}

TestSuite(notif_reply, .timeout = 20, .init = start_with_room);
TestSuite(notif_full, .timeout = 20);

Test(notif_reply, knows_who_asked_for_what)
{
	cr_expect_eq(notif->tid, child);
	cr_expect_eq(notif->nr, SYS_getppid);
	cr_expect_eq(notif->args[0], (uintptr_t)pages);
	cr_expect_eq(notif->args[2], 3);
	cr_expect(notif_is_valid(&listener, notif));
	(void)answer(action_return(0));
	cr_expect_not(notif_is_valid(&listener, notif));
}

Test(notif_reply, gives_an_errno)
{
	cr_assert_eq(answer(action_errno(EXDEV)), REPLY_DONE);
	cr_assert_eq(finding->answer, -1);
	cr_assert_eq(finding->error, EXDEV);
}

Test(notif_reply, gives_a_value_of_64_bits)
{
	cr_assert_eq(answer(action_return(0x123456789abcdef)), REPLY_DONE);
	cr_assert_eq(finding->answer, 0x123456789abcdef);
}

Test(notif_reply, lets_the_kernel_run_the_call)
{
	cr_assert_eq(answer(action_next()), REPLY_CONTINUED);
	cr_assert_eq(finding->answer, getpid());
}

Test(notif_reply, answers_once)
{
	struct action again = action_return(7);

	cr_assert_eq(answer(action_return(6)), REPLY_DONE);
	cr_assert_eq(reply(&listener, notif, &again), REPLY_LOST);
	cr_assert_eq(finding->answer, 6);
}

static int our_file(void)
{
	return open("/proc/version", O_RDONLY | O_CLOEXEC);
}

static int own_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 1024; fd++) {
		count += fcntl(fd, F_GETFD) >= 0;
	}
	return count;
}

Test(notif_reply, injects_a_descriptor_at_the_lowest_slot)
{
	int before = own_descriptors();

	cr_assert_eq(answer(action_inject_fd(our_file(), ACTION_SLOT_LOWEST, true)), REPLY_DONE);

	cr_expect_eq(finding->answer, finding->lowest);
	cr_expect(finding->slot_is_open && finding->slot_is_cloexec && finding->file_is_ours);
	cr_expect_eq(own_descriptors(), before);
}

Test(notif_reply, injects_a_descriptor_at_a_slot_in_use)
{
	cr_assert_eq(answer(action_inject_fd(our_file(), 9, false)), REPLY_DONE);

	cr_expect_eq(finding->answer, 9);
	cr_expect(finding->slot_is_open && !finding->slot_is_cloexec && finding->file_is_ours);
}

Test(notif_reply, fails_with_EBADF_for_a_slot_past_the_limit)
{
	int before = own_descriptors();

	cr_assert_eq(answer(action_inject_fd(our_file(), FILE_LIMIT, false)), REPLY_DONE);

	cr_expect_eq(finding->answer, -1);
	cr_expect_eq(finding->error, EBADF);
	cr_expect_eq(own_descriptors(), before);
}

Test(notif_reply, fails_with_EACCES_for_a_descriptor_that_is_none)
{
	cr_assert_eq(answer(action_inject_fd(777, ACTION_SLOT_LOWEST, false)), REPLY_DONE);
	cr_expect_eq(finding->error, EACCES);
}

static int reported_slot = -1;
static long answer_at_report = -1;

static void report_slot(void *context, int slot)
{
	(void)context;
	reported_slot = slot;
	answer_at_report = finding->answer;
}

Test(notif_reply, tells_the_slot_before_the_task_goes_on)
{
	struct action action = action_inject_fd(our_file(), ACTION_SLOT_LOWEST, false);

	action.installed = report_slot;
	cr_assert_eq(answer(action), REPLY_DONE);

	cr_expect_eq(finding->answer, reported_slot);
	cr_expect_eq(answer_at_report, 0);
	cr_expect(finding->file_is_ours);
}

Test(notif_full, fails_with_EMFILE_in_a_full_table)
{
	start_caller(true);

	cr_assert_eq(answer(action_inject_fd(our_file(), ACTION_SLOT_LOWEST, false)), REPLY_DONE);
	cr_expect_eq(finding->answer, -1);
	cr_expect_eq(finding->error, EMFILE);
}

static void kill_child(void)
{
	siginfo_t info;

	cr_assert_eq(kill(child, SIGKILL), 0);
	cr_assert_eq(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
}

Test(notif_reply, is_lost_when_the_task_was_killed)
{
	struct action actions[] = {
		action_return(0),
		action_errno(EPERM),
		action_next(),
		action_inject_fd(our_file(), ACTION_SLOT_LOWEST, false),
		action_inject_fd(our_file(), 9, false),
	};

	kill_child();
	for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
		cr_expect_eq(reply(&listener, notif, &actions[i]), REPLY_LOST, "action %zu", i);
		cr_expect_eq(actions[i].fd, -1);
	}
	(void)waitpid(child, NULL, 0);
}

Test(notif_reply, kills_the_task)
{
	struct action action = action_kill_task();
	int status;

	(void)reply(&listener, notif, &action);

	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	cr_assert_eq(trees_ended, 0);
}

Test(notif_reply, asks_for_the_end_of_the_tree_and_answers_the_task)
{
	cr_assert_eq(answer(action_kill_tree()), REPLY_DONE);
	cr_assert_eq(trees_ended, 1);
	cr_assert_eq(finding->error, EPERM);
}

Test(notif_reply, knows_when_the_last_task_is_gone)
{
	struct notif *more = notif_pool_get(pool);

	cr_assert_not(listener_is_over(&listener));
	(void)answer(action_return(0));
	cr_assert_eq(notif_receive(&listener, more), -ENOENT);
	cr_assert(listener_is_over(&listener));
}

static struct call call;
static struct domain domain;

static void begin_call(void)
{
	domain.listener = &listener;
	call_begin(&call, &domain, NULL, notif);
}

Test(notif_reply, copies_memory_in_and_out)
{
	char buffer[2 * PAGE];

	begin_call();
	strcpy(pages, "from the task");
	cr_assert_eq(tracee_read(&call, notif->args[0], buffer, 14), 0);
	cr_assert_str_eq(buffer, "from the task");
	cr_assert(call.has_read_memory);
	cr_assert_eq(tracee_write(&call, notif->args[0] + PAGE - 2, "abcd", 5), 0);
	cr_assert_str_eq(pages + PAGE - 2, "abcd");
	(void)answer(action_return(0));
}

Test(notif_reply, refuses_memory_that_is_not_there)
{
	char buffer[2 * PAGE];
	uint64_t end = notif->args[0] + 2l * PAGE;

	begin_call();
	cr_expect_eq(tracee_read(&call, end - 4, buffer, 8), -EFAULT);
	cr_expect_eq(tracee_write(&call, end - 4, buffer, 8), -EFAULT);
	cr_expect_eq(tracee_read(&call, 0, buffer, 1), -EFAULT);
	cr_expect_eq(tracee_read(&call, UINT64_MAX, buffer, 2), -EFAULT);
	(void)answer(action_return(0));
}

Test(notif_reply, reads_a_string_up_to_its_end_and_not_beyond)
{
	char buffer[2 * PAGE];
	uint64_t end = notif->args[0] + 2l * PAGE;

	begin_call();
	memset(pages, 'x', 2l * PAGE);
	cr_expect_eq(tracee_read_string(&call, end - 4, buffer, sizeof(buffer)), -EFAULT);
	pages[2 * PAGE - 1] = '\0';
	cr_expect_eq(tracee_read_string(&call, end - 4, buffer, sizeof(buffer)), 3);
	cr_expect_eq(tracee_read_string(&call, end - PAGE - 9, buffer, sizeof(buffer)), PAGE + 8);
	cr_expect_eq(tracee_read_string(&call, end - PAGE - 9, buffer, 12), -ENAMETOOLONG);
	cr_expect_eq(tracee_read_string(&call, end - 4, buffer, 4), 3);
	cr_expect_eq(tracee_read_string(&call, end - 4, buffer, 3), -ENAMETOOLONG);
	(void)answer(action_return(0));
}

Test(notif_reply, trusts_no_memory_of_a_task_that_is_gone)
{
	char buffer[8];

	begin_call();
	kill_child();
	cr_expect_eq(tracee_read(&call, notif->args[0], buffer, 8), -ESRCH);
	cr_expect_eq(tracee_read_string(&call, notif->args[0], buffer, 8), -ESRCH);
	cr_expect_eq(tracee_write(&call, notif->args[0], buffer, 8), -ESRCH);
	(void)waitpid(child, NULL, 0);
}

Test(notif_reply, lends_a_slot_while_a_handler_blocks_and_takes_it_back)
{
	struct notif *second = notif_pool_get(pool);
	struct notif *lent;

	notif_pool_lend(pool);
	lent = notif_pool_get(pool);
	cr_assert_not_null(lent);
	notif_pool_reclaim(pool);
	notif_pool_put(pool, lent); /* goes where it came from */
	notif_pool_put(pool, second);
	cr_assert_eq(notif_pool_get(pool), second);
	(void)answer(action_return(0));
}

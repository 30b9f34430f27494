/* The composition root: the life of a sandbox on one screen, at the end of the file. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/base/last_act.h"
#include "core/child/keeper.h"
#include "core/run/caller.h"
#include "core/run/doors.h"
#include "core/run/memory_limit.h"
#include "core/run/outfit.h"
#include "core/run/sandbox.h"
#include "core/run/terminal.h"
#include "core/supervisor/throttle.h"
#include "handlers/features.h"

#define NEVER	       UINT64_MAX
#define REQUEST_TRIES  3
#define RECEIVE_TRIES  3
#define BLIND_PAUSE_NS 1000000

struct sandbox {
	const struct sandbox_policy *policy; /* borrowed */
	const struct plan *plan;	     /* borrowed */
	struct outfit outfit;
	pid_t keeper; /* 0 once it was reaped */
	int control;  /* owned: our end of the keeper's socket */
	int signals;  /* owned: signalfd */
	bool scoped;
	bool wants_terminal;	     /* all streams are the caller's, and 0 is a terminal */
	struct memory_limit *memory; /* owned; NULL without -m */
	struct throttle *throttle;   /* owned; NULL without -c */
	struct doors doors;	     /* closed when nothing is notified */
	uint64_t deadline_ns;	     /* of -t; NEVER without */
	uint64_t kill_deadline_ns;   /* after the TERM of a timeout; NEVER before it */
	struct result result;	     /* grows while the run goes on */
	int refused;		     /* receives in a row that the kernel refused */
	struct error failure;	     /* our own; its code is 0 without one */
	struct last_act last_act;    /* when memory runs out */
};

/* A request that is lost could leave a tree running or stopped for good, so one that the kernel has
 * no room for even at the third try becomes the end of our side of the socket: the keeper ends the
 * tree and reports.  A keeper that is gone is noticed by the end of its own side. */
static void keeper_request(const struct sandbox *sandbox, enum keeper_message_kind kind, int signal)
{
	struct keeper_message message = { kind, signal };

	for (int i = 0; i < REQUEST_TRIES; i++) {
		if (send(sandbox->control, &message, sizeof(message), MSG_NOSIGNAL) >= 0 ||
			errno == EPIPE || errno == ECONNRESET) {
			return;
		}
	}
	(void)shutdown(sandbox->control, SHUT_WR); /* fails only on what is no socket */
}

/* Memory ran out, in whatever state we are: the tree ends with the keeper's socket, and the private
 * directory goes when nothing uses it any more. */
static void abandon(void *context)
{
	const struct sandbox *sandbox = context;

	if (sandbox->keeper > 0) {
		(void)shutdown(sandbox->control, SHUT_WR); /* as above */
		(void)waitpid(sandbox->keeper, NULL, 0);   /* ECHILD: reaped already */
	}
	outfit_remove_private_tmp(&sandbox->outfit);
}

static int start_keeper(struct sandbox *sandbox, struct error *error)
{
	const struct outfit *outfit = &sandbox->outfit;
	bool inherits = outfit->stdio[0] == 0 && outfit->stdio[1] == 1 && outfit->stdio[2] == 2;
	bool is_terminal = terminal_is_there();
	struct hand_over hand_over = { 0 };
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
		return error_set(error, errno, "socketpair: %s", strerror(errno));
	}
	sandbox->wants_terminal = inherits && is_terminal;

	struct launch launch = {
		.plan = sandbox->plan,
		.report = &sandbox->result.report,
		.ruleset_fd = outfit->ruleset_fd,
		.scope_fd = outfit->scope_fd,
		.control_fd = ends[1],
		.stdio = { outfit->stdio[0], outfit->stdio[1], outfit->stdio[2] },
		/* In a session of its own the keeper would orphan the command's group, and the
		 * terminal could no longer stop it (termios(3), "orphaned process group"). */
		.own_session = !is_terminal,
		.takes_terminal = sandbox->wants_terminal && terminal_is_ours(),
		.announces_start = sandbox->wants_terminal,
		.announces_end = sandbox->result.has_environment,
		.hand_over = notify_plan_needs_listener(&sandbox->plan->notify) ? &hand_over : NULL,
	};

	sandbox->keeper = fork();
	if (sandbox->keeper == 0) {
		/* Measurement goes on without the group. */
		(void)memory_limit_join(sandbox->memory);
		keeper_run(&launch);
	}
	fd_close(&ends[1]);
	if (sandbox->keeper < 0) {
		sandbox->keeper = 0;
		fd_close(&ends[0]);
		return error_set(error, errno, "fork: %s", strerror(errno));
	}
	sandbox->control = ends[0];
	/* They were for the command: whoever reads their other end must not wait for us. */
	for (size_t i = 0; i < sandbox->plan->keep_fds.count; i++) {
		(void)close((int)sandbox->plan->keep_fds.items[i]);
	}
	return 0;
}

static int start_limits(struct sandbox *sandbox, struct error *error)
{
	const struct plan *plan = sandbox->plan;
	uint64_t now = clock_monotonic_ns();

	sandbox->deadline_ns = plan->timeout_ns > 0 ? now + plan->timeout_ns : NEVER;
	sandbox->kill_deadline_ns = NEVER;
	if (sandbox->memory != NULL) {
		int r = memory_limit_start(sandbox->memory, sandbox->keeper, error);

		if (r < 0) {
			return r;
		}
	}
	if (plan->cpu_percent < 100) {
		sandbox->throttle = throttle_create(sandbox->keeper, plan->cpu_percent, now);
		if (sandbox->throttle == NULL) {
			return error_set(
				error, errno, "--cpu: cannot throttle: %s", strerror(errno));
		}
	}
	return 0;
}

/* Gives the terminal to the command, if it is ours to give and the command is meant to have it. */
static void lend_terminal(const struct sandbox *sandbox)
{
	if (sandbox->wants_terminal) {
		terminal_hand_over(getpgrp(), sandbox->result.report.root);
	}
}

/* The command was stopped by the terminal: so are we, for the shell that watches us.  It continues
 * us, and we continue the command.  A shell that brings a running job to the foreground gives us
 * the terminal without a signal; the command notices first, by TTIN or TTOU. */
static void stop_with_the_command(const struct sandbox *sandbox, int signal)
{
	if ((signal != SIGTTIN && signal != SIGTTOU) || !terminal_is_ours()) {
		terminal_hand_over(sandbox->result.report.root, getpgrp());
		(void)raise(SIGSTOP); /* returns when somebody sends SIGCONT */
	}
	lend_terminal(sandbox);
	keeper_request(sandbox, KEEPER_SIGNAL_GROUP, SIGCONT);
}

/* We were asked to stop: the tree stops first, and goes on when we do. */
static void stop_with_the_tree(const struct sandbox *sandbox)
{
	keeper_request(sandbox, KEEPER_SIGNAL_TREE, SIGSTOP);
	(void)raise(SIGSTOP);
	lend_terminal(sandbox);
	keeper_request(sandbox, KEEPER_SIGNAL_TREE, SIGCONT);
}

static void handle_signals(const struct sandbox *sandbox)
{
	struct signalfd_siginfo info;

	while (read(sandbox->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGTSTP:
			stop_with_the_tree(sandbox);
			break;
		case SIGCONT: /* a background job was brought to the foreground */
			lend_terminal(sandbox);
			break;
		default:
			keeper_request(sandbox, KEEPER_SIGNAL_GROUP, (int)info.ssi_signo);
		}
	}
}

/* From any thread: the socket takes care of itself. */
static void end_tree(void *context)
{
	keeper_request(context, KEEPER_SIGNAL_TREE, SIGKILL);
}

/* The command waits behind its filter until somebody receives; or until it is ended, because nobody
 * can. */
static void open_doors(struct sandbox *sandbox, int listener, pid_t root)
{
	/* A failure has ended the tree; the rest comes with the end of the keeper. */
	(void)doors_open(&sandbox->doors, sandbox->plan, listener, root, end_tree, sandbox);
	keeper_request(sandbox, KEEPER_RESUME, 0);
}

static void handle_message(
	struct sandbox *sandbox, const struct keeper_message *message, int listener)
{
	switch (message->kind) {
	case KEEPER_ROOT_STARTED:
		sandbox->result.report.root = message->value;
		break;
	case KEEPER_LISTENER:
		open_doors(sandbox, listener, message->value);
		break;
	case KEEPER_ROOT_ENDING:
		record_env_process(&sandbox->result.environment, message->value);
		keeper_request(sandbox, KEEPER_MAY_REAP, 0);
		break;
	case KEEPER_ROOT_STOPPED:
		/* Only what the terminal or the command itself stops: the throttle's stops are
		 * SIGSTOP. */
		if (sandbox->wants_terminal && message->value != SIGSTOP) {
			stop_with_the_command(sandbox, message->value);
		}
		break;
	default:
		break;
	}
}

/* True while the keeper is there. */
static bool handle_keeper(struct sandbox *sandbox)
{
	union {
		struct keeper_message message;
		struct run_report report;
	} received;
	int fd;
	ssize_t length = doors_receive_message(sandbox->control, &received, sizeof(received), &fd);

	/* A keeper that leaves a request unread resets the connection: that comes before its
	 * report, and only once (net/unix/af_unix.c, unix_release_sock).  An error that stays is
	 * met again at once, and then it is ours. */
	if (length < 0 && (errno == EAGAIN || errno == EINTR || sandbox->refused < RECEIVE_TRIES)) {
		sandbox->refused += errno != EAGAIN && errno != EINTR;
		return true;
	}
	if (length < 0) {
		(void)error_set(&sandbox->failure, errno, "keeper: cannot receive: %s",
			strerror(errno)); /* told at the end */
		return false;
	}
	sandbox->refused = 0;
	if (length == (ssize_t)sizeof(received.report)) {
		sandbox->result.report = received.report;
		return false; /* its last word */
	}
	if (length != (ssize_t)sizeof(received.message)) {
		return false;
	}
	handle_message(sandbox, &received.message, fd);
	return true;
}

static void handle_timeout(struct sandbox *sandbox, uint64_t now)
{
	if (now >= sandbox->kill_deadline_ns) {
		sandbox->kill_deadline_ns = NEVER;
		keeper_request(sandbox, KEEPER_SIGNAL_TREE, SIGKILL);
	}
	if (now >= sandbox->deadline_ns) {
		sandbox->deadline_ns = NEVER;
		sandbox->result.timed_out = true;
		if (sandbox->plan->kill_after_ns > 0) {
			sandbox->kill_deadline_ns = now + sandbox->plan->kill_after_ns;
			keeper_request(sandbox, KEEPER_SIGNAL_TREE, SIGTERM);
			/* A stopped task takes no TERM. */
			keeper_request(sandbox, KEEPER_SIGNAL_TREE, SIGCONT);
		} else {
			keeper_request(sandbox, KEEPER_SIGNAL_TREE, SIGKILL);
		}
	}
}

/* Our own failure: the run ends, and says so. */
static void end_for_failure(struct sandbox *sandbox, int error, const char *what)
{
	if (sandbox->failure.code == 0) {
		(void)error_set(&sandbox->failure, error, "%s: %s", what,
			strerror(error)); /* told at the end */
		keeper_request(sandbox, KEEPER_SIGNAL_TREE, SIGKILL);
	}
}

static uint64_t earliest(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t next_wakeup(const struct sandbox *sandbox)
{
	uint64_t due = earliest(sandbox->deadline_ns, sandbox->kill_deadline_ns);

	if (sandbox->memory != NULL) {
		due = earliest(due, memory_limit_due(sandbox->memory));
	}
	if (sandbox->throttle != NULL) {
		due = earliest(due, throttle_due(sandbox->throttle));
	}
	return due;
}

static void handle_clock(struct sandbox *sandbox)
{
	uint64_t now = clock_monotonic_ns();

	handle_timeout(sandbox, now);
	if (sandbox->memory != NULL && now >= memory_limit_due(sandbox->memory)) {
		int r = memory_limit_look(sandbox->memory, now, &sandbox->result);

		if (r < 0) {
			end_for_failure(sandbox, -r, "--max-memory: cannot measure");
		}
	}
	if (sandbox->throttle != NULL && now >= throttle_due(sandbox->throttle)) {
		throttle_step(sandbox->throttle, now);
	}
}

enum source {
	SOURCE_KEEPER,
	SOURCE_SIGNALS,
	SOURCE_DOORS,
	SOURCE_RELAY,
	SOURCE_COUNT = SOURCE_RELAY + RELAY_STREAMS
};

/* One wait for everything.  Without limits and relay it returns twice in a run: when a signal
 * comes, and when the keeper has ended. */
static void wait_for_events(const struct sandbox *sandbox, struct pollfd sources[SOURCE_COUNT])
{
	uint64_t due = next_wakeup(sandbox);
	uint64_t now = due == NEVER ? 0 : clock_monotonic_ns();
	uint64_t left = due > now ? due - now : 0;
	struct timespec timeout = clock_timespec(left);

	sources[SOURCE_KEEPER] = (struct pollfd){ .fd = sandbox->control, .events = POLLIN };
	sources[SOURCE_SIGNALS] = (struct pollfd){ .fd = sandbox->signals, .events = POLLIN };
	sources[SOURCE_DOORS] =
		(struct pollfd){ .fd = doors_service(&sandbox->doors), .events = POLLIN };
	sources[SOURCE_RELAY] = sources[SOURCE_RELAY + 1] = (struct pollfd){ .fd = -1 };
	if (sandbox->outfit.has_relay) {
		relay_prepare(&sandbox->outfit.relay, &sources[SOURCE_RELAY]);
	}
	if (ppoll(sources, SOURCE_COUNT, due == NEVER ? NULL : &timeout, NULL) < 0) {
		bool is_blind = errno != EINTR; /* which comes after a stop: the loop looks again */
		const struct timespec pause = { .tv_nsec = BLIND_PAUSE_NS };

		/* Whatever the kernel lacks, the loop must go on: every source is asked without
		 * waiting. */
		for (int i = 0; i < SOURCE_COUNT; i++) {
			sources[i].revents = is_blind && sources[i].fd >= 0 ? POLLIN : 0;
		}
		if (is_blind) {
			(void)nanosleep(&pause, NULL); /* a shorter one is as good */
		}
	}
}

static void handle_relay(struct sandbox *sandbox, const struct pollfd *sources)
{
	struct relay *relay = &sandbox->outfit.relay;

	relay_step(relay, sources);
	if (relay->cut && !sandbox->result.output_cut) {
		sandbox->result.output_cut = true;
		keeper_request(sandbox, KEEPER_SIGNAL_TREE, SIGKILL);
	}
	if (relay->error != 0) {
		end_for_failure(sandbox, relay->error, "--max-output: output was lost");
	}
}

/* The writers are dead; what the pipes still hold is delivered.  A survivor of a failed teardown
 * could hold them open: then the relay stops at what is there. */
static void drain_relay(struct sandbox *sandbox)
{
	struct relay *relay = &sandbox->outfit.relay;
	struct pollfd sources[RELAY_STREAMS];
	int ready;

	while (sandbox->outfit.has_relay && relay_is_active(relay)) {
		int timeout = sandbox->result.report.complete ? -1 : 0;

		relay_prepare(relay, sources);
		ready = poll(sources, RELAY_STREAMS, timeout);
		if (ready == 0) {
			break;
		}
		for (int i = 0; ready < 0 && i < RELAY_STREAMS; i++) {
			sources[i].revents = sources[i].fd >= 0 ? POLLIN : 0; /* as in the loop */
		}
		handle_relay(sandbox, sources);
	}
	sandbox->result.output_bytes = relay->passed;
}

/* The keeper's socket has ended.  Either it has done its work, or it died, and this thread does it.
 */
static void end_of_keeper(struct sandbox *sandbox)
{
	struct run_report *report = &sandbox->result.report;

	throttle_destroy(steal_pointer(sandbox->throttle));
	if (sandbox->keeper > 0) {
		/* It has said everything in the report; or it has not, and must not wait for us. */
		(void)shutdown(sandbox->control, SHUT_WR);
		while (waitpid(sandbox->keeper, NULL, 0) < 0 && errno == EINTR) {
		}
		sandbox->keeper = 0;
	}
	if (!report->complete) {
		report->complete = tree_end(sandbox->scoped, report);
	}
	doors_close(&sandbox->doors, &sandbox->result);
	if (sandbox->wants_terminal && report->root > 0) {
		terminal_hand_over(report->root, getpgrp());
	}
}

/* In the scope's absence only the keeper and its children are within reach; the keeper's own end
 * ends the rest, because its socket closes with ours. */
void sandbox_destroy(struct sandbox *sandbox)
{
	if (sandbox == NULL) {
		return;
	}
	fd_close(&sandbox->control);
	if (sandbox->keeper > 0) {
		end_of_keeper(sandbox);
	}
	memory_limit_finish(sandbox->memory, NULL);
	throttle_destroy(sandbox->throttle);
	fd_close(&sandbox->signals);
	result_finish(&sandbox->result); /* empty after sandbox_wait() */
	outfit_finish(&sandbox->outfit);
	last_act_end(&sandbox->last_act);
	free(sandbox);
}

const struct feature *const *sandbox_features(void)
{
	return features;
}

int sandbox_start(const struct sandbox_policy *policy, const struct plan *plan,
	struct sandbox **ret_sandbox, struct error *error)
{
	struct sandbox *sandbox = must_allocate(sizeof(*sandbox));
	int r;

	*sandbox = (struct sandbox){ .policy = policy, .plan = plan, .control = -1, .signals = -1 };
	doors_init(&sandbox->doors);
	sandbox->result.started_ns = clock_monotonic_ns();
	sandbox->last_act = (struct last_act){ .function = abandon, .context = sandbox };
	last_act_begin(&sandbox->last_act);
	r = outfit_init(&sandbox->outfit, policy, plan, error);
	if (r < 0) {
		last_act_end(&sandbox->last_act);
		free(sandbox);
		return r;
	}
	r = sandbox->signals = caller_watch_signals(error);
	if (r >= 0) {
		r = caller_enter_scope(sandbox->outfit.scope_fd, error);
	}
	if (r >= 0) {
		r = caller_pin(policy, error);
	}
	if (r >= 0 && plan->memory_limit > 0) {
		r = memory_limit_create(plan->memory_limit, &sandbox->memory, error);
	}
	if (r >= 0) {
		if (policy->run.record_env) {
			result_begin_record(&sandbox->result, plan);
		}
		sandbox->scoped = sandbox->outfit.scope_fd >= 0;
		r = start_keeper(sandbox, error);
	}
	if (r >= 0) {
		r = start_limits(sandbox, error);
	}
	if (r < 0) {
		sandbox_destroy(sandbox);
		return r;
	}
	outfit_release(&sandbox->outfit);
	*ret_sandbox = sandbox;
	return 0;
}

void sandbox_wait(struct sandbox *sandbox, struct result *ret_result)
{
	struct result *result = &sandbox->result;
	struct pollfd sources[SOURCE_COUNT];

	for (;;) {
		wait_for_events(sandbox, sources);
		if (sources[SOURCE_SIGNALS].revents != 0) {
			handle_signals(sandbox);
		}
		if (sandbox->outfit.has_relay) {
			handle_relay(sandbox, &sources[SOURCE_RELAY]);
		}
		if (sources[SOURCE_DOORS].revents != 0) {
			doors_serve(&sandbox->doors);
		}
		if (sources[SOURCE_KEEPER].revents != 0 && !handle_keeper(sandbox)) {
			break;
		}
		if (next_wakeup(sandbox) != NEVER) {
			handle_clock(sandbox);
		}
	}
	end_of_keeper(sandbox);
	drain_relay(sandbox);

	memory_limit_finish(steal_pointer(sandbox->memory), result);
	result->ended_ns = clock_monotonic_ns();
	result->wall_offset_ns = (int64_t)(clock_realtime_ns() - result->ended_ns);
	if (result->has_environment) {
		result_end_record(result);
	}
	result_judge(result, sandbox->plan);
	if (sandbox->doors.error.code != 0) {
		result_fail(result, &sandbox->doors.error);
	}
	if (sandbox->failure.code != 0) {
		result_fail(result, &sandbox->failure);
	}
	*ret_result = *result;
	result->environment = (struct env_record){ 0 }; /* the caller owns it now */
}

int sandbox_freeze(struct sandbox *sandbox)
{
	return doors_freeze(&sandbox->doors);
}

void sandbox_thaw(struct sandbox *sandbox)
{
	doors_thaw(&sandbox->doors);
}

int sandbox_become(const struct sandbox_policy *policy, const struct plan *plan, int *ret_code,
	struct error *error)
{
	struct outfit outfit;
	struct run_report report = { 0 };
	char message[sizeof(error->text)];
	int r = outfit_init(&outfit, policy, plan, error);

	*ret_code = EXIT_CODE_SANDLOCK;
	if (r < 0) {
		return r;
	}
	struct launch launch = {
		.plan = plan,
		.report = &report,
		.ruleset_fd = outfit.ruleset_fd,
		.scope_fd = -1,
		.control_fd = -1,
		.stdio = { outfit.stdio[0], outfit.stdio[1], outfit.stdio[2] },
	};

	child_become_command(&launch);
	*ret_code = result_describe_setup(&report, plan, message, sizeof(message));
	r = error_set(error, report.error, "%s", message);
	outfit_finish(&outfit);
	return r;
}

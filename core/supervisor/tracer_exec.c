/* What an approved exec may become, and the look at what became of it. */
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "core/base/thread.h"
#include "core/plan/plan.h"
#include "core/process/domain.h"
#include "core/supervisor/tracer_exec.h"

/* One of these stands for each thread whose exec was approved and has not been seen; one whose exec
 * has failed keeps it until its next, or its end. */
struct expected_exec {
	struct expected_exec *next;
	pid_t tid;
	struct exec_expectation expectation;
};

void tracer_exec_init(struct tracer *tracer)
{
	(void)pthread_mutex_init(&tracer->execs.lock, NULL); /* without attributes it cannot fail */
}

static struct expected_exec **find(struct tracer_execs *execs, pid_t tid)
{
	struct expected_exec **place = &execs->expected;

	while (*place != NULL && (*place)->tid != tid) {
		place = &(*place)->next;
	}
	return place;
}

int tracer_expect(struct tracer *tracer, pid_t tid, const struct exec_expectation *expectation)
{
	struct tracer_execs *execs = &tracer->execs;
	struct expected_exec *fresh = malloc(sizeof(*fresh));
	struct expected_exec **place;

	if (fresh == NULL) {
		return -ENOMEM;
	}
	*fresh = (struct expected_exec){ .tid = tid, .expectation = *expectation };
	(void)pthread_mutex_lock(&execs->lock);
	place = find(execs, tid);
	if (*place != NULL) {
		(*place)->expectation = *expectation;
	} else {
		fresh->next = execs->expected;
		execs->expected = fresh;
		fresh = NULL;
	}
	(void)pthread_mutex_unlock(&execs->lock);
	free(fresh);
	return 0;
}

/* NULL if nothing is expected of the thread. */
static struct expected_exec *take(struct tracer_execs *execs, pid_t tid)
{
	struct expected_exec **place;
	struct expected_exec *taken;

	(void)pthread_mutex_lock(&execs->lock);
	place = find(execs, tid);
	taken = *place;
	if (taken != NULL) {
		*place = taken->next;
	}
	(void)pthread_mutex_unlock(&execs->lock);
	return taken;
}

void tracer_exec_event(struct tracer *tracer, pid_t tgid, pid_t former)
{
	struct expected_exec *expected;

	assert_role(THREAD_TRACER);
	if (tracer->domain->plan->notify.judge_count == 0) {
		return;
	}
	expected = take(&tracer->execs, former);
	if (expected == NULL || exec_expectation_check(&expected->expectation, tgid) != 0) {
		/* It stands at its event, and dies where it stands. */
		(void)kill(tgid, SIGKILL);
		atomic_fetch_add(&tracer->execs.kills, 1);
	}
	free(expected);
}

void tracer_exec_forget(struct tracer *tracer, pid_t tid)
{
	if (tracer->domain->plan->notify.judge_count > 0) {
		free(take(&tracer->execs, tid));
	}
}

void tracer_exec_finish(struct tracer *tracer)
{
	while (tracer->execs.expected != NULL) {
		free(take(&tracer->execs, tracer->execs.expected->tid));
	}
	(void)pthread_mutex_destroy(&tracer->execs.lock);
}

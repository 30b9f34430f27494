/* The tracer's inbox under load: many threads ask for the truth at once, beside a tree that forks;
 * everybody is answered, and the tracer ends when it is told to. */
// SPDX-License-Identifier: Apache-2.0
/* usage: inbox [REQUESTS]   of each thread; 0 when all holds */

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/thread.h"
#include "core/notif/notif.h"
#include "core/plan/plan.h"
#include "core/process/domain.h"
#include "core/supervisor/tracer.h"

#define ASKERS 4

static struct tracer tracer;
static struct fork_count forks;
static uint64_t requests;
static pid_t root;

/* Forks until it is killed; a copy of it ends at once. */
static void be_the_tree(void)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGCHLD, SIG_IGN);
	for (;;) {
		if (fork() == 0) {
			_exit(0);
		}
		(void)usleep(200);
	}
}

static void end_tree(void *context)
{
	(void)context;
	(void)kill(root, SIGKILL);
}

static void ignore_full(void *context)
{
	(void)context; /* it is all freed at the end */
}

static void *ask(void *argument)
{
	uint64_t number = (uintptr_t)argument;

	for (uint64_t i = 0; i < requests; i++) {
		if ((i + number) % 3 == 0) {
			tracer_note_received(&tracer, root);
		} else {
			tracer_settle(&tracer);
		}
	}
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct plan plan = { 0 };
	struct listener listener = { .end_tree = end_tree };
	struct domain domain = { .plan = &plan, .listener = &listener, .forks = &forks };
	pthread_t askers[ASKERS];
	struct error error;
	int status;

	requests = argc > 1 ? strtoull(argv[1], NULL, 10) : 20000;
	(void)alarm(600); /* somebody who is never answered ends the program */
	root = fork();
	if (root == 0) {
		be_the_tree();
	}
	fork_count_init(&forks);
	domain.index = process_index_create(ignore_full, NULL);
	domain.tracer = &tracer;
	if (root < 0 || domain.index == NULL || tracer_start(&tracer, &domain, root, &error) < 0) {
		fprintf(stderr, "inbox: cannot start\n");
		return 1;
	}
	for (uintptr_t i = 0; i < ASKERS; i++) {
		if (thread_start(THREAD_WORKER, (unsigned)i, ask, (void *)i, &askers[i]) < 0) {
			return 1;
		}
	}
	for (size_t i = 0; i < ASKERS; i++) {
		(void)pthread_join(askers[i], NULL);
	}
	end_tree(NULL);
	tracer_stop(&tracer);
	(void)waitpid(root, &status, 0);
	process_index_destroy(domain.index);
	printf("inbox: %llu requests of %d threads, most alive %zu, left %zu, tokens %zu\n",
		(unsigned long long)requests, ASKERS, forks.peak, forks.processes,
		forks.token_count);
	fork_count_finish(&forks);
	return forks.processes == 0 && forks.token_count == 0 && forks.peak > 1 ? 0 : 1;
}

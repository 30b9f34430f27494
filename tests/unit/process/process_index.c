/* The index of processes: threads, leaders, references, and what is freed when. */
// SPDX-License-Identifier: Apache-2.0
/* native only: needs this kernel's pidfds of threads */

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>
#include <urcu/urcu-memb.h>

#include "core/process/process_index.h"
#include "core/process/task_identity.h"

#define THREADS 4

/* Threads of this process that are there until they are told to go. */
struct sleeper {
	pid_t tid;
	sem_t is_ready, may_go;
	pthread_t thread;
};

static struct process_index *process_index;
static struct sleeper sleepers[THREADS];
static _Atomic int times_full;

static void note_full(void *context)
{
	(void)context;
	atomic_fetch_add(&times_full, 1);
}

static void *sleep_until_told(void *argument)
{
	struct sleeper *sleeper = argument;

	sleeper->tid = gettid();
	(void)sem_post(&sleeper->is_ready);
	while (sem_wait(&sleeper->may_go) < 0) {
	}
	return NULL;
}

static void start_sleepers(void)
{
	for (size_t i = 0; i < THREADS; i++) {
		(void)sem_init(&sleepers[i].is_ready, 0, 0);
		(void)sem_init(&sleepers[i].may_go, 0, 0);
		cr_assert_eq(
			pthread_create(&sleepers[i].thread, NULL, sleep_until_told, &sleepers[i]),
			0);
		(void)sem_wait(&sleepers[i].is_ready);
	}
}

static void stop_sleepers(void)
{
	for (size_t i = 0; i < THREADS; i++) {
		(void)sem_post(&sleepers[i].may_go);
		(void)pthread_join(sleepers[i].thread, NULL);
	}
}

static void set_up(void)
{
	urcu_memb_register_thread();
	process_index = process_index_create(note_full, NULL);
	cr_assert_not_null(process_index);
	start_sleepers();
}

static void tear_down(void)
{
	stop_sleepers();
	process_index_destroy(process_index);
	urcu_memb_unregister_thread();
}

TestSuite(process_index, .init = set_up, .fini = tear_down, .timeout = 30);

Test(process_index, finds_a_process_by_the_id_of_any_of_its_threads)
{
	struct process *leader, *thread;

	cr_assert_eq(process_index_add(process_index, getpid()), 0);
	cr_assert_eq(process_index_add(process_index, sleepers[0].tid), 0);

	leader = process_index_get(process_index, getpid());
	thread = process_index_get(process_index, sleepers[0].tid);

	cr_assert_not_null(leader);
	cr_assert_eq(leader, thread);
	cr_assert_eq(leader->tgid, getpid());
	cr_assert_eq(process_index_processes(process_index), 1);
	process_put(leader);
	process_put(thread);
}

Test(process_index, knows_nothing_of_others)
{
	cr_assert_eq(process_index_add(process_index, getpid()), 0);

	cr_assert_null(process_index_get(process_index, sleepers[0].tid));
	cr_assert_null(process_index_tracee(process_index, sleepers[0].tid));
	cr_assert_not(process_index_remove(process_index, sleepers[0].tid));
}

Test(process_index, refuses_a_task_twice_and_a_thread_without_its_leader)
{
	cr_assert_eq(process_index_add(process_index, sleepers[0].tid), -ESRCH);
	cr_assert_eq(process_index_add(process_index, getpid()), 0);
	cr_assert_eq(process_index_add(process_index, getpid()), -EEXIST);
	cr_assert_eq(process_index_processes(process_index), 1);
}

Test(process_index, refuses_a_task_that_is_gone)
{
	pid_t pid = fork();

	if (pid == 0) {
		_exit(0);
	}
	cr_assert_eq(waitpid(pid, NULL, 0), pid);

	cr_assert_eq(process_index_add(process_index, pid), -ESRCH);
	cr_assert_eq(process_index_processes(process_index), 0);
}

Test(process_index, ends_a_process_with_its_leader_and_not_with_a_thread)
{
	cr_assert_eq(process_index_add(process_index, getpid()), 0);
	cr_assert_eq(process_index_add(process_index, sleepers[0].tid), 0);
	cr_assert_eq(process_index_add(process_index, sleepers[1].tid), 0);

	cr_assert_not(process_index_remove(process_index, sleepers[0].tid));
	cr_assert_eq(process_index_processes(process_index), 1);
	cr_assert_null(process_index_get(process_index, sleepers[0].tid));
	cr_assert(process_index_remove(process_index, getpid()));
	cr_assert_eq(process_index_processes(process_index), 0);
	cr_assert_null(process_index_get(process_index, getpid()));
}

Test(process_index, keeps_the_process_when_an_exec_gives_a_thread_its_leaders_id)
{
	struct process *before, *after;

	cr_assert_eq(process_index_add(process_index, getpid()), 0);
	cr_assert_eq(process_index_add(process_index, sleepers[0].tid), 0);
	before = process_index_get(process_index, getpid());

	/* What the tracer does at the event: the former id goes, the leader's stays. */
	cr_assert_not(process_index_remove(process_index, sleepers[0].tid));
	after = process_index_get(process_index, getpid());

	cr_assert_eq(before, after);
	cr_assert_eq(process_index_processes(process_index), 1);
	process_put(before);
	process_put(after);
}

Test(process_index, keeps_what_is_referred_to_after_its_end_and_a_reclaim)
{
	struct process *process;

	cr_assert_eq(process_index_add(process_index, getpid()), 0);
	process = process_index_get(process_index, getpid());
	cr_assert(process_index_remove(process_index, getpid()));

	process_index_reclaim(process_index);

	cr_assert_eq(process->tgid, getpid());
	cr_assert_eq(atomic_load(&process->references), 1);
	process_put(process);
	process_index_reclaim(process_index);
}

Test(process_index, makes_a_new_process_of_an_id_that_comes_again)
{
	struct process *first, *second;

	cr_assert_eq(process_index_add(process_index, getpid()), 0);
	first = process_index_get(process_index, getpid());
	cr_assert(process_index_remove(process_index, getpid()));
	cr_assert_eq(process_index_add(process_index, getpid()), 0);
	second = process_index_get(process_index, getpid());

	cr_assert_neq(first, second);
	process_put(first);
	process_put(second);
}

Test(process_index, asks_for_a_reclaim_once_a_batch)
{
	cr_assert_eq(process_index_add(process_index, getpid()), 0);

	for (int i = 0; i < 255; i++) { /* a task each time; the process stays */
		cr_assert_eq(process_index_add(process_index, sleepers[0].tid), 0);
		(void)process_index_remove(process_index, sleepers[0].tid);
	}
	cr_assert_eq(atomic_load(&times_full), 0);
	for (int i = 0; i < 200; i++) {
		cr_assert_eq(process_index_add(process_index, sleepers[0].tid), 0);
		(void)process_index_remove(process_index, sleepers[0].tid);
	}
	cr_assert_eq(atomic_load(&times_full), 1);

	process_index_reclaim(process_index);
	for (int i = 0; i < 256; i++) {
		cr_assert_eq(process_index_add(process_index, sleepers[0].tid), 0);
		(void)process_index_remove(process_index, sleepers[0].tid);
	}
	cr_assert_eq(atomic_load(&times_full), 2);
}

struct visit {
	size_t tasks;
	bool removes;
};

static void visit(void *context, pid_t tid, struct process *process, struct tracee *tracee)
{
	struct visit *visit = context;
	(void)tracee;

	cr_expect_eq(process->tgid, getpid());
	visit->tasks++;
	if (visit->removes) {
		(void)process_index_remove(process_index, tid);
	}
}

Test(process_index, visits_every_task_even_when_the_visit_removes_it)
{
	struct visit looking = { 0 }, removing = { .removes = true }, after = { 0 };

	cr_assert_eq(process_index_add(process_index, getpid()), 0);
	for (size_t i = 0; i < THREADS; i++) {
		cr_assert_eq(process_index_add(process_index, sleepers[i].tid), 0);
	}

	process_index_each(process_index, visit, &looking);
	process_index_each(process_index, visit, &removing);
	process_index_each(process_index, visit, &after);

	cr_assert_eq(looking.tasks, THREADS + 1);
	cr_assert_eq(removing.tasks, THREADS + 1);
	cr_assert_eq(after.tasks, 0);
	cr_assert_eq(process_index_processes(process_index), 0);
}

Test(process_index, keeps_the_tracers_notes_on_each_thread_apart)
{
	cr_assert_eq(process_index_add(process_index, getpid()), 0);
	cr_assert_eq(process_index_add(process_index, sleepers[0].tid), 0);

	process_index_tracee(process_index, sleepers[0].tid)->is_interrupted = true;

	cr_assert_not(process_index_tracee(process_index, getpid())->is_interrupted);
	cr_assert(process_index_tracee(process_index, sleepers[0].tid)->is_interrupted);
}

Test(process_index, can_be_destroyed_when_it_never_was)
{
	process_index_destroy(NULL);
}

Test(process_index, tells_the_threads_of_a_process_apart)
{
	struct task_identity leader, thread, again;

	cr_assert_eq(task_identify(getpid(), &leader), 0);
	cr_assert_eq(task_identify(sleepers[0].tid, &thread), 0);
	cr_assert_eq(task_identify(sleepers[0].tid, &again), 0);

	cr_assert_eq(leader.tgid, getpid());
	cr_assert_eq(thread.tgid, getpid());
	cr_assert_neq(leader.identity, thread.identity);
	cr_assert_eq(thread.identity, again.identity);
}

Test(process_index, identifies_who_has_ended_until_it_is_waited_for)
{
	struct task_identity alive, dead, gone;
	int ends[2];
	siginfo_t info;
	pid_t pid;

	cr_assert_eq(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		(void)close(ends[1]);
		(void)!read(ends[0], &ends[1], 1);
		_exit(0);
	}
	cr_assert_eq(task_identify(pid, &alive), 0);
	(void)close(ends[1]);
	cr_assert_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);

	cr_expect_eq(task_identify(pid, &dead), 0);
	cr_expect_eq(dead.identity, alive.identity);
	cr_expect_eq(dead.tgid, pid);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
	cr_assert_eq(task_identify(pid, &gone), -ESRCH);
	(void)close(ends[0]);
}

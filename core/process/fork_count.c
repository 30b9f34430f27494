/* How many processes a sandbox has, exact at every moment at which somebody asks for one more. */
// SPDX-License-Identifier: Apache-2.0

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/process/fork_count.h"

#define TOKENS_AT_FIRST 64

static void lock(struct fork_count *count)
{
	(void)pthread_mutex_lock(&count->lock); /* an error-checking mutex it is not */
}

static void unlock(struct fork_count *count)
{
	(void)pthread_mutex_unlock(&count->lock);
}

void fork_count_init(struct fork_count *count)
{
	*count = (struct fork_count){ 0 };
	(void)pthread_mutex_init(&count->lock, NULL); /* without attributes neither can fail */
	(void)pthread_cond_init(&count->settled, NULL);
}

void fork_count_finish(struct fork_count *count)
{
	free(count->tokens);
	(void)pthread_cond_destroy(&count->settled);
	(void)pthread_mutex_destroy(&count->lock);
}

/* With the lock held.  A thread has one token at most: it forks once at a time. */
static struct fork_token *find_token(struct fork_count *count, pid_t tid)
{
	for (size_t i = 0; i < count->token_count; i++) {
		if (count->tokens[i].tid == tid) {
			return &count->tokens[i];
		}
	}
	return NULL;
}

/* With the lock held.  NULL is no token. */
static void drop_token(struct fork_count *count, struct fork_token *token)
{
	if (token != NULL) {
		size_t after = count->token_count - 1 - (size_t)(token - count->tokens);

		count->token_count--;
		memmove(token, token + 1, after * sizeof(*token));
		atomic_store(&count->open, count->token_count);
		(void)pthread_cond_broadcast(&count->settled);
	}
}

/* With the lock held. */
static void close_token(struct fork_count *count, pid_t tid)
{
	drop_token(count, find_token(count, tid));
}

void fork_count_born(struct fork_count *count, pid_t parent)
{
	lock(count);
	count->processes++;
	if (parent != 0) {
		close_token(count, parent);
	}
	if (count->processes > count->peak) {
		count->peak = count->processes;
	}
	unlock(count);
}

void fork_count_ended(struct fork_count *count)
{
	lock(count);
	assert(count->processes > 0);
	count->processes--;
	unlock(count);
}

/* With the lock held. */
static bool has_room(struct fork_count *count)
{
	size_t room = count->token_room > 0 ? 2 * count->token_room : TOKENS_AT_FIRST;
	struct fork_token *tokens;

	if (count->token_count < count->token_room) {
		return true;
	}
	tokens = realloc(count->tokens, room * sizeof(tokens[0]));
	if (tokens == NULL) {
		return false;
	}
	count->tokens = tokens;
	count->token_room = room;
	return true;
}

uint64_t fork_count_open(struct fork_count *count, pid_t tid, size_t limit)
{
	uint64_t sequence = 0;

	lock(count);
	close_token(count, tid);
	if (count->processes + count->token_count < limit && !count->is_over && has_room(count)) {
		sequence = ++count->sequence;
		count->tokens[count->token_count++] = (struct fork_token){ tid, sequence };
		atomic_store(&count->open, count->token_count);
	}
	unlock(count);
	return sequence;
}

void fork_count_close(struct fork_count *count, pid_t tid)
{
	/* A thread's own token was opened before it got the answer that lets it be seen here. */
	if (atomic_load(&count->open) == 0) {
		return;
	}
	lock(count);
	close_token(count, tid);
	unlock(count);
}

void fork_count_take_back(struct fork_count *count, uint64_t sequence)
{
	lock(count);
	for (size_t i = 0; i < count->token_count; i++) {
		if (count->tokens[i].sequence == sequence) {
			drop_token(count, &count->tokens[i]);
			break;
		}
	}
	unlock(count);
}

void fork_count_orphan(struct fork_count *count, pid_t tid)
{
	struct fork_token *token;

	if (atomic_load(&count->open) == 0) {
		return;
	}
	lock(count);
	token = find_token(count, tid);
	if (token != NULL) {
		token->tid = 0;
		atomic_fetch_add(&count->orphans, 1);
	}
	unlock(count);
}

bool fork_count_awaits_orphans(struct fork_count *count)
{
	struct fork_token *oldest;
	bool is_awaited;

	if (atomic_load(&count->orphans) == 0) {
		return false;
	}
	lock(count);
	oldest = find_token(count, 0);
	is_awaited = oldest != NULL && oldest->sequence < count->looked;
	unlock(count);
	return is_awaited;
}

void fork_count_close_orphans(struct fork_count *count)
{
	lock(count);
	while (find_token(count, 0) != NULL) {
		close_token(count, 0);
	}
	atomic_store(&count->orphans, 0);
	unlock(count);
}

uint64_t fork_count_ticket(struct fork_count *count)
{
	uint64_t ticket;

	lock(count);
	ticket = ++count->sequence;
	unlock(count);
	return ticket;
}

/* The first token is the oldest. */
void fork_count_await(struct fork_count *count, uint64_t ticket)
{
	lock(count);
	while (!count->is_over &&
		(count->looked < ticket ||
			(count->token_count > 0 && count->tokens[0].sequence < ticket))) {
		(void)pthread_cond_wait(&count->settled, &count->lock);
	}
	unlock(count);
}

size_t fork_count_list(struct fork_count *count, uint64_t after, uint64_t before,
	struct fork_token *tokens, size_t room)
{
	size_t found = 0;

	lock(count);
	for (size_t i = 0; i < count->token_count && found < room; i++) {
		if (count->tokens[i].sequence > after && count->tokens[i].sequence < before) {
			tokens[found++] = count->tokens[i];
		}
	}
	unlock(count);
	return found;
}

void fork_count_looked(struct fork_count *count, uint64_t ticket)
{
	lock(count);
	if (ticket > count->looked) {
		count->looked = ticket;
	}
	(void)pthread_cond_broadcast(&count->settled);
	unlock(count);
}

void fork_count_over(struct fork_count *count)
{
	lock(count);
	count->is_over = true;
	(void)pthread_cond_broadcast(&count->settled);
	unlock(count);
}

bool fork_count_is_over(struct fork_count *count)
{
	bool is_over;

	lock(count);
	is_over = count->is_over;
	unlock(count);
	return is_over;
}

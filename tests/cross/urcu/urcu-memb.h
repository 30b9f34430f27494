/* A stand-in for liburcu, which Debian has for its own processor only: sections are held by a lock
 * that the wait for their end takes.  For cross builds. */
// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_CROSS_URCU_MEMB_H
#define TESTS_CROSS_URCU_MEMB_H

#include <pthread.h>

/* One for each file that includes it: nobody waits for the sections of another file. */
static pthread_rwlock_t urcu_standin = PTHREAD_RWLOCK_INITIALIZER;

static inline void urcu_memb_read_lock(void)
{
	(void)pthread_rwlock_rdlock(&urcu_standin);
}

static inline void urcu_memb_read_unlock(void)
{
	(void)pthread_rwlock_unlock(&urcu_standin);
}

static inline void urcu_memb_synchronize_rcu(void)
{
	(void)pthread_rwlock_wrlock(&urcu_standin);
	(void)pthread_rwlock_unlock(&urcu_standin);
}

static inline void urcu_memb_register_thread(void)
{
	(void)urcu_standin;
}

static inline void urcu_memb_unregister_thread(void)
{
	(void)urcu_standin;
}

#endif

/* The calls whose cost inside is compared with the cost outside: guest and driver know one list. */
// SPDX-License-Identifier: Apache-2.0
#ifndef BENCH_CALLS_H
#define BENCH_CALLS_H

/* CALL(name, repetitions): one sample takes that many in four batches, about two milliseconds.  The
 * first group is free in the filter and in Landlock, the second is looked at by one of them, the
 * third makes and ends tasks. */
#define CALLS                                                                                      \
	CALL(getpid, 20000)                                                                        \
	CALL(read_byte, 10000)                                                                     \
	CALL(pipe_write_read, 4000)                                                                \
	CALL(stat, 3000)                                                                           \
	CALL(mmap_munmap, 2000)                                                                    \
	CALL(mprotect, 2000)                                                                       \
	CALL(open_close, 1500)                                                                     \
	CALL(open_close_system, 1000)                                                              \
	CALL(create_unlink, 100)                                                                   \
	CALL(ioctl, 10000)                                                                         \
	CALL(prctl, 20000)                                                                         \
	CALL(socket_close, 1000)                                                                   \
	CALL(signal_self, 4000)                                                                    \
	CALL(fork_wait, 20)                                                                        \
	CALL(clone_vm_wait, 40)                                                                    \
	CALL(vfork_exec_wait, 8)                                                                   \
	CALL(thread_create_join, 60)

enum call {
#define CALL(name, repetitions) CALL_##name,
	CALLS
#undef CALL
		CALL_COUNT
};

#endif

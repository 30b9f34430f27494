/* Files without a name, held by this process and a child. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/supervisor/held_files.h"

#define KIB 1024ull

static void fill(int fd, size_t bytes)
{
	static const char block[4096] = { 7 };

	cr_assert_geq(fd, 0);
	for (size_t i = 0; i < bytes; i += sizeof(block)) {
		cr_assert_eq(write(fd, block, sizeof(block)), (ssize_t)sizeof(block));
	}
}

static int filled_memfd(size_t bytes)
{
	int fd = memfd_create("held", MFD_CLOEXEC);

	fill(fd, bytes);
	return fd;
}

static void scan(struct held_files *files, const pid_t *pids, size_t count, size_t slice)
{
	cr_assert_eq(held_files_begin(files, count), 0);
	for (size_t i = 0; i < count; i++) {
		held_files_add(files, pids[i]);
	}
	while (held_files_under_way(files)) {
		held_files_continue(files, slice);
	}
}

/* What was open before the test (the test framework has files of its own) is taken off. */
static uint64_t bytes_now(struct held_files *files, size_t slice)
{
	pid_t self = getpid();

	scan(files, &self, 1, slice);
	return held_files_bytes(files);
}

Test(held_files, counts_memory_without_a_name_only)
{
	struct held_files files = { 0 };
	char name[] = "/dev/shm/held-XXXXXX", disk[] = "/tmp/held-XXXXXX";
	uint64_t before = bytes_now(&files, 1000), after;
	int named = mkstemp(name), on_disk = mkstemp(disk);

	(void)unlink(disk);
	fill(named, 16 * KIB);
	fill(on_disk, 16 * KIB);
	(void)filled_memfd(64 * KIB);
	(void)memfd_create("empty", MFD_CLOEXEC);
	fill(open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), 128 * KIB);

	after = bytes_now(&files, 1000);

	(void)unlink(name);
	cr_assert_eq(after - before, 192 * KIB, "%lu", after - before);
	held_files_finish(&files);
}

Test(held_files, counts_what_is_allocated_and_not_the_size)
{
	struct held_files files = { 0 };
	uint64_t before = bytes_now(&files, 1000);
	int fd = filled_memfd(64 * KIB);

	cr_assert_eq(ftruncate(fd, 1ll << 40), 0);

	cr_assert_eq(bytes_now(&files, 1000) - before, 64 * KIB);
	held_files_finish(&files);
}

Test(held_files, counts_a_file_once)
{
	struct held_files files = { 0 };
	uint64_t before = bytes_now(&files, 1000);
	pid_t pids[2] = { getpid() };

	cr_assert_geq(dup(filled_memfd(64 * KIB)), 0);
	pids[1] = fork();
	cr_assert_geq(pids[1], 0);
	if (pids[1] == 0) {
		(void)pause();
		_exit(0);
	}

	scan(&files, pids, 2, 1000);

	(void)kill(pids[1], SIGKILL);
	(void)waitpid(pids[1], NULL, 0);
	cr_assert_eq(held_files_bytes(&files) - before, 64 * KIB);
	held_files_finish(&files);
}

Test(held_files, finds_the_same_in_slices_of_any_size)
{
	struct held_files files = { 0 };
	uint64_t whole;

	for (size_t i = 0; i < 20; i++) {
		(void)filled_memfd((i + 1) * 4 * KIB);
	}
	whole = bytes_now(&files, 1000);
	cr_assert_geq(whole, 210 * 4 * KIB);

	for (size_t slice = 1; slice < 30; slice++) {
		cr_expect_eq(bytes_now(&files, slice), whole, "slice %zu", slice);
	}
	held_files_finish(&files);
}

struct charge {
	pid_t expected;
	uint64_t bytes;
};

static void charge(void *context, pid_t holder, uint64_t bytes)
{
	struct charge *sum = context;

	cr_assert_eq(holder, sum->expected);
	sum->bytes += bytes;
}

Test(held_files, charges_and_forgets_the_holder)
{
	struct held_files files = { 0 };
	struct charge sum = { .expected = getpid() };
	uint64_t bytes;

	(void)filled_memfd(64 * KIB);
	bytes = bytes_now(&files, 1000);

	held_files_charge(&files, charge, &sum);
	held_files_forget(&files, getpid());

	cr_assert_eq(sum.bytes, bytes);
	cr_assert_eq(held_files_bytes(&files), 0);
	cr_assert_eq(bytes_now(&files, 1000), bytes, "found again by the next pass");
	held_files_finish(&files);
}

Test(held_files, knows_what_of_them_is_mapped)
{
	struct held_files files = { 0 };
	uint64_t before = (bytes_now(&files, 1000), held_files_mapped(&files, getpid()));
	int fd = filled_memfd(256 * KIB);
	volatile char *shared = mmap(NULL, 256 * KIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	volatile char *other =
		mmap(NULL, 64 * KIB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	for (size_t i = 0; i < 32 * KIB; i += 4096) {
		shared[i] = 1;
		other[i] = 1;
	}
	(void)bytes_now(&files, 1000);

	uint64_t mapped = held_files_mapped(&files, getpid()) - before;

	cr_assert_geq(mapped, 32 * KIB);
	cr_assert_leq(mapped, 256 * KIB, "fault-around may map more of the file, never the other");
	held_files_finish(&files);
}

Test(held_files, passes_over_a_process_that_is_gone)
{
	struct held_files files = { 0 };
	pid_t pids[2] = { 0, getpid() };

	pids[0] = fork();
	cr_assert_geq(pids[0], 0);
	if (pids[0] == 0) {
		_exit(0);
	}
	(void)waitpid(pids[0], NULL, 0);
	(void)filled_memfd(64 * KIB);

	scan(&files, pids, 2, 3);

	cr_assert_geq(held_files_bytes(&files), 64 * KIB);
	held_files_finish(&files);
}

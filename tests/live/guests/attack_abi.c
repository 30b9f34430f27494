/* Enters the kernel by other doors than the syscall instruction of this architecture: int 0x80, a
 * far jump into 32-bit code, x32 numbers, the vsyscall page. */
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include "tests/live/guests/act.h"

#define X32_BIT	      0x40000000u
#define X32_COUNT     600
#define VSYSCALL_TIME 0xffffffffff600400ul

/* Numbers of the 32-bit table. */
enum { I386_EXIT = 1, I386_FORK = 2, I386_OPEN = 5, I386_EXECVE = 11, I386_GETPID = 20 };

static long int80(long number, long first, long second, long third)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(first), "c"(second), "d"(third)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)result;
}

/* Memory that a 32-bit pointer reaches. */
static void *low_memory(void)
{
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	if (memory == MAP_FAILED) {
		_exit(GUEST_BROKEN);
	}
	return memory;
}

static int error_of(long result)
{
	return result < 0 ? (int)-result : 0;
}

static int int80_getpid(void *argument)
{
	(void)argument;
	return int80(I386_GETPID, 0, 0, 0) == getpid() ? 0 : GUEST_BROKEN;
}

static int int80_open(void *path)
{
	return error_of(int80(I386_OPEN, (long)strcpy(low_memory(), path), O_RDONLY, 0));
}

static int int80_fork(void *argument)
{
	long pid = int80(I386_FORK, 0, 0, 0);

	(void)argument;
	if (pid == 0) {
		_exit(0);
	}
	return error_of(pid);
}

/* Runs this guest again, as its "nothing" subcommand. */
static int int80_execve(void *path)
{
	char *text = low_memory();
	uint32_t *words = (uint32_t *)(text + 2048);

	strcpy(text, path);
	strcpy(text + 1024, "nothing");
	words[0] = (uint32_t)(uintptr_t)text;
	words[1] = (uint32_t)(uintptr_t)(text + 1024);
	words[2] = 0;
	return error_of(int80(I386_EXECVE, (long)text, (long)words, 0));
}

/* Leaves 64-bit mode by a far jump to selector 0x23, calls getpid there and comes back. */
static int far_jump(void *argument)
{
	static const unsigned char code32[] = {
		0xb8, I386_GETPID, 0, 0, 0, /* mov $20, %eax */
		0xcd, 0x80,		    /* int $0x80 */
		0xcb,			    /* lret */
	};
	unsigned char *memory = low_memory();
	unsigned char *stack = (unsigned char *)low_memory() + 4096;
	/* Not on the stack, which the code below leaves. */
	static struct __attribute__((packed)) {
		uint32_t offset;
		uint16_t selector;
	} target;
	unsigned char *trampoline = memory + 512;
	uint32_t result;

	(void)argument;
	target.offset = (uint32_t)(uintptr_t)memory;
	target.selector = 0x23;
	memcpy(memory, code32, sizeof(code32));
	/* The return address that lret pops lies in 64-bit code below 4 GiB: a plain ret. */
	trampoline[0] = 0xc3;
	__asm__ volatile("mov %%rsp, %%r12\n\t"
			 "mov %[stack], %%rsp\n\t"
			 "lea 1f(%%rip), %%rax\n\t"
			 "sub $8, %%rsp\n\t"
			 "mov %%rax, (%%rsp)\n\t"
			 "sub $8, %%rsp\n\t"
			 "movl $0x33, 4(%%rsp)\n\t"
			 "mov %k[back], %%eax\n\t"
			 "mov %%eax, (%%rsp)\n\t"
			 "ljmp *%[target]\n\t"
			 "1: mov %%r12, %%rsp\n\t"
			 : "=&a"(result)
			 : [stack] "r"(stack), [back] "r"(trampoline), [target] "m"(target)
			 : "memory", "r12", "rcx", "rdx", "r8", "r9", "r10", "r11");
	return (pid_t)result == getpid() ? 0 : GUEST_BROKEN;
}

/* attack_abi i386 FILE: FILE may be opened. */
static int run_i386(int argc, char **argv)
{
	if (argc < 2) {
		return GUEST_MISUSED;
	}
	act_forked("int80_getpid", int80_getpid, NULL);
	act_forked("int80_open", int80_open, argv[1]);
	act_forked("int80_fork", int80_fork, NULL);
	act_forked("int80_execve", int80_execve, argv[1]);
	act_forked("far_jump", far_jump, NULL);
	return 0;
}

/* Not in a process of its own: what kills it must end the run. */
static int run_int80(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return int80_getpid(NULL);
}

static int run_nothing(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

/* Every x32 number; all but the first hundred are beyond any table. */
static int x32_numbers(void *argument)
{
	(void)argument;
	for (unsigned number = X32_BIT; number < X32_BIT + X32_COUNT; number++) {
		if (syscall(number, -1, -1, -1, -1, -1, -1) != -1 || errno != ENOSYS) {
			return GUEST_BROKEN;
		}
	}
	return ENOSYS;
}

static int run_x32(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	act_forked("x32_numbers", x32_numbers, NULL);
	act_value("plain_getpid", syscall(SYS_getpid) == getpid() ? 0 : GUEST_BROKEN);
	return 0;
}

static int vsyscall_time(void *argument)
{
	time_t (*time_page)(time_t *) = (time_t(*)(time_t *))VSYSCALL_TIME;
	long difference = time_page(NULL) - time(NULL);

	(void)argument;
	return difference >= -1 && difference <= 1 ? 0 : GUEST_BROKEN;
}

static int run_vsyscall(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	act_forked("vsyscall_time", vsyscall_time, NULL);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct act_command commands[] = {
		{ "i386", run_i386 },
		{ "int80", run_int80 },
		{ "x32", run_x32 },
		{ "vsyscall", run_vsyscall },
		{ "nothing", run_nothing },
	};

	return act_dispatch(commands, ACT_COUNT(commands), argc, argv);
}

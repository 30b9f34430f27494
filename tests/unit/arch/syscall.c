/* The numbers of arch/syscalls.def against the kernel's headers. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "arch/syscall.h"

/* What one architecture's <asm/unistd.h> defines, as its own compiler reads it. */
#define HEADER_NAMES 1024
struct header {
	struct {
		char name[64];
		char value[64]; /* a number, an alias of another name, or an expression */
	} definitions[HEADER_NAMES];
	size_t count;
};

static void header_load(struct header *header, enum arch arch)
{
	char command[256], line[256];
	FILE *compiler;

	(void)snprintf(command, sizeof(command),
		"echo '#include <asm/unistd.h>' | %s-linux-gnu-gcc -E -dM -", arch_name(arch));
	compiler = popen(command, "r");
	cr_assert_not_null(compiler);
	header->count = 0;
	while (fgets(line, sizeof(line), compiler) != NULL) {
		cr_assert_lt(header->count, (size_t)HEADER_NAMES);
		if (sscanf(line, "#define %63s %63[^\n]", header->definitions[header->count].name,
			    header->definitions[header->count].value) == 2 &&
			strncmp(line, "#define __NR", strlen("#define __NR")) == 0) {
			header->count++;
		}
	}
	cr_assert_eq(pclose(compiler), 0, "%s needs the cross compiler", arch_name(arch));
	cr_assert_gt(header->count, (size_t)250);
}

/* A number, an alias, or "(__NR_arch_specific_syscall + N)"; -1 otherwise. */
static int header_value(const struct header *header, const char *value)
{
	char name[64];
	int addend = 0;

	if (value[0] >= '0' && value[0] <= '9') {
		return atoi(value);
	}
	if (sscanf(value, "(%63[A-Za-z0-9_] + %d)", name, &addend) != 2) {
		(void)snprintf(name, sizeof(name), "%s", value);
	}
	for (size_t i = 0; i < header->count; i++) {
		if (strcmp(header->definitions[i].name, name) == 0) {
			return header_value(header, header->definitions[i].value) + addend;
		}
	}
	return -1;
}

/* Names in the headers that are no calls. */
static bool is_bookkeeping(const char *name)
{
	return strcmp(name, "syscalls") == 0 || strcmp(name, "arch_specific_syscall") == 0;
}

Test(syscall, has_a_row_for_every_number_of_the_kernel_headers)
{
	static struct header header;

	for (enum arch arch = 0; arch < ARCH_COUNT; arch++) {
		header_load(&header, arch);

		for (size_t i = 0; i < header.count; i++) {
			const char *name = header.definitions[i].name + strlen("__NR_");
			int id;

			if (strncmp(header.definitions[i].name, "__NR_", 5) != 0 ||
				is_bookkeeping(name)) {
				continue;
			}
			id = syscall_find(name);
			cr_assert_geq(id, 0, "%s: no row for %s", arch_name(arch), name);
			cr_assert_eq(syscall_number(arch, id),
				header_value(&header, header.definitions[i].value), "%s: %s is %s",
				arch_name(arch), name, header.definitions[i].value);
		}
	}
}

Test(syscall, gives_each_number_to_one_call)
{
	for (enum arch arch = 0; arch < ARCH_COUNT; arch++) {
		for (int id = 0; id < SYSCALL_COUNT; id++) {
			int number = syscall_number(arch, id);

			if (number >= 0) {
				cr_assert_eq(syscall_find_number(arch, (uint32_t)number), id);
			}
		}
	}
}

Test(syscall, gives_each_name_to_one_call)
{
	for (int id = 0; id < SYSCALL_COUNT; id++) {
		cr_assert_eq(syscall_find(syscall_name(id)), id);
	}
}

Test(syscall, knows_what_linux_6_18_has_and_the_headers_lack)
{
	cr_assert_eq(syscall_find_number(ARCH_X86_64, 469), SYSCALL_file_setattr);
	cr_assert_eq(syscall_find_number(ARCH_RISCV64, 463), SYSCALL_setxattrat);
	cr_assert_eq(syscall_find_number(ARCH_AARCH64, 462), SYSCALL_mseal);
	cr_assert_eq(syscall_find_number(ARCH_X86_64, 336), SYSCALL_uprobe);
	cr_assert_eq(syscall_find_number(ARCH_RISCV64, 258), SYSCALL_riscv_hwprobe);
}

Test(syscall, does_not_know_numbers_between_and_above_the_calls)
{
	static const uint32_t unknown[] = { 337, 400, 423, 470, 512, 0x7fff, 0x8000, 0x40000000,
		0xffffffff };

	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		cr_assert_eq(syscall_find_number(ARCH_X86_64, unknown[i]), -1, "%u", unknown[i]);
	}
}

Test(syscall, does_not_know_a_name_that_is_none)
{
	cr_assert_eq(syscall_find("no_such_call"), -1);
	cr_assert_eq(syscall_find(""), -1);
}

Test(syscall, gives_native_numbers_as_constants)
{
	static const int numbers[] = { SYS(openat), SYS(clone3), SYS(read) };

	cr_assert_eq(numbers[0], SYS_openat);
	cr_assert_eq(numbers[1], SYS_clone3);
	cr_assert_eq(numbers[2], SYS_read);
}

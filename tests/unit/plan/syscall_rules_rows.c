/* tests/bpf/<name>.rows through the interpreter, on every architecture that has the call. */
// SPDX-License-Identifier: Apache-2.0

#include <criterion/criterion.h>

#include "bpf/interpreter.h"
#include "tests/bpf/rows.h"

/* An argument that does not matter is tried as each of these. */
static const uint64_t any_values[] = { 0, 1, 0xffffffffffffffff, 0x20000000, 0x5412deadbeef };

static void check_line(const char *name, const struct rows_line *line, enum arch arch,
	const struct bpf_program *program)
{
	for (size_t v = 0; v < ARRAY_LEN(any_values); v++) {
		struct seccomp_data call = {
			.arch = arch_audit_token(arch),
			.nr = syscall_number(arch, line->id),
		};

		for (size_t i = 0; i < 6; i++) {
			call.args[i] = line->is_any[i] ? any_values[v] : line->arguments[i];
		}
		cr_assert_eq(bpf_program_run(program, &call, NULL),
			verdict_return_value(line->verdict), "%s.rows:%zu: %s is not %s on %s",
			name, line->number, syscall_name(line->id), verdict_name(line->verdict),
			arch_name(arch));
	}
}

Test(filter_rows, hold_on_every_architecture)
{
	static struct rows rows;

	for (size_t file = 0; file < ARRAY_LEN(rows_files); file++) {
		rows_load(rows_files[file], &rows);
		cr_assert_gt(rows.count, 4u);
		for (enum arch arch = 0; arch < ARCH_COUNT; arch++) {
			cleanup_bpf_program struct bpf_program program = { 0 };

			cr_assert_eq(syscall_rules_compile(arch, &rows.choices, &program), 0);
			for (size_t i = 0; i < rows.count; i++) {
				if (syscall_number(arch, rows.lines[i].id) >= 0) {
					check_line(
						rows_files[file], &rows.lines[i], arch, &program);
				}
			}
		}
	}
}

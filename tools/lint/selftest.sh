#!/bin/bash
# Plants one fault after the other in a small tree and expects each lint script to name it, and a clean
# tree to pass: a check that cannot fail checks nothing.
# SPDX-License-Identifier: Apache-2.0
set -eu

lint=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
spdx='// SPDX-License-Identifier: Apache-2.0'
failed=0
checked=0

# A tree that every script accepts, in the current directory.
plant_clean_tree()
{
	rm -rf "$work/tree"
	mkdir -p "$work/tree" && cd "$work/tree"
	mkdir -p core/base core/plan core/child core/policy core/run core/supervisor handlers arch tools/cli tests
	local header
	for header in core/base/fd.h core/base/text.h core/plan/plan.h core/child/raw.h core/run/sandbox.h \
		core/policy/policy.h core/supervisor/sampler.h handlers/features.h arch/arch.h; do
		printf '/* A header. */\n%s\n' "$spdx" >"$header"
	done
	printf '/* Raw calls. */\n%s\nlong raw_call(void);\nlong raw_call(void)\n{\n\treturn 1;\n}\n' \
		"$spdx" >core/child/raw.c
	printf '/* The child. */\n%s\n#include "core/plan/plan.h"\n#include "core/base/fd.h"\n#include "arch/arch.h"\n' \
		"$spdx" >core/child/child.c
	printf '#include "core/child/raw.h"\nlong raw_call(void);\nlong child(void);\nlong child(void)\n{\n\treturn raw_call();\n}\n' \
		>>core/child/child.c
	printf '/* The root. */\n%s\n#include "handlers/features.h"\n#include "core/supervisor/sampler.h"\n' \
		"$spdx" >core/run/sandbox.c
	printf '/* The calls. */\n%s\n' "$spdx" >core/base/fault_calls.def
	printf '/* The program. */\n%s\n#include "core/run/sandbox.h"\nint main(void)\n{\n\treturn 0;\n}\n' \
		"$spdx" >tools/cli/main.c
}

# Objects, archive and program as the Makefile would make them.
build_tree()
{
	local flags=(-I. -O1 -fvisibility=hidden)
	rm -rf out
	mkdir -p out/core/child
	gcc "${flags[@]}" -fno-stack-protector -c -o out/core/child/raw.o core/child/raw.c
	gcc "${flags[@]}" "${CHILD_FLAGS[@]}" -c -o out/core/child/child.o core/child/child.c
	ar rcs out/libsandlock.a out/core/child/raw.o out/core/child/child.o
	gcc "${flags[@]}" "${PROGRAM_FLAGS[@]}" -o out/sandlock tools/cli/main.c
	mkdir -p out/tools/cli
	gcc "${flags[@]}" -c -o out/tools/cli/main.o tools/cli/main.c
	rm -rf release && cp -r out release
}
CHILD_FLAGS=(-fno-stack-protector)
PROGRAM_FLAGS=()

# expect clean|TEXT SCRIPT [ARGUMENT]: the script passes, or fails with a line that holds TEXT.
expect()
{
	local wanted=$1 script=$2 output code=0
	shift 2
	checked=$((checked + 1))
	output=$("$lint/$script" "$@" 2>&1) || code=$?
	if [ "$wanted" = clean ]; then
		[ "$code" -eq 0 ] && return
	elif [ "$code" -ne 0 ] && grep -qF -- "$wanted" <<<"$output"; then
		return
	fi
	printf '%s: expected "%s", got status %d and:\n%s\n' "$script" "$wanted" "$code" "$output"
	failed=$((failed + 1))
}

# plant FILE TEXT: a clean tree with one more line.
plant()
{
	plant_clean_tree
	printf '%b\n' "$2" >>"$1"
}

plant_clean_tree
expect clean check-includes.sh
expect clean check-sources.sh
build_tree
expect clean check-child-symbols.sh out
expect clean check-exports.sh out
expect clean check-fault-sites.sh out
expect clean check-fault-sites.sh release

plant core/base/fd.h '#include "core/plan/plan.h"'
expect 'core/base/fd.h:3: "core/plan/plan.h" is not on a lower line' check-includes.sh
plant core/policy/policy.h '#include "text.h"'
expect 'not written from the root' check-includes.sh
plant core/policy/policy.h '#include "../base/text.h"'
expect 'not written from the root' check-includes.sh
plant core/policy/policy.h '#include "core/base/absent.h"'
expect 'does not exist' check-includes.sh
plant core/plan/plan.h '#include "core/child/raw.h"'
expect 'not on a lower line' check-includes.sh
plant core/child/child.c '#include "core/base/text.h"'
expect 'core/child may not include "core/base/text.h"' check-includes.sh
plant core/child/child.c '#include "core/policy/policy.h"'
expect 'core/child may not include' check-includes.sh
plant core/run/sandbox.h '#include "handlers/features.h"'
expect 'only core/run/sandbox.c' check-includes.sh
plant tools/cli/main.c '#include "handlers/features.h"'
expect 'only core/run/sandbox.c' check-includes.sh
plant core/supervisor/sampler.h '  #  include "core/run/sandbox.h"'
expect 'not on a lower line' check-includes.sh
mkdir -p "$work/tree/core/misc"
plant_clean_tree
mkdir core/misc && cp core/base/fd.h core/misc/misc.h
expect 'core/misc/misc.h:0: the file is in no layer' check-includes.sh

plant core/child/child.c '#include <unistd.h>\nvoid leave(void);\nvoid leave(void)\n{\n\t_exit(1);\n}'
build_tree
expect 'references _exit' check-child-symbols.sh out
plant core/child/child.c '#include <errno.h>\nint last(void);\nint last(void)\n{\n\treturn errno;\n}'
build_tree
expect 'references __errno_location' check-child-symbols.sh out
plant core/child/child.c 'extern __thread int slot;\n__thread int slot;\nint last(void);\nint last(void)\n{\n\treturn slot;\n}'
build_tree
expect 'thread-local' check-child-symbols.sh out
plant core/child/child.c 'void fill(char *p);\nvoid f(void);\nvoid f(void)\n{\n\tchar b[64];\n\tfill(b);\n}\nvoid fill(char *p)\n{\n\t*(volatile char *)p = 1;\n}'
CHILD_FLAGS=(-fstack-protector-all)
build_tree
expect 'references __stack_chk_fail' check-child-symbols.sh out
CHILD_FLAGS=(-fno-stack-protector -fsanitize=address)
build_tree
expect 'references __asan' check-child-symbols.sh out
CHILD_FLAGS=(-fno-stack-protector)

plant core/child/raw.c '__attribute__((visibility("default"))) int leaked;'
build_tree
expect 'leaked is visible' check-exports.sh out
plant core/child/raw.c '__attribute__((visibility("default"))) int sandlock_version;'
build_tree
expect clean check-exports.sh out
plant tools/cli/main.c '__attribute__((visibility("default"))) int leaked;'
PROGRAM_FLAGS=(-rdynamic)
build_tree
expect 'exports leaked' check-exports.sh out
PROGRAM_FLAGS=()

plant tools/cli/main.c '#include <unistd.h>\nint look(void);\nint look(void)\n{\n\treturn chdir("/");\n}'
build_tree
expect 'chdir is called and not listed' check-fault-sites.sh out
printf 'FAULT_CALL(chdir, FAULT_MINUS_ONE)\n' >>core/base/fault_calls.def
expect clean check-fault-sites.sh out
printf 'NEVER_FAILS(chdir)\n' >>core/base/fault_calls.def
expect 'chdir is listed twice' check-fault-sites.sh out
plant core/base/fault_calls.def 'FAULT_CALL(fork, FAULT_MINUS_ONE)'
build_tree
expect 'fork is listed and called by nothing' check-fault-sites.sh out
plant tools/cli/main.c 'const char *point(void);\nconst char *point(void)\n{\n\treturn "SANDLOCK_FAULT";\n}'
build_tree
expect 'holds fault points' check-fault-sites.sh release

plant_clean_tree
printf '%s\n' "$spdx" >core/base/fd.h
expect 'does not begin with its purpose' check-sources.sh
printf '/* A header. */\n#pragma once\n' >core/base/fd.h
expect 'no licence line' check-sources.sh
plant core/base/fd.h 'int a; '
expect 'core/base/fd.h:3:' check-sources.sh
plant core/base/fd.h "int f(void)\n{\n$(printf '\\t;\\n%.0s' {1..60})}"
expect 'a function of 62 lines' check-sources.sh
plant core/base/fd.h "/* long: a table in disguise */\nint f(void)\n{\n$(printf '\\t;\\n%.0s' {1..60})}"
expect clean check-sources.sh
plant core/base/fd.h "$(printf 'int a;\\n%.0s' {1..600})"
expect 'core/base/fd.h: 60' check-sources.sh
plant core/base/fd.h 'static inline void f(void) { rcu_read_lock(); }'
expect 'RCU is read' check-sources.sh
plant_clean_tree
printf '/* A test. */\n%s\nTest(a, b, .disabled = true)\n' "$spdx" >tests/a.c
expect 'disabled' check-sources.sh
plant_clean_tree
printf '#!/bin/sh\necho\n' >tools/a.sh
expect 'tools/a.sh: no purpose' check-sources.sh

printf 'lint self-test: %d expectations, %d failed\n' "$checked" "$failed"
[ "$failed" -eq 0 ]

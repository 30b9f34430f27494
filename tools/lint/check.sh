#!/bin/sh
# Everything that judges the source without running it: the lint scripts (each first proves that it finds
# a planted fault), the shell checker, the formatter, the manual checker and the compiler's analyser.
# SPDX-License-Identifier: Apache-2.0
set -u
cd "$(dirname "$0")/../.." || exit 1

failed=0
log=build/check.log
mkdir -p build

step()
{
	name=$1
	shift
	if "$@" >"$log" 2>&1; then
		printf '  ok    %s\n' "$name"
	else
		printf '  FAIL  %s\n' "$name"
		sed 's/^/        /' "$log"
		failed=$((failed + 1))
	fi
}

scripts()
{
	find . \( -name build -o -name .git \) -prune -o -type f \( -name '*.sh' -o -path ./.ci/run \) -print
}

format()
{
	find . \( -name build -o -name .git \) -prune -o -type f \( -name '*.c' -o -name '*.h' \) -print0 |
		xargs -0 clang-format --dry-run -Werror
}

manuals()
{
	mandoc -Tlint -Wwarning tools/man/*.[1-9]
}

analyser()
{
	make --no-print-directory -s -k -j2 VARIANT=analyzer CFLAGS='-O2 -g -fanalyzer' \
		build/analyzer/libsandlock.a build/analyzer/sandlock
}

step 'lint scripts find what is planted' tools/lint/selftest.sh
step 'build' make --no-print-directory -j2 all
step 'layers (check-includes)' tools/lint/check-includes.sh
step 'child objects (check-child-symbols)' tools/lint/check-child-symbols.sh build/release
step 'exports (check-exports)' tools/lint/check-exports.sh build/release
step 'fault points (check-fault-sites)' tools/lint/check-fault-sites.sh build/release
step 'sources (check-sources)' tools/lint/check-sources.sh
# shellcheck disable=SC2046 # no name of ours has a space
step 'shell scripts (shellcheck)' shellcheck -x $(scripts)
step 'format (clang-format)' format
step 'manual pages (mandoc)' manuals
step 'manual pages describe the program' tools/man/update.sh --check
step 'analyser (gcc -fanalyzer)' analyser

rm -f "$log"
if [ "$failed" -ne 0 ]; then
	printf 'check: %d failed\n' "$failed"
	exit 1
fi
printf 'check: clean\n'

#!/bin/bash
# Builds every target of tests/fuzz with clang (libFuzzer, address and undefined behaviour sanitizers)
# and runs each for FUZZ_SECONDS (60), from the saved inputs in tests/fuzz/corpus/NAME where they exist.
# SPDX-License-Identifier: Apache-2.0
set -eu
cd "$(dirname "$0")/../.."

failed=0
count=0
for source in tests/fuzz/*.c; do
	if [ ! -e "$source" ]; then
		echo 'fuzz: tests/fuzz holds no target' >&2
		exit 1
	fi
	name=$(basename "$source" .c)
	program=build/fuzz/tests/fuzz/$name
	make --no-print-directory -j2 VARIANT=fuzz CC=clang WARN=-Wno-unknown-warning-option \
		CFLAGS='-O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all' "$program"

	mkdir -p "build/fuzz/found/$name"
	set -- "build/fuzz/found/$name"
	if [ -d "tests/fuzz/corpus/$name" ]; then
		set -- "$@" "tests/fuzz/corpus/$name"
	fi
	if [ -f "tests/fuzz/$name.dict" ]; then
		set -- "-dict=tests/fuzz/$name.dict" "$@"
	fi
	count=$((count + 1))
	if "$program" -max_total_time="${FUZZ_SECONDS:-60}" -print_final_stats=1 -verbosity=0 \
		-artifact_prefix="build/fuzz/$name-" "$@" >"build/fuzz/$name.log" 2>&1; then
		printf '  ok    %-24s %s inputs\n' "$name" \
			"$(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$name.log")"
	else
		printf '  FAIL  %s\n' "$name"
		tail -n 40 "build/fuzz/$name.log"
		failed=$((failed + 1))
	fi
done
printf 'fuzz: %d targets, %d failed\n' "$count" "$failed"
[ "$failed" -eq 0 ]

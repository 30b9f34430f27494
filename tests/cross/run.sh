#!/bin/bash
# Builds program, library and unit tests for other processors and runs them under qemu-user: the
# program's --version, then every unit test that does not say "native only".
# usage: run.sh [aarch64|riscv64]...    (both without an argument)
# SPDX-License-Identifier: Apache-2.0
set -eu
cd "$(dirname "$0")/../.."

if [ $# -eq 0 ]; then
	set -- aarch64 riscv64
fi
failed=0
for arch in "$@"; do
	out=build/$arch
	make --no-print-directory -j2 ARCH="$arch" "$out/libsandlock.a" "$out/sandlock" "$out/unit-tests"
	printf '%s: %s objects, %s\n' "$arch" "$(find "$out" -name '*.o' | wc -l)" \
		"$("qemu-$arch" "$out/sandlock" --version)"
	tools/lint/check-child-symbols.sh "$out"
	tools/lint/check-exports.sh "$out"
	left_out=$(grep -l 'native only:' tests/unit/*.c tests/unit/*/*.c 2>/dev/null || true)
	if [ -n "$left_out" ]; then
		printf '%s: left out, native only:\n' "$arch"
		# shellcheck disable=SC2086 # one word per file
		sed -n 's|.*native only: *\(.*[^ ]\) *\*/$|\1|p; t' $left_out | sort | uniq -c
	fi
	"qemu-$arch" "$out/unit-tests" || failed=1
done
exit "$failed"

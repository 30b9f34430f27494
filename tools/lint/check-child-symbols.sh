#!/bin/sh
# Checks the objects of core/child: they run between a raw clone and exec, in memory that is shared or
# copied from a program with threads, so they reference nothing but each other: no libc, no sanitizer,
# no stack protector, no thread-local variable.
# usage: check-child-symbols.sh OUT    (a build folder such as build/release)
# SPDX-License-Identifier: Apache-2.0
set -eu

out=$1
objects=$(find "$out/core/child" -name '*.o' 2>/dev/null | sort)
if [ -z "$objects" ]; then
	echo "check-child-symbols: no object in $out/core/child" >&2
	exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0

# shellcheck disable=SC2086 # one word per object
nm --defined-only $objects | awk 'NF == 3 && $2 ~ /[A-Z]/ { print $3 }' | sort -u >"$work/defined"
# An anchor that the linker makes, not a symbol that runs.
echo _GLOBAL_OFFSET_TABLE_ >>"$work/defined"
sort -o "$work/defined" "$work/defined"

for object in $objects; do
	nm --undefined-only "$object" | awk '{ print $NF }' | sort -u >"$work/undefined"
	for symbol in $(comm -13 "$work/defined" "$work/undefined"); do
		echo "$object: references $symbol, which is not a helper of core/child"
		bad=1
	done
	readelf -sW "$object" | awk -v object="$object" '
		$4 == "TLS" { print object ": " $NF " is thread-local"; bad = 1 } END { exit bad }' || bad=1
	readelf -rW "$object" | awk -v object="$object" '
		$3 ~ /TPOFF|TLSGD|TLSLD|TLSDESC|TPREL|TLS_/ { print object ": " $3 " for " $5; bad = 1 }
		END { exit bad }' || bad=1
done
exit $bad

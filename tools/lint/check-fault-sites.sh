#!/bin/sh
# Checks that the fault points cover every call: what the objects of the supervisor and of the command
# line need from libc is what core/base/fault_calls.def lists, no more and no less, so that a new call
# is judged before it is merged.  A release build holds none of it.
# usage: check-fault-sites.sh OUT    (a build folder such as build/release)
# SPDX-License-Identifier: Apache-2.0
set -eu

out=$1
list=core/base/fault_calls.def
bad=0
# core/child makes raw system calls only, and what fault_calls.o refers to is what it wraps.
objects=$(find "$out/core" "$out/handlers" "$out/arch" "$out/bpf" "$out/tools/cli" -name '*.o' \
	! -path '*/core/child/*' ! -name fault_calls.o 2>/dev/null | sort)
if [ -z "$objects" ]; then
	echo "check-fault-sites: no object in $out" >&2
	exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sed -n 's/^\(FAULT_CALL\|NEVER_FAILS\)(\([A-Za-z0-9_]*\)[,)].*/\2/p' "$list" | sort >"$work/listed"
# shellcheck disable=SC2086 # one word per object
nm --undefined-only $objects | awk 'NF == 2 { print $2 }' | sort -u >"$work/needed"
# shellcheck disable=SC2046,SC2086
nm --defined-only $objects $(find "$out/core/child" -name '*.o') |
	awk 'NF == 3 { print $3 }' | sort -u >"$work/defined"
# An anchor that the linker makes.
printf '_GLOBAL_OFFSET_TABLE_\n' >>"$work/defined"
sort -u -o "$work/defined" "$work/defined"
comm -23 "$work/needed" "$work/defined" >"$work/called"

for symbol in $(uniq -d "$work/listed"); do
	echo "$list: $symbol is listed twice"
	bad=1
done
sort -u -o "$work/listed" "$work/listed"
for symbol in $(comm -13 "$work/listed" "$work/called"); do
	echo "$list: $symbol is called and not listed: say how it fails, or that it cannot"
	bad=1
done
for symbol in $(comm -23 "$work/listed" "$work/called"); do
	echo "$list: $symbol is listed and called by nothing"
	bad=1
done

case $out in
*release)
	if nm "$out/sandlock" | grep -E '__wrap_|fault_(value|is_set)' ||
		grep -aqE 'SANDLOCK_FAULT|call-errno' "$out/sandlock"; then
		echo "$out/sandlock: holds fault points"
		bad=1
	fi
	;;
esac
exit $bad

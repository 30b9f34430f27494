#!/bin/bash
# Writes the options section of sandlock.1 from the option table of the program (`run --help=roff`).
# With --check it changes nothing and fails if the page is older than the table, or if its list of the
# status line's members is not the one that a real run writes.
# usage: update.sh [--check] [SANDLOCK]    (build/release/sandlock)
# SPDX-License-Identifier: Apache-2.0
set -eu
cd "$(dirname "$0")/../.."

check=
if [ "${1:-}" = --check ]; then
	check=yes
	shift
fi
sandlock=${1:-build/release/sandlock}
page=tools/man/sandlock.1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$sandlock" run --help=roff >"$work/options"
awk -v options="$work/options" '
	/^\.\\" end options/ { skipping = 0 }
	!skipping { print }
	/^\.\\" begin options/ {
		skipping = 1
		while ((getline line < options) > 0) { print line }
	}' "$page" >"$work/page"

if [ -z "$check" ]; then
	cat "$work/page" >"$page"
	exit 0
fi
if ! diff -u "$page" "$work/page"; then
	echo "$page: the options are not those of the program; run tools/man/update.sh" >&2
	exit 1
fi

# The members that the page describes against those of a run that has all of them.
sed -n '/^\.\\" begin status/,/^\.\\" end status/p' "$page" |
	awk '/^\.T[PQ]/ { getline; print $2 }' | sort >"$work/described"
"$sandlock" run --preset build --record-env --status-fd 3 -- /bin/true 3>"$work/status"
# Members of objects inside are described in the text of their parent.
awk '{
	depth = 0; inside = 0
	for (i = 1; i <= length($0); i++) {
		c = substr($0, i, 1)
		if (inside && c == "\\") { i++; continue }
		if (c == "\"") {
			inside = !inside
			if (inside) { begin = i + 1 }
			else if (substr($0, i + 1, 1) == ":" && depth == 1) {
				print substr($0, begin, i - begin)
			}
		}
		if (!inside && c ~ /[{\[]/) { depth++ }
		if (!inside && c ~ /[}\]]/) { depth-- }
	} }' "$work/status" | sort >"$work/written"
if ! diff "$work/described" "$work/written"; then
	echo "$page: the status line has other members (< described, > written)" >&2
	exit 1
fi

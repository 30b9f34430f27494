#!/bin/sh
# Checks what others can see of us: in the library every global symbol is hidden unless it is named
# sandlock_*, and the program exports nothing but such names.
# usage: check-exports.sh OUT    (a build folder such as build/release)
# SPDX-License-Identifier: Apache-2.0
set -eu

out=$1
bad=0

for file in "$out/libsandlock.a" "$out/sandlock"; do
	if [ ! -f "$file" ]; then
		echo "check-exports: $file does not exist" >&2
		exit 1
	fi
done

readelf -sW "$out/libsandlock.a" | awk '
	/^File: / { file = $2 }
	($5 == "GLOBAL" || $5 == "WEAK") && $6 != "HIDDEN" && $6 != "INTERNAL" && $7 != "UND" &&
		$8 !~ /^sandlock_/ {
		print file ": " $8 " is visible (" $6 ")"
		bad = 1
	}
	END { exit bad }' || bad=1

# Copies of variables of a shared libc carry its version and are not ours.
nm --dynamic --defined-only "$out/sandlock" 2>/dev/null | awk -v file="$out/sandlock" '
	$3 !~ /^sandlock_/ && $3 !~ /@/ { print file ": exports " $3; bad = 1 }
	END { exit bad }' || bad=1
exit $bad

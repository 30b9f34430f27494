#!/bin/sh
# Checks the text of every file of the tree in the current directory: licence line and purpose comment,
# no white space at line ends, the length of files and functions, and where RCU may be read.
# SPDX-License-Identifier: Apache-2.0
set -eu

list()
{
	find . \( -name build -o -name .git \) -prune -o -type f "$@" -print | sed 's|^\./||' | sort
}

bad=0
spdx='SPDX-License-Identifier: Apache-2.0'

# Purpose first, licence right behind it.
for file in $(list \( -name '*.c' -o -name '*.h' -o -name '*.def' \)); do
	awk -v file="$file" -v spdx="// $spdx" '
		NR == 1 && $0 !~ /^\/\* .*[^ ]/ { print file ": does not begin with its purpose"; bad = 1; exit }
		/\*\/$/ { ended = NR; if ((getline) <= 0 || $0 != spdx) {
			print file ":" NR ": no licence line behind the purpose"; bad = 1 } exit }
		NR > 8 { print file ": purpose of more than eight lines"; bad = 1; exit }
		END { if (!ended && !bad) { print file ": purpose without end"; bad = 1 } exit bad }' "$file" || bad=1
done
for file in $(list \( -name '*.sh' -o -path ./.ci/run -o -name '*.py' \)); do
	if ! head -n 12 "$file" | grep -qF "$spdx" || ! sed -n 2p "$file" | grep -q '^# [A-Z]'; then
		echo "$file: no purpose in its second line or no licence line in the first twelve"
		bad=1
	fi
done
for file in $(list -path './tools/man/*' -name '*.[1-9]'); do
	if ! head -n 3 "$file" | grep -qF "$spdx"; then
		echo "$file: no licence line in the first three"
		bad=1
	fi
done

for file in $(list ! -name LICENSE ! -name '*.dict' ! -path '*/corpus/*'); do
	if grep -nI '[[:blank:]]$' "$file" /dev/null; then
		bad=1
	fi
done

# 600 lines a file, 60 a function, or a reason in a comment "long: why".  Only a function has its brace
# alone in the first column.
for file in $(list \( -name '*.c' -o -name '*.h' \)); do
	if grep -q '/\* long: [^ ]' "$file"; then
		continue
	fi
	awk -v file="$file" '
		/^\{$/ { begin = NR }
		/^\}$/ && begin { if (NR - begin + 1 > 60) {
			printf "%s:%d: a function of %d lines\n", file, begin, NR - begin + 1; bad = 1 } begin = 0 }
		END { if (NR > 600) { printf "%s: %d lines\n", file, NR; bad = 1 } exit bad }' "$file" || bad=1
done

# Lookups hide RCU: nobody else opens a read section.
for file in $(list \( -name '*.c' -o -name '*.h' \) ! -path ./core/process/process_index.c \
	! -path ./core/policy/live_policy.c ! -path './tests/*'); do
	if grep -n 'rcu_read_lock' "$file" /dev/null; then
		echo "$file: RCU is read in process_index.c and live_policy.c only"
		bad=1
	fi
done

# A test that is switched off is a test that nobody misses.
for file in $(list -path './tests/*' -name '*.c' ! -path './tests/cross/*'); do
	if grep -nE '\.disabled *=' "$file" /dev/null; then
		bad=1
	fi
done
exit $bad

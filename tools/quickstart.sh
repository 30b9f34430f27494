#!/bin/bash
# The first thing to run: installs what a build needs (Debian 12, root or sudo), builds, then lets this
# project build itself inside `sandlock run` and reports what the walls did.  Takes a minute or two.
# SPDX-License-Identifier: Apache-2.0
set -eu
cd "$(dirname "$0")/.."

sandlock=$PWD/build/release/sandlock
bold='' plain='' green='' red=''
if [ -t 1 ]; then
	bold=$(printf '\033[1m') plain=$(printf '\033[0m')
	green=$(printf '\033[32m') red=$(printf '\033[31m')
fi
failed=0
passed=0

title()
{
	printf '\n%s%s%s\n' "$bold" "$1" "$plain"
}

# verdict STATUS TEXT: one line of the report; STATUS 0 is good.
verdict()
{
	if [ "$1" -eq 0 ]; then
		printf '  %sok%s  %s\n' "$green" "$plain" "$2"
		passed=$((passed + 1))
	else
		printf '  %sNO%s  %s\n' "$red" "$plain" "$2"
		failed=$((failed + 1))
	fi
}

# run_timed LOG COMMAND...: sets code and seconds.
run_timed()
{
	local log=$1 begin=$EPOCHREALTIME
	shift
	code=0
	"$@" >"$log" 2>&1 || code=$?
	seconds=$(awk -v begin="$begin" -v end="$EPOCHREALTIME" 'BEGIN { printf "%.1f", end - begin }')
	if [ "$code" -ne 0 ]; then
		tail -n 20 "$log" | sed 's/^/      /'
	fi
}

# A number of the status line divided by a unit; ? if it is null or absent.
status_number()
{
	sed -nE "s/.*\"$1\":([0-9]+).*/\1/p" "$scratch/status.json" |
		awk -v unit="$2" '{ printf "%.1f", $1 / unit; found = 1 } END { if (!found) { printf "?" } }'
}

copy_sources()
{
	mkdir "$1"
	tar --exclude=./build --exclude=./.git -cf - . | tar -xf - -C "$1"
}

# Every dynamically linked program that starts writes its process number into a file.
make_counter()
{
	cat >"$scratch/count.c" <<-'END'
		#include <fcntl.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <unistd.h>

		__attribute__((constructor)) static void count(void)
		{
			const char *path = getenv("QUICKSTART_COUNT");
			int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;

			if (fd >= 0) {
				dprintf(fd, "%d\n", (int)getpid());
				close(fd);
			}
		}
	END
	gcc -shared -fPIC -O2 -o "$scratch/count.so" "$scratch/count.c"
}

# list_changes STAMP: everything that is newer, outside the two build directories and the file systems
# that are no disk; not what this script prints to.
list_changes()
{
	find / \( -fstype proc -o -fstype sysfs -o -fstype devtmpfs -o -fstype cgroup -o -fstype cgroup2 \
		-o -path /proc -o -path /sys -o -path /dev -o -path "$scratch" -o -path "$reference" \) \
		-prune -o \( -newer "$1" -o -cnewer "$1" \) -print 2>/dev/null |
		grep -vxF -e "$(readlink -f /proc/$$/fd/1)" -e "$(readlink -f /proc/$$/fd/2)" |
		sort || true
}

# The plan without the parts that fill pages: they are counted.
shorten_plan()
{
	awk '
		/^[^ ]/ { section = $0 }
		section ~ /^Denied system calls/ {
			if (/^    /) { denied += NF }
			next
		}
		section ~ /^System calls filtered/ {
			if (/^  [a-z0-9_]+ \(/) { filtered++ }
			if (/^  The [0-9]+ calls/) { allowed = $2 }
			if (!NF) {
				printf "    System calls\n      %d denied by name, %d by their arguments, " \
					"%d allowed; unknown numbers: ENOSYS\n\n", denied, filtered, allowed
			}
			next
		}
		/^  (looked for at|arguments|protection|refused unless)/ { next }
		{ print NF ? "    " $0 : "" }'
}

# refused TEXT CONTROL COMMAND: a command of the shell that must work outside (CONTROL says how: "works",
# or a text that the attempt prints) and be refused inside.
refused()
{
	local text=$1 control=$2 outside inside reason outside_code=0 inside_code=0
	outside=$(bash -c "$3" 2>&1) || outside_code=$?
	inside=$("$sandlock" run "${grants[@]}" -- bash -c "$3" 2>&1) || inside_code=$?
	reason=$(grep -oE 'Permission denied|Operation not permitted' <<<"$inside" | head -n 1 || true)
	if [ "$control" = works ] && [ "$outside_code" -ne 0 ]; then
		verdict 1 "$text: does not even work outside: $outside"
	elif [ "$control" != works ] && ! grep -q "$control" <<<"$outside"; then
		verdict 1 "$text: outside, \"$control\" was expected: $outside"
	elif [ "$inside_code" -eq 0 ] || [ -z "$reason" ]; then
		verdict 1 "$text: not refused (status $inside_code): $inside"
	else
		verdict 0 "$text: \"$reason\" inside; outside: $control"
	fi
}

title '1  Install'
tools/install.sh build
printf '  everything that the build needs is there\n'

scratch=$(mktemp -d "${TMPDIR:-/tmp}/sandlock-quickstart-XXXXXX")
reference=$(mktemp -d "${TMPDIR:-/tmp}/sandlock-reference-XXXXXX")
canary=$(mktemp -d "${HOME:-/var/tmp}/.sandlock-canary-XXXXXX")
trap 'rm -rf "$scratch" "$reference" "$canary"' EXIT
echo 'a secret' >"$canary/id_canary"

title '2  Build'
run_timed "$scratch/build.log" make -j2
[ "$code" -eq 0 ] || exit 1
printf '  build/release/sandlock and build/release/libsandlock.a, %s s\n' "$seconds"

title '3  The main job: this project builds itself inside a sandbox'
grants=(--preset build -w "$scratch" --cwd "$scratch/source" -m 4G)
copy_sources "$scratch/source"
copy_sources "$reference/source"
make_counter
mkdir "$scratch/tmp"
export TMPDIR=$scratch/tmp
printf '\n    sandlock run --preset build -w SCRATCH --cwd SCRATCH/source -m 4G -- make -j2\n\n'
printf '  SCRATCH is %s.  The walls (shortened; --explain prints all of it):\n\n' "$scratch"
"$sandlock" run "${grants[@]}" --explain -- make -j2 | shorten_plan
printf '\n'

export LD_PRELOAD=$scratch/count.so
touch "$scratch/stamp.outside"
QUICKSTART_COUNT=$scratch/count.outside run_timed "$scratch/outside.log" \
	make -C "$reference/source" -j2
outside_code=$code outside_seconds=$seconds
list_changes "$scratch/stamp.outside" >"$scratch/changes.outside"
printf '  outside the sandbox: status %s, %s s\n' "$outside_code" "$outside_seconds"

touch "$scratch/stamp.inside"
QUICKSTART_COUNT=$scratch/count.inside run_timed "$scratch/inside.log" \
	"$sandlock" run "${grants[@]}" --status-fd 3 -- make -j2 3>"$scratch/status.json"
inside_code=$code inside_seconds=$seconds
unset LD_PRELOAD
printf '  inside:              status %s, %s s' "$inside_code" "$inside_seconds"
awk -v inside="$inside_seconds" -v outside="$outside_seconds" \
	'BEGIN { if (outside > 0) { printf "  (%.2f times as long)", inside / outside } print "" }'
list_changes "$scratch/stamp.inside" >"$scratch/changes.inside"

title '4  Report'
verdict "$inside_code" "the build inside ended with status $inside_code"
count=$(sort -u "$scratch/count.inside" 2>/dev/null | wc -l)
verdict $((count < 200)) "$count processes ran programs inside, each wrote its number into a file (200 wanted)"
for file in libsandlock.a sandlock; do
	same=0
	cmp -s "$scratch/source/build/release/$file" "$reference/source/build/release/$file" || same=1
	verdict "$same" "$file built inside equals the one built outside, byte for byte"
done

# What also changed while the other build ran, and diaries that the system keeps, is the work of other
# programs: named, not judged.
comm -13 "$scratch/changes.outside" "$scratch/changes.inside" |
	grep -vE '^/(run|var/log|var/lib/systemd)(/|$)' >"$scratch/changes" || true
others=$(wc -l <"$scratch/changes")
unjudged=$(($(wc -l <"$scratch/changes.inside") - others))
verdict $((others > 0)) "$others files outside the scratch directory changed while it ran (find / -newer)"
if [ "$others" -gt 0 ]; then
	head -n 10 "$scratch/changes" | sed 's/^/        /'
	printf '        The run had no right to write there: another program did. Try again on a quiet machine.\n'
fi
if [ "$unjudged" -gt 0 ]; then
	printf '      (%d not counted: they changed without the sandbox too, or are logs of the system)\n' \
		"$unjudged"
fi

refused 'reading a secret in the home directory' works "cat '$canary/id_canary'"
refused 'writing into this source tree' works ": >>'$PWD/README.md'"
refused 'connecting to a TCP port' 'Connection refused' 'exec 3<>/dev/tcp/127.0.0.1/9'
refused 'signalling this script' works "kill -0 $$"

printf '      processor time: %s s user, %s s system; peak memory: %s MiB of 4096\n' \
	"$(status_number user_ns 1000000000)" "$(status_number system_ns 1000000000)" \
	"$(status_number peak_memory_bytes 1048576)"

printf '\n'
if [ "$failed" -gt 0 ]; then
	printf '%s%d of %d checks failed.%s\n' "$red" "$failed" $((failed + passed)) "$plain"
	exit 1
fi
printf '%sAll %d checks passed.%s  Next: man -l tools/man/sandlock.1, or\n' "$green" "$passed" "$plain"
# shellcheck disable=SC2016 # for the reader's shell
printf '  build/release/sandlock run --preset build -w "$PWD" -- YOUR COMMAND\n'

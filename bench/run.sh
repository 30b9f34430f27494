#!/bin/sh
# Runs every bench, writes build/bench.tsv and prints it as a table with the goals beside it.  It only
# reports: a slow result is not a failure.
# SPDX-License-Identifier: Apache-2.0
# usage: bench/run.sh [OUT]       from the project's root; OUT is build/release
#   SANDLOCK            the program to measure, OUT/sandlock if unset
#   REFERENCE_SANDLOCK  another implementation with the same flags, measured beside it
#   ROUNDS              of start-up (200); the other benches have at most 30, the self-build 5
#   SELF_BUILD_ROUNDS   5; 0 leaves it out
#   IDLE_SECONDS        10; 0 leaves it out
set -eu
out=${1:-build/release}
sandlock=${SANDLOCK:-$out/sandlock}
reference=${REFERENCE_SANDLOCK:-}
rounds=${ROUNDS:-200}
few_rounds=$((rounds < 30 ? rounds : 30))
self_build_rounds=${SELF_BUILD_ROUNDS:-$((rounds < 5 ? rounds : 5))}
idle_seconds=${IDLE_SECONDS:-10}
table=build/bench.tsv
rules="-r /usr -r /lib -r /lib64 -r /bin -r /etc -w /tmp"

# A path from the root, because benches start commands from elsewhere.
case $sandlock in /*) ;; *) sandlock=$PWD/$sandlock ;; esac
case $out in /*) ;; *) out=$PWD/$out ;; esac
[ -x "$sandlock" ] || sandlock=

# Started by make, this is not one of its jobs: a build in here begins with flags of its own.
unset MAKEFLAGS MFLAGS MAKELEVEL

scratch=$(mktemp -d /tmp/sandlock-bench.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
mkdir -p build
cp "$out/bench/guests/true" "$out/bench/guests/calls" "$out/bench/guests/fork_storm" \
	"$out/bench/guests/notify" "$scratch/"

# Everything that is compared is a fresh copy, as an installed program is.  The page cache holds a file
# that a linker wrote piece by piece in smaller pieces, and its start takes a tenth of a millisecond
# longer than that of a copy: more than most of what is measured here.
floor=$scratch/floor
mkdir "$floor"
cp "$out/bench/floor/exec" "$out/bench/floor/start" "$out/bench/floor/notify" "$floor/"
if [ -n "$sandlock" ]; then
	cp "$sandlock" "$scratch/sandlock"
	sandlock=$scratch/sandlock
fi
echo x >"$scratch/calls-file"

say() {
	echo "bench: $*" >&2
}

facts() {
	echo "# kernel $(uname -r), $(nproc) processors," \
		"$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)"
	echo "# load $(cut -d ' ' -f 1-3 /proc/loadavg), $(date -u +%Y-%m-%dT%H:%MZ)"
	printf '# row\tvariant\tmedian\tp10\tp90\tunit\tratio_to\tratio\n'
}

run_floor_selftests() {
	for arguments in "exec --selftest" "start --selftest" "start --listener --selftest"; do
		# shellcheck disable=SC2086
		set -- $arguments
		program=$1
		shift
		timeout 20 "$floor/$program" "$@" >/dev/null ||
			echo "# floor: $arguments fails: its walls do not stand, its times mean nothing"
	done
}

run_fork_storm() {
	storm="$scratch/fork_storm 1000 $scratch/true"

	set -- bare "$storm" floor-start "$floor/start $rules -- $storm"
	[ -z "$sandlock" ] || set -- "$@" sandlock "$sandlock run $rules -- $storm"
	[ -z "$reference" ] || set -- "$@" reference "$reference run $rules -- $storm"
	"$out/bench/compare" --row fork-storm-1000 --unit us/process --rounds "$few_rounds" \
		--from-output --base floor-start "$@"
}

# A traced tree, and one whose forks are counted too.
run_trace() {
	if [ -z "$sandlock" ]; then
		echo "# traced forks: not measured"
		return
	fi
	storm="$scratch/fork_storm 1000 $scratch/true"
	"$out/bench/compare" --row traced-fork-1000 --unit us/process --rounds "$few_rounds" \
		--from-output --base floor-trace bare "$storm" floor-trace "$floor/trace $storm" \
		sandlock "$sandlock run $rules --name box -- $storm"
	"$out/bench/compare" --row limited-fork-1000 --unit us/process --rounds "$few_rounds" \
		--from-output --base floor-trace-n bare "$storm" floor-trace-n "$floor/trace -n $storm" \
		sandlock "$sandlock run $rules -P 100 -- $storm"
}

run_filter_install() {
	if [ -x "$out/bench/filter_install" ]; then
		"$out/bench/filter_install" | awk -F '\t' -v OFS='\t' 'NF >= 4 && $2 + 0 > 0 {
			print "filter-install", $1, $2, $3, $4, "us", "-", "-" }'
	fi
}

run_idle() {
	if [ -z "$sandlock" ] || [ "$idle_seconds" -eq 0 ]; then
		echo "# idle: not measured"
	else
		bench/idle.sh "$sandlock" "$idle_seconds" || true
	fi
}

run_notify() {
	if [ -z "$sandlock" ]; then
		echo "# notify: not measured"
	else
		"$out/bench/notify" --rounds "$((few_rounds < 15 ? few_rounds : 15))" \
			--floor "$floor/notify" --sandlock "$sandlock" "$scratch/notify"
	fi
}

run_self_build() {
	if [ -z "$sandlock" ] || [ "$self_build_rounds" -eq 0 ]; then
		echo "# self-build: not measured"
	else
		bench/self_build.sh "$out" "$sandlock" "$scratch" "$self_build_rounds"
	fi
}

{
	facts
	[ -n "$sandlock" ] || echo "# sandlock: not measured: ${SANDLOCK:-$out/sandlock} is not there"
	run_floor_selftests
	say "start-up, $rounds rounds"
	"$out/bench/start" --rounds "$rounds" --floor "$floor" --sandlock "$sandlock" \
		--reference "$reference" true=/bin/true static="$scratch/true"
	say "filter"
	run_filter_install
	say "calls, $few_rounds rounds"
	"$out/bench/calls" --rounds "$few_rounds" --floor "$floor/start" \
		--sandlock "$sandlock" --reference "$reference" \
		"$scratch/calls" "$scratch" "$scratch/true"
	say "notified calls"
	run_notify
	"$out/bench/blocked" --rounds "$((few_rounds < 15 ? few_rounds : 15))"
	say "fork storm, $few_rounds rounds"
	run_fork_storm
	say "traced forks, $few_rounds rounds"
	run_trace
	say "idle, $idle_seconds s"
	run_idle
	say "self-build, $self_build_rounds rounds"
	run_self_build
} >"$table"

bench/table.awk "$table"
say "written to $table"

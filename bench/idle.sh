#!/bin/sh
# Counts how often our own processes were scheduled while the command slept: none is what is promised.
# SPDX-License-Identifier: Apache-2.0
# usage: idle.sh SANDLOCK [SECONDS]; prints the counts, exits 0 if all are 0, 1 if not, 2 on failure.
set -eu
sandlock=$1 seconds=${2:-60}
settle=1

fail() {
	echo "idle: $1" >&2
	exit 2
}

# The context switches of every thread of one process, voluntary and not, added up.
switches() {
	cat "/proc/$1"/task/*/status | awk '/ctxt_switches/ { sum += $2 } END { print sum + 0 }'
}

# The children of all threads of one process.
children() {
	cat "/proc/$1"/task/*/children
}

"$sandlock" run -r /usr -r /lib -r /lib64 -r /bin -r /etc -- \
	/bin/sleep $((seconds + settle + 5)) &
supervisor=$!
trap 'kill $supervisor 2>/dev/null || true' EXIT
sleep "$settle"

[ -d "/proc/$supervisor" ] || fail "the run ended at once"
keeper=$(children "$supervisor" | tr -d ' ')
[ -d "/proc/${keeper:-none}" ] || fail "expected one keeper, found '$keeper'"
command=$(children "$keeper" | tr -d ' ')
[ "$(cat "/proc/$command/comm" 2>/dev/null)" = sleep ] || fail "the keeper has no command"

supervisor_before=$(switches "$supervisor") keeper_before=$(switches "$keeper")
sleep "$seconds"
supervisor_after=$(switches "$supervisor") keeper_after=$(switches "$keeper")

supervisor_count=$((supervisor_after - supervisor_before))
keeper_count=$((keeper_after - keeper_before))
printf 'idle\tsupervisor\t%d\t%d\t%d\tswitches in %d s\t-\t-\n' \
	$supervisor_count $supervisor_count $supervisor_count "$seconds"
printf 'idle\tkeeper\t%d\t%d\t%d\tswitches in %d s\t-\t-\n' \
	$keeper_count $keeper_count $keeper_count "$seconds"
[ $supervisor_count -eq 0 ] && [ $keeper_count -eq 0 ]

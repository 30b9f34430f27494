#!/bin/bash
# Runs suites and keeps the books: for the scripts beside it and tools/test.sh to source, at the root of
# the tree.  Each suite writes its whole output to build/ci/NAME.log and one row to build/ci/results.tsv:
# name, tests run, passed, failed, seconds.
# SPDX-License-Identifier: Apache-2.0

ci=$PWD/build/ci
results=$ci/results.tsv

# books_open: forgets earlier runs, unless a script that called this one has opened the books.
books_open()
{
	if [ -z "${SANDLOCK_BOOKS:-}" ]; then
		rm -rf "$ci"
		mkdir -p "$ci"
		printf '%-24s %6s %6s %6s %8s\n' suite tests passed failed seconds
	fi
}

# book NAME TESTS PASSED FAILED SECONDS
book()
{
	printf '%s\t%s\t%s\t%s\t%s\n' "$@" >>"$results"
	printf '%-24s %6s %6s %6s %8s\n' "$@"
}

# show_failure LOG: what a reader needs to see of a log that may be long.
show_failure()
{
	grep -vE '^\[(RUN |PASS|====)' "$1" | tail -n 60 | sed 's/^/    /'
}

# suite NAME COMMAND...: a command that ends with Criterion's closing line.  A skipped test, a report of
# a sanitizer (also of a child process: they write to files) and a lost closing line are failures.
suite()
{
	local name=$1 log=$ci/$1.log reports=$ci/$1.sanitizer begin=$SECONDS code=0
	local tested passed failed skipped found
	shift
	mkdir -p "$reports"
	ASAN_OPTIONS="log_path=$reports/report" \
		UBSAN_OPTIONS="print_stacktrace=1:log_path=$reports/report" \
		TSAN_OPTIONS="log_path=$reports/report" \
		TESTFLAGS=--verbose timeout -k 10 "${SUITE_SECONDS:-900}" "$@" >"$log" 2>&1 || code=$?

	read -r tested passed < <(sed -nE \
		's/.*Synthesis: Tested: ([0-9]+) \| Passing: ([0-9]+) .*/\1 \2/p' "$log" | tail -n 1) || true
	tested=${tested:-0}
	passed=${passed:-0}
	# A filter disables tests; that is not skipping them.
	skipped=$(grep '^\[SKIP\]' "$log" | grep -vc ': Test is disabled$' || true)
	found=$(find "$reports" -type f | wc -l)
	failed=$((tested - passed + skipped + found))
	if [ "$failed" -eq 0 ] && { [ "$code" -ne 0 ] || [ "$tested" -eq 0 ]; }; then
		failed=1
	fi
	book "$name" "$tested" "$passed" "$failed" $((SECONDS - begin))
	if [ "$failed" -ne 0 ]; then
		printf '    status %s, %s skipped, %s sanitizer reports; the log is %s\n' \
			"$code" "$skipped" "$found" "${log#"$PWD"/}"
		show_failure "$log"
		find "$reports" -type f -exec head -n 30 {} + | head -n 60
	fi
}

# step NAME COMMAND...: a command that counts as one test and is judged by its exit status.
step()
{
	local name=$1 log=$ci/$1.log begin=$SECONDS
	shift
	if timeout -k 10 "${SUITE_SECONDS:-900}" "$@" >"$log" 2>&1; then
		book "$name" 1 1 0 $((SECONDS - begin))
	else
		book "$name" 1 0 1 $((SECONDS - begin))
		show_failure "$log"
	fi
}

# equal_counts NAME SUITE...: every variant must have run the same number of tests.
equal_counts()
{
	local label=$1 counts
	shift
	counts=$(for name in "$@"; do
		awk -F '\t' -v name="$name" '$1 == name { print $2; found = 1 } END { if (!found) { print "none" } }' \
			"$results"
	done | sort -u | wc -l)
	if [ "$counts" -eq 1 ]; then
		book "$label" 1 1 0 0
	else
		book "$label" 1 0 1 0
		printf '    different numbers of tests: %s\n' "$*"
	fi
}

# books_close: the closing line, alone on the last line; fails with any failure and with no test at all.
books_close()
{
	if [ -n "${SANDLOCK_BOOKS:-}" ]; then
		return 0
	fi
	awk -F '\t' '{ passed += $3; failed += $4 }
		END { printf "%d passed, %d failed\n", passed, failed; exit failed > 0 || passed == 0 }' "$results"
}

#!/usr/bin/awk -f
# Prints bench.tsv for people: first the rows with their ratios, then single calls as one line each,
# the goals at the end.
# SPDX-License-Identifier: Apache-2.0

function goal(text, row, variant, to, limit,    value)
{
	if ((row, variant, to) in ratios) {
		value = ratios[row, variant, to]
		printf "  %-48s goal <= %.2f   measured %6.3f   %s\n", text, limit, value, \
			value <= limit ? "met" : "not met"
	} else {
		printf "  %-48s goal <= %.2f   not measured\n", text, limit
	}
}

function spread_of_ratio(row, variant, to)
{
	return (row, variant, to) in spreads ? spreads[row, variant, to] : "-"
}

function median_of(row, variant)
{
	return (row, variant) in medians ? sprintf("%.0f", medians[row, variant]) : "-"
}

function print_calls(    i, row)
{
	if (call_count == 0) {
		return
	}
	printf "\n%-24s %9s %11s %9s  %-22s  %-22s  %s\n", "call, ns", "bare", "floor-start", \
		"sandlock", "sandlock / floor", "sandlock / bare", "floor / bare"
	for (i = 1; i <= call_count; i++) {
		row = calls[i]
		printf "%-24s %9s %11s %9s  %-22s  %-22s  %s\n", substr(row, 6), \
			median_of(row, "bare"), median_of(row, "floor-start"), \
			median_of(row, "sandlock"), \
			spread_of_ratio(row, "sandlock", "floor-start"), \
			spread_of_ratio(row, "sandlock", "bare"), \
			spread_of_ratio(row, "floor-start", "bare")
	}
	print "Goal: 1.00 within noise, which is the spread from p10 to p90.  A filter of any length costs"
	print "each call some 50 ns and Landlock each open a walk to the root: the floor pays both too."
}

BEGIN {
	FS = "\t"
	printf "%-26s %-28s %12s %25s  %s\n", "row", "variant", "median", "p10 .. p90", \
		"unit, or ratio to"
}

/^#/ {
	print
	next
}

{
	if ($7 != "-") {
		ratios[$1, $2, $7] = $8
		spreads[$1, $2, $7] = sprintf("%.2f (%.2f .. %.2f)", $3, $4, $5)
	} else {
		medians[$1, $2] = $3
	}
}

/^call-/ {
	if ($1 != last) {
		calls[++call_count] = $1
	}
	last = $1
	next
}

{
	if ($1 != last && last != "") {
		print ""
	}
	last = $1
	if ($6 == "ratio") {
		printf "%-26s %-28s %12.3f %12.3f ..%11.3f  x %s\n", $1, $2, $3, $4, $5, $7
	} else {
		decimals = $3 < 100 ? 3 : 1
		printf "%-26s %-28s %12.*f %12.*f ..%11.*f  %s%s\n", $1, $2, decimals, $3, decimals, $4, decimals, $5, $6, \
			$7 == "-" ? "" : sprintf(", %.2f x %s", $8, $7)
	}
}

END {
	print_calls()
	print "\nGoals (reported, never asserted):"
	goal("start added, /bin/true, to the floor", "start-true-added", "sandlock", \
		"floor-start", 1.15)
	goal("  the same in the quiet tenth of the rounds", "start-true-added-quiet", "sandlock", \
		"floor-start", 1.15)
	goal("start added, /bin/true, to bubblewrap", "start-true-added", "sandlock", \
		"bubblewrap", 0.5)
	goal("start added, static command, to the floor", "start-static-added", "sandlock", \
		"floor-start", 1.15)
	goal("  the same in the quiet tenth of the rounds", "start-static-added-quiet", \
		"sandlock", "floor-start", 1.15)
	goal("start added, static command, to bubblewrap", "start-static-added", "sandlock", \
		"bubblewrap", 0.5)
	goal("start added, --preset build, to a floor like it", "start-true-added", \
		"sandlock-preset-build", "floor-start-build", 1.15)
	goal("start added, --no-supervisor, to its floor", "start-true-added", \
		"sandlock-no-supervisor", "floor-exec", 1.15)
	goal("fork storm, to the floor", "fork-storm-1000", "sandlock", "floor-start", 1.0)
	goal("self-build, --preset build, to bare", "self-build", "sandlock-preset-build", \
		"bare", 1.01)
	goal("self-build, --preset build -m 4G, to bare", "self-build", \
		"sandlock-preset-build-m-4G", "bare", 1.01)
}

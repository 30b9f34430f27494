#!/bin/sh
# Checks the layer rule over the tree in the current directory: a file includes, from the root, its own
# folder and folders on lower lines only, with the exceptions named below.  Tests, benches and the tool
# that mutates the filter against its test table are free.
# SPDX-License-Identifier: Apache-2.0
set -eu

find . \( -name build -o -name .git -o -path ./tests -o -path ./bench \
	-o -path './tools/mutate-bpf*' \) -prune -o \
	-type f \( -name '*.c' -o -name '*.h' -o -name '*.def' \) -print | sed 's|^\./||' | sort |
	awk '
	BEGIN {
		# One line of the drawing in core/README.md each; the higher may include the lower.
		split("core/base", line0); split("arch bpf", line1)
		split("core/process core/tracee core/policy core/notif core/handler", line2)
		split("core/plan core/child", line3); split("core/supervisor", line4)
		split("handlers", line5); split("core/run", line6)
		split("core/serve core/client core/api", line7); split("tools", line8)
		set(line0, 0); set(line1, 1); set(line2, 2); set(line3, 3); set(line4, 4)
		set(line5, 5); set(line6, 6); set(line7, 7); set(line8, 8)

		# On one line: the contract carries a notification and its answer, and copies of task
		# memory are made for a call.
		peer["core/handler core/notif"] = 1
		peer["core/tracee core/handler"] = 1
		peer["core/tracee core/process"] = 1

		# The code between fork and exec sees nothing but these.
		child_may["core/plan/plan.h"] = 1
		child_may["core/base/fd.h"] = 1
	}

	function set(folders, number,    i) {
		for (i in folders) { level[folders[i]] = number }
	}

	# core/plan/plan.h -> core/plan; arch/x86_64/arch.c -> arch; tools/cli/main.c -> tools
	function folder(path,    part) {
		split(path, part, "/")
		return part[1] == "core" ? "core/" part[2] : part[1]
	}

	function complain(text) {
		printf "%s:%d: %s\n", file, number, text
		bad = 1
	}

	function check(target,    from, to) {
		from = folder(file); to = folder(target)
		if (target !~ "/" || target ~ /(^|\/)\.\.?\//) {
			complain("\"" target "\" is not written from the root"); return
		}
		if ((getline ignored < target) < 0) {
			complain("\"" target "\" does not exist"); return
		}
		close(target)
		if (!(to in level)) {
			complain("\"" target "\" is in no layer"); return
		}
		if (to == "handlers" && from != "handlers" &&
			!(file == "core/run/sandbox.c" && target == "handlers/features.h")) {
			complain("only core/run/sandbox.c may include handlers, and only features.h"); return
		}
		if (from == to || (from " " to) in peer) { return }
		if (from == "core/child") {
			if (!(target in child_may) && to != "arch") {
				complain("core/child may not include \"" target "\"")
			}
			return
		}
		if (level[to] >= level[from]) {
			complain("\"" target "\" is not on a lower line than " from)
		}
	}

	{
		file = $0; number = 0
		if (!(folder(file) in level)) { complain("the file is in no layer") }
		while ((getline text < file) > 0) {
			number++
			if (match(text, /^[ \t]*#[ \t]*include[ \t]*"[^"]*"/)) {
				target = substr(text, RSTART, RLENGTH)
				gsub(/^[^"]*"|"$/, "", target)
				check(target)
			}
		}
		close(file)
		files++
	}

	END {
		if (files == 0) { print "check-includes: no source file found"; bad = 1 }
		exit bad
	}'

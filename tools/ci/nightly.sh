#!/bin/bash
# Everything that CI runs with the full counts of the tests, a minute for each fuzz target, and every
# mutant of the filter.  Writes build/nightly.log beside the terminal.
# SPDX-License-Identifier: Apache-2.0
set -eu
cd "$(dirname "$0")/../.."
mkdir -p build

{
	printf 'commit  %s\n' "$(git rev-parse HEAD 2>/dev/null || echo unknown)"
	printf 'kernel  %s\n' "$(uname -srm)"
	printf 'begin   %s\n' "$(date -u +%FT%TZ)"
	code=0
	SANDLOCK_COUNTS=full SUITE_SECONDS=14400 FUZZ_SECONDS=60 tools/ci/all.sh || code=1
	make mutate-bpf || code=1
	printf 'end     %s  status %s\n' "$(date -u +%FT%TZ)" "$code"
	exit "$code"
} 2>&1 | tee build/nightly.log
exit "${PIPESTATUS[0]}"

#!/bin/bash
# Everything that CI runs, with full counts for the release build, a minute for each fuzz target, and
# every mutant of the filter.  Writes build/nightly.log beside the terminal, with the times that the
# kill tests measured.
# SPDX-License-Identifier: Apache-2.0
set -eu
cd "$(dirname "$0")/../.."
mkdir -p build

{
	printf 'commit  %s\n' "$(git rev-parse HEAD 2>/dev/null || echo unknown)"
	printf 'kernel  %s\n' "$(uname -srm)"
	printf 'begin   %s\n' "$(date -u +%FT%TZ)"
	code=0
	SANDLOCK_COUNTS=full SUITE_SECONDS=3600 FUZZ_SECONDS=60 tools/ci/all.sh || code=1
	grep -hE '^\[----\] [0-9]+ x ' build/ci/live.log || true
	begin=$SECONDS
	make -j2 mutate-bpf || code=1
	printf 'mutate-bpf took %s s\n' $((SECONDS - begin))
	printf 'end     %s  status %s\n' "$(date -u +%FT%TZ)" "$code"
	exit "$code"
} 2>&1 | tee build/nightly.log
exit "${PIPESTATUS[0]}"

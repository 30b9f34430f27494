#!/bin/bash
# What CI runs, in less than 15 minutes on two processors: tools/test.sh, the same suites under each
# sanitizer and with jemalloc, make check, the cross builds, and the fuzz targets for a few seconds.
# SPDX-License-Identifier: Apache-2.0
set -eu
cd "$(dirname "$0")/../.."
. tools/ci/suites.sh

counts=${SANDLOCK_COUNTS:-ci}
export SANDLOCK_COUNTS="$counts"
books_open
SANDLOCK_BOOKS=open tools/test.sh
step stress make -j2 stress

# Full counts are for the program as users get it: under a sanitizer, with jemalloc and under qemu-user
# the same tests look for other faults, which show in few rounds, and take up to twenty times as long.
export SANDLOCK_COUNTS=ci
for variant in address undefined thread; do
	suite "unit-$variant" make -j2 SAN="$variant" test
	suite "live-$variant" make -j2 SAN="$variant" live
	step "child-symbols-$variant" tools/lint/check-child-symbols.sh "build/$variant"
done
equal_counts unit-counts-equal unit unit-address unit-undefined unit-thread
equal_counts live-counts-equal live live-address live-undefined live-thread
suite unit-jemalloc make -j2 JEMALLOC=1 test
step stress-thread sh -c 'make -j2 SAN=thread build/thread/tests/stress/handover &&
	build/thread/tests/stress/handover 20000'
# The whole suite by night: what answers notifications is in these.
queued="'--filter=@(doors|handlers|limits_processes|index_complete|signals_window|tracer_life)/*'"
if [ "$counts" = full ]; then
	queued=
fi
suite live-queue env SANDLOCK_DISPATCH=queue SANDLOCK_TEST_FLAGS="--workers-max 1" \
	TESTFLAGS="--verbose $queued" make -j2 live
step check make check
for arch in aarch64 riscv64; do
	suite "unit-$arch" tests/cross/run.sh "$arch"
done
step fuzz env FUZZ_SECONDS="${FUZZ_SECONDS:-5}" make fuzz
books_close

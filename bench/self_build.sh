#!/bin/sh
# Builds a scratch copy of this project bare and inside, in interleaved rounds; prints table lines.
# SPDX-License-Identifier: Apache-2.0
# usage: self_build.sh OUT SANDLOCK SCRATCH [ROUNDS]
set -eu
out=$1 sandlock=$2 scratch=$3 rounds=${4:-5}
copy=$scratch/self-build

mkdir -p "$copy"
tar --exclude=./build --exclude=./.git -cf - . | tar -xf - -C "$copy"

build="make -C $copy -j2 all"
inside="run --preset build -w $copy"
quiet=">/dev/null 2>&1"
"$out/bench/compare" --row self-build --unit s --rounds "$rounds" --prepare "rm -rf $copy/build" \
	bare "$build $quiet" \
	sandlock-preset-build "$sandlock $inside -- $build $quiet" \
	sandlock-preset-build-m-4G "$sandlock $inside -m 4G -- $build $quiet"
rm -rf "$copy"

#!/bin/sh
# Installs the packages of the groups that are named (build, test, cross; see packages.txt) on Debian 12,
# as root or with sudo.  Does nothing, and needs no right and no network, where they are there already.
# SPDX-License-Identifier: Apache-2.0
set -eu

list=$(dirname "$0")/packages.txt
missing=
for group in "$@"; do
	packages=$(awk -v group="$group" '$1 == group { print $2 }' "$list")
	for package in $packages; do
		if ! dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed; then
			missing="$missing $package"
		fi
	done
done
if [ -z "$missing" ]; then
	exit 0
fi

sudo=
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "install: not root, and sudo is not there; as root: apt-get install$missing" >&2
		exit 1
	fi
	sudo=sudo
fi
echo "Installing:$missing"
log=$(mktemp)
# shellcheck disable=SC2086 # one word per package
if ! { $sudo apt-get update &&
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } \
	>"$log" 2>&1; then
	cat "$log" >&2
	echo "install: apt-get failed" >&2
	rm -f "$log"
	exit 1
fi
rm -f "$log"

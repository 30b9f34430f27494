#!/bin/bash
# Installs what is needed (Debian 12, root or sudo), builds, and runs every suite: the unit tests, the
# live tests of the program as users get it.  The unit tests read the headers of the other processors.
# SPDX-License-Identifier: Apache-2.0
set -eu
cd "$(dirname "$0")/.."
. tools/ci/suites.sh

tools/install.sh build test cross
books_open
step build make -j2 all
suite unit make -j2 test
suite live make -j2 live
books_close

#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# The command, end to end: all of tests/cmd by bats, which must be there (Debian: bats).
command -v bats >/dev/null || { echo "check-command: bats is missing (Debian: bats)" >&2; exit 1; }
LC_ALL=C.UTF-8 timeout -s KILL 600 bats "$MM3_SRC"/tests/cmd/*.bats >check-command.out 2>&1
code=$?
cat check-command.out
rm -f check-command.out
exit $code

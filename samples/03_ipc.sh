#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# The two processes of 03_ipc, the reader first: it waits for the writer. $1 is the program.
program=${1:-./03_ipc}
"$program" read &
reader=$!
"$program" write || exit 1
wait $reader

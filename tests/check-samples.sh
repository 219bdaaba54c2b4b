#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Each sample runs in an empty folder, twice, since what it keeps is there the second time: exit 0 within a minute, and
# something printed. Where samples/NAME.sh is, it is run instead, with the program's path as $1.
status=0 count=0
say () { echo "check-samples: $*" >&2; status=1; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' 0
names=$(awk '/^SAMPLES =/ { on = 1; sub(/^SAMPLES =/, "") } on { more = sub(/\\$/, ""); print; on = more }' \
  "$MM3_SRC/samples/Makefile.am")

for name in $names
do
  count=$((count + 1))
  program=$MM3_BUILD/samples/$name
  [ -x "$program" ] || { say "$name is not built"; continue; }
  mkdir "$work/$name" && cd "$work/$name" || exit 1
  set -- "$program"
  [ ! -f "$MM3_SRC/samples/$name.sh" ] || set -- sh "$MM3_SRC/samples/$name.sh" "$program"
  for round in first second
  do
    timeout -s KILL 600 "$@" >"$work/out" 2>&1
    code=$?
    [ $code -eq 0 ] && [ -s "$work/out" ] || { say "$name, $round run: exit $code, printed:"; cat "$work/out" >&2; }
  done
done
echo "check-samples: $count samples"
exit $status

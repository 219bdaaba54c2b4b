#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Each test that doc/PROMISES names is there: [PROGRAM: sentence], a case of tests/PROGRAM.c.
status=0
say () { echo "check-promises: $*" >&2; status=1; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' 0

# missing FILE: a line for each test that it names and that is not in tests/.
missing () {
  tr '\n' ' ' <"$1" | tr -s ' ' | grep -oE '\[test_[a-z_]+: [^]]+\]' | sed 's/^\[//; s/\]$//' >"$work/named"
  while IFS= read -r line
  do
    program=${line%%: *} sentence=${line#*: }
    grep -qF "\"$sentence\"" "$MM3_SRC/tests/$program.c" 2>/dev/null || echo "$line"
  done <"$work/named"
}

printf 'a promise\n  [test_kill: doubles are\n  caught] [test_kill: there is no such case] [test_none: doubles are caught]\n' >"$work/planted"
[ "$(missing "$work/planted" | wc -l)" -eq 2 ] || { echo "check-promises: the check itself is broken" >&2; exit 1; }

missing "$MM3_SRC/doc/PROMISES" >"$work/missing"
while IFS= read -r line; do say "no test '$line'"; done <"$work/missing"
count=$(wc -l <"$work/named")
[ "$count" -gt 20 ] || say "only $count tests are named"
echo "check-promises: $count tests"
exit $status

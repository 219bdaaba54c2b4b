#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Each test that doc/PROMISES names is there: [PROGRAM: sentence], a case of tests/PROGRAM.c. Each code of error.h is one that
# some test wants: CHECK_EQ(call, -MM3_E_CODE) or CHECK_FAILS(call, -MM3_E_CODE, error).
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

# unwanted HEADER FILE...: the header's codes that none of the files wants.
unwanted () {
  header=$1
  shift
  for code in $(sed -n 's/^  X(\([A-Z0-9_]*\),.*/\1/p' "$header")
  do
    grep -qE "CHECK_(EQ|FAILS)\\(.*, -MM3_E_$code[,)]" "$@" || echo "$code"
  done
}

printf '  X(WANTED, 1, 2, "a")\n  X(NAMED, 3, 4, "b")\n' >"$work/codes"
printf 'CHECK_EQ(call(), -MM3_E_WANTED);\nif (call() == -MM3_E_NAMED) return;\n' >"$work/test.c"
[ "$(unwanted "$work/codes" "$work/test.c")" = NAMED ] || { echo "check-promises: the check of codes is broken" >&2; exit 1; }
codes=$(sed -n 's/^  X(\([A-Z0-9_]*\),.*/\1/p' "$MM3_SRC/include/mm3/error.h" | wc -l)
[ "$codes" -ge 18 ] || say "only $codes codes are in error.h"
for code in $(unwanted "$MM3_SRC/include/mm3/error.h" "$MM3_SRC"/tests/test_*.c); do say "no test wants MM3_E_$code"; done
echo "check-promises: $count tests, $codes codes"
exit $status

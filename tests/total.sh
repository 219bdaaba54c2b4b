#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# total.sh TEST...: one line over all tests, `N passed, N failed` and `, N skipped` where there are any, from the .trs
# and .log files of automake's harness. A program counts its cases, a script counts as one. A program that ended badly
# without a failed case (a crash, a leak) counts as one failure more. Exits 1 when something failed or nothing ran.
passed=0 failed=0 skipped=0
for test in "$@"
do
  name=${test%.sh}
  result=$(sed -n 's/^:test-result: *\([A-Z]*\).*/\1/p' "$name.trs" 2>/dev/null)
  p=0 f=0 s=0
  if [ "$name" = "$test" ]; then
    counts=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed\(, \([0-9]*\) skipped\)*$/\1 \2 \4/p' "$name.log" 2>/dev/null |
      tail -n 1)
    set -- $counts
    p=${1:-0} f=${2:-0} s=${3:-0}
    [ "$result" = PASS ] && [ $((p + f + s)) -gt 0 ] || [ "$f" -gt 0 ] || f=1
  else
    case $result in
      PASS) p=1 ;;
      SKIP) s=1 ;;
      *) f=1 ;;
    esac
  fi
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
line="$passed passed, $failed failed"
[ "$skipped" -eq 0 ] || line="$line, $skipped skipped"
echo "$line"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]

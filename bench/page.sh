#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# page.sh: puts the last report into doc/PERFORMANCE, between its two markers, with the targets that fall short, and its
# picture beside it: doc/performance.svg. make bench, then make bench-page.
set -eu
: "${MM3_SRC:?}" "${MM3_BUILD:?}"
out=$MM3_BUILD/bench page=$MM3_SRC/doc/PERFORMANCE
[ -s "$out/report.md" ] || { echo "bench: no report yet: make bench" >&2; exit 1; }
{
  cat "$out/machine"
  echo
  cat "$out/report.md"
  printf '\nTargets (bench/targets.tsv) that this run did not reach:\n\n| workload | mm3 against | target | measured |\n|---|---|---|---|\n'
  awk -F '\t' -f "$MM3_SRC/bench/check.awk" "$out/report.tsv" "$MM3_SRC/bench/targets.tsv" |
    awk -F '\t' '$1 == "FALLS SHORT" { sub(/^.* against /, "", $4); print "| " $3 " | " $4 " | " $5 " | " $6 " |" } /targets hold/ { total = $0 }
      END { print "\n" total "." }'
} >"$out/page"
awk -v with="$out/page" '
  /^<!-- measured -->$/ { print; while ((getline line <with) > 0) print line; skip = 1; next }
  /^<!-- end -->$/ { skip = 0 }
  !skip' "$page" >"$out/PERFORMANCE"
grep -q '^<!-- end -->$' "$out/PERFORMANCE" || { echo "bench: $page has no markers" >&2; exit 1; }
cat "$out/PERFORMANCE" >"$page"
cp "$out/report.svg" "$MM3_SRC/doc/performance.svg"

# SPDX-License-Identifier: MIT OR Apache-2.0
# The table as Markdown: a line a workload: mm3, its ratio to the limit, then the others, the fastest first.
function shown(ns, unit) {
  if (unit != "ns") return sprintf("%.3g %s", ns, unit)
  if (ns >= 1e6) return sprintf("%.3g ms", ns / 1e6)
  if (ns >= 1e4) return sprintf("%.3g us", ns / 1e3)
  return sprintf("%.3g ns", ns)
}
NR == 1 { next }
$1 != last { last = $1; names[++n] = $1 }
$2 == "mm3" { mm3[$1] = shown($3, $4); ratio[$1] = $5; runs[$1] = sprintf("%s..%s", shown($7, $4), shown($8, $4)) }
$2 != "mm3" { others[$1] = others[$1] (others[$1] == "" ? "" : ", ") $2 " " shown($3, $4) }
END {
  print "| workload | mm3 | min..max | ratio to raw | others, the fastest first |"
  print "|---|---|---|---|---|"
  for (i = 1; i <= n; i++) {
    w = names[i]
    print "| " w " | " (w in mm3 ? mm3[w] : "-") " | " (w in runs ? runs[w] : "-") " | " (w in ratio ? ratio[w] : "-") " | " others[w] " |"
  }
}

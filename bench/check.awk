# SPDX-License-Identifier: MIT OR Apache-2.0
# report.tsv and targets.tsv (target, workload, peer, against, limit): which targets hold. A limit is <=N: peer's median over
# against's; >=N: against's over peer's (N times faster); B<=N: peer's own median. `against` raw is the workload's limit;
# workload:peer names a row of another workload.
FNR == 1 { file++ }
file == 1 && FNR > 1 {
  median[$1, $2] = $3
  if ($5 != "-" && $5 + 0 > 0 && !($1 in limit)) limit[$1] = $3 / $5
  if ($2 ~ /^raw/ && (!($1 in best) || $3 + 0 < best[$1])) best[$1] = $3 + 0
  next
}
file == 2 && $0 !~ /^#/ && NF == 5 {
  mine = ($2, $3) in median ? median[$2, $3] : ""
  if (match($4, /:[^: ][^:]*$/)) {
    there = substr($4, 1, RSTART - 1); who = substr($4, RSTART + 1)
    other = who == "raw" ? (there in best ? best[there] : "") : ((there, who) in median ? median[there, who] : "")
  } else if ($4 == "raw") other = $2 in best ? best[$2] : ""
  else other = ($2, $4) in median ? median[$2, $4] : ""
  number = $5; sub(/^[^0-9]*/, "", number)
  if ($5 ~ /^B/) { value = mine; good = value <= number + 0 }
  else if (mine == "" || other == "") { missing++; printf "no figure\t%s\t%s\t%s against %s\t%s\n", $1, $2, $3, $4, $5; next }
  else if ($5 ~ /^<=/) { value = mine / other; good = value <= number + 0 }
  else { value = other / mine; good = value >= number + 0 }
  if (mine == "") { missing++; next }
  printf "%s\t%s\t%s\t%s against %s\t%s\t%.2f\n", good ? "holds" : "FALLS SHORT", $1, $2, $3, $4, $5, value
  if (good) held++; else short++
}
END { printf "%d targets hold, %d fall short, %d without a figure\n", held, short, missing; exit short > 0 }

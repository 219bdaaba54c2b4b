# SPDX-License-Identifier: MIT OR Apache-2.0
# Figures (group round workload peer figure unit) -> workload peer median unit ratio_to_limit runs min max
function median_of(key, n,    i, j, t, s) {
  for (i = 1; i <= n; i++) s[i] = figure[key, i] + 0
  for (i = 2; i <= n; i++) for (j = i; j > 1 && s[j - 1] > s[j]; j--) { t = s[j]; s[j] = s[j - 1]; s[j - 1] = t }
  least[key] = s[1]; most[key] = s[n]
  return n % 2 ? s[(n + 1) / 2] : (s[n / 2] + s[n / 2 + 1]) / 2
}
NF == 6 {
  key = $3 SUBSEP $4
  if (!(key in count)) { rows[++nrows] = key; workload[key] = $3; peer[key] = $4; unit[key] = $6 }
  if (!($3 in seen)) { seen[$3] = ++nworkloads; names[nworkloads] = $3 }
  figure[key, ++count[key]] = $5
}
END {
  if (!nrows) exit 1
  for (r = 1; r <= nrows; r++) {
    key = rows[r]; median[key] = median_of(key, count[key])
    if (peer[key] ~ /^raw/ && (!(workload[key] in limit) || median[key] < limit[workload[key]])) limit[workload[key]] = median[key]
  }
  print "workload", "peer", "median", "unit", "ratio_to_limit", "runs", "min", "max"
  for (w = 1; w <= nworkloads; w++) {
    # the fastest first
    n = 0
    for (r = 1; r <= nrows; r++) if (workload[rows[r]] == names[w]) order[++n] = rows[r]
    for (i = 2; i <= n; i++) for (j = i; j > 1 && median[order[j - 1]] > median[order[j]]; j--) { t = order[j]; order[j] = order[j - 1]; order[j - 1] = t }
    for (i = 1; i <= n; i++) {
      key = order[i]
      ratio = names[w] in limit && limit[names[w]] > 0 ? sprintf("%.2f", median[key] / limit[names[w]]) : "-"
      print workload[key], peer[key], sprintf("%.4g", median[key]), unit[key], ratio, count[key], sprintf("%.4g", least[key]), sprintf("%.4g", most[key])
    }
  }
}

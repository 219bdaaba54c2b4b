#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# coverage.sh CSV LEAST: from gcovr's table of files, those with the fewest lines reached, then one line a folder. Exits 1
# when core or modules has less than LEAST percent, or is not there at all.
awk -F, 'NR > 1 && $2 > 0 { printf "%6.1f %%  %s (%d of %d)\n", 100 * $3 / $2, $1, $3, $2 }' "$1" | sort -n | head -n 20
awk -F, -v least="$2" '
  NR > 1 { split($1, part, "/"); lines[part[1]] += $2; reached[part[1]] += $3 }
  END {
    lines["core"] += 0; lines["modules"] += 0
    for (folder in lines) {
      percent = lines[folder] ? 100 * reached[folder] / lines[folder] : 0
      low = (folder == "core" || folder == "modules") && percent < least
      printf "%s: %.1f %% of %d lines%s\n", folder, percent, lines[folder], low ? ", wanted " least " %" : ""
      failed += low
    }
    exit failed > 0
  }' "$1"

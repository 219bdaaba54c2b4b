# SPDX-License-Identifier: MIT OR Apache-2.0
# A picture: for each workload that has a limit, the peers on a logarithmic scale of their ratio to it.
function log10(x) { return log(x) / log(10) }
function x_of(ratio) { if (ratio < 0.5) ratio = 0.5; if (ratio > 20000) ratio = 20000; return left + (log10(ratio) - log10(0.5)) * scale }
function escaped(text) { gsub(/&/, "\\&amp;", text); gsub(/</, "\\&lt;", text); gsub(/>/, "\\&gt;", text); return text }
BEGIN { left = 290; scale = 150; line = 15 }
NR == 1 || $5 == "-" || $5 + 0 <= 0 || $1 ~ /bytes/ || $2 ~ /^raw/ { next }
!($1 in seen) { seen[$1] = 1; names[++n] = $1 }
{ at[$1] = at[$1] $2 "\t" $5 "\n" }
END {
  if (!n) { print "<svg xmlns=\"http://www.w3.org/2000/svg\"/>"; exit }
  height = n * line + 70; width = left + (log10(20000) - log10(0.5)) * scale + 30
  printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"10\">\n", width, height
  printf "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
  printf "<text x=\"10\" y=\"16\" font-size=\"13\">Time as a multiple of the limit (raw = 1, logarithmic)</text>\n"
  printf "<circle cx=\"%d\" cy=\"30\" r=\"5\" fill=\"#c22\"/><text x=\"%d\" y=\"34\">mm3</text><circle cx=\"%d\" cy=\"30\" r=\"3\" fill=\"#57a\"/><text x=\"%d\" y=\"34\">the others (hover for names)</text>\n", 20, 30, 80, 90
  for (r = 1; r <= 10000; r *= 10) {
    printf "<line x1=\"%.1f\" y1=\"40\" x2=\"%.1f\" y2=\"%d\" stroke=\"%s\"/>", x_of(r), x_of(r), height - 20, r == 1 ? "#888" : "#ddd"
    printf "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%d</text>\n", x_of(r), height - 6, r
  }
  for (i = 1; i <= n; i++) {
    y = 40 + i * line
    printf "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", left - 45, y + 3, escaped(names[i])
    count = split(at[names[i]], rows, "\n")
    for (pass = 0; pass < 2; pass++) for (j = 1; j < count; j++) {
      split(rows[j], part, "\t"); mine = part[1] == "mm3"
      if (mine != pass) continue
      printf "<circle cx=\"%.1f\" cy=\"%d\" r=\"%d\" fill=\"%s\"%s><title>%s: %s</title></circle>\n", x_of(part[2]), y, mine ? 5 : 3, mine ? "#c22" : "#57a", mine ? "" : " fill-opacity=\"0.6\"", escaped(part[1]), part[2]
    }
  }
  print "</svg>"
}

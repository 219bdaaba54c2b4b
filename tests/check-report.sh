#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# The page of mm3 report as a browser shows it, at two widths, light and dark: pictures that are not blank, the text that a
# reader wants, and nothing wider than the window. Wants Chromium (Debian: chromium). Pictures stay in $MM3_PICTURES if set.
set -eu
say () { echo "check-report: $*" >&2; exit 1; }
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || say "Chromium is missing (Debian: chromium)"
work=$(mktemp -d)
trap 'rm -rf "$work"' 0
PATH=$MM3_BUILD/tools:$PATH MM3_MODULE_PATH=$MM3_BUILD/modules/.libs
export PATH MM3_MODULE_PATH
cd "$work"
mm3 create r.mm3 -e 'struct point { x: f64 y: f64 } struct app { hits: atomic(u64) errors: atomic(u64) name: string(32)
  home: point scores: vec(u32, 10) events: segmented(u64) users: hashmap(string(32), u64) profile: json(256) }'
mm3 set r.mm3 name 'the <b>server</b>' scores '[3, 5, 8]' profile '{"theme": "dark"}'
seq 20000 | mm3 import r.mm3 --lines events
seq 5000 | sed 's/.*/{"user &": &}/' | mm3 import r.mm3 --lines users
mm3 report r.mm3 >r.html

# The page tells what it holds in its title, by a script of this test's own: the width, the tables that are wider than their
# place, the names and meters that take several lines, and the headings with nothing below.
cat >measure.js <<'END'
const all = (what) => [...document.querySelectorAll(what)];
const several_lines = (cell) => {
  const range = document.createRange();
  range.selectNodeContents(cell);
  const tops = [...range.getClientRects()].map((box) => box.top);
  return Math.max(...tops) - Math.min(...tops) > 15;
};
document.title = ["needs", document.documentElement.scrollWidth, innerWidth,
  all(".wide:has(table)").filter((box) => box.scrollWidth > box.clientWidth).length,
  all(".f td:first-child, .f td:nth-child(5), .m").filter(several_lines).length,
  all("h2 + h2").length].join(" ");
END
sed -e 's/<meta http-equiv="Content-Security-Policy"[^>]*>//' -e '/<\/body>/{
  s/.*/<script>/
  r measure.js
  a </script>
}' r.html >measured.html
mm3 create plain.mm3 -e 'struct s { n: u32 }'
mm3 report plain.mm3 | grep -q '<h2>Inside' && say "a heading of kinds for a file that has none to draw"
browse () { timeout 120 "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$work/profile" "$@" 2>chromium.txt; }
# measure WIDTH PAGE: sets needs, of, cut, broken, bare.
measure () {
  browse --window-size=$1,2400 --dump-dom "file://$work/$2" >dom.html || { cat chromium.txt; say "the browser failed"; }
  sed -n 's/.*<title>needs \([0-9 ]*\)<.*/\1/p' dom.html | head -n 1 >size.txt
  read -r needs of cut broken bare <size.txt || say "the page was not measured"
}
# The check notices what is not so.
sed -e 's/meter{width:[^}]*}/meter{width:50rem}/g' -e 's/overflow-wrap:break-word/width:1px/' -e 's/<h2>Inside/<h2>\n&/' measured.html >planted.html
measure 520 planted.html
[ "$cut" -gt 0 ] && [ "$broken" -gt 0 ] && [ "$bare" -gt 0 ] || say "the check itself is broken: $needs $of $cut $broken $bare"

for width in 1200 520
do
  measure $width measured.html
  [ "$needs" -le "$of" ] || say "at width $width the page needs $needs of $of"
  [ "$cut $broken $bare" = '0 0 0' ] ||
    say "at width $width $cut tables are cut, $broken names or meters take several lines, $bare headings have nothing below"
  for scheme in 1 0
  do
    browse --window-size=$width,3200 --blink-settings=preferredColorScheme=$scheme --screenshot="$work/$width-$scheme.png" \
      "file://$work/r.html" >/dev/null || { cat chromium.txt; say "no picture"; }
    [ "$(wc -c <"$width-$scheme.png")" -gt 20000 ] || say "the picture at width $width is nearly empty"
  done
  cmp -s $width-0.png $width-1.png && say "light and dark are the same picture"
done
sed -e 's/<style>.*<\/style>//' -e 's/<[^>]*>/ /g' -e 's/\xe2\x80\xaf/ /g' dom.html >text.txt
for words in 'No damage found' 'the &lt;b&gt;server&lt;/b&gt;' '20 000 items' '5 000 items' '3 of 10' 'segmented(u64)' 'In memory' \
  'entries by groups looked at' 'root struct:' 'struct point' 'False sharing'
do grep -qF "$words" text.txt || say "the page does not say: $words"
done
[ -z "${MM3_PICTURES:-}" ] || cp ./*.png "$MM3_PICTURES"
echo "check-report: 4 pictures, nothing wider than its window, nothing cut or broken"

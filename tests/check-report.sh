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

# The page tells the width of what it holds in its title, by a script of this test's own.
sed -e 's/<meta http-equiv="Content-Security-Policy"[^>]*>//' \
  -e 's|</body>|<script>document.title = "needs " + document.documentElement.scrollWidth + " of " + innerWidth</script></body>|' \
  r.html >measured.html
browse () { timeout 120 "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$work/profile" "$@" 2>chromium.txt; }
for width in 1200 520
do
  browse --window-size=$width,2400 --dump-dom "file://$work/measured.html" >dom.html || { cat chromium.txt; say "the browser failed"; }
  sed -n 's/.*<title>needs \([0-9]*\) of \([0-9]*\).*/\1 \2/p' dom.html | head -n 1 >size.txt
  read -r needs of <size.txt || say "the page was not measured"
  [ "$needs" -le "$of" ] || say "at width $width the page needs $needs of $of"
  for scheme in 1 0
  do
    browse --window-size=$width,2400 --blink-settings=preferredColorScheme=$scheme --screenshot="$work/$width-$scheme.png" \
      "file://$work/r.html" >/dev/null || { cat chromium.txt; say "no picture"; }
    [ "$(wc -c <"$width-$scheme.png")" -gt 20000 ] || say "the picture at width $width is nearly empty"
  done
  cmp -s $width-0.png $width-1.png && say "light and dark are the same picture"
done
sed -e 's/<style>.*<\/style>//' -e 's/<[^>]*>/ /g' dom.html >text.txt
for words in 'No damage found' 'the &lt;b&gt;server&lt;/b&gt;' '20000 items' '5000 items' '3 of 10' 'segmented(u64)' 'In memory' \
  'entries by groups looked at' 'root struct:' 'struct point'
do grep -qF "$words" text.txt || say "the page does not say: $words"
done
[ -z "${MM3_PICTURES:-}" ] || cp ./*.png "$MM3_PICTURES"
echo "check-report: 4 pictures, nothing wider than its window"

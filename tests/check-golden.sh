#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Files of every released version are read as they were written; a file that is made today from the same schema and value
# has the same bytes; modules that were built against an older ABI work. See tests/golden/README.
status=0 files=0 same=0 modules=0
say () { echo "check-golden: $*" >&2; status=1; }
golden=$MM3_SRC/tests/golden
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' 0

# different A B: offsets of 8-byte words that differ, apart from the uuid and the time (40 to 63), the checksum over them
# (2040) and the slots of the openers (4096 to 8191).
different () {
  cmp -l "$1" "$2" | awk '{ at = int(($1 - 1) / 8) * 8 }
    at >= 40 && at < 64 || at == 2040 || at >= 4096 && at < 8192 || at == last { next }
    { printf "%d ", last = at }' last=-1
}

for folder in "$golden"/v*/
do
  version=$(basename "$folder")
  mkdir -p "$work/$version/now" "$work/$version/old"
  cp -R "$folder" "$work/$version/copy"
  for packed in "$folder"*.mm3.gz
  do
    name=$(basename "$packed" .mm3.gz)
    old=$work/$version/old/$name.mm3 now=$work/$version/now/$name.mm3
    gzip -dc "$packed" >"$old"
    chmod 444 "$old" # it is read, and nothing else
    mm3 check "$old" >/dev/null || say "$version/$name does not pass its check"
    mm3 create "$now" "$folder$name.schema" && mm3 import "$now" <"$folder$name.json" || say "$name cannot be made"
    mm3 diff "$old" "$now" >"$work/out" 2>&1 || { head -n 5 "$work/out" >&2; say "$version/$name has another value now"; }
    files=$((files + 1))
    # A hash table's order hangs on the file's own seed.
    grep -q hashmap "$folder$name.schema" && continue
    differs=$(different "$old" "$now")
    [ -z "$differs" ] || say "$version/$name: made today it has other bytes, at $differs"
    same=$((same + 1))
    # And it can be written to.
    cp "$old" "$work/copy.mm3" && chmod 644 "$work/copy.mm3"
    mm3 import "$work/copy.mm3" <"$folder$name.json" && mm3 check "$work/copy.mm3" >/dev/null ||
      say "$version/$name cannot be written to"
  done
done
[ $files -gt 0 ] || say "no golden file"

# Every kind that is ours lies in a file.
kinds=$(mm3 modules --json | tr '}' '\n' | grep -e '"path": null' -e "\"path\": \"$MM3_BUILD/" |
  sed -n 's/.*"kind": "\([a-z0-9_]*\)".*/\1/p')
for kind in $kinds
do
  cat "$golden"/v*/*.schema | grep -qw "$kind" || say "no golden file has a field of the kind $kind"
done
[ "$(echo "$kinds" | grep -cx -e u8 -e struct -e atomic -e hashmap -e text)" = 5 ] || say "the kinds cannot be listed: $kinds"

# The comparison itself.
printf '%05000d' 0 >"$work/a"
printf '%050d1%04949d' 0 0 >"$work/b"
printf '%03000d1%01999d' 0 0 >"$work/c"
[ -z "$(different "$work/a" "$work/b")" ] && [ "$(different "$work/a" "$work/c")" = '3000 ' ] ||
  say "the comparison is broken"

for folder in "$golden"/abi-*/"$(uname -m)"/
do
  [ -d "$folder" ] || continue
  for module in "$folder"mm3-*.so
  do
    mm3 modules check "$module" >"$work/out" 2>&1 || { cat "$work/out" >&2; say "$module does not pass any more"; }
    modules=$((modules + 1))
  done
  MM3_MODULE_PATH=$folder:$MM3_MODULE_PATH
  export MM3_MODULE_PATH
  rm -f "$work/r.mm3"
  mm3 create "$work/r.mm3" -e 'struct s { r: ring(u64, 3) h: histogram(32, 5) }' && mm3 push "$work/r.mm3" r 1 2 3 4 &&
    mm3 push "$work/r.mm3" h 7 && [ "$(mm3 get "$work/r.mm3" r)" = "$(printf '2\n3\n4')" ] || say "$folder does not work"
  [ -f "$folder/mm3-bloom.so" ] || continue # since 1.1, whose `describe` it has
  rm -f "$work/r.mm3"
  mm3 create "$work/r.mm3" -e 'struct s { b: bloom(64, 2) }' && mm3 push "$work/r.mm3" b 1 2 3 &&
    [ "$(mm3 get "$work/r.mm3" b[2])" = true ] && mm3 report "$work/r.mm3" | grep -q 'wrong in a million' ||
    say "$folder: bloom does not work"
done
[ $modules -gt 0 ] || [ "$(uname -m)" != x86_64 ] || say "no golden module"
echo "check-golden: $files files, $same of them byte by byte, $modules modules"
exit $status

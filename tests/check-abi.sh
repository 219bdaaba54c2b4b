#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# The library still gives what released programs and modules take from it: every symbol that the golden modules use, and,
# where abidiff is there (Debian: abigail-tools), everything that golden/abi-*/MACHINE/libmm3.abi.gz describes.
status=0 symbols=0 releases=0 number=0
say () { echo "check-abi: $*" >&2; status=1; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' 0
library=$MM3_BUILD/core/.libs/libmm3.so

nm -D --defined-only "$library" | awk '{ sub(/@.*/, "", $3); print $3 }' | sort >"$work/gives"
for module in "$MM3_SRC"/tests/golden/abi-*/"$(uname -m)"/*.so
do
  [ -f "$module" ] || continue
  nm -D --undefined-only "$module" | awk '{ sub(/@.*/, "", $2) } $2 ~ /^mm3_/ { print $2 }' | sort >"$work/takes"
  symbols=$((symbols + $(wc -l <"$work/takes")))
  missing=$(comm -13 "$work/gives" "$work/takes")
  [ -z "$missing" ] || say "${module##*/} needs what the library gives no more:" $missing
done
grep -q '^mm3_ctx_fail$' "$work/gives" || say "the library's symbols cannot be read"
[ $symbols -gt 0 ] || [ "$(uname -m)" != x86_64 ] || say "no golden module was looked at"

# differs OLD NEW [WHAT MAY BE]: abidiff finds a change that is no new function.
differs () { abidiff --no-added-syms ${3:+--suppressions "$3"} "$1" "$2" >"$work/out" 2>&1; [ $(($? & 15)) -ne 0 ]; }
appended=$MM3_SRC/tests/golden/appended.abignore
now=$(sed -n 's/^module_abi=//p' "$MM3_BUILD/mm3.pc")

# Toys: 1 is the old one; a function goes; a member is put in between, at the end, and changes its type.
toys () {
  for version in 'int size; int a;' 'int size; int a;' 'int size; int b; int a;' 'int size; int a; int b;' 'int size; long a;'
  do
    number=$((number + 1))
    [ $number -eq 2 ] || more='int g(void) { return 1; }'
    [ $number -ne 2 ] || more=
    echo "struct mm3_kind { $version }; int f(struct mm3_kind *s) { return (int)s->a; } $more" |
      ${CC:-cc} -g -shared -fPIC -x c -o "$work/$number.so" - || say "the toy library does not compile"
  done
  differs "$work/1.so" "$work/1.so" && say "abidiff sees a change where there is none"
  for number in 2 3 4 5
  do
    differs "$work/1.so" "$work/$number.so" || say "abidiff does not see change $number"
  done
  differs "$work/1.so" "$work/4.so" "$appended" && { cat "$work/out" >&2; say "a member at the end is taken for a change"; }
  differs "$work/1.so" "$work/2.so" "$appended" || say "with members at the end, abidiff does not see a function go"
  differs "$work/1.so" "$work/3.so" "$appended" || say "with members at the end, abidiff does not see one in between"
}

if command -v abidiff >/dev/null
then
  toys
  readelf -S "$library" | grep -q '[.]debug_info' || { echo "check-abi: the library was built without -g: only its symbols are compared"; library= ; }
  for description in "$MM3_SRC"/tests/golden/abi-*/"$(uname -m)"/libmm3.abi.gz
  do
    [ -f "$description" ] && [ -n "$library" ] || continue
    case $description in */abi-$now/*) allowed= ;; *) allowed=$appended ;; esac
    gzip -dc "$description" >"$work/old.abi"
    differs "$work/old.abi" "$library" "$allowed" &&
      { cat "$work/out" >&2; say "the interface of $description has changed; on purpose? see tests/golden/README"; }
    releases=$((releases + 1))
  done
  [ $releases -gt 0 ] || [ -z "$library" ] || [ "$(uname -m)" != x86_64 ] || say "no description was compared"
fi
echo "check-abi: $symbols symbols of golden modules, $releases descriptions compared"
exit $status

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

# differs OLD NEW: abidiff finds a change that is no addition.
differs () { abidiff --no-added-syms "$1" "$2" >"$work/out" 2>&1; [ $(($? & 12)) -ne 0 ]; }

if command -v abidiff >/dev/null
then
  for version in 'struct s { int a; }; int f(struct s *s) { return s->a; } int g(void) { return 1; }' \
    'struct s { int a; }; int f(struct s *s) { return s->a; }' \
    'struct s { long b; int a; }; int f(struct s *s) { return s->a; } int g(void) { return 1; }'
  do
    number=$((number + 1))
    echo "$version" | ${CC:-cc} -g -shared -fPIC -x c -o "$work/$number.so" - || say "the toy library does not compile"
  done
  differs "$work/1.so" "$work/1.so" && say "abidiff sees a change where there is none"
  differs "$work/1.so" "$work/2.so" || say "abidiff does not see a function go"
  differs "$work/1.so" "$work/3.so" || say "abidiff does not see a struct change"
  for description in "$MM3_SRC"/tests/golden/abi-*/"$(uname -m)"/libmm3.abi.gz
  do
    [ -f "$description" ] || continue
    gzip -dc "$description" >"$work/old.abi"
    differs "$work/old.abi" "$library" && { cat "$work/out" >&2; say "the interface of $description has changed"; }
    releases=$((releases + 1))
  done
fi
echo "check-abi: $symbols symbols of golden modules, $releases releases compared"
exit $status

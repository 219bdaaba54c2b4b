#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Each public header compiles alone, as the first include, and twice, as C11 and as C++17, with gcc and clang, without a
# warning; each is in the list of what is installed.
status=0 count=0 skip=
say () { echo "check-headers: $*" >&2; status=1; }
cd "$MM3_SRC/include" || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' 0
warnings='-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -fsyntax-only'

# reads COMPILER STANDARD SUFFIX HEADER
reads () {
  printf '#include "%s"\n#include "%s"\n' "$4" "$4" >"$work/alone.$3"
  [ "$3" = cc ] || echo 'typedef int mm3_not_empty;' >>"$work/alone.$3"
  # shellcheck disable=SC2086
  "$1" -std="$2" $warnings -I. $JANSSON_CFLAGS "$work/alone.$3"
}

for header in mm3.h mm3/*.h
do
  [ -f "$header" ] || continue
  grep -q "^  $header\( \\\\\)*\$" Makefile.am || say "$header is not in include/Makefile.am"
done
for tool in "gcc c11 c" "g++ c++17 cc" "clang c11 c" "clang++ c++17 cc"
do
  # shellcheck disable=SC2086
  set -- $tool
  command -v "$1" >/dev/null || { skip="$skip $1"; continue; }
  for header in mm3.h mm3/*.h
  do
    [ -f "$header" ] || continue
    count=$((count + 1))
    reads "$1" "$2" "$3" "$header" || say "$header does not stand alone ($1, $2)"
  done
  for level in -O0 -O2 # to machine code: some warnings come no sooner
  do
    printf '#include <mm3.h>\nint x;\n' >"$work/all.$3"
    "$1" -std="$2" ${warnings%-fsyntax-only} $level -I. -c -o "$work/all.o" "$work/all.$3" || say "mm3.h, $1 $level"
  done
  echo '#include <no-such-header.h>' >"$work/planted.h"
  reads "$1" "$2" "$3" "$work/planted.h" 2>/dev/null && say "$1 takes a header that cannot compile"
done
echo "check-headers: $count compilations"
[ $count -gt 0 ] || say "no header was read"
[ $status -ne 0 ] && exit 1
[ -z "$skip" ] || { echo "check-headers: not checked with$skip (Debian: g++, clang)" >&2; exit 77; }

#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# `make install DESTDIR=` puts everything in its place, and a program that knows only pkg-config builds against it and
# runs: as C with each compiler that is there, and as C++.
status=0
say () { echo "check-install: $*" >&2; status=1; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' 0
unset MAKEFLAGS MFLAGS MAKELEVEL
make -C "$MM3_BUILD" -s install DESTDIR="$work/root" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }

prefix=$(sed -n 's/^prefix=//p' "$MM3_BUILD/mm3.pc")
libdir=$(pkg-config --variable=libdir "$MM3_BUILD/mm3.pc")
PKG_CONFIG_PATH=$work/root$libdir/pkgconfig
PKG_CONFIG_SYSROOT_DIR=$work/root
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
moduledir=$work/root$(PKG_CONFIG_SYSROOT_DIR='' pkg-config --variable=moduledir mm3)
[ -n "$prefix" ] && [ -f "$PKG_CONFIG_PATH/mm3.pc" ] || say "mm3.pc is not in $libdir/pkgconfig"

for module in "$MM3_BUILD"/modules/.libs/mm3-*.so
do
  [ -e "$module" ] || continue
  [ -f "$moduledir/${module##*/}" ] || say "${module##*/} is not in the folder of modules"
done
for file in "$moduledir"/*
do
  case $file in */mm3-*.so | */'*') ;; *) say "among the modules is ${file##*/}" ;; esac
done

cat >"$work/uses.c" <<'END'
#include <mm3.h>
#include <stdio.h>
int main(void) { return puts(mm3_strerror(MM3_E_DAMAGED)) < 0; }
END
cp "$work/uses.c" "$work/uses.cc"
built=0
for build in "gcc -std=c11 uses.c" "clang -std=c11 uses.c" "g++ -std=c++17 uses.cc"
do
  command -v "${build%% *}" >/dev/null || continue
  # shellcheck disable=SC2046,SC2086
  (cd "$work" && $build -o uses $(pkg-config --cflags --libs mm3)) || { say "does not build: $build"; continue; }
  [ "$(LD_LIBRARY_PATH=$work/root$libdir "$work/uses")" = "the bytes are damaged" ] || say "does not run: $build"
  built=$((built + 1))
done
[ $built -gt 0 ] || say "no program was built"
echo "check-install: $built programs built against the installed files"
exit $status

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

# A package of a module: configured by the installed macro, built by Automake's and Libtool's rules as mm3.m4 gives them,
# installed below its own prefix.
package () {
  mkdir "$work/package" && cd "$work/package" || return 1
  cp "$MM3_SRC"/samples/modules/ring/*ring.[ch] . || return 1
  macro=$work/root$prefix/share/aclocal/mm3.m4
  sed -n 's/^dnl     \(mm3.*=.*\)/\1/p' "$macro" >Makefile.am
  [ "$(wc -l <Makefile.am)" -eq 4 ] || { echo "the recipe is not in $macro"; return 1; }
  echo 'mm3_ring_la_SOURCES = mm3-ring.c' >>Makefile.am
  printf '%s\n' 'AC_INIT([mm3-ring], [1.0])' 'AM_INIT_AUTOMAKE([foreign])' 'AC_PROG_CC' 'LT_INIT([disable-static])' \
    'MM3_MODULE([1.0])' 'AC_CONFIG_FILES([Makefile])' 'AC_OUTPUT' >configure.ac
  ACLOCAL_PATH=${macro%/*} autoreconf -fi && ./configure --prefix="$work/own" && make install || return 1
  export MM3_MODULE_PATH="$work/own/lib/mm3/modules"
  mm3 create ring.mm3 -e 'struct s { r: ring(u64, 2) }' && mm3 push ring.mm3 r 1 2 3 && mm3 get --json ring.mm3 r
}
if command -v autoreconf >/dev/null && command -v libtoolize >/dev/null
then
  (package) >"$work/log" 2>&1 && [ "$(tail -n 1 "$work/log")" = '[2, 3]' ] && built=$((built + 1)) ||
    { tail -n 20 "$work/log" >&2; say "a package of a module cannot be made"; }
fi
echo "check-install: $built programs and packages built against the installed files"
exit $status

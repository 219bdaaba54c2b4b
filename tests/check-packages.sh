#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# `make check-packages`: the Debian packages. They build from a copy of the sources, lintian has no errors, and they install
# in a new minimal system, where a program compiles with pkg-config and runs, and where doc/MODULES is followed to its end.
# As root, on Debian, with debootstrap, lintian and a mirror; some minutes. Not part of `make check`.
#   DEB_BUILD_OPTIONS=nocheck    does not run the tests while it builds
#   MM3_BASE=FOLDER              a minimal system that is there already; it is copied
#   MM3_SUITE=bookworm           which Debian
say () { echo "check-packages: $*"; }
die () { echo "check-packages: $*" >&2; exit 1; }
src=${MM3_SRC:-$(cd "$(dirname "$0")/.." && pwd)}
suite=${MM3_SUITE:-bookworm}
[ "$(id -u)" = 0 ] || { say "it makes a system, as root only"; exit 77; }
for tool in dpkg-buildpackage debootstrap lintian
do
  command -v $tool >/dev/null || { say "no $tool (Debian: dpkg-dev, debootstrap, lintian)"; exit 77; }
done
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' 0
unset MAKEFLAGS MFLAGS MAKELEVEL MM3_MODULE_PATH PKG_CONFIG_PATH
DEBIAN_FRONTEND=noninteractive
LC_ALL=C.UTF-8
export DEBIAN_FRONTEND LC_ALL

# The sources as they would be cloned; without git, as they lie here.
git clone -q "$src" "$work/mm3" 2>"$work/log" || {
  mkdir "$work/mm3" && (cd "$src" && tar cf - --exclude=./build .) | tar xf - -C "$work/mm3" || die "no copy of the sources"; }
cd "$work/mm3" || exit 1
missing=$(dpkg-checkbuilddeps 2>&1 | sed 's/.*: //')
[ -z "$missing" ] || { apt-get -qy install --no-install-recommends devscripts equivs >"$work/log" 2>&1 &&
  mk-build-deps -ir -t 'apt-get -qy --no-install-recommends' debian/control >>"$work/log" 2>&1; } ||
  { tail -n 20 "$work/log" >&2; die "build dependencies are missing: $missing"; }

dpkg-buildpackage -us -uc -b >"$work/log" 2>&1 || { tail -n 60 "$work/log" >&2; die "the packages do not build"; }
cd "$work" || exit 1
packages=$(ls -- *.deb | grep -v dbgsym)
say "built" $packages
lintian --allow-root --fail-on error ./*.changes >"$work/lintian" 2>&1 || { cat "$work/lintian" >&2; die "lintian finds errors"; }
say "lintian: no errors, $(grep -c '^W: ' "$work/lintian") warnings"
grep '^W: ' "$work/lintian"

root=$work/root
if [ -n "${MM3_BASE:-}" ]
then cp -a "$MM3_BASE" "$root" || exit 1
else debootstrap --variant=minbase "$suite" "$root" >"$work/log" 2>&1 || { tail "$work/log" >&2; die "no minimal system"; }
fi
mkdir -p "$root/tmp/mm3/doc" "$root/tmp/empty"
cp $packages mm3/tests/check-tutorial.sh "$root/tmp/mm3/" || exit 1
cp mm3/doc/MODULES "$root/tmp/mm3/doc/"
cp /etc/resolv.conf "$root/etc/" 2>/dev/null
in_root () { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive sh -c "$1"; }
in_root 'apt-get -q update && apt-get -qy install --no-install-recommends /tmp/mm3/*.deb gcc libc6-dev make patch pkg-config' \
  >"$work/log" 2>&1 || { tail -n 30 "$work/log" >&2; die "the packages do not install"; }
say "installed in a minimal $suite"

cat >"$root/tmp/empty/ten.c" <<'END'
#include <mm3.h>
#include <stdio.h>
#define COUNTER(FIELD) FIELD(value, atomic(u64)) FIELD(name, string(32))
MM3_STRUCT(counter, COUNTER);
int main(void) {
  struct mm3_error error;
  struct mm3_file *file = mm3_open_or_create("counter.mm3", MM3_TYPE(counter), NULL, &error);
  if (!file) return puts(error.text), 1;
  return printf("%d\n", (int)mm3_atomic_fetch_add(&mm3_root(file, counter)->value, 1)) < 0 || mm3_close(file);
}
END
found=$(in_root 'cd /tmp/empty && cc -o ten ten.c $(pkg-config --cflags --libs mm3) && ./ten && ./ten && mm3 get counter.mm3 value &&
  mm3 check counter.mm3 && cat /usr/share/gdb/auto-load/usr/lib/*/libmm3.so.*-gdb.py >/dev/null && man -w mm3 2>/dev/null' 2>&1)
case $found in
  "$(printf '0\n1\n2\ncounter.mm3: no damage found')"*) say "a program compiles and runs" ;;
  *) die "a program: $found" ;;
esac
in_root 'cd /tmp/empty && MM3_SRC=/tmp/mm3 sh /tmp/mm3/check-tutorial.sh installed' >"$work/log" 2>&1 ||
  { tail -n 30 "$work/log" >&2; die "doc/MODULES cannot be followed"; }
found=$(in_root 'cd /tmp/empty && mm3 create own.mm3 -e "struct s { r: ring(u64, 8) }" && mm3 push own.mm3 r 1 2 && mm3 get own.mm3 r[-1]')
[ "$found" = 2 ] || die "the installed ring gives '$found'"
say "$(tail -n 1 "$work/log")"
in_root 'apt-get -qy purge libmm3-0 mm3-modules libmm3-dev mm3-tools' >"$work/log" 2>&1 || { cat "$work/log" >&2; die "they do not go away"; }
say passed

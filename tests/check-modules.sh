#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Modules outside the tree: the samples and a new skeleton build with their own Makefiles against this build folder, by
# each compiler that is there, pass the conformance kit and their tests. Their headers are C++ too.
status=0 count=0 points=0 damaged=0
say () { echo "check-modules: $*" >&2; status=1; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' 0
unset MAKEFLAGS MFLAGS MAKELEVEL
PKG_CONFIG_PATH=$MM3_BUILD
export PKG_CONFIG_PATH
warnings='-std=gnu11 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror'

# What `mm3 modules new` writes is the skeleton in the tree.
cd "$work" || exit 1
mm3 -q modules new skeleton 2>/dev/null || mm3 modules new skeleton 2>/dev/null || say "no new skeleton"
diff -r "$MM3_SRC/samples/modules/skeleton" skeleton >&2 || say "the skeleton in the tree is another one"
rm -rf skeleton
mm3 modules new thing 2>/dev/null || say "no new module"
grep -ril skeleton thing >&2 && say "the new module speaks of the skeleton"
mm3 modules new thing 2>/dev/null && say "a folder that was there is written to"
mm3 modules new atomic 2>/dev/null && say "a kind that there is is taken for a new one"
mm3 modules new a/b 2>/dev/null && say "a name with a slash is taken"

for folder in "$MM3_SRC"/samples/modules/*/
do
  name=${folder%/}
  cp -R "$folder" "$work/${name##*/}"
done
for folder in */
do
  name=${folder%/}
  for compiler in gcc clang
  do
    command -v $compiler >/dev/null || continue
    make -s -C "$name" clean check CC=$compiler CFLAGS=-O1 WARNINGS="$warnings" >"$work/log" 2>&1 ||
      { tail -n 30 "$work/log" >&2; say "$name does not pass ($compiler)"; }
    count=$((count + 1))
    # What the kit says it did: killed each operation at each store, damaged each type.
    killed=$(sed -n 's/^kill: .*: \([0-9]*\) kill points .* 0 violations.*/\1/p' "$work/log")
    flips=$(sed -n 's/.* checks *\([0-9]*\) damaged,.*/\1/p' "$work/log")
    [ -n "$killed" ] && [ -n "$flips" ] || say "$name: no operation was killed, or no type was damaged"
    for number in $killed; do points=$((points + number)); done
    for number in $flips; do damaged=$((damaged + number)); done
  done
  printf '#include "%s.h"\n#include "%s.h"\nint main() { return 0; }\n' "$name" "$name" >"$name/alone.cc"
  for compiler in g++ clang++
  do
    command -v $compiler >/dev/null || continue
    # shellcheck disable=SC2046
    $compiler -std=c++17 -Wall -Wextra -Wpedantic -Wshadow -Werror -fsyntax-only $(pkg-config --cflags mm3) \
      "$name/alone.cc" || say "$name.h does not compile with $compiler"
  done
done
[ $count -gt 0 ] || say "nothing was built"

# The macro for packages, where Autoconf is there.
if command -v autoconf >/dev/null && command -v aclocal >/dev/null
then
  mkdir package && cd package || exit 1
  abi=$(pkg-config --variable=module_abi mm3)
  printf '%s\n' 'AC_INIT([mm3-ring], [1.0])' 'MM3_MODULE([1.0])' 'AC_MSG_NOTICE([folder: $mm3moduledir, $MM3_CFLAGS])' \
    'MM3_MODULE([1.99], [AC_MSG_ERROR([1.99 is found])], [AC_MSG_NOTICE([no 1.99])])' 'AC_OUTPUT' >configure.ac
  { aclocal -I "$MM3_SRC" && autoconf && ./configure; } >"$work/log" 2>&1 || { cat "$work/log" >&2; say "MM3_MODULE fails"; }
  grep -q "folder: $MM3_BUILD/modules/.libs, .*-I$MM3_SRC/include" "$work/log" && grep -q 'no 1.99' "$work/log" &&
    [ "$abi" = "$(mm3 --version | sed 's/.*module interface \([0-9.]*\).*/\1/')" ] ||
    { tail -n 5 "$work/log" >&2; say "MM3_MODULE says something else (module ABI $abi)"; }
fi
echo "check-modules: $count builds, $points kill points, $damaged damaged values"
exit $status

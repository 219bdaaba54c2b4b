#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# doc/MODULES, followed to the letter in an empty folder, with nothing but an installed mm3: its commands print what the
# page says they do. An indented block is a command and its output (`$ ...`), a patch (`--- file`), or a file
# (`==> file <==`). In outputs `...` stands for the rest of a line, or for any lines.
command -v patch >/dev/null || { echo "check-tutorial: no patch (Debian: patch)" >&2; exit 77; }
page=$MM3_SRC/doc/MODULES
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' 0
unset MAKEFLAGS MFLAGS MAKELEVEL MM3_MODULE_PATH

# A prefix of its own, unless the word `installed` says that mm3 is: then it is the machine's (tests/check-packages.sh). The
# folder of modules is compiled into the library, so that is linked once more.
if [ "${1:-}" != installed ]
then
  make -C "$MM3_BUILD" -s install DESTDIR="$work/root" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
  old=$(sed -n 's/^prefix=//p' "$MM3_BUILD/mm3.pc")
  prefix=$work/root$old
  libdir=$work/root$(pkg-config --variable=libdir "$MM3_BUILD/mm3.pc")
  moduledir=$work/root$(pkg-config --variable=moduledir "$MM3_BUILD/mm3.pc")
  sed -i "s|^prefix=.*|prefix=$prefix|" "$libdir/pkgconfig/mm3.pc"
  objects=$(ls "$MM3_BUILD"/core/.libs/*.o | grep -v '/registry\.o$')
  # shellcheck disable=SC2086
  ${CC:-cc} -std=gnu11 -O1 -pthread -fPIC -shared -fvisibility=hidden -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
    -I"$MM3_BUILD" -I"$MM3_SRC/include" -I"$MM3_SRC" -I"$MM3_SRC/core" -DMM3_MODULE_DIR="\"$moduledir\"" \
    "$MM3_SRC/core/registry.c" $objects -Wl,-soname,libmm3.so.0 -Wl,--version-script="$MM3_SRC/core/libmm3.map" -ldl \
    -o "$libdir/libmm3.so.0.0.0" || exit 1
  PATH=$prefix/bin:$PATH PKG_CONFIG_PATH=$libdir/pkgconfig LD_LIBRARY_PATH=$libdir CPATH=
  export PATH PKG_CONFIG_PATH LD_LIBRARY_PATH
  [ "$(mm3 --print-module-dir)" = "$moduledir" ] || { echo "check-tutorial: the prefix is not its own" >&2; exit 1; }
fi

# The page's blocks, numbered: NNN.sh and NNN.out, NNN.patch, NNN.file with its name in NNN.name.
mkdir "$work/blocks" "$work/empty"
awk -v to="$work/blocks/" '
  function begin(suffix) { if (file) close(file); number++; base = sprintf("%s%03d.", to, number); file = base suffix }
  /^    \$ / { begin("sh"); print substr($0, 7) >file; close(file); file = base "out"; printf "" >file; blank = 0; next }
  /^    --- / { begin("patch"); print substr($0, 5) >file; blank = 0; next }
  /^    ==> / { begin("name"); print $2 >file; close(file); file = base "file"; printf "" >file; blank = 0; next }
  /^    / && file { while (blank) { print "" >file; blank-- } print substr($0, 5) >file; next }
  /^$/ { if (file) blank++; next }
  { if (file) close(file); file = ""; blank = 0 }' "$page"

cd "$work/empty" || exit 1
cat >"$work/all.sh" <<'END'
fail () { echo "check-tutorial: step $step: $*" >&2; exit 1; }
# as_said FOUND SAID: line by line.
as_said () {
  awk -v found="$1" 'BEGIN { while ((getline line <found) > 0) have[++n] = line; at = 1 }
    $0 == "..." { any = 1; next }
    { for (;;) { ok = at <= n && ($0 == have[at] || (/\.\.\.$/ && index(have[at], substr($0, 1, length($0) - 3)) == 1))
        if (ok || !any || at > n) break
        at++ }
      if (!ok) { print "said: " $0; print "found: " have[at]; exit 1 }
      at++; any = 0 }
    END { if (ok != 0 || NR == 0) if (at <= n && !any) { print "found besides: " have[at]; exit 1 } }' "$2"
}
# The comparison itself: what it must take, and what not.
said () { printf "$1" >"$work/a"; printf "$2" >"$work/b"; as_said "$work/a" "$work/b" >"$work/differs"; }
said '1\n2\n' '1\n2\n' && said 'abc\n' 'ab...\n' && said '1\n2\n3\n' '...\n3\n' && said '1\n2\n' '1\n...\n' && said '' '' ||
  fail "the comparison refuses what is right"
for wrong in '1\n' '1\n3\n' '1\n2\n3\n' '2\n1\n' '1\n2\n4...\n'
do
  said '1\n2\n' "$wrong" && fail "the comparison takes what is wrong: $wrong"
done
for block in "$work"/blocks/*.sh "$work"/blocks/*.patch "$work"/blocks/*.name; do echo "$block"; done | sort >"$work/order"
while read -r block
do
  base=${block%.*} step=$((step + 1))
  case $block in
    *.patch) patch -s -p0 <"$block" >"$work/out" 2>&1 || { cat "$work/out" >&2; fail "the patch does not apply"; } ;;
    *.name) cp "$base.file" "$(cat "$block")" ;;
    *.sh)
      eval "$(cat "$block")" >"$work/out" 2>&1 </dev/null || { cat "$work/out" >&2; fail "$(cat "$block") fails"; }
      as_said "$work/out" "$base.out" >"$work/differs" ||
        { cat "$work/differs" "$work/out" >&2; fail "$(cat "$block") does not print what the page says"; } ;;
  esac
done <"$work/order"
echo "check-tutorial: $step steps"
[ "$step" -gt 20 ] || fail "too few"
END
work=$work sh "$work/all.sh"

#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# libmm3 exports mm3_* and nothing else; a module exports mm3_module and nothing else.
status=0
say () { echo "check-exports: $*" >&2; status=1; }
command -v nm >/dev/null || { echo "check-exports: no nm (Debian: binutils)" >&2; exit 77; }

# names: the defined dynamic symbols on stdin, as nm -D prints them, but for the version's own name.
names () { sed -n 's/^[0-9a-f]* [A-TV-Za-tv-z] //p' | sed 's/@.*//' | grep -v '^MM3_[0-9]*$'; }
strangers () { grep -v '^mm3_[a-z0-9_]*$'; }

# The check sees a planted stranger.
[ "$(printf '%s\n' '00 T mm3_open@@MM3_0' '00 A MM3_0' '00 T mm3i_sys' '00 D table' '   U puts' | names | strangers |
  tr '\n' ' ')" = "mm3i_sys table " ] || say "the check itself is broken"

library=$MM3_BUILD/core/.libs/libmm3.so
count=$(nm -D "$library" | names | wc -l)
[ "$count" -gt 0 ] || say "$library exports nothing"
for name in $(nm -D "$library" | names | strangers); do say "libmm3 exports $name"; done

modules=0
for module in "$MM3_BUILD"/modules/.libs/mm3-*.so
do
  [ -f "$module" ] && [ ! -h "$module" ] || continue
  modules=$((modules + 1))
  found=$(nm -D "$module" | names | tr '\n' ' ')
  [ "$found" = "mm3_module " ] || say "${module##*/} exports '$found', not 'mm3_module'"
done
echo "check-exports: libmm3 exports $count symbols; $modules modules"
exit $status

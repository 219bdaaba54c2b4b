#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Core names no kind: nothing in core/ includes the header of a module's kind, calls its functions or has its name as a
# string. The names come from modules/Makefile.am.
cd "$MM3_SRC" || exit 1
status=0

# kinds: one a line, of the modules (serde-json gives json) and of the links (text=string gives text).
kinds () {
  { sed -n '/^MODULES =/,/^$/p' modules/Makefile.am | grep -o 'mm3-[a-z0-9_-]*' | sed 's/^mm3-//'
    sed -n '/^MODULE_LINKS =/,/^$/p' modules/Makefile.am | grep -o '[a-z0-9_]*=[a-z]' | sed 's/=.*//'; } |
    grep -v -e - | sort -u
}

# named KIND: where files on stdin's list name it. Comments may speak of strings.
named () { xargs grep -nE "\"$1\"|mm3/$1\\.h[>\"]|mm3_$1_[a-z]|\\bMM3_K_$1\\b" /dev/null; }

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' 0
printf '%s\n' '#include <mm3/vec.h>' 'x = "vec";' 'mm3_vec_push(v);' '/* a vec */' >"$work/planted.c"
[ "$(echo "$work/planted.c" | named vec | wc -l)" -eq 3 ] || { echo "check-core: the check itself is broken" >&2; exit 1; }

count=0
for kind in $(kinds)
do
  count=$((count + 1))
  ls core/*.[ch] | named "$kind" >&2 && { echo "check-core: core names the kind $kind" >&2; status=1; }
done
echo "check-core: $count kinds"
exit $status

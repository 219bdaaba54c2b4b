#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Each name of ours that a document uses is one that a public header has: mm3_word, mm3i_word, MM3_WORD. Names with a part in
# capitals or a star (mm3_KIND_verb, mm3_*) stand for others.
cd "$MM3_SRC" || exit 1
status=0
say () { echo "check-names: $*" >&2; status=1; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' 0

# What headers, makefiles and configure define; mm3.m4 and the modules' entry points are for users, too.
cat include/mm3.h include/mm3.hpp include/mm3/*.h mm3.m4 tests/kill/kill.h tests/mm3test.h Makefile.am tests/Makefile.am \
  tools/*.c core/*.c core/*.h samples/modules/*/*.[ch] | grep -oE '\b(mm3|MM3)_[A-Za-z0-9_]+' >"$work/all"
echo mm3_module_ring >>"$work/all" # a static build's name for the sample's table: the macro puts it together
sort -u "$work/all" >"$work/known"

# unknown FILE...: names that no header has.
unknown () {
  grep -ohE '\b(mm3_[a-z0-9_]+|MM3_[A-Z0-9_]+)\b[*A-Z]?' "$@" | grep -vE '_$|[*]$|[a-z_][A-Z]$' | sort -u |
    while IFS= read -r name; do grep -qx -- "$name" "$work/known" || echo "$name"; done
}

printf 'mm3_open and mm3_no_such_call, MM3_STRUCT, mm3_KIND_verb, mm3_vec_*\n' >"$work/planted"
[ "$(unknown "$work/planted")" = mm3_no_such_call ] || { echo "check-names: the check itself is broken" >&2; exit 1; }

for document in README doc/[A-Z]* doc/man/* samples/*.c
do
  [ -f "$document" ] || continue
  for name in $(unknown "$document"); do say "$document has $name, which is nowhere"; done
done
echo "check-names: $(wc -l <"$work/known") names"
exit $status

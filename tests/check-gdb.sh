#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# gdb's pretty printers show fields as values, also damaged ones; where there is a gdb with Python.
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' 0
gdb -nx -batch -ex 'python print("it " + "speaks")' 2>/dev/null | grep -q 'it speaks' ||
  { echo "check-gdb: no gdb with Python here: nothing to check"; exit 0; }
cat >"$work/shown.c" <<'END'
#include <mm3/atomic.h>
#include <mm3/ndarray.h>
#include <mm3/string.h>
#include <mm3/string_array.h>
#include <mm3/vec.h>
#define DATA(FIELD) \
  FIELD(count, atomic(i32)) FIELD(on, atomic(bool)) FIELD(name, string(12)) FIELD(scores, vec(u16, 4)) \
  FIELD(tags, string_array(2, 6)) FIELD(table, ndarray(u8, 2, 2)) FIELD(damaged, vec(u8, 2))
MM3_STRUCT(data, DATA);
static struct data d;
static struct mm3_error error = {-MM3_E_DAMAGED, "", "", "it is not well"};
__attribute__((noinline)) static void here(void *a, void *b) { __asm__("" : : "r"(a), "r"(b) : "memory"); }
int main(void) {
  mm3_atomic_store(&d.count, -5);
  mm3_atomic_store(&d.on, 1);
  mm3_string_set(&d.name, "old");
  mm3_string_set(&d.name, "gr\xc3\xbc\xc3\x9f \"x\"");
  mm3_vec_push(&d.scores, 7);
  mm3_vec_push(&d.scores, 65535);
  mm3_string_array_set(&d.tags, 1, "two");
  d.table.at[1][0] = 9;
  d.damaged.word = 0x7777777777777777;
  here(&d, &error);
  return 0;
}
END
${CC:-cc} -std=gnu11 -g -O0 -I"$MM3_SRC/include" -o "$work/shown" "$work/shown.c" -L"$MM3_BUILD/core/.libs" -lmm3 \
  -Wl,-rpath,"$MM3_BUILD/core/.libs" || exit 1
LC_ALL=C.UTF-8 gdb -nx -batch -ex "source $MM3_SRC/tools/gdb/libmm3-gdb.py" -ex 'set breakpoint pending on' -ex 'break here' \
  -ex run -ex 'print d.count' -ex 'print d.on' -ex 'print d.name' -ex 'print d.scores' -ex 'print d.tags' -ex 'print d.table' \
  -ex 'print d.damaged' -ex 'print error' "$work/shown" >"$work/out" 2>&1
grep '^\$' "$work/out" >"$work/found"
cat >"$work/wanted" <<'END'
$1 = -5
$2 = true
$3 = "grüß \"x\""
$4 = 2 of 4 items = {7, 65535}
$5 = {"", "two"}
$6 = {"\000", "\t"}
END
sed -i 's/^\$6 = .*/$6 = TABLE/' "$work/wanted"
sed -i 's/^\$6 = .*/$6 = TABLE/' "$work/found"
sed -n 1,6p "$work/found" | diff "$work/wanted" - >&2 && grep -q '^\$7 = 2 of 2 items = ' "$work/found" &&
  grep -q '^\$8 = MM3_E_DAMAGED: it is not well' "$work/found" && { echo "check-gdb: 8 values shown"; exit 0; }
cat "$work/out" >&2
exit 1

#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# The static probes: those that core/probe.h lists are in the library, each is a single nop, and gdb stops at one and reads
# its arguments. Nothing is checked where configure found no <sys/sdt.h>.
status=0
say () { echo "check-probes: $*" >&2; status=1; }
grep -q '^#define HAVE_SYS_SDT_H 1' "$MM3_BUILD/config.h" ||
  { echo "check-probes: built without probes: nothing to check"; exit 0; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' 0
library=$MM3_BUILD/core/.libs/libmm3.so

sed -n 's/^ \*   mm3:\([a-z_]*\)(.*/\1/p' "$MM3_SRC/core/probe.h" | sort >"$work/listed"
readelf -n "$library" >"$work/notes" 2>/dev/null
awk '$1 == "Provider:" { mm3 = $2 == "mm3" } $1 == "Name:" && mm3 { print $2 }' "$work/notes" | sort -u >"$work/found"
[ -s "$work/listed" ] || say "core/probe.h lists none"
diff "$work/listed" "$work/found" >&2 || say "in the list (<) and in the library (>)"

# What costs: the instruction at each probe.
objdump -d --no-show-raw-insn "$library" >"$work/code"
for place in $(awk '$1 == "Location:" { sub(/,/, "", $2); sub(/^0x0*/, "", $2); print $2 }' "$work/notes")
do
  grep -q "^ *$place:.*nop" "$work/code" || say "at $place there is more than a nop"
  places=$((places + 1))
done
[ "${places:-0}" -gt 0 ] || say "no place was found"

if gdb -nx -batch -ex 'print $_probe_argc' 2>&1 | grep -q 'No probe at PC\|No frame selected'
then
  cat >"$work/opens.c" <<'END'
#include <mm3.h>
#define S(FIELD) FIELD(a, u64)
MM3_STRUCT(s, S);
int main(void) {
  struct mm3_error error;
  struct mm3_file *file = mm3_open_or_create("probed.mm3", MM3_TYPE(s), NULL, &error);
  return !file || mm3_close(file);
}
END
  (cd "$work" && ${CC:-cc} -I"$MM3_SRC/include" -o opens opens.c -L"$MM3_BUILD/core/.libs" -lmm3 \
    -Wl,-rpath,"$MM3_BUILD/core/.libs") || exit 1
  for probe in created opened
  do
    (cd "$work" && gdb -nx -batch -ex 'set breakpoint pending on' -ex "break -probe-stap mm3:$probe" -ex run \
      -ex 'printf "probe: %s has %d bytes\n", (char *)$_probe_arg0, (int)$_probe_arg1' -ex continue ./opens) >"$work/out" 2>&1
    grep -q 'probe: probed.mm3 has [1-9][0-9]* bytes' "$work/out" || { cat "$work/out" >&2; say "gdb does not see mm3:$probe"; }
  done
fi
echo "check-probes: $(wc -l <"$work/found") probes at $places places"
exit $status

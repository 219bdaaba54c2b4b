#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# check-perf-counts.sh [--update]: instructions of the hot operations (perf_counts.c), counted by callgrind, are not more
# than perf-counts.txt allows: a slow-down is seen without a clock. --update writes perf-counts.txt anew: the counts of
# today, a tenth and 3 more. The counts are those of gcc -O2 on x86-64; elsewhere nothing is compared.
: "${MM3_SRC:=$(cd "$(dirname "$0")/.." && pwd)}" "${MM3_BUILD:=$MM3_SRC/build}"
status=0
say () { echo "check-perf-counts: $*" >&2; status=1; }
skip () { echo "check-perf-counts: not counted: $*" >&2; exit 77; }
command -v valgrind >/dev/null || skip "no valgrind (Debian: valgrind)"
command -v gcc >/dev/null || skip "no gcc"
[ "$(uname -m)" = x86_64 ] || skip "the ceilings are those of x86_64"
[ -f "$MM3_BUILD/core/.libs/libmm3.so" ] || skip "libmm3 is not built as a shared object"
ceilings=$MM3_SRC/tests/perf-counts.txt
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' 0

gcc -std=gnu11 -w -O2 -g -fno-stack-protector -U_FORTIFY_SOURCE -D_GNU_SOURCE -I"$MM3_SRC/include" -I"$MM3_SRC" \
  -o "$work/perf_counts" "$MM3_SRC/tests/perf_counts.c" -L"$MM3_BUILD/core/.libs" -lmm3 \
  -Wl,-rpath,"$MM3_BUILD/core/.libs" -Wl,-z,now || { say "perf_counts.c does not compile"; exit 1; }
MM3_MODULE_PATH=$MM3_BUILD/modules/.libs LD_BIND_NOW=1 valgrind -q --tool=callgrind --compress-strings=no \
  --compress-pos=no --callgrind-out-file="$work/out" "$work/perf_counts" "$work/file" >"$work/log" 2>&1 ||
  { cat "$work/log" >&2; say "perf_counts failed"; exit 1; }

# "name count": what a call of a hot_ function costs with all that it calls itself.
awk '
  /^cfn=/ { callee = substr($0, 5); next }
  /^calls=/ {
    split(substr($0, 7), part, " "); n = part[1]
    getline
    if (callee !~ /^hot_/ || callee ~ /\.(cold|part)/) next # a jump into a part of the function: counted with it
    sub(/\..*/, "", callee); calls[callee] += n; cost[callee] += $2
  }
  END { for (f in calls) printf "%s %.1f\n", substr(f, 5), cost[f] / calls[f] }' "$work/out" | sort >"$work/counts"
[ -s "$work/counts" ] || { say "callgrind counted nothing"; exit 1; }

# What a library of another optimisation costs says nothing: those operations that call it are then left out.
optimised=yes
grep -qs "^CFLAGS *=.*-O[23]" "$MM3_BUILD/Makefile" || optimised=
calls_library () { case $1 in lock_unlock | text_* | hashmap_text_* | hashmap_insert | hashmap_erase | segmented_append*) return 0 ;; esac; return 1; }

if [ "${1:-}" = --update ]; then
  [ -n "$optimised" ] || { say "libmm3 was not built with -O2"; exit 1; }
  { echo "# Most instructions that a call may take: operation, ceiling (check-perf-counts.sh --update; gcc -O2, x86-64)."
    awk '{ printf "%s %d\n", $1, $2 * 1.1 + 3 }' "$work/counts"; } >"$ceilings"
  exit 0
fi

compared=0
while read -r name ceiling; do
  case $name in '#'*) continue ;; esac
  [ -n "$optimised" ] || ! calls_library "$name" || continue
  count=$(sed -n "s/^$name //p" "$work/counts")
  [ -n "$count" ] || { say "$name has a ceiling and was not counted"; continue; }
  compared=$((compared + 1))
  awk -v count="$count" -v ceiling="$ceiling" 'BEGIN { exit count > ceiling }' ||
    say "$name: $count instructions, at most $ceiling are allowed"
done <"$ceilings"
while read -r name count; do
  grep -q "^$name " "$ceilings" || say "$name: $count instructions, and no ceiling in perf-counts.txt"
done <"$work/counts"
# A ceiling that cannot be broken proves nothing: the plain load must cost something, and less than the ceiling of a get.
awk '$1 == "field_load" && $2 >= 2 { ok = 1 } END { exit !ok }' "$work/counts" || say "a load costs no instruction: the counting is wrong"
echo "check-perf-counts: $compared operations${optimised:+, the library too}"
[ $compared -gt 0 ] || say "nothing was compared"
[ $status -eq 0 ]

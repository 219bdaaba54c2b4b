#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# No hot_* function of hotpath.c calls anything but memcpy and memcmp (bcmp, where only equality matters), compiled by
# gcc and by clang with -O2. Tail jumps are calls, jumps into a part that the compiler has moved away (.cold) too. Nor
# does it copy by `rep movs`: gcc makes that of some constant sizes, and it took three times as long (mm3/copy.h).
status=0 skip=
say () { echo "check-hotpath: $*" >&2; status=1; }
command -v objdump >/dev/null || { echo "check-hotpath: no objdump (Debian: binutils)" >&2; exit 77; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' 0

# calls OBJECT: "function: instruction" for each call and each jump out of a hot_* function; last line: "N functions".
# A jump within the function names <function+0x..> and has no relocation behind it. x86 and ARM words for call and jump.
calls () {
  objdump -dr --no-show-raw-insn "$1" | awk '
    function tell() { if (pending != "") print name ": " pending; pending = "" }
    /^[0-9a-f]+ <.*>:$/ {
      tell()
      name = $2; gsub(/[<>:]/, "", name)
      hot = name ~ /^hot_/
      if (hot && name !~ /\.(cold|part|constprop)/) count++
      next
    }
    !hot { next }
    /R_[A-Z0-9]+_[A-Z0-9_]+/ && pending != "" {
      target = $NF; sub(/[-+]0x[0-9a-f]+$/, "", target)
      if (target ~ /^(memcpy|memcmp|bcmp)$/) pending = ""
      else pending = pending " " target
      tell(); next
    }
    /^ +[0-9a-f]+:\t/ {
      tell()
      split($0, part, "\t"); text = part[2]; split(text, word, " "); op = word[1]
      if (op == "bnd" || op == "notrack") op = word[2]
      if (op ~ /^rep/ && word[2] ~ /^movs/) pending = text
      if (op ~ /^call/ || op == "bl" || op == "blr") pending = text
      else if (op ~ /^j/ || op ~ /^b(\.|$)/ || op ~ /^(br|cbn?z|tbn?z)$/) {
        inside = index(text, "<" name "+") || index(text, "<" name ">")
        if (!inside || op == "br") pending = text
        else held = text
        # a relocated jump is printed as if it went to the next instruction: the relocation line tells
        if (inside) { jump = text; next }
      }
      jump = ""
    }
    /R_[A-Z0-9]+_[A-Z0-9_]+/ && jump != "" {
      target = $NF; sub(/[-+]0x[0-9a-f]+$/, "", target)
      if (target !~ /^(memcpy|memcmp|bcmp)$/) print name ": " jump " " target
      jump = ""
    }
    END { tell(); print count + 0, "functions" }'
}

compile () {
  # shellcheck disable=SC2086
  "$1" -std=gnu11 -O2 -g0 -fno-stack-protector -U_FORTIFY_SOURCE -ffunction-sections -D_GNU_SOURCE -Wall -Wextra \
    -I"$MM3_SRC/include" -I"$MM3_SRC" $JANSSON_CFLAGS -c "$2" -o "$3"
}

# What must be caught, and what must not.
cat >"$work/planted.c" <<'END'
#include <string.h>
extern int elsewhere(int), cold_one(int) __attribute__((cold));
extern int (*pointer)(int);
int hot_bad_call(int x) { return elsewhere(x) + 1; }
int hot_bad_tail(int x) { return elsewhere(x); }
int hot_bad_if(int x) { if (__builtin_expect(x > 5, 0)) return elsewhere(x); return x; }
int hot_bad_cold(int x) { if (x > 5) return cold_one(x) + 2; return x; }
int hot_bad_pointer(int x) { return pointer(x) + 1; }
int hot_bad_pointer_tail(int x) { return pointer(x); }
static __attribute__((noinline)) int own(int x) { __asm__(""); return x * 3; }
int hot_bad_own(int x) { return own(x) + own(x + 1); }
int hot_bad_own_tail(int x) { return own(x); }
#ifdef __x86_64__
void hot_bad_rep(char *a, const char *b, size_t n) { __asm__ volatile("rep movsb" : "+D"(a), "+S"(b), "+c"(n) : : "memory"); }
#else
void hot_bad_rep(char *a, const char *b, size_t n) { elsewhere(*a + *b + (int)n); }
#endif
int hot_good_copy(char *a, const char *b, size_t n) { memcpy(a, b, n); return 1; }
int hot_good_compare(const char *a, const char *b, size_t n) { return memcmp(a, b, n); }
int hot_good_equal(const char *a, const char *b, size_t n) { return memcmp(a, b, n) == 0; }
int hot_good_loop(const int *a, size_t n) { int s = 0; for (size_t i = 0; i < n; i++) if (a[i] > s) s = a[i]; return s; }
int not_hot(int x) { return elsewhere(x); }
END

total=0
for compiler in gcc clang
do
  command -v $compiler >/dev/null || { skip="$skip $compiler"; continue; }
  compile $compiler "$work/planted.c" "$work/planted.o" 2>/dev/null || { say "$compiler: planted.c does not compile"; continue; }
  calls "$work/planted.o" >"$work/out"
  caught=$(sed -n 's/^\(hot_[a-z_]*\).*: .*/\1/p' "$work/out" | sort -u | tr '\n' ' ')
  wanted="hot_bad_call hot_bad_cold hot_bad_if hot_bad_own hot_bad_own_tail hot_bad_pointer hot_bad_pointer_tail hot_bad_rep hot_bad_tail "
  [ "$caught" = "$wanted" ] || say "$compiler: of the planted calls it caught '$caught', wanted '$wanted'"
  grep -q '^13 functions$' "$work/out" || say "$compiler: it counts wrongly: $(tail -n 1 "$work/out")"

  compile $compiler "$MM3_SRC/tests/hotpath.c" "$work/hotpath.o" || { say "$compiler: hotpath.c does not compile"; continue; }
  calls "$work/hotpath.o" >"$work/out"
  grep -v ' functions$' "$work/out" >&2 && say "$compiler: calls or rep movs in hot functions"
  count=$(sed -n 's/ functions$//p' "$work/out")
  echo "check-hotpath: $compiler: $count functions"
  [ "$count" -gt 0 ] || say "$compiler: no hot_* function found"
  total=$((total + count))
done
[ $total -gt 0 ] || [ -n "$skip" ] || say "nothing was checked"
[ $status -ne 0 ] && exit 1
[ -z "$skip" ] || { echo "check-hotpath: not checked with$skip (Debian: gcc, clang)" >&2; exit 77; }

#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# Operations on atomic fields compile to the same instructions as C11's atomics on plain variables, and plain fields to
# those of a plain struct, with gcc and clang. (An atomic load of a bool is apart: ours makes true of a damaged byte.)
status=0 skip= total=0
say () { echo "check-atomic-code: $*" >&2; status=1; }
command -v objdump >/dev/null || { echo "check-atomic-code: no objdump (Debian: binutils)" >&2; exit 77; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' 0

# PAIR(name, result, word of the schema, C type, ours, C11's): each with `p`, a value `v` and a pointer `e`.
cat >"$work/pairs.c" <<'END'
#include <mm3/atomic.h>
#include <mm3/struct.h>
#include <stdatomic.h>
#include <stdbool.h>
#define PAIR(name, R, word, T, ours, theirs)                                                    \
  R ours_##name(struct mm3_atomic_##word *p, T v, T *e) { (void)v, (void)e; ours; }              \
  R theirs_##name(_Atomic T *p, T v, T *e) { (void)v, (void)e; theirs; }
#define SET(w, T)                                                                               \
  PAIR(load_##w, T, w, T, return mm3_atomic_load(p), return atomic_load(p))                     \
  PAIR(store_##w, void, w, T, mm3_atomic_store(p, v), atomic_store(p, v))                       \
  PAIR(release_##w, void, w, T, mm3_atomic_store_explicit(p, v, memory_order_release),          \
       atomic_store_explicit(p, v, memory_order_release))                                       \
  PAIR(exchange_##w, T, w, T, return mm3_atomic_exchange(p, v), return atomic_exchange(p, v))   \
  PAIR(add_##w, T, w, T, return mm3_atomic_fetch_add(p, v), return atomic_fetch_add(p, v))      \
  PAIR(sub_##w, T, w, T, return mm3_atomic_fetch_sub(p, v), return atomic_fetch_sub(p, v))      \
  PAIR(inc_##w, void, w, T, mm3_atomic_inc(p), atomic_fetch_add(p, 1))                          \
  PAIR(or_##w, void, w, T, mm3_atomic_fetch_or(p, v), atomic_fetch_or(p, v))                    \
  PAIR(and_##w, T, w, T, return mm3_atomic_fetch_and(p, v), return atomic_fetch_and(p, v))      \
  PAIR(cas_##w, int, w, T, return mm3_atomic_compare_exchange(p, e, v),                         \
       return atomic_compare_exchange_strong(p, e, v))                                          \
  PAIR(relaxed_##w, T, w, T, return mm3_atomic_fetch_add_explicit(p, v, memory_order_relaxed),  \
       return atomic_fetch_add_explicit(p, v, memory_order_relaxed))
SET(u8, uint8_t) SET(u16, uint16_t) SET(u32, uint32_t) SET(u64, uint64_t) SET(usize, uint64_t)
SET(i8, int8_t) SET(i16, int16_t) SET(i32, int32_t) SET(i64, int64_t) SET(isize, int64_t)
PAIR(store_bool, void, bool, _Bool, mm3_atomic_store(p, v), atomic_store(p, v))

/* Plain fields, by way of mm3_root, against a struct as anybody would write it. */
#define FIELDS(F) F(f_u8, u8) F(f_i16, i16) F(f_u32, u32) F(f_i64, i64) F(f_f32, f32) F(f_f64, f64) F(f_usize, usize) \
  F(f_bool, bool) F(f_char, char) F(f_raw, raw(7)) F(f_u128, u128)
MM3_STRUCT(fields, FIELDS);
struct plain {
  uint8_t f_u8; int16_t f_i16; uint32_t f_u32; int64_t f_i64; float f_f32; double f_f64; uint64_t f_usize; uint8_t f_bool;
  uint32_t f_char; uint8_t f_raw[7]; unsigned __int128 f_u128;
};
#define PLAIN(name, R, T, statement)                                                            \
  R ours_##name(struct fields *p, T v) { (void)v; statement; }                                  \
  R theirs_##name(struct plain *p, T v) { (void)v; statement; }
#define PLAIN_SET(f, T)                                                                         \
  PLAIN(get_##f, T, T, return p->f) PLAIN(put_##f, void, T, p->f = v)                           \
  PLAIN(plus_##f, void, T, p->f = (T)(p->f + v)) PLAIN(swap_##f, T, T, T old = p->f; p->f = v; return old)
PLAIN_SET(f_u8, uint8_t) PLAIN_SET(f_i16, int16_t) PLAIN_SET(f_u32, uint32_t) PLAIN_SET(f_i64, int64_t)
PLAIN_SET(f_f32, float) PLAIN_SET(f_f64, double) PLAIN_SET(f_usize, uint64_t) PLAIN_SET(f_bool, uint8_t)
PLAIN_SET(f_char, uint32_t) PLAIN_SET(f_u128, unsigned __int128)
PLAIN(get_raw, uint8_t, int, return p->f_raw[v & 3])

PAIR(planted, void, u32, uint32_t, mm3_atomic_store(p, v + 1), atomic_store(p, v))
END

for compiler in gcc clang
do
  command -v $compiler >/dev/null || { skip="$skip $compiler"; continue; }
  $compiler -std=c11 -O2 -g0 -I"$MM3_SRC/include" -c "$work/pairs.c" -o "$work/pairs.o" ||
    { say "$compiler: it does not compile"; continue; }
  objdump -d --no-show-raw-insn "$work/pairs.o" | awk '
    /^[0-9a-f]+ <.*>:$/ { name = $2; gsub(/[<>:]/, "", name); start = ("0x" $1); next }
    /^ +[0-9a-f]+:\t/ {
      split($0, part, "\t"); text = part[2]; sub(/ +$/, "", text)
      if (text ~ /^(nop|cs nop|data16|xchg   %ax,%ax)/) next
      sub(/[0-9a-f]+ <.*\+/, "<+", text)
      code[name] = code[name] ";" text
    }
    END {
      for (name in code) {
        if (name !~ /^ours_/) continue
        other = name; sub(/^ours/, "theirs", other); count++
        if (code[name] != code[other]) print substr(name, 6) ": " code[name] " instead of " code[other]
      }
      print count " pairs"
    }' >"$work/out"
  grep -q '^planted: ' "$work/out" || say "$compiler: the planted difference was not seen"
  grep -v '^planted: \| pairs$' "$work/out" >&2 && say "$compiler: other code than plain C's"
  count=$(sed -n 's/ pairs$//p' "$work/out")
  echo "check-atomic-code: $compiler: $count pairs"
  total=$((total + ${count:-0}))
done
[ $total -gt 0 ] || [ -n "$skip" ] || say "nothing was compared"
[ $status -ne 0 ] && exit 1
[ -z "$skip" ] || { echo "check-atomic-code: not checked with$skip (Debian: gcc, clang)" >&2; exit 77; }

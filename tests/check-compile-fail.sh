#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# What must not compile does not, in C11 and C++17, by gcc and clang; what stands beside it does, without a warning.
status=0 refused=0 skip=
say () { echo "check-compile-fail: $*" >&2; status=1; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' 0

cat >"$work/head" <<'END'
#include <mm3/atomic.h>
#include <mm3/string.h>
#include <mm3/string_array.h>
#include <mm3/vec.h>
#include <mm3/ndarray.h>
#define THINGS(FIELD) \
  FIELD(n, atomic(u64)) FIELD(on, atomic(bool)) FIELD(s, string(32)) FIELD(a, string_array(5, 16)) FIELD(plain, u64) \
  FIELD(v, vec(u64, 5)) FIELD(c, ndarray(u8, 2, 3))
MM3_STRUCT(things, THINGS);
END
cat >"$work/body" <<'END'
int try_it(struct things *t, const struct things *k, char *buf);
int try_it(struct things *t, const struct things *k, char *buf) {
  (void)t, (void)k, (void)buf;
END

# One statement a line; those after the word `not` must not compile. Each runs as the body of try_it.
cat >"$work/lines" <<'END'
mm3_atomic_store(&t->n, 5u);
mm3_atomic_load_explicit(&k->n, __ATOMIC_ACQUIRE);
mm3_atomic_fetch_or(&t->on, 1);
mm3_string_set(&t->s, "x"); mm3_string_get(&k->s, buf, 33, 0);
mm3_string_array_set(&t->a, 3, "x"); mm3_string_array_get(&k->a, 3, buf, 17, 0);
mm3_vec_push(&t->v, 5u); { uint64_t out = 0; mm3_vec_get(&k->v, 1, &out); mm3_vec_insert(0, &t->v, 0, out); }
mm3_ndarray_ref(&t->c, 1, 2) = 5; { uint8_t out = 0; mm3_ndarray_get(&k->c, &out, 1, 2); }
not t->n = 5;
not t->n++;
not t->on = 1;
not mm3_atomic_store(&k->n, 5u);
not mm3_atomic_load(&t->plain);
not mm3_atomic_load(&t->s);
not mm3_atomic_load(t->n);
not mm3_atomic_fetch_add(&t->on, 1);
not mm3_atomic_sub(&t->on, 1);
not mm3_atomic_inc(&t->on);
not mm3_atomic_fetch_min(&t->on, 1);
not mm3_atomic_fetch_max(&t->on, 1);
not mm3_atomic_load_explicit(&t->n, __ATOMIC_RELEASE);
not mm3_atomic_load_explicit(&t->n, __ATOMIC_ACQ_REL);
not mm3_atomic_store_explicit(&t->n, 1u, __ATOMIC_ACQUIRE);
not mm3_atomic_store_explicit(&t->n, 1u, __ATOMIC_CONSUME);
not mm3_atomic_store_explicit(&t->n, 1u, __ATOMIC_ACQ_REL);
not mm3_atomic_fetch_add_explicit(&t->n, 1u, 77);
not { uint64_t e = 0; mm3_atomic_compare_exchange_explicit(&t->n, &e, 1u, __ATOMIC_ACQ_REL, __ATOMIC_RELEASE); }
not { uint32_t e = 0; mm3_atomic_compare_exchange(&t->n, &e, 1u); }
not MM3_VALUE(atomic(f32)) x; (void)x;
not MM3_VALUE(atomic(u128)) x; (void)x;
not t->s = "text";
not mm3_string_set(&t->n, "x");
not mm3_string_set(&t->plain, "x");
not mm3_string_set(&t->a, "x");
not mm3_string_set(t->s, "x");
not mm3_string_set(&t->s, 5.0);
not mm3_string_get(&t->a, buf, 33, 0);
not mm3_string_set(&k->s, "x");
not mm3_string_array_set(&t->s, 0, "x");
not mm3_string_array_clear_all(&k->a);
not MM3_VALUE(string(0)) x; (void)x;
not MM3_VALUE(string(16777216)) x; (void)x;
not MM3_VALUE(string_array(0, 5)) x; (void)x;
not MM3_VALUE(string_array(5, 0)) x; (void)x;
not MM3_VALUE(vec(u32, 0)) x; (void)x;
not MM3_VALUE(vec(u32, 2147483647)) x; (void)x;
not mm3_vec_push(&t->s, 5u);
not mm3_vec_push(&t->c, 5u);
not mm3_vec_push(&k->v, 5u);
not mm3_vec_push(&t->plain, 5u);
not mm3_vec_clear(&k->v);
not mm3_vec_push(&t->v, "text");
not { uint32_t out; mm3_vec_get(&t->v, 0, &out); }
not { int64_t in = 0; mm3_vec_set_from(&t->v, 0, &in); }
not mm3_vec_sort(0, &t->c, 0, 0);
not MM3_VALUE(ndarray(u32, 0)) x; (void)x;
not MM3_VALUE(ndarray(u32, 5, 0)) x; (void)x;
not *mm3_ndarray_at(&t->v, 0) = 1;
not *mm3_ndarray_at(&k->c, 0, 0) = 1;
not mm3_ndarray_ref(&k->c, 0, 0) = 1;
not (void)mm3_ndarray_at(&t->c, 0, 0, 0);
not { uint16_t out; mm3_ndarray_get(&t->c, &out, 0, 0); }
not mm3_ndarray_set(&k->c, 1, 0, 0);
END

for tool in "gcc c11 c" "g++ c++17 cc" "clang c11 c" "clang++ c++17 cc"
do
  # shellcheck disable=SC2086
  set -- $tool
  command -v "$1" >/dev/null || { skip="$skip $1"; continue; }
  # A qualifier that is thrown away is a warning in C.
  compile="$1 -std=$2 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -Wno-unused-value -I$MM3_SRC/include"
  # The headers are compiled once.
  case $3 in c) language=c ;; *) language=c++ ;; esac
  case $1 in clang*) compiled=pch ;; *) compiled=gch ;; esac
  mkdir "$work/$1" && cp "$work/head" "$work/$1/head.h"
  $compile -x $language-header "$work/$1/head.h" -o "$work/$1/head.h.$compiled" || say "$1 refuses the headers"
  number=0
  while read -r line
  do
    number=$((number + 1))
    must=${line%% *}
    { cat "$work/body"; echo "${line#not }"; echo 'return 0; }'; } >"$work/$number.$3"
    $compile -fsyntax-only -include "$work/$1/head.h" "$work/$number.$3" >"$work/out" 2>&1 && result=compiles || result=refused
    case $must$result in
      notcompiles) say "$1 takes: ${line#not }" ;;
      notrefused) refused=$((refused + 1)) ;;
      *refused) say "$1 refuses: $line"; cat "$work/out" >&2 ;;
    esac
  done <"$work/lines"
done
echo "check-compile-fail: $refused refusals"
[ $refused -gt 0 ] || [ -n "$skip" ] || say "nothing was refused"
[ $status -ne 0 ] && exit 1
[ -z "$skip" ] || { echo "check-compile-fail: not checked with$skip (Debian: g++, clang)" >&2; exit 77; }

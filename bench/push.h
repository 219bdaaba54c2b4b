/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* push.h: W4 for vectors with the interface of std::vector. */
#ifndef MM3_BENCH_PUSH_H
#define MM3_BENCH_PUSH_H
#include "bench.h"

struct push_wide {
  uint64_t a, b, c[6];
};
static const size_t PUSH_ITEMS = 1000000, PUSH_WIDES = 250000;

template <class Vector>
Vector *push_std() { return new Vector; }

template <class Items>
BENCH_NOINLINE static void push_all(Items &items, size_t n) {
  typename Items::value_type item = {};
  for (size_t i = 0; i < n; i++) {
    memcpy(&item, &i, sizeof i);
    items.push_back(item);
    BENCH_BARRIER();
  }
}
template <class Items>
BENCH_NOINLINE static uint64_t push_sum(const Items &items) {
  uint64_t sum = 0;
  for (auto &item : items) sum += item;
  return sum;
}
template <class Items>
BENCH_NOINLINE static uint64_t push_sum_wide(const Items &items) {
  uint64_t sum = 0;
  for (auto &item : items) sum += item.a + item.b;
  return sum;
}

/* Capacity is reserved beforehand, as mm3's and the plain array's is. */
template <class Items, class Wides>
static void push_run(Items *items, Wides *wides) {
  items->reserve(PUSH_ITEMS), wides->reserve(PUSH_WIDES);
  BENCH("W4 push u64, new file", PUSH_ITEMS, 1, push_all(*items, PUSH_ITEMS));
  BENCH("W4 push 64 B, new file", PUSH_WIDES, 1, push_all(*wides, PUSH_WIDES));
  BENCH("W4 push u64", PUSH_ITEMS, 21, (items->clear(), push_all(*items, PUSH_ITEMS)));
  BENCH("W4 push 64 B", PUSH_WIDES, 21, (wides->clear(), push_all(*wides, PUSH_WIDES)));
  BENCH("W4 sum of vec(u64, 1e6)", PUSH_ITEMS, 41, bench_sink = push_sum(*items));
  BENCH("W4 sum of 64 B items", PUSH_WIDES, 21, bench_sink = push_sum_wide(*wides));
}

#endif

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* map_khash.c: khash (Debian: libhts-dev) in memory; numbers only. */
#define MAPS_U64
#include "bench.h"
#include <htslib/khash.h>

static inline khint_t hash_u64(uint64_t key) { return (khint_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> 32); }
#define SAME(a, b) ((a) == (b))
KHASH_INIT(u64, uint64_t, uint64_t, 1, hash_u64, SAME)
static khash_t(u64) *map;

static void u64_open(size_t n) { (void)n, map = kh_init(u64); }
static void u64_close(void) { kh_destroy(u64, map); }
static inline void u64_put(uint64_t key, uint64_t value) {
  int absent;
  khint_t at = kh_put(u64, map, key, &absent); /* before vals is looked at: it may move */
  kh_value(map, at) = value;
}
static inline uint64_t u64_get(uint64_t key) {
  khint_t at = kh_get(u64, map, key);
  return at == kh_end(map) ? 0 : kh_value(map, at);
}
static inline void u64_erase(uint64_t key) { kh_del(u64, map, kh_get(u64, map, key)); }
static uint64_t u64_sum(void) {
  uint64_t sum = 0;
  for (khint_t at = kh_begin(map); at != kh_end(map); at++)
    if (kh_exist(map, at)) sum += kh_key(map, at) ^ kh_value(map, at);
  return sum;
}
static double u64_bytes(void) { return (double)kh_n_buckets(map) * 16.25; }

#include "maps.h"

int main(int argc, char **argv) {
  static const struct bench_group groups[] = {
      {"u64-1e5", maps_u64_1e5}, {"u64-1e6", maps_u64_1e6}, {"u64-1e7", maps_u64_1e7}, {NULL, NULL}};
  return bench_main(argc, argv, "khash", groups);
}

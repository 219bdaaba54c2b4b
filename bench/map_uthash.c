/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* map_uthash.c: uthash (Debian: uthash-dev) in memory; numbers only. */
#define MAPS_U64
#define MAPS_SLOW
#include "bench.h"
#include <uthash.h>

struct entry {
  uint64_t key, value;
  UT_hash_handle hh;
};
static struct entry *map;

static inline struct entry *find(uint64_t key) {
  struct entry *found;
  HASH_FIND(hh, map, &key, sizeof key, found);
  return found;
}
static void u64_open(size_t n) { (void)n, map = NULL; }
static void u64_close(void) {
  struct entry *at, *next;
  HASH_ITER(hh, map, at, next) {
    HASH_DEL(map, at);
    free(at);
  }
}
static inline void u64_put(uint64_t key, uint64_t value) {
  struct entry *entry = find(key);
  if (!entry) {
    entry = (struct entry *)malloc(sizeof *entry);
    BENCH_NEED(entry);
    entry->key = key;
    HASH_ADD(hh, map, key, sizeof key, entry);
  }
  entry->value = value;
}
static inline uint64_t u64_get(uint64_t key) {
  struct entry *entry = find(key);
  return entry ? entry->value : 0;
}
static inline void u64_erase(uint64_t key) {
  struct entry *entry = find(key);
  HASH_DEL(map, entry);
  free(entry);
}
static uint64_t u64_sum(void) {
  uint64_t sum = 0;
  for (struct entry *at = map; at; at = (struct entry *)at->hh.next) sum += at->key ^ at->value;
  return sum;
}
static double u64_bytes(void) { return 0; }

#include "maps.h"

int main(int argc, char **argv) {
  static const struct bench_group groups[] = {{"u64-1e6", maps_u64_1e6}, {NULL, NULL}};
  (void)maps_u64_1e5;
  return bench_main(argc, argv, "uthash", groups);
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* map_mm3.c: mm3's hashmap in W3. Writes are the _held forms, under one lock for each 1000. */
#include <mm3/file.h>
#include <mm3/hashmap.h>
#include <mm3/struct.h>
#include <mm3/text.h>

#define MAPS_U64
#define MAPS_TEXT
#define MAPS_BATCH
#define MAPS_BATCHES
#include "bench.h"

#define STORE(FIELD) FIELD(numbers, hashmap(u64, u64)) FIELD(texts, hashmap(text, text))
MM3_STRUCT(store, STORE);

static struct mm3_file *file;
static struct store *store;
static int writing, done;

static void maps_begin(int write) {
  writing = write;
  if (write) mm3_lock(file);
}
static void maps_end(void) {
  if (writing) mm3_unlock(file);
}
static inline void maps_step(void) {
  if (++done % 1000 == 0) mm3_unlock(file), mm3_lock(file);
}

static void fail(const char *what, int code) {
  fprintf(stderr, "mm3: %s: %s\n", what, mm3_strerror(code));
  exit(1);
}

static void u64_open(size_t n) {
  struct mm3_error error;
  const char *path = bench_path("bench.map");
  (void)n;
  unlink(path);
  file = mm3_create(path, MM3_TYPE(store), NULL, &error);
  if (!file) fprintf(stderr, "mm3: %s\n", error.text), exit(1);
  store = mm3_root(file, store);
}
static void u64_close(void) {
  mm3_close(file);
  unlink(bench_path("bench.map"));
}
static inline void u64_put(uint64_t key, uint64_t value) {
  int result = mm3_hashmap_set_held(file, &store->numbers, key, value);
  if (__builtin_expect(result < 0, 0)) fail("set", result);
}
static inline uint64_t u64_get(uint64_t key) {
  uint64_t value = 0;
  return mm3_hashmap_get(file, &store->numbers, key, &value) == 0 ? value : 0;
}
static inline uint64_t u64_get_many(const uint64_t *keys, size_t count) {
  uint64_t values[32], sum = 0;
  if (mm3_hashmap_get_many(file, &store->numbers, keys, count, values, NULL) != (int64_t)count) fail("get_many", 0);
  for (size_t i = 0; i < count; i++) sum += values[i];
  return sum;
}
static inline void u64_erase(uint64_t key) {
  int result = mm3_hashmap_remove_held(file, &store->numbers, key);
  if (__builtin_expect(result < 0, 0)) fail("remove", result);
}
static uint64_t u64_sum(void) {
  struct mm3_hashmap_cursor cursor;
  uint64_t sum = 0, key, value;
  memset(&cursor, 0, sizeof cursor);
  while (mm3_hashmap_next(file, &store->numbers, &cursor, &key, &value) == 1) sum += key ^ value;
  return sum;
}
static double u64_bytes(void) {
  struct mm3_hashmap_stats stats;
  memset(&stats, 0, sizeof stats);
  stats.size = sizeof stats;
  int result = mm3_hashmap_stats(file, &store->numbers, &stats);
  if (result < 0) fail("stats", result);
  return stats.bytes_an_entry * (double)mm3_hashmap_len(file, &store->numbers);
}

static void text_open(size_t n) { u64_open(n); }
static void text_close(void) { u64_close(); }
static inline void text_put(size_t place, const char *key, size_t klen, const char *value, size_t vlen) {
  int result = mm3_hashmap_set_held(file, &store->texts, mm3_str_n(key, klen), mm3_str_n(value, vlen));
  if (__builtin_expect(result < 0, 0)) fail("set", result);
  (void)place;
}
static inline size_t text_get(size_t place, const char *key, size_t klen, char *out) {
  struct mm3_buf buf = mm3_buf_of(out, 128);
  (void)place;
  return mm3_hashmap_get(file, &store->texts, mm3_str_n(key, klen), &buf) == 0 ? buf.len : 0;
}
static inline void text_erase(size_t place, const char *key, size_t klen) {
  int result = mm3_hashmap_remove_held(file, &store->texts, mm3_str_n(key, klen));
  if (__builtin_expect(result < 0, 0)) fail("remove", result);
  (void)place;
}
static uint64_t text_sum(void) {
  struct mm3_hashmap_cursor cursor;
  char key[128], value[128];
  struct mm3_buf k = mm3_buf_of(key, sizeof key), v = mm3_buf_of(value, sizeof value);
  uint64_t sum = 0;
  memset(&cursor, 0, sizeof cursor);
  while (mm3_hashmap_next(file, &store->texts, &cursor, &k, &v) == 1) sum += (uint64_t)key[0] + (uint64_t)value[0];
  return sum;
}
static double text_bytes(void) {
  struct mm3_hashmap_stats stats;
  memset(&stats, 0, sizeof stats);
  stats.size = sizeof stats;
  int result = mm3_hashmap_stats(file, &store->texts, &stats);
  if (result < 0) fail("stats", result);
  return stats.bytes_an_entry * (double)mm3_hashmap_len(file, &store->texts);
}

struct maps_list;
static uint64_t maps_text_many(const struct maps_list *list, size_t count);
#include "maps.h"

static uint64_t maps_text_many(const struct maps_list *list, size_t count) {
  static char outs[32][128];
  struct mm3_buf bufs[32];
  struct mm3_str keys[32];
  const unsigned char *q = list->at;
  uint64_t sum = 0;
  for (int i = 0; i < 32; i++) bufs[i] = mm3_buf_of(outs[i], sizeof outs[i]);
  for (size_t i = 0; i + 32 <= count; i += 32) {
    for (int k = 0; k < 32; k++, q += 6 + q[4] + q[5]) keys[k] = mm3_str_n(q + 6, q[4]);
    if (mm3_hashmap_get_many(file, &store->texts, keys, 32, bufs, NULL) != 32) fail("get_many", 0);
    sum += bufs[0].len + bufs[31].len;
  }
  return sum;
}

int main(int argc, char **argv) {
  static const struct bench_group groups[] = {
      {"u64-1e5", maps_u64_1e5},   {"u64-1e6", maps_u64_1e6},   {"u64-1e7", maps_u64_1e7}, {"text-1e5", maps_text_1e5},
      {"text-1e6", maps_text_1e6}, {"text-1e7", maps_text_1e7}, {NULL, NULL}};
  return bench_main(argc, argv, "mm3", groups);
}

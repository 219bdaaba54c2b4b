/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* map_raw.c: the limit of W3: a mapped file of slots, and each key's slot known beforehand. */
#define MAPS_U64
#define MAPS_TEXT
#define MAPS_DENSE
#include "bench.h"

/* Keys are slots: every eighth is left free, as in a table that is filled to 7/8; the order is scrambled. */
static size_t entries, slots;
static inline uint64_t spread(size_t i) { return (uint64_t)i * 8 / 7; }
static inline uint64_t maps_key(size_t i) { return spread((size_t)(i * UINT64_C(7368787) % entries)); }
static inline uint64_t maps_absent(size_t i) { return maps_key((size_t)(bench_mix(i) % entries)) | UINT64_C(1) << 40; }

struct slot {
  uint64_t key, value;
};
struct text_slot {
  unsigned char klen, vlen, key[32], value[64], rest[30];
};
static struct slot *numbers;
static struct text_slot *texts;

static void u64_open(size_t n) {
  (void)n;
  numbers = (struct slot *)bench_map("bench.map", slots * sizeof *numbers);
}
static void u64_close(void) { bench_unmap("bench.map", numbers, slots * sizeof *numbers); }
static inline void u64_put(uint64_t key, uint64_t value) {
  struct slot slot = {key, value};
  numbers[key] = slot;
}
static inline uint64_t u64_get(uint64_t key) {
  const struct slot *slot = &numbers[key & 0xFFFFFFFF];
  return slot->key == key ? slot->value : 0;
}
static inline void u64_erase(uint64_t key) { numbers[key].value = 0; }
static uint64_t u64_sum(void) {
  uint64_t sum = 0;
  for (size_t i = 0; i < slots; i++) sum += numbers[i].key ^ numbers[i].value;
  return sum;
}
static double u64_bytes(void) { return (double)slots * (double)sizeof *numbers; }

#define MAPS_PLACE(entry) (uint32_t)maps_key(entry)
static inline struct text_slot *text_slot(size_t place) { return &texts[place]; }
static void text_open(size_t n) {
  (void)n;
  texts = (struct text_slot *)bench_map("bench.map", slots * sizeof *texts);
}
static void text_close(void) { bench_unmap("bench.map", texts, slots * sizeof *texts); }
static inline void text_put(size_t place, const char *key, size_t klen, const char *value, size_t vlen) {
  struct text_slot *slot = text_slot(place);
  slot->klen = (unsigned char)klen, slot->vlen = (unsigned char)vlen;
  memcpy(slot->key, key, 32); /* what is behind lies in the list, too */
  memcpy(slot->value, value, 64);
}
static inline size_t text_get(size_t place, const char *key, size_t klen, char *out) {
  const struct text_slot *slot = text_slot(place);
  if (slot->klen != klen || memcmp(slot->key, key, 16) != 0 || memcmp(slot->key + klen - 16, key + klen - 16, 16) != 0) return 0;
  memcpy(out, slot->value, 64);
  return slot->vlen;
}
static inline void text_erase(size_t place, const char *key, size_t klen) {
  (void)key, (void)klen;
  text_slot(place)->vlen = 0;
}
static uint64_t text_sum(void) {
  uint64_t sum = 0;
  for (size_t i = 0; i < slots; i++) sum += (uint64_t)(texts[i].key[0] + texts[i].value[0]);
  return sum;
}
static double text_bytes(void) { return (double)slots * (double)sizeof *texts; }

#include "maps.h"

static void sized(size_t n) { entries = n, slots = n * 8 / 7 + 1; }
static void u64_1e5(void) { sized(100000), maps_u64_1e5(); }
static void u64_1e6(void) { sized(1000000), maps_u64_1e6(); }
static void u64_1e7(void) { sized(10000000), maps_u64_1e7(); }
static void text_1e5(void) { sized(100000), maps_text_1e5(); }
static void text_1e6(void) { sized(1000000), maps_text_1e6(); }
static void text_1e7(void) { sized(10000000), maps_text_1e7(); }

int main(int argc, char **argv) {
  static const struct bench_group groups[] = {
      {"u64-1e5", u64_1e5},   {"u64-1e6", u64_1e6},   {"u64-1e7", u64_1e7}, {"text-1e5", text_1e5},
      {"text-1e6", text_1e6}, {"text-1e7", text_1e7}, {NULL, NULL}};
  return bench_main(argc, argv, "raw", groups);
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* arrays.c: mm3's vec (W4) and ndarray (W6) beside plain C arrays in memory, taken in turn, in one process. */
#include "bench.h"

#include <mm3/file.h>
#include <mm3/ndarray.h>
#include <mm3/struct.h>
#include <mm3/vec.h>

enum { ITEMS = 1000000, WIDES = 250000, CUBE = 1 << 24, READS = 2000000 };

#define WIDE(FIELD) FIELD(a, u64) FIELD(b, u64) FIELD(c, raw(48))
MM3_STRUCT(wide, WIDE);
#define ARRAYS(FIELD) FIELD(items, vec(u64, ITEMS)) FIELD(wides, vec(wide, WIDES)) FIELD(cube, ndarray(u8, 256, 256, 256))
MM3_STRUCT(arrays, ARRAYS);

/* What a program would write by itself: a length and an array, in a mapped file. */
struct raw_items {
  uint64_t length, at[ITEMS];
};
struct raw_wides {
  uint64_t length;
  struct wide at[WIDES];
};
typedef uint8_t cube_t[256][256][256];

static BENCH_NOINLINE void push_raw(struct raw_items *v) {
  for (uint64_t i = 0; i < ITEMS; i++) {
    if (v->length >= ITEMS) continue;
    v->at[v->length] = i;
    BENCH_BARRIER();
    v->length++;
    BENCH_BARRIER();
  }
}
static BENCH_NOINLINE void push_mm3(struct arrays *a) {
  for (uint64_t i = 0; i < ITEMS; i++) mm3_vec_push(&a->items, i);
}
static BENCH_NOINLINE void push_wide_raw(struct raw_wides *v, const struct wide *w) {
  for (uint64_t i = 0; i < WIDES; i++) {
    if (v->length >= WIDES) continue;
    v->at[v->length] = *w;
    BENCH_BARRIER();
    v->length++;
    BENCH_BARRIER();
  }
}
static BENCH_NOINLINE void push_wide_mm3(struct arrays *a, const struct wide *w) {
  for (uint64_t i = 0; i < WIDES; i++) mm3_vec_push_from(&a->wides, w);
}
static BENCH_NOINLINE uint64_t sum_raw(const struct raw_items *v) {
  uint64_t sum = 0;
  for (size_t i = 0; i < v->length; i++) sum += v->at[i];
  return sum;
}
static BENCH_NOINLINE uint64_t sum_mm3(const struct arrays *a) {
  uint64_t sum = 0;
  MM3_VEC_EACH(item, &a->items) sum += *item;
  return sum;
}
static BENCH_NOINLINE uint64_t get_mm3(const struct arrays *a) {
  uint64_t sum = 0, item;
  for (size_t i = 0; mm3_vec_get(&a->items, i, &item) == 0; i++) sum += item;
  return sum;
}
static BENCH_NOINLINE uint64_t sum_wide_raw(const struct raw_wides *v) {
  uint64_t sum = 0;
  for (size_t i = 0; i < v->length; i++) sum += v->at[i].a + v->at[i].b;
  return sum;
}
static BENCH_NOINLINE uint64_t sum_wide_mm3(const struct arrays *a) {
  uint64_t sum = 0;
  MM3_VEC_EACH(item, &a->wides) sum += item->a + item->b;
  return sum;
}

static struct mm3_file *file;
static struct arrays *a;

static void begin(void) {
  struct mm3_error error;
  const char *path = bench_path("bench.arrays");
  unlink(path);
  file = mm3_create(path, MM3_TYPE(arrays), NULL, &error);
  if (!file) fprintf(stderr, "mm3: %s\n", error.text), exit(1);
  a = mm3_root(file, arrays);
}
static void end(void) {
  mm3_close(file);
  unlink(bench_path("bench.arrays"));
}

static void run_push(void) {
  begin();
  struct raw_items *items = (struct raw_items *)bench_map("bench.raw1", sizeof *items);
  struct raw_wides *wides = (struct raw_wides *)bench_map("bench.raw2", sizeof *wides);
  struct wide w = {1, 2, {3}};
  BENCH_PAIR("W4 push u64, new file", ITEMS, 1, "raw", push_raw(items), "mm3", push_mm3(a));
  BENCH_PAIR("W4 push 64 B, new file", WIDES, 1, "raw", push_wide_raw(wides, &w), "mm3", push_wide_mm3(a, &w));
  BENCH_PAIR("W4 push u64", ITEMS, 21, "raw", (items->length = 0, push_raw(items)), "mm3",
             (mm3_vec_clear(&a->items), push_mm3(a)));
  BENCH_PAIR("W4 push 64 B", WIDES, 21, "raw", (wides->length = 0, push_wide_raw(wides, &w)), "mm3",
             (mm3_vec_clear(&a->wides), push_wide_mm3(a, &w)));
  BENCH_PAIR("W4 sum of vec(u64, 1e6)", ITEMS, 41, "raw", bench_sink = sum_raw(items), "mm3", bench_sink = sum_mm3(a));
  BENCH_OF("mm3, vec_get", "W4 sum of vec(u64, 1e6)", ITEMS, 41, bench_sink = get_mm3(a));
  BENCH_PAIR("W4 sum of 64 B items", WIDES, 21, "raw", bench_sink = sum_wide_raw(wides), "mm3", bench_sink = sum_wide_mm3(a));
  BENCH_NEED(sum_raw(items) == get_mm3(a) && sum_wide_raw(wides) == sum_wide_mm3(a));
  bench_unmap("bench.raw1", items, sizeof *items);
  bench_unmap("bench.raw2", wides, sizeof *wides);
  end();
}

/* ---- W6 ---- */

static BENCH_NOINLINE uint64_t read_raw(cube_t *c, const uint32_t *at) {
  uint64_t sum = 0;
  for (size_t i = 0; i < READS; i++) sum += (*c)[at[i] >> 16 & 255][at[i] >> 8 & 255][at[i] & 255];
  return sum;
}
static BENCH_NOINLINE uint64_t read_mm3(struct arrays *b, const uint32_t *at) {
  uint64_t sum = 0;
  for (size_t i = 0; i < READS; i++) sum += mm3_ndarray_ref(&b->cube, at[i] >> 16, at[i] >> 8 & 255, at[i] & 255);
  return sum;
}
static BENCH_NOINLINE uint64_t chase_raw(cube_t *c, const uint32_t *at) {
  uint64_t last = 0, sum = 0;
  for (size_t i = 0; i < READS / 4; i++) {
    uint32_t x = (uint32_t)(at[i] ^ last << 8);
    sum += last = (*c)[x >> 16 & 255][x >> 8 & 255][x & 255];
  }
  return sum;
}
static BENCH_NOINLINE uint64_t chase_mm3(struct arrays *b, const uint32_t *at) {
  uint64_t last = 0, sum = 0;
  for (size_t i = 0; i < READS / 4; i++) {
    uint32_t x = (uint32_t)(at[i] ^ last << 8);
    sum += last = mm3_ndarray_ref(&b->cube, x >> 16, x >> 8 & 255, x & 255);
  }
  return sum;
}
static BENCH_NOINLINE void write_raw(cube_t *c, const uint32_t *at) {
  for (size_t i = 0; i < READS; i++) (*c)[at[i] >> 16 & 255][at[i] >> 8 & 255][at[i] & 255] = (uint8_t)i;
}
static BENCH_NOINLINE void write_mm3(struct arrays *b, const uint32_t *at) {
  for (size_t i = 0; i < READS; i++) mm3_ndarray_ref(&b->cube, at[i] >> 16, at[i] >> 8 & 255, at[i] & 255) = (uint8_t)i;
}
static BENCH_NOINLINE uint64_t walk_raw(cube_t *c) {
  uint64_t sum = 0;
  for (size_t i = 0; i < 256; i++)
    for (size_t j = 0; j < 256; j++)
      for (size_t k = 0; k < 256; k++) sum += (*c)[i][j][k];
  return sum;
}
static BENCH_NOINLINE uint64_t walk_mm3(struct arrays *b) {
  uint64_t sum = 0;
  for (size_t i = 0; i < 256; i++)
    for (size_t j = 0; j < 256; j++)
      for (size_t k = 0; k < 256; k++) sum += mm3_ndarray_ref(&b->cube, i, j, k);
  return sum;
}
static BENCH_NOINLINE uint64_t words_raw(cube_t *c) {
  const uint64_t *at = (const uint64_t *)(const void *)c;
  uint64_t sum = 0;
  for (size_t i = 0; i < CUBE / 8; i++) sum += at[i];
  return sum;
}
static BENCH_NOINLINE uint64_t words_mm3(struct arrays *b) {
  const uint64_t *at = (const uint64_t *)(const void *)mm3_ndarray_data(&b->cube);
  uint64_t sum = 0;
  for (size_t i = 0; i < mm3_ndarray_count(&b->cube) / 8; i++) sum += at[i];
  return sum;
}
static BENCH_NOINLINE uint64_t each_mm3(struct arrays *b) {
  uint64_t sum = 0;
  MM3_NDARRAY_EACH(item, &b->cube) sum += *item;
  return sum;
}

static void run_cube(void) {
  begin();
  cube_t *c = (cube_t *)malloc(sizeof *c);
  uint32_t *at = (uint32_t *)malloc(READS * sizeof *at);
  BENCH_NEED(c && at);
  for (size_t i = 0; i < CUBE; i++) ((uint8_t *)c)[i] = (uint8_t)bench_mix(i);
  memcpy(a->cube.at, c, CUBE);
  for (size_t i = 0; i < READS; i++) at[i] = (uint32_t)(bench_mix(i) % CUBE);
  BENCH_PAIR("W6 random read", READS, 11, "raw", bench_sink = read_raw(c, at), "mm3", bench_sink = read_mm3(a, at));
  BENCH_PAIR("W6 dependent read", READS / 4, 11, "raw", bench_sink = chase_raw(c, at), "mm3", bench_sink = chase_mm3(a, at));
  BENCH_PAIR("W6 random write", READS, 11, "raw", write_raw(c, at), "mm3", write_mm3(a, at));
  BENCH_PAIR("W6 walk, [i][j][k]", CUBE, 11, "raw", bench_sink = walk_raw(c), "mm3", bench_sink = walk_mm3(a));
  BENCH_OF("mm3, EACH", "W6 walk, [i][j][k]", CUBE, 11, bench_sink = each_mm3(a));
  BENCH_PAIR("W6 sum as u64, a byte", CUBE, 15, "raw", bench_sink = words_raw(c), "mm3", bench_sink = words_mm3(a));
  BENCH_NEED(walk_raw(c) == walk_mm3(a) && each_mm3(a) == walk_raw(c) && words_raw(c) == words_mm3(a));
  free(c), free(at);
  end();
}

int main(int argc, char **argv) {
  static const struct bench_group groups[] = {{"push", run_push}, {"cube", run_cube}, {NULL, NULL}};
  return bench_main(argc, argv, "mm3", groups);
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Not a test: vec and ndarray in a file beside plain arrays in memory, best of several rounds in one run. By hand:
 * tests/bench_vec */
#include <mm3/file.h>
#include <mm3/ndarray.h>
#include <mm3/vec.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ITEMS = 1000000 };

#define WIDE(FIELD) FIELD(a, u64) FIELD(b, u64) FIELD(c, raw(48))
MM3_STRUCT(wide, WIDE);
#define BENCH(FIELD) \
  FIELD(items, vec(u64, ITEMS)) FIELD(wide, vec(wide, 1000)) FIELD(cube, ndarray(u8, 256, 256, 256)) FIELD(sets, ndarray(u64, 3, 16384))
MM3_STRUCT(bench, BENCH);

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static volatile uint64_t sink;

/* Each name's best of 15, all taken in turn. */
static struct {
  const char *name;
  double best, per;
} rows[32];
static unsigned nrows;

static void row(const char *name, double seconds, double per) {
  unsigned i = 0;
  while (i < nrows && rows[i].name != name) i++;
  if (i == nrows) rows[nrows++].name = name, rows[i].best = 1e9, rows[i].per = per;
  if (seconds < rows[i].best) rows[i].best = seconds;
}

#define TIME(name, per, ...)         \
  do {                               \
    double start_ = now();           \
    __VA_ARGS__;                     \
    row(name, now() - start_, per);  \
  } while (0)

__attribute__((noinline)) static uint64_t sum_plain(const uint64_t *at, size_t count) {
  uint64_t sum = 0;
  for (size_t i = 0; i < count; i++) sum += at[i];
  return sum;
}
__attribute__((noinline)) static uint64_t sum_each(const struct bench *b) {
  uint64_t sum = 0;
  MM3_VEC_EACH(item, &b->items) sum += *item;
  return sum;
}
__attribute__((noinline)) static uint64_t sum_get(const struct bench *b) {
  uint64_t sum = 0, item;
  for (size_t i = 0; mm3_vec_get(&b->items, i, &item) == 0; i++) sum += item;
  return sum;
}
__attribute__((noinline)) static uint64_t walk_plain(const uint8_t (*at)[256][256]) {
  uint64_t sum = 0;
  for (size_t i = 0; i < 256; i++)
    for (size_t j = 0; j < 256; j++)
      for (size_t k = 0; k < 256; k++) sum += at[i][j][k];
  return sum;
}
__attribute__((noinline)) static uint64_t walk_ref(const struct bench *b) {
  uint64_t sum = 0;
  for (size_t i = 0; i < 256; i++)
    for (size_t j = 0; j < 256; j++)
      for (size_t k = 0; k < 256; k++) sum += mm3_ndarray_ref(&b->cube, i, j, k);
  return sum;
}
__attribute__((noinline)) static uint64_t walk_get(const struct bench *b) {
  uint64_t sum = 0;
  uint8_t one;
  for (size_t i = 0; i < 256; i++)
    for (size_t j = 0; j < 256; j++)
      for (size_t k = 0; k < 256; k++)
        if (mm3_ndarray_get(&b->cube, &one, i, j, k) == 0) sum += one;
  return sum;
}
struct plain_vec {
  uint64_t length, at[ITEMS];
};
__attribute__((noinline)) static void push_plain(struct plain_vec *v) {
  for (uint64_t i = 0; i < ITEMS; i++)
    if (__atomic_load_n(&v->length, __ATOMIC_RELAXED) < ITEMS) {
      v->at[v->length] = i;
      __atomic_store_n(&v->length, v->length + 1, __ATOMIC_RELEASE);
    }
}
__attribute__((noinline)) static void push_vec(struct bench *b) {
  for (uint64_t i = 0; i < ITEMS; i++) mm3_vec_push(&b->items, i);
}
static int compare(const void *x, const void *y, void *context) {
  uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
  (void)context;
  return a < b ? -1 : a > b;
}
static int compare_plain(const void *x, const void *y) { return compare(x, y, NULL); }

int main(void) {
  struct mm3_error err;
  struct mm3_file *file = mm3_open_anonymous(MM3_TYPE(bench), NULL, &err);
  if (!file) return fprintf(stderr, "%s\n", err.text), 1;
  struct bench *b = mm3_root(file, bench);
  struct plain_vec *plain = calloc(1, sizeof *plain);
  uint8_t (*cube)[256][256] = malloc(1 << 24);
  uint64_t *sets = malloc(3 * 16384 * 8), seed = 1, bits = 0;
  if (!plain || !cube || !sets) return 1;
  memset(cube, 3, 1 << 24), memset(&b->cube, 3, 1 << 24), memset(sets, 5, 3 * 16384 * 8), memset(&b->sets, 5, sizeof b->sets);
  struct mm3_ndarray_view all = mm3_ndarray_view(&b->sets), v[3] = {all, all, all};
  for (unsigned i = 0; i < 3; i++) mm3_ndarray_fix(&v[i], 0, i);
  for (int round = 0; round < 15; round++) {
    plain->length = 0;
    mm3_vec_clear(&b->items);
    TIME("push u64: plain struct", ITEMS, push_plain(plain));
    TIME("push u64: vec", ITEMS, push_vec(b));
    TIME("sum: plain array", ITEMS, sink = sum_plain(plain->at, ITEMS));
    TIME("sum: MM3_VEC_EACH", ITEMS, sink = sum_each(b));
    TIME("sum: mm3_vec_get", ITEMS, sink = sum_get(b));
    TIME("walk u8 256^3: plain array", 1 << 24, sink = walk_plain((const uint8_t (*)[256][256])cube));
    TIME("walk u8 256^3: .at", 1 << 24, sink = walk_plain((const uint8_t (*)[256][256])b->cube.at));
    TIME("walk u8 256^3: mm3_ndarray_ref", 1 << 24, sink = walk_ref(b));
    TIME("walk u8 256^3: mm3_ndarray_get", 1 << 24, sink = walk_get(b));
    TIME("and of 128 KiB: plain loop, bytes", 16384 * 8, for (size_t i = 0; i < 16384; i++) sets[i] = sets[16384 + i] & sets[32768 + i]);
    TIME("and of 128 KiB: mm3_ndarray_and, bytes", 16384 * 8, mm3_ndarray_and(&v[0], &v[1], &v[2]));
    TIME("popcount of 128 KiB, bytes", 16384 * 8, mm3_ndarray_popcount(&v[1], &bits));
    mm3_vec_truncate(&b->items, 0);
    for (int i = 0; i < 100000; i++) {
      seed = seed * 6364136223846793005u + 1442695040888963407u;
      mm3_vec_push(&b->items, seed);
      plain->at[i] = seed;
    }
    TIME("sort 100,000 u64: qsort", 100000, qsort(plain->at, 100000, 8, compare_plain));
    TIME("sort 100,000 u64: mm3_vec_sort", 100000, mm3_vec_sort(NULL, &b->items, compare, NULL));
    TIME("insert before 100,000 u64, an item moved", 100000, mm3_vec_insert(file, &b->items, 0, 1));
    TIME("remove before 100,000 u64, an item moved", 100000, mm3_vec_remove(file, &b->items, 0));
    struct wide w = {1, 2, {3}};
    mm3_vec_clear(&b->wide);
    TIME("push 64 bytes", 1000, for (int i = 0; i < 1000; i++) mm3_vec_push(&b->wide, w));
    TIME("set 64 bytes", 1000, for (int i = 0; i < 1000; i++) mm3_vec_set(&b->wide, i, w));
    TIME("get 64 bytes", 1000, for (int i = 0; i < 1000; i++) mm3_vec_get(&b->wide, i, &w));
  }
  for (unsigned i = 0; i < nrows; i++) printf("%-45s %9.3f ns\n", rows[i].name, rows[i].best / rows[i].per * 1e9);
  free(plain), free(cube), free(sets);
  return mm3_close(file) != 0;
}

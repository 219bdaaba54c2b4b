/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Views as sets of bits. Everything is done on bytes in memory order, because integers are little-endian: eight bytes of a
 * run of u16 are four sets side by side. */
#include "ndarray_inside.h"

#include <errno.h>

/* A block is as wide as two SSE registers; the compiler cuts it up for what the machine has. */
typedef uint64_t block __attribute__((vector_size(32)));

#define COMBINE(T, expression)                                                 \
  for (; bytes >= sizeof(T); to += sizeof(T), a += sizeof(T), b += sizeof(T), bytes -= sizeof(T)) { \
    T x, y;                                                                    \
    nd_load(&x, a, sizeof(T));                                                 \
    nd_load(&y, b, sizeof(T));                                                 \
    x = (T)(expression);                                                       \
    nd_store(to, &x, sizeof(T));                                                \
  }
#define COMBINE_RUN(name, expression)                                                                        \
  static void name(unsigned char *to, const unsigned char *a, const unsigned char *b, size_t bytes) {        \
    COMBINE(block, expression)                                                                               \
    COMBINE(uint64_t, expression)                                                                            \
    COMBINE(uint32_t, expression)                                                                            \
    COMBINE(uint16_t, expression)                                                                            \
    COMBINE(uint8_t, expression)                                                                             \
  }
COMBINE_RUN(and_run, x & y)
COMBINE_RUN(or_run, x | y)
COMBINE_RUN(xor_run, x ^ y)
COMBINE_RUN(andnot_run, x & ~y)

int mm3i_ndarray_combine(enum mm3_ndarray_op op, const struct mm3_ndarray_view *target, const struct mm3_ndarray_view *a,
                         const struct mm3_ndarray_view *b) {
  const struct mm3_ndarray_view *const views[3] = {target, a, b};
  struct lanes lanes;
  int result = mm3i_lanes_begin(&lanes, 3, views);
  if (result < 0 || !mm3_i_item_narrow((size_t)lanes.item) || op > MM3_NDARRAY_ANDNOT) return -EINVAL;
  while (mm3i_lanes_next(&lanes)) {
    size_t bytes = (size_t)(lanes.run * lanes.item);
    switch (op) {
      case MM3_NDARRAY_AND: and_run(lanes.at[0], lanes.at[1], lanes.at[2], bytes); break;
      case MM3_NDARRAY_OR: or_run(lanes.at[0], lanes.at[1], lanes.at[2], bytes); break;
      case MM3_NDARRAY_XOR: xor_run(lanes.at[0], lanes.at[1], lanes.at[2], bytes); break;
      case MM3_NDARRAY_ANDNOT: andnot_run(lanes.at[0], lanes.at[1], lanes.at[2], bytes); break;
    }
  }
  return 0;
}

/* ---- count, find ---- */

static inline __attribute__((always_inline)) uint64_t count_bits(const unsigned char *at, size_t bytes) {
  uint64_t sum[4] = {0}, word[4];
  for (; bytes >= 32; at += 32, bytes -= 32) {
    nd_load(word, at, 32);
    for (int i = 0; i < 4; i++) sum[i] += (uint64_t)__builtin_popcountll(word[i]);
  }
  for (; bytes >= 8; at += 8, bytes -= 8) {
    nd_load(word, at, 8);
    sum[0] += (uint64_t)__builtin_popcountll(word[0]);
  }
  for (; bytes; at++, bytes--) sum[0] += (uint64_t)__builtin_popcount(mm3_copy_byte(at));
  return sum[0] + sum[1] + sum[2] + sum[3];
}

static uint64_t count_run(const unsigned char *at, size_t bytes) { return count_bits(at, bytes); }

#if defined __x86_64__ || defined __i386__
__attribute__((target("popcnt"))) static uint64_t count_run_popcnt(const unsigned char *at, size_t bytes) {
  return count_bits(at, bytes);
}
static int has_popcnt(void) { return __builtin_cpu_supports("popcnt"); }
#else
#define count_run_popcnt count_run
static int has_popcnt(void) { return 0; }
#endif

int mm3i_ndarray_popcount(const struct mm3_ndarray_view *view, uint64_t *bits) {
  struct lanes lanes;
  uint64_t sum = 0;
  int result = mm3i_lanes_begin(&lanes, 1, &view), fast = has_popcnt();
  if (result < 0 || !mm3_i_item_narrow((size_t)lanes.item)) return -EINVAL;
  while (mm3i_lanes_next(&lanes)) {
    size_t bytes = (size_t)(lanes.run * lanes.item);
    sum += fast ? count_run_popcnt(lanes.at[0], bytes) : count_run(lanes.at[0], bytes);
  }
  *bits = sum;
  return 0;
}

/* The first set bit of a run at or after `from`; UINT64_MAX: none. */
static uint64_t next_in_run(const unsigned char *at, size_t bytes, uint64_t from) {
  size_t i = (size_t)(from / 8);
  if (i >= bytes) return UINT64_MAX;
  unsigned byte = (unsigned)mm3_copy_byte(at + i) >> from % 8;
  if (byte) return from + (uint64_t)__builtin_ctz(byte);
  for (i++; i < bytes && i % 8; i++)
    if ((byte = mm3_copy_byte(at + i)) != 0) return 8 * (uint64_t)i + (uint64_t)__builtin_ctz(byte);
  for (; i < bytes && bytes - i >= 8; i += 8) {
    uint64_t word;
    nd_load(&word, at + i, 8);
    if (word) return 8 * (uint64_t)i + (uint64_t)__builtin_ctzll(word);
  }
  for (; i < bytes; i++)
    if ((byte = mm3_copy_byte(at + i)) != 0) return 8 * (uint64_t)i + (uint64_t)__builtin_ctz(byte);
  return UINT64_MAX;
}

int mm3i_ndarray_next_bit(const struct mm3_ndarray_view *view, uint64_t from, uint64_t *bit) {
  struct lanes lanes;
  uint64_t before = 0; /* bits of earlier runs */
  int result = mm3i_lanes_begin(&lanes, 1, &view);
  if (result < 0 || !mm3_i_item_narrow((size_t)lanes.item)) return -EINVAL;
  for (; mm3i_lanes_next(&lanes); before += 8 * lanes.run * lanes.item) {
    if (from >= before + 8 * lanes.run * lanes.item) continue;
    uint64_t found = next_in_run(lanes.at[0], (size_t)(lanes.run * lanes.item), from > before ? from - before : 0);
    if (found == UINT64_MAX) continue;
    *bit = before + found;
    return 0;
  }
  return -MM3_E_ABSENT;
}

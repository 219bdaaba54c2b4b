/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * 09_bit_index: tables of fixed shape as an index for joins.
 *
 * users[age][location] is the id of a user, index[x][y][z] a byte of flags; a row of the index is a set of 256 * 8 bits, and
 * sets are joined by and, or, xor, andnot, many bytes at a time, where they lie.
 *
 *     ./09_bit_index
 *     mm3 get index.mm3 'users[25][10]'
 *     mm3 get index.mm3 'index[1][2][:16]'
 */
#include <mm3.h>
#include <mm3/ndarray.h>
#include <stdio.h>

#define BIT_INDEX(FIELD)                   \
  FIELD(index, ndarray(u8, 256, 256, 256)) \
  FIELD(users, ndarray(u64, 50, 100))
MM3_STRUCT(bit_index, BIT_INDEX);

/* One row as a view: both outer axes fixed. */
static struct mm3_ndarray_view row(struct bit_index *b, uint64_t x, uint64_t y) {
  struct mm3_ndarray_view view = mm3_ndarray_view(&b->index);
  mm3_ndarray_fix(&view, 0, x);
  mm3_ndarray_fix(&view, 0, y);
  return view;
}

int main(int argc, char **argv) {
  struct mm3_error err;
  struct mm3_file *file = mm3_open_or_create(argc > 1 ? argv[1] : "index.mm3", MM3_TYPE(bit_index), NULL, &err);
  if (!file) {
    fprintf(stderr, "%s\n", err.text);
    return 1;
  }
  struct bit_index *b = mm3_root(file, bit_index);

  /* Plain C, when the indices are surely good; checked otherwise. */
  b->users.at[25][10] = 12345;
  if (mm3_ndarray_set(&b->users, 1, 50, 0) == -MM3_E_ABSENT) printf("there is no age 50 here\n");
  uint64_t *user = mm3_ndarray_at(&b->users, 25, 10);
  printf("user of age 25 at place 10: %llu\n", (unsigned long long)(user ? *user : 0));

  /* Two sets, the multiples of 3 and of 5, and what they have in common, as a third row of the same table. */
  for (unsigned i = 0; i < 2048; i += 3) mm3_ndarray_ref(&b->index, 1, 3, i / 8) |= (uint8_t)(1u << i % 8);
  for (unsigned i = 0; i < 2048; i += 5) mm3_ndarray_ref(&b->index, 1, 5, i / 8) |= (uint8_t)(1u << i % 8);
  struct mm3_ndarray_view threes = row(b, 1, 3), fives = row(b, 1, 5), both = row(b, 2, 0);
  uint64_t count = 0, at = 0;
  if (mm3_ndarray_and(&both, &threes, &fives) < 0 || mm3_ndarray_popcount(&both, &count) < 0) {
    fprintf(stderr, "the module of ndarray is not there\n");
    return 1;
  }
  printf("%llu numbers below 2048 are in both sets:", (unsigned long long)count);
  for (int n = 0; n < 5 && mm3_ndarray_next_bit(&both, at, &at) == 0; n++) printf(" %llu", (unsigned long long)at++);
  printf(" ...\n");
  return mm3_close(file) != 0;
}

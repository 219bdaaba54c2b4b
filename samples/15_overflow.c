/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * 15_overflow: tables of fixed shape for what is usual, a log without end for what is rare.
 *
 * users[age][location] has room for one user. Most places have no more; a second one goes into `overflow`, which grows
 * when it must, while other processes have the file open. memmap3's BitIndex with its `overflow_data`.
 *
 *     ./15_overflow [FILE]
 *     mm3 get overflow.mm3 'users[25][10]'
 *     mm3 get overflow.mm3 'overflow[-3:]'
 */
#include <inttypes.h>
#include <mm3.h>
#include <stdio.h>

#define RARE(FIELD)    \
  FIELD(age, u32)      \
  FIELD(location, u32) \
  FIELD(user, u64)
MM3_STRUCT(rare, RARE);

#define BIT_INDEX(FIELD)                   \
  FIELD(index, ndarray(u8, 256, 256, 256)) \
  FIELD(users, ndarray(u64, 50, 100))      \
  FIELD(overflow, segmented(rare))
MM3_STRUCT(bit_index, BIT_INDEX);

static int add_user(struct mm3_file *file, uint32_t age, uint32_t location, uint64_t user) {
  struct bit_index *b = mm3_root(file, bit_index);
  uint64_t *slot = mm3_ndarray_at(&b->users, age, location);
  if (!slot) return -MM3_E_ABSENT;
  if (*slot) return mm3_segmented_append(file, &b->overflow, {.age = age, .location = location, .user = user});
  *slot = user;
  mm3_ndarray_ref(&b->index, age, location, user % 256) = 1;
  return 0;
}

/* Shows all users of a place: the table first, then the log. Their number. */
static unsigned find_users(struct mm3_file *file, uint32_t age, uint32_t location) {
  struct bit_index *b = mm3_root(file, bit_index);
  unsigned found = 0;
  const uint64_t *slot = mm3_ndarray_at(&b->users, age, location);
  if (slot && *slot) printf("age %u, location %u: %" PRIu64, age, location, *slot), found++;
  MM3_SEGMENTED_EACH(rare, file, &b->overflow)
  if (rare->age == age && rare->location == location) printf(", %" PRIu64 " (overflow)", rare->user), found++;
  printf("%s\n", found ? "" : "nobody");
  return found;
}

int main(int argc, char **argv) {
  struct mm3_error err;
  struct mm3_file *file = mm3_open_or_create(argc > 1 ? argv[1] : "overflow.mm3", MM3_TYPE(bit_index), NULL, &err);
  if (!file) {
    fprintf(stderr, "%s\n", err.text);
    return 1;
  }
  struct bit_index *b = mm3_root(file, bit_index);
  int result = 0;
  if (mm3_segmented_len(&b->overflow) == 0) /* the first time */
    for (uint32_t i = 0; i < 5000 && result >= 0; i++) {
      result = add_user(file, i % 50, i / 50, 1000 + i);
      if (result >= 0 && i % 500 == 0) result = add_user(file, i % 50, i / 50, 900000 + i);
    }
  if (result < 0) fprintf(stderr, "add_user: %s\n", mm3_strerror(result));
  printf("%" PRIu64 " users did not fit into the table\n", mm3_segmented_len(&b->overflow));
  int good = find_users(file, 0, 20) == 2 && find_users(file, 25, 10) == 1;
  return mm3_close(file) != 0 || result < 0 || !good;
}

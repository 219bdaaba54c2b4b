/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* ndarray_inside.h: what the files of module ndarray share. */
#ifndef MM3_NDARRAY_INSIDE_H
#define MM3_NDARRAY_INSIDE_H

#include <mm3/ndarray.h>

/* Bytes that others may be looking at: plain memory, and atomic where ThreadSanitizer watches. */
#ifdef MM3_TSAN
#define nd_load(to, from, bytes) mm3_copy_out(to, from, bytes)
#define nd_store(to, from, bytes) mm3_copy_in(to, from, bytes)
#else
#define nd_load(to, from, bytes) memcpy(to, from, bytes)
#define nd_store(to, from, bytes) memcpy(to, from, bytes)
#endif

/* One to three views of one shape, walked together: runs of elements that lie side by side in all of them. */
struct lanes {
  unsigned count;
  uint32_t rank;               /* of the outer axes */
  uint64_t item, run;          /* bytes of an element; elements of a run */
  struct mm3_ndarray_view view[3];
  unsigned char *at[3];
  uint64_t index[MM3_NDARRAY_RANKS];
  int started;
};

int mm3i_lanes_begin(struct lanes *lanes, unsigned count, const struct mm3_ndarray_view *const *views); /* 0, -EINVAL */
int mm3i_lanes_next(struct lanes *lanes);                                                               /* 1, 0 at the end */

int mm3i_ndarray_fill(const struct mm3_ndarray_view *view, const void *element);
int mm3i_ndarray_copy_out(const struct mm3_ndarray_view *view, void *elements, size_t bytes);
int mm3i_ndarray_copy_in(const struct mm3_ndarray_view *view, const void *elements, size_t bytes);
int mm3i_ndarray_copy(const struct mm3_ndarray_view *target, const struct mm3_ndarray_view *source);
int mm3i_ndarray_combine(enum mm3_ndarray_op op, const struct mm3_ndarray_view *target, const struct mm3_ndarray_view *a,
                         const struct mm3_ndarray_view *b);
int mm3i_ndarray_popcount(const struct mm3_ndarray_view *view, uint64_t *bits);
int mm3i_ndarray_next_bit(const struct mm3_ndarray_view *view, uint64_t from, uint64_t *bit);

#endif

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Views: fill and copy. Narrow elements are written whole: no store is smaller than an element or lies across two in part. */
#include "ndarray_inside.h"

#include <errno.h>

int mm3i_lanes_begin(struct lanes *lanes, unsigned count, const struct mm3_ndarray_view *const *views) {
  const struct mm3_ndarray_view *first = views[0];
  uint64_t bytes = first->item;
  memset(lanes, 0, sizeof *lanes);
  if (first->rank > MM3_NDARRAY_RANKS) return -EINVAL;
  for (unsigned lane = 0; lane < count; lane++) {
    const struct mm3_ndarray_view *view = views[lane];
    if (view->rank != first->rank || view->item != first->item) return -EINVAL;
    if (memcmp(view->shape, first->shape, first->rank * sizeof view->shape[0]) != 0) return -EINVAL;
    lanes->view[lane] = *view;
    lanes->at[lane] = view->base;
  }
  lanes->count = count;
  lanes->item = first->item;
  lanes->run = mm3_ndarray_view_count(first) ? 1 : 0;
  for (lanes->rank = first->rank; lanes->run && lanes->rank > 0; lanes->rank--) {
    uint64_t extent = first->shape[lanes->rank - 1];
    int apart = 0;
    for (unsigned lane = 0; lane < count && extent > 1; lane++) apart |= views[lane]->stride[lanes->rank - 1] != bytes;
    if (apart) break;
    lanes->run *= extent;
    bytes *= extent;
  }
  return 0;
}

int mm3i_lanes_next(struct lanes *lanes) {
  if (!lanes->started) {
    lanes->started = 1;
    return lanes->run != 0;
  }
  for (uint32_t i = lanes->rank; i-- > 0;) {
    int more = ++lanes->index[i] < lanes->view[0].shape[i];
    for (unsigned lane = 0; lane < lanes->count; lane++) {
      lanes->at[lane] += lanes->view[lane].stride[i];
      if (!more) lanes->at[lane] -= lanes->view[lane].stride[i] * lanes->view[lane].shape[i];
    }
    if (more) return 1;
    lanes->index[i] = 0;
  }
  return 0;
}

/* ---- fill ---- */

static void fill_run(unsigned char *to, const void *element, uint64_t item, uint64_t count) {
  for (uint64_t i = 0; i < count; i++) mm3_i_item_store(to + i * item, element, (size_t)item);
}

/* Two of a narrow element, and so on up to a word, where the run allows. */
static void fill_narrow(unsigned char *to, const void *element, uint64_t item, uint64_t count) {
  uint64_t word = 0, done = 0;
  for (uint64_t i = 0; i < 8; i += item) memcpy((unsigned char *)&word + i, element, (size_t)item);
  for (; done < count && ((uintptr_t)to + done * item) % 8; done++) mm3_i_item_store(to + done * item, element, (size_t)item);
  for (; count - done >= 8 / item; done += 8 / item) mm3_i_item_store(to + done * item, &word, 8);
  fill_run(to + done * item, element, item, count - done);
}

int mm3i_ndarray_fill(const struct mm3_ndarray_view *view, const void *element) {
  struct lanes lanes;
  int result = mm3i_lanes_begin(&lanes, 1, &view);
  while (result == 0 && mm3i_lanes_next(&lanes)) {
    if (mm3_i_item_narrow((size_t)lanes.item)) fill_narrow(lanes.at[0], element, lanes.item, lanes.run);
    else fill_run(lanes.at[0], element, lanes.item, lanes.run);
  }
  return result;
}

/* ---- copy ---- */

/* Blocks of 32 bytes, then halves: a store is never smaller than a narrow element that it is part of. The barrier keeps
 * the compiler from making memcpy of it, which may copy byte by byte. */
static void copy_run(unsigned char *to, const unsigned char *from, size_t bytes) {
  for (; bytes >= 32; to += 32, from += 32, bytes -= 32) {
    uint64_t words[4];
    nd_load(words, from, 32);
    nd_store(to, words, 32);
    __asm__ volatile("" ::: "memory");
  }
  for (size_t step = 8; step; step /= 2)
    for (; bytes >= step; to += step, from += step, bytes -= step) {
      uint64_t word = 0;
      nd_load(&word, from, step);
      nd_store(to, &word, step);
      __asm__ volatile("" ::: "memory");
    }
}

int mm3i_ndarray_copy(const struct mm3_ndarray_view *target, const struct mm3_ndarray_view *source) {
  const struct mm3_ndarray_view *const views[2] = {target, source};
  struct lanes lanes;
  int result = mm3i_lanes_begin(&lanes, 2, views);
  while (result == 0 && mm3i_lanes_next(&lanes)) copy_run(lanes.at[0], lanes.at[1], (size_t)(lanes.run * lanes.item));
  return result;
}

/* Private memory as a view of the same shape; its bytes, UINT64_MAX when they are not to be counted. */
static uint64_t dense(const struct mm3_ndarray_view *like, const void *elements, struct mm3_ndarray_view *view) {
  uint64_t bytes = like->item;
  if (like->rank > MM3_NDARRAY_RANKS) return UINT64_MAX;
  *view = *like;
  view->base = (unsigned char *)(uintptr_t)elements;
  for (uint32_t i = like->rank; i-- > 0;) {
    view->stride[i] = bytes;
    if (__builtin_mul_overflow(bytes, like->shape[i], &bytes)) return UINT64_MAX;
  }
  return bytes;
}

int mm3i_ndarray_copy_out(const struct mm3_ndarray_view *view, void *elements, size_t bytes) {
  struct mm3_ndarray_view target;
  uint64_t wanted = dense(view, elements, &target);
  if (wanted == UINT64_MAX) return -EINVAL;
  return wanted > bytes ? -ERANGE : mm3i_ndarray_copy(&target, view);
}

int mm3i_ndarray_copy_in(const struct mm3_ndarray_view *view, const void *elements, size_t bytes) {
  struct mm3_ndarray_view source;
  uint64_t wanted = dense(view, elements, &source);
  if (wanted == UINT64_MAX) return -EINVAL;
  return wanted != bytes ? -ERANGE : mm3i_ndarray_copy(view, &source);
}

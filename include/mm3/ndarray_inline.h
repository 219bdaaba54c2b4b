/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* ndarray_inline.h: the machinery of ndarray.h, which is the manual; include that one. */
#ifndef MM3_NDARRAY_INLINE_H
#define MM3_NDARRAY_INLINE_H

#include <mm3/ndarray.h>

/* ---- elements ---- */

/* Offsets below 2^40 and a mark above them: compilers know from the compares that a good offset is not the mark. */
MM3_INLINE uint64_t mm3_i_nd_next(uint64_t offset, uint64_t i, uint64_t count, uint64_t stride) {
  return offset != MM3_I_ND_BAD && i < count ? offset + i * stride : MM3_I_ND_BAD;
}

MM3_INLINE void *mm3_i_nd_at(const void *a, uint64_t offset) {
  return __builtin_expect(offset != MM3_I_ND_BAD, 1) ? (unsigned char *)(uintptr_t)a + offset : 0;
}

MM3_INLINE void *mm3_i_nd_or(const void *a, uint64_t offset, void *nowhere, size_t size) {
  if (__builtin_expect(offset != MM3_I_ND_BAD, 1)) return (unsigned char *)(uintptr_t)a + offset;
  return memset(nowhere, 0, size);
}

MM3_INLINE int mm3_i_nd_get(const void *a, uint64_t offset, size_t item, void *out) {
  if (__builtin_expect(offset == MM3_I_ND_BAD, 0)) return -MM3_E_ABSENT;
  mm3_i_item_load(out, (const unsigned char *)a + offset, item);
  return 0;
}

MM3_INLINE int mm3_i_nd_set(void *a, uint64_t offset, size_t item, const void *value) {
  if (__builtin_expect(offset == MM3_I_ND_BAD, 0)) return -MM3_E_ABSENT;
  mm3_i_item_store((unsigned char *)a + offset, value, item);
  return 0;
}

/* ---- views ---- */

MM3_INLINE struct mm3_ndarray_view mm3_i_nd_view(const void *a, uint64_t item, uint32_t rank, uint64_t d1, uint64_t d2,
                                                 uint64_t d3, uint64_t d4, uint64_t d5, uint64_t d6, uint64_t d7,
                                                 uint64_t d8, uint64_t d9, uint64_t d10, uint64_t d11, uint64_t d12,
                                                 uint64_t d13, uint64_t d14, uint64_t d15, uint64_t d16) {
  struct mm3_ndarray_view view = {(unsigned char *)(uintptr_t)a, item, rank, 0,
                                  {d1, d2, d3, d4, d5, d6, d7, d8, d9, d10, d11, d12, d13, d14, d15, d16}, {0}};
  for (uint32_t i = rank; i-- > 0;) {
    view.stride[i] = item;
    item *= view.shape[i];
  }
  return view;
}

MM3_UNUSED static inline int mm3_ndarray_fix(struct mm3_ndarray_view *view, uint32_t axis, uint64_t index) {
  if (axis >= view->rank || axis >= MM3_NDARRAY_RANKS || index >= view->shape[axis]) return -MM3_E_ABSENT;
  view->base += index * view->stride[axis];
  view->rank--;
  for (uint32_t i = axis; i < view->rank; i++) {
    view->shape[i] = view->shape[i + 1];
    view->stride[i] = view->stride[i + 1];
  }
  return 0;
}

MM3_UNUSED static inline int mm3_ndarray_range(struct mm3_ndarray_view *view, uint32_t axis, uint64_t first,
                                               uint64_t last, uint64_t step) {
  if (axis >= view->rank || axis >= MM3_NDARRAY_RANKS || step == 0 || first > last || last > view->shape[axis])
    return -MM3_E_ABSENT;
  if (first < last) view->base += first * view->stride[axis];
  view->shape[axis] = (last - first) / step + ((last - first) % step != 0);
  view->stride[axis] *= view->shape[axis] > 1 ? step : 1; /* a single one is never stepped from: no overflow */
  return 0;
}

MM3_UNUSED static inline uint64_t mm3_ndarray_view_count(const struct mm3_ndarray_view *view) {
  uint64_t count = 1;
  for (uint32_t i = 0; i < view->rank; i++) count *= view->shape[i];
  return count;
}

MM3_UNUSED static inline void *mm3_ndarray_view_at(const struct mm3_ndarray_view *view, const uint64_t *index) {
  unsigned char *at = view->base;
  for (uint32_t i = 0; i < view->rank; i++) {
    if (index[i] >= view->shape[i]) return 0;
    at += index[i] * view->stride[i];
  }
  return at;
}

/* The inner axes that lie side by side become one run; the outer ones are counted. */
MM3_UNUSED static inline struct mm3_ndarray_walk mm3_ndarray_walk_begin(const struct mm3_ndarray_view *view) {
  struct mm3_ndarray_walk walk = {*view, {0}, view->base, 1, 0};
  uint64_t bytes = view->item;
  if (mm3_ndarray_view_count(view) == 0) walk.count = 0;
  while (walk.count && walk.view.rank) {
    uint32_t inner = walk.view.rank - 1;
    if (walk.view.shape[inner] > 1 && walk.view.stride[inner] != bytes) break;
    walk.count *= walk.view.shape[inner];
    bytes *= walk.view.shape[inner];
    walk.view.rank = inner;
  }
  return walk;
}

MM3_UNUSED static inline int mm3_ndarray_walk_next(struct mm3_ndarray_walk *walk) {
  if (!walk->started) {
    walk->started = 1;
    return walk->count != 0;
  }
  for (uint32_t i = walk->view.rank; i-- > 0;) {
    walk->at += walk->view.stride[i];
    if (++walk->index[i] < walk->view.shape[i]) return 1;
    walk->at -= walk->view.stride[i] * walk->view.shape[i];
    walk->index[i] = 0;
  }
  walk->count = 0;
  return 0;
}

/* ---- the way to the module ---- */

/* The module's operations, when they reach to byte `least` at least; looked for once a source file. */
MM3_UNUSED static const struct mm3_ndarray_ops *mm3_i_nd_ops(size_t least) {
  static const struct mm3_ndarray_ops *found;
  const struct mm3_ndarray_ops *ops = __atomic_load_n(&found, __ATOMIC_ACQUIRE);
  if (!ops) {
    const struct mm3_kind *kind = mm3_kind_find("ndarray", 1, 0);
    ops = kind ? (const struct mm3_ndarray_ops *)kind->ops : 0;
    __atomic_store_n(&found, ops, __ATOMIC_RELEASE);
  }
  return ops && ops->size >= least ? ops : 0;
}

#endif

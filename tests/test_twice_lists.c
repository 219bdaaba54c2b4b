/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* vecs, string_arrays and ndarrays: every operation on empty, single, nearly full and full ones, by two processes,
 * reopened. */
#include "mm3twice.h"

#include <mm3/ndarray.h>
#include <mm3/string_array.h>
#include <mm3/vec.h>

#define LISTS(FIELD) \
  FIELD(v, vec(u32, 5)) FIELD(w, vec(u128, 5)) FIELD(a, string_array(4, 8)) FIELD(d, ndarray(u16, 2, 3))
MM3_STRUCT(lists, LISTS);
#define ROOT lists

/* ---- vec: narrow items (v) and wide ones (w) ---- */

static int by_number(const void *a, const void *b, void *context) {
  uint32_t x, y; /* the low half of a wide item */
  (void)context;
  memcpy(&x, a, sizeof x);
  memcpy(&y, b, sizeof y);
  return x < y ? -1 : x > y;
}
static int insert_in(struct model *m, size_t at, size_t count, uint64_t value) {
  if (m->n + count > 5) return -MM3_E_FULL;
  if (at > m->n) return -MM3_E_ABSENT;
  memmove(&m->at[at + count], &m->at[at], (m->n - at) * 8);
  for (size_t i = 0; i < count; i++) m->at[at + i] = value + i;
  m->n += count;
  return 0;
}
static int remove_from(struct model *m, size_t at, size_t count) {
  if (at + count > m->n) return -MM3_E_ABSENT;
  memmove(&m->at[at], &m->at[at + count], (m->n - at - count) * 8);
  m->n -= count;
  return 0;
}

#define VEC_OPS(v, T)                                                                                               \
  static void v##_fill(struct mm3_file *file, void *root, size_t n, struct model *m) {                              \
    (void)file;                                                                                                     \
    for (m->n = 0; m->n < n; m->n++) {                                                                              \
      m->at[m->n] = 50 - m->n;                                                                                      \
      CHECK_EQ(mm3_vec_push(&((struct lists *)root)->v, (T)m->at[m->n]), 0);                                        \
    }                                                                                                               \
  }                                                                                                                 \
  static int v##_same(struct mm3_file *file, const void *root, const struct model *m) {                             \
    const struct lists *r = root;                                                                                   \
    T all[6], one = 0;                                                                                              \
    size_t copied = 99, i = 0;                                                                                      \
    int ok = mm3_vec_len(&r->v) == m->n && mm3_vec_capacity(&r->v) == 5;                                            \
    (void)file;                                                                                                     \
    ok = ok && mm3_vec_read(&r->v, 0, all, 6, &copied) == 0 && copied == m->n;                                      \
    for (; ok && i < m->n; i++)                                                                                     \
      ok = mm3_vec_get(&r->v, i, &one) == 0 && one == m->at[i] && all[i] == one && *mm3_vec_at(&r->v, i) == one;    \
    MM3_VEC_EACH(item, &r->v) ok = ok && *item == m->at[item - mm3_vec_data(&r->v)];                                \
    return ok && mm3_vec_get(&r->v, m->n, &one) == -MM3_E_ABSENT && mm3_vec_at(&r->v, m->n) == NULL &&              \
           (m->n ? mm3_vec_front(&r->v, &one) == 0 && one == m->at[0] && mm3_vec_back(&r->v, &one) == 0 &&          \
                     one == m->at[m->n - 1]                                                                         \
                 : mm3_vec_front(&r->v, &one) == -MM3_E_ABSENT && mm3_vec_back(&r->v, &one) == -MM3_E_ABSENT);      \
  }                                                                                                                 \
  OP(v##_push, return mm3_vec_push(&r->v, 7);, return insert_in(m, m->n, 1, 7);)                                    \
  OP(v##_pop, T got = 0; int code = mm3_vec_pop(&r->v, &got); return code ? code : (int)got;                        \
     , return m->n ? (int)m->at[--m->n] : -MM3_E_ABSENT;)                                                           \
  OP(v##_set_first, return mm3_vec_set(&r->v, 0, 3);, if (!m->n) return -MM3_E_ABSENT; m->at[0] = 3; return 0;)     \
  OP(v##_set_last, return mm3_vec_set(&r->v, 4, 3);, if (m->n < 5) return -MM3_E_ABSENT; m->at[4] = 3; return 0;)   \
  OP(v##_insert_first, return mm3_vec_insert(file, &r->v, 0, 8);, return insert_in(m, 0, 1, 8);)                    \
  OP(v##_insert_last, return mm3_vec_insert(file, &r->v, mm3_vec_len(&r->v), 8);, return insert_in(m, m->n, 1, 8);) \
  OP(v##_insert_many, T two[2] = {20}; two[1] = 21; return mm3_vec_insert_many(file, &r->v, 0, two, 2);             \
     , return insert_in(m, 0, 2, 20);)                                                                              \
  OP(v##_append, T two[2] = {20}; two[1] = 21; return mm3_vec_append(file, &r->v, two, 2);                          \
     , return insert_in(m, m->n, 2, 20);)                                                                           \
  OP(v##_assign, T one = 9; return mm3_vec_assign(file, &r->v, 0, &one, 1);, if (!m->n) return -MM3_E_ABSENT;       \
     m->at[0] = 9; return 0;)                                                                                       \
  OP(v##_remove_first, return mm3_vec_remove(file, &r->v, 0);, return remove_from(m, 0, 1);)                        \
  OP(v##_take_last, T got = 0; size_t n = mm3_vec_len(&r->v); int code = mm3_vec_take(file, &r->v, n - 1, &got);    \
     return code ? code : (int)got;, uint64_t got = m->n ? m->at[m->n - 1] : 0;                                     \
     int code = m->n ? remove_from(m, m->n - 1, 1) : -MM3_E_ABSENT; return code ? code : (int)got;)                 \
  OP(v##_remove_many, return mm3_vec_remove_many(file, &r->v, 0, 2);, return remove_from(m, 0, 2);)                 \
  OP(v##_swap_remove, return mm3_vec_swap_remove(file, &r->v, 0);, if (!m->n) return -MM3_E_ABSENT;                 \
     m->at[0] = m->at[m->n - 1]; m->n--; return 0;)                                                                 \
  OP(v##_resize_up, return mm3_vec_resize(file, &r->v, 5, 6);, while (m->n < 5) m->at[m->n++] = 6; return 0;)       \
  OP(v##_resize_down, return mm3_vec_resize(file, &r->v, 0, 6);, m->n = 0; return 0;)                               \
  OP(v##_resize_beyond, return mm3_vec_resize(file, &r->v, 6, 6);, return -MM3_E_FULL;)                             \
  OP(                                                                                                               \
    v##_sort, return mm3_vec_sort(file, &r->v, by_number, NULL);                                                    \
    , for (size_t i = 0; i < m->n; i++) for (size_t k = i; k && m->at[k - 1] > m->at[k]; k--) {                     \
      uint64_t t = m->at[k];                                                                                        \
      m->at[k] = m->at[k - 1];                                                                                      \
      m->at[k - 1] = t;                                                                                             \
    } return 0;)                                                                                                    \
  OP(v##_truncate, mm3_vec_truncate(&r->v, 1); return 0;, if (m->n > 1) m->n = 1; return 0;)                        \
  OP(v##_clear, mm3_vec_clear(&r->v); return 0;, m->n = 0; return 0;)
VEC_OPS(v, uint32_t)
VEC_OPS(w, mm3_u128)
#define VEC_LIST(v)                                                                                                    \
  OF(v##_push), OF(v##_pop), OF(v##_set_first), OF(v##_set_last), OF(v##_insert_first), OF(v##_insert_last),           \
    OF(v##_insert_many), OF(v##_append), OF(v##_assign), OF(v##_remove_first), OF(v##_take_last), OF(v##_remove_many), \
    OF(v##_swap_remove), OF(v##_resize_up), OF(v##_resize_down), OF(v##_resize_beyond), OF(v##_sort),                  \
    OF(v##_truncate), OF(v##_clear)
TWICE(vecs_of_narrow_items, v, (0, 1, 4, 5), VEC_LIST(v))
TWICE(vecs_of_wide_items, w, (0, 1, 4, 5), VEC_LIST(w))

/* ---- string_array: the sizes are entries that are not empty ---- */

/* Entry i of the model is the number of times that "e" stands in it, and an x when it has the low bit 32. */
static size_t entry_text(const struct model *m, size_t i, char out[16]) {
  size_t n = m->at[i] & 15;
  memset(out, 'e', 16);
  if (m->at[i] & 32) out[n++] = 'x';
  out[n] = 0;
  return n;
}
static void a_fill(struct mm3_file *file, void *root, size_t n, struct model *m) {
  (void)file;
  for (size_t i = 0; i < n; i++)
    CHECK_EQ(mm3_string_array_set_n(&((struct lists *)root)->a, i, "eeeeeeee", m->at[i] = i + 5), 0);
}
static int a_same(struct mm3_file *file, const void *root, const struct model *m) {
  const struct lists *r = root;
  struct mm3_string_array_iter it = {0, 0, NULL, 0};
  char got[9], wanted[16];
  size_t filled = 0, length = 0;
  int ok = mm3_string_array_len(&r->a) == 4 && mm3_string_array_capacity(&r->a) == 8;
  (void)file;
  for (size_t i = 0; ok && i < 4; i++) {
    size_t n = entry_text(m, i, wanted);
    int64_t first = mm3_string_array_find(&r->a, wanted);
    struct mm3_string_view view = mm3_string_array_view(&r->a, i);
    filled += n != 0;
    ok = mm3_string_array_get(&r->a, i, got, sizeof got, &length) == 0 && length == n && strcmp(got, wanted) == 0 &&
         mm3_string_array_entry_len(&r->a, i) == n && mm3_string_array_equal(&r->a, i, wanted) && first >= 0 &&
         (size_t)first <= i && m->at[first] == m->at[i] && strcmp(mm3_string_array_ptr(&r->a, i), wanted) == 0 &&
         view.len == n && mm3_string_array_next(&r->a, &it) == 1 && it.index == i && it.len == n;
  }
  return ok && mm3_string_array_count_non_empty(&r->a) == filled && mm3_string_array_next(&r->a, &it) == 0 &&
         mm3_string_array_get(&r->a, 4, got, sizeof got, &length) == -MM3_E_ABSENT &&
         mm3_string_array_view(&r->a, 4).ptr == NULL && mm3_string_array_find(&r->a, "nobody") == -MM3_E_ABSENT;
}
OP(a_set_first, return mm3_string_array_set(&r->a, 0, "ee");, m->at[0] = 2; return 0;)
OP(a_set_last, return mm3_string_array_set(&r->a, 3, "eeeeeeee");, m->at[3] = 8; return 0;)
OP(a_set_beyond, return mm3_string_array_set(&r->a, 4, "e");, return -MM3_E_ABSENT;)
OP(a_set_long, return mm3_string_array_set(&r->a, 3, "eeeeeeeee");, return -MM3_E_VALUE;)
OP(a_cut, return mm3_string_array_set_truncate(&r->a, 1, "eeeeeeeee");, m->at[1] = 8; return 1;)
OP(a_append, return mm3_string_array_append(&r->a, 3, "e");, if (m->at[3] == 8) return -MM3_E_VALUE; m->at[3]++;
   return 0;)
OP(a_format, return mm3_string_array_format(&r->a, 2, "%sx", "eee");, m->at[2] = 3 | 32; return 0;)
OP(a_clear, return mm3_string_array_clear(&r->a, 0);, m->at[0] = 0; return 0;)
OP(a_clear_beyond, return mm3_string_array_clear(&r->a, 4);, return -MM3_E_ABSENT;)
OP(a_clear_all, mm3_string_array_clear_all(&r->a); return 0;, memset(m->at, 0, 32); return 0;)
TWICE(string_arrays, a, (0, 1, 3, 4), OF(a_set_first), OF(a_set_last), OF(a_set_beyond), OF(a_set_long), OF(a_cut),
      OF(a_append), OF(a_format), OF(a_clear), OF(a_clear_beyond), OF(a_clear_all))

/* ---- ndarray: the sizes are elements that are not zero ---- */

static void d_fill(struct mm3_file *file, void *root, size_t n, struct model *m) {
  (void)file;
  for (size_t i = 0; i < n; i++)
    CHECK_EQ(mm3_ndarray_set(&((struct lists *)root)->d, (uint16_t)(m->at[i] = i + 1), i / 3, i % 3), 0);
}
static int d_same(struct mm3_file *file, const void *root, const struct model *m) {
  const struct lists *r = root;
  struct mm3_ndarray_view all = mm3_ndarray_view(&((struct lists *)(uintptr_t)root)->d);
  uint64_t bits = 0, wanted = 0, bit = 0;
  uint16_t one, out[6];
  int ok = mm3_ndarray_count(&r->d) == 6 && mm3_ndarray_view_count(&all) == 6 &&
           mm3_ndarray_copy_out(&all, out, sizeof out) == 0;
  (void)file;
  for (size_t i = 0; ok && i < 6; i++) {
    ok = mm3_ndarray_get(&r->d, &one, i / 3, i % 3) == 0 && one == m->at[i] && out[i] == one &&
         mm3_ndarray_data(&r->d)[i] == one && *mm3_ndarray_at(&r->d, i / 3, i % 3) == one;
    wanted += (uint64_t)__builtin_popcountll(m->at[i]);
  }
  return ok && mm3_ndarray_popcount(&all, &bits) == 0 && bits == wanted &&
         mm3_ndarray_next_bit(&all, 0, &bit) == (wanted ? 0 : -MM3_E_ABSENT) &&
         mm3_ndarray_get(&r->d, &one, 2, 0) == -MM3_E_ABSENT && mm3_ndarray_get(&r->d, &one, 0, 3) == -MM3_E_ABSENT;
}
OP(d_set_first, return mm3_ndarray_set(&r->d, 9, 0, 0);, m->at[0] = 9; return 0;)
OP(d_set_last, return mm3_ndarray_set(&r->d, UINT16_MAX, 1, 2);, m->at[5] = UINT16_MAX; return 0;)
OP(d_set_beyond, return mm3_ndarray_set(&r->d, 9, 2, 0);, return -MM3_E_ABSENT;)
OP(d_ref, mm3_ndarray_ref(&r->d, 1, 1)++; mm3_ndarray_ref(&r->d, 7, 7) = 5; return 0;, m->at[4]++; return 0;)
OP(d_each, MM3_NDARRAY_EACH(item, &r->d) *item = (uint16_t)(*item * 2); return 0;
   , for (int i = 0; i < 6; i++) m->at[i] *= 2; return 0;)
OP(d_fill_row, struct mm3_ndarray_view v = mm3_ndarray_view(&r->d); uint16_t one = 7;
   int code = mm3_ndarray_fix(&v, 0, 1); return code ? code : mm3_ndarray_fill(&v, &one);
   , for (int i = 3; i < 6; i++) m->at[i] = 7; return 0;)
OP(d_fix_beyond, struct mm3_ndarray_view v = mm3_ndarray_view(&r->d); return mm3_ndarray_fix(&v, 0, 2);
   , return -MM3_E_ABSENT;)
static const uint16_t six[6] = {1, 1, 2, 3, 5, 8};
OP(d_copy_in, struct mm3_ndarray_view v = mm3_ndarray_view(&r->d); return mm3_ndarray_copy_in(&v, six, sizeof six);
   , for (int i = 0; i < 6; i++) m->at[i] = six[i]; return 0;)
OP(d_copy_in_part, struct mm3_ndarray_view v = mm3_ndarray_view(&r->d); uint16_t in[5] = {0};
   return mm3_ndarray_copy_in(&v, in, sizeof in);, return -ERANGE;)
OP(d_copy, struct mm3_ndarray_view to = mm3_ndarray_view(&r->d); struct mm3_ndarray_view from = to;
   int code = mm3_ndarray_fix(&to, 0, 0) | mm3_ndarray_fix(&from, 0, 1);
   return code ? code : mm3_ndarray_copy(&to, &from);, memcpy(&m->at[0], &m->at[3], 24); return 0;)
OP(d_xor, struct mm3_ndarray_view v = mm3_ndarray_view(&r->d); return mm3_ndarray_xor(&v, &v, &v);
   , memset(m->at, 0, 48); return 0;)
OP(d_or, struct mm3_ndarray_view to = mm3_ndarray_view(&r->d); struct mm3_ndarray_view from = to;
   int code = mm3_ndarray_fix(&to, 0, 0) | mm3_ndarray_fix(&from, 0, 1);
   return code ? code : mm3_ndarray_or(&to, &to, &from);, for (int i = 0; i < 3; i++) m->at[i] |= m->at[i + 3];
   return 0;)
OP(d_andnot, struct mm3_ndarray_view to = mm3_ndarray_view(&r->d); struct mm3_ndarray_view from = to;
   int code = mm3_ndarray_range(&to, 1, 0, 3, 2) | mm3_ndarray_range(&from, 1, 1, 3, 1);
   return code ? code : mm3_ndarray_andnot(&to, &to, &from);, uint64_t b[4] = {m->at[1]}; b[1] = m->at[2];
   b[2] = m->at[4]; b[3] = m->at[5]; m->at[0] &= ~b[0]; m->at[2] &= ~b[1]; m->at[3] &= ~b[2]; m->at[5] &= ~b[3];
   return 0;)
OP(d_and_beyond, struct mm3_ndarray_view to = mm3_ndarray_view(&r->d); struct mm3_ndarray_view from = to;
   int code = mm3_ndarray_fix(&from, 0, 1); return code ? code : mm3_ndarray_and(&to, &to, &from);, return -EINVAL;)
TWICE(ndarrays, d, (0, 1, 5, 6), OF(d_set_first), OF(d_set_last), OF(d_set_beyond), OF(d_ref), OF(d_each),
      OF(d_fill_row), OF(d_fix_beyond), OF(d_copy_in), OF(d_copy_in_part), OF(d_copy), OF(d_xor), OF(d_or),
      OF(d_andnot), OF(d_and_beyond))

MM3_TEST_SUITE("twice-lists", {"vecs of narrow items", vecs_of_narrow_items},
               {"vecs of wide items", vecs_of_wide_items}, {"string_arrays", string_arrays}, {"ndarrays", ndarrays})

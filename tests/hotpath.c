/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What inline operations compile to. check-hotpath.sh compiles this file with gcc and clang, -O2, disassembles each
 * hot_* function and fails on any call but memcpy's and memcmp's. One function an operation of the data plane.
 */
#include <stddef.h>
#include <stdint.h>

struct hot_plain {
  uint64_t id;
};

uint64_t hot_plain_read(const struct hot_plain *p);
uint64_t hot_plain_read(const struct hot_plain *p) { return p->id; }

void hot_plain_write(struct hot_plain *p, uint64_t id);
void hot_plain_write(struct hot_plain *p, uint64_t id) { p->id = id; }

/* ---- scalars, atomics, strings ---- */

#include <mm3/atomic.h>
#include <mm3/scalar.h>
#include <mm3/string.h>

#define HOT(name, result, ...) \
  result hot_##name(__VA_ARGS__); \
  result hot_##name(__VA_ARGS__)

HOT(bool_get, int, const uint8_t *at, int *out) { return mm3_bool_get(at, out); }
HOT(char_get, int, const uint32_t *at, uint32_t *out) { return mm3_char_get(at, out); }

typedef MM3_VALUE(atomic(u64)) hot_u64;
typedef MM3_VALUE(atomic(i16)) hot_i16;
typedef MM3_VALUE(atomic(bool)) hot_bool;

HOT(atomic_load, uint64_t, const hot_u64 *a) { return mm3_atomic_load(a); }
HOT(atomic_load_relaxed, uint64_t, const hot_u64 *a) { return mm3_atomic_load_explicit(a, __ATOMIC_RELAXED); }
HOT(atomic_store, void, hot_u64 *a, uint64_t v) { mm3_atomic_store(a, v); }
HOT(atomic_exchange, uint64_t, hot_u64 *a, uint64_t v) { return mm3_atomic_exchange(a, v); }
HOT(atomic_cas, int, hot_u64 *a, uint64_t *old, uint64_t v) { return mm3_atomic_compare_exchange(a, old, v); }
HOT(atomic_cas_weak, int, hot_u64 *a, uint64_t *old, uint64_t v) { return mm3_atomic_compare_exchange_weak(a, old, v); }
HOT(atomic_add, uint64_t, hot_u64 *a, uint64_t v) { return mm3_atomic_fetch_add(a, v); }
HOT(atomic_inc, void, hot_u64 *a) { mm3_atomic_inc(a); }
HOT(atomic_narrow, int, hot_i16 *a, int16_t v) { return mm3_atomic_fetch_sub(a, v) + mm3_atomic_fetch_and(a, v); }
HOT(atomic_bits, int, hot_i16 *a, int16_t v) { return mm3_atomic_fetch_or(a, v) + mm3_atomic_fetch_xor(a, v); }
HOT(atomic_min, int, hot_i16 *a, int16_t v) { return mm3_atomic_fetch_min(a, v); }
HOT(atomic_max, int, hot_i16 *a, int16_t v) { return mm3_atomic_fetch_max(a, v); }
HOT(atomic_bool, int, hot_bool *a, int v) { return mm3_atomic_exchange(a, v) || mm3_atomic_load(a); }
HOT(atomic_bool_cas, int, hot_bool *a, _Bool *old) { return mm3_atomic_compare_exchange(a, old, 1); }

typedef MM3_VALUE(string(32)) hot_string;
typedef MM3_VALUE(string(4000)) hot_page;
typedef MM3_C2_string(12) hot_element;

HOT(string_get, int, const hot_string *s, char *to, size_t size) { return mm3_string_get(s, to, size, NULL); }
HOT(string_get_33, int, const hot_string *s, char *to) { return mm3_string_get(s, to, 33, NULL); }
HOT(string_get_page, int, const hot_page *s, char *to, size_t *n) { return mm3_string_get(s, to, 4001, n); }
HOT(string_ptr, const char *, const hot_string *s) { return mm3_string_ptr(s); }
HOT(string_view, struct mm3_string_view, const hot_page *s) { return mm3_string_view(s); }
HOT(string_valid, int, const hot_page *s, struct mm3_string_view v) { return mm3_string_view_valid(s, v); }
HOT(string_len, size_t, const hot_string *s) { return mm3_string_len(s) + mm3_string_capacity(s); }
HOT(string_equal, int, const hot_string *s, const char *t, size_t n) { return mm3_string_equal_n(s, t, n); }
HOT(string_set, int, hot_string *s, const char *t, size_t n) { return mm3_string_set_n(s, t, n); }
HOT(string_clear, void, hot_string *s) { mm3_string_clear(s); }
HOT(element_get, int, const hot_element *e, char *to) { return mm3_string_element_get(e, to, 13, NULL); }
HOT(element_len, size_t, const hot_element *e) { return mm3_string_element_len(e); }

#include <mm3/string_array.h>

typedef MM3_VALUE(string_array(5, 16)) hot_strings;

HOT(strings_get, int, const hot_strings *a, size_t i, char *to) { return mm3_string_array_get(a, i, to, 17, NULL); }
HOT(strings_ptr, const char *, const hot_strings *a, size_t i) { return mm3_string_array_ptr(a, i); }
HOT(strings_set, int, hot_strings *a, size_t i, const char *t, size_t n) { return mm3_string_array_set_n(a, i, t, n); }
HOT(strings_find, int64_t, const hot_strings *a, const char *t, size_t n) { return mm3_string_array_find_n(a, t, n); }
HOT(strings_next, int, const hot_strings *a, struct mm3_string_array_iter *it) { return mm3_string_array_next(a, it); }
HOT(strings_full, size_t, const hot_strings *a) { return mm3_string_array_count_non_empty(a); }

/* ---- vec ---- */

#include <mm3/vec.h>

#define HOT_ITEM(FIELD) FIELD(x, u32) FIELD(y, u64) FIELD(z, raw(20))
MM3_STRUCT(hot_item, HOT_ITEM);
typedef MM3_VALUE(vec(u64, 1000)) hot_vec;
typedef MM3_VALUE(vec(u8, 1000)) hot_bytes;
typedef MM3_VALUE(vec(hot_item, 1000)) hot_items;

HOT(vec_get, int, const hot_vec *v, size_t i, uint64_t *out) { return mm3_vec_get(v, i, out); }
HOT(vec_get_byte, int, const hot_bytes *v, size_t i, uint8_t *out) { return mm3_vec_get(v, i, out); }
HOT(vec_get_wide, int, const hot_items *v, size_t i, struct hot_item *out) { return mm3_vec_get(v, i, out); }
HOT(vec_set, int, hot_vec *v, size_t i, uint64_t value) { return mm3_vec_set(v, i, value); }
HOT(vec_set_wide, int, hot_items *v, size_t i, const struct hot_item *value) { return mm3_vec_set_from(v, i, value); }
HOT(vec_push, int, hot_vec *v, uint64_t value) { return mm3_vec_push(v, value); }
HOT(vec_push_wide, int, hot_items *v, const struct hot_item *value) { return mm3_vec_push_from(v, value); }
typedef MM3_VALUE(vec(raw(512), 100)) hot_records;
static inline const void *hot_record(size_t i) { /* large enough that gcc thinks of `rep movs` */
  static uint64_t record[64];
  record[0] = i;
  return record;
}
HOT(vec_push_records, size_t, hot_records *v, size_t n) {
  size_t done = 0;
  for (size_t i = 0; i < n; i++) done += mm3_vec_push_from(v, (const uint8_t(*)[512])hot_record(i)) == 0;
  return done;
}
HOT(vec_pop, int, hot_vec *v, uint64_t *out) { return mm3_vec_pop(v, out); }
HOT(vec_back, int, const hot_vec *v, uint64_t *out) { return mm3_vec_back(v, out); }
HOT(vec_at, uint64_t *, hot_vec *v, size_t i) { return mm3_vec_at(v, i); }
HOT(vec_len, size_t, const hot_vec *v) { return mm3_vec_len(v); }
HOT(vec_clear, void, hot_vec *v) { mm3_vec_clear(v); }
HOT(vec_sum, uint64_t, const hot_vec *v) {
  uint64_t sum = 0;
  MM3_VEC_EACH(item, v) sum += *item;
  return sum;
}

/* ---- ndarray ---- */

#include <mm3/ndarray.h>

typedef MM3_VALUE(ndarray(u8, 256, 256, 256)) hot_cube;
typedef MM3_VALUE(ndarray(hot_item, 50, 100)) hot_table;

HOT(ndarray_at, uint8_t *, hot_cube *a, size_t i, size_t j, size_t k) { return mm3_ndarray_at(a, i, j, k); }
HOT(ndarray_get, int, const hot_cube *a, uint8_t *out, size_t i, size_t j, size_t k) { return mm3_ndarray_get(a, out, i, j, k); }
HOT(ndarray_set, int, hot_cube *a, uint8_t value, size_t i, size_t j, size_t k) { return mm3_ndarray_set(a, value, i, j, k); }
HOT(ndarray_ref, void, hot_cube *a, size_t i, size_t j, size_t k) { mm3_ndarray_ref(a, i, j, k)++; }
HOT(ndarray_get_wide, int, const hot_table *a, struct hot_item *out, size_t i, size_t j) { return mm3_ndarray_get(a, out, i, j); }
HOT(ndarray_view_at, void *, const struct mm3_ndarray_view *v, const uint64_t *index) { return mm3_ndarray_view_at(v, index); }
HOT(ndarray_sum, uint64_t, const hot_cube *a) {
  uint64_t sum = 0;
  MM3_NDARRAY_EACH(item, a) sum += *item;
  return sum;
}

/* ---- segmented: the rest has a cold call, for the file's end and for new segments ---- */

#include <mm3/segmented.h>

typedef MM3_VALUE(segmented(u64)) hot_segmented;

HOT(segmented_len, uint64_t, const hot_segmented *s) { return mm3_segmented_len(s); }

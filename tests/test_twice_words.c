/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* atomics, strings, enums, raws, integers of 128 bits: every operation on the least, the next, the last but one and the
 * largest value, by two processes, reopened. */
#include "mm3twice.h"

#include <mm3/atomic.h>
#include <mm3/string.h>

#define WORDS(FIELD)                                                                                       \
  FIELD(u, atomic(u64))                                                                                    \
  FIELD(i, atomic(i8)) FIELD(b, atomic(bool)) FIELD(s, string(8)) FIELD(e, enum(u8, none, one, more, all)) \
    FIELD(raw, raw(4)) FIELD(big, u128) FIELD(low, i128)
MM3_STRUCT(words, WORDS);
#define ROOT words

/* ---- atomic: the sizes are values ---- */

static void u_fill(struct mm3_file *file, void *root, size_t n, struct model *m) {
  (void)file;
  mm3_atomic_store(&((struct words *)root)->u, n);
  m->at[0] = n;
}
static int u_same(struct mm3_file *file, const void *root, const struct model *m) {
  const struct words *r = root;
  (void)file;
  return mm3_atomic_load(&r->u) == m->at[0] && mm3_atomic_get(&r->u) == m->at[0];
}
#define BEFORE(change)        \
  uint64_t before = m->at[0]; \
  change;                     \
  return (int)(before & 0xffff);
#define AFTER(call) return (int)(call & 0xffff);
OP(u_store, mm3_atomic_store(&r->u, 77); return 0;, m->at[0] = 77; return 0;)
OP(u_exchange, AFTER(mm3_atomic_exchange(&r->u, 5)), BEFORE(m->at[0] = 5))
OP(u_add, AFTER(mm3_atomic_fetch_add(&r->u, 1)), BEFORE(m->at[0] += 1))
OP(u_sub, AFTER(mm3_atomic_fetch_sub(&r->u, 1)), BEFORE(m->at[0] -= 1))
OP(u_and, AFTER(mm3_atomic_fetch_and(&r->u, 6)), BEFORE(m->at[0] &= 6))
OP(u_or, AFTER(mm3_atomic_fetch_or(&r->u, 1)), BEFORE(m->at[0] |= 1))
OP(u_xor, AFTER(mm3_atomic_fetch_xor(&r->u, 3)), BEFORE(m->at[0] ^= 3))
OP(u_min, AFTER(mm3_atomic_fetch_min(&r->u, 1)), BEFORE(if (m->at[0] > 1) m->at[0] = 1))
OP(u_max, AFTER(mm3_atomic_fetch_max(&r->u, 9)), BEFORE(if (m->at[0] < 9) m->at[0] = 9))
OP(u_cas, uint64_t want = 1; return mm3_atomic_compare_exchange(&r->u, &want, UINT64_MAX) * 2 + (want == 1);
   , int hit = m->at[0] == 1; if (hit) m->at[0] = UINT64_MAX; return hit * 2 + hit;)
OP(u_inc_dec, mm3_atomic_inc(&r->u); mm3_atomic_add(&r->u, 5); mm3_atomic_dec(&r->u); mm3_atomic_sub(&r->u, 2);
   return 0;, m->at[0] += 3; return 0;)
TWICE(atomics_of_64_bits, u, (0, 1, SIZE_MAX - 1, SIZE_MAX), OF(u_store), OF(u_exchange), OF(u_add), OF(u_sub),
      OF(u_and), OF(u_or), OF(u_xor), OF(u_min), OF(u_max), OF(u_cas), OF(u_inc_dec))

static void i_fill(struct mm3_file *file, void *root, size_t n, struct model *m) {
  (void)file;
  mm3_atomic_store(&((struct words *)root)->i, (int8_t)((int)n - 128));
  m->at[0] = n;
}
static int i_same(struct mm3_file *file, const void *root, const struct model *m) {
  (void)file;
  return mm3_atomic_load(&((const struct words *)root)->i) == (int8_t)((int)m->at[0] - 128);
}
OP(i_add, return mm3_atomic_fetch_add(&r->i, 1);, int before = (int)m->at[0] - 128; m->at[0] = (m->at[0] + 1) & 255;
   return before;)
OP(i_sub, return mm3_atomic_fetch_sub(&r->i, 1);, int before = (int)m->at[0] - 128; m->at[0] = (m->at[0] - 1) & 255;
   return before;)
OP(i_min, return mm3_atomic_fetch_min(&r->i, -127);, int before = (int)m->at[0] - 128; if (before > -127) m->at[0] = 1;
   return before;)
OP(i_max, return mm3_atomic_fetch_max(&r->i, 126);, int before = (int)m->at[0] - 128; if (before < 126) m->at[0] = 254;
   return before;)
TWICE(atomics_of_8_bits_with_a_sign, i, (0, 1, 254, 255), OF(i_add), OF(i_sub), OF(i_min), OF(i_max))

static void b_fill(struct mm3_file *file, void *root, size_t n, struct model *m) {
  (void)file;
  mm3_atomic_store(&((struct words *)root)->b, n != 0);
  m->at[0] = n != 0;
}
static int b_same(struct mm3_file *file, const void *root, const struct model *m) {
  (void)file;
  return mm3_atomic_load(&((const struct words *)root)->b) == (m->at[0] != 0);
}
OP(b_store, mm3_atomic_store(&r->b, 2); return 0;, m->at[0] = 1; return 0;)
OP(b_exchange, return mm3_atomic_exchange(&r->b, 0);, BEFORE(m->at[0] = 0))
OP(b_and, return mm3_atomic_fetch_and(&r->b, 1);, BEFORE(m->at[0] &= 1))
OP(b_or, return mm3_atomic_fetch_or(&r->b, 1);, BEFORE(m->at[0] |= 1))
OP(b_xor, return mm3_atomic_fetch_xor(&r->b, 1);, BEFORE(m->at[0] ^= 1))
OP(b_cas, _Bool want = 0; return mm3_atomic_compare_exchange(&r->b, &want, 1) * 2 + want;, int hit = !m->at[0];
   m->at[0] = 1; return hit * 2 + !hit;)
TWICE(atomic_bools, b, (0, 1, 0, 1), OF(b_store), OF(b_exchange), OF(b_and), OF(b_or), OF(b_xor), OF(b_cas))

/* ---- string: the sizes are lengths ---- */

static void s_fill(struct mm3_file *file, void *root, size_t n, struct model *m) {
  (void)file;
  memcpy(m->text, "abcdefgh", m->n = n);
  CHECK_EQ(mm3_string_set_n(&((struct words *)root)->s, m->text, n), 0);
}
static int s_same(struct mm3_file *file, const void *root, const struct model *m) {
  const struct words *r = root;
  char text[9];
  size_t length = 99;
  (void)file;
  struct mm3_string_view view = mm3_string_view(&r->s);
  return mm3_string_get(&r->s, text, sizeof text, &length) == 0 && length == m->n && memcmp(text, m->text, m->n) == 0 &&
         mm3_string_len(&r->s) == m->n && mm3_string_equal_n(&r->s, m->text, m->n) &&
         !mm3_string_equal(&r->s, "other") && view.len == m->n && memcmp(view.ptr, m->text, m->n) == 0 &&
         mm3_string_view_valid(&r->s, view) && mm3_string_ptr(&r->s)[m->n] == 0 &&
         (m->n == 0 || mm3_string_get(&r->s, text, m->n, &length) == -ERANGE);
}
static int text_is(struct model *m, const char *text, size_t n) {
  memset(m->text, 0, 16);
  memcpy(m->text, text, m->n = n);
  return 0;
}
static int text_plus(struct model *m, const char *text, size_t most) {
  size_t n = strlen(text);
  if (m->n + n > most) return -MM3_E_VALUE;
  memcpy(m->text + m->n, text, n);
  m->n += n;
  return 0;
}
OP(s_set, return mm3_string_set(&r->s, "naïve");, return text_is(m, "naïve", 6);)
OP(s_set_all, return mm3_string_set(&r->s, "12345678");, return text_is(m, "12345678", 8);)
OP(s_set_zeros, return mm3_string_set_n(&r->s, "\0a\0", 3);, return text_is(m, "\0a\0", 3);)
OP(s_set_long, return mm3_string_set(&r->s, "123456789");, return -MM3_E_VALUE;)
OP(s_set_bad, return mm3_string_set(&r->s, "\xff");, return -MM3_E_VALUE;)
OP(s_cut, return mm3_string_set_truncate(&r->s, "1234567é");, return text_is(m, "1234567", 7) + 1;)
OP(s_append, return mm3_string_append(&r->s, "z");, return text_plus(m, "z", 8);)
OP(s_append_two, return mm3_string_append(&r->s, "é");, return text_plus(m, "é", 8);)
OP(s_append_none, return mm3_string_append(&r->s, "");, return 0;)
OP(s_format, return mm3_string_format(&r->s, "%d|%s", 42, "x");, return text_is(m, "42|x", 4);)
OP(s_format_long, return mm3_string_format(&r->s, "%09d", 42);, return -MM3_E_VALUE;)
OP(s_clear, mm3_string_clear(&r->s); return 0;, return text_is(m, "", 0);)
TWICE(strings, s, (0, 1, 7, 8), OF(s_set), OF(s_set_all), OF(s_set_zeros), OF(s_set_long), OF(s_set_bad), OF(s_cut),
      OF(s_append), OF(s_append_two), OF(s_append_none), OF(s_format), OF(s_format_long), OF(s_clear))

/* ---- plain memory: enum, raw, 128 bits, as C and by path ---- */

static struct mm3_error error;
static int put(struct mm3_file *file, const char *path, struct mm3_value value) {
  struct mm3_field field;
  int result = mm3_field_find(file, path, &field, &error);
  return result < 0 ? result : mm3_field_put(&field, &value, &error);
}
static int put_text(struct mm3_file *file, const char *path, const char *text) {
  return put(file, path, (struct mm3_value){.is = MM3_TEXT, .as.text = text, .count = strlen(text)});
}
static int add(struct mm3_file *file, const char *path, int64_t by) {
  struct mm3_field field;
  char sum[48];
  int result = mm3_field_find(file, path, &field, &error);
  return result < 0 ? result : mm3_field_add(&field, &(struct mm3_value){.is = MM3_INT, .as.integer = by}, sum, &error);
}

static void e_fill(struct mm3_file *file, void *root, size_t n, struct model *m) {
  (void)file;
  ((struct words *)root)->e = (uint8_t)(m->at[0] = n);
}
static int e_same(struct mm3_file *file, const void *root, const struct model *m) {
  return (void)file, ((const struct words *)root)->e == m->at[0];
}
OP(e_set, r->e = words_e_more; return 0;, m->at[0] = words_e_more; return 0;)
OP(e_put_first, return put_text(file, "e", "none");, m->at[0] = 0; return 0;)
OP(e_put_last, return put_text(file, "e", "all");, m->at[0] = words_e_all; return 0;)
OP(e_put_other, return put_text(file, "e", "most");, return -MM3_E_VALUE;)
TWICE(enums, e, (words_e_none, words_e_one, words_e_more, words_e_all), OF(e_set), OF(e_put_first), OF(e_put_last),
      OF(e_put_other))

static void raw_fill(struct mm3_file *file, void *root, size_t n, struct model *m) {
  (void)file;
  memset(m->text, 0xa5, n);
  memset(((struct words *)root)->raw, 0xa5, n);
}
static int raw_same(struct mm3_file *file, const void *root, const struct model *m) {
  return (void)file, memcmp(((const struct words *)root)->raw, m->text, 4) == 0;
}
OP(raw_set_last, r->raw[3] ^= 1; return 0;, m->text[3] ^= 1; return 0;)
OP(raw_put, return put_text(file, "raw", "00ff0180");, memcpy(m->text, "\0\xff\1\x80", 4); return 0;)
OP(raw_put_short, return put_text(file, "raw", "00ff01");, return -MM3_E_VALUE;)
TWICE(raws, raw, (0, 1, 3, 4), OF(raw_set_last), OF(raw_put), OF(raw_put_short))

static void big_fill(struct mm3_file *file, void *root, size_t n,
                     struct model *m) { /* the sizes are less than, or that far from, the ends */
  struct words *r = root;
  (void)file;
  mm3_u128 value = n < 2 ? (mm3_u128)n : ~(mm3_u128)0 - (3 - n);
  r->big = value;
  r->low = (mm3_i128)((value ^ (mm3_u128)1 << 127));
  memcpy(m->text, &value, 16);
}
static int big_same(struct mm3_file *file, const void *root, const struct model *m) {
  const struct words *r = root;
  mm3_u128 value;
  (void)file;
  memcpy(&value, m->text, 16);
  return r->big == value && r->low == (mm3_i128)(value ^ (mm3_u128)1 << 127); /* from the least one on */
}
static int big_plus(struct model *m, int by) {
  mm3_u128 value;
  memcpy(&value, m->text, 16);
  if (by < 0 ? value == 0 : value == ~(mm3_u128)0) return -MM3_E_VALUE;
  value = by < 0 ? value - 1 : value + 1;
  memcpy(m->text, &value, 16);
  return 0;
}
OP(big_set, r->big = (mm3_u128)3 << 100; r->low = (mm3_i128)(r->big ^ (mm3_u128)1 << 127); return 0;
   , mm3_u128 value = (mm3_u128)3 << 100; memcpy(m->text, &value, 16); return 0;)
OP(big_put_most, int code = put_text(file, "low", "170141183460469231731687303715884105727");
   return code ? code : put_text(file, "big", "340282366920938463463374607431768211455");, memset(m->text, 0xff, 16);
   return 0;)
OP(big_put_least, int code = put_text(file, "low", "-170141183460469231731687303715884105728");
   return code ? code : put_text(file, "big", "0");, memset(m->text, 0, 16); return 0;)
OP(big_put_beyond, return put_text(file, "big", "340282366920938463463374607431768211456");, return -MM3_E_VALUE;)
OP(big_add, int code = add(file, "low", 1); int other = add(file, "big", 1); return code == other ? code : 1;
   , return big_plus(m, 1);)
OP(big_sub, int code = add(file, "low", -1); int other = add(file, "big", -1); return code == other ? code : 1;
   , return big_plus(m, -1);)
TWICE(integers_of_128_bits, big, (0, 1, 2, 3), OF(big_set), OF(big_put_most), OF(big_put_least), OF(big_put_beyond),
      OF(big_add), OF(big_sub))

MM3_TEST_SUITE("twice-words", {"atomics of 64 bits", atomics_of_64_bits},
               {"atomics of 8 bits with a sign", atomics_of_8_bits_with_a_sign}, {"atomic bools", atomic_bools},
               {"strings", strings}, {"enums", enums}, {"raws", raws}, {"integers of 128 bits", integers_of_128_bits})

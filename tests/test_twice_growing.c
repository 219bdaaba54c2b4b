/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* json, text, segmented, hashmap: every operation on empty, single, nearly full and full values (for those that grow:
 * around the size at which they grow), by two processes, reopened. */
#include "mm3twice.h"

#include <errno.h>
#include <mm3/hashmap.h>
#include <mm3/json.h>
#include <mm3/segmented.h>
#include <mm3/text.h>
#include <stdlib.h>

#define GROWING(FIELD) \
  FIELD(j, json(32)) FIELD(t, text) FIELD(s, segmented(u64)) FIELD(m, hashmap(u32, u64)) FIELD(x, hashmap(text, text))
MM3_STRUCT(growing, GROWING);
#define ROOT growing

static struct mm3_error error;

static int text_is(struct model *m, const char *text) {
  memset(m->text, 0, sizeof m->text);
  memcpy(m->text, text, m->n = strlen(text));
  return 0;
}

/* ---- json: the sizes are lengths; 0 is null, 1 a digit, the others strings ---- */

static void j_fill(struct mm3_file *file, void *root, size_t n, struct model *m) {
  struct growing *r = root;
  (void)file;
  text_is(m, n == 0    ? ""
             : n == 1  ? "7"
             : n == 31 ? "\"12345678901234567890123456789\""
                       : "\"123456789012345678901234567890\"");
  if (n) CHECK_OK(mm3_json_set_text(&r->j, m->text, &error), error);
}
static int j_same(struct mm3_file *file, const void *root, const struct model *m) {
  const struct growing *r = root;
  char text[33];
  size_t length = 99;
  json_t *value = NULL, *wanted = m->n ? json_loads(m->text, JSON_DECODE_ANY, NULL) : json_null();
  (void)file;
  int ok = mm3_json_get(&r->j, &value, &error) == 0 && json_equal(value, wanted) && mm3_json_len(&r->j) == m->n &&
           mm3_json_capacity(&r->j) == 32 && mm3_json_text(&r->j, text, sizeof text, &length) == 0 && length == m->n &&
           strcmp(text, m->text) == 0 && strcmp(mm3_json_view(&r->j).ptr, m->text) == 0;
  json_decref(value);
  json_decref(wanted);
  return ok;
}
OP(j_set, json_t *v = json_pack("{s:i}", "k", 5); int code = mm3_json_set(&r->j, v, &error); json_decref(v);
   return code;, return text_is(m, "{\"k\":5}");)
OP(j_set_text, return mm3_json_set_text(&r->j, "[1, 2]", &error);, return text_is(m, "[1, 2]");)
OP(j_set_all, return mm3_json_set_text(&r->j, "\"abcdefghijklmnopqrstuvwxyz0123\"", &error);
   , return text_is(m, "\"abcdefghijklmnopqrstuvwxyz0123\"");)
OP(j_set_long, return mm3_json_set_text(&r->j, "\"abcdefghijklmnopqrstuvwxyz01234\"", &error);, return -MM3_E_VALUE;)
OP(j_set_bad, return mm3_json_set_text(&r->j, "[1,", &error);, return -MM3_E_VALUE;)
OP(j_pack, return mm3_json_pack(&r->j, &error, "[i,s]", 1, "x");, return text_is(m, "[1,\"x\"]");)
OP(j_set_at_root, json_t *v = json_true(); return mm3_json_set_at(&r->j, "", v, &error);, return text_is(m, "true");)
OP(j_set_at_nowhere, json_t *v = json_true(); return mm3_json_set_at(&r->j, "/a", v, &error);, return -MM3_E_ABSENT;)
OP(j_merge, json_t *v = json_pack("{s:n,s:i}", "a", "b", 6); int code = mm3_json_merge(&r->j, v, &error);
   json_decref(v); return code;, return text_is(m, "{\"b\":6}");)
OP(j_clear, mm3_json_clear(&r->j); return 0;, return text_is(m, "");)
TWICE(json_values, j, (0, 1, 31, 32), OF(j_set), OF(j_set_text), OF(j_set_all), OF(j_set_long), OF(j_set_bad),
      OF(j_pack), OF(j_set_at_root), OF(j_set_at_nowhere), OF(j_merge), OF(j_clear))

/* ---- text: the sizes are lengths ---- */

static void t_fill(struct mm3_file *file, void *root, size_t n, struct model *m) {
  memset(m->text, 'x', m->n = n);
  CHECK_EQ(mm3_text_set_n(file, &((struct growing *)root)->t, m->text, n), 0);
}
static int t_same(struct mm3_file *file, const void *root, const struct model *m) {
  const struct growing *r = root;
  char text[sizeof m->text];
  size_t length = 0, dup_length = 0;
  struct mm3_text_view view = mm3_text_view(file, &r->t);
  char *dup = mm3_text_dup(file, &r->t, &dup_length);
  int ok = dup && dup_length == m->n && memcmp(dup, m->text, m->n + 1) == 0 &&
           mm3_text_get(file, &r->t, text, sizeof text, &length) == 0 && length == m->n &&
           memcmp(text, m->text, m->n + 1) == 0 && mm3_text_len(file, &r->t) == m->n &&
           mm3_text_equal_n(file, &r->t, m->text, m->n) && !mm3_text_equal(file, &r->t, "other") && view.ptr &&
           view.len == m->n && memcmp(view.ptr, m->text, m->n + 1) == 0 &&
           (m->n == 0 || mm3_text_get(file, &r->t, text, m->n, &length) == -ERANGE);
  free(dup);
  return ok;
}
static int text_plus(struct model *m, const char *text) {
  memcpy(m->text + m->n, text, strlen(text) + 1);
  m->n += strlen(text);
  return 0;
}
OP(t_set, return mm3_text_set(file, &r->t, "naïve");, return text_is(m, "naïve");)
OP(t_set_none, return mm3_text_set(file, &r->t, "");, return text_is(m, "");)
OP(t_set_zeros, return mm3_text_set_n(file, &r->t, "\0a", 2);, text_is(m, ""); m->text[1] = 'a'; m->n = 2; return 0;)
OP(t_set_bad, return mm3_text_set(file, &r->t, "\xff");, return -MM3_E_VALUE;)
OP(t_append, return mm3_text_append(file, &r->t, "é");, return text_plus(m, "é");)
OP(t_append_none, return mm3_text_append_n(file, &r->t, "", 0);, return 0;)
OP(t_append_bad, return mm3_text_append(file, &r->t, "\xc3");, return -MM3_E_VALUE;)
OP(t_print, return mm3_text_print(file, &r->t, "%d %s", 42, "x");, return text_is(m, "42 x");)
OP(t_clear, return mm3_text_clear(file, &r->t);, return text_is(m, "");)
OP(t_held, int code = mm3_lock(file); if (code == 0) code = mm3_text_set_held(file, &r->t, "held"); mm3_unlock(file);
   return code;, return text_is(m, "held");)
OP(t_not_held, return mm3_text_set_held(file, &r->t, "held");, return -EPERM;)
TWICE(texts, t, (0, 1, 4086, 4087), OF(t_set), OF(t_set_none), OF(t_set_zeros), OF(t_set_bad), OF(t_append),
      OF(t_append_none), OF(t_append_bad), OF(t_print), OF(t_clear), OF(t_held), OF(t_not_held))

/* ---- segmented: 512 items fill the first segment ---- */

static void s_fill(struct mm3_file *file, void *root, size_t n, struct model *m) {
  for (m->n = 0; m->n < n; m->n++) m->at[m->n] = m->n * 7;
  CHECK_EQ(mm3_segmented_append_many(file, &((struct growing *)root)->s, m->at, n), 0);
}
static int s_same(struct mm3_file *file, const void *root, const struct model *m) {
  struct growing *r = (struct growing *)(uintptr_t)root;
  uint64_t one = 0, count = 0, seen = 0;
  int ok = mm3_segmented_len(&r->s) == m->n;
  for (size_t i = 0; ok && i < m->n; i++)
    ok = mm3_segmented_get(file, &r->s, i, &one) == 0 && one == m->at[i] && *mm3_segmented_at(file, &r->s, i) == one;
  MM3_SEGMENTED_EACH(item, file, &r->s) ok = ok && *item == m->at[seen++];
  for (size_t i = 0; ok && i < m->n; i += count) {
    const uint64_t *run = mm3_segmented_run(file, &r->s, i, &count);
    ok = run && count && memcmp(run, &m->at[i], count * 8) == 0;
  }
  return ok && seen == m->n && mm3_segmented_get(file, &r->s, m->n, &one) == -MM3_E_ABSENT &&
         mm3_segmented_at(file, &r->s, m->n) == NULL && mm3_segmented_run(file, &r->s, m->n, &count) == NULL &&
         mm3_segmented_last(file, &r->s, &one) == (m->n ? 0 : -MM3_E_ABSENT) && (m->n == 0 || one == m->at[m->n - 1]);
}
static int s_plus(struct model *m, size_t count, uint64_t value) {
  for (size_t i = 0; i < count; i++) m->at[m->n++] = value + i;
  return 0;
}
static const uint64_t three[3] = {20, 21, 22};
OP(s_append, return mm3_segmented_append(file, &r->s, 5);, return s_plus(m, 1, 5);)
OP(s_append_many, return mm3_segmented_append_many(file, &r->s, three, 3);, return s_plus(m, 3, 20);)
OP(s_append_none, return mm3_segmented_append_many(file, &r->s, three, 0);, return 0;)
OP(s_append_held, int code = mm3_lock(file); if (code == 0) code = mm3_segmented_append_held(file, &r->s, 6);
   mm3_unlock(file); return code;, return s_plus(m, 1, 6);)
OP(s_set_first, return mm3_segmented_set(file, &r->s, 0, 9);, if (!m->n) return -MM3_E_ABSENT; m->at[0] = 9; return 0;)
OP(s_set_last, return mm3_segmented_set(file, &r->s, 511, 9);, if (m->n < 512) return -MM3_E_ABSENT; m->at[511] = 9;
   return 0;)
OP(s_reserve, return mm3_segmented_reserve(file, &r->s, 1000);, return 0;)
OP(s_reserve_all, return mm3_segmented_reserve(file, &r->s, UINT64_MAX);, return -EFBIG;)
OP(s_truncate_last, uint64_t n = mm3_segmented_len(&r->s); return mm3_segmented_truncate(file, &r->s, n ? n - 1 : 0);
   , m->n -= m->n > 0; return 0;)
OP(s_truncate, return mm3_segmented_truncate(file, &r->s, 1);, if (m->n > 1) m->n = 1; return 0;)
OP(s_clear, return mm3_segmented_clear(file, &r->s);, m->n = 0; return 0;)
OP(s_begin_commit, uint64_t *items = NULL; uint64_t room = 0;
   int code = mm3_segmented_begin(file, &r->s, 2, &items, &room); if (code == 0) items[0] = 77;
   return code ? code : mm3_segmented_commit(file, &r->s, 1);, return s_plus(m, 1, 77);)
OP(s_begin_give_up, uint64_t *items = NULL; uint64_t room = 0;
   int code = mm3_segmented_begin(file, &r->s, 2, &items, &room);
   return code ? code : mm3_segmented_commit(file, &r->s, 0);, return 0;)
TWICE(logs, s, (0, 1, 511, 512), OF(s_append), OF(s_append_many), OF(s_append_none), OF(s_append_held), OF(s_set_first),
      OF(s_set_last), OF(s_reserve), OF(s_reserve_all), OF(s_truncate_last), OF(s_truncate), OF(s_clear),
      OF(s_begin_commit), OF(s_begin_give_up))

/* ---- hashmap: the model's at[key] is the value plus one; a group of 16 takes 14. Texts are those numbers in words
 * ---- */

enum { KEYS = 40 };
static size_t count_of(const struct model *m) {
  size_t count = 0;
  for (size_t k = 0; k < KEYS; k++) count += m->at[k] != 0;
  return count;
}
static void m_fill(struct mm3_file *file, void *root, size_t n, struct model *m) {
  struct growing *r = root;
  char key[16], value[24];
  for (uint32_t k = 0; k < n; k++) {
    snprintf(key, sizeof key, "key %u", k);
    snprintf(value, sizeof value, "%u", k * 10);
    CHECK_EQ(mm3_hashmap_set(file, &r->m, k, k * 10), 0);
    CHECK_EQ(mm3_hashmap_set(file, &r->x, key, value), 0);
    m->at[k] = k * 10 + 1;
  }
}
#define x_fill m_fill
static int m_same(struct mm3_file *file, const void *root, const struct model *m) {
  const struct growing *r = root;
  struct mm3_hashmap_cursor cursor;
  uint64_t value = 0, values[KEYS];
  uint32_t key = 0, keys[KEYS];
  uint8_t found[KEYS];
  size_t count = count_of(m), walked = 0;
  int ok = mm3_hashmap_len(file, &r->m) == count;
  for (uint32_t k = 0; k < KEYS; k++) {
    const uint64_t *view = mm3_hashmap_view(file, &r->m, k);
    keys[k] = k;
    ok = ok && mm3_hashmap_get(file, &r->m, k, &value) == (m->at[k] ? 0 : -MM3_E_ABSENT) &&
         (!m->at[k] || value == m->at[k] - 1) && mm3_hashmap_contains(file, &r->m, k) == (m->at[k] != 0) &&
         (view ? *view == m->at[k] - 1 : m->at[k] == 0);
  }
  ok = ok && mm3_hashmap_get_many(file, &r->m, keys, KEYS, values, found) == (int64_t)count;
  for (size_t k = 0; ok && k < KEYS; k++) ok = found[k] == (m->at[k] != 0) && (!found[k] || values[k] == m->at[k] - 1);
  memset(&cursor, 0, sizeof cursor);
  while (ok && mm3_hashmap_next(file, &r->m, &cursor, &key, &value) == 1)
    walked++, ok = key < KEYS && value == m->at[key] - 1;
  return ok && walked == count;
}
static int x_same(struct mm3_file *file, const void *root, const struct model *m) {
  const struct growing *r = root;
  struct mm3_hashmap_cursor cursor;
  char key[16], text[24];
  size_t count = count_of(m), walked = 0;
  int ok = mm3_hashmap_len(file, &r->x) == count;
  for (unsigned k = 0; ok && k < KEYS; k++) {
    struct mm3_buf out = mm3_buf_of(text, sizeof text);
    struct mm3_str view = {NULL, 0};
    snprintf(key, sizeof key, "key %u", k);
    int wanted = m->at[k] ? 0 : -MM3_E_ABSENT;
    ok = mm3_hashmap_get(file, &r->x, key, &out) == wanted &&
         mm3_hashmap_view_text(file, &r->x, key, &view) == wanted &&
         mm3_hashmap_contains(file, &r->x, key) == !wanted &&
         (wanted ||
          (strtoull(text, NULL, 10) == m->at[k] - 1 && view.len == out.len && memcmp(view.ptr, text, out.len) == 0));
  }
  memset(&cursor, 0, sizeof cursor);
  for (;; walked++) {
    struct mm3_buf k = mm3_buf_of(key, sizeof key), v = mm3_buf_of(text, sizeof text);
    if (!ok || mm3_hashmap_next(file, &r->x, &cursor, &k, &v) != 1) break;
    ok = strtoull(text, NULL, 10) == m->at[strtoul(key + 4, NULL, 10)] - 1;
  }
  return ok && walked == count;
}
static int set_key(struct model *m, size_t key, uint64_t value) {
  int there = m->at[key] != 0;
  m->at[key] = value + 1;
  return there;
}
static int double_it(void *value, void *arg) {
  (void)arg;
  *(uint64_t *)value *= 2;
  return 0;
}
static int keep_even(const struct mm3_hashmap_item *item, void *arg) {
  uint32_t key;
  (void)arg;
  memcpy(&key, item->key.ptr, sizeof key);
  return key % 2 == 0;
}
static int keep_none(const struct mm3_hashmap_item *item, void *arg) { return (void)item, (void)arg, 0; }
OP(m_set_new, return mm3_hashmap_set(file, &r->m, 30, 5);, return set_key(m, 30, 5);)
OP(m_set_old, return mm3_hashmap_insert(file, &r->m, 0, 6);, return set_key(m, 0, 6);)
OP(m_held, int code = mm3_lock(file); if (code == 0) code = mm3_hashmap_set_held(file, &r->m, 31, 7); mm3_unlock(file);
   return code;, return set_key(m, 31, 7);)
OP(m_get_or_insert, uint64_t out = 3; int code = mm3_hashmap_get_or_insert(file, &r->m, 13, 8, &out);
   return code * 1000 + (int)out;, if (m->at[13]) return 1000 + (int)m->at[13] - 1; m->at[13] = 9; return 3;)
OP(m_add, return mm3_hashmap_add(file, &r->m, 0, 2);, int there = m->at[0] != 0; m->at[0] = there ? m->at[0] + 2 : 3;
   return there;)
OP(m_update, return mm3_hashmap_update(file, &r->m, 0, double_it, NULL);, if (!m->at[0]) return -MM3_E_ABSENT;
   m->at[0] = m->at[0] * 2 - 1; return 0;)
OP(m_remove_first, return mm3_hashmap_remove(file, &r->m, 0);, int there = m->at[0] != 0; m->at[0] = 0;
   return there ? 0 : -MM3_E_ABSENT;)
OP(m_remove_last, return mm3_hashmap_remove(file, &r->m, 13);, int there = m->at[13] != 0; m->at[13] = 0;
   return there ? 0 : -MM3_E_ABSENT;)
OP(m_retain, return (int)mm3_hashmap_retain(file, &r->m, keep_even, NULL);, int gone = 0;
   for (size_t k = 1; k < KEYS; k += 2) gone += m->at[k] != 0; for (size_t k = 1; k < KEYS; k += 2) m->at[k] = 0;
   return gone;)
OP(m_reserve, return mm3_hashmap_reserve(file, &r->m, 100);, return 0;)
OP(m_shrink, return mm3_hashmap_shrink(file, &r->m);, return 0;)
OP(m_clear, return mm3_hashmap_clear(file, &r->m);, memset(m->at, 0, sizeof m->at); return 0;)
TWICE(maps_of_numbers, m, (0, 1, 13, 14), OF(m_set_new), OF(m_set_old), OF(m_held), OF(m_get_or_insert), OF(m_add),
      OF(m_update), OF(m_remove_first), OF(m_remove_last), OF(m_retain), OF(m_reserve), OF(m_shrink), OF(m_clear))

OP(x_set_new, return mm3_hashmap_set(file, &r->x, "key 30", "5");, return set_key(m, 30, 5);)
OP(x_set_old, return mm3_hashmap_set(file, &r->x, "key 0", "1234567890123456789");
   , return set_key(m, 0, 1234567890123456789);)
OP(x_set_bad, return mm3_hashmap_set(file, &r->x, "key 0", "\xff");, return -MM3_E_VALUE;)
OP(x_get_or_insert, char text[24] = "3"; struct mm3_buf out = mm3_buf_of(text, sizeof text);
   int code = mm3_hashmap_get_or_insert(file, &r->x, "key 13", "8", &out); return code * 1000 + atoi(text);
   , if (m->at[13]) return 1000 + (int)m->at[13] - 1; m->at[13] = 9; return 3;)
OP(x_remove_first, return mm3_hashmap_remove(file, &r->x, "key 0");, int there = m->at[0] != 0; m->at[0] = 0;
   return there ? 0 : -MM3_E_ABSENT;)
OP(x_retain, return (int)mm3_hashmap_retain(file, &r->x, keep_none, NULL);, int gone = (int)count_of(m);
   memset(m->at, 0, sizeof m->at); return gone;)
OP(x_reserve, return mm3_hashmap_reserve(file, &r->x, 100);, return 0;)
OP(x_shrink, return mm3_hashmap_shrink(file, &r->x);, return 0;)
OP(x_clear, return mm3_hashmap_clear(file, &r->x);, memset(m->at, 0, sizeof m->at); return 0;)
TWICE(maps_of_texts, x, (0, 1, 13, 14), OF(x_set_new), OF(x_set_old), OF(x_set_bad), OF(x_get_or_insert),
      OF(x_remove_first), OF(x_retain), OF(x_reserve), OF(x_shrink), OF(x_clear))

MM3_TEST_SUITE("twice-growing", {"json values", json_values}, {"texts", texts}, {"logs", logs},
               {"maps of numbers", maps_of_numbers}, {"maps of texts", maps_of_texts})

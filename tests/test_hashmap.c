/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* hashmap against a model: every operation, every kind of key and value, growth, removal, reopening. */
#include "mm3maps.h"

#include <errno.h>

static void an_empty_map(void) {
  struct mm3_file *file = maps_new("a.mm3");
  if (!file) return;
  struct maps *m = mm3_root(file, maps);
  struct mm3_hashmap_cursor cursor = {0, 0, 0, 0};
  uint64_t key, value = 7;
  CHECK_EQ(sizeof m->numbers, 32);
  CHECK_EQ(mm3_hashmap_len(file, &m->numbers), 0);
  CHECK_EQ(mm3_hashmap_get(file, &m->numbers, 5, &value), -MM3_E_ABSENT);
  CHECK_EQ(value, 7);
  CHECK_EQ(mm3_hashmap_contains(file, &m->numbers, 5), 0);
  CHECK_EQ(mm3_hashmap_remove(file, &m->numbers, 5), -MM3_E_ABSENT);
  CHECK_EQ(mm3_hashmap_next(file, &m->numbers, &cursor, &key, &value), 0);
  CHECK_EQ(mm3_hashmap_clear(file, &m->numbers), 0);
  CHECK_EQ(mm3_hashmap_shrink(file, &m->numbers), 0);
  CHECK(mm3_hashmap_view(file, &m->numbers, 5) == NULL);
  CHECK_SOUND(file);
  CHECK_EQ(mm3_close(file), 0);
}

static void one_entry_of_each_kind(void) {
  struct mm3_file *file = maps_new("a.mm3");
  if (!file) return;
  struct maps *m = mm3_root(file, maps);
  char text[64];
  struct mm3_buf buf = mm3_buf_of(text, sizeof text);
  struct point here = {1, 2, 3}, there = {4, 5, 6};
  uint8_t raw[20] = "twenty bytes of key", five[5] = {1, 2, 3, 4, 5}, five_out[5];
  uint64_t number = 0;
  uint32_t small;
  float real;
  for (int again = 0; again < 2; again++) {
    CHECK_EQ(mm3_hashmap_set(file, &m->numbers, 5, 50), again);
    CHECK_EQ(mm3_hashmap_set(file, &m->texts, "key", "value"), again);
    CHECK_EQ(mm3_hashmap_set(file, &m->points, 5, &here), again);
    CHECK_EQ(mm3_hashmap_set(file, &m->words, mm3_str_n("a\0b", 3), 1), again);
    CHECK_EQ(mm3_hashmap_set(file, &m->names, "twenty-four bytes, no mor", 1), -MM3_E_VALUE);
    CHECK_EQ(mm3_hashmap_set(file, &m->names, "twenty-four bytes, all u", 1), again);
    CHECK_EQ(mm3_hashmap_set(file, &m->notes, -5, "minus five"), again);
    CHECK_EQ(mm3_hashmap_set(file, &m->raws, raw, "abc"), again);
    CHECK_EQ(mm3_hashmap_set(file, &m->wides, (mm3_u128)1 << 100, "wide"), again);
    CHECK_EQ(mm3_hashmap_set(file, &m->places, &there, five), again);
    CHECK_EQ(mm3_hashmap_set(file, &m->bytes, -1, 1.5), again);
  }
  CHECK_EQ(mm3_hashmap_get(file, &m->numbers, 5, &number), 0);
  CHECK_EQ(number, 50);
  CHECK_EQ(mm3_hashmap_get(file, &m->texts, "key", &buf), 0);
  CHECK_STR(text, "value");
  CHECK_EQ(mm3_hashmap_get(file, &m->points, 5, &there), 0);
  CHECK_MEM(&there, &here, sizeof here);
  CHECK_EQ(mm3_hashmap_get(file, &m->words, "a", &number), -MM3_E_ABSENT);
  CHECK_EQ(mm3_hashmap_get(file, &m->words, mm3_str_n("a\0b", 3), &number), 0);
  CHECK_EQ(mm3_hashmap_get(file, &m->names, "twenty-four bytes, all u", &small), 0);
  CHECK_EQ(mm3_hashmap_get(file, &m->notes, -5, &buf), 0);
  CHECK_STR(text, "minus five");
  CHECK_EQ(mm3_hashmap_get(file, &m->raws, raw, &buf), 0);
  CHECK_STR(text, "abc");
  CHECK_EQ(mm3_hashmap_get(file, &m->wides, (mm3_u128)1 << 100, &buf), 0);
  CHECK_STR(text, "wide");
  CHECK_EQ(mm3_hashmap_get(file, &m->wides, 0, &buf), -MM3_E_ABSENT);
  there = (struct point){4, 5, 6};
  CHECK_EQ(mm3_hashmap_get(file, &m->places, &there, &five_out), 0);
  CHECK_MEM(five_out, five, 5);
  CHECK_EQ(mm3_hashmap_get(file, &m->bytes, 255, &real), 0); /* converts as in a C call */
  CHECK(real == 1.5f);
  CHECK_SOUND(file);
  CHECK_EQ(mm3_hashmap_remove(file, &m->texts, "key"), 0);
  CHECK_EQ(mm3_hashmap_remove(file, &m->notes, -5), 0);
  CHECK_EQ(mm3_hashmap_remove(file, &m->places, &there), 0);
  CHECK_EQ(mm3_hashmap_len(file, &m->texts) + mm3_hashmap_len(file, &m->notes) + mm3_hashmap_len(file, &m->places), 0);
  CHECK_SOUND(file);
  CHECK_EQ(mm3_close(file), 0);
}

static void texts_that_do_not_fit(void) {
  struct mm3_file *file = maps_new("a.mm3");
  if (!file) return;
  struct maps *m = mm3_root(file, maps);
  char text[6];
  struct mm3_buf buf = mm3_buf_of(text, sizeof text);
  CHECK_EQ(mm3_hashmap_set(file, &m->texts, "k", "123456"), 0);
  CHECK_EQ(mm3_hashmap_get(file, &m->texts, "k", &buf), -ERANGE);
  CHECK_EQ(buf.len, 6);
  CHECK_EQ(mm3_hashmap_set(file, &m->texts, "k", "12345"), 1);
  CHECK_EQ(mm3_hashmap_get(file, &m->texts, "k", &buf), 0);
  CHECK_STR(text, "12345");
  CHECK_EQ(mm3_hashmap_set(file, &m->texts, "k", "\xff"), -MM3_E_VALUE);
  CHECK_EQ(mm3_hashmap_set(file, &m->texts, "\xff", "k"), -MM3_E_VALUE);
  CHECK_EQ(mm3_hashmap_set(file, &m->raws, (const void *)"12345678901234567890", "1234"), -MM3_E_VALUE);
  CHECK_EQ(mm3_hashmap_set(file, &m->texts, "", ""), 0);
  CHECK_EQ(mm3_hashmap_get(file, &m->texts, "", &buf), 0);
  CHECK_EQ(buf.len, 0);
  CHECK_EQ(mm3_hashmap_len(file, &m->texts), 2);
  CHECK_SOUND(file);
  CHECK_EQ(mm3_close(file), 0);
}

/* What a run was, for the log: it may have been the short one. */
static void say_what_was_done(const char *what, uint64_t keys, uint64_t operations, struct mm3_file *file) {
  struct mm3_file_info info = {.size = sizeof info};
  CHECK_EQ(mm3_file_describe(file, &info), 0);
  fprintf(stderr, "%s: %llu keys, then %llu random operations, equal to the model; the file has %llu MiB\n", what,
          (unsigned long long)keys, (unsigned long long)operations, (unsigned long long)info.length >> 20);
}

/* ---- numbers against a model: version[i] is 0 for absent, else what the value is made of ---- */

static void compare_numbers(struct mm3_file *file, struct maps *m, const uint32_t *version, uint64_t n) {
  uint64_t wrong = 0, count = 0, walked = 0, key, value, sum = 0, walked_sum = 0;
  struct mm3_hashmap_cursor cursor = {0, 0, 0, 0};
  for (uint64_t i = 0; i < n; i++) {
    int result = mm3_hashmap_get(file, &m->numbers, maps_key(i), &value);
    wrong += version[i] ? result != 0 || value != (i << 32 | version[i]) : result != -MM3_E_ABSENT;
    count += version[i] != 0;
    if (version[i]) sum += maps_key(i) ^ (i << 32 | version[i]);
  }
  while (mm3_hashmap_next(file, &m->numbers, &cursor, &key, &value) == 1) walked++, walked_sum += key ^ value;
  CHECK_EQ(wrong, 0);
  CHECK_EQ(mm3_hashmap_len(file, &m->numbers), count);
  CHECK_EQ(walked, count);
  CHECK_EQ(walked_sum, sum);
}

static void numbers_against_a_model(void) {
  uint64_t n = maps_entries(1000000), seed = maps_seed("numbers"), wrong = 0, k = 0;
  uint32_t *version = calloc(n, sizeof *version);
  struct mm3_file *file = maps_new("a.mm3");
  if (!file || !CHECK(version != NULL)) return;
  struct maps *m = mm3_root(file, maps);
  mm3_lock(file);
  for (uint64_t i = 0; i < n; i++) wrong += mm3_hashmap_set_held(file, &m->numbers, maps_key(i), i << 32 | 1) != 0;
  for (uint64_t i = 0; i < n; i++) version[i] = 1;
  CHECK_EQ(wrong, 0);
  compare_numbers(file, m, version, n);
  for (uint64_t i = 0; i < n; i += 2) version[i] = 2;
  for (uint64_t i = 0; i < n; i += 2) wrong += mm3_hashmap_set_held(file, &m->numbers, maps_key(i), i << 32 | 2) != 1;
  CHECK_EQ(wrong, 0);
  compare_numbers(file, m, version, n);
  for (uint64_t i = 0; i < n; i += 3) version[i] = 0;
  for (uint64_t i = 0; i < n; i += 3) wrong += mm3_hashmap_remove_held(file, &m->numbers, maps_key(i)) != 0;
  CHECK_EQ(wrong, 0);
  compare_numbers(file, m, version, n);
  for (uint64_t until = maps_until(); k < 2 * n || mm3test_now_ns() < until; k++) {
    uint64_t i = maps_random(&seed) % n, what = maps_random(&seed) % 4;
    if (what == 0) {
      wrong += mm3_hashmap_remove_held(file, &m->numbers, maps_key(i)) != (version[i] ? 0 : -MM3_E_ABSENT);
      version[i] = 0;
    } else {
      wrong += mm3_hashmap_set_held(file, &m->numbers, maps_key(i), i << 32 | (k + 3)) != (version[i] != 0);
      version[i] = (uint32_t)(k + 3);
    }
  }
  CHECK_EQ(wrong, 0);
  compare_numbers(file, m, version, n);
  mm3_unlock(file);
  CHECK_SOUND(file);
  CHECK_EQ(mm3_close(file), 0);
  file = maps_open("a.mm3", MM3_READ_ONLY);
  if (!file) return;
  compare_numbers(file, (struct maps *)(uintptr_t)mm3_root_const(file, maps), version, n);
  say_what_was_done("numbers", n, k, file);
  CHECK_EQ(mm3_close(file), 0);
  free(version);
}

/* ---- texts against a model ---- */

static void compare_texts(struct mm3_file *file, struct maps *m, const uint32_t *version, uint64_t n) {
  uint64_t wrong = 0, count = 0, walked = 0;
  char key[64], value[128], wanted[128];
  struct mm3_hashmap_cursor cursor = {0, 0, 0, 0};
  struct mm3_buf key_buf = mm3_buf_of(key, sizeof key), value_buf = mm3_buf_of(value, sizeof value);
  for (uint64_t i = 0; i < n; i++) {
    size_t key_len = maps_text(i, 16, key), len = maps_text(i << 32 | version[i], 32, wanted);
    int result = mm3_hashmap_get(file, &m->texts, mm3_str_n(key, key_len), &value_buf);
    if (version[i])
      wrong += result != 0 || value_buf.len != len || memcmp(value, wanted, len) != 0;
    else
      wrong += result != -MM3_E_ABSENT;
    count += version[i] != 0;
  }
  while (mm3_hashmap_next(file, &m->texts, &cursor, &key_buf, &value_buf) == 1) walked++;
  CHECK_EQ(wrong, 0);
  CHECK_EQ(mm3_hashmap_len(file, &m->texts), count);
  CHECK_EQ(walked, count);
}

static int set_text(struct mm3_file *file, struct maps *m, uint64_t i, uint32_t version) {
  char key[64], value[128];
  size_t key_len = maps_text(i, 16, key), len = maps_text(i << 32 | version, 32, value);
  return mm3_hashmap_set_held(file, &m->texts, mm3_str_n(key, key_len), mm3_str_n(value, len));
}

static void texts_against_a_model(void) {
  uint64_t n = maps_entries(250000) + 1, seed = maps_seed("texts"), wrong = 0, k = 0;
  uint32_t *version = calloc(n, sizeof *version);
  struct mm3_file *file = maps_new("a.mm3");
  if (!file || !CHECK(version != NULL)) return;
  struct maps *m = mm3_root(file, maps);
  char key[64];
  mm3_lock(file);
  for (uint64_t i = 0; i < n; i++) wrong += set_text(file, m, i, 1) != 0, version[i] = 1;
  CHECK_EQ(wrong, 0);
  compare_texts(file, m, version, n);
  for (uint64_t until = maps_until(); k < 2 * n || mm3test_now_ns() < until; k++) {
    uint64_t i = maps_random(&seed) % n;
    if (maps_random(&seed) % 3 == 0) {
      size_t len = maps_text(i, 16, key);
      wrong += mm3_hashmap_remove_held(file, &m->texts, mm3_str_n(key, len)) != (version[i] ? 0 : -MM3_E_ABSENT);
      version[i] = 0;
    } else {
      wrong += set_text(file, m, i, (uint32_t)k + 2) != (version[i] != 0);
      version[i] = (uint32_t)k + 2;
    }
  }
  CHECK_EQ(wrong, 0);
  compare_texts(file, m, version, n);
  mm3_unlock(file);
  CHECK_SOUND(file);
  CHECK_EQ(mm3_close(file), 0);
  file = maps_open("a.mm3", 0);
  if (!file) return;
  m = mm3_root(file, maps);
  compare_texts(file, m, version, n);
  say_what_was_done("texts", n, k, file);
  CHECK_EQ(mm3_hashmap_clear(file, &m->texts), 0);
  struct mm3_heap_stats stats = {.size = sizeof stats};
  CHECK_EQ(mm3_heap_measure(file, &stats), 0);
  CHECK_EQ(stats.blocks, 0); /* clear gave everything back */
  CHECK_SOUND(file);
  CHECK_EQ(mm3_close(file), 0);
  free(version);
}

MM3_TEST_SUITE("hashmap", {"an empty map has nothing", an_empty_map},
               {"each kind of key and value is set, replaced, read and removed", one_entry_of_each_kind},
               {"texts too long for a buffer or a type are refused and change nothing", texts_that_do_not_fit},
               {"numbers: insert, overwrite, remove, random operations and reopening equal a model",
                numbers_against_a_model},
               {"texts: the same", texts_against_a_model})

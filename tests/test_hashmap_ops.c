/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* hashmap's operations one by one: what they return, what callbacks may say, many at once, views, walks, sums. */
#include "mm3list.h"
#include "mm3maps.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

static void add_makes_counts_and_wraps(void) {
  struct mm3_file *file = maps_new("a.mm3");
  uint64_t number = 0;
  uint32_t narrow = 0;
  if (!file) return;
  struct maps *m = mm3_root(file, maps);
  CHECK_EQ(mm3_hashmap_add(file, &m->words, "a", 5), 0); /* a new entry is what was added */
  CHECK_EQ(mm3_hashmap_add(file, &m->words, "a", 7), 1);
  CHECK_EQ(mm3_hashmap_get(file, &m->words, "a", &number), 0);
  CHECK_EQ(number, 12);
  CHECK_EQ(mm3_hashmap_add(file, &m->words, "a", UINT64_MAX), 1);
  CHECK_EQ(mm3_hashmap_get(file, &m->words, "a", &number), 0);
  CHECK_EQ(number, 11);
  CHECK_EQ(mm3_hashmap_add(file, &m->names, "n", UINT32_MAX), 0);
  CHECK_EQ(mm3_hashmap_add(file, &m->names, "n", 3), 1);
  CHECK_EQ(mm3_hashmap_get(file, &m->names, "n", &narrow), 0);
  CHECK_EQ(narrow, 2);
  CHECK_EQ(mm3_hashmap_add(file, &m->names, "a key of more than twenty-four bytes", 3), -MM3_E_VALUE);
  CHECK_EQ(mm3_hashmap_len(file, &m->names), 1);
  CHECK_SOUND(file);
  CHECK_EQ(mm3_close(file), 0);
}

static void get_or_insert_keeps_what_is_there(void) {
  struct mm3_file *file = maps_new("a.mm3");
  struct point first = {1, 2, 3}, second = {4, 5, 6}, out = {7, 8, 9};
  char text[8] = "old";
  struct mm3_buf buf = mm3_buf_of(text, sizeof text);
  if (!file) return;
  struct maps *m = mm3_root(file, maps);
  CHECK_EQ(mm3_hashmap_get_or_insert(file, &m->points, 1, &first, &out), 0);
  CHECK(out.x == 7 && out.z == 9); /* untouched */
  CHECK_EQ(mm3_hashmap_get_or_insert(file, &m->points, 1, &second, &out), 1);
  CHECK(out.x == 1 && out.y == 2 && out.z == 3);
  CHECK_EQ(mm3_hashmap_get_or_insert(file, &m->texts, "k", "first", &buf), 0);
  CHECK_EQ(mm3_hashmap_get_or_insert(file, &m->texts, "k", "second", &buf), 1);
  CHECK_STR(text, "first");
  buf = mm3_buf_of(text, 3);
  CHECK_EQ(mm3_hashmap_get_or_insert(file, &m->texts, "k", "second", &buf), -ERANGE);
  CHECK_EQ(buf.len, 5);
  CHECK_SOUND(file);
  CHECK_EQ(mm3_close(file), 0);
}

static int add_to_x(void *value, void *arg) {
  struct point *p = value;
  p->x += *(uint32_t *)arg;
  return p->x > 100 ? -EDOM : 0;
}

static void update_changes_a_copy_or_nothing(void) {
  struct mm3_file *file = maps_new("a.mm3");
  struct point p = {60, 2, 3};
  uint32_t by = 30;
  if (!file) return;
  struct maps *m = mm3_root(file, maps);
  CHECK_EQ(mm3_hashmap_update(file, &m->points, 9, add_to_x, &by), -MM3_E_ABSENT);
  CHECK_EQ(mm3_hashmap_set(file, &m->points, 9, &p), 0);
  CHECK_EQ(mm3_hashmap_update(file, &m->points, 9, add_to_x, &by), 0);
  CHECK_EQ(mm3_hashmap_update(file, &m->points, 9, add_to_x, &by), -EDOM); /* 120: the callback says no */
  CHECK_EQ(mm3_hashmap_get(file, &m->points, 9, &p), 0);
  CHECK(p.x == 90 && p.y == 2 && p.z == 3);
  CHECK_EQ(mm3_locked(file), 0);
  CHECK_SOUND(file);
  CHECK_EQ(mm3_close(file), 0);
}

static int keep_long_values(const struct mm3_hashmap_item *item, void *arg) {
  int *left = arg;
  if (*left == 0) return -ECANCELED;
  --*left;
  return item->value.len > 8;
}

static void retain_removes_the_others_and_may_stop(void) {
  struct mm3_file *file = maps_new("a.mm3");
  int left = 1000;
  if (!file) return;
  struct maps *m = mm3_root(file, maps);
  for (int i = 0; i < 500; i++)
    CHECK_EQ(mm3_hashmap_set(file, &m->notes, i, i % 5 ? "short" : "long enough to stay"), 0);
  CHECK_EQ(mm3_hashmap_retain(file, &m->notes, keep_long_values, &left), 400);
  CHECK_EQ(mm3_hashmap_len(file, &m->notes), 100);
  for (int i = 0; i < 500; i++) CHECK_EQ(mm3_hashmap_contains(file, &m->notes, i), i % 5 == 0);
  for (int i = 0; i < 500; i++) mm3_hashmap_set(file, &m->notes, i, "short");
  left = 10;
  CHECK_EQ(mm3_hashmap_retain(file, &m->notes, keep_long_values, &left), -ECANCELED);
  CHECK_EQ(mm3_hashmap_len(file, &m->notes), 490);
  CHECK_SOUND(file);
  CHECK_EQ(mm3_close(file), 0);
}

/* Every third key is absent; counts around a batch's size, and texts. */
static void many_at_once_are_as_one_by_one(void) {
  struct mm3_file *file = maps_new("a.mm3");
  uint64_t keys[100], values[100];
  uint8_t found[100];
  if (!file) return;
  struct maps *m = mm3_root(file, maps);
  for (uint64_t i = 0; i < 3000; i++)
    if (i % 3) CHECK_EQ(mm3_hashmap_set(file, &m->numbers, i, i * 7), 0);
  for (size_t n = 0; n <= 100; n = n < 30 || n > 34 ? n + 10 : n + 1) {
    int64_t there = 0;
    for (size_t i = 0; i < n; i++) keys[i] = i * 29, there += keys[i] % 3 != 0;
    CHECK_EQ(mm3_hashmap_get_many(file, &m->numbers, keys, n, values, found), there);
    for (size_t i = 0; i < n; i++) CHECK(found[i] == (keys[i] % 3 != 0) && (!found[i] || values[i] == keys[i] * 7));
  }
  char out[2][16];
  struct mm3_buf bufs[2] = {mm3_buf_of(out[0], 16), mm3_buf_of(out[1], 16)};
  struct mm3_str names[2] = {mm3_str_n("one", 3), mm3_str_n("two", 3)};
  CHECK_EQ(mm3_hashmap_set(file, &m->texts, "two", "deux"), 0);
  CHECK_EQ(mm3_hashmap_get_many(file, &m->texts, names, 2, bufs, found), 1);
  CHECK(found[0] == 0 && found[1] == 1);
  CHECK_STR(out[1], "deux");
  CHECK_EQ(mm3_close(file), 0);
}

static void views_lead_into_the_mapping(void) {
  struct mm3_file *file = maps_new("a.mm3");
  struct point p = {1, 2, 3};
  struct mm3_str text = {NULL, 0};
  if (!file) return;
  struct maps *m = mm3_root(file, maps);
  CHECK(mm3_hashmap_view(file, &m->points, 5) == NULL);
  CHECK_EQ(mm3_hashmap_view_text(file, &m->texts, "k", &text), -MM3_E_ABSENT);
  CHECK_EQ(mm3_hashmap_set(file, &m->points, 5, &p), 0);
  CHECK_EQ(mm3_hashmap_set(file, &m->texts, "k", "value"), 0);
  const struct point *seen = mm3_hashmap_view(file, &m->points, 5);
  CHECK(seen && seen->z == 3 && (const unsigned char *)seen > file->base);
  CHECK_EQ(mm3_hashmap_view_text(file, &m->texts, "k", &text), 0);
  CHECK(text.len == 5 && memcmp(text.ptr, "value", 5) == 0 && (const unsigned char *)text.ptr > file->base);
  CHECK_EQ(mm3_close(file), 0);
}

static void sums_are_those_of_the_entries(void) {
  struct mm3_file *file = maps_new("a.mm3");
  struct mm3_hashmap_stats stats = {.size = sizeof stats};
  if (!file) return;
  struct maps *m = mm3_root(file, maps);
  CHECK_EQ(mm3_hashmap_stats(file, &m->numbers, &stats), 0);
  CHECK(stats.count == 0 && stats.bytes_an_entry >= 0 && stats.bytes_an_entry <= 0);
  for (uint64_t i = 0; i < 5000; i++) mm3_hashmap_set(file, &m->numbers, maps_key(i), i);
  for (uint64_t i = 0; i < 100; i++) mm3_hashmap_set(file, &m->notes, (int)i, "a text of the heap");
  CHECK_EQ(mm3_hashmap_stats(file, &m->numbers, &stats), 0);
  CHECK(stats.count == 5000 && stats.slots == 16 * stats.groups && stats.slots >= 5000 && stats.record_bytes == 0);
  CHECK(stats.load > 0.43 && stats.load <= 0.875 && stats.bytes_an_entry > 17 && stats.bytes_an_entry < 43);
  CHECK(stats.probes_mean >= 1 && stats.probes_mean < 1.2 && stats.probes_max >= 1 && stats.rebuilds > 3);
  CHECK_EQ(mm3_hashmap_stats(file, &m->notes, &stats), 0);
  CHECK(stats.count == 100 && stats.record_bytes >= 100 * 26);
  struct mm3_hashmap_stats of_old = {.size = offsetof(struct mm3_hashmap_stats, table_bytes), .table_bytes = 77, .rebuilds = 88};
  CHECK_EQ(mm3_hashmap_stats(file, &m->notes, &of_old), 0); /* a program that knew of three members */
  CHECK(of_old.count == 100 && of_old.groups > 0 && of_old.table_bytes == 77 && of_old.rebuilds == 88);
  CHECK_EQ(of_old.size, offsetof(struct mm3_hashmap_stats, table_bytes));
  struct mm3_hashmap_stats unset = {0};
  CHECK_EQ(mm3_hashmap_stats(file, &m->notes, &unset), -EINVAL);
  CHECK_EQ(mm3_close(file), 0);
}

static void a_walk_meets_each_entry_once_and_goes_on_after_too_little_room(void) {
  struct mm3_file *file = maps_new("a.mm3");
  struct mm3_hashmap_cursor cursor;
  char key[64], value[64], seen[300] = {0};
  unsigned entries = 0, refused = 0;
  int result;
  if (!file) return;
  struct maps *m = mm3_root(file, maps);
  memset(&cursor, 0, sizeof cursor);
  for (int i = 0; i < 300; i++) {
    snprintf(key, sizeof key, "%d", i);
    CHECK_EQ(mm3_hashmap_set(file, &m->texts, key, i % 10 ? "s" : "a longer value than most"), 0);
  }
  for (size_t room = 8;;) {
    struct mm3_buf k = mm3_buf_of(key, sizeof key), v = mm3_buf_of(value, room);
    result = mm3_hashmap_next(file, &m->texts, &cursor, &k, &v);
    room = result == -ERANGE ? sizeof value : 8;
    if (result == -ERANGE) refused++;
    if (result == 1) seen[atoi(key)]++, entries++;
    if (result != 1 && result != -ERANGE) break;
  }
  CHECK_EQ(result, 0);
  CHECK_EQ(entries, 300);
  CHECK_EQ(refused, 30);
  CHECK(memchr(seen, 0, sizeof seen) == NULL && memchr(seen, 2, sizeof seen) == NULL);
  CHECK_EQ(cursor.restarts, 0);
  CHECK_EQ(mm3_close(file), 0);
}

static void a_file_that_is_one_map(void) {
  struct mm3_error error = {0};
  char text[32];
  struct mm3_buf buf = mm3_buf_of(text, sizeof text);
  for (int round = 0; round < 2; round++) {
    struct mm3_file *file = mm3_hashmap_create(mm3test_path("cache.mm3"), &error);
    CHECK_OK(file ? 0 : -1, error);
    if (!file) return;
    CHECK_EQ(mm3_hashmap_set(file, mm3_hashmap_of(file), "key1", "value1"), round);
    CHECK_EQ(mm3_hashmap_get(file, mm3_hashmap_of(file), "key1", &buf), 0);
    CHECK_STR(text, "value1");
    CHECK_EQ(mm3_close(file), 0);
  }
  CHECK(mm3_hashmap_create(mm3test_path("no/such/folder.mm3"), &error) == NULL);
  CHECK_EQ(error.code, -ENOENT);
}

#define EMPTY_MAP a_map(NULL, 0)

/* All or nothing: what is refused is so before anything is stored, in another field either. */
static void a_key_that_comes_twice_is_refused_dry(void) {
  struct mm3_file *file = maps_new("a.mm3");
  if (!file) return;
  struct mm3_value seven = MAP(a_text("7"), an_int(1), a_text("8"), an_int(2), a_text("07"), an_int(3));
  struct mm3_value point = MAP(a_text("x"), an_int(1)), one = a_text("01"), two = a_text("02");
  struct mm3_value places = LIST(LIST(point, one), LIST(MAP(a_text("x"), an_int(2)), two), LIST(point, one));
  CHECK_OK(show_put(file, "", MAP(a_text("words"), MAP(a_text("old"), an_int(1)))), show_error);
  CHECK_FAILS(show_put(file, "", MAP(a_text("words"), EMPTY_MAP, a_text("numbers"), seven)), -MM3_E_VALUE, show_error);
  CHECK_HAS(show_error.text, "twice");
  CHECK_STR(show(file, "words"), "{old=1}");
  CHECK_FAILS(show_put(file, "", MAP(a_text("words"), EMPTY_MAP, a_text("places"), places)), -MM3_E_VALUE, show_error);
  CHECK_STR(show(file, "words"), "{old=1}");
  struct mm3_value pairs[200];
  static char names[100][8];
  for (int i = 0; i < 100; i++) {
    snprintf(names[i], sizeof names[i], "k%d", i);
    pairs[2 * i] = a_text(names[i]);
    pairs[2 * i + 1] = an_int(i);
  }
  CHECK_OK(show_put(file, "", MAP(a_text("words"), a_map(pairs, 100))), show_error);
  CHECK_STR(show(file, "words[\"k99\"]"), "99");
  pairs[198] = a_text("k0");
  CHECK_FAILS(show_put(file, "", MAP(a_text("notes"), EMPTY_MAP, a_text("words"), a_map(pairs, 100))), -MM3_E_VALUE,
              show_error);
  CHECK_SOUND(file);
  CHECK_EQ(mm3_close(file), 0);
}

static int add_by_path(struct mm3_file *file, const char *path, struct mm3_value by, char sum[48]) {
  struct mm3_field field;
  int result = mm3_field_find(file, path, &field, &show_error);
  return result < 0 ? result : mm3_field_add(&field, &by, sum, &show_error);
}

static void an_entry_is_added_to_by_path(void) {
  struct mm3_file *file = maps_new("a.mm3");
  char sum[48] = "";
  if (!file) return;
  struct maps *m = mm3_root(file, maps);
  mm3_hashmap_set(file, &m->words, "a", UINT64_MAX - 2);
  mm3_hashmap_set(file, &m->names, "n", 5);
  mm3_hashmap_set(file, &m->points, 1, &((struct point){1, 2, 3}));
  mm3_hashmap_set(file, &m->texts, "t", "5");
  CHECK_OK(add_by_path(file, "words[\"a\"]", an_int(2), sum), show_error);
  CHECK_STR(sum, "18446744073709551615");
  CHECK_FAILS(add_by_path(file, "words[\"a\"]", an_int(1), sum), -MM3_E_VALUE, show_error);
  CHECK_HAS(show_error.text, "18446744073709551616 does not fit u64");
  CHECK_OK(add_by_path(file, "words[\"a\"]", a_text("-18446744073709551615"), sum), show_error);
  CHECK_STR(sum, "0");
  CHECK_FAILS(add_by_path(file, "words[\"a\"]", an_int(-1), sum), -MM3_E_VALUE, show_error);
  CHECK_OK(add_by_path(file, "points[1].y", an_int(-2), sum), show_error);
  CHECK_STR(show(file, "points"), "{1={x=1,y=0,z=3}}");
  CHECK_FAILS(add_by_path(file, "names[\"n\"]", a_bool(1), sum), -MM3_E_VALUE, show_error);
  CHECK_FAILS(add_by_path(file, "names[\"n\"]", a_text("4294967291"), sum), -MM3_E_VALUE, show_error);
  CHECK_HAS(show_error.text, "4294967296 does not fit");
  CHECK_OK(add_by_path(file, "names[\"other\"]", an_int(3), sum), show_error); /* as mm3_hashmap_add makes it */
  CHECK_STR(sum, "3");
  CHECK_EQ(mm3_hashmap_remove(file, &m->names, "other"), 0);
  CHECK_FAILS(add_by_path(file, "points[1]", an_int(1), sum), -MM3_E_VALUE, show_error);
  CHECK_FAILS(add_by_path(file, "texts[\"t\"]", an_int(1), sum), -MM3_E_VALUE, show_error);
  CHECK_HAS(show_error.text, "found a string");
  CHECK_STR(show(file, "names"), "{n=5}");
  CHECK_SOUND(file);
  CHECK_EQ(mm3_close(file), 0);
}

static void *put_without_the_lock(void *arg) {
  struct mm3_ctx ctx = {.size = sizeof ctx, .flags = MM3_CTX_WRITABLE, .file = arg, .error = &show_error};
  struct mm3_field field;
  struct mm3_value one = MAP(a_text("1"), an_int(1));
  CHECK_EQ(mm3_field_find(arg, "numbers", &field, &show_error), 0);
  CHECK_OK(mm3_type_put(field.type, field.bytes, &one, &ctx), show_error);
  return NULL;
}

/* A generation that came again could make a freed table look like the one that lies there now. */
static void a_put_that_waits_counts_the_tables_made_meanwhile(void) {
  struct mm3_file *file = maps_new("a.mm3");
  pthread_t thread;
  if (!file) return;
  struct maps *m = mm3_root(file, maps);
  CHECK_EQ(mm3_lock(file), 0);
  if (!CHECK_EQ(pthread_create(&thread, NULL, put_without_the_lock, file), 0)) return;
  usleep(100000);
  for (uint64_t n = 1000; n <= 100000; n *= 10) CHECK_EQ(mm3_hashmap_reserve_held(file, &m->numbers, n), 0);
  uint64_t generation = m->numbers.mm3_value.generation;
  CHECK_EQ(generation, 3);
  CHECK_EQ(mm3_unlock(file), 0);
  CHECK_EQ(pthread_join(thread, NULL), 0);
  CHECK_EQ(m->numbers.mm3_value.generation, generation + 1);
  CHECK_EQ(mm3_hashmap_len(file, &m->numbers), 1);
  CHECK_SOUND(file);
  CHECK_EQ(mm3_close(file), 0);
}

MM3_TEST_SUITE("hashmap_ops", {"an entry is added to by path", an_entry_is_added_to_by_path},
               {"a put that waits counts the tables made meanwhile",
                               a_put_that_waits_counts_the_tables_made_meanwhile},
               {"a key that comes twice is refused dry", a_key_that_comes_twice_is_refused_dry},
               {"add makes counts, and wraps", add_makes_counts_and_wraps},
               {"get_or_insert keeps what is there", get_or_insert_keeps_what_is_there},
               {"update changes a copy, or nothing", update_changes_a_copy_or_nothing},
               {"retain removes the others, and may stop", retain_removes_the_others_and_may_stop},
               {"many at once are as one by one", many_at_once_are_as_one_by_one},
               {"views lead into the mapping", views_lead_into_the_mapping},
               {"sums are those of the entries", sums_are_those_of_the_entries},
               {"a walk meets each entry once, and goes on after too little room",
                a_walk_meets_each_entry_once_and_goes_on_after_too_little_room},
               {"a file that is one map", a_file_that_is_one_map})

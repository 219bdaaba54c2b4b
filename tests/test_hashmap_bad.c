/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* hashmap on damaged bytes, full disks, limits, and programs that declare other types. */
#include "mm3maps.h"

#include <errno.h>
#include <mm3/heap.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file with a few hundred entries in several maps. */
static struct mm3_file *filled(const char *name, uint64_t n) {
  struct mm3_file *file = maps_new(name);
  if (!file) return NULL;
  struct maps *m = mm3_root(file, maps);
  char key[64], value[128];
  mm3_lock(file);
  for (uint64_t i = 0; i < n; i++) {
    struct point p = {(uint32_t)i, 1, i};
    size_t key_len = maps_text(i, 3, key), len = maps_text(i + 1000, 5, value);
    CHECK_EQ(mm3_hashmap_set_held(file, &m->numbers, i, i * 2), 0);
    CHECK_EQ(mm3_hashmap_set_held(file, &m->points, i, &p), 0);
    CHECK_EQ(mm3_hashmap_set_held(file, &m->texts, mm3_str_n(key, key_len), mm3_str_n(value, len)), 0);
    CHECK_EQ(mm3_hashmap_set_held(file, &m->names, mm3_str_n(key, key_len), i), 0);
    CHECK_EQ(mm3_hashmap_set_held(file, &m->notes, (int)i, mm3_str_n(value, len)), 0);
  }
  mm3_unlock(file);
  return file;
}

/* Everything that a program can do; what it returns does not matter, only that it returns. */
static uint64_t use_all(struct mm3_file *file, struct maps *m, uint64_t n) {
  uint64_t number, good = 0;
  char key[64], text[128];
  struct mm3_buf buf = mm3_buf_of(text, sizeof text), key_buf = mm3_buf_of(key, sizeof key);
  struct point p;
  for (uint64_t i = 0; i < n; i++) {
    good += mm3_hashmap_get(file, &m->numbers, i, &number) == 0;
    good += mm3_hashmap_get(file, &m->points, i, &p) == 0;
    good += mm3_hashmap_get(file, &m->notes, (int)i, &buf) == 0;
    size_t key_len = maps_text(i, 3, key);
    good += mm3_hashmap_get(file, &m->texts, mm3_str_n(key, key_len), &buf) == 0;
  }
  struct mm3_hashmap_cursor a = {0, 0, 0, 0}, b = {0, 0, 0, 0};
  for (uint64_t k = 0; k < 3 * n && mm3_hashmap_next(file, &m->points, &a, &number, &p) == 1; k++) good++;
  for (uint64_t k = 0; k < 3 * n && mm3_hashmap_next(file, &m->texts, &b, &key_buf, &buf) == 1; k++) good++;
  uint64_t keys[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, values[9];
  good += (uint64_t)(mm3_hashmap_get_many(file, &m->numbers, keys, 9, values, NULL) > 0);
  struct mm3_hashmap_stats stats = {.size = sizeof stats};
  mm3_hashmap_stats(file, &m->texts, &stats);
  mm3_check(file, NULL, NULL);
  mm3_hashmap_len(file, &m->points);
  return good;
}

static void change_all(struct mm3_file *file, struct maps *m, uint64_t n) {
  struct point p = {9, 9, 9};
  char key[64];
  if (mm3_lock(file) < 0) return;
  for (uint64_t i = 0; i < n; i += 5) {
    size_t key_len = maps_text(i, 3, key);
    mm3_hashmap_set_held(file, &m->numbers, i, i);
    mm3_hashmap_set_held(file, &m->points, i + n, &p);
    mm3_hashmap_set_held(file, &m->points, i, &p);
    mm3_hashmap_set_held(file, &m->texts, mm3_str_n(key, key_len), "other");
    mm3_hashmap_remove_held(file, &m->notes, (int)i);
    mm3_hashmap_remove_held(file, &m->names, mm3_str_n(key, key_len));
  }
  mm3_hashmap_reserve_held(file, &m->numbers, 3 * n);
  mm3_hashmap_shrink_held(file, &m->texts);
  mm3_hashmap_clear_held(file, &m->notes);
  mm3_unlock(file);
}

static void a_control_byte_that_lies(void) {
  struct mm3_file *file = filled("a.mm3", 200);
  if (!file) return;
  struct maps *m = mm3_root(file, maps);
  unsigned char *control = file->base + (m->numbers.table & MM3_I_HM_OFFSET) + MM3_I_HM_HEAD;
  struct mm3_error error;
  struct mm3_field field;
  unsigned lane = 0, found = 0;
  CHECK_OK(mm3_field_find(file, "numbers", &field, &error), error);
  CHECK_OK(mm3_field_check(&field, &error), error);
  while (control[lane] < 2) lane++;
  for (unsigned wrong = 0; wrong < 256; wrong++) {
    unsigned char right = control[lane];
    control[lane] = (unsigned char)wrong;
    if (wrong != right) found += mm3_field_check(&field, &error) == -MM3_E_DAMAGED;
    CHECK(use_all(file, m, 200) > 0);
    control[lane] = right;
  }
  CHECK_EQ(found, 255);
  for (lane = 0; control[lane] >= 2; lane++) {
  }
  control[lane] = 77; /* an entry that nobody made */
  CHECK_FAILS(mm3_field_check(&field, &error), -MM3_E_DAMAGED, error);
  CHECK_EQ(mm3_close(file), 0);
}

static const uint64_t odd[] = {0, 1, 63, 64, 65, 4096, 65536, UINT32_MAX, 1 << 20, 1 << 30, UINT64_C(1) << 36,
                               UINT64_C(1) << 47, UINT64_C(1) << 48, INT64_MAX, UINT64_C(1) << 63, UINT64_MAX - 63,
                               UINT64_MAX};

/* Each word of the root's maps and of their tables' heads, with each odd value: used, then put back. */
static void words_that_lie(void) {
  struct mm3_file *file = filled("a.mm3", 60);
  if (!file) return;
  struct maps *m = mm3_root(file, maps);
  uint64_t *words[200], n = 0, damaged = 0;
  struct mm3_i_hashmap *all[] = {MM3_I_HM(&m->numbers), MM3_I_HM(&m->points), MM3_I_HM(&m->texts), MM3_I_HM(&m->notes)};
  for (unsigned k = 0; k < 4; k++) {
    for (unsigned i = 0; i < 4; i++) words[n++] = &all[k]->table + i;
    uint64_t *head = (uint64_t *)(void *)(file->base + (all[k]->table & MM3_I_HM_OFFSET));
    for (unsigned i = 0; i < 16; i++) words[n++] = head + i;
  }
  for (uint64_t w = 0; w < n; w++) {
    uint64_t right = *words[w];
    for (unsigned i = 0; i < sizeof odd / sizeof odd[0]; i++) {
      *words[w] = odd[i];
      CHECK(use_all(file, m, 60) > 60); /* the other maps go on */
      damaged += mm3_check(file, NULL, NULL) > 0;
      *words[w] = right;
    }
    *words[w] = right + 1;
    use_all(file, m, 60);
    *words[w] = right;
  }
  CHECK(damaged > 100);
  CHECK_SOUND(file);
  CHECK_EQ(mm3_close(file), 0);
}

/* Any words anywhere in the tables and records, then all operations: they end, and leave nobody's memory. A step beyond
 * the file's end would be a SIGBUS, beyond the map a SIGSEGV. */
static int scribble(void *arg) {
  uint64_t seed = *(uint64_t *)arg;
  for (int round = 0; round < 150; round++) {
    char name[32];
    snprintf(name, sizeof name, "s%d.mm3", round);
    struct mm3_file *file = filled(name, 60);
    if (!file) return 1;
    struct maps *m = mm3_root(file, maps);
    struct stat status;
    uint64_t from = (uint64_t)((unsigned char *)m - file->base);
    if (stat(mm3test_path(name), &status) < 0) return 2;
    uint64_t tables[] = {m->numbers.table, m->points.table, m->texts.table, m->notes.table, m->names.table};
    for (int k = 0; k < 60; k++) {
      uint64_t where = maps_random(&seed) % 3
                         ? (tables[maps_random(&seed) % 5] & MM3_I_HM_OFFSET) + maps_random(&seed) % 4096
                         : from + maps_random(&seed) % sizeof *m;
      uint64_t what =
        maps_random(&seed) % 2 ? odd[maps_random(&seed) % (sizeof odd / sizeof odd[0])] : maps_random(&seed);
      where &= ~UINT64_C(7);
      if (where + 8 <= (uint64_t)status.st_size) memcpy(file->base + where, &what, 8);
      if (k % 10 == 9) use_all(file, m, 60);
    }
    change_all(file, m, 60);
    use_all(file, m, 60);
    mm3_close(file);
    unlink(mm3test_path(name));
  }
  return 0;
}

static void scribbled_tables_stay_inside(void) {
  uint64_t seed = maps_seed("scribble");
  CHECK_EQ(mm3test_fork(scribble, &seed), 0);
}

/* ---- no room ---- */

static void filled_until_it_fails(struct mm3_file *file, int wanted) {
  struct maps *m = mm3_root(file, maps);
  uint64_t n = 0, k = 0, value, wrong = 0;
  char text[4000], out[4001];
  struct mm3_buf buf = mm3_buf_of(out, sizeof out);
  int result;
  memset(text, 'x', sizeof text);
  while ((result = mm3_hashmap_set(file, &m->numbers, n, n * 3)) == 0) n++;
  CHECK_EQ(result, wanted);
  CHECK(n > 1000);
  CHECK_EQ(mm3_hashmap_set(file, &m->numbers, n, n), wanted);
  while ((result = mm3_hashmap_set(file, &m->notes, (int)k, mm3_str_n(text, sizeof text))) == 0) k++;
  CHECK_EQ(result, wanted);
  if (k) CHECK_EQ(mm3_hashmap_set(file, &m->notes, 0, mm3_str_n(text, sizeof text)), wanted); /* the old value stands */
  for (uint64_t i = 0; i < n; i++) wrong += mm3_hashmap_get(file, &m->numbers, i, &value) != 0 || value != i * 3;
  for (uint64_t i = 0; i < k; i++)
    wrong += mm3_hashmap_get(file, &m->notes, (int)i, &buf) != 0 || buf.len != sizeof text;
  CHECK_EQ(wrong, 0);
  CHECK_EQ(mm3_hashmap_len(file, &m->numbers), n);
  CHECK_EQ(mm3_hashmap_reserve(file, &m->numbers, 100 * n), wanted);
  CHECK_SOUND(file);
  for (uint64_t i = 0; i < n; i++) wrong += mm3_hashmap_set(file, &m->numbers, i, i) != 1; /* needs no room */
  for (uint64_t i = 0; i < n; i += 2) wrong += mm3_hashmap_remove(file, &m->numbers, i) != 0;
  for (uint64_t i = 0; i < n / 4; i += 2) wrong += mm3_hashmap_set(file, &m->numbers, i, i) != 0; /* work goes on */
  CHECK_EQ(wrong, 0);
  CHECK_EQ(mm3_hashmap_clear(file, &m->notes), 0);
  CHECK_EQ(mm3_hashmap_set(file, &m->notes, 1, mm3_str_n(text, sizeof text)), 0);
  CHECK_SOUND(file);
}

static struct mm3_file *limited(const char *name, uint64_t limit, uint64_t reserve) {
  struct mm3_error error = {0};
  struct mm3_options options = {.size = sizeof options, .limit = limit, .reserve = reserve};
  struct mm3_file *file = mm3_create(name, MM3_TYPE(maps), &options, &error);
  if (!CHECK(file != NULL)) fprintf(stderr, "%s\n", error.text);
  return file;
}

static void a_limit_and_a_reserve(void) {
  struct mm3_file *file = limited(mm3test_path("limit.mm3"), 1 << 20, 0);
  if (file) filled_until_it_fails(file, -MM3_E_LIMIT);
  mm3_close(file);
  file = limited(mm3test_path("reserve.mm3"), 0, 1 << 20);
  if (file) filled_until_it_fails(file, -MM3_E_RESERVE);
  mm3_close(file);
}

static int on_a_small_disk(void *arg) {
  char path[512];
  snprintf(path, sizeof path, "%s/full.mm3", (const char *)arg);
  struct mm3_file *file = limited(path, 0, 0);
  if (!file) return 1;
  filled_until_it_fails(file, -ENOSPC);
  return mm3_close(file) != 0;
}

static void a_full_disk(void) {
  char folder[] = "/tmp/mm3hashmap.XXXXXX";
  if (!CHECK(mkdtemp(folder) != NULL)) return;
  int result = mm3test_fork_mounted(folder, "size=3m", on_a_small_disk, folder);
  rmdir(folder);
  if (result == MM3TEST_NO_MOUNT)
    mm3test_skip("no mounts here");
  else
    CHECK_EQ(result, 0);
}

/* A reader whose reserve another process's table has outgrown. */
static void a_reader_with_a_small_reserve(void) {
  struct mm3_file *file = maps_new("a.mm3");
  struct mm3_error error = {0};
  struct mm3_options options = {.size = sizeof options, .flags = MM3_READ_ONLY, .reserve = 1 << 20};
  if (!file) return;
  struct maps *m = mm3_root(file, maps);
  uint64_t value = 0;
  CHECK_EQ(mm3_hashmap_set(file, &m->numbers, 1, 5), 0);
  struct mm3_file *small = mm3_open(mm3test_path("a.mm3"), MM3_TYPE(maps), &options, &error);
  if (!CHECK(small != NULL)) return;
  const struct maps *seen = mm3_root_const(small, maps);
  CHECK_EQ(mm3_hashmap_get(small, &seen->numbers, 1, &value), 0);
  CHECK_EQ(mm3_hashmap_reserve(file, &m->numbers, 1000000), 0);
  CHECK_EQ(mm3_hashmap_get(small, &seen->numbers, 1, &value), -MM3_E_RESERVE);
  CHECK_EQ(mm3_hashmap_get(file, &m->numbers, 1, &value), 0);
  struct maps *cast = (struct maps *)(uintptr_t)seen;
  CHECK_EQ(mm3_hashmap_set(small, &cast->numbers, 1, 5), -MM3_E_READ_ONLY);
  CHECK_EQ(mm3_close(small) | mm3_close(file), 0);
}

/* ---- programs and schemas that are wrong ---- */

MM3_TYPEDEF(word, string(24));
#define NAMED(FIELD) FIELD(names, hashmap(word, u64))
MM3_STRUCT(named, NAMED);

static void a_string_under_another_name(void) {
  struct mm3_error error = {0};
  struct mm3_file *file = mm3_create(mm3test_path("a.mm3"), MM3_TYPE(named), NULL, &error);
  if (!CHECK(file != NULL)) return;
  MM3_C2_string(24) key = {1, "a"};
  CHECK_EQ(mm3_hashmap_set(file, &mm3_root(file, named)->names, (const void *)&key, 1), -MM3_E_LAYOUT);
  CHECK_EQ(mm3_close(file), 0);
}

static void refused(const char *schema, const char *why) {
  struct mm3_error error = {0};
  struct mm3_file *file = mm3_create_schema(mm3test_path("no.mm3"), schema, NULL, &error);
  CHECK(file == NULL);
  CHECK_EQ(error.code, -MM3_E_SCHEMA);
  CHECK_HAS(error.text, why);
  mm3_close(file);
}

static void types_that_are_refused(void) {
  refused("struct s { m: hashmap(u64) }", "two types");
  refused("struct s { m: hashmap(f64, u64) }", "cannot be f64");
  refused("struct s { m: hashmap(vec(u8, 3), u64) }", "cannot be vec(u8, 3)");
  refused("struct p { x: u8 y: u32 } struct s { m: hashmap(p, u64) }", "unused bytes before 'y'");
  refused("struct p { x: u32 y: u8 } struct s { m: hashmap(p, u64) }", "unused bytes at its end");
  refused("struct p { x: string(8) } struct s { m: hashmap(p, u64) }", "cannot be string(8)");
  refused("struct s { m: hashmap(raw(5000), u64) }", "at most 4096");
  refused("struct s { m: hashmap(u64, raw(2000000)) }", "at most 1048576");
  refused("struct s { m: hashmap(u64, segmented(u64)) }", "a value cannot be segmented(u64)");
  refused("struct s { m: hashmap(u64, hashmap(u64, u64)) }", "cannot be an element");
}

MM3_TEST_SUITE("hashmap_bad", {"a control byte that lies is found, and harms nobody", a_control_byte_that_lies},
               {"words that lie are codes, and other maps go on", words_that_lie},
               {"scribbled tables never lead out of the file, and operations end", scribbled_tables_stay_inside},
               {"a limit and a reserve keep every entry", a_limit_and_a_reserve},
               {"a full disk keeps every entry, also in a rebuild", a_full_disk},
               {"a reader with a small reserve is told so; a read-only one cannot write",
                a_reader_with_a_small_reserve},
               {"a string key under a name of its own is refused", a_string_under_another_name},
               {"types that cannot be keys or values are refused in words", types_that_are_refused})

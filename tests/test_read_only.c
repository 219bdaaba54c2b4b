/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Who opened read-only writes nothing: each file's bytes and times before and after everything that can be read, also
 * where a dead owner left the lock and a change half done, which a writer would see to. */
#include "hostile/victims.h"
#include "mm3files.h"
#include "structs.h"

#include <mm3/repair.h>
#include <sys/stat.h>

struct bytes {
  char *at;
  size_t size;
  struct stat st;
};

static struct bytes bytes_of(const char *path) {
  struct bytes b = {NULL, 0, {0}};
  int fd = open(path, O_RDONLY);
  CHECK_EQ(fstat(fd, &b.st), 0);
  b.size = (size_t)b.st.st_size;
  b.at = malloc(b.size);
  if (CHECK(b.at != NULL)) CHECK_EQ(read(fd, b.at, b.size), (ssize_t)b.size);
  close(fd);
  return b;
}

static bool unchanged(const char *path, const struct bytes *before) {
  struct bytes after = bytes_of(path);
  bool same = after.size == before->size && memcmp(after.at, before->at, after.size) == 0 &&
              after.st.st_mtim.tv_sec == before->st.st_mtim.tv_sec &&
              after.st.st_mtim.tv_nsec == before->st.st_mtim.tv_nsec && after.st.st_mode == before->st.st_mode;
  free(after.at);
  return same;
}

static struct mm3_file *read_only(const char *path, const struct mm3_desc *desc) {
  struct mm3_error error = {0};
  struct mm3_options options = {.size = sizeof options, .flags = MM3_READ_ONLY};
  struct mm3_file *file = mm3_open(path, desc, &options, &error);
  if (!CHECK(file != NULL)) fprintf(stderr, "%s\n", error.text);
  return file;
}

/* What asks about the file, and what would change it. */
static void ask(struct mm3_file *file) {
  struct mm3_file_info info = {0};
  struct mm3_error error;
  struct mm3_field field;
  struct mm3_value value = {.is = MM3_INT, .as.integer = 1};
  char sum[48];
  CHECK_EQ(mm3_file_describe(file, &info), 0);
  CHECK_EQ(info.writable, 0);
  CHECK(mm3_file_schema(file) != NULL);
  CHECK_EQ(mm3_wait(file, mm3_changes(file), 1), 0);
  CHECK_EQ(mm3_lock(file), -MM3_E_READ_ONLY);
  CHECK_EQ(mm3_trylock(file), -MM3_E_READ_ONLY);
  CHECK_EQ(mm3_notify(file), -MM3_E_READ_ONLY);
  CHECK_EQ(mm3_repair(file, MM3_REPAIR_RESET, NULL, NULL, &error), -MM3_E_READ_ONLY);
  struct mm3_member_info member;
  for (uint32_t i = 0; mm3_file_member(file, i, &member) == 0; i++) {
    if (mm3_field_find(file, member.name, &field, &error) < 0) continue;
    CHECK(mm3_field_put(&field, &value, &error) < 0);
    CHECK(mm3_field_push(&field, &value, &error) < 0);
    CHECK(mm3_field_add(&field, &value, sum, &error) < 0);
    CHECK(mm3_field_erase(&field, &error) < 0);
    CHECK(mm3_field_put_key(&field, "7", 1, &value, &error) < 0);
  }
}

/* Both as it was closed, and as somebody who died left it: the lock his, an operation under way. */
static void reads_leave_alone(const char *path, void (*use)(const char *path, const void *arg), const void *arg) {
  struct bytes before = bytes_of(path);
  use(path, arg);
  CHECK(unchanged(path, &before));
  free(before.at);
  uint32_t word = (7u + 1) << MM3I_LOCK_OWNER_SHIFT | 5;
  uint64_t certificate = UINT64_C(1) << 16 | 1;
  spoil(path, offsetof(struct mm3i_super, lock), &word, sizeof word, false);
  spoil(path, offsetof(struct mm3i_super, certificate), &certificate, sizeof certificate, false);
  before = bytes_of(path);
  use(path, arg);
  CHECK(unchanged(path, &before));
  mm3_close(mm3_open(path, NULL, NULL, NULL)); /* the comparison sees a writer */
  CHECK(!unchanged(path, &before));
  free(before.at);
}

/* ---- by path ---- */

static void use_by_path(const char *path, const void *victim) {
  struct victim_tally tally = {0, 0};
  struct mm3_file *file = read_only(path, NULL);
  if (!file) return;
  victim_use(victim, file, 0, &tally);
  CHECK(tally.reads > 5);
  CHECK_EQ(tally.writes, 0);
  ask(file);
  CHECK_EQ(mm3_close(file), 0);
}

static void reading_by_path_writes_nothing(void) {
  victim_prepare(0);
  for (unsigned i = 0; i < victim_count; i++) {
    const char *path = mm3test_path(victims[i].name);
    if (CHECK_EQ(victim_make(&victims[i], path), 0)) reads_leave_alone(path, use_by_path, &victims[i]);
  }
}

/* ---- inline ---- */

static void fill(struct mm3_file *file) {
  struct everything *e = mm3_root(file, everything);
  struct mm3_error error = {0};
  CHECK_EQ(mm3_string_set(&e->name, "a name"), 0);
  for (uint32_t i = 0; i < 5; i++) CHECK_EQ(mm3_vec_push(&e->scores, i), 0);
  CHECK_EQ(mm3_string_array_set(&e->tags, 2, "tag"), 0);
  for (uint64_t i = 0; i < 500; i++) CHECK(mm3_segmented_append(file, &e->events, i) >= 0);
  CHECK(mm3_hashmap_set(file, &e->users, "alice", 5) >= 0);
  CHECK(mm3_hashmap_set(file, &e->cache, "key", "value") >= 0);
  CHECK_OK(mm3_json_set_text(&e->profile, "{\"a\": [1, 2]}", &error), error);
  CHECK(mm3_text_set(file, &e->note, "a note of some length, kept in the heap of the file") >= 0);
}

static void read_texts(struct mm3_file *file, const struct everything *e) {
  char text[200];
  size_t length;
  struct mm3_string_array_iter entry = {0};
  struct mm3_error error = {0};
  json_t *document = NULL;
  CHECK_EQ(mm3_string_get(&e->name, text, sizeof text, &length), 0);
  CHECK_EQ(mm3_string_equal(&e->name, "a name"), 1);
  CHECK_EQ(mm3_string_array_get(&e->tags, 2, text, sizeof text, &length), 0);
  CHECK_EQ(mm3_string_array_find(&e->tags, "tag"), 2);
  while (mm3_string_array_next(&e->tags, &entry)) continue;
  CHECK_EQ(mm3_text_get(file, &e->note, text, sizeof text, &length), 0);
  CHECK_EQ(mm3_text_equal(file, &e->note, "no"), 0);
  CHECK_OK(mm3_json_get(&e->profile, &document, &error), error);
  json_decref(document);
  CHECK_OK(mm3_json_from_file(file, &document, &error), error);
  json_decref(document);
}

static void read_containers(struct mm3_file *file, const struct everything *e) {
  char text[200];
  uint64_t u64;
  uint32_t u32_;
  uint8_t byte;
  struct mm3_buf key = mm3_buf_of(text, 100), value = mm3_buf_of(text + 100, 100);
  struct mm3_hashmap_cursor cursor = {0};
  struct mm3_hashmap_stats stats = {.size = sizeof stats};
  CHECK_EQ(mm3_vec_get(&e->scores, 3, &u32_), 0);
  CHECK_EQ(mm3_vec_back(&e->scores, &u32_), 0);
  CHECK_EQ(mm3_segmented_get(file, &e->events, 400, &u64), 0);
  CHECK_EQ(mm3_segmented_last(file, &e->events, &u64), 0);
  CHECK_EQ(mm3_hashmap_get(file, &e->users, "alice", &u64), 0);
  CHECK_EQ(mm3_hashmap_contains(file, &e->users, "bob"), 0);
  CHECK_EQ(mm3_hashmap_get(file, &e->cache, "key", &value), 0);
  CHECK_EQ(mm3_hashmap_next(file, &e->cache, &cursor, &key, &value), 1);
  CHECK_EQ(mm3_hashmap_stats(file, &e->cache, &stats), 0);
  CHECK_EQ(mm3_ndarray_get(&e->index, &byte, 1, 2, 3), 0);
  CHECK_EQ(mm3_atomic_load(&e->value), 0);
}

static void use_inline(const char *path, const void *arg) {
  (void)arg;
  struct mm3_file *file = read_only(path, MM3_TYPE(everything));
  if (!file) return;
  const struct everything *e = mm3_root_const(file, everything);
  read_texts(file, e);
  read_containers(file, e);
  CHECK_EQ(mm3_hashmap_set(file, &((struct everything *)(uintptr_t)e)->users, "bob", 1), -MM3_E_READ_ONLY);
  mm3_check(file, NULL, NULL);
  CHECK_EQ(mm3_close(file), 0);
}

static void reading_inline_writes_nothing(void) {
  struct mm3_error error = {0};
  const char *path = mm3test_path("all.mm3");
  victim_prepare(0);
  struct mm3_file *file = mm3_create(path, MM3_TYPE(everything), NULL, &error);
  if (!CHECK(file != NULL)) return;
  fill(file);
  CHECK_EQ(mm3_close(file), 0);
  reads_leave_alone(path, use_inline, NULL);
}

MM3_TEST_SUITE("read only", {"reading by path writes nothing", reading_by_path_writes_nothing},
               {"reading inline writes nothing", reading_inline_writes_nothing})

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Structs as values of other kinds: what is copied, freed, owned, compared and hashed is each member's, by its own rules. */
#include "mm3test.h"

#include <errno.h>
#include <mm3.h>
#include <mm3/field.h>
#include <mm3/heap.h>
#include <mm3/json.h>
#include <mm3/repair.h>
#include <stdio.h>
#include <string.h>

static struct mm3_error error;

static struct mm3_file *make(const char *name, const char *schema) {
  struct mm3_file *file = mm3_create_schema(mm3test_path(name), schema, NULL, &error);
  if (!CHECK(file != NULL)) fprintf(stderr, "%s\n", error.text);
  return file;
}

static struct mm3_field find(struct mm3_file *file, const char *path) {
  struct mm3_field field;
  CHECK_OK(mm3_field_find(file, path, &field, &error), error);
  return field;
}

static void put(struct mm3_file *file, const char *path, const char *text) {
  struct mm3_field field = find(file, path);
  json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
  CHECK(value != NULL);
  CHECK_OK(mm3_json_to_field(&field, value, &error), error);
  json_decref(value);
}

/* The value at `path` is this one. */
static void is(struct mm3_file *file, const char *path, const char *text) {
  struct mm3_field field = find(file, path);
  json_t *found = NULL, *wanted = json_loads(text, JSON_DECODE_ANY, NULL);
  CHECK_OK(mm3_json_from_field(&field, &found, &error), error);
  if (!CHECK(json_equal(found, wanted))) fprintf(stderr, "  %s is not %s\n", path, text);
  json_decref(found), json_decref(wanted);
}

static uint64_t blocks(struct mm3_file *file) {
  struct mm3_heap_stats stats = {.size = sizeof stats};
  CHECK_EQ(mm3_heap_measure(file, &stats), 0);
  return stats.blocks;
}

static struct mm3_ctx context(struct mm3_file *file) {
  struct mm3_ctx ctx = {.size = sizeof ctx, .flags = MM3_CTX_WRITABLE | MM3_CTX_LOCKED, .file = file, .error = &error};
  return ctx;
}

/* ---- members without a module -------------------------------------------------------------------------------------- */

static int makes_two(void *arg) {
  struct mm3_file *file = mm3_create_schema(arg, "struct part { a: u8 list: vec(u32, 2) b: u16 } struct r { one: part two: part }",
                                            NULL, &error);
  if (!file) return 1;
  put(file, "one", "{\"a\": 1, \"list\": [5, 6], \"b\": 2}");
  put(file, "two", "{\"a\": 1, \"list\": [5, 7], \"b\": 2}");
  return mm3_close(file) ? 2 : 0;
}

/* First in this program: later the module is there. */
static void what_has_no_module_is_compared_by_its_bytes(void) {
  struct mm3_options options = {.size = sizeof options, .flags = MM3_READ_ONLY | MM3_NO_MODULES};
  char *path = (char *)(uintptr_t)mm3test_path("a.mm3");
  if (!CHECK_EQ(mm3test_fork(makes_two, path), 0)) return;
  struct mm3_file *file = mm3_open(path, NULL, &options, &error);
  if (!CHECK(file != NULL)) return;
  struct mm3_field one = find(file, "one"), two = find(file, "two");
  CHECK_EQ(mm3_field_find(file, "one.list", &two, &error), -MM3_E_MODULE);
  two = find(file, "two");
  CHECK(mm3_type_equal(one.type, one.bytes, one.bytes));
  CHECK(!mm3_type_equal(one.type, one.bytes, two.bytes));
  CHECK(mm3_type_hash(one.type, one.bytes, 1) != mm3_type_hash(one.type, two.bytes, 1));
  mm3_close(file);
}

/* ---- values and hashes ---------------------------------------------------------------------------------------------- */

#define PART "{\"a\": 1, \"b\": 2, \"name\": \"ab\", \"list\": [1, 2], \"grid\": [[1, 2], [3, 4]], \"on\": true, \"in\": {\"x\": 1, \"y\": 2}}"

static const char rows_schema[] =
    "struct point { x: u8 y: u64 }\n"
    "struct part { a: u8 b: u32 name: string(8) list: vec(u16, 3) grid: ndarray(u8, 2, 2) on: bool in: point }\n"
    "struct r { one: part two: part v: vec(part, 3) w: vec(part, 3) g: ndarray(part, 2) h: ndarray(part, 2) }";

static void compare(struct mm3_file *file, const char *one, const char *two, int equal) {
  struct mm3_field a = find(file, one), b = find(file, two);
  CHECK_EQ(mm3_type_equal(a.type, a.bytes, b.bytes) != 0, equal);
  CHECK_EQ(mm3_type_equal(a.type, b.bytes, a.bytes) != 0, equal);
  CHECK_EQ(mm3_type_hash(a.type, a.bytes, 7) == mm3_type_hash(a.type, b.bytes, 7), equal);
}

static void structs_are_equal_when_their_members_are(void) {
  static const char *const other[] = {"{\"a\": 9}", "{\"b\": 9}", "{\"name\": \"abc\"}", "{\"list\": [1]}", "{\"list\": [1, 3]}",
                                      "{\"grid\": [[1, 2], [3, 5]]}", "{\"on\": false}", "{\"in\": {\"y\": 3}}"};
  struct mm3_file *file = make("a.mm3", rows_schema);
  if (!file) return;
  compare(file, "one", "two", 1);
  struct mm3_field two = find(file, "two");
  put(file, "one", PART);
  memset((char *)two.bytes + 1, 0xee, 3); /* what lies between a and b is nobody's */
  put(file, "two", "{\"list\": [8, 8, 8], \"name\": \"longer!\"}"); /* and so is what lies behind a length */
  put(file, "two", PART);
  compare(file, "one", "two", 1);
  for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
    put(file, "two", other[i]);
    compare(file, "one", "two", 0);
    put(file, "two", PART);
    compare(file, "one", "two", 1);
  }
  put(file, "v", "[" PART ", " PART "]");
  put(file, "w", "[" PART ", " PART "]");
  put(file, "g", "[" PART ", " PART "]");
  put(file, "h", "[" PART ", " PART "]");
  compare(file, "v", "w", 1);
  compare(file, "g", "h", 1);
  put(file, "w[1].in.x", "0");
  put(file, "h[1].in.x", "0");
  compare(file, "v", "w", 0);
  compare(file, "g", "h", 0);
  CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  mm3_close(file);
}

/* ---- what a struct owns --------------------------------------------------------------------------------------------- */

static const char notes_schema[] =
    "struct body { text: text n: u32 }\n"
    "struct note { id: u32 body: body tags: segmented(u16) }\n"
    "struct r { one: note two: note v: vec(note, 3) s: segmented(note) g: ndarray(note, 2) }";

#define NOTE(n) "{\"id\": " #n ", \"body\": {\"text\": \"the text of note " #n ", long enough for a block\", \"n\": " #n "}, \"tags\": [" #n "]}"
#define EMPTY "{\"id\": 0, \"body\": {\"text\": \"\", \"n\": 0}, \"tags\": []}"

static void what_a_struct_owns_goes_with_it(void) {
  struct mm3_file *file = make("a.mm3", notes_schema);
  if (!file) return;
  uint64_t none = blocks(file);
  put(file, "one", NOTE(1));
  uint64_t each = blocks(file) - none; /* a text and a segment */
  CHECK_EQ(each, 2);
  put(file, "v", "[" NOTE(1) ", " NOTE(2) ", " NOTE(3) "]");
  put(file, "g", "[" NOTE(4) ", " NOTE(5) "]");
  CHECK_EQ(blocks(file), none + 6 * each);
  CHECK_EQ(mm3_check(file, NULL, NULL), 0); /* each block has one owner, and each owner its block */
  put(file, "s", "[" NOTE(6) ", " NOTE(7) "]");
  CHECK_EQ(blocks(file), none + 8 * each + 1);
  CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  struct mm3_field item = find(file, "v[1]");
  CHECK_OK(mm3_field_erase(&item, &error), error);
  is(file, "v", "[" NOTE(1) ", " NOTE(3) "]");
  item = find(file, "s[-1]");
  CHECK_OK(mm3_field_erase(&item, &error), error);
  is(file, "s", "[" NOTE(6) "]");
  put(file, "v", "[" NOTE(8) "]");
  CHECK_EQ(blocks(file), none + 5 * each + 1);
  CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  put(file, "v", "[]");
  put(file, "g", "[" EMPTY ", " EMPTY "]");
  put(file, "one", EMPTY);
  CHECK_EQ(mm3_repair(file, MM3_REPAIR_PLAN, NULL, NULL, &error), 0); /* nothing leaked */
  CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  mm3_close(file);
}

static void a_copy_of_a_struct_owns_its_own(void) {
  static const char *const paths[][2] = {{"one", "two"}, {"v[0]", "v[1]"}, {"g[0]", "g[1]"}};
  struct mm3_file *file = make("a.mm3", notes_schema);
  if (!file) return;
  put(file, "one", NOTE(1));
  put(file, "two", NOTE(2));
  put(file, "v", "[" NOTE(3) ", " EMPTY "]");
  put(file, "g", "[" NOTE(4) ", " NOTE(5) "]");
  CHECK_EQ(mm3_lock(file), 0);
  struct mm3_ctx ctx = context(file);
  for (size_t i = 0; i < 3; i++) {
    struct mm3_field from = find(file, paths[i][0]), to = find(file, paths[i][1]);
    CHECK_OK(mm3_type_assign(from.type, to.bytes, from.bytes, &ctx), error);
    CHECK_EQ(mm3_check(file, NULL, NULL), 0); /* no block has two owners */
    uint64_t before = blocks(file);
    CHECK_OK(mm3_type_clear(from.type, from.bytes, &ctx), error);
    CHECK_EQ(blocks(file), before - 2);
    is(file, paths[i][0], EMPTY);
  }
  is(file, "two", NOTE(1));
  is(file, "v[1]", NOTE(3));
  is(file, "g[1]", NOTE(4));
  CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  CHECK_EQ(mm3_repair(file, MM3_REPAIR_PLAN, NULL, NULL, &error), 0);
  CHECK_EQ(mm3_unlock(file), 0);
  mm3_close(file);
}

/* A member's fault names its path, and stops the row there. */
static int refuse(void *arg, uint64_t offset) { return (void)offset, ++*(int *)arg == 3 ? -ENOMEM : 0; }

static void a_members_failure_is_the_structs(void) {
  struct mm3_file *file = make("a.mm3", notes_schema);
  int asked = 0;
  if (!file) return;
  put(file, "v", "[" NOTE(1) ", " NOTE(2) "]");
  struct mm3_field v = find(file, "v"), one = find(file, "one");
  struct mm3_ctx ctx = context(file);
  CHECK_EQ(mm3_type_blocks(v.type, v.bytes, refuse, &asked, &ctx), -ENOMEM);
  CHECK_EQ(asked, 3);
  asked = 0;
  CHECK_EQ(mm3_type_blocks(one.type, one.bytes, refuse, &asked, &ctx), 0);
  CHECK_EQ(asked, 0);
  CHECK(ctx.trail == NULL);
  char key[64];
  CHECK_FAILS(mm3_type_key_parse(one.type, "1", 1, key, &ctx), -MM3_E_PATH, error);
  CHECK_HAS(error.text, "note cannot be written as a key");
  CHECK_FAILS(mm3_type_key_print(one.type, one.bytes, key, sizeof key, &ctx), -MM3_E_PATH, error);
  mm3_close(file);
}

/* A struct of plain members without gaps is a key; its bytes are what is found. */
static void a_struct_is_a_key(void) {
  struct mm3_file *file = make("a.mm3", "struct key { x: u32 y: i32 } struct r { m: hashmap(key, u64) }");
  if (!file) return;
  is(file, "m", "[]");
  put(file, "m", "[[{\"x\": 1, \"y\": -1}, 5], [{\"x\": 2, \"y\": -1}, 6]]");
  struct mm3_field field = find(file, "m");
  uint64_t count, capacity;
  CHECK_EQ(mm3_field_count(&field, &count, &capacity), 0);
  CHECK_EQ(count, 2);
  put(file, "m", "[[{\"x\": 1, \"y\": -1}, 8]]");
  is(file, "m", "[[{\"x\": 1, \"y\": -1}, 8]]");
  json_t *none = NULL;
  field = find(file, "m[\"1\"]");
  CHECK_FAILS(mm3_json_from_field(&field, &none, &error), -MM3_E_PATH, error);
  CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  mm3_close(file);
}

MM3_TEST_SUITE("struct rows", {"what has no module is compared by its bytes", what_has_no_module_is_compared_by_its_bytes},
               {"structs are equal when their members are", structs_are_equal_when_their_members_are},
               {"what a struct owns goes with it", what_a_struct_owns_goes_with_it},
               {"a copy of a struct owns its own", a_copy_of_a_struct_owns_its_own},
               {"a member's failure is the struct's", a_members_failure_is_the_structs},
               {"a struct is a key", a_struct_is_a_key})

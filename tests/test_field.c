/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Fields by path: find, visit, put, add, check; under a guard when the file falls away. */
#include "../tools/json_in.h"
#include "../tools/json_out.h"
#include "mm3test.h"

#include <mm3/atomic.h>
#include <mm3/field.h>
#include <mm3/guard.h>
#include <mm3/hashmap.h>
#include <mm3/json.h>
#include <mm3/ndarray.h>
#include <mm3/segmented.h>
#include <mm3/string.h>
#include <mm3/string_array.h>
#include <mm3/vec.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SPOT(FIELD) FIELD(x, i8) FIELD(label, string(8))
MM3_STRUCT(spot, SPOT);
#define PLACE(FIELD) FIELD(at, spot) FIELD(level, u8)
MM3_STRUCT(place, PLACE);
#define THING(FIELD)                                                                                        \
  FIELD(u8v, u8) FIELD(i64v, i64) FIELD(u64v, u64) FIELD(u128v, u128) FIELD(i128v, i128) FIELD(f32v, f32)   \
  FIELD(f64v, f64) FIELD(b, bool) FIELD(c, char) FIELD(key, raw(3)) FIELD(state, enum(u16, idle, busy=7))   \
  FIELD(hits, atomic(u8)) FIELD(name, string(8)) FIELD(home, place) FIELD(page, raw(8192))
MM3_STRUCT(thing, THING);

#define KEYED(FIELD) FIELD(n, u8) FIELD(users, hashmap(text, place)) FIELD(days, hashmap(i16, u8)) FIELD(doc, json(64))
MM3_STRUCT(keyed, KEYED);
#define LISTS(FIELD) \
  FIELD(grid, ndarray(u8, 2, 3)) FIELD(words, string_array(2, 5)) FIELD(log, segmented(u8)) FIELD(list, vec(spot, 4))
MM3_STRUCT(lists, LISTS);

static struct mm3_error error;

static struct mm3_file *fresh(struct thing **root) {
  struct mm3_file *file = mm3_create(mm3test_path("t.mm3"), MM3_TYPE(thing), NULL, &error);
  *root = file ? mm3_root(file, thing) : NULL;
  if (!CHECK(*root != NULL)) fprintf(stderr, "%s\n", error.text);
  return *root ? file : NULL;
}

static char shown[40000];
static size_t shown_count;
static int keep(void *arg, const char *bytes, size_t count) {
  (void)arg;
  if (shown_count + count >= sizeof shown) return -1;
  memcpy(shown + shown_count, bytes, count);
  shown_count += count;
  shown[shown_count] = 0;
  return 0;
}

static const char *show(struct mm3_file *file, const char *path) {
  static char buffer[4096];
  struct mm3_field field;
  struct mm3j_writer writer;
  shown_count = 0;
  shown[0] = 0;
  if (mm3_field_find(file, path, &field, &error) < 0) return error.text;
  mm3j_writer_init(&writer, MM3J_JSON, buffer, sizeof buffer, keep, NULL);
  if (mm3_field_visit(&field, &writer.sink, &error) < 0) return error.text;
  mm3j_writer_flush(&writer);
  return shown;
}

static int put(struct mm3_file *file, const char *path, const char *json) {
  struct mm3_field field;
  struct mm3j_doc *doc;
  int result = mm3j_parse(json, strlen(json), &doc, &error);
  if (result < 0) return result;
  result = mm3_field_find(file, path, &field, &error);
  if (result == 0) result = mm3_field_put(&field, mm3j_value(doc), &error);
  mm3j_free(doc);
  return result;
}

static int add(struct mm3_file *file, const char *path, int64_t by, char result[48]) {
  struct mm3_field field;
  struct mm3_value value = {.is = MM3_INT, .as.integer = by};
  int code = mm3_field_find(file, path, &field, &error);
  return code < 0 ? code : mm3_field_add(&field, &value, result, &error);
}

static void what_does_not_fit_is_refused_and_the_old_value_stands(void) {
  static const struct { const char *path, *in; int code; const char *says; } cases[] = {
      {"u8v", "256", MM3_E_VALUE, "256 does not fit u8, which takes 0 to 255"},
      {"u8v", "-1", MM3_E_VALUE, "-1 does not fit u8"},
      {"u8v", "1.5", MM3_E_VALUE, "u8 wants an integer, found a number with a fraction"},
      {"u8v", "\"x\"", MM3_E_VALUE, "u8 wants an integer, found a string"},
      {"i64v", "\"9223372036854775808\"", MM3_E_VALUE, "takes -9223372036854775808 to 9223372036854775807"},
      {"u128v", "\"340282366920938463463374607431768211456\"", MM3_E_VALUE, "which takes 0 to 340282366920938463463374607431768211455"},
      {"i128v", "\"170141183460469231731687303715884105728\"", MM3_E_VALUE, "does not fit i128"},
      {"f32v", "1e39", MM3_E_VALUE, "does not fit f32"}, {"f64v", "\"nan\"", MM3_E_VALUE, "f64 wants a number"},
      {"b", "1", MM3_E_VALUE, "bool wants true or false, found an integer"},
      {"c", "\"ab\"", MM3_E_VALUE, "exactly one character"}, {"c", "\"\"", MM3_E_VALUE, "exactly one character"},
      {"key", "\"00ff\"", MM3_E_VALUE, "raw(3) wants 6 hex digits, found 4"}, {"key", "\"00ffgg\"", MM3_E_VALUE, "found 'g' at character 5"},
      {"state", "\"asleep\"", MM3_E_VALUE, "'asleep' is no word of enum(u16, idle, busy=7)"}, {"state", "7", MM3_E_VALUE, "wants one of its words"},
      {"hits", "300", MM3_E_VALUE, "300"}, {"name", "\"123456789\"", MM3_E_VALUE, "9 bytes do not fit string(8), which takes 8"},
      {"home", "5", MM3_E_VALUE, "place wants an object, found an integer"},
      {"home", "{\"level\": 1, \"att\": 2}", MM3_E_PATH, "place has no field 'att'; it has: at, level"},
      {"home", "{\"level\": 1, \"at\": {\"x\": 128}}", MM3_E_VALUE, "128 does not fit i8"},
  };
  struct thing *t;
  struct mm3_file *file = fresh(&t);
  if (!file) return;
  static struct thing before;
  memcpy(&before, t, sizeof before);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    CHECK_FAILS(put(file, cases[i].path, cases[i].in), -cases[i].code, error);
    CHECK_HAS(error.text, cases[i].says);
    CHECK_HAS(error.field, cases[i].path);
    CHECK_MEM(&before, t, sizeof before);
  }
  mm3_close(file);
}

static void paths_that_lead_nowhere_say_what_there_is(void) {
  static const struct { const char *path, *says; } cases[] = {
      {"nam", "thing has no field 'nam'; it has: u8v, i64v"}, {"home.at.y", "spot has no field 'y'; it has: x, label"},
      {"u8v.x", "u8 has no parts"}, {"home[3]", "place is a struct: its fields are reached by .name"},
      {"home[\"at\"]", "reached by .name"}, {"[0]", "wanted a field's name"}, {"home.", "wanted a name"}, {"home..at", "wanted a name"},
      {"home[", "wanted an index, a key in quotes or a slice"}, {"home[\"x", "wanted '\"' at the key's end"},
      {"home[\"\\x\"]", "wanted an escape as in JSON"}, {"home[1", "wanted ']'"}, {"home[99999999999999999999]", "63 bits"},
      {"home[0:1]", "has no items to slice"}, {"home at", "thing has no field 'home at'"},
  };
  struct thing *t;
  struct mm3_file *file = fresh(&t);
  struct mm3_field field;
  if (!file) return;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    CHECK_FAILS(mm3_field_find(file, cases[i].path, &field, &error), -MM3_E_PATH, error);
    CHECK_HAS(error.text, cases[i].says);
  }
  CHECK_OK(mm3_field_find(file, "home.at", &field, &error), error);
  CHECK(field.bytes == &t->home.at);
  CHECK_EQ(field.number, 13);
  CHECK_EQ(field.size, sizeof t->home.at);
  CHECK_OK(mm3_field_find(file, NULL, &field, &error), error);
  CHECK(field.bytes == t && field.number == UINT32_MAX);
  mm3_close(file);
}

static void numbers_add_without_wrapping(void) {
  struct thing *t;
  struct mm3_file *file = fresh(&t);
  char sum[48];
  if (!file) return;
  CHECK_OK(add(file, "u8v", 250, sum), error);
  CHECK_STR(sum, "250");
  CHECK_FAILS(add(file, "u8v", 6, sum), -MM3_E_VALUE, error);
  CHECK_HAS(error.text, "256 does not fit u8");
  CHECK_OK(add(file, "u8v", -250, sum), error);
  CHECK_FAILS(add(file, "u8v", -1, sum), -MM3_E_VALUE, error);
  CHECK_OK(add(file, "home.at.x", -128, sum), error);
  CHECK_STR(sum, "-128");
  CHECK_OK(add(file, "home.at.x", 200, sum), error);
  CHECK_EQ(t->home.at.x, 72);
  CHECK_OK(add(file, "hits", 255, sum), error);
  CHECK_FAILS(add(file, "hits", 1, sum), -MM3_E_VALUE, error);
  CHECK_EQ(mm3_atomic_load(&t->hits), 255);
  t->u128v = ~(mm3_u128)0;
  CHECK_FAILS(add(file, "u128v", 1, sum), -MM3_E_VALUE, error);
  t->i128v = (mm3_i128)((mm3_u128)1 << 127);
  CHECK_FAILS(add(file, "i128v", -1, sum), -MM3_E_VALUE, error);
  CHECK_FAILS(add(file, "name", 1, sum), -MM3_E_VALUE, error);
  CHECK_HAS(error.text, "string(8) is no integer to add to");
  mm3_close(file);
}

static void a_read_only_file_takes_nothing(void) {
  struct thing *t;
  struct mm3_file *file = fresh(&t);
  struct mm3_options options = {.size = sizeof options, .flags = MM3_READ_ONLY};
  char sum[48];
  if (!file) return;
  struct mm3_file *reader = mm3_open(mm3_file_path(file), NULL, &options, &error);
  if (!CHECK(reader != NULL)) return;
  CHECK_FAILS(put(reader, "u8v", "1"), -MM3_E_READ_ONLY, error);
  CHECK_FAILS(add(reader, "hits", 1, sum), -MM3_E_READ_ONLY, error);
  CHECK_STR(show(reader, "home.at"), "{\"x\": 0, \"label\": \"\"}");
  mm3_close(reader);
  mm3_close(file);
}

static void damaged_scalars_are_found_and_shown_raw(void) {
  struct thing *t;
  struct mm3_file *file = fresh(&t);
  if (!file) return;
  t->b = 7;
  t->c = 0xD800;
  t->state = 3;
  CHECK_EQ(mm3_check(file, NULL, NULL), 3);
  CHECK_STR(show(file, "b"), "{\"$raw\": \"07\"}");
  CHECK_STR(show(file, "c"), "{\"$raw\": \"00d80000\"}");
  CHECK_STR(show(file, "state"), "3");
  struct mm3_field field;
  CHECK_OK(mm3_field_find(file, "b", &field, &error), error);
  CHECK_FAILS(mm3_field_check(&field, &error), -MM3_E_DAMAGED, error);
  CHECK_HAS(error.text, "a bool holds the byte 7; wanted 0 or 1");
  int truth = 0;
  uint32_t code;
  CHECK_EQ(mm3_bool_get(&t->b, &truth), -MM3_E_DAMAGED);
  CHECK_EQ(mm3_char_get(&t->c, &code), -MM3_E_DAMAGED);
  t->b = 1;
  CHECK_EQ(mm3_bool_get(&t->b, &truth), 0);
  CHECK_EQ(truth, 1);
  mm3_close(file);
}

/* In a child: the guard, once installed, stays. */
static int cut_off(void *path) {
  struct mm3_field field;
  struct mm3_file *file = mm3_open(path, MM3_TYPE(thing), NULL, &error);
  if (!file || mm3_guard_install() < 0) return 1;
  if (mm3_field_find(file, "page", &field, &error) < 0) return 2;
  if (truncate(path, 8192 + 4096) < 0) return 3; /* the root begins behind: superblock, slots, schema */
  struct mm3j_writer writer;
  static char buffer[4096];
  mm3j_writer_init(&writer, MM3J_JSON, buffer, sizeof buffer, keep, NULL);
  if (mm3_field_visit(&field, &writer.sink, &error) != -MM3_E_TRUNCATED) return 4;
  if (!strstr(error.text, path) || !strstr(error.text, "truncated")) return 5;
  if (put(file, "u8v", "1") != -MM3_E_TRUNCATED) return 6;
  if (mm3_locked(file)) return 7; /* given up with the jump */
  return mm3_lock(file) == 1 ? 0 : 8; /* the next taker is told */
}

static void a_file_that_falls_away_is_an_error_and_gives_up_the_lock(void) {
  struct thing *t;
  struct mm3_file *file = fresh(&t);
  if (!file) return;
  char *path = strdup(mm3_file_path(file));
  mm3_close(file);
  CHECK_EQ(mm3test_fork(cut_off, path), 0);
  free(path);
}

static int show_key(const struct mm3_field *field, const char *key, size_t count) {
  static char buffer[4096];
  struct mm3j_writer writer;
  shown_count = 0;
  mm3j_writer_init(&writer, MM3J_JSON, buffer, sizeof buffer, keep, NULL);
  int result = mm3_field_visit_key(field, key, count, &writer.sink, &error);
  return result ? result : mm3j_writer_flush(&writer);
}

static void entries_are_put_and_visited_by_their_keys(void) {
  static char key[3000]; /* longer than any path */
  struct mm3_file *file = mm3_create(mm3test_path("keyed.mm3"), MM3_TYPE(keyed), NULL, &error);
  struct mm3_value seven = {.is = MM3_INT, .as.integer = 7};
  struct mm3_field field;
  if (!CHECK(file != NULL)) return;
  memset(key, 'k', sizeof key);
  CHECK_OK(put(file, "users", "{\"anna\": {\"level\": 3}}"), error);
  CHECK_OK(mm3_field_find(file, "users", &field, &error), error);
  CHECK_OK(show_key(&field, "anna", 4), error);
  CHECK_STR(shown, "{\"at\": {\"x\": 0, \"label\": \"\"}, \"level\": 3}");
  CHECK_EQ(show_key(&field, "ann", 3), -MM3_E_ABSENT);
  CHECK_EQ(show_key(&field, key, sizeof key), -MM3_E_ABSENT);
  struct mm3j_doc *doc;
  CHECK_OK(mm3j_parse("{\"level\": 9}", 12, &doc, &error), error);
  CHECK_OK(mm3_field_put_key(&field, key, sizeof key, mm3j_value(doc), &error), error);
  mm3j_free(doc);
  CHECK_OK(show_key(&field, key, sizeof key), error);
  CHECK(strstr(shown, "\"level\": 9") != NULL);
  CHECK_OK(mm3_field_find(file, "days", &field, &error), error);
  CHECK_OK(mm3_field_put_key(&field, "-12", 3, &seven, &error), error);
  CHECK_OK(show_key(&field, "-12", 3), error);
  CHECK_STR(shown, "7");
  CHECK_EQ(show_key(&field, "x", 1), -MM3_E_VALUE);
  CHECK_OK(put(file, "doc", "{\"a\": [1, 2]}"), error);
  CHECK_OK(mm3_field_find(file, "doc", &field, &error), error);
  CHECK_OK(show_key(&field, "a", 1), error);
  CHECK_STR(shown, "[1, 2]");
  CHECK_OK(mm3_field_find(file, "n", &field, &error), error);
  CHECK_EQ(show_key(&field, "a", 1), -MM3_E_PATH);
  CHECK(strstr(error.text, "u8 has no entries with keys") != NULL);
  mm3_close(file);
}

/* What lies beyond the end is not what it would have been in: a value for the whole must not replace the whole. */
static void a_path_beyond_the_end_changes_nothing(void) {
  static const struct { const char *path, *in; } cases[] = {
      {"grid[5]", "[[9, 9, 9], [9, 9, 9]]"}, {"grid[5][1]", "[[9, 9, 9], [9, 9, 9]]"}, {"grid[1][7]", "[9, 9, 9]"},
      {"words[7]", "[\"x\", \"y\"]"}, {"log[99]", "[9]"}, {"list[1]", "{\"x\": 9}"}, {"list[1].x", "{\"x\": 9}"},
      {"list[7].x", "[{\"x\": 9}]"},
  };
  static const char whole[] = "{\"grid\": [[1, 2, 3], [4, 5, 6]], \"words\": [\"a\", \"b\"], \"log\": [1, 2], "
                              "\"list\": [{\"x\": 1, \"label\": \"l\"}]}";
  struct mm3_file *file = mm3_create(mm3test_path("lists.mm3"), MM3_TYPE(lists), NULL, &error);
  if (!CHECK(file != NULL)) return;
  CHECK_OK(put(file, NULL, whole), error);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mm3_field field;
    struct mm3j_doc *doc;
    struct mm3_value one = {.is = MM3_INT, .as.integer = 1};
    char sum[48];
    uint64_t count, capacity;
    CHECK_OK(mm3j_parse(cases[i].in, strlen(cases[i].in), &doc, &error), error);
    CHECK_EQ(mm3_field_find(file, cases[i].path, &field, &error), -MM3_E_ABSENT);
    CHECK_EQ(mm3_field_put(&field, mm3j_value(doc), &error), -MM3_E_ABSENT);
    CHECK_EQ(mm3_field_push(&field, &one, &error), -MM3_E_ABSENT);
    CHECK_EQ(mm3_field_add(&field, &one, sum, &error), -MM3_E_ABSENT);
    CHECK_EQ(mm3_field_erase(&field, &error), -MM3_E_ABSENT);
    CHECK_EQ(mm3_field_check(&field, &error), -MM3_E_ABSENT);
    CHECK_EQ(mm3_field_count(&field, &count, &capacity), -MM3_E_PATH);
    mm3j_free(doc);
    if (!CHECK_STR(show(file, NULL), whole)) fprintf(stderr, "after '%s'\n", cases[i].path);
  }
  mm3_close(file);
}

MM3_TEST_SUITE("field", {"what does not fit is refused and the old value stands", what_does_not_fit_is_refused_and_the_old_value_stands},
               {"paths that lead nowhere say what there is", paths_that_lead_nowhere_say_what_there_is},
               {"numbers add without wrapping", numbers_add_without_wrapping},
               {"a read-only file takes nothing", a_read_only_file_takes_nothing},
               {"damaged scalars are found and shown raw", damaged_scalars_are_found_and_shown_raw},
               {"a path beyond the end changes nothing", a_path_beyond_the_end_changes_nothing},
               {"entries are put and visited by their keys", entries_are_put_and_visited_by_their_keys},
               {"a file that falls away is an error and gives up the lock", a_file_that_falls_away_is_an_error_and_gives_up_the_lock})

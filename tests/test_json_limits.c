/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What json(N) keeps can be read again: whatever is too deep, holds itself, or has keys that JSON's reader refuses, is
 * refused when it is set, and the old value stands. */
#include "../tools/json_in.h"
#include "mm3test.h"

#include <mm3/field.h>
#include <mm3/json.h>
#include <mm3/vec.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEVELS = 2048, MILLION = 1000000 };

#define DEEP(FIELD) FIELD(json, json(100000)) FIELD(few, vec(json(9000), 2))
MM3_STRUCT(deep, DEEP);

static struct mm3_error error;
static struct mm3_file *file;
static struct deep *root;

static int fresh(void) {
  file = mm3_create(mm3test_path("deep.mm3"), MM3_TYPE(deep), NULL, &error);
  root = file ? mm3_root(file, deep) : NULL;
  if (!CHECK(root != NULL)) return fprintf(stderr, "%s\n", error.text), 0;
  return CHECK_OK(mm3_json_set_text(&root->json, "[\"old\"]", &error), error);
}

static void done(void) {
  CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  CHECK_EQ(mm3_close(file), 0);
}

/* Refused for this reason, and the old value stands. */
static void refused(int result, const char *says) {
  CHECK_FAILS(result, -MM3_E_VALUE, error);
  CHECK_HAS(error.text, says);
  CHECK_STR(mm3_json_view(&root->json).ptr, "[\"old\"]");
}

/* So many openings, a 0, so many closings; to be freed. */
static char *text_new(const char *opening, const char *closing, size_t levels) {
  size_t size = levels * (strlen(opening) + strlen(closing)) + 2;
  char *text = malloc(size), *at = text;
  if (!text) return NULL;
  for (size_t i = 0; i < levels; i++) at = stpcpy(at, opening);
  at = stpcpy(at, "0");
  for (size_t i = 0; i < levels; i++) at = stpcpy(at, closing);
  return text;
}

/* An array in an array ..., so many, with null in the last. */
static json_t *arrays_new(size_t levels) {
  json_t *json = json_null();
  for (size_t i = 0; i < levels; i++) {
    json_t *outer = json_array();
    json_array_append_new(outer, json);
    json = outer;
  }
  return json;
}

static int put_text(const char *path, const char *text) {
  struct mm3_field field;
  struct mm3j_doc *doc;
  int result = mm3j_parse(text, strlen(text), &doc, &error);
  if (result < 0) return result;
  result = mm3_field_find(file, path, &field, &error);
  if (result == 0) result = mm3_field_put(&field, mm3j_value(doc), &error);
  mm3j_free(doc);
  return result;
}

static void a_text_of_a_million_levels_is_refused(void) {
  static const char *const brackets[][2] = {{"[", "]"}, {"{\"a\":", "}"}, {"[{\"b\": [", "]}]"}, {"[", ""}};
  if (!fresh()) return;
  for (size_t i = 0; i < sizeof brackets / sizeof brackets[0]; i++) {
    char *text = text_new(brackets[i][0], brackets[i][1], MILLION);
    if (!CHECK(text != NULL)) return;
    refused(mm3_json_set_text(&root->json, text, &error), "maximum parsing depth");
    refused(put_text("json", text), "maximum parsing depth");
    free(text);
  }
  done();
}

static void the_deepest_text_that_is_taken_is_read_again(void) {
  json_t *value;
  if (!fresh()) return;
  for (size_t levels = LEVELS - 2; levels < LEVELS + 3; levels++) {
    char *text = text_new("[", "]", levels);
    if (!CHECK(text != NULL)) return;
    int taken = mm3_json_set_text(&root->json, text, &error) == 0;
    CHECK_EQ(taken, levels < LEVELS);
    if (taken) {
      CHECK_OK(mm3_json_get(&root->json, &value, &error), error);
      json_decref(value);
      CHECK_EQ(mm3_json_len(&root->json), 2 * levels + 1);
    }
    free(text);
  }
  done();
}

/* By each way in, a value is taken exactly when its text would be. */
static void a_value_of_too_many_levels_is_refused(void) {
  struct mm3_field field;
  if (!fresh()) return;
  json_t *deep = arrays_new(3000), *half = arrays_new(LEVELS / 2 + 10), *patch = json_null();
  refused(mm3_json_set(&root->json, deep, &error), "levels");
  refused(mm3_json_pack(&root->json, &error, "[O]", deep), "levels");
  refused(mm3_json_set_at(&root->json, "/0", deep, &error), "levels");
  for (int i = 0; i < 3000; i++) patch = json_pack("{s:o}", "a", patch);
  refused(mm3_json_merge(&root->json, patch, &error), "levels");
  CHECK_OK(mm3_field_find(file, "json", &field, &error), error);
  refused(mm3_json_to_field(&field, deep, &error), "levels");
  CHECK_OK(mm3_field_find(file, "json[0]", &field, &error), error);
  refused(mm3_json_to_field(&field, deep, &error), "levels");
  /* each half would do */
  CHECK_OK(mm3_json_set(&root->json, half, &error), error);
  char *place = text_new("/0", "", LEVELS / 2 + 9);
  place[strlen(place) - 1] = 0; /* without text_new's own 0 */
  CHECK_FAILS(mm3_json_set_at(&root->json, place, half, &error), -MM3_E_VALUE, error);
  CHECK_HAS(error.text, "levels");
  free(place);
  json_t *value;
  CHECK_OK(mm3_json_get(&root->json, &value, &error), error);
  CHECK(json_equal(value, half));
  json_decref(value);
  json_decref(deep);
  json_decref(half);
  json_decref(patch);
  done();
}

static void an_item_of_too_many_levels_is_refused(void) {
  struct mm3_field field;
  if (!fresh()) return;
  json_t *deep = json_pack("[o]", arrays_new(LEVELS)), *some = json_pack("[o]", arrays_new(LEVELS - 1));
  CHECK_OK(mm3_field_find(file, "few", &field, &error), error);
  CHECK_OK(mm3_json_to_field(&field, some, &error), error);
  CHECK_FAILS(mm3_json_to_field(&field, deep, &error), -MM3_E_VALUE, error);
  CHECK_HAS(error.text, "levels");
  json_decref(deep);
  json_decref(some);
  done();
}

static void a_value_that_holds_itself_is_refused(void) {
  if (!fresh()) return;
  json_t *a = json_array(), *b = json_array();
  json_array_append(a, b);
  json_array_append(a, b);
  json_array_append(b, a);
  json_array_append(b, a);
  refused(mm3_json_set(&root->json, a, &error), "itself");
  refused(mm3_json_set_at(&root->json, "/0", a, &error), "itself");
  json_array_clear(b);
  json_decref(a);
  json_decref(b);
  done();
}

static void a_zero_byte_in_a_key_is_refused(void) {
#if JANSSON_VERSION_HEX >= 0x020e00
  if (!fresh()) return;
  json_t *value = json_pack("[{s:i}]", "good", 1);
  CHECK_EQ(json_object_setn_new(json_array_get(value, 0), "a\0b", 3, json_integer(5)), 0);
  refused(mm3_json_set(&root->json, value, &error), "zero byte");
  refused(mm3_json_set_at(&root->json, "/0", value, &error), "zero byte");
  json_decref(value);
  done();
#else
  mm3test_skip("jansson before 2.14 has no such keys");
#endif
}

/* A path may name such a key; the member that is called by the bytes before the zero is another. */
static void a_path_with_a_zero_byte_is_no_shorter_path(void) {
  if (!fresh()) return;
  struct mm3_value seven = {.is = MM3_INT, .as.integer = 7}, bytes = {.is = MM3_TEXT, .as.text = "\xff", .count = 1};
  static const char *const paths[] = {"json[\"a\\u0000b\"]", "json[\"\xff\"]"};
  struct mm3_field field;
  json_t *found = NULL;
  CHECK_OK(mm3_json_set_text(&root->json, "{\"a\":1}", &error), error);
  for (int i = 0; i < 2; i++) {
    CHECK_EQ(mm3_field_find(file, paths[i], &field, &error), 0);
    CHECK_FAILS(mm3_field_put(&field, &seven, &error), -MM3_E_VALUE, error);
    CHECK_HAS(error.text, "zero byte");
    CHECK_FAILS(mm3_field_erase(&field, &error), -MM3_E_ABSENT, error);
    CHECK_FAILS(mm3_json_from_field(&field, &found, &error), -MM3_E_ABSENT, error);
    json_decref(found);
    CHECK_STR(mm3_json_view(&root->json).ptr, "{\"a\":1}");
  }
  CHECK_EQ(mm3_field_find(file, "json.b", &field, &error), 0);
  CHECK_FAILS(mm3_field_put(&field, &bytes, &error), -MM3_E_VALUE, error);
  CHECK_HAS(error.text, "UTF-8");
  done();
}

/* Keys of 1023 bytes fill a field's place for keys; not even an empty one goes behind them. */
static void an_empty_key_behind_the_longest_is_refused(void) {
  struct mm3_field field;
  char path[1100];
  if (!fresh()) return;
  snprintf(path, sizeof path, "json[\"%01022d\"][\"\"]", 0);
  CHECK_OK(mm3_field_find(file, path, &field, &error), error);
  CHECK_HAS(field.path, "json[");
  snprintf(path, sizeof path, "json[\"%01023d\"]", 0);
  CHECK_OK(mm3_field_find(file, path, &field, &error), error);
  strcat(path, "[\"\"]");
  CHECK_FAILS(mm3_field_find(file, path, &field, &error), -MM3_E_PATH, error);
  CHECK_HAS(field.path, "json[");
  done();
}

static void no_value_is_no_memory_failure(void) {
  if (!fresh()) return;
  CHECK_FAILS(mm3_json_set(&root->json, NULL, &error), -EINVAL, error);
  CHECK_FAILS(mm3_json_merge(&root->json, NULL, &error), -EINVAL, error);
  CHECK_HAS(error.text, "no value was given");
  CHECK_STR(mm3_json_view(&root->json).ptr, "[\"old\"]");
  done();
}

MM3_TEST_SUITE("json-limits", {"no value is no failure of memory", no_value_is_no_memory_failure},
               {"a text of a million levels is refused", a_text_of_a_million_levels_is_refused},
               {"the deepest text that is taken is read again", the_deepest_text_that_is_taken_is_read_again},
               {"a value of too many levels is refused", a_value_of_too_many_levels_is_refused},
               {"an item of too many levels is refused", an_item_of_too_many_levels_is_refused},
               {"a value that holds itself is refused", a_value_that_holds_itself_is_refused},
               {"an empty key behind the longest is refused", an_empty_key_behind_the_longest_is_refused},
               {"a zero byte in a key is refused", a_zero_byte_in_a_key_is_refused},
               {"a path with a zero byte is no shorter path", a_path_with_a_zero_byte_is_no_shorter_path})

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* json(N), and fields and files as json_t and back. */
#include "mm3test.h"

#include <mm3/atomic.h>
#include <mm3/field.h>
#include <mm3/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define POINT(FIELD) FIELD(x, f64) FIELD(y, f32)
MM3_STRUCT(point, POINT);
#define PROFILE(FIELD)                                                                              \
  FIELD(id, u64) FIELD(profile, json(256)) FIELD(n, atomic(i32)) FIELD(name, string(16)) FIELD(home, point) \
  FIELD(ok, bool) FIELD(state, enum(u8, idle, busy)) FIELD(key, raw(4)) FIELD(big, u128) FIELD(c, char)
MM3_STRUCT(profile, PROFILE);

static struct mm3_error error;

static struct mm3_file *fresh(struct profile **root) {
  struct mm3_file *file = mm3_create(mm3test_path("p.mm3"), MM3_TYPE(profile), NULL, &error);
  if (!CHECK(file != NULL)) fprintf(stderr, "%s\n", error.text);
  *root = file ? mm3_root(file, profile) : NULL;
  return *root ? file : NULL;
}

static void text_goes_in_and_comes_out_as_it_was(void) {
  struct profile *p;
  struct mm3_file *file = fresh(&p);
  char text[300];
  size_t length = 0;
  if (!file) return;
  CHECK_OK(mm3_json_set_text(&p->profile, "{\"b\": 1, \"a\": [1.5, null, \"\\u0000\"]}", &error), error);
  CHECK_EQ(mm3_json_text(&p->profile, text, sizeof text, &length), 0);
  CHECK_STR(text, "{\"b\": 1, \"a\": [1.5, null, \"\\u0000\"]}");
  CHECK_EQ(mm3_json_len(&p->profile), length);
  CHECK_EQ(mm3_json_capacity(&p->profile), 256);
  struct mm3_string_view view = mm3_json_view(&p->profile);
  CHECK(view.ptr >= (char *)p && view.ptr < (char *)(p + 1)); /* not copied */
  CHECK_STR(view.ptr, text);
  CHECK(mm3_json_view_valid(&p->profile, view));
  CHECK_OK(mm3_json_set_text(&p->profile, "[1]", &error), error);
  CHECK(!mm3_json_view_valid(&p->profile, view));
  CHECK_STR(view.ptr, text); /* one set may pass under it */
  mm3_json_clear(&p->profile);
  json_t *value;
  CHECK_OK(mm3_json_get(&p->profile, &value, &error), error);
  CHECK(json_is_null(value));
  CHECK_EQ(mm3_json_len(&p->profile), 0);
  mm3_close(file);
}

static void values_keep_their_order_and_numbers(void) {
  struct profile *p;
  struct mm3_file *file = fresh(&p);
  if (!file) return;
  json_t *in = json_pack("{s:I, s:f, s:s, s:[b,b,n]}", "z", (json_int_t)INT64_MIN, "y", 0.1, "x", "naïve", "w", 1, 0), *out;
  CHECK_OK(mm3_json_set(&p->profile, in, &error), error);
  CHECK_OK(mm3_json_get(&p->profile, &out, &error), error);
  CHECK(json_equal(in, out));
  CHECK_STR(json_object_iter_key(json_object_iter(out)), "z");
  json_decref(in);
  json_decref(out);
  CHECK_OK(mm3_json_pack(&p->profile, &error, "{s:i, s:s}", "age", 7, "name", "Ann"), error);
  int age = 0;
  const char *name = NULL;
  json_t *keep = NULL;
  CHECK_OK(mm3_json_unpack(&p->profile, &keep, &error, "{s:i, s:s}", "age", &age, "name", &name), error);
  CHECK_EQ(age, 7);
  CHECK_STR(name, "Ann");
  json_decref(keep);
  CHECK_FAILS(mm3_json_unpack(&p->profile, &keep, &error, "{s:i}", "name", &age), -MM3_E_VALUE, error);
  CHECK(keep == NULL);
  CHECK_FAILS(mm3_json_pack(&p->profile, &error, "{s:i", "age", 7), -MM3_E_VALUE, error);
  CHECK_STR(mm3_json_view(&p->profile).ptr, "{\"age\":7,\"name\":\"Ann\"}");
  mm3_close(file);
}

static void what_is_refused_leaves_the_old_value(void) {
  static const struct { const char *text, *says; } cases[] = {
      {"{\"a\": 1, \"a\": 2}", "duplicate"}, {"{\"a\": ", "line 1, column 6"},     {"[1,\n 2,\n oops]", "line 3"},
      {"18446744073709551615", "too big integer"}, {"1e999", "real number overflow"}, {"", "an empty text"},
      {"\"\xff\"", "unable to decode byte 0xff"},                 {"nul", "not JSON"},                    {"1 2", "not JSON"},
  };
  struct profile *p;
  struct mm3_file *file = fresh(&p);
  char *large = malloc(1 << 21);
  if (!file || !large) return;
  CHECK_OK(mm3_json_set_text(&p->profile, "[\"old\"]", &error), error);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    CHECK_FAILS(mm3_json_set_text(&p->profile, cases[i].text, &error), -MM3_E_VALUE, error);
    CHECK_HAS(error.text, cases[i].says);
  }
  memset(large, '[', 1 << 20); /* a million deep */
  memset(large + (1 << 20), ']', 1 << 20);
  CHECK_FAILS(mm3_json_set_text_n(&p->profile, large, 1 << 21, &error), -MM3_E_VALUE, error);
  memset(large, ' ', 300);
  memcpy(large + 300, "1", 2);
  CHECK_FAILS(mm3_json_set_text(&p->profile, large, &error), -MM3_E_VALUE, error);
  CHECK_HAS(error.text, "301 bytes of JSON do not fit json(256)");
  memset(large, 'x', 400);
  json_t *wide = json_stringn(large, 255); /* with its quotes 257 bytes */
  CHECK_FAILS(mm3_json_set(&p->profile, wide, &error), -MM3_E_VALUE, error);
  json_decref(wide);
  wide = json_stringn(large, 254);
  CHECK_STR(mm3_json_view(&p->profile).ptr, "[\"old\"]");
  CHECK_OK(mm3_json_set(&p->profile, wide, &error), error); /* the last byte is usable */
  CHECK_EQ(mm3_json_len(&p->profile), 256);
  json_decref(wide);
  free(large);
  mm3_close(file);
}

static void pointers_lead_into_the_value(void) {
  struct profile *p;
  struct mm3_file *file = fresh(&p);
  json_t *value;
  if (!file) return;
  /* RFC 6901, section 5, as far as its document fits */
  CHECK_OK(mm3_json_set_text(&p->profile, "{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"m~n\":8,\" \":7}", &error), error);
  static const struct { const char *pointer; int number; } cases[] = {{"/", 0}, {"/a~1b", 1}, {"/m~0n", 8}, {"/ ", 7}};
  for (size_t i = 0; i < 4; i++) {
    if (!CHECK_OK(mm3_json_get_at(&p->profile, cases[i].pointer, &value, &error), error)) continue;
    CHECK_EQ(json_integer_value(value), cases[i].number);
    json_decref(value);
  }
  CHECK_OK(mm3_json_get_at(&p->profile, "/foo/1", &value, &error), error);
  CHECK_STR(json_string_value(value), "baz");
  json_decref(value);
  CHECK_FAILS(mm3_json_get_at(&p->profile, "/foo/2", &value, &error), -MM3_E_ABSENT, error);
  CHECK_FAILS(mm3_json_get_at(&p->profile, "/foo/01", &value, &error), -MM3_E_ABSENT, error);
  CHECK_FAILS(mm3_json_get_at(&p->profile, "foo", &value, &error), -MM3_E_PATH, error);
  CHECK_FAILS(mm3_json_get_at(&p->profile, "/m~2n", &value, &error), -MM3_E_PATH, error);
  value = json_integer(5);
  CHECK_OK(mm3_json_set_at(&p->profile, "/foo/-", value, &error), error);
  CHECK_OK(mm3_json_set_at(&p->profile, "/new", value, &error), error);
  CHECK_OK(mm3_json_set_at(&p->profile, "/a~1b", NULL, &error), error);
  CHECK_FAILS(mm3_json_set_at(&p->profile, "/none/x", value, &error), -MM3_E_ABSENT, error);
  CHECK_FAILS(mm3_json_set_at(&p->profile, "/gone", NULL, &error), -MM3_E_ABSENT, error);
  CHECK_STR(mm3_json_view(&p->profile).ptr, "{\"foo\":[\"bar\",\"baz\",5],\"\":0,\"m~n\":8,\" \":7,\"new\":5}");
  CHECK_OK(mm3_json_set_at(&p->profile, "", value, &error), error);
  CHECK_STR(mm3_json_view(&p->profile).ptr, "5");
  json_decref(value);
  mm3_close(file);
}

static void patches_merge_as_rfc_7396_says(void) {
  static const char *const cases[][3] = {
      {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
      {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
      {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
      {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
      {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
      {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
      {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
      {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
      {"[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]"},
      {"{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]"},
      {"{\"a\":\"foo\"}", "null", "null"},
      {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
      {"[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}"},
      {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
  };
  struct profile *p;
  struct mm3_file *file = fresh(&p);
  if (!file) return;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    json_t *patch = json_loads(cases[i][1], JSON_DECODE_ANY, NULL);
    CHECK_OK(mm3_json_set_text(&p->profile, cases[i][0], &error), error);
    CHECK_OK(mm3_json_merge(&p->profile, patch, &error), error);
    CHECK_STR(mm3_json_view(&p->profile).ptr, cases[i][2]);
    json_decref(patch);
  }
  mm3_close(file);
}

static void a_file_goes_out_in_and_out_the_same(void) {
  struct profile *p;
  struct mm3_file *file = fresh(&p);
  json_t *out, *again;
  if (!file) return;
  p->id = UINT64_MAX;
  p->big = ~(mm3_u128)0;
  p->c = 0x1F600;
  p->home.x = -0.0;
  p->home.y = 0.1F;
  p->state = profile_state_busy;
  p->ok = 1;
  memcpy(p->key, "\x00\xff\x10\x80", 4);
  mm3_atomic_store(&p->n, INT32_MIN);
  CHECK_EQ(mm3_string_set_n(&p->name, "a\0\n\"é", 6), 0);
  CHECK_OK(mm3_json_set_text(&p->profile, "{\"deep\": [1, {\"x\": 1e300}]}", &error), error);
  if (!CHECK_OK(mm3_json_from_file(file, &out, &error), error)) return;
  CHECK_STR(json_string_value(json_object_get(out, "id")), "18446744073709551615");
  CHECK_STR(json_string_value(json_object_get(out, "big")), "340282366920938463463374607431768211455");
  CHECK_STR(json_string_value(json_object_get(out, "key")), "00ff1080");
  CHECK_STR(json_string_value(json_object_get(out, "state")), "busy");
  CHECK_EQ(json_integer_value(json_object_get(out, "n")), INT32_MIN);
  struct mm3_file *copy = mm3_create(mm3test_path("copy.mm3"), MM3_TYPE(profile), NULL, &error);
  if (!CHECK(copy != NULL)) return;
  CHECK_OK(mm3_json_to_file(copy, out, 1, &error), error);
  const struct profile *q = mm3_root_const(copy, profile);
  CHECK(q->id == p->id && q->big == p->big && q->c == p->c && q->home.y == p->home.y && q->state == p->state);
  CHECK_MEM(&q->home.x, &p->home.x, sizeof q->home.x);
  CHECK_MEM(q->key, p->key, 4);
  CHECK_OK(mm3_json_from_file(copy, &again, &error), error);
  CHECK(json_equal(out, again));
  json_decref(out);
  json_decref(again);
  mm3_close(copy);
  mm3_close(file);
}

static void import_is_all_or_nothing_and_names_the_path(void) {
  struct profile *p;
  struct mm3_file *file = fresh(&p);
  json_t *out;
  if (!file) return;
  CHECK_OK(mm3_json_from_file(file, &out, &error), error);
  json_object_set_new(out, "id", json_integer(5));
  json_object_set_new(json_object_get(out, "home"), "y", json_string("not a number"));
  CHECK_FAILS(mm3_json_to_file(file, out, 1, &error), -MM3_E_VALUE, error);
  CHECK_STR(error.field, "home.y");
  CHECK_EQ(p->id, 0);
  json_object_set_new(json_object_get(out, "home"), "y", json_real(1.0));
  json_object_set_new(json_object_get(out, "home"), "zz", json_real(1.0));
  CHECK_FAILS(mm3_json_to_file(file, out, 1, &error), -MM3_E_PATH, error);
  CHECK_HAS(error.text, "point has no field 'zz'; it has: x, y");
  json_object_del(json_object_get(out, "home"), "zz");
  json_object_del(json_object_get(out, "home"), "x");
  CHECK_FAILS(mm3_json_to_file(file, out, 1, &error), -MM3_E_VALUE, error);
  CHECK_STR(error.field, "home.x");
  CHECK_EQ(p->id, 0);
  CHECK_OK(mm3_json_to_file(file, out, 0, &error), error); /* any subset */
  CHECK_EQ(p->id, 5);
  json_decref(out);
  mm3_close(file);
}

static void paths_go_on_inside_the_value(void) {
  struct profile *p;
  struct mm3_file *file = fresh(&p);
  struct mm3_field field;
  json_t *value;
  if (!file) return;
  CHECK_OK(mm3_json_set_text(&p->profile, "{\"tags\":[\"x\",\"y\"],\"a b\":{\"c\":3}}", &error), error);
  CHECK_OK(mm3_field_find(file, "profile.tags[-1]", &field, &error), error);
  CHECK_OK(mm3_json_from_field(&field, &value, &error), error);
  CHECK_STR(json_string_value(value), "y");
  CHECK_OK(mm3_field_find(file, "profile[\"a b\"].c", &field, &error), error);
  CHECK_OK(mm3_json_to_field(&field, value, &error), error);
  json_decref(value);
  CHECK_STR(mm3_json_view(&p->profile).ptr, "{\"tags\":[\"x\",\"y\"],\"a b\":{\"c\":\"y\"}}");
  CHECK_OK(mm3_field_find(file, "profile.tags[0]", &field, &error), error);
  CHECK_OK(mm3_field_erase(&field, &error), error);
  CHECK_STR(mm3_json_view(&p->profile).ptr, "{\"tags\":[\"y\"],\"a b\":{\"c\":\"y\"}}");
  CHECK_OK(mm3_field_find(file, "profile.nothing", &field, &error), error);
  CHECK_FAILS(mm3_json_from_field(&field, &value, &error), -MM3_E_ABSENT, error);
  CHECK_HAS(error.text, "no member 'nothing'");
  mm3_close(file);
}

static void damage_is_found_and_never_followed(void) {
  struct profile *p;
  struct mm3_file *file = fresh(&p);
  json_t *value;
  if (!file) return;
  CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  CHECK_OK(mm3_json_set_text(&p->profile, "[1,2,3]", &error), error);
  CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  char *slot = p->profile.slot[p->profile.word >> 24 & 1];
  slot[2] = '!';
  CHECK_EQ(mm3_check(file, NULL, NULL), 1);
  CHECK_FAILS(mm3_json_get(&p->profile, &value, &error), -MM3_E_DAMAGED, error);
  slot[2] = ',';
  uint64_t word = p->profile.word;
  p->profile.word |= 0xFFFFFF;
  CHECK_EQ(mm3_check(file, NULL, NULL), 1);
  CHECK_FAILS(mm3_json_get(&p->profile, &value, &error), -MM3_E_DAMAGED, error);
  CHECK_OK(mm3_json_from_file(file, &value, &error), error); /* shown as what it is */
  CHECK(json_is_string(json_object_get(json_object_get(value, "profile"), "$raw")));
  json_decref(value);
  p->profile.word = word;
  slot[20] = 1; /* behind the text */
  CHECK_EQ(mm3_check(file, NULL, NULL), 1);
  slot[20] = 0;
  CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  mm3_close(file);
}

static int write_and_write(void *path) {
  struct mm3_file *file = mm3_open(path, MM3_TYPE(profile), NULL, &error);
  struct profile *p = file ? mm3_root(file, profile) : NULL;
  char text[256];
  if (!p) return 1;
  for (unsigned i = 0; !mm3_atomic_load(&p->n); i++) {
    snprintf(text, sizeof text, "[%u,\"%0*d\",%u]", i, (int)(i % 200), 0, i);
    if (mm3_json_set_text(&p->profile, text, &error) < 0) return 2;
  }
  mm3_close(file);
  return 0;
}

static void a_reader_never_sees_half_a_value(void) {
  struct profile *p;
  struct mm3_file *file = fresh(&p);
  if (!file) return;
  CHECK_OK(mm3_json_set_text(&p->profile, "[0,\"\",0]", &error), error);
  pid_t writer = mm3test_spawn(write_and_write, (void *)(uintptr_t)mm3_file_path(file));
  unsigned torn = 0, distinct = 0, last = UINT32_MAX;
  uint64_t until = mm3test_now_ns() + 1000000000U;
  unsigned reads = 0;
  for (; mm3test_now_ns() < until; reads++) {
    json_t *value;
    int result = mm3_json_get(&p->profile, &value, &error);
    if (result == -MM3_E_AGAIN) continue;
    if (result < 0) {
      torn++;
      continue;
    }
    unsigned one = (unsigned)json_integer_value(json_array_get(value, 0));
    torn += one != (unsigned)json_integer_value(json_array_get(value, 2)) || json_array_size(value) != 3;
    distinct += one != last;
    last = one;
    json_decref(value);
  }
  mm3_atomic_store(&p->n, 1);
  CHECK_EQ(mm3test_wait(writer), 0);
  CHECK_EQ(torn, 0);
  CHECK(distinct > 10);
  printf("json: %u reads, %u distinct values, 0 torn\n", reads, distinct);
  mm3_close(file);
}

MM3_TEST_SUITE("serde-json", {"text goes in and comes out as it was", text_goes_in_and_comes_out_as_it_was},
               {"values keep their order and numbers", values_keep_their_order_and_numbers},
               {"what is refused leaves the old value", what_is_refused_leaves_the_old_value},
               {"pointers lead into the value", pointers_lead_into_the_value},
               {"patches merge as RFC 7396 says", patches_merge_as_rfc_7396_says},
               {"a file goes out, in and out the same", a_file_goes_out_in_and_out_the_same},
               {"import is all or nothing and names the path", import_is_all_or_nothing_and_names_the_path},
               {"paths go on inside the value", paths_go_on_inside_the_value},
               {"damage is found and never followed", damage_is_found_and_never_followed},
               {"a reader never sees half a value", a_reader_never_sees_half_a_value})

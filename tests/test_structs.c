/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The structs of structs.h: as C, as a schema's text, and as JSON: out, in and out again the same, at the extremes. */
#include "structs.h"

#include "mm3test.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct mm3_error error;

/* Out of `file`, into a new one made from the schema's text alone, out of that one, and compared. */
static void goes_round(struct mm3_file *file, const struct mm3_desc *desc) {
  json_t *out = NULL, *again = NULL;
  struct mm3_file *copy = mm3_create_schema(mm3test_path("copy.mm3"), mm3_file_schema(file), NULL, &error);
  if (!CHECK(copy != NULL)) {
    fprintf(stderr, "%s\n", error.text);
    return;
  }
  CHECK(mm3_root_of(copy, desc) != NULL); /* what the text gives is what the compiler gave */
  CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  if (CHECK_OK(mm3_json_from_file(file, &out, &error), error)) {
    CHECK_OK(mm3_json_to_file(copy, out, 1, &error), error);
    if (CHECK_OK(mm3_json_from_file(copy, &again, &error), error)) CHECK(json_equal(out, again));
  }
  CHECK_EQ(mm3_check(copy, NULL, NULL), 0);
  json_decref(out);
  json_decref(again);
  mm3_close(copy);
  remove(mm3test_path("copy.mm3"));
}

static struct mm3_file *make(const struct mm3_desc *desc) {
  struct mm3_file *file = mm3_create(mm3test_path("a.mm3"), desc, NULL, &error);
  if (!CHECK(file != NULL)) fprintf(stderr, "%s\n", error.text);
  return file;
}

static void scalars_at_their_extremes(void) {
  struct mm3_file *file = make(MM3_TYPE(scalars));
  struct scalars *s = file ? mm3_root(file, scalars) : NULL;
  if (!s) return;
  goes_round(file, MM3_TYPE(scalars)); /* all zero; the enum has no word for 0 and starts as its first */
  *s = (struct scalars){UINT8_MAX, UINT16_MAX, UINT32_MAX, UINT64_MAX, ~(mm3_u128)0, INT8_MIN, INT16_MIN, INT32_MIN, INT64_MIN,
                        (mm3_i128)((mm3_u128)1 << 127), FLT_MAX, DBL_TRUE_MIN, 1, 0x10FFFF, UINT64_MAX, INT64_MIN,
                        {0xff, 0, 0x80}, scalars_r_high};
  goes_round(file, MM3_TYPE(scalars));
  *s = (struct scalars){0, 1, 0, (uint64_t)INT64_MAX + 1, UINT64_MAX, INT8_MAX, INT16_MAX, INT32_MAX, INT64_MAX,
                        (mm3_i128)(~(mm3_u128)0 >> 1), FLT_TRUE_MIN, -DBL_MAX, 0, 0xE000, 0, INT64_MAX, {0}, scalars_r_low};
  goes_round(file, MM3_TYPE(scalars));
  s->k = (float)-__builtin_inf();
  s->l = -__builtin_nan("");
  goes_round(file, MM3_TYPE(scalars));
  mm3_close(file);
}

static void everything_of_the_design(void) {
  struct mm3_file *file = make(MM3_TYPE(everything));
  struct everything *e = file ? mm3_root(file, everything) : NULL;
  char text[40];
  if (!e) return;
  goes_round(file, MM3_TYPE(everything));
  e->id = UINT64_MAX;
  mm3_atomic_store(&e->value, UINT64_MAX);
  memset(text, 'x', 32);
  CHECK_EQ(mm3_string_set_n(&e->name, text, 32), 0);
  memset(e->key, 0xff, sizeof e->key);
  while (mm3_vec_push(&e->scores, UINT32_MAX) >= 0) {}
  CHECK_EQ(mm3_vec_len(&e->scores), 10);
  for (size_t i = 0; i < 5; i++) CHECK_EQ(mm3_string_array_set(&e->tags, i, "sixteen bytes ok"), 0);
  for (uint64_t i = 0; i < 1000; i++) CHECK(mm3_segmented_append(file, &e->events, UINT64_MAX - i) >= 0);
  for (uint64_t i = 0; i < 100; i++) {
    snprintf(text, sizeof text, "user %llu", (unsigned long long)i);
    CHECK(mm3_hashmap_set(file, &e->users, text, i << 57) >= 0);
    CHECK(mm3_hashmap_set(file, &e->cache, text, i % 2 ? "" : "a value with \"quotes\" and \n lines") >= 0);
  }
  CHECK(mm3_hashmap_set(file, &e->cache, "", "the empty key") >= 0);
  CHECK_OK(mm3_json_set_text(&e->profile, "{\"a\": [1e-300, -9223372036854775808, \"\\u0000\"]}", &error), error);
  e->home.x = -0.0;
  e->state = everything_state_done;
  e->index.at[3][3][3] = 255;
  CHECK(mm3_text_set(file, &e->note, "any length") >= 0);
  e->default_ = 255;
  goes_round(file, MM3_TYPE(everything));
  mm3_close(file);
}

static void memmap3s_own(void) {
  struct mm3_file *file = make(MM3_TYPE(my_data));
  struct my_data *d = file ? mm3_root(file, my_data) : NULL;
  if (!d) return;
  d->id = 1;
  d->active = 1;
  mm3_atomic_fetch_add(&d->counter, 41);
  CHECK_EQ(mm3_string_set(&d->name, "naïve café"), 0);
  CHECK(mm3_vec_push(&d->scores, 7) >= 0);
  CHECK(mm3_segmented_append(file, &d->events, 1234567890U) >= 0);
  goes_round(file, MM3_TYPE(my_data));
  mm3_close(file);
#define ROUND(name, ...)                                               \
  do {                                                                 \
    struct name *it;                                                   \
    remove(mm3test_path("a.mm3"));                                     \
    file = make(MM3_TYPE(name));                                       \
    it = file ? mm3_root(file, name) : NULL;                           \
    if (!it) return;                                                   \
    __VA_ARGS__;                                                       \
    goes_round(file, MM3_TYPE(name));                                  \
    mm3_close(file);                                                   \
  } while (0)
  ROUND(game_state, it->level = UINT32_MAX; it->score = UINT64_MAX; CHECK_EQ(mm3_string_set(&it->player_name, "Player1"), 0));
  ROUND(metrics, mm3_atomic_store(&it->requests, UINT64_MAX); mm3_atomic_store(&it->errors, 0));
  ROUND(config, it->max_connections = 1000; it->timeout_ms = UINT32_MAX; it->debug_mode = 1;
        CHECK_EQ(mm3_string_set(&it->server_name, "production-server"), 0));
  ROUND(shared_data, mm3_atomic_store(&it->message_count, 42); mm3_atomic_store(&it->worker_status, UINT32_MAX);
        CHECK_EQ(mm3_string_format(&it->shared_buffer, "%01024d", 0), 0));
  ROUND(analytics, mm3_atomic_store(&it->conversion_rate, UINT64_MAX));
  ROUND(user, it->id = 12345; CHECK_EQ(mm3_string_set(&it->name, "Alice Smith"), 0);
        CHECK_EQ(mm3_string_set(&it->email, "alice@example.com"), 0));
}

static void bit_index(void) {
  struct mm3_file *file = make(MM3_TYPE(bit_index));
  struct bit_index *b = file ? mm3_root(file, bit_index) : NULL;
  if (!b) return;
  CHECK(sizeof b->index >= 256 * 256 * 256 && sizeof b->index <= 256 * 256 * 256 + 8);
  b->index.at[255][0][255] = 255;
  b->users_by_age_location.at[49][99] = UINT64_MAX;
  CHECK(mm3_segmented_append(file, &b->overflow_data, 5) >= 0);
  if (getenv("MM3_TORTURE")) goes_round(file, MM3_TYPE(bit_index)); /* 16 million numbers take half a minute */
  CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  mm3_close(file);
}

MM3_TEST_SUITE("structs", {"scalars at their extremes go out and in", scalars_at_their_extremes},
               {"every kind of the design goes out and in", everything_of_the_design},
               {"the structs of memmap3's README go out and in", memmap3s_own},
               {"memmap3's BitIndex has its places", bit_index})

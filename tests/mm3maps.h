/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* mm3maps.h: maps for the tests of hashmap, and the model that they are compared with. */
#ifndef MM3MAPS_H
#define MM3MAPS_H

#include "mm3test.h"

#include <mm3/field.h>
#include <mm3/hashmap.h>
#include <mm3/string.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POINT(FIELD) FIELD(x, u32) FIELD(y, u32) FIELD(z, u64)
MM3_STRUCT(point, POINT);

#define MAPS(FIELD)                        \
  FIELD(numbers, hashmap(u64, u64))        \
  FIELD(texts, hashmap(text, text))        \
  FIELD(points, hashmap(u64, point))       \
  FIELD(words, hashmap(text, u64))         \
  FIELD(names, hashmap(string(24), u32))   \
  FIELD(notes, hashmap(i32, text))         \
  FIELD(raws, hashmap(raw(20), string(3))) \
  FIELD(wides, hashmap(u128, string(40)))  \
  FIELD(places, hashmap(point, raw(5)))    \
  FIELD(bytes, hashmap(i8, f32))
MM3_STRUCT(maps, MAPS);

/* A file of maps; NULL is a failed check. */
MM3_UNUSED static struct mm3_file *maps_new(const char *name) {
  struct mm3_error error = {0};
  struct mm3_file *file = mm3_create(mm3test_path(name), MM3_TYPE(maps), NULL, &error);
  if (!CHECK(file != NULL)) fprintf(stderr, "%s\n", error.text);
  return file;
}

MM3_UNUSED static struct mm3_file *maps_open(const char *name, uint32_t flags) {
  struct mm3_error error = {0};
  struct mm3_options options = {.size = sizeof options, .flags = flags};
  struct mm3_file *file = mm3_open(mm3test_path(name), MM3_TYPE(maps), &options, &error);
  if (!CHECK(file != NULL)) fprintf(stderr, "%s\n", error.text);
  return file;
}

static void maps_finding(void *arg, const struct mm3_error *finding) {
  (void)arg;
  fprintf(stderr, "check: %s: %s\n", finding->field, finding->text);
}

/* The whole file against its promises. */
#define CHECK_SOUND(file) CHECK_EQ(mm3_check((file), maps_finding, NULL), 0)

/* ---- random numbers, from a seed that is printed ---- */

MM3_UNUSED static uint64_t maps_random(uint64_t *state) {
  uint64_t x = (*state += UINT64_C(0x9E3779B97F4A7C15));
  x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
  x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
  return x ^ x >> 31;
}

MM3_UNUSED static uint64_t maps_seed(const char *what) {
  const char *text = getenv("MM3TEST_SEED");
  uint64_t seed = text ? strtoull(text, NULL, 0) : mm3test_now_ns();
  fprintf(stderr, "%s: MM3TEST_SEED=%llu\n", what, (unsigned long long)seed);
  return seed;
}

/* How many entries the long tests make: MM3TEST_ENTRIES, or `usual`, a twentieth of it under a tool, in `make torture` ten
 * million. */
MM3_UNUSED static uint64_t maps_entries(uint64_t usual) {
  const char *text = getenv("MM3TEST_ENTRIES");
  if (text) return strtoull(text, NULL, 0);
  if (getenv("MM3_TORTURE") && !mm3test_tool()[0]) return 10000000;
  return mm3test_tool()[0] ? usual / 20 + 1 : usual;
}

/* When random operations may end: at once, in `make torture` in a minute. */
MM3_UNUSED static uint64_t maps_until(void) {
  return mm3test_now_ns() + (getenv("MM3_TORTURE") ? UINT64_C(60000000000) : 0);
}

/* Key number i: any bits. */
MM3_UNUSED static uint64_t maps_key(uint64_t i) { return maps_random(&i); }

/* A text of number i, `least` to `least` + 16 bytes, the same for the same i. */
MM3_UNUSED static size_t maps_text(uint64_t i, size_t least, char *to) {
  uint64_t state = i;
  size_t length = least + maps_random(&state) % 17;
  for (size_t at = 0; at < length; at++)
    to[at] = (char)('a' + (at < 8 ? i >> (4 * at) & 15 : maps_random(&state) % 26));
  to[length] = 0;
  return length;
}

#endif

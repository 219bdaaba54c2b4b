/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* ndarray: operations for the conformance kit (mm3/testing.h). What changes many elements has changed some when it is
 * killed, each of them whole. */
#include "kind_tests.h"

#include <mm3/ndarray.h>
#include <stdlib.h>
#include <string.h>

typedef MM3_VALUE(ndarray(u16, 2, 3)) table;

static struct mm3_ndarray_view row(table *t, uint64_t number) {
  struct mm3_ndarray_view view = mm3_ndarray_view(t);
  mm3_ndarray_fix(&view, 0, number);
  return view;
}

static int test_set(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  (void)type, (void)ctx;
  return mm3_ndarray_set((table *)bytes, 0xfffe, 1, 2);
}

static int test_fill(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  const uint16_t with = 0xabcd;
  struct mm3_ndarray_view all = mm3_ndarray_view((table *)bytes);
  (void)type, (void)ctx;
  return mm3_ndarray_fill(&all, &with);
}

static int test_copy_in(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  static const uint16_t items[6] = {600, 500, 400, 300, 200, 100};
  struct mm3_ndarray_view all = mm3_ndarray_view((table *)bytes);
  (void)type, (void)ctx;
  return mm3_ndarray_copy_in(&all, items, sizeof items);
}

static int test_copy(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  const struct mm3_ndarray_view to = row(bytes, 0), from = row(bytes, 1);
  (void)type, (void)ctx;
  return mm3_ndarray_copy(&to, &from);
}

#define COMBINES(name)                                                                    \
  static int test_##name(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) { \
    const struct mm3_ndarray_view to = row(bytes, 0), with = row(bytes, 1);               \
    (void)type, (void)ctx;                                                                \
    return mm3_ndarray_##name(&to, &to, &with);                                           \
  }
COMBINES(and)
COMBINES(or)
COMBINES(xor)
COMBINES(andnot)

/* By path: an element that one store holds, of several parts; and all of them. */
static int test_put_at(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  const struct mm3_step step = {.is = MM3_STEP_INDEX, .index = 1};
  const struct mm3_value text = {.is = MM3_TEXT, .as.text = "a\u00e9", .count = 3};
  struct mm3_place place = {type, bytes};
  if (type->kind->put_at) return type->kind->put_at(type, bytes, &step, &text, ctx);
  int result = type->kind->at(type, bytes, &step, &place, ctx);
  return result < 0 ? result : mm3_type_put(place.type, place.bytes, &text, ctx);
}

static int one_text(const struct mm3_value *of, void **cursor, struct mm3_value *key, struct mm3_value *item) {
  (void)of, (void)key;
  *item = (struct mm3_value){.is = MM3_TEXT, .as.text = "a\u00e9", .count = 3};
  return *cursor ? 0 : (*cursor = item, 1);
}

static int test_put(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  static const struct mm3_value_source source = {one_text};
  const struct mm3_value list = {.is = MM3_LIST, .count = 1, .source = &source};
  return mm3_type_put(type, bytes, &list, ctx);
}

/* The next number in *at; -1 at the end. */
static long next_number(const char **at) {
  char *end;
  *at += strcspn(*at, "0123456789");
  long number = **at ? strtol(*at, &end, 10) : -1;
  if (number >= 0) *at = end;
  return number;
}

static int element_by_element(const char *before, const char *after, const char *now) {
  for (;;) {
    long a = next_number(&before), b = next_number(&after), c = next_number(&now);
    if (c != a && c != b) return 0;
    if (c < 0) return 1;
  }
}

#define ON "ndarray(u16, 2, 3)", "[[1000, 2000, 3000], [65535, 255, 65280]]"

const struct mm3_test_op mm3i_ndarray_test_ops[] = {
  {"set", ON, test_set, NULL},
  {"put at, a text in one word", "ndarray(string(4), 2)", "[\"x\", \"\u00e9\u00e9\"]", test_put_at, NULL},
  {"put, a text in one word", "ndarray(string(4), 1)", "[\"\u00e9\u00e9\"]", test_put, NULL},
  {"fill", ON, test_fill, element_by_element},
  {"copy_in", ON, test_copy_in, element_by_element},
  {"copy", ON, test_copy, element_by_element},
  {"and", ON, test_and, element_by_element},
  {"or", ON, test_or, element_by_element},
  {"xor", ON, test_xor, element_by_element},
  {"andnot", ON, test_andnot, element_by_element},
  {NULL, NULL, NULL, NULL, NULL},
};

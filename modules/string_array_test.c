/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* string_array: operations for the conformance kit (mm3/testing.h). */
#include "kind_tests.h"

#include <mm3/string_array.h>
#include <string.h>

#define OP(name, ...)                                                              \
  static int name(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) { \
    MM3_VALUE(string_array(3, 12)) *a = bytes;                                     \
    (void)ctx, (void)type;                                                         \
    return __VA_ARGS__;                                                            \
  }

OP(test_set, mm3_string_array_set(a, 1, "twelve bytes"))
OP(test_append, mm3_string_array_append(a, 1, " two"))
OP(test_clear, mm3_string_array_clear(a, 2))
OP(test_clear_all, (mm3_string_array_clear_all(a), 0))

#define OLD "[\"one\", \"two\", \"three\"]"

/* Entries go one after the other. */
static int entry_by_entry(const char *before, const char *after, const char *now) {
  static const char *const between[] = {"[\"\", \"two\", \"three\"]", "[\"\", \"\", \"three\"]"};
  if (strcmp(now, before) == 0 || strcmp(now, after) == 0) return 1;
  return strcmp(now, between[0]) == 0 || strcmp(now, between[1]) == 0;
}

const struct mm3_test_op mm3i_string_array_test_ops[] = {
  {"set", "string_array(3, 12)", OLD, test_set, NULL},
  {"append", "string_array(3, 12)", OLD, test_append, NULL},
  {"clear", "string_array(3, 12)", OLD, test_clear, NULL},
  {"clear_all", "string_array(3, 12)", OLD, test_clear_all, entry_by_entry},
  {NULL, NULL, NULL, NULL, NULL},
};

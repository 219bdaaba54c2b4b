/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* json: operations for the conformance kit (mm3/testing.h). */
#include "kind_tests.h"

#include <mm3/json.h>

#define OP(name, ...)                                                              \
  static int name(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) { \
    MM3_VALUE(json(120)) *j = bytes;                                               \
    (void)ctx, (void)type;                                                         \
    return __VA_ARGS__;                                                            \
  }

OP(test_set, mm3_json_set_text(j, "[\"a value that is longer than the old one\", 1.5, null]", NULL))
OP(test_pack, mm3_json_pack(j, NULL, "{s:i, s:[b, n]}", "n", 5, "l", 1))
OP(test_remove, mm3_json_set_at(j, "/a", NULL, NULL))
OP(test_clear, (mm3_json_clear(j), 0))

static int test_set_at(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  MM3_VALUE(json(120)) *j = bytes;
  json_t *value = json_pack("{s:s}", "new", "member");
  int result = value ? mm3_json_set_at(j, "/b/-", value, NULL) : -1;
  (void)ctx, (void)type;
  json_decref(value);
  return result;
}

static int test_merge(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  MM3_VALUE(json(120)) *j = bytes;
  json_t *patch = json_pack("{s:n, s:{s:i}}", "a", "c", "d", 4);
  int result = patch ? mm3_json_merge(j, patch, NULL) : -1;
  (void)ctx, (void)type;
  json_decref(patch);
  return result;
}

#define ON "json(120)", "{\"a\": 1, \"b\": [1, 2]}"

const struct mm3_test_op mm3i_json_test_ops[] = {
  {"set, the first", "json(120)", NULL, test_set, NULL},
  {"set", ON, test_set, NULL},
  {"pack", ON, test_pack, NULL},
  {"set by pointer", ON, test_set_at, NULL},
  {"remove by pointer", ON, test_remove, NULL},
  {"merge patch", ON, test_merge, NULL},
  {"clear", ON, test_clear, NULL},
  {NULL, NULL, NULL, NULL, NULL},
};

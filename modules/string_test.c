/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* string: operations for the conformance kit (mm3/testing.h). */
#include "kind_tests.h"

#include <mm3/string.h>

#define OP(name, ...)                                                              \
  static int name(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) { \
    MM3_VALUE(string(40)) *s = bytes;                                              \
    (void)ctx, (void)type;                                                         \
    return __VA_ARGS__;                                                            \
  }

OP(test_set, mm3_string_set(s, "a text that is longer than the old one"))
OP(test_append, mm3_string_append(s, ", and more"))
OP(test_format, mm3_string_format(s, "%s-%d", "formatted", 5))
OP(test_truncate, mm3_string_set_truncate(s, "a text that is longer than the forty bytes that there are") < 0)
OP(test_clear, (mm3_string_clear(s), 0))

const struct mm3_test_op mm3i_string_test_ops[] = {
  {"set, the first", "string(40)", NULL, test_set, NULL},
  {"set", "string(40)", "\"the old text\"", test_set, NULL},
  {"append", "string(40)", "\"the old text\"", test_append, NULL},
  {"format", "string(40)", "\"the old text\"", test_format, NULL},
  {"set_truncate", "string(40)", "\"the old text\"", test_truncate, NULL},
  {"clear", "string(40)", "\"the old text\"", test_clear, NULL},
  {NULL, NULL, NULL, NULL, NULL},
};

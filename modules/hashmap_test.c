/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* hashmap: operations for the conformance kit (mm3/testing.h): on words, on values that take several stores, on texts.
 */
#include "kind_tests.h"

#include <mm3/hashmap.h>

#define OP(name, type, ...)                                                            \
  static int name(const struct mm3_type *laid_out, void *bytes, struct mm3_ctx *ctx) { \
    MM3_VALUE(type) *m = bytes;                                                        \
    (void)laid_out;                                                                    \
    return __VA_ARGS__;                                                                \
  }

static const unsigned char wide[20] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20};

OP(test_insert, hashmap(u64, u64), mm3_hashmap_set(ctx->file, m, UINT64_C(7), UINT64_C(70)) == 0 ? 0 : -1)
OP(test_replace, hashmap(u64, u64), mm3_hashmap_set(ctx->file, m, UINT64_C(1), UINT64_C(70)) == 1 ? 0 : -1)
OP(test_add, hashmap(u64, u64), mm3_hashmap_add(ctx->file, m, UINT64_C(2), UINT64_C(5)) < 0)
OP(test_remove, hashmap(u64, u64), mm3_hashmap_remove(ctx->file, m, UINT64_C(2)))
OP(test_reserve, hashmap(u64, u64), mm3_hashmap_reserve(ctx->file, m, 40))
OP(test_clear, hashmap(u64, u64), mm3_hashmap_clear(ctx->file, m))
OP(test_insert_wide, hashmap(u64, raw(20)), mm3_hashmap_set(ctx->file, m, UINT64_C(7), &wide) == 0 ? 0 : -1)
OP(test_replace_wide, hashmap(u64, raw(20)), mm3_hashmap_set(ctx->file, m, UINT64_C(1), &wide) == 1 ? 0 : -1)
OP(test_insert_text, hashmap(text, text), mm3_hashmap_set(ctx->file, m, "a new key", "its value") == 0 ? 0 : -1)
OP(test_replace_text, hashmap(text, text),
   mm3_hashmap_set(ctx->file, m, "a", "a value longer than the old one") == 1 ? 0 : -1)
OP(test_remove_text, hashmap(text, text), mm3_hashmap_remove(ctx->file, m, "a"))

#define WORDS "hashmap(u64, u64)", "{\"1\": 10, \"2\": 20, \"3\": 30}"
#define WIDE  "hashmap(u64, raw(20))", "{\"1\": \"3131313131313131313131313131313131313131\"}"
#define TEXTS "hashmap(text, text)", "{\"a\": \"b\", \"c\": \"\"}"

const struct mm3_test_op mm3i_hashmap_test_ops[] = {
  {"insert, the first", "hashmap(u64, u64)", NULL, test_insert, NULL},
  {"insert", WORDS, test_insert, NULL},
  {"replace", WORDS, test_replace, NULL},
  {"add", WORDS, test_add, NULL},
  {"remove", WORDS, test_remove, NULL},
  {"reserve", WORDS, test_reserve, NULL},
  {"clear", WORDS, test_clear, NULL},
  {"insert, wide values", WIDE, test_insert_wide, NULL},
  {"replace, wide values", WIDE, test_replace_wide, NULL},
  {"insert, texts", TEXTS, test_insert_text, NULL},
  {"replace, texts", TEXTS, test_replace_text, NULL},
  {"remove, texts", TEXTS, test_remove_text, NULL},
  {NULL, NULL, NULL, NULL, NULL},
};

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Up to N digits as a key, behind which what was longer stays; and no hash and equal of its own that would pass over it. */
#include "odd.h"

static int key_check(const struct mm3_type *type, const void *bytes, struct mm3_ctx *ctx) {
  uint64_t count = *(const volatile uint64_t *)bytes, wrong = count > type->numbers[0];
  for (uint64_t i = 0; !wrong && i < count; i++) wrong = (unsigned)((const uint8_t *)bytes)[8 + i] - '0' > 9;
  return wrong ? mm3_ctx_fail(ctx, -MM3_E_DAMAGED, "%s holds no digits", type->text) : 0;
}

static int key_visit(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  int result = key_check(type, bytes, ctx);
  return result ? result : sink->text(sink, (const char *)bytes + 8, odd_len(type, bytes));
}

static int key_parse(const struct mm3_type *type, const char *text, size_t count, void *bytes, struct mm3_ctx *ctx) {
  int refused = count > type->numbers[0];
  for (size_t i = 0; !refused && i < count; i++) refused = (unsigned)text[i] - '0' > 9;
  if (refused) return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s wants digits", type->text);
  if (ctx->flags & MM3_CTX_DRY) return 0;
  memcpy((uint8_t *)bytes + 8, text, count);
  *(volatile uint64_t *)bytes = count;
  return 0;
}

static int key_put(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  if (value->is == MM3_TEXT) return key_parse(type, value->as.text, value->count, bytes, ctx);
  return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s wants digits", type->text);
}

static int key_print(const struct mm3_type *type, const void *bytes, char *text, size_t size, struct mm3_ctx *ctx) {
  size_t count = (size_t)odd_len(type, bytes);
  (void)ctx;
  if (count <= size) memcpy(text, (const uint8_t *)bytes + 8, count);
  return (int)count;
}
ODD_MODULE(odd_key, .check = key_check, .visit = key_visit, .put = key_put, .count = NULL, .key_parse = key_parse,
           .key_print = key_print);

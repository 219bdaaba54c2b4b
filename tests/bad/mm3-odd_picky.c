/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Nothing is wrong with it, though it takes few texts: up to N digits behind their count. The kit cannot fill it, and must
 * not call what it never saw in use a hole. */
#include "odd.h"

static int picky_check(const struct mm3_type *type, const void *bytes, struct mm3_ctx *ctx) {
  uint64_t count = *(const volatile uint64_t *)bytes, wrong = count > type->numbers[0];
  for (uint64_t i = 0; !wrong && i < count; i++) wrong = (unsigned)((const uint8_t *)bytes)[8 + i] - '0' > 9;
  return wrong ? mm3_ctx_fail(ctx, -MM3_E_DAMAGED, "%s holds no digits", type->text) : 0;
}

static int picky_visit(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  int result = picky_check(type, bytes, ctx);
  return result ? result : sink->text(sink, (const char *)bytes + 8, odd_len(type, bytes));
}

static int picky_put(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  int refused = value->is != MM3_TEXT || value->count > type->numbers[0];
  for (uint64_t i = 0; !refused && i < value->count; i++) refused = (unsigned)value->as.text[i] - '0' > 9;
  if (refused) return mm3_ctx_fail(ctx, -MM3_E_VALUE, "%s wants digits", type->text);
  if (ctx->flags & MM3_CTX_DRY) return 0;
  memcpy((uint8_t *)bytes + 8, value->as.text, value->count);
  *(volatile uint64_t *)bytes = value->count;
  return 0;
}
ODD_MODULE(odd_picky, .check = picky_check, .visit = picky_visit, .put = picky_put, .count = NULL);

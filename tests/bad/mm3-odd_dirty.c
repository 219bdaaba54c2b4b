/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Stores what happened to lie on its stack behind the last item. */
#include "odd.h"

static int dirty(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  volatile uint8_t rest[64];
  int result = odd_put(type, bytes, value, ctx);
  if (result || ctx->flags & MM3_CTX_DRY) return result;
  for (uint64_t i = odd_len(type, bytes); i < type->numbers[0]; i++) ((uint8_t *)bytes)[8 + i] = rest[i];
  return 0;
}
ODD_MODULE(odd_dirty, .put = dirty);

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Writes before its value. */
#include "odd.h"

static int spoilt(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  int result = odd_put(type, bytes, value, ctx);
  volatile uint8_t *before = (uint8_t *)bytes - 1;
  if (result == 0 && !(ctx->flags & MM3_CTX_DRY) && !ctx->file) *before = 0;
  return result;
}
ODD_MODULE(odd_writes, .put = spoilt);

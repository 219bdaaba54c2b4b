/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Refuses without a word. */
#include "odd.h"

static int spoilt(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  int result = odd_take(type, bytes, value, 0, 0, ctx);
  return result || ctx->flags & MM3_CTX_DRY ? result : odd_take(type, bytes, value, 1, 0, ctx);
}
ODD_MODULE(odd_silent, .put = spoilt);

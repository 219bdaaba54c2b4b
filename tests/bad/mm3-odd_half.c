/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Leaves half of a value that it refuses. */
#include "odd.h"

static int spoilt(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  if (!(ctx->flags & MM3_CTX_DRY)) *(uint64_t *)bytes = 0;
  return odd_take(type, bytes, value, !(ctx->flags & MM3_CTX_DRY), 1, ctx);
}
ODD_MODULE(odd_half, .put = spoilt);

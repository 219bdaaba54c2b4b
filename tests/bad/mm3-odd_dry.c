/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Writes when it was only asked. */
#include "odd.h"

static int spoilt(const struct mm3_type *type, void *bytes, const struct mm3_value *value, struct mm3_ctx *ctx) {
  int result = odd_take(type, bytes, value, 0, 1, ctx);
  return result ? result : odd_take(type, bytes, value, 1, 1, ctx);
}
ODD_MODULE(odd_dry, .put = spoilt);

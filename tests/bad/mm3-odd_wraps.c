/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Multiplies before it looks, so that a very large number is a very small size. */
#include "odd.h"

static int spoilt(struct mm3_type *type, struct mm3_ctx *ctx) {
  if (type->nargs != 1 || type->args[0].is != MM3_ARG_NUMBER || type->args[0].number == 0)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "%s: wanted a number", type->text);
  type->numbers[0] = type->args[0].number;
  type->size = 8 + type->numbers[0] * 16 / 16 * 8;
  type->align = 8;
  if (type->size > 8 + 64 * 8) return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "%s is too large", type->text);
  return 0;
}
ODD_MODULE(odd_wraps, .layout = spoilt);

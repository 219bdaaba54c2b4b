/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A size that is no multiple of the alignment: the next one in a vec would not be aligned. */
#include "odd.h"

static int spoilt(struct mm3_type *type, struct mm3_ctx *ctx) {
  int result = odd_layout(type, ctx);
  type->size += 1;
  return result;
}
ODD_MODULE(odd_align, .layout = spoilt);

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Lays the same arguments out in two ways. */
#include "odd.h"

static int spoilt(struct mm3_type *type, struct mm3_ctx *ctx) {
  static unsigned calls;
  int result = odd_layout(type, ctx);
  type->size += 8 * (calls++ % 2);
  return result;
}
ODD_MODULE(odd_layout_, .layout = spoilt, .name = "odd_layout");

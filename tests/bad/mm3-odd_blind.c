/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Its check takes anything, its visit does not. */
#include "odd.h"

static int blind(const struct mm3_type *type, const void *bytes, struct mm3_ctx *ctx) {
  (void)type, (void)bytes, (void)ctx;
  return 0;
}
static int strict(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  int result = odd_check(type, bytes, ctx);
  return result ? result : odd_visit(type, bytes, sink, ctx);
}
ODD_MODULE(odd_blind, .check = blind, .visit = strict);

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Its items as a path reaches them are wider than those that it shows. */
#include "odd.h"

static int at(const struct mm3_type *type, void *bytes, const struct mm3_step *step, struct mm3_place *place,
              struct mm3_ctx *ctx) {
  static struct mm3_type wide;
  uint64_t count = odd_len(type, bytes);
  uint64_t index = step->index < 0 ? count + (uint64_t)step->index : (uint64_t)step->index;
  if (index >= count) return mm3_ctx_fail(ctx, -MM3_E_ABSENT, "%s has no such item", type->text);
  wide = (struct mm3_type){.kind = mm3_kind_find("u16", 0, NULL), .text = "u16", .size = 2, .align = 2};
  *place = (struct mm3_place){&wide, (uint8_t *)bytes + 8 + index};
  return 0;
}
ODD_MODULE(odd_overlap, .at = at);

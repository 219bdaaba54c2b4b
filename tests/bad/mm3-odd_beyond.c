/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Finds items beyond the last one. */
#include "odd.h"

static int layout(struct mm3_type *type, struct mm3_ctx *ctx) {
  if (type->nargs != 2 || !type->element || type->element->size != 1 || type->args[1].is != MM3_ARG_NUMBER ||
      type->args[1].number - 1 >= 64)
    return mm3_ctx_fail(ctx, -MM3_E_SCHEMA, "%s: wanted u8 and a number from 1 to 64", type->text);
  type->numbers[0] = type->args[1].number;
  type->size = ODD_SIZE(type->numbers[0]);
  type->align = 8;
  return 0;
}
static int spoilt(const struct mm3_type *type, void *bytes, const struct mm3_step *step, struct mm3_place *place,
                  struct mm3_ctx *ctx) {
  (void)ctx;
  uint64_t index = (uint64_t)(step->index < 0 ? (int64_t)odd_len(type, bytes) + step->index : step->index);
  if (step->is != MM3_STEP_INDEX || index >= type->numbers[0])
    return mm3_ctx_fail(ctx, -MM3_E_ABSENT, "%s has no such item", type->text);
  *place = (struct mm3_place){type->element, (uint8_t *)bytes + 8 + index};
  return 0;
}
ODD_MODULE(odd_beyond, .layout = layout, .at = spoilt, .signature = "odd_beyond(T, N): up to N small numbers");

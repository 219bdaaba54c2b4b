/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Its empty value does not pass its own check. */
#include "odd.h"

static int spoilt(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  (void)ctx;
  *(uint64_t *)bytes = type->numbers[0] + 1;
  return 0;
}
ODD_MODULE(odd_init, .init = spoilt);

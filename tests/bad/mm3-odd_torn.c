/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Counts an item before it is there: who is killed in between leaves what nobody put. */
#include "odd.h"

static int push_five(const struct mm3_type *type, void *bytes, struct mm3_ctx *ctx) {
  uint64_t count = odd_len(type, bytes);
  (void)ctx;
  *(volatile uint64_t *)bytes = count + 1;
  ((volatile uint8_t *)bytes)[8 + count] = 5;
  return 0;
}
static const struct mm3_test_op ops[] = {{"push", "odd_torn(4)", "[1, 2]", push_five, NULL},
                                         {NULL, NULL, NULL, NULL, NULL}};
ODD_MODULE(odd_torn, .test_ops = ops);

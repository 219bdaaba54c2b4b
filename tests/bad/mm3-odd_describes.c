/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Describes as many items as it counts, however many that are. */
#include "odd.h"

static int describe(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  uint64_t count = *(const volatile uint64_t *)bytes, sum = 0;
  (void)type, (void)ctx;
  for (uint64_t i = 0; i < count; i++) sum += ((const volatile uint8_t *)bytes)[8 + i];
  sink->begin_map(sink, 1);
  sink->key(sink, "sum", 3);
  sink->integer(sink, (int64_t)sum);
  return sink->end_map(sink);
}
ODD_MODULE(odd_describes, .describe = describe);

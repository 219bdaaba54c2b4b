/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Believes the count that lies in the file. */
#include "odd.h"

static int spoilt(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  uint64_t count = *(const volatile uint64_t *)bytes;
  (void)type, (void)ctx;
  sink->begin_list(sink, count);
  for (uint64_t i = 0; i < count; i++) sink->integer(sink, ((const uint8_t *)bytes)[8 + i]);
  return sink->end_list(sink);
}
ODD_MODULE(odd_trusts, .visit = spoilt);

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What it shows is not what it was given. */
#include "odd.h"

static int spoilt(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  uint64_t count = odd_len(type, bytes);
  (void)ctx;
  sink->begin_list(sink, count);
  for (uint64_t i = 0; i < count; i++) sink->integer(sink, ((const uint8_t *)bytes)[8 + i] / 2);
  return sink->end_list(sink);
}
ODD_MODULE(odd_loses, .visit = spoilt);

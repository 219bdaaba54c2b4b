/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* segmented_describe.c: which segments there are, where, and how full. */
#include "describe.h"
#include "segmented_inside.h"

static int segment(struct mm3_sink *sink, struct mm3_segmented_ref r, unsigned k, uint64_t offset, uint64_t length) {
  uint64_t first = seg_first(r, k), items = seg_items(r, k), used = length > first ? length - first : 0;
  int result = sink->begin_map(sink, 5);
  if (result >= 0) result = describe_number(sink, "segment", k);
  if (result >= 0) result = describe_number(sink, "offset", offset);
  if (result >= 0) result = describe_number(sink, "bytes", seg_bytes(r, k));
  if (result >= 0) result = describe_number(sink, "used", used < items ? used : items);
  if (result >= 0) result = describe_number(sink, "of", items);
  return result < 0 ? result : sink->end_map(sink);
}

int mm3i_seg_describe(const struct mm3_type *type, const void *bytes, struct mm3_sink *sink, struct mm3_ctx *ctx) {
  struct mm3_segmented_ref r = ref_of(type, bytes);
  uint64_t length = SEG_LEN(r), room = 0, offsets[MM3_SEGMENTS];
  unsigned count = 0;
  (void)ctx;
  for (unsigned k = 0; k < MM3_SEGMENTS && seg_bytes(r, k) != UINT64_MAX; k++) {
    offsets[k] = __atomic_load_n(&r.s->segment[k], __ATOMIC_ACQUIRE);
    if (!offsets[k]) break;
    room += seg_bytes(r, k);
    count++;
  }
  int result = sink->begin_map(sink, 4);
  if (result >= 0) result = describe_number(sink, "items", length);
  if (result >= 0) result = describe_number(sink, "bytes of items", length > UINT64_MAX / r.item ? UINT64_MAX : length * r.item);
  if (result >= 0) result = describe_number(sink, "bytes of segments", room);
  if (result >= 0) result = sink->key(sink, "segments", 8);
  if (result >= 0) result = sink->begin_list(sink, count);
  for (unsigned k = 0; k < count && result >= 0; k++) result = segment(sink, r, k, offsets[k], length);
  if (result >= 0) result = sink->end_list(sink);
  return result < 0 ? result : sink->end_map(sink);
}

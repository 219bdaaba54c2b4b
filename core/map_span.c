/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "map.h"

#include <errno.h>

#include "sys.h"

unsigned mm3i_map_page_bits(void) { return (unsigned)__builtin_ctzll((unsigned long long)mm3i_sys.page_size()); }

int mm3i_map_span(uint64_t offset, uint64_t length, unsigned page_bits, struct mm3i_map_span *span) {
  if (length > PTRDIFF_MAX || offset > INT64_MAX || length > INT64_MAX - offset) return -EOVERFLOW;
  uint64_t page = UINT64_C(1) << page_bits;
  uint64_t slack = offset & (page - 1);
  /* mmap refuses 0 bytes, and mremap of 0 bytes duplicates a shared map: an empty map keeps one page */
  uint64_t bytes = slack + length > 0 ? slack + length : 1;
  uint64_t mapped = (bytes + page - 1) & ~(page - 1); /* at most 2^63 + 2 pages: no wrap in 64 bits */
  if (mapped > PTRDIFF_MAX) return -EOVERFLOW;
  span->file_offset = offset - slack;
  span->slack = (size_t)slack;
  span->length = (size_t)length;
  span->mapped = (size_t)mapped;
  return 0;
}

int mm3i_map_part(const struct mm3_map *map, size_t offset, size_t length, enum mm3i_map_rounding rounding,
                  struct mm3i_map_part *part) {
  if (map->mapped == 0 || !mm3_map_contains(map, offset, length)) return -EINVAL;
  size_t page = (size_t)1 << map->page_bits;
  size_t slack = (size_t)((char *)map->ptr - (char *)map->base);
  /* offsets from base from here on: none can pass `mapped`, which is at most PTRDIFF_MAX */
  size_t start = slack + offset, end = start + length;
  part->start = map->base;
  part->length = 0;
  if (length == 0) return 0;
  if (rounding == MM3I_MAP_NARROW) {
    if (offset == 0) start = 0;
    if (offset + length == map->length) end = map->mapped;
  }
  if (rounding == MM3I_MAP_WIDEN) {
    start &= ~(page - 1);
    end = (end + page - 1) & ~(page - 1);
  } else {
    start = (start + page - 1) & ~(page - 1);
    end &= ~(page - 1);
  }
  if (start >= end) return 0;
  part->start = (char *)map->base + start;
  part->length = end - start;
  return 0;
}

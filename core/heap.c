/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* heap.c: blocks of any size: small ones from slabs, large ones runs of pages of their own. */
#include "heap.h"

#include <errno.h>
#include <string.h>

static bool inside(const struct mm3i_heap *heap, uint64_t offset) {
  return offset >= heap->start && offset - heap->start < heap->pages * MM3I_PAGE;
}

uint64_t mm3i_heap_used_run(struct mm3i_heap *heap, uint64_t offset) {
  uint64_t page = (offset - heap->start) / MM3I_PAGE, word = offset % MM3I_PAGE ? 0 : mm3i_heap_word(heap, page);
  uint64_t pages = mm3i_page_length(word);
  return mm3i_page_state_of(word) == MM3I_PAGE_USED && pages <= heap->pages - page ? pages : 0;
}

int mm3_heap_alloc(struct mm3_file *file, uint64_t size, uint64_t align, uint64_t *offset) {
  struct mm3i_heap heap;
  int result = mm3i_heap_begin(&heap, file);
  if (result < 0) return result;
  if (align == 0) align = 16;
  if (align & (align - 1) || align > MM3I_PAGE) return -EINVAL;
  if (size > INT64_MAX) return -EFBIG;
  unsigned class_ = mm3i_heap_class(size, align);
  if (class_ < MM3I_HEAP_CLASSES) return mm3i_heap_slab_alloc(&heap, class_, offset);
  uint64_t page;
  result = mm3i_heap_run_alloc(&heap, (size + MM3I_PAGE - 1) / MM3I_PAGE, &page);
  if (result == 0) *offset = mm3i_heap_offset(&heap, page);
  return result;
}

int mm3_heap_free(struct mm3_file *file, uint64_t offset) {
  struct mm3i_heap heap;
  struct mm3i_heap_block block;
  int result = mm3i_heap_begin(&heap, file);
  if (result < 0) return result;
  if (!inside(&heap, offset)) return -MM3_E_DAMAGED;
  if (mm3i_heap_slab_give(&heap, offset)) return 0;
  if (mm3i_heap_slab_find(&heap, offset, &block)) return mm3i_heap_slab_free(&heap, &block);
  uint64_t pages = mm3i_heap_used_run(&heap, offset);
  if (!pages || heap.bad) return -MM3_E_DAMAGED;
  mm3i_heap_run_release(&heap, (offset - heap.start) / MM3I_PAGE, pages);
  return mm3i_heap_commit(&heap);
}

uint64_t mm3_heap_usable(struct mm3_file *file, uint64_t offset) {
  struct mm3i_heap heap;
  struct mm3i_heap_block block;
  int result = mm3i_heap_peek(&heap, file);
  if ((result < 0 && result != -MM3_E_RESERVE) || !inside(&heap, offset)) return 0; /* RESERVE: this part may be mapped */
  if (mm3i_heap_slab_find(&heap, offset, &block)) return mm3i_heap_class_size(block.class_);
  uint64_t pages = mm3i_heap_used_run(&heap, offset);
  return heap.bad ? 0 : pages * MM3I_PAGE;
}

static void measure_slab(struct mm3i_heap *heap, uint64_t slab, uint64_t word, struct mm3_heap_stats *stats) {
  unsigned class_ = mm3i_page_class(word);
  uint64_t pages = mm3i_slab_pages(word), size = class_ < MM3I_HEAP_CLASSES ? mm3i_heap_class_size(class_) : 0;
  for (uint64_t d = 0; size && d < pages; d++) {
    for (unsigned i = 0; i < mm3i_heap_page_words(class_); i++) {
      uint64_t mask = mm3i_heap_page_mask(class_, pages, d, i);
      uint64_t used = mask & mm3i_heap_get(heap, mm3i_heap_page_at(heap, class_, slab + d, i));
      uint64_t blocks = (uint64_t)__builtin_popcountll(used), all = (uint64_t)__builtin_popcountll(mask);
      stats->used += blocks * size, stats->blocks += blocks, stats->free += (all - blocks) * size;
      if (blocks < all && size > stats->largest_free) stats->largest_free = size;
    }
  }
}

static int measure(struct mm3i_heap *heap, struct mm3_heap_stats *stats) {
  uint64_t length = __atomic_load_n(&heap->super->length, MM3_RELAXED), pages;
  uint64_t tail = mm3i_heap_offset(heap, heap->pages);
  tail = length > tail ? length - tail : 0;
  stats->total = length > heap->start ? length - heap->start : 0;
  stats->free = stats->largest_free = tail;
  for (uint64_t page = 0; page < heap->pages; page += pages) {
    uint64_t word = mm3i_heap_word(heap, page);
    unsigned state = mm3i_page_state_of(word);
    pages = state == MM3I_PAGE_SLAB ? mm3i_slab_pages(word) : mm3i_page_length(word);
    if (heap->bad || pages == 0 || pages > heap->pages - page) return -MM3_E_DAMAGED;
    if (state == MM3I_PAGE_SLAB) measure_slab(heap, page, word, stats);
    if (state == MM3I_PAGE_USED) stats->used += pages * MM3I_PAGE, stats->blocks++;
    if (state != MM3I_PAGE_FREE) continue;
    stats->free += pages * MM3I_PAGE;
    if (pages * MM3I_PAGE > stats->largest_free) stats->largest_free = pages * MM3I_PAGE;
  }
  return 0;
}

int mm3_heap_measure(struct mm3_file *file, struct mm3_heap_stats *stats) {
  struct mm3i_heap heap;
  struct mm3_heap_stats all = {.size = sizeof all};
  uint32_t size = stats->size && stats->size < sizeof all ? stats->size : (uint32_t)sizeof all;
  int result = mm3i_heap_peek(&heap, file);
  if (result == 0) result = measure(&heap, &all);
  if (result < 0) return result;
  all.size = size;
  memcpy(stats, &all, size);
  return 0;
}

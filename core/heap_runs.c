/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* heap_runs.c: runs of pages, in use or free. Free neighbours are always one run; free runs hang in bins by size. */
#include "heap.h"

#include <errno.h>

#define TRIES 16        /* free runs of the request's own bin that are looked at */
#define TRIES_LAST 64   /* of the bin that has all large ones */

unsigned mm3i_heap_bin(uint64_t pages) {
  if (pages <= 16) return (unsigned)pages - 1;
  unsigned top = 63 - (unsigned)__builtin_clzll(pages);
  unsigned bin = 16 + (top - 4) * 4 + (unsigned)(pages >> (top - 2) & 3);
  return bin < MM3I_HEAP_BINS ? bin : MM3I_HEAP_BINS - 1;
}

static uint64_t link_at(struct mm3i_heap *heap, uint64_t page) { return mm3i_heap_entry(heap, page) + 8; }

static void set_previous(struct mm3i_heap *heap, uint64_t page, uint64_t previous) {
  uint64_t at = link_at(heap, page);
  mm3i_heap_put(heap, at, (mm3i_heap_get(heap, at) & ~UINT64_C(0xffffffff)) | previous);
}

static void unlink_run(struct mm3i_heap *heap, uint64_t page, uint64_t pages) {
  uint64_t link = mm3i_heap_get(heap, link_at(heap, page));
  uint64_t next = link >> 32, previous = link & 0xffffffff;
  if (previous) {
    uint64_t at = link_at(heap, previous);
    mm3i_heap_put(heap, at, (mm3i_heap_get(heap, at) & 0xffffffff) | next << 32);
  } else {
    mm3i_heap_put(heap, MM3I_HEAP_AT_32(bins, mm3i_heap_bin(pages)), next);
  }
  if (next) set_previous(heap, next, previous);
}

void mm3i_heap_run_link(struct mm3i_heap *heap, uint64_t page, uint64_t pages) {
  uint64_t bin = MM3I_HEAP_AT_32(bins, mm3i_heap_bin(pages)), next = mm3i_heap_get(heap, bin);
  mm3i_heap_put(heap, mm3i_heap_entry(heap, page), mm3i_page_run(MM3I_PAGE_FREE, pages));
  if (pages > 1) mm3i_heap_put(heap, mm3i_heap_entry(heap, page + pages - 1), mm3i_page_run(MM3I_PAGE_TAIL, pages));
  mm3i_heap_put(heap, link_at(heap, page), next << 32);
  if (next) set_previous(heap, next, page);
  mm3i_heap_put(heap, bin, page);
}

/* A free run at that page inside the heap: its length, or 0. */
static uint64_t free_at(struct mm3i_heap *heap, uint64_t page) {
  uint64_t word = page < heap->pages ? mm3i_heap_word(heap, page) : 0;
  uint64_t pages = mm3i_page_length(word);
  return mm3i_page_state_of(word) == MM3I_PAGE_FREE && pages <= heap->pages - page ? pages : 0;
}

static uint64_t free_before(struct mm3i_heap *heap, uint64_t page) {
  uint64_t word = mm3i_heap_word(heap, page - 1), pages = mm3i_page_length(word);
  if (mm3i_page_state_of(word) == MM3I_PAGE_FREE && pages == 1) return 1;
  if (mm3i_page_state_of(word) != MM3I_PAGE_TAIL || pages >= page) return 0;
  return free_at(heap, page - pages) == pages ? pages : 0; /* tails may be stale */
}

void mm3i_heap_run_release(struct mm3i_heap *heap, uint64_t page, uint64_t pages) {
  uint64_t before = free_before(heap, page), after = free_at(heap, page + pages);
  mm3i_heap_put(heap, mm3i_heap_entry(heap, page), 0);
  if (after) {
    unlink_run(heap, page + pages, after);
    mm3i_heap_put(heap, mm3i_heap_entry(heap, page + pages), 0);
    pages += after;
  }
  if (before) {
    unlink_run(heap, page - before, before);
    mm3i_heap_put(heap, mm3i_heap_entry(heap, page - before), 0);
    page -= before, pages += before;
  }
  if (page + pages == heap->pages) mm3i_heap_put(heap, MM3I_HEAP_AT_END, mm3i_heap_offset(heap, page));
  else mm3i_heap_run_link(heap, page, pages);
}

/* A free run of at least so many pages; 0: none was found. */
static uint64_t find(struct mm3i_heap *heap, uint64_t pages) {
  unsigned bin = mm3i_heap_bin(pages);
  unsigned tries = bin == MM3I_HEAP_BINS - 1 ? TRIES_LAST : TRIES;
  uint64_t page = mm3i_heap_get(heap, MM3I_HEAP_AT_32(bins, bin));
  for (unsigned i = 0; page && i < tries; i++) {
    uint64_t found = free_at(heap, page);
    if (found >= pages) return page;
    if (!found) heap->bad = true;
    if (heap->bad) return 0;
    page = mm3i_heap_get(heap, link_at(heap, page)) >> 32;
  }
  while (++bin < MM3I_HEAP_BINS)
    if ((page = mm3i_heap_get(heap, MM3I_HEAP_AT_32(bins, bin)))) return page;
  return 0;
}

int mm3i_heap_run_alloc(struct mm3i_heap *heap, uint64_t pages, uint64_t *page) {
  uint64_t found = find(heap, pages);
  if (heap->bad) return -MM3_E_DAMAGED;
  if (!found) return mm3i_heap_bump(heap, pages, page);
  uint64_t length = free_at(heap, found);
  if (length < pages) return -MM3_E_DAMAGED;
  unlink_run(heap, found, length);
  mm3i_heap_put(heap, mm3i_heap_entry(heap, found), mm3i_page_run(MM3I_PAGE_USED, pages));
  if (length > pages) mm3i_heap_run_link(heap, found + pages, length - pages);
  *page = found;
  return mm3i_heap_commit(heap);
}

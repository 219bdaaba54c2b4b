/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * heap_repair.c: builds the heap's lists anew, and takes back the blocks that nobody owns. Meanwhile the log says that
 * the heap is under repair: whoever comes after a killed one (heap_log.c, begin) repairs it again before anything else.
 *
 * What it believes: heap_end, the places of the page map's parts, owners, and heads that make sense. A stretch without
 * such heads becomes one run, free if no field owns anything in it. When a field cannot be asked nothing is taken back.
 */
#include "heap.h"

#include <errno.h>
#include <string.h>

struct repair {
  struct mm3i_heap heap;
  struct mm3i_heap_owned owned;
  uint64_t leaked;             /* blocks taken back */
  uint64_t free_from, free_to; /* free pages that wait for their end */
};

static void set(struct repair *r, uint64_t at, uint64_t value) {
  mm3i_heap_put(&r->heap, at, value);
  mm3i_heap_flush(&r->heap);
}

static bool owns_any(const struct repair *r, uint64_t page, uint64_t pages) {
  if (!r->owned.complete) return true;
  for (uint64_t unit = page * (MM3I_PAGE / 16); unit < (page + pages) * (MM3I_PAGE / 16); unit++)
    if (mm3i_heap_is_owned(&r->owned, unit)) return true;
  return false;
}

/* The pages of what begins here, or 0. */
static uint64_t head_at(struct repair *r, uint64_t page, uint64_t *word) {
  unsigned state = (*word = mm3i_heap_word(&r->heap, page)) & 15;
  if (state == MM3I_PAGE_SLAB) return mm3i_heap_slab_check(&r->heap, page, *word);
  if (state != MM3I_PAGE_USED && state != MM3I_PAGE_FREE && state != MM3I_PAGE_MAP) return 0;
  uint64_t pages = mm3i_page_length(*word);
  return pages <= r->heap.pages - page ? pages : 0;
}

static void end_free(struct repair *r) {
  uint64_t from = r->free_from, pages = r->free_to - from;
  if (pages == 0) return;
  for (uint64_t p = from; p < r->free_to; p++) set(r, mm3i_heap_entry(&r->heap, p), 0);
  if (r->free_to == r->heap.pages) set(r, MM3I_HEAP_AT_END, mm3i_heap_offset(&r->heap, from));
  else mm3i_heap_run_link(&r->heap, from, pages);
  mm3i_heap_flush(&r->heap);
  r->free_from = r->free_to = 0;
}

static void add_free(struct repair *r, uint64_t page, uint64_t pages) {
  if (r->free_to != page) end_free(r), r->free_from = page;
  r->free_to = page + pages;
}

/* Bits of blocks that nobody owns are cleared. Returns how many blocks stay in use. */
static uint64_t sweep_page(struct repair *r, unsigned class_, uint64_t slab, uint64_t pages, uint64_t distance) {
  uint64_t used = 0;
  for (unsigned i = 0; i < mm3i_heap_page_words(class_); i++) {
    uint64_t at = mm3i_heap_page_at(&r->heap, class_, slab + distance, i), bits = mm3i_heap_get(&r->heap, at);
    uint64_t mask = mm3i_heap_page_mask(class_, pages, distance, i), kept = 0;
    for (uint64_t rest = mask; rest; rest &= rest - 1) {
      unsigned bit = (unsigned)__builtin_ctzll(rest);
      uint64_t offset = mm3i_heap_slab_block(&r->heap, class_, slab, distance, i, bit);
      if (mm3i_heap_is_owned(&r->owned, (offset - r->heap.start) / 16)) kept |= UINT64_C(1) << bit;
    }
    if (!r->owned.complete) kept |= bits & mask;
    r->leaked += (uint64_t)__builtin_popcountll(bits & mask & ~kept);
    used += (uint64_t)__builtin_popcountll(kept);
    if (kept != bits) set(r, at, kept);
  }
  return used;
}

static void sweep_slab(struct repair *r, uint64_t slab, uint64_t word, uint64_t pages) {
  unsigned class_ = mm3i_page_class(word);
  uint64_t used = 0, all = mm3i_heap_slab_blocks(class_, pages);
  for (uint64_t d = 0; d < pages; d++) {
    if (d) set(r, mm3i_heap_entry(&r->heap, slab + d), d << 16 | class_ << 4 | MM3I_PAGE_PART);
    used += sweep_page(r, class_, slab, pages, d);
  }
  if (used == 0) {
    add_free(r, slab, pages);
    return;
  }
  word = (all - used) * MM3I_SLAB_ONE | (pages - 1) << 16 | class_ << 4 | MM3I_PAGE_SLAB;
  if (used == all) mm3i_heap_put(&r->heap, mm3i_heap_entry(&r->heap, slab), word);
  else mm3i_heap_slab_list(&r->heap, class_, slab, word);
  mm3i_heap_flush(&r->heap);
}

static bool is_map_part(struct repair *r, uint64_t page) {
  for (unsigned k = 0; k < MM3I_HEAP_MAPS; k++)
    if (mm3i_heap_get(&r->heap, MM3I_HEAP_AT_32(maps, k)) == page + 1) return true;
  return false;
}

/* A run that swallowed its neighbour ends where that begins: at a page that somebody owns, or at a slab in use. */
static uint64_t up_to_owned(struct repair *r, uint64_t page, uint64_t pages) {
  uint64_t word;
  for (uint64_t q = page + 1; q < page + pages; q++) {
    if (mm3i_heap_is_owned(&r->owned, q * (MM3I_PAGE / 16))) return q - page;
    uint64_t slab = mm3i_page_state_of(mm3i_heap_word(&r->heap, q)) == MM3I_PAGE_SLAB ? head_at(r, q, &word) : 0;
    if (slab && r->owned.complete && owns_any(r, q, slab)) return q - page;
  }
  return pages;
}

static void keep_run(struct repair *r, uint64_t page, uint64_t pages) {
  set(r, mm3i_heap_entry(&r->heap, page), mm3i_page_run(MM3I_PAGE_USED, pages));
}

/* Returns the pages that it dealt with. */
static uint64_t sweep(struct repair *r, uint64_t page) {
  uint64_t word, pages = head_at(r, page, &word), stray;
  unsigned state = mm3i_page_state_of(word);
  bool lost = pages == 0;
  if (state == MM3I_PAGE_MAP && !lost && is_map_part(r, page)) return pages;
  if (state == MM3I_PAGE_SLAB && !lost) return sweep_slab(r, page, word, pages), pages;
  if (lost) /* up to the next head */
    for (pages = 1; page + pages < r->heap.pages && !head_at(r, page + pages, &stray);) pages++;
  pages = up_to_owned(r, page, pages);
  bool used = state == MM3I_PAGE_USED && !lost;
  bool owned = r->owned.complete ? owns_any(r, page, pages) : used || lost;
  if (owned) keep_run(r, page, pages);
  else add_free(r, page, pages), r->leaked += used;
  return pages;
}

static int map_is_whole(struct repair *r) {
  for (unsigned k = 0; k < MM3I_HEAP_MAPS; k++) {
    uint64_t page = mm3i_heap_get(&r->heap, MM3I_HEAP_AT_32(maps, k)), pages = k ? UINT64_C(1) << (k - 1) : 1;
    if (page && (page > r->heap.pages || pages > r->heap.pages - (page - 1))) return 0;
    if (page) set(r, mm3i_heap_entry(&r->heap, page - 1), mm3i_page_run(MM3I_PAGE_MAP, pages));
  }
  return mm3i_heap_covered(&r->heap) >= r->heap.pages && !r->heap.bad;
}

static int rebuild(struct repair *r, struct mm3_error *error) {
  const char *path = mm3_file_path(r->heap.file);
  if (!map_is_whole(r))
    return mm3i_fail(error, path, -MM3_E_DAMAGED, "the heap cannot be repaired: its page map is lost");
  int result = mm3i_heap_owners(&r->heap, &r->owned, NULL, NULL);
  if (result < 0) return mm3i_fail(error, path, result, "the heap cannot be repaired: %s", mm3_strerror(result));
  mm3i_heap_mark_repair(&r->heap, true); /* from here on, if an earlier repair was not cut off */
  for (unsigned i = 0; i < MM3I_HEAP_BINS; i++) set(r, MM3I_HEAP_AT_32(bins, i), 0);
  for (unsigned i = 0; i < MM3I_HEAP_CLASSES; i++) set(r, MM3I_HEAP_AT_32(slabs, i), 0);
  for (uint64_t page = 0; page < r->heap.pages;) page += sweep(r, page);
  end_free(r);
  mm3i_heap_owned_free(&r->owned);
  if (r->heap.bad)
    return mm3i_fail(error, path, -MM3_E_DAMAGED, "the heap cannot be repaired: it leads out of itself");
  mm3i_heap_mark_repair(&r->heap, false);
  return 0;
}

int mm3i_heap_repair(struct mm3_file *file, uint64_t *leaked, struct mm3_error *error) {
  struct repair r = {.leaked = 0};
  int *repairing = &mm3i_handle_of(file)->repairing;
  *leaked = 0;
  int result = mm3i_heap_begin_repair(&r.heap, file);
  if (result == -EINVAL) return 0; /* no heap */
  if (result < 0)
    return mm3i_fail(error, mm3_file_path(file), result, "the heap cannot be repaired: where it ends is lost");
  __atomic_store_n(repairing, 1, MM3_RELAXED); /* what asks the heap on behalf of the owners */
  result = rebuild(&r, error);
  __atomic_store_n(repairing, 0, MM3_RELAXED);
  if (result == 0) *leaked = r.leaked;
  return result;
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * heap_slabs.c: blocks of up to 8192 bytes: slabs of pages, cut into blocks of one class, a bit for each. A slab with a
 * free block is listed; one whose last block is freed goes back to the runs, unless it is the only one of its list.
 */
#include "heap.h"

#include <string.h>

/* ---- classes ----------------------------------------------------------------------------------------------------- */

static const uint16_t sizes[MM3I_HEAP_CLASSES] = {
    16,  32,  48,  64,   80,   96,   112,  128,  160,  192,  224,  256,  320,  384,  448,  512,
    640, 768, 896, 1024, 1280, 1536, 1792, 2048, 2560, 3072, 3584, 4096, 5120, 6144, 7168, 8192};

uint64_t mm3i_heap_class_size(unsigned class_) { return sizes[class_]; }

unsigned mm3i_heap_class(uint64_t size, uint64_t align) {
  if (size > MM3I_HEAP_SMALL) return MM3I_HEAP_CLASSES;
  unsigned class_ = size ? (unsigned)(size - 1) / 16 : 0;
  if (size > 64) {
    unsigned top = 63 - (unsigned)__builtin_clzll(size - 1);
    class_ = 4 + (top - 6) * 4 + (unsigned)((size - 1) >> (top - 2) & 3);
  }
  while (align > 16 && class_ < MM3I_HEAP_CLASSES && mm3i_heap_class_size(class_) & (align - 1)) class_++;
  return class_;
}

/* Blocks below 64 bytes lie page by page: the first of each page (of 16 bytes: the first two) hold the page's bits. */
static const uint16_t page_blocks[3] = {MM3I_PAGE / 16, MM3I_PAGE / 32, MM3I_PAGE / 48};
static const uint16_t page_reserved[3] = {2, 1, 1};

unsigned mm3i_heap_page_words(unsigned class_) { return class_ == 0 ? 4 : class_ < 3 ? 2 : 1; }

uint64_t mm3i_heap_page_at(struct mm3i_heap *heap, unsigned class_, uint64_t page, unsigned i) {
  return class_ < 3 ? mm3i_heap_offset(heap, page) + 8 * (uint64_t)i : mm3i_heap_entry(heap, page) + 8;
}

/* Of larger blocks: the number of the first that begins in a page of the slab. */
static uint64_t first_of(uint64_t size, uint64_t distance) {
  return ((uint32_t)distance * MM3I_PAGE + (uint32_t)size - 1) / (uint32_t)size;
}

static uint64_t low_bits(uint64_t count) { return count >= 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1; }

uint64_t mm3i_heap_slab_blocks(unsigned class_, uint64_t pages) {
  if (class_ < 3) return pages * (page_blocks[class_] - page_reserved[class_]);
  return (uint32_t)pages * MM3I_PAGE / (uint32_t)mm3i_heap_class_size(class_);
}

/* The bits of a page that stand for blocks. */
static inline uint64_t page_mask(unsigned class_, uint64_t pages, uint64_t distance, unsigned i) {
  if (class_ < 3) {
    unsigned blocks = page_blocks[class_], from = i * 64;
    uint64_t mask = low_bits(blocks > from ? blocks - from : 0);
    return i == 0 ? mask & ~low_bits(page_reserved[class_]) : mask;
  }
  uint64_t size = mm3i_heap_class_size(class_), all = mm3i_heap_slab_blocks(class_, pages);
  uint64_t from = first_of(size, distance), to = first_of(size, distance + 1);
  if (to > all) to = all;
  return low_bits(to > from ? to - from : 0);
}

uint64_t mm3i_heap_page_mask(unsigned class_, uint64_t pages, uint64_t distance, unsigned i) {
  return page_mask(class_, pages, distance, i);
}

uint64_t mm3i_heap_slab_block(struct mm3i_heap *heap, unsigned class_, uint64_t slab, uint64_t distance, unsigned i,
                              unsigned bit) {
  uint64_t size = mm3i_heap_class_size(class_);
  if (class_ < 3) return mm3i_heap_offset(heap, slab + distance) + (i * 64 + bit) * size;
  return mm3i_heap_offset(heap, slab) + (first_of(size, distance) + bit) * size;
}

/* ---- lists ------------------------------------------------------------------------------------------------------- */

static uint64_t list_of(unsigned class_) { return MM3I_HEAP_AT_32(slabs, class_); }

static void set_other(struct mm3i_heap *heap, uint64_t page, uint64_t other) {
  uint64_t at = mm3i_heap_entry(heap, page);
  mm3i_heap_put(heap, at, (mm3i_heap_get(heap, at) & 0xffffffff) | other << 32);
}

void mm3i_heap_slab_list(struct mm3i_heap *heap, unsigned class_, uint64_t slab, uint64_t word) {
  uint64_t next = mm3i_heap_get(heap, list_of(class_));
  mm3i_heap_put(heap, mm3i_heap_entry(heap, slab), (word & 0xffffffff) | MM3I_PAGE_LISTED | next << 32);
  set_other(heap, slab + 1, 0);
  if (next) set_other(heap, next + 1, slab);
  mm3i_heap_put(heap, list_of(class_), slab);
}

static void unlist_slab(struct mm3i_heap *heap, unsigned class_, uint64_t slab, uint64_t word) {
  uint64_t next = mm3i_page_other(word), previous = mm3i_page_other(mm3i_heap_word(heap, slab + 1));
  mm3i_heap_put(heap, mm3i_heap_entry(heap, slab), word & 0xffffffff & ~MM3I_PAGE_LISTED);
  if (previous) set_other(heap, previous, next);
  else mm3i_heap_put(heap, list_of(class_), next);
  if (next) set_other(heap, next + 1, previous);
}

/* A run becomes a slab; killed on the way it is a run that nobody owns. */
static int new_slab(struct mm3i_heap *heap, unsigned class_, uint64_t *slab) {
  uint64_t pages = heap->pages < 256 ? MM3I_HEAP_SLAB / 4 : MM3I_HEAP_SLAB;
  int result = mm3i_heap_run_alloc(heap, pages, slab);
  if (result < 0) return result;
  for (uint64_t d = 0; d < pages; d++) {
    uint64_t *entry = mm3_at(heap->file, mm3i_heap_entry(heap, *slab + d), 16);
    if (!entry || heap->bad) return -MM3_E_DAMAGED;
    for (unsigned i = 0; i < mm3i_heap_page_words(class_); i++) {
      uint64_t *bits = mm3_at(heap->file, mm3i_heap_page_at(heap, class_, *slab + d, i), 8);
      if (!bits) return -MM3_E_DAMAGED;
      __atomic_store_n(bits, 0, __ATOMIC_RELEASE);
    }
    if (d) __atomic_store_n(entry, d << 16 | class_ << 4 | MM3I_PAGE_PART, __ATOMIC_RELEASE);
  }
  uint64_t free = mm3i_heap_slab_blocks(class_, pages) * MM3I_SLAB_ONE;
  mm3i_heap_slab_list(heap, class_, *slab, free | (pages - 1) << 16 | class_ << 4 | MM3I_PAGE_SLAB);
  return mm3i_heap_commit(heap);
}

/* ---- blocks ------------------------------------------------------------------------------------------------------ */

/* A word of bits with a free block, from page `from` on and around; false: the slab is full. */
struct spot {
  uint64_t distance, at, bits, mask;
  unsigned i;
};

static bool find_spot(struct mm3i_heap *heap, unsigned class_, uint64_t slab, uint64_t pages, uint64_t from,
                      struct spot *spot) {
  unsigned words = mm3i_heap_page_words(class_);
  for (uint64_t n = 0; n < pages; n++) {
    uint64_t distance = from + n < pages ? from + n : from + n - pages;
    for (unsigned i = 0; i < words; i++) {
      uint64_t at = mm3i_heap_page_at(heap, class_, slab + distance, i);
      uint64_t mask = mm3i_heap_page_mask(class_, pages, distance, i), bits = mm3i_heap_get(heap, at);
      *spot = (struct spot){distance, at, bits, mask, i};
      if ((bits & mask) != mask) return true;
    }
  }
  return false;
}

uint64_t mm3i_heap_slab_check(const struct mm3i_heap *heap, uint64_t slab, uint64_t word) {
  uint64_t pages = mm3i_slab_pages(word);
  if (mm3i_page_state_of(word) != MM3I_PAGE_SLAB || mm3i_page_class(word) >= MM3I_HEAP_CLASSES) return 0;
  return pages >= 2 && slab < heap->pages && pages <= heap->pages - slab ? pages : 0;
}

static int store_two(struct mm3i_heap *heap, uint64_t at1, uint64_t value1, uint64_t at2, uint64_t value2) {
  uint64_t *first = mm3_at(heap->file, at1, 8), *second = mm3_at(heap->file, at2, 8);
  if (!first || !second || heap->bad) return heap->count = 0, -MM3_E_DAMAGED;
  __atomic_store_n(first, value1, __ATOMIC_RELEASE);
  __atomic_store_n(second, value2, __ATOMIC_RELEASE);
  return 0;
}

static int take(struct mm3i_heap *heap, unsigned class_, uint64_t slab, uint64_t word, const struct spot *spot,
                uint64_t *offset) {
  unsigned bit = (unsigned)__builtin_ctzll(~spot->bits & spot->mask);
  uint64_t next = (word & ~(UINT64_C(15) << 10)) | spot->distance << 10;
  *offset = mm3i_heap_slab_block(heap, class_, slab, spot->distance, spot->i, bit);
  return store_two(heap, spot->at, spot->bits | UINT64_C(1) << bit, mm3i_heap_entry(heap, slab), next - MM3I_SLAB_ONE);
}

/* A page's entry, while nothing is put; NULL: nowhere. */
static inline uint64_t *entry_of(const struct mm3i_heap *heap, uint64_t page) {
  unsigned part = page < 256 ? 0 : 56 - (unsigned)__builtin_clzll(page);
  uint64_t first = part ? UINT64_C(128) << part : 0;
  uint64_t map = page < UINT32_MAX ? __atomic_load_n(&heap->state->maps[part], MM3_RELAXED) : 0;
  return map ? mm3_at(heap->file, mm3i_heap_offset(heap, map - 1) + 16 * (page - first), 16) : NULL;
}

/* The words of bits of a page whose entry this is. */
static inline uint64_t *page_bits(const struct mm3i_heap *heap, unsigned class_, uint64_t page, uint64_t *entry) {
  return class_ < 3 ? mm3_at(heap->file, mm3i_heap_offset(heap, page), 8 * 4) : entry + 1;
}

/* What most allocations are, in few steps: the first slab of the list has a block where the last search ended. False:
 * anything else, also what is damaged. */
static bool take_hinted(struct mm3i_heap *heap, unsigned class_, uint64_t *offset) {
  const uint64_t wanted = MM3I_PAGE_LISTED | class_ << 4 | MM3I_PAGE_SLAB;
  uint64_t slab = __atomic_load_n(&heap->state->slabs[class_], MM3_RELAXED);
  uint64_t *head = slab ? entry_of(heap, slab) : NULL;
  if (!head) return false;
  uint64_t word = __atomic_load_n(head, MM3_RELAXED), distance = word >> 10 & 15, pages = mm3i_slab_pages(word);
  if ((word & (MM3I_PAGE_LISTED | 1023)) != wanted || mm3i_slab_free(word) == 0 || distance >= pages ||
      slab >= heap->pages || pages > heap->pages - slab)
    return false;
  uint64_t *entry = entry_of(heap, slab + distance), *words = entry ? page_bits(heap, class_, slab + distance, entry) : NULL;
  if (!words) return false;
  for (unsigned i = 0; i < mm3i_heap_page_words(class_); i++) {
    uint64_t bits = __atomic_load_n(&words[i], MM3_RELAXED);
    uint64_t free = ~bits & page_mask(class_, pages, distance, i);
    if (free == 0) continue;
    *offset = mm3i_heap_slab_block(heap, class_, slab, distance, i, (unsigned)__builtin_ctzll(free));
    __atomic_store_n(&words[i], bits | (free & -free), __ATOMIC_RELEASE);
    __atomic_store_n(head, word - MM3I_SLAB_ONE, __ATOMIC_RELEASE);
    return true;
  }
  return false;
}

bool mm3i_heap_slab_give(struct mm3i_heap *heap, uint64_t offset) {
  uint64_t page = (offset - heap->start) / MM3I_PAGE, *entry = entry_of(heap, page);
  if (!entry) return false;
  uint64_t word = __atomic_load_n(entry, MM3_RELAXED);
  uint64_t distance = mm3i_page_state_of(word) == MM3I_PAGE_PART ? mm3i_page_distance(word) : 0, slab = page - distance;
  uint64_t *head = distance < page ? entry_of(heap, slab) : NULL;
  if (!head) return false;
  word = __atomic_load_n(head, MM3_RELAXED);
  unsigned class_ = mm3i_page_class(word);
  uint64_t pages = mm3i_heap_slab_check(heap, slab, word);
  if (distance >= pages || !(word & MM3I_PAGE_LISTED)) return false;
  uint64_t all = mm3i_heap_slab_blocks(class_, pages);
  if (mm3i_slab_free(word) + 1 >= all) return false;
  uint32_t size = sizes[class_], within = (uint32_t)(offset - mm3i_heap_offset(heap, class_ < 3 ? page : slab));
  uint32_t number = within / size, first = class_ < 3 ? page_reserved[class_] : (uint32_t)first_of(size, distance);
  if (number * size != within || number < first || number >= (class_ < 3 ? page_blocks[class_] : all)) return false;
  if (class_ >= 3) number -= first;
  uint64_t bit = UINT64_C(1) << number % 64, *words = page_bits(heap, class_, page, entry);
  if (!words) return false;
  uint64_t bits = __atomic_load_n(&words[number / 64], MM3_RELAXED);
  if (!(bits & bit)) return false;
  word = ((word & ~(UINT64_C(15) << 10)) | distance << 10) + MM3I_SLAB_ONE;
  __atomic_store_n(head, word, __ATOMIC_RELEASE);
  __atomic_store_n(&words[number / 64], bits & ~bit, __ATOMIC_RELEASE);
  return true;
}

int mm3i_heap_slab_alloc(struct mm3i_heap *heap, unsigned class_, uint64_t *offset) {
  if (take_hinted(heap, class_, offset)) return 0;
  for (;;) {
    uint64_t slab = mm3i_heap_get(heap, list_of(class_));
    if (!slab) {
      int result = new_slab(heap, class_, &slab);
      if (result < 0) return result;
    }
    struct spot spot;
    uint64_t word = mm3i_heap_word(heap, slab), pages = mm3i_heap_slab_check(heap, slab, word);
    if (!pages || mm3i_page_class(word) != class_ || !(word & MM3I_PAGE_LISTED) || heap->bad) return -MM3_E_DAMAGED;
    uint64_t hint = word >> 10 & 15;
    if (mm3i_slab_free(word) && find_spot(heap, class_, slab, pages, hint < pages ? hint : 0, &spot))
      return take(heap, class_, slab, word, &spot, offset);
    /* full ones stay listed until they come first: most get a block back before; each turn takes one away */
    unlist_slab(heap, class_, slab, word & ~(4095 * MM3I_SLAB_ONE));
    int result = mm3i_heap_commit(heap);
    if (result < 0) return result;
  }
}

bool mm3i_heap_slab_find(struct mm3i_heap *heap, uint64_t offset, struct mm3i_heap_block *block) {
  uint64_t page = (offset - heap->start) / MM3I_PAGE, word = mm3i_heap_word(heap, page), slab = page;
  if (mm3i_page_state_of(word) == MM3I_PAGE_PART) {
    uint64_t distance = mm3i_page_distance(word);
    if (distance >= page) return false;
    word = mm3i_heap_word(heap, slab = page - distance);
  }
  unsigned class_ = mm3i_page_class(word), i = 0, bit;
  uint64_t pages = mm3i_heap_slab_check(heap, slab, word), distance = page - slab;
  if (heap->bad || distance >= pages) return false;
  uint64_t size = mm3i_heap_class_size(class_);
  uint64_t within = class_ < 3 ? offset % MM3I_PAGE : offset - mm3i_heap_offset(heap, slab);
  if (within % size) return false;
  bit = (unsigned)(within / size - (class_ < 3 ? 0 : first_of(size, distance)));
  if (class_ < 3) i = bit / 64, bit %= 64;
  if (bit >= 64 || i >= mm3i_heap_page_words(class_)) return false;
  uint64_t at = mm3i_heap_page_at(heap, class_, page, i);
  *block = (struct mm3i_heap_block){slab, word, distance, class_, at, UINT64_C(1) << bit, mm3i_heap_get(heap, at)};
  return !heap->bad && (mm3i_heap_page_mask(class_, pages, distance, i) & block->bits & block->bit) != 0;
}

static bool is_empty(struct mm3i_heap *heap, unsigned class_, uint64_t slab, uint64_t pages) {
  for (uint64_t d = 0; d < pages; d++)
    for (unsigned i = 0; i < mm3i_heap_page_words(class_); i++)
      if (mm3i_heap_get(heap, mm3i_heap_page_at(heap, class_, slab + d, i)) & mm3i_heap_page_mask(class_, pages, d, i))
        return false;
  return true;
}

int mm3i_heap_slab_free(struct mm3i_heap *heap, const struct mm3i_heap_block *block) {
  uint64_t bits = block->bits & ~block->bit, pages = mm3i_slab_pages(block->word);
  uint64_t all = mm3i_heap_slab_blocks(block->class_, pages), free = mm3i_slab_free(block->word), word = block->word;
  if (free < all) word += MM3I_SLAB_ONE;
  word = (word & ~(UINT64_C(15) << 10)) | block->distance << 10; /* the next search begins here */
  if (!(word & MM3I_PAGE_LISTED)) { /* it was full */
    mm3i_heap_put(heap, block->at, bits);
    mm3i_heap_slab_list(heap, block->class_, block->slab, word);
    return mm3i_heap_commit(heap);
  }
  bool only = !mm3i_page_other(word) && mm3i_heap_get(heap, list_of(block->class_)) == block->slab;
  if (free + 1 >= all && !only) {
    mm3i_heap_put(heap, block->at, bits);
    if (is_empty(heap, block->class_, block->slab, pages)) {
      unlist_slab(heap, block->class_, block->slab, word);
      mm3i_heap_run_release(heap, block->slab, pages);
      return mm3i_heap_commit(heap);
    }
    heap->count = 0;
  }
  return store_two(heap, mm3i_heap_entry(heap, block->slab), word, block->at, bits);
}

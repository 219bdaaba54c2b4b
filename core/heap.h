/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * heap.h: the heap as it lies in the file, and what its parts share. doc/FORMAT says the same for other readers.
 *
 * Counted in pages of 4096 bytes from heap_offset, the heap is tiled by runs from page 0 to its end (heap_end in the
 * superblock); behind that, up to the file's length, lies memory that was never used. Nothing about a block is kept
 * beside it: the page map has 16 bytes a page, and its parts are runs themselves.
 *
 *     maps[0]     pages 0..255           one page
 *     maps[k]     128 << k pages, from page 128 << k          2^(k-1) pages
 *
 * A page's entry is two words. Only heads count: what the entries between a run's head and its end say is stale, but
 * for TAIL and PART, which are believed only when the head that they lead to agrees.
 *
 *     word = state | ...
 *       USED, FREE, MAP: bits 4..63 the run's pages           TAIL (last page of a FREE run): the same
 *       SLAB: bits 4..9 class, 10..13 where to search first, 15 listed, 16..19 pages - 1, 20..31 free blocks at most,
 *             32..63 next slab of the list
 *       PART: bits 4..9 class, 16..31 distance from its slab's head, 32..63 (distance 1 only) previous slab of the list
 *     link
 *       FREE: next << 32 | previous of its bin                SLAB, PART: a bit for each block that begins in this page
 *
 * Blocks below 64 bytes are too many for one word a page: each of their pages begins with its own bits instead.
 *
 * One block's bit is one store; the slab's number of free blocks is raised before and lowered after it, so that it may
 * be too high after a kill and never too low. Whatever needs more goes through a redo log in the superblock: the words
 * to be stored are written down, published by their count, stored, and the count is cleared. Killed before the count
 * nothing has happened, after it whoever comes next (begin) stores them again. So what anybody sees is whole.
 */
#ifndef MM3_CORE_HEAP_H
#define MM3_CORE_HEAP_H

#include "file.h"

#include <mm3/heap.h>

enum {
  MM3I_HEAP_MAPS = 32,
  MM3I_HEAP_CLASSES = 32,      /* 16, 32, 48, 64, then four a doubling, to 8192 */
  MM3I_HEAP_BINS = 96,         /* free runs of 1..16 pages, then four a doubling */
  MM3I_HEAP_LOG = 20,
  MM3I_HEAP_SMALL = 8192,      /* larger blocks are runs */
  MM3I_HEAP_SLAB = 16,         /* pages of a slab; a quarter of that in heaps below 1 MiB */
};

enum mm3i_page_state {
  MM3I_PAGE_NONE = 0,
  MM3I_PAGE_USED = 1,
  MM3I_PAGE_FREE = 2,
  MM3I_PAGE_TAIL = 3,
  MM3I_PAGE_SLAB = 4,
  MM3I_PAGE_PART = 5,
  MM3I_PAGE_MAP = 6,
};

struct mm3i_heap_pair {
  uint64_t at, value;          /* at: where in the file; odd: four bytes at the offset below */
};

struct mm3i_heap_state {
  uint32_t maps[MM3I_HEAP_MAPS];      /* first page of each part, plus 1; 0: not there yet */
  uint32_t slabs[MM3I_HEAP_CLASSES];  /* first page of the first slab with a free block; 0: none */
  uint32_t bins[MM3I_HEAP_BINS];      /* first page of the first free run; 0: none */
  uint32_t log_count, reserved_644;
  struct mm3i_heap_pair log[MM3I_HEAP_LOG];
  unsigned char reserved_968[56];
};
_Static_assert(sizeof(struct mm3i_heap_state) == sizeof(((struct mm3i_super *)0)->heap), "fits the superblock");
_Static_assert(offsetof(struct mm3i_heap_state, slabs) == 128, "slabs at 128");
_Static_assert(offsetof(struct mm3i_heap_state, bins) == 256, "bins at 256");
_Static_assert(offsetof(struct mm3i_heap_state, log_count) == 640, "log_count at 640");
_Static_assert(offsetof(struct mm3i_heap_state, log) == 648, "log at 648");

/* The heap during one call, with the words that are to be stored by the next commit. */
struct mm3i_heap {
  struct mm3_file *file;
  struct mm3i_super *super;
  struct mm3i_heap_state *state;
  uint64_t start, pages;       /* heap_offset; pages from there to heap_end */
  unsigned count;
  bool bad;                    /* something led out of the heap: commit refuses */
  struct mm3i_heap_pair pairs[MM3I_HEAP_LOG];
};

#define MM3I_HEAP_AT(member) (offsetof(struct mm3i_super, heap) + offsetof(struct mm3i_heap_state, member))
#define MM3I_HEAP_AT_32(member, i) ((MM3I_HEAP_AT(member) + 4 * (uint64_t)(i)) | 1)
#define MM3I_HEAP_AT_END offsetof(struct mm3i_super, heap_end)

static inline unsigned mm3i_page_state_of(uint64_t word) { return (unsigned)(word & 15); }
static inline uint64_t mm3i_page_length(uint64_t word) { return word >> 4; }
static inline uint64_t mm3i_page_run(unsigned state, uint64_t pages) { return pages << 4 | state; }
static inline unsigned mm3i_page_class(uint64_t word) { return (unsigned)(word >> 4 & 63); }
static inline uint64_t mm3i_page_distance(uint64_t word) { return word >> 16 & 0xffff; }
static inline uint64_t mm3i_slab_pages(uint64_t word) { return (word >> 16 & 15) + 1; }
static inline uint64_t mm3i_slab_free(uint64_t word) { return word >> 20 & 4095; }
static inline uint64_t mm3i_page_other(uint64_t word) { return word >> 32; }
#define MM3I_PAGE_LISTED (UINT64_C(1) << 15)
#define MM3I_SLAB_ONE (UINT64_C(1) << 20)

/* The file's address of a page's bytes, as an offset. */
static inline uint64_t mm3i_heap_offset(const struct mm3i_heap *heap, uint64_t page) {
  return heap->start + page * MM3I_PAGE;
}

/* log.c's: begin for writing wants the lock and finishes what a dead process left; peek is for reading, by anybody, and
 * takes what it left into account. get and put: one word, as the next commit will leave it. entry: where a page's
 * entry lies; 0, and heap->bad, when nowhere. */
int mm3i_heap_begin(struct mm3i_heap *heap, struct mm3_file *file);
int mm3i_heap_peek(struct mm3i_heap *heap, struct mm3_file *file);
uint64_t mm3i_heap_get_slowly(struct mm3i_heap *heap, uint64_t at);
void mm3i_heap_put(struct mm3i_heap *heap, uint64_t at, uint64_t value);
int mm3i_heap_commit(struct mm3i_heap *heap);

/* For repair, which stores word by word. begin_repair finishes a log that can be believed and forgets one that cannot; the
 * mark of a repair that was cut off stays. While it is marked everybody but the repairing handle finds the heap damaged.
 * flush stores what was put. */
int mm3i_heap_begin_repair(struct mm3i_heap *heap, struct mm3_file *file);
void mm3i_heap_mark_repair(struct mm3i_heap *heap, bool under_way);
int mm3i_heap_flush(struct mm3i_heap *heap);

static inline uint64_t mm3i_heap_get(struct mm3i_heap *heap, uint64_t at) {
  const unsigned char *word = heap->file->base + (at & ~UINT64_C(1));
  uint64_t limit = __atomic_load_n(&heap->file->limit, MM3_RELAXED);
  if (__builtin_expect(heap->count != 0 || at == 0 || limit < 8 || at > limit - 8, 0))
    return mm3i_heap_get_slowly(heap, at);
  return at & 1 ? __atomic_load_n((const uint32_t *)(const void *)word, MM3_RELAXED)
                : __atomic_load_n((const uint64_t *)(const void *)word, MM3_RELAXED);
}

/* A page's number says which part of the map has it: the part doubles with the number. */
static inline uint64_t mm3i_heap_entry(struct mm3i_heap *heap, uint64_t page) {
  unsigned part = page < 256 ? 0 : 56 - (unsigned)__builtin_clzll(page);
  uint64_t first = part ? UINT64_C(128) << part : 0;
  uint64_t map = page < UINT32_MAX ? mm3i_heap_get(heap, MM3I_HEAP_AT_32(maps, part)) : 0;
  if (__builtin_expect(!map, 0)) return heap->bad = true, 0;
  return mm3i_heap_offset(heap, map - 1) + 16 * (page - first);
}

static inline uint64_t mm3i_heap_word(struct mm3i_heap *heap, uint64_t page) {
  return mm3i_heap_get(heap, mm3i_heap_entry(heap, page));
}

/* grow.c's: bump takes pages behind the end, lengthening the file where it must. */
int mm3i_heap_bump(struct mm3i_heap *heap, uint64_t pages, uint64_t *page);
int mm3i_heap_lengthen(struct mm3i_heap *heap, uint64_t pages);
uint64_t mm3i_heap_covered(struct mm3i_heap *heap);

/* heap.c's: the pages of a run in use that begins at this offset, or 0. */
uint64_t mm3i_heap_used_run(struct mm3i_heap *heap, uint64_t offset);

/* owners.c's: which blocks somebody owns, a bit for 16 bytes of the heap. `each` (may be NULL) hears of what cannot be:
 * a block that is not in use, or that has two owners. complete: every field could be asked. */
struct mm3i_heap_owned {
  unsigned char *bits;
  uint64_t units;
  bool complete;
};
int mm3i_heap_owners(struct mm3i_heap *heap, struct mm3i_heap_owned *owned,
                     void (*each)(void *arg, const struct mm3_error *error), void *arg);
void mm3i_heap_owned_free(struct mm3i_heap_owned *owned);
static inline bool mm3i_heap_is_owned(const struct mm3i_heap_owned *owned, uint64_t unit) {
  return unit < owned->units && (owned->bits[unit / 8] >> unit % 8 & 1);
}

/* runs.c's. alloc commits; release, link and unlink only put. */
unsigned mm3i_heap_bin(uint64_t pages);
int mm3i_heap_run_alloc(struct mm3i_heap *heap, uint64_t pages, uint64_t *page);
void mm3i_heap_run_release(struct mm3i_heap *heap, uint64_t page, uint64_t pages);
void mm3i_heap_run_link(struct mm3i_heap *heap, uint64_t page, uint64_t pages);

/* slabs.c's: blocks up to MM3I_HEAP_SMALL. find: the slab and class of a block that is in use, or false. */
struct mm3i_heap_block {
  uint64_t slab, word, distance; /* head, its word, pages from there */
  unsigned class_;
  uint64_t at, bit, bits;      /* where its word of bits lies, its bit, and the word */
};
unsigned mm3i_heap_class(uint64_t size, uint64_t align); /* MM3I_HEAP_CLASSES: none, a run */
uint64_t mm3i_heap_class_size(unsigned class_);
uint64_t mm3i_heap_slab_blocks(unsigned class_, uint64_t pages);
unsigned mm3i_heap_page_words(unsigned class_);          /* words of bits a page has */
uint64_t mm3i_heap_page_at(struct mm3i_heap *heap, unsigned class_, uint64_t page, unsigned i);
uint64_t mm3i_heap_page_mask(unsigned class_, uint64_t pages, uint64_t distance, unsigned i);
int mm3i_heap_slab_alloc(struct mm3i_heap *heap, unsigned class_, uint64_t *offset);
uint64_t mm3i_heap_slab_check(const struct mm3i_heap *heap, uint64_t slab, uint64_t word); /* its pages, or 0 */
void mm3i_heap_slab_list(struct mm3i_heap *heap, unsigned class_, uint64_t slab, uint64_t word);
uint64_t mm3i_heap_slab_block(struct mm3i_heap *heap, unsigned class_, uint64_t slab, uint64_t distance, unsigned i,
                              unsigned bit);       /* the block's offset */
bool mm3i_heap_slab_find(struct mm3i_heap *heap, uint64_t offset, struct mm3i_heap_block *block);
int mm3i_heap_slab_free(struct mm3i_heap *heap, const struct mm3i_heap_block *block);
/* What most frees are, in few steps: a block of a slab that is listed, and not its last. False: anything else. */
bool mm3i_heap_slab_give(struct mm3i_heap *heap, uint64_t offset);

#endif

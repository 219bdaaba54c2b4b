/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * heap_check.c: the heap's own structures against every promise of heap.h. Reads only, trusts nothing: the walk
 * advances, and a list's member must have been seen by the walk and not yet by a list: loops and strays end there.
 */
#include "heap.h"

#include <errno.h>
#include <string.h>

#define QUIET_TRIES 200

typedef void finder(void *arg, const struct mm3_error *finding);

struct search {
  struct mm3i_heap heap;
  unsigned char *marks;        /* a bit a page: a free run or a listed slab that no list has shown yet */
  uint64_t marked;
  unsigned parts;              /* of the page map, met by the walk */
  finder *found;
  void *arg;
  int count;
};

#define N(x) ((unsigned long long)(x))
#define FINDING(s, ...)                                                                          \
  do {                                                                                           \
    struct mm3_error finding_;                                                                   \
    const char *path_ = mm3_file_path((s)->heap.file);                                           \
    mm3i_error_begin(&finding_, path_);                                                          \
    mm3i_fail(&finding_, path_, -MM3_E_DAMAGED, "the heap: " __VA_ARGS__);                       \
    (s)->count++;                                                                                \
    if ((s)->found) (s)->found((s)->arg, &finding_);                                             \
  } while (0)

static bool marked(const struct search *s, uint64_t page) { return s->marks[page / 8] >> page % 8 & 1; }

static void mark(struct search *s, uint64_t page) {
  s->marks[page / 8] = (unsigned char)(s->marks[page / 8] | 1u << page % 8);
  s->marked++;
}

static void unmark(struct search *s, uint64_t page) {
  s->marks[page / 8] = (unsigned char)(s->marks[page / 8] & ~(1u << page % 8));
  s->marked--;
}

/* ---- the walk ---------------------------------------------------------------------------------------------------- */

static void check_slab(struct search *s, uint64_t slab, uint64_t word, uint64_t pages) {
  struct mm3i_heap *heap = &s->heap;
  unsigned class_ = mm3i_page_class(word);
  uint64_t free = 0;
  for (uint64_t d = 0; d < pages; d++) {
    uint64_t part = mm3i_heap_word(heap, slab + d);
    if (d && ((part & 15) != MM3I_PAGE_PART || mm3i_page_class(part) != class_ || mm3i_page_distance(part) != d))
      FINDING(s, "page %llu does not know its slab at page %llu", N(slab + d), N(slab));
    for (unsigned i = 0; i < mm3i_heap_page_words(class_); i++) {
      uint64_t mask = mm3i_heap_page_mask(class_, pages, d, i);
      uint64_t bits = mm3i_heap_get(heap, mm3i_heap_page_at(heap, class_, slab + d, i));
      free += (uint64_t)__builtin_popcountll(mask & ~bits);
    }
  }
  if (mm3i_slab_free(word) < free || mm3i_slab_free(word) > mm3i_heap_slab_blocks(class_, pages))
    FINDING(s, "the slab at page %llu has %llu free blocks and says %llu", N(slab), N(free), N(mm3i_slab_free(word)));
  if (word & MM3I_PAGE_LISTED) mark(s, slab);
}

static void check_map_part(struct search *s, uint64_t page, uint64_t pages) {
  for (unsigned k = 0; k < MM3I_HEAP_MAPS; k++) {
    if (mm3i_heap_get(&s->heap, MM3I_HEAP_AT_32(maps, k)) != page + 1) continue;
    if (pages != (k ? UINT64_C(1) << (k - 1) : 1)) FINDING(s, "part %u of the page map has %llu pages", k, N(pages));
    s->parts++;
    return;
  }
  FINDING(s, "pages at %llu say that they are of the page map, which does not have them", N(page));
}

static void check_free(struct search *s, uint64_t page, uint64_t pages) {
  if (pages > 1 && mm3i_heap_word(&s->heap, page + pages - 1) != mm3i_page_run(MM3I_PAGE_TAIL, pages))
    FINDING(s, "the free run at page %llu does not end as it begins", N(page));
  mark(s, page);
}

/* From run to run; false: the walk lost its way. */
static bool walk(struct search *s) {
  struct mm3i_heap *heap = &s->heap;
  for (uint64_t page = 0, pages; page < heap->pages; page += pages) {
    uint64_t word = mm3i_heap_word(heap, page);
    unsigned state = mm3i_page_state_of(word);
    bool run = state == MM3I_PAGE_USED || state == MM3I_PAGE_FREE || state == MM3I_PAGE_MAP;
    pages = run ? mm3i_page_length(word) : mm3i_heap_slab_check(heap, page, word);
    if (heap->bad || pages == 0 || pages > heap->pages - page) {
      FINDING(s, "at page %llu of %llu begins neither a run nor a slab (entry %#llx)", N(page), N(heap->pages),
              N(word));
      return false;
    }
    if (state == MM3I_PAGE_FREE) check_free(s, page, pages);
    else if (state == MM3I_PAGE_MAP) check_map_part(s, page, pages);
    else if (state == MM3I_PAGE_SLAB) check_slab(s, page, word, pages);
  }
  return true;
}

static bool check_map(struct search *s) {
  struct mm3i_heap *heap = &s->heap;
  unsigned parts = 0;
  for (unsigned k = 0; k < MM3I_HEAP_MAPS; k++) {
    uint64_t page = mm3i_heap_get(heap, MM3I_HEAP_AT_32(maps, k)), pages = k ? UINT64_C(1) << (k - 1) : 1;
    if (page == 0) continue;
    if (parts++ != k || page > heap->pages || pages > heap->pages - (page - 1)) {
      FINDING(s, "part %u of the page map is said to lie at page %llu of %llu", k, N(page - 1), N(heap->pages));
      return false;
    }
  }
  s->parts = 0;
  if (mm3i_heap_covered(heap) >= heap->pages) return true;
  FINDING(s, "has %llu pages, of which its page map has %llu", N(heap->pages), N(mm3i_heap_covered(heap)));
  return false;
}

/* ---- the lists --------------------------------------------------------------------------------------------------- */

static void check_bin(struct search *s, unsigned bin) {
  struct mm3i_heap *heap = &s->heap;
  uint64_t previous = 0, page = mm3i_heap_get(heap, MM3I_HEAP_AT_32(bins, bin));
  while (page) {
    uint64_t word = page < heap->pages ? mm3i_heap_word(heap, page) : 0;
    if (mm3i_page_state_of(word) != MM3I_PAGE_FREE || !marked(s, page)) {
      FINDING(s, "bin %u leads to page %llu, which is no free run or was met before", bin, N(page));
      return;
    }
    unmark(s, page);
    uint64_t link = mm3i_heap_get(heap, mm3i_heap_entry(heap, page) + 8);
    if (mm3i_heap_bin(mm3i_page_length(word)) != bin || (link & 0xffffffff) != previous) {
      FINDING(s, "the free run at page %llu does not belong where bin %u has it", N(page), bin);
      return;
    }
    previous = page, page = link >> 32;
  }
}

static void check_class(struct search *s, unsigned class_) {
  struct mm3i_heap *heap = &s->heap;
  uint64_t previous = 0, page = mm3i_heap_get(heap, MM3I_HEAP_AT_32(slabs, class_));
  while (page) {
    uint64_t word = page < heap->pages ? mm3i_heap_word(heap, page) : 0;
    if (!mm3i_heap_slab_check(heap, page, word) || mm3i_page_class(word) != class_ || !marked(s, page)) {
      FINDING(s, "the list of slabs of %llu bytes leads to page %llu, which is none or was met before",
              N(mm3i_heap_class_size(class_)), N(page));
      return;
    }
    unmark(s, page);
    if (mm3i_page_other(mm3i_heap_word(heap, page + 1)) != previous) {
      FINDING(s, "the slab at page %llu does not belong where its list has it", N(page));
      return;
    }
    previous = page, page = mm3i_page_other(word);
  }
}

static int check_all(struct search *s) {
  struct mm3i_heap *heap = &s->heap;
  s->marks = mm3i_sys.calloc(1, (size_t)heap->pages / 8 + 1);
  if (!s->marks) return -ENOMEM;
  if (check_map(s) && walk(s)) {
    if (mm3i_heap_covered(heap) != (s->parts ? UINT64_C(128) << s->parts : 0))
      FINDING(s, "the walk met %u parts of the page map, which has %llu pages", s->parts, N(mm3i_heap_covered(heap)));
    for (unsigned i = 0; i < MM3I_HEAP_BINS; i++) check_bin(s, i);
    for (unsigned i = 0; i < MM3I_HEAP_CLASSES; i++) check_class(s, i);
    if (s->marked && !s->count) FINDING(s, "%llu free runs or slabs are in no list", N(s->marked));
  }
  if (heap->bad && !s->count) FINDING(s, "something leads out of it");
  mm3i_sys.free(s->marks);
  return s->count;
}

static int check_once(struct mm3_file *file, finder *found, void *arg) {
  struct search s = {.found = found, .arg = arg};
  int result = mm3i_heap_peek(&s.heap, file);
  if (result == -EINVAL) return 0; /* no heap */
  if (result == -MM3_E_RESERVE) return result; /* more than this handle can see */
  if (result == 0) return check_all(&s);
  if (__atomic_load_n(&s.heap.state->log_count, MM3_RELAXED) == UINT32_MAX) FINDING(&s, "a repair was not finished");
  else FINDING(&s, "its end or its log cannot be");
  return s.count;
}

/* While nobody changes it: under the lock, where we can have it; else in a moment in which nobody had it. */
static int quietly(struct mm3_file *file, int (*run)(struct mm3_file *, finder *, void *), finder *found, void *arg) {
  struct mm3i_handle *handle = mm3i_handle_of(file);
  if (__atomic_load_n(&handle->held, MM3_RELAXED)) return run(file, found, arg);
  int locked = handle->writable ? mm3_lock(file) : -MM3_E_READ_ONLY;
  if (locked >= 0) {
    int result = run(file, found, arg);
    mm3_unlock(file);
    return result;
  }
  for (int i = 0; i < QUIET_TRIES; i++) {
    uint32_t seen = mm3_changes(file), word = __atomic_load_n(&handle->super->lock, __ATOMIC_ACQUIRE);
    int result = run(file, NULL, NULL);
    bool moved = mm3_changes(file) != seen || __atomic_load_n(&handle->super->lock, __ATOMIC_ACQUIRE) != word;
    if (result <= 0 && !moved) return result;
    if (!moved && (word == 0 || !mm3i_slot_alive(handle, MM3I_LOCK_OWNER(word) - 1))) break;
    mm3i_sleep_us(5000);
  }
  return run(file, found, arg);
}

int mm3i_heap_check(struct mm3_file *file, finder *found, void *arg) {
  return quietly(file, check_once, found, arg);
}

/* ---- owners ------------------------------------------------------------------------------------------------------ */

struct tally {
  finder *found;
  void *arg;
  int count;
};

static void count_finding(void *arg, const struct mm3_error *finding) {
  struct tally *tally = arg;
  tally->count++;
  if (tally->found) tally->found(tally->arg, finding);
}

static int check_owners_once(struct mm3_file *file, finder *found, void *arg) {
  struct mm3i_heap heap;
  struct mm3i_heap_owned owned;
  struct tally tally = {found, arg, 0};
  int result = mm3i_heap_peek(&heap, file);
  if (result < 0) return 0; /* said before */
  result = mm3i_heap_owners(&heap, &owned, count_finding, &tally);
  mm3i_heap_owned_free(&owned);
  return result < 0 ? result : tally.count;
}

int mm3i_heap_check_owners(struct mm3_file *file, finder *found, void *arg) {
  return quietly(file, check_owners_once, found, arg);
}

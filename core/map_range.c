/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What is asked of a range of a map: flush, advice, residency, locking in memory. */
#include <errno.h>
#include <sys/mman.h>

#include "map.h"
#include "sys.h"

#define ABSENT (-1)

static int range_flush(const struct mm3_map *map, size_t offset, size_t length, int flags) {
  struct mm3i_map_part part;
  int result = mm3i_map_part(map, offset, length, MM3I_MAP_WIDEN, &part);
  if (result < 0 || part.length == 0) return result;
  return mm3i_sys.msync(part.start, part.length, flags) == 0 ? 0 : -errno;
}

int mm3_map_flush(const struct mm3_map *map) { return range_flush(map, 0, map->length, MS_SYNC); }

int mm3_map_flush_range(const struct mm3_map *map, size_t offset, size_t length) {
  return range_flush(map, offset, length, MS_SYNC);
}

int mm3_map_flush_async(const struct mm3_map *map) { return range_flush(map, 0, map->length, MS_ASYNC); }

int mm3_map_flush_async_range(const struct mm3_map *map, size_t offset, size_t length) {
  return range_flush(map, offset, length, MS_ASYNC);
}

/* Each advice has an #ifdef of its own: constants that one system lacked have broken builds elsewhere. */
static int advice_number(enum mm3_map_advice advice) {
  switch (advice) {
    case MM3_ADVICE_NORMAL: return MADV_NORMAL;
    case MM3_ADVICE_RANDOM: return MADV_RANDOM;
    case MM3_ADVICE_SEQUENTIAL: return MADV_SEQUENTIAL;
    case MM3_ADVICE_WILL_NEED: return MADV_WILLNEED;
#ifdef MADV_DONTFORK
    case MM3_ADVICE_DONT_FORK: return MADV_DONTFORK;
    case MM3_ADVICE_DO_FORK: return MADV_DOFORK;
#endif
#ifdef MADV_MERGEABLE
    case MM3_ADVICE_MERGEABLE: return MADV_MERGEABLE;
    case MM3_ADVICE_UNMERGEABLE: return MADV_UNMERGEABLE;
#endif
#ifdef MADV_HUGEPAGE
    case MM3_ADVICE_HUGE_PAGE: return MADV_HUGEPAGE;
    case MM3_ADVICE_NO_HUGE_PAGE: return MADV_NOHUGEPAGE;
#endif
#ifdef MADV_DONTDUMP
    case MM3_ADVICE_DONT_DUMP: return MADV_DONTDUMP;
    case MM3_ADVICE_DO_DUMP: return MADV_DODUMP;
#endif
#ifdef MADV_COLD
    case MM3_ADVICE_COLD: return MADV_COLD;
    case MM3_ADVICE_PAGE_OUT: return MADV_PAGEOUT;
#endif
#ifdef MADV_WIPEONFORK
    case MM3_ADVICE_WIPE_ON_FORK: return MADV_WIPEONFORK;
    case MM3_ADVICE_KEEP_ON_FORK: return MADV_KEEPONFORK;
#endif
#ifdef __linux__ /* newer than some C libraries; an older kernel says EINVAL */
    case MM3_ADVICE_POPULATE_READ: return 22;
    case MM3_ADVICE_POPULATE_WRITE: return 23;
    case MM3_ADVICE_COLLAPSE: return 25;
#endif
    default: return ABSENT;
  }
}

static int discard_number(enum mm3_map_discard what) {
  switch (what) {
    case MM3_DISCARD_DONT_NEED: return MADV_DONTNEED;
#ifdef MADV_FREE
    case MM3_DISCARD_FREE: return MADV_FREE;
#endif
#ifdef MADV_REMOVE
    case MM3_DISCARD_REMOVE: return MADV_REMOVE;
#endif
#ifdef MADV_HWPOISON
    case MM3_DISCARD_POISON: return MADV_HWPOISON;
#endif
    default: return ABSENT;
  }
}

/* Also for an empty range, with which the kernel only checks that it knows the number. */
static int range_madvise(const struct mm3_map *map, size_t offset, size_t length, enum mm3i_map_rounding rounding,
                         int number, int known) {
  struct mm3i_map_part part;
  int result = mm3i_map_part(map, offset, length, rounding, &part);
  if (result < 0) return result;
  if (number == ABSENT) return known ? -ENOTSUP : -EINVAL;
  return mm3i_sys.madvise(part.start, part.length, number) == 0 ? 0 : -errno;
}

static int number_supported(int number) { return number != ABSENT && mm3i_sys.madvise(NULL, 0, number) == 0; }

int mm3_map_advise_range(const struct mm3_map *map, size_t offset, size_t length, enum mm3_map_advice advice) {
  return range_madvise(map, offset, length, MM3I_MAP_WIDEN, advice_number(advice),
                       (unsigned)advice <= MM3_ADVICE_KEEP_ON_FORK);
}

int mm3_map_advise(const struct mm3_map *map, enum mm3_map_advice advice) {
  return mm3_map_advise_range(map, 0, map->length, advice);
}

int mm3_map_advice_supported(enum mm3_map_advice advice) { return number_supported(advice_number(advice)); }

int mm3_map_discard_range(const struct mm3_map *map, size_t offset, size_t length, enum mm3_map_discard what) {
  /* a hole takes bytes from the file, which others see beyond this map's two ends */
  enum mm3i_map_rounding rounding = what == MM3_DISCARD_REMOVE ? MM3I_MAP_INSIDE : MM3I_MAP_NARROW;
  return range_madvise(map, offset, length, rounding, discard_number(what), (unsigned)what <= MM3_DISCARD_POISON);
}

int mm3_map_discard(const struct mm3_map *map, enum mm3_map_discard what) {
  return mm3_map_discard_range(map, 0, map->length, what);
}

int mm3_map_discard_supported(enum mm3_map_discard what) { return number_supported(discard_number(what)); }

/* The bytes of one page that belong to the map: the first and the last page are shared with nobody's bytes. */
static size_t page_bytes(const struct mm3_map *map, size_t at, size_t page) {
  size_t first = (size_t)((char *)map->ptr - (char *)map->base), last = first + map->length;
  size_t from = at > first ? at : first, to = at + page < last ? at + page : last;
  return from < to ? to - from : 0;
}

int mm3_map_resident(const struct mm3_map *map, size_t *bytes) {
  unsigned char seen[4096];
  struct mm3i_map_part part;
  size_t sum = 0, page = (size_t)1 << mm3i_map_page_bits(); /* mincore counts small pages, also in huge ones */
  int result = mm3i_map_part(map, 0, map->length, MM3I_MAP_WIDEN, &part);
  if (result < 0) return result;
  for (size_t at = 0; at < part.length;) {
    size_t piece = part.length - at < sizeof seen * page ? part.length - at : sizeof seen * page;
    if (mm3i_sys.mincore(part.start + at, piece, seen) != 0) {
      if (errno == EAGAIN) continue;
      return errno == ENOSYS ? -ENOTSUP : -errno;
    }
    for (size_t i = 0; i < piece / page; i++)
      if ((seen[i] & 1U) != 0) sum += page_bytes(map, at + i * page, page);
    at += piece;
  }
  *bytes = sum;
  return 0;
}

int mm3_map_lock(const struct mm3_map *map) {
  if (map->mapped == 0) return -EINVAL;
  if (map->length == 0) return 0; /* mlock of no bytes at an odd address would lock a page */
  if (mm3i_sys.mlock(map->ptr, map->length) == 0) return 0;
  int code = errno;
  mm3i_sys.munlock(map->ptr, map->length); /* the kernel leaves what it had locked so far */
  return -code;
}

int mm3_map_unlock(const struct mm3_map *map) {
  if (map->mapped == 0) return -EINVAL;
  if (map->length == 0) return 0;
  return mm3i_sys.munlock(map->ptr, map->length) == 0 ? 0 : -errno;
}

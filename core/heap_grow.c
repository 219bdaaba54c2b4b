/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * heap_grow.c: the heap's end moves. The file is lengthened first, with memory for every byte, so that a full disk is
 * an error here and not a SIGBUS at somebody's store; then the page map; then heap_end, by one commit.
 *
 * Pages are left to fault on their first store. Measured on ext4 (6.18, 1 GiB of 64-byte records, steps of 64 MiB, ns a
 * record, two cores shared with other work): ftruncate and faults 83, fallocate and faults 63, fallocate and
 * MADV_HUGEPAGE 48..72, fallocate and MADV_POPULATE_WRITE by 64 MiB 51..74, by 2 MiB 76..99. Populating buys nothing
 * that holds, and touches memory that may never be used.
 *
 * With MM3_HUGE_PAGES the file ends at 2 MiB: the kernel makes no large page across a file's end, and what was stored
 * there before the next step stays in small ones.
 */
#include "heap.h"
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define STEP_LEAST UINT64_C(65536)
#define STEP_MOST (UINT64_C(64) << 20)
#define HUGE_PAGE (UINT64_C(2) << 20)

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static void publish_length(struct mm3i_handle *handle, uint64_t length) {
  __atomic_store_n(&handle->file.limit, least(length, handle->reserve), MM3_RELAXED);
  __atomic_store_n(&handle->super->length, length, __ATOMIC_RELEASE);
}

static int extend(struct mm3i_handle *handle, uint64_t from, uint64_t to) {
  return handle->flags & MM3_SPARSE ? mm3i_stretch(handle->fd, to) : mm3i_extend(handle->fd, from, to);
}

/* A forked child shares B1 with its parent, so that who has forked cannot know; nor does anybody fork now. No store to the
 * map in here: a guard's jump would leave the mutex locked. */
static int truncate_unforked(struct mm3i_handle *handle, uint64_t length) {
  mm3i_handles_lock();
  int result = handle->forked ? -EBUSY : mm3i_sys.ftruncate(handle->fd, (off_t)length) < 0 ? -errno : 0;
  mm3i_handles_unlock();
  return result;
}

/* Only B1 held exclusively says that nobody else maps what is cut off; B0 keeps new ones out meanwhile. */
static int cut(struct mm3i_handle *handle, uint64_t length) {
  int result = mm3i_ofd(handle->control, F_OFD_SETLK, F_WRLCK, MM3I_BYTE_OPENING);
  if (result < 0) return result == -EAGAIN ? -EBUSY : result;
  result = mm3i_ofd(handle->fd, F_OFD_SETLK, F_WRLCK, MM3I_BYTE_IN_USE);
  if (result == 0) {
    publish_length(handle, length);
    result = truncate_unforked(handle, length);
    int shared = mm3i_ofd(handle->fd, F_OFD_SETLK, F_RDLCK, MM3I_BYTE_IN_USE);
    if (result == 0) result = shared;
  } else if (result == -EAGAIN) {
    result = -EBUSY;
  }
  mm3i_ofd(handle->control, F_OFD_SETLK, F_UNLCK, MM3I_BYTE_OPENING);
  return result;
}

/* What was added before the disk was full would keep it so. Where somebody else has the file open it stays, and serves the
 * next growth: they may have seen the length. */
static void give_back(struct mm3i_handle *handle, uint64_t length) {
  struct stat st;
  if (!handle->solo && mm3i_sys.fstat(handle->fd, &st) == 0 && (uint64_t)st.st_size > length) cut(handle, length);
}

/* The file gets at least `need` bytes, more where there is room: steps double up to a bound. What a killed process
 * added and did not publish is taken as it is: it lies behind every length that anybody knows. */
static int lengthen(struct mm3i_handle *handle, uint64_t start, uint64_t need, bool exact) {
  uint64_t limit = __atomic_load_n(&handle->super->limit, MM3_RELAXED);
  struct stat st;
  if (need > handle->reserve) return -MM3_E_RESERVE;
  if (limit && need > limit) return -MM3_E_LIMIT;
  if (mm3i_sys.fstat(handle->fd, &st) < 0) return -errno;
  uint64_t length = (uint64_t)st.st_size;
  if (length < __atomic_load_n(&handle->super->length, MM3_RELAXED)) return -MM3_E_DAMAGED; /* truncated */
  if (need > length) {
    uint64_t step = length > start ? length - start : 0, want = need;
    step = least(step < STEP_LEAST ? STEP_LEAST : step, STEP_MOST);
    if (!exact && want < length + step) want = length + step;
    if (!exact && (handle->flags & MM3_HUGE_PAGES)) want = (want + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    want = least(want, handle->reserve);
    if (limit) want = least(want, limit);
    int result = extend(handle, length, want);
    if (result < 0 && want > need) result = extend(handle, length, want = need);
    if (result < 0) return give_back(handle, length), result;
    MM3I_PROBE3(grown, handle->path, length, want);
    length = want;
  }
  publish_length(handle, length);
  return 0;
}

static int cover(struct mm3i_heap *heap, uint64_t pages, bool exact) {
  struct mm3i_handle *handle = mm3i_handle_of(heap->file);
  uint64_t need = mm3i_heap_offset(heap, pages);
  if (pages >= UINT32_MAX) return -EFBIG;
  if (need <= __atomic_load_n(&handle->super->length, MM3_RELAXED) && mm3_at(heap->file, need, 0)) return 0;
  return lengthen(handle, heap->start, need, exact);
}

/* ---- the page map ------------------------------------------------------------------------------------------------ */

static uint64_t part_pages(unsigned part) { return part ? UINT64_C(1) << (part - 1) : 1; }
static uint64_t covered_by(unsigned parts) { return parts ? UINT64_C(128) << parts : 0; }

static unsigned count_parts(struct mm3i_heap *heap) {
  unsigned parts = 0;
  while (parts < MM3I_HEAP_MAPS && mm3i_heap_get(heap, MM3I_HEAP_AT_32(maps, parts))) parts++;
  return parts;
}

uint64_t mm3i_heap_covered(struct mm3i_heap *heap) { return covered_by(count_parts(heap)); }

/* How many pages the heap will end at, parts of the map included, once `pages` more are taken. */
static uint64_t end_after(struct mm3i_heap *heap, uint64_t pages) {
  uint64_t end = heap->pages;
  unsigned parts = count_parts(heap);
  while (parts < MM3I_HEAP_MAPS && covered_by(parts) < end + pages) end += part_pages(parts++);
  return end + pages;
}

static int add_part(struct mm3i_heap *heap) {
  unsigned part = count_parts(heap);
  uint64_t page = heap->pages, pages = part_pages(part);
  if (part == MM3I_HEAP_MAPS) return -EFBIG;
  void *bytes = mm3_at(heap->file, mm3i_heap_offset(heap, page), pages * MM3I_PAGE);
  if (!bytes || page > covered_by(part)) return -MM3_E_DAMAGED;
  memset(bytes, 0, (size_t)(pages * MM3I_PAGE));
  mm3i_heap_put(heap, MM3I_HEAP_AT_32(maps, part), page + 1);
  mm3i_heap_put(heap, mm3i_heap_entry(heap, page), mm3i_page_run(MM3I_PAGE_MAP, pages));
  mm3i_heap_put(heap, MM3I_HEAP_AT_END, mm3i_heap_offset(heap, page + pages));
  return mm3i_heap_commit(heap);
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

int mm3i_heap_bump(struct mm3i_heap *heap, uint64_t pages, uint64_t *page) {
  int result = cover(heap, end_after(heap, pages), false);
  while (result == 0 && mm3i_heap_covered(heap) < heap->pages + pages) result = add_part(heap);
  if (result < 0) return result;
  *page = heap->pages;
  mm3i_heap_put(heap, mm3i_heap_entry(heap, *page), mm3i_page_run(MM3I_PAGE_USED, pages));
  mm3i_heap_put(heap, MM3I_HEAP_AT_END, mm3i_heap_offset(heap, *page + pages));
  return mm3i_heap_commit(heap);
}

int mm3_heap_reserve(struct mm3_file *file, uint64_t bytes) {
  struct mm3i_heap heap;
  int result = mm3i_heap_begin(&heap, file);
  if (result < 0) return result;
  if (bytes > INT64_MAX) return -EFBIG;
  return cover(&heap, end_after(&heap, (bytes + MM3I_PAGE - 1) / MM3I_PAGE), true);
}

int mm3_heap_shrink(struct mm3_file *file) {
  struct mm3i_handle *handle = mm3i_handle_of(file);
  struct mm3i_heap heap;
  struct stat st;
  int result = mm3i_heap_begin(&heap, file);
  if (result < 0) return result;
  uint64_t length = mm3i_heap_offset(&heap, heap.pages < 16 ? 16 : heap.pages);
  if (mm3i_sys.fstat(handle->fd, &st) < 0) return -errno;
  if (length >= (uint64_t)st.st_size) return 0;
  if (handle->solo) return -EOPNOTSUPP;
  return cut(handle, length);
}

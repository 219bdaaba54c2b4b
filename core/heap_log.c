/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* heap_log.c: words of the heap, several at a time: all of them are stored, whoever is killed when, or none. */
#include "heap.h"

#include <errno.h>

static void *word_at(const struct mm3i_heap *heap, uint64_t at) {
  return mm3_at(heap->file, at & ~UINT64_C(1), at & 1 ? 4 : 8);
}

/* Release: the compiler keeps the stores in their order, and for a process that dies that is the order of the bytes. */
static void store(const struct mm3i_heap *heap, uint64_t at, uint64_t value) {
  void *word = word_at(heap, at);
  if (!word) return;
  if (at & 1) __atomic_store_n((uint32_t *)word, (uint32_t)value, __ATOMIC_RELEASE);
  else __atomic_store_n((uint64_t *)word, value, __ATOMIC_RELEASE);
}

/* Where a log may point to: it is read from a file that others may have scribbled over. */
static bool may_store(const struct mm3i_heap *heap, uint64_t at) {
  if (at & 1) return at >= MM3I_HEAP_AT(maps) && at < MM3I_HEAP_AT(log_count) && (at & 3) == 1;
  if (at & 7) return false;
  return at == MM3I_HEAP_AT_END || (at >= heap->start && word_at(heap, at));
}

/* Why there is nothing at that place: the file is damaged, or has outgrown this handle's reserve. */
static int why_nothing(const struct mm3i_heap *heap, uint64_t at, uint64_t size) {
  return mm3_at_code(heap->file, at, size) == -MM3_E_RESERVE ? -MM3_E_RESERVE : -MM3_E_DAMAGED;
}

static int read_log(struct mm3i_heap *heap) {
  const struct mm3i_heap_state *state = heap->state;
  uint32_t count = __atomic_load_n(&state->log_count, __ATOMIC_ACQUIRE);
  if (count == UINT32_MAX && __atomic_load_n(&mm3i_handle_of(heap->file)->repairing, MM3_RELAXED)) return 0;
  if (count > MM3I_HEAP_LOG) return -MM3_E_DAMAGED;
  for (uint32_t i = 0; i < count; i++) {
    uint64_t at = __atomic_load_n(&state->log[i].at, MM3_RELAXED);
    if (!may_store(heap, at)) return why_nothing(heap, at & ~UINT64_C(1), 8);
    mm3i_heap_put(heap, at, __atomic_load_n(&state->log[i].value, MM3_RELAXED));
  }
  return 0;
}

static void store_all(struct mm3i_heap *heap) {
  mm3i_heap_flush(heap);
  __atomic_store_n(&heap->state->log_count, 0, __ATOMIC_RELEASE);
}

static int measure(struct mm3i_heap *heap) {
  uint64_t end = mm3i_heap_get(heap, MM3I_HEAP_AT_END);
  if (end < heap->start || (end - heap->start) % MM3I_PAGE) return -MM3_E_DAMAGED;
  heap->pages = (end - heap->start) / MM3I_PAGE;
  if (heap->pages >= UINT32_MAX) return -MM3_E_DAMAGED;
  return mm3_at(heap->file, end, 0) ? 0 : why_nothing(heap, end, 0);
}

static int attach(struct mm3i_heap *heap, struct mm3_file *file) {
  const struct mm3i_handle *handle = mm3i_handle_of(file);
  heap->file = file;
  heap->super = handle->super;
  heap->state = (struct mm3i_heap_state *)(void *)handle->super->heap;
  heap->start = handle->fixed.heap_offset;
  heap->count = 0;
  heap->bad = false;
  return heap->start ? 0 : -EINVAL;
}

/* What a dead process left: a log, or half of a repair. */
static int finish(struct mm3i_heap *heap) {
  struct mm3_error ignored;
  uint64_t leaked;
  if (__atomic_load_n(&heap->state->log_count, MM3_RELAXED) == UINT32_MAX)
    return mm3i_heap_repair(heap->file, &leaked, &ignored);
  int result = read_log(heap);
  if (result == 0) store_all(heap);
  return result;
}

int mm3i_heap_begin(struct mm3i_heap *heap, struct mm3_file *file) {
  int result = attach(heap, file);
  if (result < 0) return result;
  if (!__atomic_load_n(&mm3i_handle_of(file)->held, MM3_RELAXED)) return -EPERM;
  if (__builtin_expect(__atomic_load_n(&heap->state->log_count, MM3_RELAXED) != 0, 0) &&
      (result = finish(heap)) < 0)
    return result;
  return measure(heap);
}

int mm3i_heap_peek(struct mm3i_heap *heap, struct mm3_file *file) {
  int result = attach(heap, file);
  if (result == 0) result = read_log(heap);
  return result < 0 ? result : measure(heap);
}

int mm3i_heap_begin_repair(struct mm3i_heap *heap, struct mm3_file *file) {
  int result = attach(heap, file);
  if (result < 0) return result;
  if (!__atomic_load_n(&mm3i_handle_of(file)->held, MM3_RELAXED)) return -EPERM;
  if (__atomic_load_n(&heap->state->log_count, MM3_RELAXED) == UINT32_MAX) return measure(heap);
  if (read_log(heap) == 0) store_all(heap);
  heap->count = 0;
  mm3i_heap_mark_repair(heap, false);
  return measure(heap);
}

void mm3i_heap_mark_repair(struct mm3i_heap *heap, bool under_way) {
  __atomic_store_n(&heap->state->log_count, under_way ? UINT32_MAX : 0, __ATOMIC_RELEASE);
}

int mm3i_heap_flush(struct mm3i_heap *heap) {
  for (unsigned i = 0; i < heap->count; i++) store(heap, heap->pairs[i].at, heap->pairs[i].value);
  heap->count = 0;
  return heap->bad ? -MM3_E_DAMAGED : 0;
}

uint64_t mm3i_heap_get_slowly(struct mm3i_heap *heap, uint64_t at) {
  for (unsigned i = 0; i < heap->count; i++)
    if (heap->pairs[i].at == at) return heap->pairs[i].value;
  const void *word = at ? word_at(heap, at) : NULL;
  if (!word) return heap->bad = true, 0;
  return at & 1 ? __atomic_load_n((const uint32_t *)word, MM3_RELAXED)
                : __atomic_load_n((const uint64_t *)word, MM3_RELAXED);
}

void mm3i_heap_put(struct mm3i_heap *heap, uint64_t at, uint64_t value) {
  unsigned i = 0;
  while (i < heap->count && heap->pairs[i].at != at) i++;
  if (i == MM3I_HEAP_LOG || !at) {
    heap->bad = true;
    return;
  }
  heap->pairs[i] = (struct mm3i_heap_pair){at, value};
  if (i == heap->count) heap->count++;
}

int mm3i_heap_commit(struct mm3i_heap *heap) {
  struct mm3i_heap_state *state = heap->state;
  for (unsigned i = 0; i < heap->count; i++)
    if (!word_at(heap, heap->pairs[i].at)) heap->bad = true;
  if (heap->bad) return heap->count = 0, -MM3_E_DAMAGED;
  for (unsigned i = 0; i < heap->count; i++) {
    __atomic_store_n(&state->log[i].at, heap->pairs[i].at, __ATOMIC_RELEASE);
    __atomic_store_n(&state->log[i].value, heap->pairs[i].value, __ATOMIC_RELEASE);
  }
  __atomic_store_n(&state->log_count, heap->count, __ATOMIC_RELEASE);
  store_all(heap);
  return measure(heap);
}

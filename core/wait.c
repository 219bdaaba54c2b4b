/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* wait.c: the change counter. Its word is the count times two, and a bit that says that somebody sleeps on it. */
#include "file.h"

#include <errno.h>

#define SLICE_MS 100u         /* whoever moved the counter may have died before it woke us */
#define READER_SLICE_MS 20u   /* a reader may not set the bit, so nobody wakes it */

uint32_t mm3_changes(const struct mm3_file *file) {
  return __atomic_load_n(&mm3i_handle_of(file)->super->changes, __ATOMIC_ACQUIRE) >> 1;
}

int mm3_notify(struct mm3_file *file) {
  struct mm3i_handle *handle = mm3i_handle_of(file);
  if (!handle->writable) return -MM3_E_READ_ONLY;
  mm3i_bump(handle->super);
  return 0;
}

static void sleep_until_moved(struct mm3i_handle *handle, uint32_t word, uint64_t ms) {
  uint32_t *at = &handle->super->changes;
  uint64_t slice = handle->writable ? SLICE_MS : READER_SLICE_MS;
  if (ms < slice) slice = ms;
  if (!handle->writable) {
    mm3i_sleep_us((uint32_t)slice * 1000);
    return;
  }
  if (!(word & 1) && !__atomic_compare_exchange_n(at, &word, word | 1, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    return;
  struct timespec relative = {0, (long)slice * 1000000};
  mm3i_sys.futex_wait(at, word | 1, &relative);
}

int mm3_wait(struct mm3_file *file, uint32_t seen, uint32_t ms) {
  struct mm3i_handle *handle = mm3i_handle_of(file);
  uint64_t now = mm3i_now_ms(), end = now + ms;
  for (;; now = mm3i_now_ms()) {
    uint32_t word = __atomic_load_n(&handle->super->changes, __ATOMIC_ACQUIRE);
    if (word >> 1 != (seen & (UINT32_MAX >> 1))) return 1;
    if (__atomic_load_n(&handle->super->superseded, __ATOMIC_RELAXED)) return -MM3_E_SUPERSEDED;
    if (now >= end) return 0;
    sleep_until_moved(handle, word, end - now);
  }
}

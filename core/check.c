/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* check.c: the file's own structures, read once more from the file and compared with what was verified at open. */
#include "file.h"

#include <errno.h>
#include <string.h>

struct search {
  struct mm3i_handle *handle;
  void (*found)(void *arg, const struct mm3_error *finding);
  void *arg;
  int count;
};

static void report(struct search *search, const struct mm3_error *error) {
  search->count++;
  if (search->found) search->found(search->arg, error);
}

#define FINDING(search, ...)                                                       \
  do {                                                                             \
    struct mm3_error finding_;                                                     \
    mm3i_error_begin(&finding_, (search)->handle->path);                           \
    mm3i_fail(&finding_, (search)->handle->path, -MM3_E_DAMAGED, __VA_ARGS__);      \
    report(search, &finding_);                                                     \
  } while (0)

static void check_moving(struct search *search, uint64_t length) {
  const struct mm3i_handle *handle = search->handle;
  const struct mm3i_super *super = handle->super;
  uint64_t heap_end = __atomic_load_n(&super->heap_end, __ATOMIC_RELAXED);
  uint64_t heap = handle->fixed.heap_offset;
  uint32_t lock = __atomic_load_n(&super->lock, __ATOMIC_RELAXED);
  struct stat st; /* after heap_end: whoever moves it lengthens the file first */
  if (mm3i_sys.fstat(handle->fd, &st) == 0 && (uint64_t)st.st_size > length) length = (uint64_t)st.st_size;
  if (heap && (heap_end < heap || heap_end > length))
    FINDING(search, "the heap is said to end at %llu, wanted %llu to %llu", (unsigned long long)heap_end,
            (unsigned long long)heap, (unsigned long long)length);
  if (!heap && heap_end) FINDING(search, "a heap's end at %llu, but there is no heap", (unsigned long long)heap_end);
  if (MM3I_LOCK_OWNER(lock) == MM3I_LOCK_DEAD && __atomic_load_n(&super->certificate, __ATOMIC_RELAXED))
    FINDING(search, "the lock's last holder died, and what it was doing (certificate %#llx) could not be recovered",
            (unsigned long long)__atomic_load_n(&super->certificate, __ATOMIC_RELAXED));
}

int mm3i_file_check(struct mm3_file *file, void (*found)(void *arg, const struct mm3_error *finding), void *arg) {
  struct mm3i_handle *handle = mm3i_handle_of(file);
  struct search search = {handle, found, arg, 0};
  struct mm3i_image image;
  struct mm3_error error;
  struct stat st;
  if (mm3i_sys.fstat(handle->fd, &st) < 0) return -errno;
  mm3i_error_begin(&error, handle->path);
  int result = mm3i_image_read(&image, handle->fd, (uint64_t)st.st_size, false, handle->path, &error);
  if (result < 0) {
    if (result > -4096) return result; /* the system's, not the file's */
    report(&search, &error);
    return search.count;
  }
  if (memcmp(&image.super->fixed, &handle->fixed, sizeof handle->fixed) != 0)
    FINDING(&search, "the superblock is another one than when the file was opened");
  check_moving(&search, image.length);
  mm3i_image_free(&image);
  result = mm3i_heap_check(file, found, arg);
  return result < 0 ? result : search.count + result;
}

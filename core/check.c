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

static void check_lock(struct search *search) {
  const struct mm3i_super *super = search->handle->super;
  uint64_t certificate = __atomic_load_n(&super->certificate, __ATOMIC_RELAXED);
  if (MM3I_LOCK_OWNER(__atomic_load_n(&super->lock, __ATOMIC_RELAXED)) == MM3I_LOCK_DEAD && certificate)
    FINDING(search, "the lock's last holder died, and what it was doing (certificate %#llx) could not be recovered",
            (unsigned long long)certificate);
}

int mm3i_end_check(struct mm3_file *file, void (*found)(void *arg, const struct mm3_error *finding), void *arg) {
  struct mm3i_handle *handle = mm3i_handle_of(file);
  struct search search = {handle, found, arg, 0};
  uint64_t end = __atomic_load_n(&handle->super->heap_end, __ATOMIC_RELAXED), heap = handle->fixed.heap_offset;
  struct stat st; /* after heap_end: whoever moves it lengthens the file first */
  if (mm3i_sys.fstat(handle->fd, &st) < 0) return -errno;
  if (heap && (end < heap || end > (uint64_t)st.st_size))
    FINDING(&search, "the heap is said to end at %llu, wanted %llu to %llu", (unsigned long long)end,
            (unsigned long long)heap, (unsigned long long)st.st_size);
  if (!heap && end) FINDING(&search, "a heap's end at %llu, but there is no heap", (unsigned long long)end);
  return search.count;
}

int mm3i_super_check(struct mm3_file *file, void (*found)(void *arg, const struct mm3_error *finding), void *arg) {
  struct mm3i_handle *handle = mm3i_handle_of(file);
  struct search search = {handle, found, arg, 0};
  struct mm3i_image image;
  struct mm3_error error;
  struct stat st;
  if (mm3i_sys.fstat(handle->fd, &st) < 0) return -errno;
  mm3i_error_begin(&error, handle->path);
  int result = mm3i_image_read(&image, handle->fd, (uint64_t)st.st_size, MM3I_READ_ONLY, handle->path, &error);
  if (result < 0) {
    if (result > -4096) return result; /* the system's, not the file's */
    report(&search, &error);
    return search.count;
  }
  if (memcmp(&image.super->fixed, &handle->fixed, sizeof handle->fixed) != 0)
    FINDING(&search, "the superblock is another one than when the file was opened");
  check_lock(&search);
  mm3i_image_free(&image);
  return search.count;
}

int mm3i_file_check(struct mm3_file *file, void (*found)(void *arg, const struct mm3_error *finding), void *arg) {
  int (*const parts[])(struct mm3_file *, void (*)(void *, const struct mm3_error *), void *) = {
      mm3i_super_check, mm3i_end_check, mm3i_heap_check};
  int count = 0;
  for (int i = 0; i < 3; i++) {
    int result = parts[i](file, found, arg);
    if (result < 0) return result;
    count += result;
  }
  return count;
}

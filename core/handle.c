/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* handle.c: a handle's life from nothing to nothing, the options it is made with, and messages that name the file. */
#include "file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

void mm3i_error_begin(struct mm3_error *error, const char *path) {
  if (!error) return;
  memset(error, 0, sizeof *error);
  size_t count = strlen(path);
  if (count >= sizeof error->file) count = mm3_utf8_cut(path, count, sizeof error->file - 1);
  memcpy(error->file, path, count);
}

int mm3i_fail(struct mm3_error *error, const char *path, int code, const char *format, ...) {
  if (!error) return code;
  char text[sizeof error->text];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return mm3_error_set(error, code, "%s: %s", path, text);
}

int mm3i_fail_sys(struct mm3_error *error, const char *path, int code, const char *what) {
  return mm3i_fail(error, path, code, "cannot %s: %s", what, mm3_strerror(code));
}

int mm3i_name_file(struct mm3_error *error, const char *path, int code) {
  if (!error) return code;
  struct mm3_error copy = *error;
  return mm3_error_set(error, code, "%s: %s", path, copy.text);
}

uint64_t mm3i_now_ms(void) {
  struct timespec now;
  if (clock_gettime(CLOCK_MONOTONIC, &now) < 0) return 0;
  return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

void mm3i_sleep_us(uint32_t us) {
  static const uint32_t nobody_wakes = 0;
  struct timespec relative = {us / 1000000u, (long)(us % 1000000u) * 1000};
  mm3i_sys.futex_wait(&nobody_wakes, 0, &relative);
}

static bool all_zero(const void *bytes, size_t size) {
  const unsigned char *at = bytes;
  while (size > 0 && *at == 0) at++, size--;
  return size == 0;
}

int mm3i_options_read(const struct mm3_options *from, struct mm3_options *to, const char *path,
                      struct mm3_error *error) {
  const uint32_t known = MM3_READ_ONLY | MM3_REPLACE | MM3_NO_MODULES | MM3_SPARSE | MM3_EXCLUSIVE | MM3_CAREFUL |
                         MM3_HUGE_PAGES;
  memset(to, 0, sizeof *to);
  if (from && from->size) {
    size_t size = from->size < sizeof *to ? from->size : sizeof *to;
    memcpy(to, from, size);
    if (from->size > sizeof *to && !all_zero((const char *)from + sizeof *to, from->size - sizeof *to))
      return mm3i_fail(error, path, -EINVAL, "options of a newer version of the library are set");
  } else if (from && !all_zero(from, sizeof *from)) {
    return mm3i_fail(error, path, -EINVAL, "options without their size: set .size = sizeof(struct mm3_options)");
  }
  if (to->flags & ~known) return mm3i_fail(error, path, -EINVAL, "unknown flags %#x", to->flags & ~known);
  if (to->mode & ~07777u) return mm3i_fail(error, path, -EINVAL, "mode %#o is not permission bits", to->mode);
  return 0;
}

/* Where the nonces of this handle's lock words begin: elsewhere than those of a slot's last owner. */
static uint32_t first_nonce(const struct mm3i_handle *handle) {
  struct timespec now = {0, 0};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint32_t)now.tv_nsec * 2654435761u ^ (uint32_t)now.tv_sec ^ (uint32_t)((uintptr_t)handle >> 4);
}

struct mm3i_handle *mm3i_handle_new(const char *path, const struct mm3_options *options, struct mm3_error *error) {
  struct mm3i_handle *handle = mm3i_sys.calloc(1, sizeof *handle);
  size_t count = strlen(path) + 1;
  if (!handle || !(handle->path = mm3i_sys.malloc(count))) {
    mm3i_sys.free(handle);
    mm3i_fail_sys(error, path, -ENOMEM, "open it");
    return NULL;
  }
  memcpy(handle->path, path, count);
  handle->fd = handle->control = -1;
  handle->slot = MM3I_NO_SLOT;
  handle->flags = options->flags;
  handle->timeout_ms = options->timeout_ms ? options->timeout_ms : MM3I_DEFAULT_TIMEOUT;
  handle->writable = !(options->flags & (MM3_READ_ONLY | MM3_CAREFUL));
  handle->nonce = first_nonce(handle);
  int result = mm3i_handles_add(handle);
  if (result == 0) return handle;
  mm3i_sys.free(handle->path);
  mm3i_sys.free(handle);
  mm3i_fail_sys(error, path, result, "open it");
  return NULL;
}

/* For people: the slot's lock is what counts. Not where the file was truncated: that would be a SIGBUS. */
static void sign_off(struct mm3i_handle *handle) {
  struct stat st;
  if (!handle->file.base || !handle->writable || handle->slot == MM3I_NO_SLOT) return;
  if (mm3i_sys.fstat(handle->fd, &st) < 0 || st.st_size < 2 * (off_t)MM3I_PAGE) return;
  const uint32_t nobody = 0;
  mm3i_pages_put(handle, &nobody, sizeof nobody, MM3I_PAGE + handle->slot * sizeof(struct mm3i_slot));
}

/* In any state. The slot's lock goes first: from then on nobody takes us for its owner. */
void mm3i_handle_free(struct mm3i_handle *handle) {
  if (!handle) return;
  sign_off(handle);
  mm3i_handles_remove(handle);
  if (handle->file.base) mm3i_sys.munmap(handle->file.base, (size_t)handle->reserve);
  if (handle->fd >= 0) mm3i_sys.close(handle->fd);
  mm3i_schema_free(handle->schema);
  mm3i_sys.free(handle->path);
  mm3i_sys.free(handle);
}

int mm3_close(struct mm3_file *file) {
  if (!file) return 0;
  struct mm3i_handle *handle = mm3i_handle_of(file);
  if (__atomic_load_n(&handle->held, __ATOMIC_RELAXED)) return -EBUSY;
  mm3i_handle_free(handle);
  return 0;
}

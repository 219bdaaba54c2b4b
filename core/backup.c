/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* backup.c: a copy of a file beside it, before something is done to it that cannot be undone. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum { PIECE = 65536, NAMES = 1000 };

static bool all_zero(const unsigned char *bytes, size_t size) {
  return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

/* A new file of that name, or of the first one after it that nobody has. */
static int open_new(const char *path, mode_t mode, char *name, size_t size) {
  for (int number = 1; number <= NAMES; number++) {
    int length = number == 1 ? snprintf(name, size, "%s.backup", path)
                             : snprintf(name, size, "%s.backup-%d", path, number);
    if (length < 0 || (size_t)length >= size) return -ENAMETOOLONG;
    int fd = mm3i_open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
    if (fd != -EEXIST) return fd;
  }
  return -EEXIST;
}

/* Where the original has zeros the copy may have a hole. */
static int copy(int from, int to, uint64_t length, unsigned char *piece) {
  int result = mm3i_stretch(to, length); /* first: whatever it may not have, it learns here */
  for (uint64_t at = 0; at < length && result == 0; at += PIECE) {
    size_t size = length - at < PIECE ? (size_t)(length - at) : PIECE;
    result = mm3i_pread_all(from, piece, size, at);
    if (result == 0 && !all_zero(piece, size)) result = mm3i_pwrite_all(to, piece, size, at);
  }
  return result == 0 && mm3i_sys.fsync(to) < 0 ? -errno : result;
}

int mm3i_backup(struct mm3_file *file, char *name, size_t size, struct mm3_error *error) {
  struct mm3i_handle *handle = mm3i_handle_of(file);
  struct stat st;
  unsigned char *piece = mm3i_sys.malloc(PIECE);
  int result = piece ? 0 : -ENOMEM, fd = -1;
  if (result == 0 && mm3i_sys.fstat(handle->fd, &st) < 0) result = -errno;
  if (result == 0 && (fd = open_new(handle->path, st.st_mode & 0777, name, size)) < 0) result = fd;
  if (result == 0) {
    result = copy(handle->fd, fd, (uint64_t)st.st_size, piece);
    if (mm3i_sys.close(fd) < 0 && result == 0) result = -errno;
    if (result < 0) mm3i_sys.unlink(name);
  }
  mm3i_sys.free(piece);
  return result < 0 ? mm3i_fail_sys(error, handle->path, result, "copy it before the repair") : 0;
}

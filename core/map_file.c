/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The file under a map: extension with real allocation, and locks against a second writer. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "map.h"
#include "sys.h"

/* A map may have stored bytes after the old end, in its page. Most file systems clear them when the file grows; tmpfs
 * makes them part of it. */
static int clear_tail(int fd, uint64_t old_length, uint64_t length) {
  static const char zeros[4096];
  uint64_t page = (uint64_t)1 << mm3i_map_page_bits(), end = (old_length + page - 1) & ~(page - 1);
  if (end > length) end = length;
  for (uint64_t at = old_length; at < end;) {
    size_t piece = end - at < sizeof zeros ? (size_t)(end - at) : sizeof zeros;
    int result = mm3i_pwrite_all(fd, zeros, piece, at);
    if (result < 0) return result;
    at += piece;
  }
  return 0;
}

int mm3_map_extend_file(int fd, uint64_t length, struct mm3_error *error) {
  struct stat st;
  mm3i_map_error_begin(error, NULL);
  char spare[MM3I_MAP_NAME];
  if (mm3i_sys.fstat(fd, &st) != 0) {
    int code = errno;
    return mm3_error_set(error, -code, "descriptor %d: %s", fd, mm3_strerror(code));
  }
  if (!S_ISREG(st.st_mode)) return mm3_error_set(error, -EINVAL, "%s is not a regular file",
                                                    mm3i_map_error_name(error, fd, spare));
  if (length <= (uint64_t)st.st_size) return 0;
  int result = mm3i_extend(fd, (uint64_t)st.st_size, length);
  if (result == 0) result = clear_tail(fd, (uint64_t)st.st_size, length);
  if (result == 0) return 0;
  return mm3_error_set(error, result, "%s: extending the file from %lld to %llu bytes: %s",
                       mm3i_map_error_name(error, fd, spare), (long long)st.st_size,
                       (unsigned long long)length, mm3_strerror(result));
}

#ifdef F_OFD_SETLK
/* All bytes, present and future. */
static int whole_file(int fd, int command, short type) {
  struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0};
  if (mm3i_sys.fcntl_lock(fd, command, &lock) == 0) return 0;
  if (command == F_OFD_SETLK && (errno == EAGAIN || errno == EACCES)) return -MM3_E_BUSY;
  return -errno;
}

static short lock_type(enum mm3_map_file_lock how) { return how == MM3_MAP_LOCK_SHARED ? F_RDLCK : F_WRLCK; }

static int lock_known(enum mm3_map_file_lock how) {
  return how == MM3_MAP_LOCK_SHARED || how == MM3_MAP_LOCK_EXCLUSIVE;
}

int mm3_map_lock_file(int fd, enum mm3_map_file_lock how) {
  return lock_known(how) ? whole_file(fd, F_OFD_SETLKW, lock_type(how)) : -EINVAL;
}

int mm3_map_try_lock_file(int fd, enum mm3_map_file_lock how) {
  return lock_known(how) ? whole_file(fd, F_OFD_SETLK, lock_type(how)) : -EINVAL;
}

int mm3_map_unlock_file(int fd) { return whole_file(fd, F_OFD_SETLK, F_UNLCK); }
#else
int mm3_map_lock_file(int fd, enum mm3_map_file_lock how) {
  (void)fd, (void)how;
  return -ENOTSUP;
}

int mm3_map_try_lock_file(int fd, enum mm3_map_file_lock how) { return mm3_map_lock_file(fd, how); }

int mm3_map_unlock_file(int fd) {
  (void)fd;
  return -ENOTSUP;
}
#endif

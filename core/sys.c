/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

static int real_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }

static int real_fcntl_lock(int fd, int command, struct flock *lock) { return fcntl(fd, command, lock); }

static void *real_mremap(void *address, size_t old_length, size_t new_length, int flags) {
  return mremap(address, old_length, new_length, flags);
}

static size_t real_page_size(void) { return (size_t)sysconf(_SC_PAGESIZE); }

static int real_link_fd(int fd, const char *path) {
  char from[64];
  snprintf(from, sizeof from, "/proc/self/fd/%d", fd);
  return linkat(AT_FDCWD, from, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
}

static int real_rename_noreplace(const char *from, const char *to) {
#ifdef SYS_renameat2
  return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 1U /* RENAME_NOREPLACE */);
#else
  (void)from, (void)to;
  errno = ENOSYS;
  return -1;
#endif
}

static int real_futex_wait(const uint32_t *word, uint32_t seen, const struct timespec *relative) {
  return (int)syscall(SYS_futex, word, FUTEX_WAIT, seen, relative, NULL, 0);
}

static int real_futex_wake(const uint32_t *word, int count) {
  return (int)syscall(SYS_futex, word, FUTEX_WAKE, count, NULL, NULL, 0);
}

static int real_list(const char *folder, void (*each)(void *arg, const char *name), void *arg) {
  DIR *dir = opendir(folder);
  if (!dir) return -1;
  for (struct dirent *entry; (entry = readdir(dir));) each(arg, entry->d_name);
  return closedir(dir);
}

static int real_thread_id(void) { return (int)syscall(SYS_gettid); }

static int real_thread_gone(int thread) { return syscall(SYS_tgkill, getpid(), thread, 0) < 0 && errno == ESRCH; }

static int real_getrandom(void *bytes, size_t size) {
  return getrandom(bytes, size, 0) == (ssize_t)size ? 0 : -1;
}

struct mm3i_sys mm3i_sys = {
    .open = real_open,
    .close = close,
    .fstat = fstat,
    .fstatfs = fstatfs,
    .readlink = readlink,
    .ftruncate = ftruncate,
    .fallocate = fallocate,
    .fsync = fsync,
    .fcntl_lock = real_fcntl_lock,
    .flock = flock,
    .fchmod = fchmod,
    .list = real_list,
    .thread_id = real_thread_id,
    .thread_gone = real_thread_gone,
    .pread = pread,
    .pwrite = pwrite,
    .mmap = mmap,
    .munmap = munmap,
    .mremap = real_mremap,
    .mprotect = mprotect,
    .msync = msync,
    .madvise = madvise,
    .mlock = mlock,
    .munlock = munlock,
    .mincore = mincore,
    .page_size = real_page_size,
    .sigaction = sigaction,
    .memfd_create = memfd_create,
    .link_fd = real_link_fd,
    .rename_noreplace = real_rename_noreplace,
    .rename = rename,
    .link = link,
    .unlink = unlink,
    .futex_wait = real_futex_wait,
    .futex_wake = real_futex_wake,
    .getrandom = real_getrandom,
    .malloc = malloc,
    .calloc = calloc,
    .realloc = realloc,
    .free = free,
};

int mm3i_open(const char *path, int flags, mode_t mode) {
  int fd;
  do
    fd = mm3i_sys.open(path, flags | O_CLOEXEC, mode);
  while (fd < 0 && errno == EINTR);
  return fd < 0 ? -errno : fd;
}

int mm3i_pread_all(int fd, void *bytes, size_t size, uint64_t offset) {
  unsigned char *to = bytes;
  while (size > 0) {
    ssize_t got = mm3i_sys.pread(fd, to, size, (off_t)offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -errno;
    if (got == 0) return -ENODATA;
    to += got, size -= (size_t)got, offset += (uint64_t)got;
  }
  return 0;
}

int mm3i_pwrite_all(int fd, const void *bytes, size_t size, uint64_t offset) {
  const unsigned char *from = bytes;
  while (size > 0) {
    ssize_t put = mm3i_sys.pwrite(fd, from, size, (off_t)offset);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return -errno;
    if (put == 0) return -EIO;
    from += put, size -= (size_t)put, offset += (uint64_t)put;
  }
  return 0;
}

/* Zeros by hand, for file systems without fallocate. posix_fallocate would read and rewrite bytes that another
 * process may be storing to; this writes only beyond the old end, which nobody uses yet. */
static int extend_with_zeros(int fd, uint64_t from, uint64_t to) {
  static const unsigned char zeros[65536];
  while (from < to) {
    size_t piece = to - from < sizeof zeros ? (size_t)(to - from) : sizeof zeros;
    int result = mm3i_pwrite_all(fd, zeros, piece, from);
    if (result < 0) return result;
    from += piece;
  }
  return 0;
}

/* Beyond the limit the kernel would send SIGXFSZ, which kills. */
static bool may_be_as_long(uint64_t length) {
  struct rlimit limit;
  if (length > INT64_MAX) return false;
  return getrlimit(RLIMIT_FSIZE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY || length <= limit.rlim_cur;
}

int mm3i_stretch(int fd, uint64_t length) {
  if (!may_be_as_long(length)) return -EFBIG;
  while (mm3i_sys.ftruncate(fd, (off_t)length) < 0)
    if (errno != EINTR) return -errno;
  return 0;
}

int mm3i_extend(int fd, uint64_t old_length, uint64_t new_length) {
  const uint64_t piece_limit = UINT64_C(64) << 20;
  if (new_length <= old_length) return 0;
  if (!may_be_as_long(new_length)) return -EFBIG;
  for (uint64_t at = old_length; at < new_length;) {
    uint64_t piece = new_length - at < piece_limit ? new_length - at : piece_limit;
    if (mm3i_sys.fallocate(fd, 0, (off_t)at, (off_t)piece) == 0) {
      at += piece;
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EOPNOTSUPP || errno == ENOSYS) return extend_with_zeros(fd, at, new_length);
    return -errno;
  }
  return 0;
}

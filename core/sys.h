/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * sys.h: every system call that the core makes goes through this one table, so that a test can fail any of them
 * (tests replace members of mm3i_sys; nothing else does). Members behave as the functions they are named after.
 */
#ifndef MM3_CORE_SYS_H
#define MM3_CORE_SYS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

struct flock;
struct sigaction;
struct statfs;

struct mm3i_sys {
  int (*open)(const char *path, int flags, mode_t mode);
  int (*close)(int fd);
  int (*fstat)(int fd, struct stat *st);
  int (*fstatfs)(int fd, struct statfs *st);
  ssize_t (*readlink)(const char *path, char *target, size_t size);
  int (*ftruncate)(int fd, off_t length);
  int (*fallocate)(int fd, int mode, off_t offset, off_t length);
  int (*fsync)(int fd);
  int (*fcntl_lock)(int fd, int command, struct flock *lock);
  int (*flock)(int fd, int operation);
  int (*fchmod)(int fd, mode_t mode);
  int (*list)(const char *folder, void (*each)(void *arg, const char *name), void *arg); /* names in a folder */
  int (*thread_id)(void);
  int (*thread_gone)(int thread);                           /* 1: no thread of this process has that id */
  ssize_t (*pread)(int fd, void *bytes, size_t size, off_t offset);
  ssize_t (*pwrite)(int fd, const void *bytes, size_t size, off_t offset);
  void *(*mmap)(void *address, size_t length, int prot, int flags, int fd, off_t offset);
  int (*munmap)(void *address, size_t length);
  void *(*mremap)(void *address, size_t old_length, size_t new_length, int flags);
  int (*mprotect)(void *address, size_t length, int prot);
  int (*msync)(void *address, size_t length, int flags);
  int (*madvise)(void *address, size_t length, int advice);
  int (*mlock)(const void *address, size_t length);
  int (*munlock)(const void *address, size_t length);
  int (*mincore)(void *address, size_t length, unsigned char *vector);
  size_t (*page_size)(void);                                /* a power of two; tests pretend larger ones */
  int (*sigaction)(int number, const struct sigaction *now, struct sigaction *before);
  int (*memfd_create)(const char *name, unsigned flags);
  int (*link_fd)(int fd, const char *path);                 /* gives an O_TMPFILE descriptor a name */
  int (*rename_noreplace)(const char *from, const char *to);
  int (*rename)(const char *from, const char *to);
  int (*link)(const char *from, const char *to);
  int (*unlink)(const char *path);
  int (*futex_wait)(const uint32_t *word, uint32_t seen, const struct timespec *relative);
  int (*futex_wake)(const uint32_t *word, int count);
  int (*getrandom)(void *bytes, size_t size);               /* 0 when all of it was filled */
  void *(*malloc)(size_t size);
  void *(*calloc)(size_t count, size_t size);
  void *(*realloc)(void *old, size_t size);
  void (*free)(void *memory);
};

extern struct mm3i_sys mm3i_sys;

/* Retry of EINTR, and -errno instead of -1 with errno; mm3i_extend asks RLIMIT_FSIZE first, works in pieces of
 * at most 64 MiB, and where the file system cannot allocate writes zeros beyond the old end (never over old bytes).
 * mm3i_stretch only sets the length, and leaves a hole; it asks RLIMIT_FSIZE too. Return 0 or a negative errno. Only the
 * caller that holds the file's lock may extend. */
int mm3i_open(const char *path, int flags, mode_t mode);
int mm3i_extend(int fd, uint64_t old_length, uint64_t new_length);
int mm3i_stretch(int fd, uint64_t length);
int mm3i_pread_all(int fd, void *bytes, size_t size, uint64_t offset);   /* short file: -ENODATA */
int mm3i_pwrite_all(int fd, const void *bytes, size_t size, uint64_t offset);

#endif

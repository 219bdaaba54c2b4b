/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Making and dropping maps. */
#include "map.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>

#include "sys.h"

#ifndef MAP_POPULATE
#define MAP_POPULATE 0
#endif
#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif
#ifndef MAP_STACK
#define MAP_STACK 0
#endif
#ifndef MAP_HUGE_SHIFT
#define MAP_HUGE_SHIFT 26
#endif
#ifndef MAP_HUGE_MASK
#define MAP_HUGE_MASK 0x3f
#endif
#ifndef MFD_HUGETLB
#define MFD_HUGETLB 4U
#endif

#define HUGETLBFS_KIND 0x958458f6U
#define HUGE_BITS_MAX 40U
#define OPTION_ALL                                                                                           \
  (MM3_MAP_EXACT | MM3_MAP_POPULATE | MM3_MAP_NO_RESERVE | MM3_MAP_STACK | MM3_MAP_HUGE | MM3_MAP_SHARED |  \
   MM3_MAP_LOCK_FILE)

/* What an access is to mmap, to open, and to whoever reads mm3_map.flags. */
static const struct access_row {
  int prot, share, open;
  uint32_t flags;
  const char *words;
} access_rows[] = {
    [MM3_MAP_READ] = {PROT_READ, MAP_SHARED, O_RDONLY, MM3_MAP_IS_SHARED, "for reading"},
    [MM3_MAP_READ_EXEC] = {PROT_READ | PROT_EXEC, MAP_SHARED, O_RDONLY, MM3_MAP_IS_SHARED | MM3_MAP_IS_EXEC,
                           "for reading and execution"},
    [MM3_MAP_READ_WRITE] = {PROT_READ | PROT_WRITE, MAP_SHARED, O_RDWR, MM3_MAP_IS_SHARED | MM3_MAP_IS_WRITABLE,
                            "for reading and writing"},
    [MM3_MAP_COPY] = {PROT_READ | PROT_WRITE, MAP_PRIVATE, O_RDONLY, MM3_MAP_IS_WRITABLE, "copy-on-write"},
    [MM3_MAP_COPY_READ] = {PROT_READ, MAP_PRIVATE, O_RDONLY, 0, "copy-on-write, for reading"},
};

static const struct access_row *access_row(enum mm3_map_access access) {
  return (unsigned)access < sizeof access_rows / sizeof *access_rows ? &access_rows[access] : NULL;
}

/* Copies the caller's options, whose struct may be an older, shorter one or a newer, longer one with zeros. */
static int options_read(struct mm3_map_options *to, const struct mm3_map_options *from, struct mm3_error *error) {
  memset(to, 0, sizeof *to);
  if (!from) return 0;
  const size_t least = offsetof(struct mm3_map_options, huge_bits);
  if (from->size < least)
    return mm3_error_set(error, -EINVAL, "map options: size is %u, wanted sizeof(struct mm3_map_options), %zu",
                         (unsigned)from->size, sizeof *to);
  for (size_t i = sizeof *to; i < from->size; i++)
    if (((const unsigned char *)from)[i] != 0)
      return mm3_error_set(error, -EINVAL, "map options: byte %zu is set, which this library does not know", i);
  memcpy(to, from, from->size < sizeof *to ? from->size : sizeof *to);
  if ((to->flags & ~(uint32_t)OPTION_ALL) != 0 || to->reserved != 0)
    return mm3_error_set(error, -EINVAL, "map options: flags 0x%x, reserved %u: unknown bits", (unsigned)to->flags,
                         (unsigned)to->reserved);
  if ((to->flags & MM3_MAP_HUGE) != 0 && to->huge_bits > HUGE_BITS_MAX)
    return mm3_error_set(error, -EINVAL, "map options: huge_bits is %u, wanted 0 or at most %u",
                         (unsigned)to->huge_bits, HUGE_BITS_MAX);
  return 0;
}

static int options_mmap_flags(const struct mm3_map_options *options) {
  int flags = 0;
  if ((options->flags & MM3_MAP_POPULATE) != 0) flags |= MAP_POPULATE;
  if ((options->flags & MM3_MAP_NO_RESERVE) != 0) flags |= MAP_NORESERVE;
  return flags;
}

/* The last step of every constructor; fills *map only when all went well. */
static int map_span(struct mm3_map *map, const struct mm3i_map_span *span, const struct access_row *row, int flags,
                    int fd, struct mm3_map *shape, struct mm3_error *error) {
  char spare[MM3I_MAP_NAME];
  void *base = mm3i_sys.mmap(NULL, span->mapped, row->prot, flags, fd, (off_t)span->file_offset);
  if (base == MAP_FAILED) {
    int code = errno;
    return mm3_error_set(error, -code, "%s: mapping %zu bytes from byte %llu %s: %s%s",
                         mm3i_map_error_name(error, fd, spare), span->length,
                         (unsigned long long)(span->file_offset + span->slack), row->words, mm3_strerror(code),
                         mm3i_map_error_hint(code, row->prot));
  }
  shape->base = base;
  shape->ptr = (char *)base + span->slack;
  shape->length = span->length;
  shape->mapped = span->mapped;
  *map = *shape;
  return 0;
}

/* hugetlbfs wants whole huge pages from munmap, mprotect and mremap. Its block size is the page. */
static unsigned fd_page_bits(int fd, const struct stat *st) {
  unsigned bits = mm3i_map_page_bits();
  struct statfs fs;
  if (st->st_blksize <= (1L << bits) || mm3i_sys.fstatfs(fd, &fs) != 0) return bits;
  if ((uint32_t)fs.f_type != HUGETLBFS_KIND) return bits;
  return (unsigned)__builtin_ctzl((unsigned long)st->st_blksize);
}

/* Without a length the map ends where the file ends now. */
static int fd_length(uint64_t *length, int fd, const struct stat *st, const struct mm3_map_options *options,
                     struct mm3_error *error) {
  char spare[MM3I_MAP_NAME];
  *length = options->length;
  if (options->length != 0 || (options->flags & MM3_MAP_EXACT) != 0) return 0;
  if (st->st_size < 0 || options->offset > (uint64_t)st->st_size)
    return mm3_error_set(error, -EINVAL, "%s: offset %llu lies beyond the file's end, %lld",
                         mm3i_map_error_name(error, fd, spare), (unsigned long long)options->offset,
                         (long long)st->st_size);
  *length = (uint64_t)st->st_size - options->offset;
  return 0;
}

static int map_descriptor(struct mm3_map *map, int fd, const struct access_row *row,
                          const struct mm3_map_options *options, struct mm3_error *error) {
  char spare[MM3I_MAP_NAME];
  struct stat st;
  struct mm3i_map_span span;
  uint64_t length;
  if (mm3i_sys.fstat(fd, &st) != 0) {
    int code = errno;
    return mm3_error_set(error, -code, "descriptor %d: %s", fd, mm3_strerror(code));
  }
  int result = fd_length(&length, fd, &st, options, error);
  if (result < 0) return result;
  struct mm3_map shape = {.flags = row->flags, .page_bits = fd_page_bits(fd, &st)};
  result = mm3i_map_span(options->offset, length, shape.page_bits, &span);
  if (result < 0)
    return mm3_error_set(error, result, "%s: length %llu at offset %llu is more than a map can have, %lld",
                         mm3i_map_error_name(error, fd, spare), (unsigned long long)length,
                         (unsigned long long)options->offset, (long long)PTRDIFF_MAX);
  return map_span(map, &span, row, row->share | options_mmap_flags(options), fd, &shape, error);
}

int mm3_map_fd(struct mm3_map *map, int fd, enum mm3_map_access access, const struct mm3_map_options *options,
               struct mm3_error *error) {
  struct mm3_map_options all;
  const struct access_row *row = access_row(access);
  mm3i_map_error_begin(error, NULL);
  if (!row) return mm3_error_set(error, -EINVAL, "map access %d is unknown", (int)access);
  int result = options_read(&all, options, error);
  if (result < 0) return result;
  if ((all.flags & MM3_MAP_LOCK_FILE) != 0)
    return mm3_error_set(error, -EINVAL, "map options: MM3_MAP_LOCK_FILE is for paths; use mm3_map_lock_file");
  return map_descriptor(map, fd, row, &all, error);
}

/* A FIFO must not hang the caller; a leased file (which says EAGAIN) must not fail because of that. */
static int path_open(const char *path, int flags) {
  int fd = mm3i_open(path, flags | O_NOCTTY | O_NONBLOCK, 0);
  return fd == -EAGAIN ? mm3i_open(path, flags | O_NOCTTY, 0) : fd;
}

int mm3_map_path(struct mm3_map *map, const char *path, enum mm3_map_access access,
                 const struct mm3_map_options *options, struct mm3_error *error) {
  struct mm3_map_options all;
  const struct access_row *row = access_row(access);
  if (!path) return mm3_error_set(error, -EINVAL, "the path is NULL");
  mm3i_map_error_begin(error, path);
  if (!row) return mm3_error_set(error, -EINVAL, "map access %d is unknown", (int)access);
  int result = options_read(&all, options, error);
  if (result < 0) return result;
  int fd = path_open(path, row->open);
  if (fd < 0) return mm3_error_set(error, fd, "%s: opening %s: %s", path, row->words, mm3_strerror(fd));
  if ((all.flags & MM3_MAP_LOCK_FILE) != 0) {
    result = mm3_map_try_lock_file(fd, row->open == O_RDWR ? MM3_MAP_LOCK_EXCLUSIVE : MM3_MAP_LOCK_SHARED);
    if (result < 0) mm3_error_set(error, result, "%s: locking the file: %s", path, mm3_strerror(result));
  }
  if (result == 0) result = map_descriptor(map, fd, row, &all, error);
  mm3i_sys.close(fd); /* the map keeps the open file, and its lock, alive */
  return result;
}

/* The default huge page is what a huge memfd says it is; asking takes nothing from the pool. */
static int huge_page_bits(const struct mm3_map_options *options, unsigned *bits) {
  struct stat st;
  if (options->huge_bits != 0) {
    *bits = options->huge_bits;
    return 0;
  }
  int fd = mm3i_sys.memfd_create("mm3", MFD_HUGETLB | 1U /* MFD_CLOEXEC */);
  if (fd < 0) return -errno;
  int result = mm3i_sys.fstat(fd, &st) == 0 ? 0 : -errno;
  mm3i_sys.close(fd);
  if (result == 0) *bits = (unsigned)__builtin_ctzl((unsigned long)st.st_blksize);
  return result;
}

int mm3_map_anonymous(struct mm3_map *map, size_t length, const struct mm3_map_options *options,
                      struct mm3_error *error) {
  static const struct access_row row = {.prot = PROT_READ | PROT_WRITE, .words = "without a file"};
  struct mm3_map_options all;
  struct mm3i_map_span span;
  struct mm3_map shape = {.flags = MM3_MAP_IS_ANONYMOUS | MM3_MAP_IS_WRITABLE, .page_bits = mm3i_map_page_bits()};
  mm3i_map_error_begin(error, NULL);
  int result = options_read(&all, options, error);
  if (result < 0) return result;
  if ((all.flags & MM3_MAP_LOCK_FILE) != 0)
    return mm3_error_set(error, -EINVAL, "map options: MM3_MAP_LOCK_FILE needs a file");
  int flags = MAP_ANONYMOUS | options_mmap_flags(&all);
  if ((all.flags & MM3_MAP_STACK) != 0) flags |= MAP_STACK;
  if ((all.flags & MM3_MAP_SHARED) != 0) shape.flags |= MM3_MAP_IS_SHARED;
  flags |= (all.flags & MM3_MAP_SHARED) != 0 ? MAP_SHARED : MAP_PRIVATE;
  if ((all.flags & MM3_MAP_HUGE) != 0) {
#ifdef MAP_HUGETLB
    flags |= MAP_HUGETLB | (int)((all.huge_bits & MAP_HUGE_MASK) << MAP_HUGE_SHIFT);
    result = huge_page_bits(&all, &shape.page_bits);
#else
    result = -ENOTSUP;
#endif
    if (result < 0) return mm3_error_set(error, result, "huge pages: %s", mm3_strerror(result));
  }
  result = mm3i_map_span(0, length, shape.page_bits, &span);
  if (result < 0)
    return mm3_error_set(error, result, "anonymous memory: length %zu is more than a map can have, %lld", length,
                         (long long)PTRDIFF_MAX);
  return map_span(map, &span, &row, flags, -1, &shape, error);
}

int mm3_map_unmap(struct mm3_map *map) {
  if (map->mapped == 0) return 0;
  if (mm3i_sys.munmap(map->base, map->mapped) != 0) return -errno;
  memset(map, 0, sizeof *map);
  return 0;
}

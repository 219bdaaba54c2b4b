/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Making maps at the edges: what memmap2's tests leave out, and what its users reported. */
#include <limits.h>
#include <mm3/map.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/vfs.h>

#include "map.h"
#include "mm3places.h"
#include "sys.h"

static struct mm3_error err;

static unsigned char *bytes_of(const struct mm3_map *map) { return mm3_map_ptr(map); }

/* gap: offset>file, offset==file length aligned and unaligned */
IN_PLACES(offsets_around_the_file_end) {
  static const struct {
    off_t size;
    uint64_t offset;
    long long wanted; /* length, or a negative code */
  } rows[] = {{0, 0, 0},
              {0, 1, -EINVAL},
              {100, 99, 1},
              {100, 100, 0},
              {100, 101, -EINVAL},
              {8192, 8192, 0},
              {8192, 8191, 1},
              {8192, 4096, 4096},
              {8192, 8193, -EINVAL},
              {100, UINT64_C(1) << 62, -EINVAL},
              {100, INT64_MAX, -EINVAL},
              {100, UINT64_MAX, -EINVAL}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct mm3_map map = {.length = 77};
    struct mm3_map_options options = {.size = sizeof options, .offset = rows[i].offset};
    int fd = place_file("a", rows[i].size);
    int result = mm3_map_fd(&map, fd, MM3_MAP_READ, &options, &err);
    close(fd);
    if (rows[i].wanted < 0) {
      CHECK_EQ(result, rows[i].wanted);
      CHECK_HAS(err.text, "beyond the file's end");
      CHECK_HAS(err.text, place_path("a"));
      CHECK_EQ(map.length, 77);
      continue;
    }
    if (!CHECK_OK(result, err)) continue;
    CHECK_EQ(map.length, rows[i].wanted);
    CHECK_EQ((uintptr_t)map.ptr % 4096, rows[i].offset % 4096);
    CHECK_EQ(mm3_map_flush(&map), 0);
    CHECK_EQ(mm3_map_advise(&map, MM3_ADVICE_NORMAL), 0);
    CHECK_EQ(mm3_map_lock(&map), 0);
    CHECK_EQ(mm3_map_make_read_only(&map), 0);
    CHECK_EQ(mm3_map_unmap(&map), 0);
  }
}

/* Valgrind answers for the kernel where no address space is large enough. */
static int no_room(int wanted) {
  return wanted == -ENOMEM && strcmp(mm3test_tool(), "valgrind") == 0 ? -EINVAL : wanted;
}

/* gap: the boundary table of explicit offset and length */
IN_PLACES(explicit_offsets_and_lengths_at_the_bounds) {
  static const struct {
    uint64_t offset, length;
    int wanted;
  } rows[] = {{0, PTRDIFF_MAX, -EOVERFLOW}, /* once rounded to pages */
              {0, PTRDIFF_MAX - 4095, -ENOMEM},
              {0, (uint64_t)PTRDIFF_MAX + 1, -EOVERFLOW},
              {0, UINT64_MAX, -EOVERFLOW},
              {1, UINT64_MAX, -EOVERFLOW},
              {UINT64_MAX, 1, -EOVERFLOW},
              {UINT64_MAX, UINT64_MAX, -EOVERFLOW},
              {(uint64_t)INT64_MAX + 1, 1, -EOVERFLOW},
              {INT64_MAX, 1, -EOVERFLOW},
              {INT64_MAX - 4096, 8192, -EOVERFLOW},
              {0, 1, 0},
              {4095, 2, 0},
              {UINT64_C(1) << 40, 1, 0}};
  int fd = place_file("a", 4096);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct mm3_map map = {.length = 77};
    struct mm3_map_options options = {.size = sizeof options, .offset = rows[i].offset, .length = rows[i].length};
    CHECK_EQ(mm3_map_fd(&map, fd, MM3_MAP_READ_WRITE, &options, &err), no_room(rows[i].wanted));
    if (rows[i].wanted != 0) {
      CHECK_EQ(map.length, 77);
      CHECK(err.text[0] != '\0');
      continue;
    }
    CHECK_EQ(map.length, rows[i].length);
    CHECK_EQ(mm3_map_unmap(&map), 0);
  }
  close(fd);
}

/* gap: explicit len past EOF */
IN_PLACES(a_length_past_the_end_is_mapped_and_can_be_probed) {
  struct mm3_map map;
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  struct mm3_map_options options = {.size = sizeof options, .length = 4 * page, .flags = MM3_MAP_POPULATE};
  int fd = place_file("a", 10);
  if (!CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ_WRITE, &options, &err), err)) return;
  bytes_of(&map)[9] = 1;
  CHECK_EQ(mm3_map_advise_range(&map, 0, page, MM3_ADVICE_POPULATE_READ), 0);
  CHECK_EQ(mm3_map_advise(&map, MM3_ADVICE_POPULATE_READ), -EFAULT); /* no signal */
  CHECK_EQ(mm3_map_extend_file(fd, 4 * page, &err), 0);
  CHECK_EQ(mm3_map_advise(&map, MM3_ADVICE_POPULATE_READ), 0);
  bytes_of(&map)[4 * page - 1] = 1;
  CHECK_EQ(mm3_map_unmap(&map), 0);
  close(fd);
}

/* reference 1.11: the last page's rest */
IN_PLACES(bytes_after_the_end_never_reach_the_file) {
  struct mm3_map map;
  unsigned char found = 7;
  int fd = place_file("a", 10);
  if (!CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ_WRITE, NULL, &err), err)) return;
  bytes_of(&map)[10] = 5;
  CHECK_EQ(mm3_map_flush(&map), 0);
  CHECK_EQ(pread(fd, &found, 1, 10), 0);
  CHECK_OK(mm3_map_extend_file(fd, 9000, &err), err);
  CHECK_EQ(bytes_of(&map)[10], 0); /* tmpfs kept the 5, by itself */
  CHECK_EQ(pread(fd, &found, 1, 10), 1);
  CHECK_EQ(found, 0);
  CHECK_EQ(mm3_map_unmap(&map), 0);
  close(fd);
}

static int map_opened(int flags, enum mm3_map_access access) {
  struct mm3_map map;
  int fd = open(place_path("a"), flags | O_CLOEXEC), result = mm3_map_fd(&map, fd, access, NULL, &err);
  close(fd);
  if (result == 0) CHECK_EQ(mm3_map_unmap(&map), 0);
  return result;
}

/* gap: read-only fd + map_mut */
IN_PLACES(a_descriptor_must_suit_the_access) {
  static const struct {
    int flags;
    enum mm3_map_access access;
    int wanted;
  } rows[] = {{O_RDONLY, MM3_MAP_READ, 0},           {O_RDONLY, MM3_MAP_READ_WRITE, -EACCES},
              {O_RDONLY, MM3_MAP_COPY, 0},           {O_RDONLY, MM3_MAP_COPY_READ, 0},
              {O_WRONLY, MM3_MAP_READ, -EACCES},     {O_WRONLY, MM3_MAP_READ_WRITE, -EACCES},
              {O_WRONLY, MM3_MAP_COPY, -EACCES},     {O_RDWR, MM3_MAP_READ_WRITE, 0},
              {O_RDWR, (enum mm3_map_access)5, -EINVAL}, {O_RDWR, (enum mm3_map_access)-1, -EINVAL}};
  close(place_file("a", 100));
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    CHECK_EQ(map_opened(rows[i].flags, rows[i].access), rows[i].wanted);
    if (rows[i].wanted == -EACCES) CHECK_HAS(err.text, "not opened for reading");
    if (rows[i].wanted == -EACCES) CHECK_HAS(err.file, "/a");
  }
}

/* gap: closed fd, directory, char device, and the rest that upstream users met */
IN_PLACES(things_that_are_no_ordinary_files) {
  struct mm3_map map = {.length = 77};
  struct mm3_map_options page = {.size = sizeof page, .length = 4096};
  struct mm3_map_options none = {.size = sizeof none, .flags = MM3_MAP_EXACT};
  int ends[2];
  CHECK_EQ(mm3_map_fd(&map, -1, MM3_MAP_READ, NULL, &err), -EBADF);
  CHECK_EQ(mm3_map_fd(&map, 9999, MM3_MAP_READ, &page, NULL), -EBADF);
  CHECK_EQ(mm3_map_path(&map, place, MM3_MAP_READ, NULL, &err), -ENODEV);
  CHECK_HAS(err.text, place);
  CHECK_EQ(mm3_map_path(&map, place, MM3_MAP_READ_WRITE, NULL, &err), -EISDIR);
  CHECK_EQ(mm3_map_path(&map, place_path("absent"), MM3_MAP_READ, NULL, &err), -ENOENT);
  CHECK_HAS(err.text, "absent");
  CHECK_STR(err.file, place_path("absent"));
  CHECK_EQ(mm3_map_path(&map, NULL, MM3_MAP_READ, NULL, &err), -EINVAL);
  CHECK_EQ(mm3_map_path(&map, "/dev/null", MM3_MAP_READ, NULL, &err), -ENODEV);
  CHECK_EQ(mm3_map_path(&map, "/proc/cpuinfo", MM3_MAP_READ, &page, &err), -EIO);
  CHECK_EQ(pipe(ends), 0);
  CHECK_EQ(mm3_map_fd(&map, ends[0], MM3_MAP_READ, &page, &err), -ENODEV);
  close(ends[0]), close(ends[1]);
  CHECK_EQ(mkfifo(place_path("fifo"), 0600), 0);
  CHECK_EQ(mm3_map_path(&map, place_path("fifo"), MM3_MAP_READ, &page, &err), -ENODEV); /* and does not hang */
  CHECK_EQ(map.length, 77);
  CHECK_OK(mm3_map_path(&map, "/dev/zero", MM3_MAP_COPY, &page, &err), err);
  CHECK_EQ(bytes_of(&map)[4095], 0);
  CHECK_EQ(mm3_map_unmap(&map), 0);
  CHECK_OK(mm3_map_path(&map, "/dev/zero", MM3_MAP_READ, &none, &err), err); /* size 0, like /proc files */
  CHECK_EQ(map.length, 0);
  CHECK_EQ(mm3_map_unmap(&map), 0);
}

static void a_sealed_file_is_not_written(void) {
  struct mm3_map map;
  int fd = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  CHECK_EQ(ftruncate(fd, 100), 0);
  CHECK_EQ(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
  CHECK_FAILS(mm3_map_fd(&map, fd, MM3_MAP_READ_WRITE, NULL, &err), -EPERM, err);
  CHECK_HAS(err.text, "sealed");
  CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_COPY, NULL, &err), err);
  CHECK_EQ(mm3_map_unmap(&map), 0);
  close(fd);
}

static void empty_map_works(struct mm3_map *map) {
  size_t resident = 7;
  CHECK_EQ(map->length, 0);
  CHECK(map->ptr != NULL);
  CHECK_EQ(mm3_map_lock(map), 0);
  CHECK_EQ(mm3_map_unlock(map), 0);
  CHECK_EQ(mm3_map_flush(map), 0);
  CHECK_EQ(mm3_map_flush_async(map), 0);
  CHECK_EQ(mm3_map_advise(map, MM3_ADVICE_WILL_NEED), 0);
  CHECK_EQ(mm3_map_discard(map, MM3_DISCARD_DONT_NEED), 0);
  CHECK_EQ(mm3_map_resident(map, &resident), 0);
  CHECK_EQ(resident, 0);
  CHECK_EQ(mm3_map_flush_range(map, 0, 1), -EINVAL);
  CHECK_EQ(mm3_map_make_read_only(map), 0);
  CHECK_EQ(mm3_map_make_writable(map), 0);
}

/* gap: zero-length lock, and every other call on an empty map */
IN_PLACES(every_call_takes_an_empty_map) {
  struct mm3_map map;
  struct mm3_map_options odd = {.size = sizeof odd, .offset = 33, .flags = MM3_MAP_EXACT};
  int fd = place_file("a", 0);
  if (CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ_WRITE, NULL, &err), err)) empty_map_works(&map);
  CHECK_EQ(mm3_map_unmap(&map), 0);
  if (CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ_WRITE, &odd, &err), err)) empty_map_works(&map);
  CHECK_EQ((uintptr_t)map.ptr % 4096, 33);
  CHECK_EQ(mm3_map_unmap(&map), 0);
  if (CHECK_OK(mm3_map_anonymous(&map, 0, NULL, &err), err)) empty_map_works(&map);
  CHECK_EQ(mm3_map_unmap(&map), 0);
  close(fd);
}

static void a_zeroed_map_is_refused_politely(void) {
  struct mm3_map map = {0};
  size_t bytes = 7;
  CHECK_EQ(mm3_map_unmap(&map), 0);
  CHECK_EQ(mm3_map_flush(&map), -EINVAL);
  CHECK_EQ(mm3_map_advise(&map, MM3_ADVICE_NORMAL), -EINVAL);
  CHECK_EQ(mm3_map_discard(&map, MM3_DISCARD_DONT_NEED), -EINVAL);
  CHECK_EQ(mm3_map_resident(&map, &bytes), -EINVAL);
  CHECK_EQ(mm3_map_lock(&map), -EINVAL);
  CHECK_EQ(mm3_map_unlock(&map), -EINVAL);
  CHECK_EQ(mm3_map_make_exec(&map), -EINVAL);
  CHECK_EQ(mm3_map_remap(&map, 10, 0), -EINVAL);
  CHECK_EQ(bytes, 7);
}

static void options_of_other_versions(void) {
  struct {
    struct mm3_map_options known;
    unsigned char later[8];
  } longer = {.known = {.size = sizeof longer}};
  struct mm3_map_options options = {0};
  struct mm3_map map = {.length = 77};
  CHECK_FAILS(mm3_map_anonymous(&map, 10, &options, &err), -EINVAL, err);
  CHECK_HAS(err.text, "size is 0");
  options.size = 24; /* an older program: without huge_bits */
  options.huge_bits = 1234;
  CHECK_OK(mm3_map_anonymous(&map, 10, &options, &err), err);
  CHECK_EQ(mm3_map_unmap(&map), 0);
  CHECK_OK(mm3_map_anonymous(&map, 10, &longer.known, &err), err);
  CHECK_EQ(mm3_map_unmap(&map), 0);
  longer.later[3] = 1;
  CHECK_FAILS(mm3_map_anonymous(&map, 10, &longer.known, &err), -EINVAL, err);
  CHECK_HAS(err.text, "does not know");
  options = (struct mm3_map_options){.size = sizeof options, .flags = 1U << 31};
  CHECK_FAILS(mm3_map_anonymous(&map, 10, &options, &err), -EINVAL, err);
  options = (struct mm3_map_options){.size = sizeof options, .reserved = 1};
  CHECK_FAILS(mm3_map_anonymous(&map, 10, &options, &err), -EINVAL, err);
  options = (struct mm3_map_options){.size = sizeof options, .flags = MM3_MAP_LOCK_FILE};
  CHECK_FAILS(mm3_map_anonymous(&map, 10, &options, &err), -EINVAL, err);
  CHECK_FAILS(mm3_map_fd(&map, 0, MM3_MAP_READ, &options, &err), -EINVAL, err);
  options = (struct mm3_map_options){.size = sizeof options, .flags = MM3_MAP_HUGE, .huge_bits = 64};
  CHECK_FAILS(mm3_map_anonymous(&map, 10, &options, &err), -EINVAL, err);
}

static size_t page_64k(void) { return 65536; }

/* gap: non-4K pages. Pretended ones, which the real kernel takes as well. */
IN_PLACES(pages_of_64_kib) {
  struct mm3_map map;
  struct mm3_map_options options = {.size = sizeof options, .offset = 70000, .length = 100};
  size_t (*real)(void) = mm3i_sys.page_size;
  int fd = place_file("a", 300000);
  mm3i_sys.page_size = page_64k;
  if (CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ_WRITE, &options, &err), err)) {
    CHECK_EQ((char *)map.ptr - (char *)map.base, 70000 - 65536);
    CHECK_EQ(map.mapped, 65536);
    bytes_of(&map)[99] = 1;
    CHECK_EQ(mm3_map_flush_range(&map, 99, 1), 0);
    CHECK_EQ(mm3_map_advise_range(&map, 50, 50, MM3_ADVICE_RANDOM), 0);
    CHECK_EQ(mm3_map_remap(&map, 200000, MM3_MAP_MAY_MOVE), 0);
    CHECK_EQ(map.mapped, 262144);
    CHECK_EQ(bytes_of(&map)[99], 1);
    CHECK_EQ(mm3_map_make_read_only(&map), 0);
    CHECK_EQ(mm3_map_unmap(&map), 0);
  }
  mm3i_sys.page_size = real;
  close(fd);
}

static struct {
  size_t mapped, unmapped, protected;
  int flags;
  off_t offset;
} seen;

static void *huge_mmap(void *address, size_t length, int prot, int flags, int fd, off_t offset) {
  (void)prot;
  seen.mapped = length, seen.flags = flags, seen.offset = offset;
  return mmap(address, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, fd, 0);
}

static int huge_munmap(void *address, size_t length) {
  seen.unmapped = length;
  return munmap(address, length);
}

static int huge_mprotect(void *address, size_t length, int prot) {
  seen.protected = length;
  return mprotect(address, length, prot);
}

/* reference 1.4.9 and pain 11: huge pages with an unrounded length. Without a pool the system calls are watched. */
static void huge_pages_are_whole_pages(void) {
  struct mm3i_sys real = mm3i_sys;
  struct mm3_map map;
  struct mm3_map_options options = {.size = sizeof options, .flags = MM3_MAP_HUGE, .huge_bits = 21};
  mm3i_sys.mmap = huge_mmap, mm3i_sys.munmap = huge_munmap, mm3i_sys.mprotect = huge_mprotect;
  if (CHECK_OK(mm3_map_anonymous(&map, 2097153, &options, &err), err)) {
    CHECK_EQ(map.length, 2097153);
    CHECK_EQ(seen.mapped, 4194304);
    CHECK_EQ((unsigned)seen.flags >> 26, 21); /* in the flags, not in the offset */
    CHECK(seen.flags & MAP_HUGETLB);
    CHECK_EQ(seen.offset, 0);
    CHECK_EQ(mm3_map_make_read_only(&map), 0);
    CHECK_EQ(seen.protected, 4194304);
    CHECK_EQ(mm3_map_unmap(&map), 0);
    CHECK_EQ(seen.unmapped, 4194304);
  }
  options.huge_bits = 0; /* the system's default, whose size must be found out */
  int result = mm3_map_anonymous(&map, 1, &options, &err);
  if (result == 0) {
    CHECK(map.page_bits > 12);
    CHECK_EQ(seen.mapped, (size_t)1 << map.page_bits);
    CHECK_EQ(mm3_map_unmap(&map), 0);
  } else {
    CHECK(result == -ENOSYS || result == -EINVAL || result == -ENODEV || result == -ENOENT);
  }
  mm3i_sys = real;
}

/* upstream documentation: huge(21); the pool may be empty, then the refusal is what is checked */
static void huge_pages_of_the_machine(void) {
  struct mm3_map map;
  struct mm3_map_options options = {.size = sizeof options, .flags = MM3_MAP_HUGE, .huge_bits = 21};
  int result = mm3_map_anonymous(&map, 2000000, &options, &err);
  if (result != 0) {
    CHECK(result == -ENOMEM || result == -EINVAL);
    CHECK(err.text[0] != '\0');
    return;
  }
  bytes_of(&map)[1999999] = 1;
  CHECK_EQ(mm3_map_flush_range(&map, 1000000, 10), 0);
  CHECK_EQ(mm3_map_make_read_only(&map), 0);
  CHECK_EQ(mm3_map_unmap(&map), 0);
}

static void lengths_of_anonymous_memory(void) {
  struct mm3_map map = {.length = 77};
  CHECK_EQ(mm3_map_anonymous(&map, SIZE_MAX, NULL, NULL), -EOVERFLOW);
  CHECK_EQ(mm3_map_anonymous(&map, PTRDIFF_MAX, NULL, NULL), -EOVERFLOW);
  CHECK_FAILS(mm3_map_anonymous(&map, PTRDIFF_MAX - 65535, NULL, &err), no_room(-ENOMEM), err);
  CHECK_HAS(err.text, "anonymous memory");
  CHECK_EQ(map.length, 77);
}

/* hugetlbfs files: their block size is the page */
static int large_fstat(int fd, struct stat *st) {
  int result = fstat(fd, st);
  st->st_blksize = 2097152;
  return result;
}

static long pretended_kind;

static int large_fstatfs(int fd, struct statfs *st) {
  int result = fstatfs(fd, st);
  st->f_type = (__typeof__(st->f_type))pretended_kind;
  return result;
}

IN_PLACES(files_of_huge_pages) {
  struct mm3i_sys real = mm3i_sys;
  struct mm3_map map;
  int fd = place_file("a", 10000);
  mm3i_sys.fstat = large_fstat, mm3i_sys.fstatfs = large_fstatfs, mm3i_sys.munmap = huge_munmap;
  pretended_kind = 0x958458f6;
  if (CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ, NULL, &err), err)) {
    CHECK_EQ(map.length, 10000);
    CHECK_EQ(map.mapped, 2097152);
    CHECK_EQ(mm3_map_unmap(&map), 0);
    CHECK_EQ(seen.unmapped, 2097152);
  }
  pretended_kind = 0x6969; /* NFS has large blocks and small pages */
  if (CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ, NULL, &err), err)) CHECK_EQ(map.mapped, 12288);
  CHECK_EQ(mm3_map_unmap(&map), 0);
  mm3i_sys = real;
  close(fd);
}

MM3_TEST_SUITE("map_edges", {"offsets around the file's end", offsets_around_the_file_end},
               {"explicit offsets and lengths at the bounds", explicit_offsets_and_lengths_at_the_bounds},
               {"a length past the end is mapped, and can be probed without a signal",
                a_length_past_the_end_is_mapped_and_can_be_probed},
               {"bytes after the end never reach the file", bytes_after_the_end_never_reach_the_file},
               {"a descriptor must suit the access", a_descriptor_must_suit_the_access},
               {"directories, devices, pipes and /proc say what they are", things_that_are_no_ordinary_files},
               {"a sealed file is not written", a_sealed_file_is_not_written},
               {"every call takes an empty map", every_call_takes_an_empty_map},
               {"a zeroed map is refused politely", a_zeroed_map_is_refused_politely},
               {"options of older and newer programs", options_of_other_versions},
               {"pages of 64 KiB", pages_of_64_kib},
               {"huge pages are mapped and unmapped as whole pages", huge_pages_are_whole_pages},
               {"huge pages of this machine, or its refusal", huge_pages_of_the_machine},
               {"lengths of anonymous memory that no machine has", lengths_of_anonymous_memory},
               {"files of huge pages are mapped in whole pages", files_of_huge_pages})

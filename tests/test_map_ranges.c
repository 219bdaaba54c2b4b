/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Ranges, advice, protection, remap and fork at the edges. */
#include <mm3/map.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/vfs.h>

#include "map.h"
#include "mm3places.h"
#include "sys.h"

static struct mm3_error err;

static unsigned char *bytes_of(const struct mm3_map *map) { return mm3_map_ptr(map); }

static int tool_is(const char *name) { return strcmp(mm3test_tool(), name) == 0; }

static size_t page_size(void) { return (size_t)sysconf(_SC_PAGESIZE); }

static unsigned long range_calls;

static int count_msync(void *address, size_t length, int flags) {
  range_calls++;
  return msync(address, length, flags);
}

static int count_madvise(void *address, size_t length, int advice) {
  range_calls++;
  return madvise(address, length, advice);
}

/* gap: out-of-range flush and advise (offset>len, len>rest, SIZE_MAX both); upstream's advise misses the second */
IN_PLACES(ranges_outside_the_map_never_reach_the_system) {
  static const struct {
    size_t offset, length;
  } rows[] = {{10001, 0},     {10000, 1},       {9999, 2},        {0, 10001},   {9999, 10000},   {SIZE_MAX, 0},
              {0, SIZE_MAX},  {SIZE_MAX, SIZE_MAX}, {1, SIZE_MAX}, {SIZE_MAX, 1}, {SIZE_MAX - 4095, 4096},
              {5000, SIZE_MAX - 4999}};
  struct mm3i_sys real = mm3i_sys;
  struct mm3_map map;
  struct mm3_map_options options = {.size = sizeof options, .offset = 77, .length = 10000};
  int fd = place_file("a", 20000);
  if (!CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ_WRITE, &options, &err), err)) return;
  mm3i_sys.msync = count_msync, mm3i_sys.madvise = count_madvise;
  range_calls = 0;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    CHECK_EQ(mm3_map_contains(&map, rows[i].offset, rows[i].length), 0);
    CHECK_EQ(mm3_map_flush_range(&map, rows[i].offset, rows[i].length), -EINVAL);
    CHECK_EQ(mm3_map_flush_async_range(&map, rows[i].offset, rows[i].length), -EINVAL);
    CHECK_EQ(mm3_map_advise_range(&map, rows[i].offset, rows[i].length, MM3_ADVICE_NORMAL), -EINVAL);
    CHECK_EQ(mm3_map_discard_range(&map, rows[i].offset, rows[i].length, MM3_DISCARD_DONT_NEED), -EINVAL);
  }
  CHECK_EQ(range_calls, 0);
  CHECK_EQ(mm3_map_flush_range(&map, 10000, 0), 0);
  CHECK_EQ(mm3_map_flush_range(&map, 0, 10000), 0);
  CHECK_EQ(mm3_map_advise_range(&map, 9999, 1, MM3_ADVICE_NORMAL), 0);
  CHECK_EQ(mm3_map_advise_range(&map, 10000, 0, MM3_ADVICE_NORMAL), 0);
  mm3i_sys = real;
  CHECK_EQ(mm3_map_unmap(&map), 0);
  close(fd);
}

static int fail_eio(void *address, size_t length, int flags) {
  (void)address, (void)length, (void)flags;
  errno = EIO;
  return -1;
}

IN_PLACES(what_the_disk_says_is_reported) {
  struct mm3i_sys real = mm3i_sys;
  struct mm3_map map;
  int fd = place_file("a", 100);
  if (!CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ_WRITE, NULL, &err), err)) return;
  mm3i_sys.msync = fail_eio;
  CHECK_EQ(mm3_map_flush(&map), -EIO);
  CHECK_EQ(mm3_map_flush_async_range(&map, 3, 4), -EIO);
  mm3i_sys = real;
  CHECK_EQ(mm3_map_flush(&map), 0);
  CHECK_EQ(ftruncate(fd, 0), 0);
  CHECK_EQ(mm3_map_flush(&map), 0); /* upstream: a truncated file flushes */
  CHECK_EQ(mm3_map_unmap(&map), 0);
  close(fd);
}


__extension__ typedef unsigned __int128 wide_number;

/* The choke point itself, against slow arithmetic in 128 bits. */
static void the_choke_point_agrees_with_wide_arithmetic(void) {
  static const uint64_t numbers[] = {0, 1, 77, 4095, 4096, 4097, 65535, 65536, UINT64_C(1) << 32, INT64_MAX - 65536,
                                     INT64_MAX - 4096, INT64_MAX - 4095, INT64_MAX - 1, INT64_MAX,
                                     UINT64_C(1) << 63, UINT64_MAX - 4096, UINT64_MAX - 1, UINT64_MAX};
  static const unsigned bits[] = {12, 14, 16, 21, 30, 40};
  size_t count = sizeof numbers / sizeof numbers[0];
  for (size_t k = 0; k < sizeof bits / sizeof bits[0] * count * count; k++) {
    uint64_t offset = numbers[k % count], length = numbers[k / count % count];
    wide_number page = (wide_number)1 << bits[k / count / count], wide;
    wide_number slack = offset % page, bound = INT64_MAX;
    struct mm3i_map_span span;
    wide = slack + length > 0 ? slack + length : 1;
    wide = (wide + page - 1) / page * page;
    int wanted = length <= bound && (wide_number)offset + length <= bound && wide <= bound ? 0 : -EOVERFLOW;
    if (!CHECK_EQ(mm3i_map_span(offset, length, bits[k / count / count], &span), wanted) || wanted) continue;
    CHECK(span.mapped == wide && span.slack == slack && span.file_offset + slack == offset && span.length == length);
  }
}

/* Each advice on each kind of map: accepted, or refused as the kernel documents, never a crash; contents stay. */
IN_PLACES(every_advice_on_every_kind_of_map) {
  static const int may_say[] = {0, -EINVAL, -ENOTSUP, -EAGAIN, -EBUSY, -ENOMEM, -EFAULT, -EIO, -EPERM};
  int fd = place_file("a", 20000);
  for (int access = 0; access <= MM3_MAP_COPY_READ + 1; access++) {
    struct mm3_map map;
    if (access == MM3_MAP_READ_EXEC) continue;
    int result = access > MM3_MAP_COPY_READ ? mm3_map_anonymous(&map, 20000, NULL, &err)
                                            : mm3_map_fd(&map, fd, (enum mm3_map_access)access, NULL, &err);
    if (!CHECK_OK(result, err)) continue;
    for (int advice = 0; advice <= MM3_ADVICE_KEEP_ON_FORK; advice++) {
      int said = mm3_map_advise_range(&map, 5000, 10000, (enum mm3_map_advice)advice), known = 0;
      for (size_t i = 0; i < sizeof may_say / sizeof may_say[0]; i++) known |= said == may_say[i];
      CHECK(known);
      if (advice <= MM3_ADVICE_WILL_NEED || advice == MM3_ADVICE_DONT_DUMP) CHECK_EQ(said, 0);
      CHECK(all_bytes_are(map.ptr, 20000, 0));
    }
    CHECK_EQ(mm3_map_advise(&map, (enum mm3_map_advice)(MM3_ADVICE_KEEP_ON_FORK + 1)), -EINVAL);
    CHECK_EQ(mm3_map_discard(&map, (enum mm3_map_discard)99), -EINVAL);
    int poison = mm3_map_discard_supported(MM3_DISCARD_POISON); /* asked only: it would cost the machine a page */
    CHECK(poison == 0 || poison == 1);
    CHECK_EQ(mm3_map_unmap(&map), 0);
  }
  close(fd);
}

/* reference 1.8, what the kernel answers */
IN_PLACES(advice_that_a_kind_of_map_refuses) {
  struct mm3_map shared, reader, anonymous;
  int fd = place_file("a", 16384);
  CHECK_OK(mm3_map_fd(&shared, fd, MM3_MAP_READ_WRITE, NULL, &err), err);
  CHECK_OK(mm3_map_fd(&reader, fd, MM3_MAP_READ, NULL, &err), err);
  CHECK_OK(mm3_map_anonymous(&anonymous, 16384, NULL, &err), err);
  CHECK_EQ(mm3_map_advise(&reader, MM3_ADVICE_POPULATE_READ), 0);
  CHECK_EQ(mm3_map_advise(&reader, MM3_ADVICE_POPULATE_WRITE), -EINVAL);
  CHECK_EQ(mm3_map_advise(&shared, MM3_ADVICE_POPULATE_WRITE), 0);
  CHECK_EQ(mm3_map_discard(&reader, MM3_DISCARD_FREE), -EINVAL);
  CHECK_EQ(mm3_map_discard(&anonymous, MM3_DISCARD_FREE), 0);
  CHECK_EQ(mm3_map_discard(&anonymous, MM3_DISCARD_REMOVE), -EINVAL);
  CHECK_EQ(mm3_map_advise(&shared, MM3_ADVICE_WIPE_ON_FORK), -EINVAL);
  memset(shared.ptr, 1, 16384);
  CHECK_EQ(mm3_map_discard(&reader, MM3_DISCARD_DONT_NEED), 0); /* read again from the file */
  CHECK(all_bytes_are(reader.ptr, 16384, 1));
  CHECK_EQ(mm3_map_unmap(&shared), 0);
  CHECK_EQ(mm3_map_unmap(&reader), 0);
  CHECK_EQ(mm3_map_unmap(&anonymous), 0);
  close(fd);
}

/* better than upstream, whose ranges are widened: neighbours lose nothing */
static void a_discard_never_takes_a_neighbours_bytes(void) {
  struct mm3_map map;
  size_t page = page_size();
  if (!CHECK_OK(mm3_map_anonymous(&map, 4 * page, NULL, &err), err)) return;
  memset(map.ptr, 7, 4 * page);
  CHECK_EQ(mm3_map_discard_range(&map, 10, page, MM3_DISCARD_DONT_NEED), 0); /* no page wholly inside */
  CHECK(all_bytes_are(map.ptr, 4 * page, 7));
  CHECK_EQ(mm3_map_discard_range(&map, page - 1, page + 2, MM3_DISCARD_DONT_NEED), 0);
  CHECK(all_bytes_are(map.ptr, page, 7));
  CHECK(all_bytes_are(bytes_of(&map) + page, page, 0));
  CHECK(all_bytes_are(bytes_of(&map) + 2 * page, 2 * page, 7));
  CHECK_EQ(mm3_map_remap(&map, 4 * page - 100, 0), 0);
  CHECK_EQ(mm3_map_discard_range(&map, 3 * page, page - 100, MM3_DISCARD_DONT_NEED), 0); /* up to the map's end */
  CHECK(all_bytes_are(bytes_of(&map) + 3 * page, page - 100, 0));
  CHECK_EQ(mm3_map_unmap(&map), 0);
}

IN_PLACES(a_hole_takes_whole_pages_of_the_range_only) {
  struct mm3_map map, all;
  size_t page = page_size();
  struct mm3_map_options options = {.size = sizeof options, .offset = 100, .length = 3 * page};
  int fd = place_file("a", (off_t)(4 * page));
  CHECK_OK(mm3_map_fd(&all, fd, MM3_MAP_READ_WRITE, NULL, &err), err);
  CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ_WRITE, &options, &err), err);
  memset(all.ptr, 7, 4 * page);
  CHECK_EQ(mm3_map_discard(&map, MM3_DISCARD_REMOVE), 0);
  CHECK(all_bytes_are(all.ptr, page, 7)); /* its first 100 bytes are not the map's */
  CHECK(all_bytes_are(bytes_of(&all) + page, 2 * page, 0));
  CHECK(all_bytes_are(bytes_of(&all) + 3 * page, page, 7));
  CHECK_EQ(mm3_map_unmap(&map), 0);
  CHECK_EQ(mm3_map_unmap(&all), 0);
  close(fd);
  CHECK_OK(mm3_map_path(&map, place_path("a"), MM3_MAP_READ, NULL, &err), err);
  CHECK_EQ(mm3_map_discard(&map, MM3_DISCARD_REMOVE), -EACCES);
  CHECK_EQ(mm3_map_unmap(&map), 0);
}

IN_PLACES(residency_counts_the_maps_own_bytes) {
  struct mm3_map map;
  struct mm3_map_options options = {.size = sizeof options, .offset = 100, .length = 5000 * 4096 + 17};
  size_t bytes = 1;
  int fd = place_file("a", 0);
  CHECK_OK(mm3_map_extend_file(fd, 5001 * 4096 + 200, &err), err);
  if (!CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ_WRITE, &options, &err), err)) return;
  memset(map.ptr, 1, map.length);
  CHECK_EQ(mm3_map_resident(&map, &bytes), 0);
  CHECK_EQ(bytes, map.length);
  CHECK_EQ(mm3_map_unmap(&map), 0);
  close(fd);
  CHECK_OK(mm3_map_anonymous(&map, 10 * page_size() - 5, NULL, &err), err);
  CHECK_EQ(mm3_map_advise(&map, MM3_ADVICE_NO_HUGE_PAGE), 0);
  CHECK_EQ(mm3_map_resident(&map, &bytes), 0);
  CHECK_EQ(bytes, 0);
  bytes_of(&map)[3 * page_size()] = 1;
  bytes_of(&map)[10 * page_size() - 6] = 1;
  CHECK_EQ(mm3_map_resident(&map, &bytes), 0);
  CHECK_EQ(bytes, 2 * page_size() - 5);
  CHECK_EQ(mm3_map_unmap(&map), 0);
}

static int busy_once, mincore_code;

static int odd_mincore(void *address, size_t length, unsigned char *vector) {
  if (busy_once++ > 0 && mincore_code == 0) return mincore(address, length, vector);
  errno = mincore_code ? mincore_code : EAGAIN;
  return -1;
}

static void residency_is_asked_again_or_refused(void) {
  struct mm3i_sys real = mm3i_sys;
  struct mm3_map map;
  size_t bytes = 7;
  if (!CHECK_OK(mm3_map_anonymous(&map, 100, NULL, &err), err)) return;
  bytes_of(&map)[0] = 1;
  mm3i_sys.mincore = odd_mincore, busy_once = 0, mincore_code = 0;
  CHECK_EQ(mm3_map_resident(&map, &bytes), 0);
  CHECK_EQ(bytes, 100);
  mincore_code = ENOSYS;
  CHECK_EQ(mm3_map_resident(&map, &bytes), -ENOTSUP);
  mincore_code = ENOMEM;
  CHECK_EQ(mm3_map_resident(&map, &bytes), -ENOMEM);
  mm3i_sys = real;
  CHECK_EQ(bytes, 100);
  CHECK_EQ(mm3_map_unmap(&map), 0);
}

/* reference 1.9: a file that is shorter than the map cannot be locked, and nothing stays locked */
IN_PLACES(a_failed_lock_leaves_nothing_locked) {
  struct mm3_map map;
  char line[200];
  long kib = -1;
  struct mm3_map_options options = {.size = sizeof options, .length = 10 * page_size()};
  if (tool_is("asan") || tool_is("tsan")) {
    CHECK(1); /* the sanitizer makes mlock do nothing */
    return;
  }
  int fd = place_file("a", (off_t)(3 * page_size()));
  if (!CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ_WRITE, &options, &err), err)) return;
  CHECK_EQ(mm3_map_lock(&map), -ENOMEM);
  FILE *status = fopen("/proc/self/status", "r");
  while (status && fgets(line, sizeof line, status))
    if (strncmp(line, "VmLck:", 6) == 0) kib = strtol(line + 6, NULL, 10);
  if (status) fclose(status);
  CHECK_EQ(kib, 0);
  CHECK_EQ(mm3_map_unmap(&map), 0);
  close(fd);
}

static int store_first_byte(void *arg) {
  signal(SIGSEGV, SIG_DFL);
  bytes_of(arg)[0] = 1;
  return 0;
}

/* gap: make_mut EACCES; a failed change leaves the map as it was (upstream drops it) */
IN_PLACES(a_refused_protection_leaves_the_map) {
  struct mm3_map map;
  close(place_file("a", 100));
  int fd = open(place_path("a"), O_RDONLY | O_CLOEXEC);
  if (!CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ, NULL, &err), err)) return;
  struct mm3_map before = map;
  CHECK_EQ(mm3_map_make_writable(&map), -EACCES);
  CHECK_MEM(&map, &before, sizeof map);
  CHECK_EQ(bytes_of(&map)[99], 0);
  CHECK_EQ(mm3test_fork(store_first_byte, &map), -SIGSEGV);
  CHECK_EQ(mm3_map_unmap(&map), 0);
  CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_COPY_READ, NULL, &err), err);
  CHECK_EQ(mm3_map_make_writable(&map), 0); /* private: the descriptor need not be writable */
  bytes_of(&map)[0] = 1;
  CHECK_EQ(mm3_map_unmap(&map), 0);
  close(fd);
}

static int mprotect_calls;

static int half_mprotect(void *address, size_t length, int prot) {
  if (mprotect_calls++ > 0) return mprotect(address, length, prot);
  mprotect(address, length / 2, prot); /* as the kernel does where an advice has split the map */
  errno = ENOMEM;
  return -1;
}

static void a_protection_that_half_failed_is_undone(void) {
  struct mm3i_sys real = mm3i_sys;
  struct mm3_map map;
  if (!CHECK_OK(mm3_map_anonymous(&map, 8 * page_size(), NULL, &err), err)) return;
  mm3i_sys.mprotect = half_mprotect, mprotect_calls = 0;
  CHECK_EQ(mm3_map_make_read_only(&map), -ENOMEM);
  mm3i_sys = real;
  CHECK_EQ(map.flags, MM3_MAP_IS_ANONYMOUS | MM3_MAP_IS_WRITABLE);
  CHECK_EQ(mm3test_fork(store_first_byte, &map), 0);
  CHECK_EQ(mm3_map_unmap(&map), 0);
}

/* gap: remap failure keeps the map */
IN_PLACES(a_refused_remap_leaves_the_map) {
  struct mm3_map map;
  int fd = place_file("a", 10000);
  if (!CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ_WRITE, NULL, &err), err)) return;
  bytes_of(&map)[9999] = 3;
  struct mm3_map before = map;
  /* take the neighbouring page, so that it cannot grow in place */
  void *next = mmap((char *)map.base + map.mapped, page_size(), PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  CHECK_EQ(mm3_map_remap(&map, 100000, 0), -ENOMEM);
  int absurd = mm3_map_remap(&map, PTRDIFF_MAX - 65535, MM3_MAP_MAY_MOVE);
  CHECK(absurd == -ENOMEM || absurd == -EINVAL);
  CHECK_EQ(mm3_map_remap(&map, PTRDIFF_MAX, MM3_MAP_MAY_MOVE), -EOVERFLOW);
  CHECK_EQ(mm3_map_remap(&map, SIZE_MAX, MM3_MAP_MAY_MOVE), -EOVERFLOW);
  CHECK_EQ(mm3_map_remap(&map, 100, 2), -EINVAL);
  CHECK_MEM(&map, &before, sizeof map);
  CHECK_EQ(bytes_of(&map)[9999], 3);
  if (next != MAP_FAILED) munmap(next, page_size());
  CHECK_EQ(mm3_map_unmap(&map), 0);
  close(fd);
}

/* gap: remap to 0 and back */
IN_PLACES(a_map_goes_to_zero_and_back) {
  struct mm3_map_options options = {.size = sizeof options};
  int fd = place_file("a", 20000);
  for (options.offset = 0; options.offset < 200; options.offset += 100) {
    struct mm3_map map;
    if (!CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ_WRITE, &options, &err), err)) continue;
    bytes_of(&map)[15000] = 3;
    CHECK_EQ(mm3_map_remap(&map, 0, 0), 0);
    CHECK_EQ(map.length, 0);
    CHECK_EQ(map.mapped, page_size());
    CHECK_EQ(mm3_map_flush(&map), 0);
    CHECK_EQ(mm3_map_remap(&map, 0, 0), 0); /* mremap of 0 bytes would make a second map */
    CHECK_EQ(mm3_map_remap(&map, 19000, MM3_MAP_MAY_MOVE), 0);
    CHECK_EQ(bytes_of(&map)[15000], 3);
    CHECK_EQ((uintptr_t)map.ptr % page_size(), options.offset);
    bytes_of(&map)[15000] = 0;
    CHECK_EQ(mm3_map_unmap(&map), 0);
  }
  close(fd);
}

static void anonymous_memory_grows_with_zeros(void) {
  struct mm3_map map;
  struct mm3_map_options options = {.size = sizeof options, .flags = MM3_MAP_SHARED};
  if (!CHECK_OK(mm3_map_anonymous(&map, 100, NULL, &err), err)) return;
  memset(map.ptr, 5, 100);
  CHECK_EQ(mm3_map_remap(&map, 1000000, MM3_MAP_MAY_MOVE), 0);
  CHECK(all_bytes_are(map.ptr, 100, 5));
  CHECK(all_bytes_are(bytes_of(&map) + 100, 1000000 - 100, 0));
  CHECK_EQ(mm3_map_unmap(&map), 0);
  CHECK_OK(mm3_map_anonymous(&map, 10000, &options, &err), err);
  CHECK_EQ(mm3_map_remap(&map, 20000, MM3_MAP_MAY_MOVE), -ENOTSUP); /* the new pages would be a SIGBUS */
  CHECK_EQ(mm3_map_remap(&map, 12000, 0), 0);                       /* the same pages */
  CHECK_EQ(mm3_map_remap(&map, 50, 0), 0);
  CHECK_EQ(mm3_map_unmap(&map), 0);
}

struct family {
  struct mm3_map file, copy, private_memory, shared_memory, wiped;
};

static int child_stores(void *arg) {
  struct family *family = arg;
  CHECK_EQ(bytes_of(&family->wiped)[0], 0);
  bytes_of(&family->file)[0] = 2, bytes_of(&family->copy)[0] = 2;
  bytes_of(&family->private_memory)[0] = 2, bytes_of(&family->shared_memory)[0] = 2;
  CHECK_EQ(mm3_map_flush(&family->file), 0);
  CHECK_EQ(mm3_map_unmap(&family->file), 0);
  return 0;
}

/* gap: fork behaviour; CHANGELOG 0.1: anonymous memory is private unless asked */
IN_PLACES(a_forked_child_shares_what_is_shared) {
  struct family family;
  struct mm3_map_options shared = {.size = sizeof shared, .flags = MM3_MAP_SHARED};
  int fd = place_file("a", 100);
  CHECK_OK(mm3_map_fd(&family.file, fd, MM3_MAP_READ_WRITE, NULL, &err), err);
  CHECK_OK(mm3_map_fd(&family.copy, fd, MM3_MAP_COPY, NULL, &err), err);
  CHECK_OK(mm3_map_anonymous(&family.private_memory, 100, NULL, &err), err);
  CHECK_OK(mm3_map_anonymous(&family.shared_memory, 100, &shared, &err), err);
  CHECK_OK(mm3_map_anonymous(&family.wiped, 100, NULL, &err), err);
  bytes_of(&family.wiped)[0] = bytes_of(&family.copy)[0] = 1;
  CHECK_EQ(mm3_map_advise(&family.wiped, MM3_ADVICE_WIPE_ON_FORK), 0);
  CHECK_EQ(mm3test_fork(child_stores, &family), 0);
  CHECK_EQ(bytes_of(&family.file)[0], 2);
  CHECK_EQ(bytes_of(&family.copy)[0], 1);
  CHECK_EQ(bytes_of(&family.private_memory)[0], 0);
  CHECK_EQ(bytes_of(&family.shared_memory)[0], 2);
  CHECK_EQ(bytes_of(&family.wiped)[0], 1);
  CHECK_EQ(mm3_map_advise(&family.private_memory, MM3_ADVICE_DONT_FORK), 0);
  CHECK_EQ(mm3test_fork(store_first_byte, &family.private_memory), -SIGSEGV);
  CHECK_EQ(mm3_map_advise(&family.private_memory, MM3_ADVICE_DO_FORK), 0);
  CHECK_EQ(mm3test_fork(store_first_byte, &family.private_memory), 0);
  struct mm3_map *all = &family.file;
  for (int i = 0; i < 5; i++) CHECK_EQ(mm3_map_unmap(&all[i]), 0);
  close(fd);
}

static int fail_munmap(void *address, size_t length) {
  (void)address, (void)length;
  errno = ENOMEM;
  return -1;
}

static void a_failed_unmap_keeps_the_map(void) {
  struct mm3i_sys real = mm3i_sys;
  struct mm3_map map;
  if (!CHECK_OK(mm3_map_anonymous(&map, 100, NULL, &err), err)) return;
  mm3i_sys.munmap = fail_munmap;
  CHECK_EQ(mm3_map_unmap(&map), -ENOMEM);
  mm3i_sys = real;
  bytes_of(&map)[0] = 1;
  CHECK_EQ(mm3_map_unmap(&map), 0);
  CHECK(map.ptr == NULL);
  CHECK_EQ(mm3_map_unmap(&map), 0);
}

MM3_TEST_SUITE("map_ranges", {"ranges outside the map never reach the system",
                              ranges_outside_the_map_never_reach_the_system},
               {"what the disk says to a flush is reported", what_the_disk_says_is_reported},
               {"the one place for lengths agrees with wide arithmetic", the_choke_point_agrees_with_wide_arithmetic},
               {"every advice on every kind of map leaves the contents", every_advice_on_every_kind_of_map},
               {"advice that a kind of map refuses", advice_that_a_kind_of_map_refuses},
               {"a discard never takes a neighbour's bytes", a_discard_never_takes_a_neighbours_bytes},
               {"a hole takes whole pages of the range only", a_hole_takes_whole_pages_of_the_range_only},
               {"residency counts the map's own bytes", residency_counts_the_maps_own_bytes},
               {"residency is asked again when the kernel is busy", residency_is_asked_again_or_refused},
               {"a failed lock leaves nothing locked", a_failed_lock_leaves_nothing_locked},
               {"a refused protection leaves the map", a_refused_protection_leaves_the_map},
               {"a protection that half failed is undone", a_protection_that_half_failed_is_undone},
               {"a refused remap leaves the map", a_refused_remap_leaves_the_map},
               {"a map goes to zero and back", a_map_goes_to_zero_and_back},
               {"anonymous memory grows with zeros", anonymous_memory_grows_with_zeros},
               {"a forked child shares what is shared", a_forked_child_shares_what_is_shared},
               {"a failed unmap keeps the map", a_failed_unmap_keeps_the_map})

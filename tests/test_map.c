/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What memmap2's own tests ask, case by case: "upstream N" in a comment is the number and name of its test. */
#include <mm3/map.h>
#include <pthread.h>
#include <sys/mman.h>

#include "mm3places.h"

static struct mm3_error err;

static unsigned char *bytes_of(const struct mm3_map *map) { return mm3_map_ptr(map); }

static void store_ramp(const struct mm3_map *map) {
  for (size_t i = 0; i < mm3_map_length(map); i++) bytes_of(map)[i] = (unsigned char)i;
}

static int holds_ramp(const struct mm3_map *map) {
  for (size_t i = 0; i < mm3_map_length(map); i++)
    if (bytes_of(map)[i] != (unsigned char)i) return 0;
  return 1;
}

static int file_holds(int fd, off_t at, const void *wanted, size_t size) {
  unsigned char found[256];
  return size <= sizeof found && pread(fd, found, size, at) == (ssize_t)size && memcmp(found, wanted, size) == 0;
}

static void zeros_then_ramp(struct mm3_map *map, size_t length) {
  CHECK_EQ(mm3_map_length(map), length);
  CHECK(all_bytes_are(bytes_of(map), length, 0));
  store_ramp(map);
  CHECK(holds_ramp(map));
}

/* upstream 1: map_file */
IN_PLACES(a_file_by_path) {
  struct mm3_map map, again;
  close(place_file("a", 128));
  if (!CHECK_OK(mm3_map_path(&map, place_path("a"), MM3_MAP_READ_WRITE, NULL, &err), err)) return;
  zeros_then_ramp(&map, 128);
  CHECK_OK(mm3_map_path(&again, place_path("a"), MM3_MAP_READ, NULL, &err), err);
  CHECK(holds_ramp(&again));
  CHECK_EQ(mm3_map_unmap(&again), 0);
  CHECK_EQ(mm3_map_unmap(&map), 0);
}

/* upstream 2: map_fd */
IN_PLACES(a_file_by_descriptor) {
  struct mm3_map map;
  int fd = place_file("a", 128);
  if (!CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ_WRITE, NULL, &err), err)) return;
  zeros_then_ramp(&map, 128);
  close(fd); /* only borrowed */
  bytes_of(&map)[5] = 99;
  CHECK_EQ(mm3_map_flush(&map), 0);
  CHECK_EQ(mm3_map_unmap(&map), 0);
}

/* upstream 3: map_empty_file */
IN_PLACES(an_empty_file) {
  int fd = place_file("a", 0);
  for (int access = MM3_MAP_READ; access <= MM3_MAP_COPY_READ; access++) {
    struct mm3_map map;
    if (access == MM3_MAP_READ_EXEC) continue;
    if (!CHECK_OK(mm3_map_fd(&map, fd, (enum mm3_map_access)access, NULL, &err), err)) continue;
    CHECK_EQ(mm3_map_length(&map), 0);
    CHECK(mm3_map_ptr(&map) != NULL);
    CHECK_EQ((uintptr_t)mm3_map_ptr(&map) % sizeof(void *), 0);
    CHECK_EQ(mm3_map_unmap(&map), 0);
  }
  close(fd);
}

/* upstream 4: map_anon */
static void anonymous_memory(void) {
  struct mm3_map map;
  if (!CHECK_OK(mm3_map_anonymous(&map, 128, NULL, &err), err)) return;
  zeros_then_ramp(&map, 128);
  CHECK_EQ(mm3_map_unmap(&map), 0);
}

/* upstream 5: map_anon_zero_len */
static void anonymous_memory_of_no_bytes(void) {
  struct mm3_map map;
  if (!CHECK_OK(mm3_map_anonymous(&map, 0, NULL, &err), err)) return;
  CHECK_EQ(mm3_map_length(&map), 0);
  CHECK(mm3_map_ptr(&map) != NULL);
  CHECK_EQ(mm3_map_unmap(&map), 0);
}

/* upstream 6: map_anon_len_overflow (there on 32 bits only: 0x80000000; here the same bound of each machine) */
static void anonymous_length_beyond_ptrdiff(void) {
  struct mm3_map map = {.length = 7};
  CHECK_FAILS(mm3_map_anonymous(&map, (size_t)PTRDIFF_MAX + 1, NULL, &err), -EOVERFLOW, err);
  CHECK_HAS(err.text, "more than a map can have");
  CHECK_EQ(map.length, 7);
}

/* upstream 7: file_write */
IN_PLACES(what_is_flushed_is_in_the_file) {
  struct mm3_map map;
  int fd = place_file("a", 128);
  if (!CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ_WRITE, NULL, &err), err)) return;
  memcpy(mm3_map_ptr(&map), "abc123", 6);
  CHECK_EQ(mm3_map_flush(&map), 0);
  CHECK(file_holds(fd, 0, "abc123", 6));
  CHECK_EQ(mm3_map_unmap(&map), 0);
  close(fd);
}

/* upstream 8: flush_range */
IN_PLACES(a_range_is_flushed) {
  struct mm3_map map;
  struct mm3_map_options options = {.size = sizeof options, .offset = 2, .length = 126};
  int fd = place_file("a", 128);
  if (!CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ_WRITE, &options, &err), err)) return;
  memcpy(mm3_map_ptr(&map), "abc123", 6);
  CHECK_EQ(mm3_map_flush_async_range(&map, 0, 6), 0);
  CHECK_EQ(mm3_map_flush_range(&map, 0, 6), 0);
  CHECK_EQ(mm3_map_flush_async_range(&map, 2, 6), 0);
  CHECK_EQ(mm3_map_flush_range(&map, 2, 6), 0);
  CHECK_EQ(mm3_map_flush_async(&map), 0);
  CHECK(file_holds(fd, 2, "abc123", 6));
  CHECK_EQ(mm3_map_unmap(&map), 0);
  close(fd);
}

/* upstream 9: map_copy */
IN_PLACES(a_copy_keeps_its_stores_to_itself) {
  struct mm3_map map, second;
  int fd = place_file("a", 128);
  if (!CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_COPY, NULL, &err), err)) return;
  memcpy(mm3_map_ptr(&map), "abc123", 6);
  CHECK_EQ(mm3_map_flush(&map), 0);
  CHECK_MEM(mm3_map_ptr(&map), "abc123", 6);
  CHECK(file_holds(fd, 0, "\0\0\0\0\0\0", 6));
  CHECK_OK(mm3_map_fd(&second, fd, MM3_MAP_COPY, NULL, &err), err);
  CHECK(all_bytes_are(mm3_map_ptr(&second), 128, 0));
  CHECK_EQ(mm3_map_unmap(&second), 0);
  CHECK_EQ(mm3_map_unmap(&map), 0);
  close(fd);
}

/* upstream 10: map_copy_read_only */
IN_PLACES(a_copy_that_is_only_read) {
  struct mm3_map map, second;
  int fd = place_file("a", 128);
  if (!CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_COPY_READ, NULL, &err), err)) return;
  CHECK(all_bytes_are(mm3_map_ptr(&map), 128, 0));
  CHECK_OK(mm3_map_fd(&second, fd, MM3_MAP_READ, NULL, &err), err);
  CHECK(all_bytes_are(mm3_map_ptr(&second), 128, 0));
  CHECK_EQ(mm3_map_unmap(&second), 0);
  CHECK_EQ(mm3_map_unmap(&map), 0);
  close(fd);
}

/* upstream 11: map_offset */
IN_PLACES(an_odd_offset_above_4_gib) {
  struct mm3_map_options options = {.size = sizeof options, .offset = (UINT64_C(1) << 32) + 1};
  int fd = place_file("a", (off_t)options.offset + 5432);
  for (int explicit_length = 0; explicit_length < 2; explicit_length++) {
    struct mm3_map map;
    options.length = explicit_length ? 5432 : 0;
    if (!CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ_WRITE, &options, &err), err)) continue;
    if (!explicit_length) zeros_then_ramp(&map, 5432);
    CHECK_EQ(mm3_map_length(&map), 5432);
    CHECK(holds_ramp(&map));
    CHECK(file_holds(fd, (off_t)options.offset + 100, bytes_of(&map) + 100, 200));
    CHECK_EQ(mm3_map_unmap(&map), 0);
  }
  close(fd);
}

/* upstream 12: index */
IN_PLACES(a_byte_is_stored_and_loaded) {
  struct mm3_map map;
  int fd = place_file("a", 128);
  if (!CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ_WRITE, NULL, &err), err)) return;
  bytes_of(&map)[0] = 42;
  CHECK_EQ(bytes_of(&map)[0], 42);
  CHECK(file_holds(fd, 0, "*", 1));
  CHECK_EQ(mm3_map_unmap(&map), 0);
  close(fd);
}

static void *read_in_a_thread(void *arg) {
  const struct mm3_map *map = arg;
  size_t resident = 0;
  __atomic_store_n(&bytes_of(map)[128], 9, __ATOMIC_RELAXED);
  CHECK_EQ(mm3_map_flush_range(map, 128, 1), 0);
  CHECK_EQ(mm3_map_resident(map, &resident), 0);
  CHECK_EQ(mm3_map_advise(map, MM3_ADVICE_WILL_NEED), 0);
  return NULL;
}

/* upstream 13: sync_send */
IN_PLACES(threads_share_a_map) {
  struct mm3_map map;
  pthread_t threads[4];
  int fd = place_file("a", 129);
  if (!CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ_WRITE, NULL, &err), err)) return;
  for (int i = 0; i < 4; i++) CHECK_EQ(pthread_create(&threads[i], NULL, read_in_a_thread, &map), 0);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  CHECK_EQ(bytes_of(&map)[128], 9);
  CHECK_EQ(mm3_map_unmap(&map), 0);
  close(fd);
}

static void runs_code_in(struct mm3_map *map) {
#if defined __x86_64__ || defined __i386__
  static const unsigned char code[] = {0xb8, 0xab, 0, 0, 0, 0xc3}; /* mov eax, 0xab; ret */
  uint32_t (*function)(void);
  memcpy(mm3_map_ptr(map), code, sizeof code);
  if (!CHECK_EQ(mm3_map_make_exec(map), 0)) return;
  CHECK_EQ(map->flags & (MM3_MAP_IS_EXEC | MM3_MAP_IS_WRITABLE), MM3_MAP_IS_EXEC);
  void *start = mm3_map_ptr(map);
  memcpy(&function, &start, sizeof function);
  CHECK_EQ(function(), 0xab);
#else
  CHECK_EQ(mm3_map_make_exec(map), 0);
#endif
}

/* upstream 14: jit_x86_anon */
static void code_in_anonymous_memory(void) {
  struct mm3_map map;
  if (!CHECK_OK(mm3_map_anonymous(&map, 4096, NULL, &err), err)) return;
  runs_code_in(&map);
  CHECK_EQ(mm3_map_unmap(&map), 0);
}

/* upstream 15: jit_x86_file. Where the folder is mounted noexec the refusal is what is checked. */
IN_PLACES(code_in_a_file) {
  struct mm3_map map, probe;
  int fd = place_file("a", 4096);
  if (!CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ_WRITE, NULL, &err), err)) return;
  int allowed = mm3_map_fd(&probe, fd, MM3_MAP_READ_EXEC, NULL, &err);
  if (allowed == 0) {
    runs_code_in(&map);
    CHECK_EQ(probe.flags, MM3_MAP_IS_SHARED | MM3_MAP_IS_EXEC);
    CHECK_EQ(mm3_map_unmap(&probe), 0);
  } else {
    CHECK_EQ(allowed, -EPERM);
    CHECK_HAS(err.text, "forbids execution");
    CHECK(mm3_map_make_exec(&map) < 0);
    bytes_of(&map)[0] = 1; /* still writable */
  }
  CHECK_EQ(mm3_map_unmap(&map), 0);
  close(fd);
}

static int mount_runs_code(int fd) {
  struct mm3_map probe;
  if (mm3_map_fd(&probe, fd, MM3_MAP_READ_EXEC, NULL, NULL) != 0) return 0;
  return mm3_map_unmap(&probe) == 0;
}

/* upstream 16: mprotect_file */
IN_PLACES(a_file_map_changes_its_protection) {
  struct mm3_map map, second;
  int fd = place_file("a", 256);
  if (!CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ_WRITE, NULL, &err), err)) return;
  CHECK_EQ(mm3_map_make_read_only(&map), 0);
  CHECK_EQ(map.flags, MM3_MAP_IS_SHARED);
  CHECK(all_bytes_are(mm3_map_ptr(&map), 256, 0));
  CHECK_EQ(mm3_map_make_writable(&map), 0);
  memcpy(mm3_map_ptr(&map), "abc123", 6);
  CHECK_EQ(mm3_map_flush(&map), 0);
  CHECK(file_holds(fd, 0, "abc123", 6));
  CHECK_OK(mm3_map_fd(&second, fd, MM3_MAP_READ, NULL, &err), err);
  CHECK_MEM(mm3_map_ptr(&second), "abc123", 6);
  CHECK_EQ(mm3_map_unmap(&second), 0);
  CHECK_EQ(mm3_map_make_exec(&map), mount_runs_code(fd) ? 0 : -EACCES);
  CHECK_EQ(mm3_map_unmap(&map), 0);
  close(fd);
}

/* upstream 17: mprotect_copy */
IN_PLACES(a_copy_changes_its_protection) {
  struct mm3_map map, second;
  int fd = place_file("a", 256);
  if (!CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_COPY, NULL, &err), err)) return;
  CHECK_EQ(mm3_map_make_read_only(&map), 0);
  CHECK_EQ(mm3_map_make_writable(&map), 0);
  memcpy(mm3_map_ptr(&map), "abc123", 6);
  CHECK_EQ(mm3_map_flush(&map), 0);
  CHECK_MEM(mm3_map_ptr(&map), "abc123", 6);
  CHECK(file_holds(fd, 0, "\0\0\0\0\0\0", 6));
  CHECK_OK(mm3_map_fd(&second, fd, MM3_MAP_COPY, NULL, &err), err);
  CHECK(all_bytes_are(mm3_map_ptr(&second), 256, 0));
  CHECK_EQ(mm3_map_unmap(&second), 0);
  CHECK_EQ(mm3_map_make_exec(&map), mount_runs_code(fd) ? 0 : -EACCES);
  CHECK_EQ(mm3_map_unmap(&map), 0);
  close(fd);
}

/* upstream 18: mprotect_anon */
static void anonymous_memory_changes_its_protection(void) {
  struct mm3_map map;
  if (!CHECK_OK(mm3_map_anonymous(&map, 256, NULL, &err), err)) return;
  CHECK_EQ(mm3_map_make_read_only(&map), 0);
  CHECK_EQ(mm3_map_make_writable(&map), 0);
  bytes_of(&map)[255] = 1;
  CHECK_EQ(mm3_map_make_exec(&map), 0);
  CHECK_EQ(mm3_map_unmap(&map), 0);
}

/* upstream 19: raw */
IN_PLACES(a_raw_map) {
  struct mm3_map map;
  int fd = place_file("a", 0);
  CHECK_EQ(write(fd, "abc123", 6), 6);
  if (!CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_RAW, NULL, &err), err)) return;
  CHECK_EQ(mm3_map_length(&map), 6);
  CHECK(mm3_map_ptr(&map) != NULL);
  CHECK_EQ(bytes_of(&map)[0], 'a');
  bytes_of(&map)[0] = 'A';
  CHECK_EQ(mm3_map_flush(&map), 0);
  CHECK(file_holds(fd, 0, "Abc123", 6));
  CHECK_EQ(mm3_map_unmap(&map), 0);
  close(fd);
}

/* upstream 20: raw_read_only */
IN_PLACES(a_raw_map_of_a_file_that_is_only_read) {
  struct mm3_map map;
  int fd = place_file("a", 0);
  CHECK_EQ(write(fd, "abc123", 6), 6);
  close(fd);
  fd = open(place_path("a"), O_RDONLY | O_CLOEXEC);
  if (!CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_RAW_READ, NULL, &err), err)) return;
  CHECK_EQ(mm3_map_length(&map), 6);
  CHECK(mm3_map_ptr(&map) != NULL);
  CHECK_EQ(bytes_of(&map)[0], 'a');
  CHECK_EQ(mm3_map_unmap(&map), 0);
  close(fd);
}

/* upstream 21: owning_ref */
IN_PLACES(the_address_stays_when_the_value_moves) {
  struct mm3_map map, moved;
  int fd = place_file("a", 128);
  if (!CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ_WRITE, NULL, &err), err)) return;
  void *address = mm3_map_ptr(&map);
  moved = map;
  memset(&map, 0, sizeof map);
  CHECK(mm3_map_ptr(&moved) == address);
  CHECK_EQ(mm3_map_make_read_only(&moved), 0);
  CHECK(mm3_map_ptr(&moved) == address);
  CHECK_EQ(mm3_map_unmap(&moved), 0);
  close(fd);
}

/* upstream 22: advise */
IN_PLACES(advice_leaves_the_contents_alone) {
  struct mm3_map map, second;
  int fd = place_file("a", 128);
  if (!CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ_WRITE, NULL, &err), err)) return;
  CHECK_EQ(mm3_map_advise(&map, MM3_ADVICE_RANDOM), 0);
  CHECK_EQ(mm3_map_advise_range(&map, 0, 128, MM3_ADVICE_SEQUENTIAL), 0);
  zeros_then_ramp(&map, 128);
  CHECK_OK(mm3_map_fd(&second, fd, MM3_MAP_READ, NULL, &err), err);
  CHECK_EQ(mm3_map_advise(&second, MM3_ADVICE_RANDOM), 0);
  CHECK(holds_ramp(&second));
  CHECK_EQ(mm3_map_unmap(&second), 0);
  CHECK_EQ(mm3_map_unmap(&map), 0);
  close(fd);
}

/* upstream 23: advise_writes_unsafely */
static void discarding_a_read_only_map_zeroes_it(void) {
  struct mm3_map map;
  if (!CHECK_OK(mm3_map_anonymous(&map, 4096, NULL, &err), err)) return;
  memset(mm3_map_ptr(&map), 255, 4096);
  CHECK_EQ(mm3_map_make_read_only(&map), 0);
  CHECK_EQ(bytes_of(&map)[0], 255);
  CHECK_EQ(mm3_map_discard(&map, MM3_DISCARD_DONT_NEED), 0);
  CHECK_EQ(bytes_of(&map)[0], 0);
  CHECK_EQ(mm3_map_unmap(&map), 0);
}

/* upstream 24: advise_writes_unsafely_to_part_of_map */
static void discarding_a_part_leaves_the_rest(void) {
  struct mm3_map map;
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  if (!CHECK_OK(mm3_map_anonymous(&map, 2 * page, NULL, &err), err)) return;
  memset(mm3_map_ptr(&map), 255, 2 * page);
  CHECK_EQ(mm3_map_make_read_only(&map), 0);
  CHECK_EQ(mm3_map_discard_range(&map, page, page, MM3_DISCARD_DONT_NEED), 0);
  CHECK(all_bytes_are(bytes_of(&map), page, 255));
  CHECK(all_bytes_are(bytes_of(&map) + page, page, 0));
  CHECK_EQ(mm3_map_unmap(&map), 0);
}

static long locked_kib(void) {
  char line[256];
  long found = -1;
  FILE *status = fopen("/proc/self/status", "r");
  while (status && fgets(line, sizeof line, status))
    if (strncmp(line, "VmLck:", 6) == 0) found = strtol(line + 6, NULL, 10);
  if (status) fclose(status);
  return found;
}

/* upstream 25: lock. AddressSanitizer makes mlock do nothing, so that VmLck stays 0 there. */
IN_PLACES(locking_in_memory_is_not_counted) {
  struct mm3_map map;
  int counts = strcmp(mm3test_tool(), "asan") != 0 && strcmp(mm3test_tool(), "tsan") != 0;
  int fd = place_file("a", 128);
  if (!CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ_WRITE, NULL, &err), err)) return;
  CHECK_EQ(locked_kib(), 0);
  CHECK_EQ(mm3_map_lock(&map), 0);
  if (counts) CHECK_EQ(locked_kib(), sysconf(_SC_PAGESIZE) / 1024);
  CHECK_EQ(mm3_map_lock(&map), 0);
  if (counts) CHECK_EQ(locked_kib(), sysconf(_SC_PAGESIZE) / 1024);
  CHECK_EQ(mm3_map_unlock(&map), 0);
  CHECK_EQ(locked_kib(), 0);
  CHECK_EQ(mm3_map_unlock(&map), 0);
  CHECK_EQ(locked_kib(), 0);
  CHECK_EQ(mm3_map_unmap(&map), 0);
  close(fd);
}

/* upstream 26: remap_grow */
IN_PLACES(a_map_grows_over_the_file) {
  struct mm3_map map;
  struct mm3_map_options options = {.size = sizeof options, .length = 128};
  int fd = place_file("a", 2000);
  if (!CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ_WRITE, &options, &err), err)) return;
  CHECK_EQ(mm3_map_remap(&map, 2000, MM3_MAP_MAY_MOVE), 0);
  zeros_then_ramp(&map, 2000);
  CHECK_EQ(mm3_map_unmap(&map), 0);
  close(fd);
}

/* upstream 27: remap_shrink */
IN_PLACES(a_map_shrinks_in_place) {
  struct mm3_map map;
  int fd = place_file("a", 20000);
  if (!CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ_WRITE, NULL, &err), err)) return;
  void *address = mm3_map_ptr(&map);
  CHECK_EQ(mm3_map_remap(&map, 400, 0), 0);
  CHECK(mm3_map_ptr(&map) == address);
  zeros_then_ramp(&map, 400);
  CHECK_EQ(mm3_map_unmap(&map), 0);
  close(fd);
}

/* upstream 28: remap_len_overflow (there on 32 bits only) */
IN_PLACES(a_remap_beyond_ptrdiff_leaves_the_map) {
  struct mm3_map map;
  int fd = place_file("a", 1024);
  if (!CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ_WRITE, NULL, &err), err)) return;
  CHECK_EQ(mm3_map_remap(&map, (size_t)PTRDIFF_MAX + 1, MM3_MAP_MAY_MOVE), -EOVERFLOW);
  zeros_then_ramp(&map, 1024);
  CHECK_EQ(mm3_map_unmap(&map), 0);
  close(fd);
}

/* upstream 29: remap_with_offset */
IN_PLACES(a_map_with_an_odd_offset_grows) {
  struct mm3_map map;
  struct mm3_map_options options = {.size = sizeof options, .offset = 77, .length = 128};
  int fd = place_file("a", 2077);
  if (!CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ_WRITE, &options, &err), err)) return;
  CHECK_EQ(mm3_map_remap(&map, 2000, MM3_MAP_MAY_MOVE), 0);
  zeros_then_ramp(&map, 2000);
  CHECK(file_holds(fd, 77 + 1999, &(char){(char)(unsigned char)1999}, 1));
  CHECK_EQ(mm3_map_unmap(&map), 0);
  close(fd);
}

/* upstream 30: advice is_supported */
static void the_usual_advice_is_supported(void) {
  CHECK_EQ(mm3_map_advice_supported(MM3_ADVICE_NORMAL), 1);
  CHECK_EQ(mm3_map_advice_supported(MM3_ADVICE_RANDOM), 1);
  CHECK_EQ(mm3_map_advice_supported(MM3_ADVICE_SEQUENTIAL), 1);
  CHECK_EQ(mm3_map_advice_supported(MM3_ADVICE_WILL_NEED), 1);
  CHECK_EQ(mm3_map_discard_supported(MM3_DISCARD_DONT_NEED), 1);
  CHECK_EQ(mm3_map_advice_supported((enum mm3_map_advice)77), 0);
  CHECK_EQ(mm3_map_discard_supported((enum mm3_map_discard)77), 0);
}

/* upstream documentation: offset(30), len(9) */
IN_PLACES(offset_and_length_give_those_bytes) {
  struct mm3_map map;
  struct mm3_map_options options = {.size = sizeof options, .offset = 30, .flags = MM3_MAP_POPULATE};
  int fd = place_file("a", 0);
  CHECK_EQ(write(fd, "0123456789012345678901234567890abcdefghij", 41), 41);
  if (!CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ, &options, &err), err)) return;
  CHECK_EQ(mm3_map_length(&map), 11);
  CHECK_MEM(mm3_map_ptr(&map), "0abcdefghij", 11);
  CHECK_EQ(mm3_map_unmap(&map), 0);
  options.length = 9;
  CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_READ, &options, &err), err);
  CHECK_EQ(mm3_map_length(&map), 9);
  CHECK_MEM(mm3_map_ptr(&map), "0abcdefgh", 9);
  CHECK_EQ(mm3_map_unmap(&map), 0);
  close(fd);
}

/* upstream documentation: stack, no_reserve_swap, and a copy of a file that is only read */
IN_PLACES(stack_no_reserve_and_copies_of_read_only_files) {
  struct mm3_map map;
  struct mm3_map_options stack = {.size = sizeof stack, .flags = MM3_MAP_STACK | MM3_MAP_POPULATE};
  struct mm3_map_options lazy = {.size = sizeof lazy, .flags = MM3_MAP_NO_RESERVE};
  if (CHECK_OK(mm3_map_anonymous(&map, 8192, &stack, &err), err)) zeros_then_ramp(&map, 8192);
  CHECK_EQ(mm3_map_unmap(&map), 0);
  close(place_file("a", 300));
  int fd = open(place_path("a"), O_RDONLY | O_CLOEXEC);
  if (CHECK_OK(mm3_map_fd(&map, fd, MM3_MAP_COPY, &lazy, &err), err)) zeros_then_ramp(&map, 300);
  CHECK_EQ(mm3_map_unmap(&map), 0);
  close(fd);
}

MM3_TEST_SUITE("map", {"a file is mapped by its path", a_file_by_path},
               {"a file is mapped by a descriptor, which may be closed", a_file_by_descriptor},
               {"an empty file is an empty map", an_empty_file},
               {"anonymous memory is zero and can be written", anonymous_memory},
               {"anonymous memory of no bytes is an empty map", anonymous_memory_of_no_bytes},
               {"an anonymous length beyond PTRDIFF_MAX is refused in words", anonymous_length_beyond_ptrdiff},
               {"what is flushed is in the file", what_is_flushed_is_in_the_file},
               {"a range is flushed, with and without waiting", a_range_is_flushed},
               {"a copy keeps its stores to itself", a_copy_keeps_its_stores_to_itself},
               {"a copy that is only read shows the file", a_copy_that_is_only_read},
               {"an odd offset above 4 GiB is mapped", an_odd_offset_above_4_gib},
               {"a byte is stored and loaded", a_byte_is_stored_and_loaded},
               {"threads share a map", threads_share_a_map},
               {"code runs in anonymous memory", code_in_anonymous_memory},
               {"code runs in a file", code_in_a_file},
               {"a file map changes its protection", a_file_map_changes_its_protection},
               {"a copy changes its protection", a_copy_changes_its_protection},
               {"anonymous memory changes its protection", anonymous_memory_changes_its_protection},
               {"a raw map shows and takes the file's bytes", a_raw_map},
               {"a raw map of a file that is only read", a_raw_map_of_a_file_that_is_only_read},
               {"the address stays when the value moves", the_address_stays_when_the_value_moves},
               {"advice leaves the contents alone", advice_leaves_the_contents_alone},
               {"discarding a read-only anonymous map zeroes it", discarding_a_read_only_map_zeroes_it},
               {"discarding a part leaves the rest", discarding_a_part_leaves_the_rest},
               {"locking in memory is not counted", locking_in_memory_is_not_counted},
               {"a map grows over the file", a_map_grows_over_the_file},
               {"a map shrinks in place", a_map_shrinks_in_place},
               {"a remap beyond PTRDIFF_MAX leaves the map", a_remap_beyond_ptrdiff_leaves_the_map},
               {"a map with an odd offset grows", a_map_with_an_odd_offset_grows},
               {"the usual advice is supported", the_usual_advice_is_supported},
               {"offset and length give those bytes", offset_and_length_give_those_bytes},
               {"stack, no-reserve, and copies of read-only files",
                stack_no_reserve_and_copies_of_read_only_files})

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The heap on its own: blocks, growth, limits, check and repair. See test_heap_hostile.c for damage, test_kill_grow.c
 * for kills. */
#include "heap.h"
#include "heap_owner.h"
#include "mm3test.h"

#include <errno.h>
#include <mm3/repair.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OWNERS = 4096 };

static void found(void *arg, const struct mm3_error *finding) {
  (void)arg;
  fprintf(stderr, "  %s\n", finding->text);
}

static struct mm3_file *make(const char *name, const struct mm3_options *options) {
  struct mm3_error error = {0};
  struct mm3_file *file = owner_create(mm3test_path(name), options, &error);
  if (!CHECK(file != NULL)) fprintf(stderr, "%s\n", error.text);
  return file;
}

static struct mm3_heap_stats measure(struct mm3_file *file) {
  struct mm3_heap_stats stats = {.size = sizeof stats};
  CHECK_EQ(mm3_heap_measure(file, &stats), 0);
  return stats;
}

static uint64_t length_of(struct mm3_file *file) {
  struct mm3_file_info info = {.size = sizeof info};
  CHECK_EQ(mm3_file_describe(file, &info), 0);
  return info.length;
}

static unsigned next_random(unsigned *state) { return *state = *state * 1664525u + 1013904223u, *state >> 8; }

/* ---- blocks ---- */

static void blocks_have_their_size_alignment_and_little_more(void) {
  struct mm3_file *file = make("a.mm3", NULL);
  uint64_t offset;
  if (!file) return;
  mm3_lock(file);
  for (uint64_t size = 1; size <= 70000; size += size < 300 ? 1 : size / 17) {
    for (uint64_t align = 1; align <= 4096; align *= 4) {
      CHECK_EQ(mm3_heap_alloc(file, size, align, &offset), 0);
      uint64_t usable = mm3_heap_usable(file, offset);
      CHECK(usable >= size && offset % align == 0 && offset % 16 == 0);
      if (align <= 16) CHECK(usable <= (size < 64 ? size + 15 : size + size / 4 + (size > 8192 ? 4096 : 0)));
      CHECK(mm3_at(file, offset, usable) != NULL);
      CHECK_EQ(mm3_heap_free(file, offset), 0);
    }
  }
  CHECK_EQ(mm3_heap_alloc(file, 0, 0, &offset), 0);
  CHECK_EQ(mm3_heap_usable(file, offset), 16);
  CHECK_EQ(mm3_heap_free(file, offset), 0);
  CHECK_EQ(measure(file).blocks, 0);
  CHECK_EQ(mm3_check(file, found, NULL), 0);
  mm3_unlock(file);
  mm3_close(file);
}

struct model {
  struct mm3_file *file;
  uint64_t *offsets, sizes[OWNERS];
  unsigned char tags[OWNERS];
  unsigned random;
};

static bool block_is_intact(struct model *m, unsigned k) {
  const unsigned char *at = mm3_at(m->file, m->offsets[k], m->sizes[k]);
  for (uint64_t i = 0; at && i < m->sizes[k]; i++)
    if (at[i] != m->tags[k]) return false;
  return at != NULL;
}

static void change_one(struct model *m) {
  unsigned k = next_random(&m->random) % OWNERS;
  if (m->offsets[k]) {
    CHECK(block_is_intact(m, k));
    CHECK_EQ(mm3_heap_free(m->file, m->offsets[k]), 0);
    m->offsets[k] = 0;
    return;
  }
  unsigned shape = next_random(&m->random) % 100;
  uint64_t size = shape < 80 ? next_random(&m->random) % 300 : shape < 98 ? next_random(&m->random) % 9000
                                                                          : next_random(&m->random) % 200000;
  uint64_t align = shape % 7 ? 0 : UINT64_C(1) << next_random(&m->random) % 13;
  if (!CHECK_EQ(mm3_heap_alloc(m->file, size, align, &m->offsets[k]), 0)) return;
  CHECK(align == 0 || m->offsets[k] % align == 0);
  m->sizes[k] = size, m->tags[k] = (unsigned char)next_random(&m->random);
  memset(mm3_at(m->file, m->offsets[k], size), m->tags[k], size);
}

static void random_blocks_never_overlap_and_all_come_back(void) {
  static struct model m;
  m = (struct model){.file = make("a.mm3", NULL), .random = 12345};
  if (!m.file) return;
  m.offsets = mm3i_file_root(m.file);
  mm3_lock(m.file);
  int rounds = mm3test_tool()[0] ? 20000 : 200000;
  for (int i = 0; i < rounds; i++) {
    change_one(&m);
    if (i % (rounds / 10) == 0) CHECK_EQ(mm3_check(m.file, found, NULL), 0);
  }
  uint64_t used = 0, blocks = 0;
  for (unsigned k = 0; k < OWNERS; k++)
    if (m.offsets[k]) used += mm3_heap_usable(m.file, m.offsets[k]), blocks++, CHECK(block_is_intact(&m, k));
  struct mm3_heap_stats stats = measure(m.file);
  CHECK_EQ(stats.used, used);
  CHECK_EQ(stats.blocks, blocks);
  CHECK(stats.used + stats.free <= stats.total);
  CHECK(stats.largest_free <= stats.free);
  for (unsigned k = 0; k < OWNERS; k++)
    if (m.offsets[k]) CHECK_EQ(mm3_heap_free(m.file, m.offsets[k]), 0), m.offsets[k] = 0;
  stats = measure(m.file);
  CHECK_EQ(stats.used + stats.blocks, 0);
  CHECK(stats.free + 65536 * 40 > stats.total); /* a slab of each class may stay, and the page map */
  CHECK_EQ(mm3_check(m.file, found, NULL), 0);
  mm3_unlock(m.file);
  mm3_close(m.file);
}

static void what_is_no_block_in_use_cannot_be_freed(void) {
  struct mm3_file *file = make("a.mm3", NULL);
  uint64_t small, large;
  if (!file) return;
  mm3_lock(file);
  CHECK_EQ(mm3_heap_alloc(file, 100, 0, &small), 0);
  CHECK_EQ(mm3_heap_alloc(file, 100000, 0, &large), 0);
  const uint64_t wrong[] = {0, 1, 4096, small + 16, small + 112, small - 112, large + 4096, large + 16, large - 4096,
                            large + 102400, UINT64_MAX, UINT64_C(1) << 63, length_of(file), length_of(file) + 65536};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    CHECK_EQ(mm3_heap_free(file, wrong[i]), -MM3_E_DAMAGED);
    CHECK_EQ(mm3_heap_usable(file, wrong[i]), 0);
  }
  CHECK_EQ(mm3_heap_free(file, small), 0);
  CHECK_EQ(mm3_heap_free(file, small), -MM3_E_DAMAGED);
  CHECK_EQ(mm3_heap_free(file, large), 0);
  CHECK_EQ(mm3_heap_free(file, large), -MM3_E_DAMAGED);
  CHECK_EQ(mm3_heap_alloc(file, 1, 3, &small), -EINVAL);
  CHECK_EQ(mm3_heap_alloc(file, 1, 8192, &small), -EINVAL);
  CHECK_EQ(mm3_heap_alloc(file, UINT64_MAX, 0, &small), -EFBIG);
  CHECK_EQ(mm3_heap_alloc(file, INT64_MAX, 0, &small), -EFBIG);
  mm3_unlock(file);
  CHECK_EQ(mm3_heap_alloc(file, 1, 0, &small), -EPERM);
  CHECK_EQ(mm3_heap_free(file, small), -EPERM);
  CHECK_EQ(mm3_heap_reserve(file, 1), -EPERM);
  CHECK_EQ(mm3_heap_shrink(file), -EPERM);
  CHECK_EQ(mm3_check(file, found, NULL), 0);
  mm3_close(file);
}

static void a_file_whose_kinds_do_not_grow_has_no_heap(void) {
  struct mm3_error error = {0};
  struct mm3_file *file = mm3_create_schema(mm3test_path("a.mm3"), "struct t { x: u64 }", NULL, &error);
  struct mm3_heap_stats stats = {.size = sizeof stats};
  uint64_t offset;
  if (!CHECK(file != NULL)) return;
  mm3_lock(file);
  CHECK_EQ(mm3_heap_alloc(file, 1, 0, &offset), -EINVAL);
  CHECK_EQ(mm3_heap_measure(file, &stats), -EINVAL);
  CHECK_EQ(mm3_heap_usable(file, 4096), 0);
  CHECK_EQ(mm3_check(file, found, NULL), 0);
  mm3_unlock(file);
  mm3_close(file);
}

/* In pages behind a slab's first, too, where a block may begin in the page before. */
static void what_lies_within_a_block_cannot_be_freed(void) {
  struct mm3_file *file = make("a.mm3", NULL);
  uint64_t offset, taken = 0, freed = 0;
  if (!file) return;
  mm3_lock(file);
  for (unsigned i = 0; i < 400; i++) taken += mm3_heap_alloc(file, 1000, 0, &offset) == 0;
  for (uint64_t at = offset & ~UINT64_C(4095), end = at + 4096; at < end; at += 8)
    freed += at % 16 == 8 ? mm3_heap_free(file, at) == 0 : mm3_heap_usable(file, at) == 0 && mm3_heap_free(file, at) == 0;
  CHECK_EQ(taken, 400);
  CHECK_EQ(freed, 0);
  CHECK_EQ(measure(file).blocks, 400);
  mm3_unlock(file);
  mm3_close(file);
}

static void freed_neighbours_become_one(void) {
  struct mm3_file *file = make("a.mm3", NULL);
  uint64_t offsets[64], all;
  unsigned random = 7;
  if (!file) return;
  mm3_lock(file);
  for (unsigned round = 0; round < 20; round++) {
    for (unsigned i = 0; i < 64; i++) CHECK_EQ(mm3_heap_alloc(file, 4096 * (3 + i % 5), 0, &offsets[i]), 0);
    uint64_t end = length_of(file);
    for (unsigned i = 63; i > 0; i--) {
      unsigned j = next_random(&random) % (i + 1);
      uint64_t swap = offsets[i];
      offsets[i] = offsets[j], offsets[j] = swap;
    }
    for (unsigned i = 0; i < 64; i++) CHECK_EQ(mm3_heap_free(file, offsets[i]), 0);
    CHECK_EQ(mm3_heap_alloc(file, 4096 * 64 * 4, 0, &all), 0); /* all of it in one piece */
    CHECK_EQ(length_of(file), end);
    CHECK_EQ(mm3_heap_free(file, all), 0);
    CHECK_EQ(mm3_check(file, found, NULL), 0);
  }
  mm3_unlock(file);
  mm3_close(file);
}

static void slabs_that_are_empty_serve_other_sizes(void) {
  static uint64_t offsets[20000];
  struct mm3_file *file = make("a.mm3", NULL);
  if (!file) return;
  mm3_lock(file);
  uint64_t first = 0;
  for (uint64_t size = 64; size <= 2048; size *= 2) {
    unsigned count = (unsigned)(1280000 / size);
    for (unsigned i = 0; i < count; i++) CHECK_EQ(mm3_heap_alloc(file, size, 0, &offsets[i]), 0);
    if (size == 64) first = length_of(file);
    for (unsigned i = 0; i < count; i++) CHECK_EQ(mm3_heap_free(file, offsets[i * 7919ull % count]), 0);
  }
  CHECK(length_of(file) <= 2 * first);
  CHECK_EQ(mm3_check(file, found, NULL), 0);
  mm3_unlock(file);
  mm3_close(file);
}

/* ---- growth ---- */

static void reserve_lengthens_the_file_once(void) {
  struct mm3_file *file = make("a.mm3", NULL);
  uint64_t offset, size = 4 << 20;
  if (!file) return;
  mm3_lock(file);
  CHECK_EQ(mm3_heap_reserve(file, size), 0);
  uint64_t length = length_of(file);
  CHECK(length >= size && length <= size + size / 50 + 150000);
  for (unsigned i = 0; i < 16; i++) CHECK_EQ(mm3_heap_alloc(file, size / 16, 0, &offset), 0);
  CHECK_EQ(length_of(file), length);
  CHECK_EQ(mm3_heap_reserve(file, UINT64_MAX), -EFBIG);
  CHECK_EQ(length_of(file), length);
  mm3_unlock(file);
  mm3_close(file);
}

static void shrink_gives_the_end_back_when_nobody_else_is_there(void) {
  struct mm3_file *file = make("a.mm3", NULL);
  struct mm3_error error;
  uint64_t keep, offset;
  if (!file) return;
  mm3_lock(file);
  CHECK_EQ(mm3_heap_alloc(file, 50, 0, &keep), 0);
  memcpy(mm3_at(file, keep, 50), "this block stays where it is", 29);
  uint64_t small = length_of(file);
  CHECK_EQ(mm3_heap_alloc(file, 8 << 20, 0, &offset), 0);
  CHECK_EQ(mm3_heap_shrink(file), 0); /* nothing is free yet but what lies behind the end */
  CHECK(length_of(file) >= offset + (8 << 20));
  CHECK_EQ(mm3_heap_free(file, offset), 0);
  struct mm3_file *other = mm3_open(mm3test_path("a.mm3"), NULL, NULL, &error);
  if (CHECK(other != NULL)) {
    CHECK_EQ(mm3_heap_shrink(file), -EBUSY);
    CHECK(length_of(file) > 8 << 20);
    mm3_close(other);
  }
  CHECK_EQ(mm3_heap_shrink(file), 0);
  CHECK(length_of(file) <= small + 65536);
  CHECK_EQ(mm3_at(file, offset, 4096) == NULL, 1);
  CHECK_STR((char *)mm3_at(file, keep, 50), "this block stays where it is");
  CHECK_EQ(mm3_heap_alloc(file, 1 << 20, 0, &offset), 0); /* and it can grow again */
  memset(mm3_at(file, offset, 1 << 20), 1, 1 << 20);
  CHECK_EQ(mm3_check(file, found, NULL), 0);
  mm3_unlock(file);
  other = mm3_open(mm3test_path("a.mm3"), NULL, NULL, &error); /* the gate is open again */
  CHECK(other != NULL);
  mm3_close(other);
  mm3_close(file);
}

/* Allocates until it fails; everything must stand, and a freed block must be had again. */
static void fill_up(struct mm3_file *file, uint64_t size, int wanted) {
  uint64_t *offsets = mm3i_file_root(file);
  unsigned count = 0;
  int result;
  while (count < OWNERS && (result = mm3_heap_alloc(file, size, 0, &offsets[count])) == 0) {
    memset(mm3_at(file, offsets[count], size), (int)count, size);
    count++;
  }
  offsets[count] = 0;
  CHECK_EQ(result, wanted);
  CHECK(count > 10);
  uint64_t length = length_of(file), another;
  for (int i = 0; i < 3; i++) CHECK_EQ(mm3_heap_alloc(file, size, 0, &another), wanted);
  CHECK_EQ(length_of(file), length);
  for (unsigned i = 0; i < count; i++) {
    unsigned char *at = mm3_at(file, offsets[i], size);
    CHECK(at && at[0] == (unsigned char)i && at[size - 1] == (unsigned char)i);
  }
  CHECK_EQ(mm3_check(file, found, NULL), 0);
  CHECK_EQ(mm3_heap_free(file, offsets[3]), 0);
  CHECK_EQ(mm3_heap_alloc(file, size, 0, &offsets[3]), 0);
  CHECK_EQ(mm3_check(file, found, NULL), 0);
}

/* A child has the map, and knows how long the file was; nothing tells it, and its place in the file is its parent's. */
static void nothing_is_cut_off_under_a_forked_child(void) {
  struct mm3_file *file = make("a.mm3", NULL);
  struct mm3_error error;
  uint64_t offset;
  int go[2], status = 0;
  char byte = 0;
  if (!file || !CHECK_EQ(pipe(go), 0)) return;
  mm3_lock(file);
  CHECK_EQ(mm3_heap_alloc(file, 8 << 20, 0, &offset), 0);
  pid_t child = fork();
  if (child == 0) {
    if (read(go[0], &byte, 1) != 1) _exit(1);
    const volatile char *at = mm3_at(file, offset, 8 << 20);
    _exit(at ? at[(8 << 20) - 1] : 0);
  }
  CHECK_EQ(mm3_heap_free(file, offset), 0);
  CHECK_EQ(mm3_heap_shrink(file), -EBUSY);
  CHECK_EQ(write(go[1], &byte, 1), 1);
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0); /* and no SIGBUS */
  mm3_unlock(file);
  mm3_close(file);
  file = mm3_open(mm3test_path("a.mm3"), NULL, NULL, &error); /* a handle that no child has */
  if (!CHECK(file != NULL)) return;
  mm3_lock(file);
  CHECK_EQ(mm3_heap_shrink(file), 0);
  CHECK(length_of(file) < 8 << 20);
  mm3_unlock(file);
  mm3_close(file);
  close(go[0]), close(go[1]);
}

static void the_files_own_limit_is_an_error(void) {
  struct mm3_options options = {.size = sizeof options, .limit = 2 << 20};
  struct mm3_file *file = make("a.mm3", &options);
  if (!file) return;
  mm3_lock(file);
  fill_up(file, 20000, -MM3_E_LIMIT);
  CHECK(length_of(file) <= 2 << 20);
  CHECK(length_of(file) > (2 << 20) - 65536); /* no room is wasted on a step that does not fit */
  CHECK_EQ(mm3_heap_reserve(file, 4 << 20), -MM3_E_LIMIT);
  mm3_unlock(file);
  mm3_close(file);
}

static void a_reserve_that_is_too_small_is_an_error_and_a_larger_one_helps(void) {
  struct mm3_options options = {.size = sizeof options, .reserve = 1 << 20};
  struct mm3_error error;
  uint64_t offset;
  struct mm3_file *file = make("a.mm3", &options);
  if (!file) return;
  mm3_lock(file);
  fill_up(file, 20000, -MM3_E_RESERVE);
  mm3_unlock(file);
  mm3_close(file);
  options.reserve = 8 << 20;
  file = mm3_open(mm3test_path("a.mm3"), NULL, &options, &error);
  if (!CHECK(file != NULL)) return;
  mm3_lock(file);
  CHECK_EQ(mm3_heap_alloc(file, 2 << 20, 0, &offset), 0);
  mm3_unlock(file);
  mm3_close(file);
}

/* Another process lets the file grow beyond what this handle maps: that is no damage, and nothing to be repaired. */
static void who_is_outgrown_is_told_to_reopen(void) {
  struct mm3_options options = {.size = sizeof options, .reserve = 1 << 20};
  struct mm3_error error = {0};
  struct mm3_heap_stats stats = {.size = sizeof stats};
  struct mm3_file *big = make("a.mm3", NULL), *small = mm3_open(mm3test_path("a.mm3"), NULL, &options, &error);
  if (!big || !CHECK(small != NULL)) return;
  uint64_t *offsets = mm3i_file_root(big), offset;
  mm3_lock(big);
  CHECK_EQ(mm3_heap_alloc(big, 100, 0, &offsets[0]), 0);
  CHECK_EQ(mm3_heap_alloc(big, 8 << 20, 0, &offsets[1]), 0);
  CHECK_EQ(mm3_heap_alloc(big, 100000, 0, &offsets[2]), 0);
  mm3_unlock(big);
  mm3_lock(small);
  CHECK_EQ(mm3_heap_alloc(small, 100, 0, &offset), -MM3_E_RESERVE);
  CHECK_EQ(mm3_heap_free(small, offsets[0]), -MM3_E_RESERVE);
  CHECK_EQ(mm3_heap_reserve(small, 100), -MM3_E_RESERVE);
  CHECK_EQ(mm3_heap_shrink(small), -MM3_E_RESERVE);
  CHECK_EQ(mm3_heap_measure(small, &stats), -MM3_E_RESERVE);
  CHECK(mm3_heap_usable(small, offsets[0]) >= 100);
  CHECK_EQ(mm3_check(small, found, NULL), -MM3_E_RESERVE);
  mm3_unlock(small);
  CHECK_FAILS(mm3_repair(small, MM3_REPAIR_NO_BACKUP, NULL, NULL, &error), -MM3_E_RESERVE, error);
  CHECK_FAILS(mm3_repair(small, MM3_REPAIR_PLAN, NULL, NULL, &error), -MM3_E_RESERVE, error);
  mm3_lock(big);
  CHECK_EQ(mm3_check(big, found, NULL), 0);
  for (int i = 0; i < 3; i++) CHECK_EQ(mm3_heap_free(big, offsets[i]), 0), offsets[i] = 0;
  mm3_unlock(big);
  mm3_close(small), mm3_close(big);
}

static int beyond_rlimit(void *arg) {
  struct rlimit limit = {1 << 20, 1 << 20};
  struct mm3_file *file = make(arg ? "sparse.mm3" : "a.mm3", arg);
  if (!file || setrlimit(RLIMIT_FSIZE, &limit) < 0) return 1;
  mm3_lock(file);
  fill_up(file, 10000, -EFBIG); /* and not SIGXFSZ */
  mm3_unlock(file);
  return mm3_close(file) != 0;
}

static void the_process_limit_of_file_sizes_is_an_error(void) {
  struct mm3_options sparse = {.size = sizeof sparse, .flags = MM3_SPARSE};
  CHECK_EQ(mm3test_fork(beyond_rlimit, NULL), 0);
  CHECK_EQ(mm3test_fork(beyond_rlimit, &sparse), 0);
}

/* Room for one piece of what is asked for. */
static int pieces;
static int small_disk(int fd, int mode, off_t offset, off_t length) {
  (void)mode;
  return pieces++ ? errno = ENOSPC, -1 : ftruncate(fd, offset + length);
}

/* Half of what did not fit would keep the disk full for everybody. */
static void what_does_not_fit_is_given_back(void) {
  const char *path = mm3test_path("a.mm3");
  struct mm3i_sys whole = mm3i_sys;
  struct mm3_error error;
  struct mm3_file *file = make("a.mm3", NULL);
  uint64_t offset;
  if (!file) return;
  uint64_t before = length_of(file);
  for (int round = 0; round < 2; round++) { /* the second time somebody else has it open, and may look at the end */
    struct mm3_file *other = round ? mm3_open(path, NULL, NULL, &error) : NULL;
    mm3_lock(file);
    pieces = 0, mm3i_sys.fallocate = small_disk;
    CHECK_EQ(mm3_heap_alloc(file, 1 << 30, 0, &offset), -ENOSPC);
    mm3i_sys = whole;
    CHECK(pieces > 1);
    CHECK_EQ(length_of(file) == before, round == 0);
    CHECK_EQ(mm3_heap_alloc(file, 100000, 0, &offset), 0);
    CHECK_EQ(mm3_heap_free(file, offset), 0);
    CHECK_EQ(mm3_check(file, NULL, NULL), 0);
    mm3_unlock(file);
    mm3_close(other);
    before = length_of(file);
  }
  mm3_close(file);
}

static int on_a_small_disk(void *arg) {
  struct mm3_error error = {0};
  const char *folder = arg;
  char path[512];
  snprintf(path, sizeof path, "%s/full.mm3", folder);
  struct mm3_file *file = owner_create(path, NULL, &error);
  if (!CHECK(file != NULL)) return 1;
  mm3_lock(file);
  fill_up(file, 50000, -ENOSPC);
  uint64_t *offsets = mm3i_file_root(file);
  for (unsigned i = 0; i < 12; i++) CHECK_EQ(mm3_heap_free(file, offsets[i]), 0);
  fill_up(file, 300, -ENOSPC); /* overwrites owners of the first round: their blocks leak */
  uint64_t leaked = 0, offset;
  CHECK_EQ(mm3i_heap_repair(file, &leaked, &error), 0);
  CHECK(leaked > 10);
  CHECK_EQ(mm3_heap_alloc(file, 50000, 0, &offset), 0);
  mm3_unlock(file);
  return mm3_close(file) != 0;
}

static void a_full_disk_is_an_error_and_work_goes_on(void) {
  char folder[] = "/tmp/mm3heap.XXXXXX";
  if (!CHECK(mkdtemp(folder) != NULL)) return;
  int result = mm3test_fork_mounted(folder, "size=3m", on_a_small_disk, folder);
  rmdir(folder);
  if (result == MM3TEST_NO_MOUNT) mm3test_skip("no mounts here");
  else CHECK_EQ(result, 0);
}

static int follow_growth(void *arg) {
  struct mm3_error error;
  struct mm3_options options = {.size = sizeof options, .flags = MM3_READ_ONLY};
  struct mm3_file *file = mm3_open(arg, NULL, &options, &error);
  if (!file) return 1;
  const unsigned char *base = file->base;
  const uint64_t *offsets = mm3i_file_root(file);
  for (unsigned i = 0; i < 500;) {
    uint64_t offset = __atomic_load_n(&offsets[i], __ATOMIC_ACQUIRE);
    if (!offset) continue;
    const unsigned char *at = mm3_at(file, offset, 100000);
    if (!CHECK(at != NULL) || !CHECK(at[0] == (unsigned char)i && at[99999] == (unsigned char)i)) return 1;
    i++;
  }
  CHECK(file->base == base);
  return mm3_close(file) != 0;
}

static void others_see_growth_without_mapping_anew(void) {
  struct mm3_file *file = make("a.mm3", NULL);
  char *path = strdup(mm3test_path("a.mm3"));
  if (!file) return;
  pid_t reader = mm3test_spawn(follow_growth, path);
  uint64_t *offsets = mm3i_file_root(file), offset;
  for (unsigned i = 0; i < 500; i++) {
    mm3_lock(file);
    CHECK_EQ(mm3_heap_alloc(file, 100000, 0, &offset), 0);
    memset(mm3_at(file, offset, 100000), (int)i, 100000);
    __atomic_store_n(&offsets[i], offset, __ATOMIC_RELEASE);
    mm3_unlock(file);
  }
  CHECK_EQ(mm3test_wait(reader), 0);
  CHECK(length_of(file) > 50000000);
  free(path);
  mm3_close(file);
}

struct crowd {
  struct mm3_file *file;
  unsigned number;
};

static int allocate_in_a_crowd(void *arg) {
  struct crowd *crowd = arg;
  uint64_t *mine = (uint64_t *)mm3i_file_root(crowd->file) + crowd->number * 256;
  unsigned random = crowd->number + 1;
  for (int i = 0; i < 5000; i++) {
    unsigned k = next_random(&random) % 256;
    uint64_t size = next_random(&random) % 2000 + 8, offset = 0;
    if (mm3_lock(crowd->file) < 0) return 1;
    int result = mine[k] ? mm3_heap_free(crowd->file, mine[k]) : mm3_heap_alloc(crowd->file, size, 0, &offset);
    mine[k] = offset;
    mm3_unlock(crowd->file);
    if (result < 0) return 1;
    if (offset) memset(mm3_at(crowd->file, offset, size), (int)crowd->number, size);
  }
  return 0;
}

static void many_processes_allocate_and_free_at_once(void) {
  struct mm3_file *file = make("a.mm3", NULL);
  struct crowd crowds[4];
  pid_t children[4];
  if (!file) return;
  for (unsigned i = 0; i < 4; i++) {
    crowds[i] = (struct crowd){file, i};
    children[i] = mm3test_spawn(allocate_in_a_crowd, &crowds[i]);
  }
  for (unsigned i = 0; i < 4; i++) CHECK_EQ(mm3test_wait(children[i]), 0);
  const uint64_t *offsets = mm3i_file_root(file);
  unsigned blocks = 0;
  for (unsigned i = 0; i < 1024; i++)
    if (offsets[i]) CHECK_EQ(*(unsigned char *)mm3_at(file, offsets[i], 8), i / 256), blocks++;
  CHECK_EQ(measure(file).blocks, blocks);
  CHECK_EQ(mm3_check(file, found, NULL), 0);
  mm3_close(file);
}

/* ---- repair ---- */

static void repair_takes_back_what_nobody_owns(void) {
  struct mm3_file *file = make("a.mm3", NULL);
  struct mm3_error error = {0};
  unsigned random = 3;
  uint64_t leaked;
  if (!file) return;
  uint64_t *offsets = mm3i_file_root(file), used = 0, blocks = 0;
  mm3_lock(file);
  for (unsigned i = 0; i < 3000; i++)
    CHECK_EQ(mm3_heap_alloc(file, next_random(&random) % (i % 20 ? 400 : 50000), 0, &offsets[i]), 0);
  for (unsigned i = 0; i < 3000; i++) {
    if (next_random(&random) % 2) offsets[i] = 0;
    else used += mm3_heap_usable(file, offsets[i]), blocks++;
  }
  CHECK_EQ(mm3_check(file, found, NULL), 0); /* a leak is no damage */
  CHECK_EQ(mm3i_heap_repair(file, &leaked, &error), 0);
  CHECK_EQ(leaked, 3000 - blocks);
  CHECK_EQ(measure(file).blocks, blocks);
  CHECK_EQ(measure(file).used, used);
  CHECK_EQ(mm3_check(file, found, NULL), 0);
  CHECK_EQ(mm3i_heap_repair(file, &leaked, &error), 0);
  CHECK_EQ(leaked, 0);
  for (unsigned i = 0; i < 3000; i++)
    if (offsets[i]) CHECK_EQ(mm3_heap_free(file, offsets[i]), 0), offsets[i] = 0;
  CHECK_EQ(measure(file).blocks, 0);
  CHECK_EQ(mm3_check(file, found, NULL), 0);
  mm3_unlock(file);
  CHECK_EQ(mm3i_heap_repair(file, &leaked, &error), -EPERM);
  mm3_close(file);
}

static void count_findings(void *arg, const struct mm3_error *finding) {
  ++*(int *)arg;
  CHECK_HAS(finding->text, "owns a block");
}

static void a_block_with_two_owners_or_none_in_use_is_found(void) {
  struct mm3_file *file = make("a.mm3", NULL);
  int findings = 0;
  if (!file) return;
  uint64_t *offsets = mm3i_file_root(file);
  mm3_lock(file);
  CHECK_EQ(mm3_heap_alloc(file, 100, 0, &offsets[0]), 0);
  offsets[9] = offsets[0];
  CHECK_EQ(mm3_check(file, count_findings, &findings), 1);
  CHECK_EQ(findings, 1);
  offsets[9] = offsets[0] + 16;
  CHECK_EQ(mm3_check(file, NULL, NULL), 1);
  offsets[9] = 0;
  CHECK_EQ(mm3_heap_free(file, offsets[0]), 0);
  CHECK_EQ(mm3_check(file, NULL, NULL), 1);
  mm3_unlock(file);
  mm3_close(file);
}

MM3_TEST_SUITE("heap",
               {"blocks have their size and alignment, and little more", blocks_have_their_size_alignment_and_little_more},
               {"random blocks never overlap, and all come back", random_blocks_never_overlap_and_all_come_back},
               {"what is no block in use cannot be freed", what_is_no_block_in_use_cannot_be_freed},
               {"what lies within a block cannot be freed", what_lies_within_a_block_cannot_be_freed},
               {"a file whose kinds do not grow has no heap", a_file_whose_kinds_do_not_grow_has_no_heap},
               {"freed neighbours become one", freed_neighbours_become_one},
               {"slabs that are empty serve other sizes", slabs_that_are_empty_serve_other_sizes},
               {"reserve lengthens the file once", reserve_lengthens_the_file_once},
               {"shrink gives the end back when nobody else is there", shrink_gives_the_end_back_when_nobody_else_is_there},
               {"nothing is cut off under a forked child", nothing_is_cut_off_under_a_forked_child},
               {"the file's own limit is an error", the_files_own_limit_is_an_error},
               {"a reserve that is too small is an error, and a larger one helps",
                a_reserve_that_is_too_small_is_an_error_and_a_larger_one_helps},
               {"who is outgrown is told to reopen", who_is_outgrown_is_told_to_reopen},
               {"the process's limit of file sizes is an error", the_process_limit_of_file_sizes_is_an_error},
               {"what does not fit is given back", what_does_not_fit_is_given_back},
               {"a full disk is an error, and work goes on", a_full_disk_is_an_error_and_work_goes_on},
               {"others see growth without mapping anew", others_see_growth_without_mapping_anew},
               {"many processes allocate and free at once", many_processes_allocate_and_free_at_once},
               {"repair takes back what nobody owns", repair_takes_back_what_nobody_owns},
               {"a block with two owners, or that is not in use, is found", a_block_with_two_owners_or_none_in_use_is_found})

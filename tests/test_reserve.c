/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Files that grow: address space beyond the file's end, how much of it, and the bounds that are trusted. */
#include "mm3files.h"

#include <sys/mman.h>
#include <sys/resource.h>

#define GIB (UINT64_C(1) << 30)

static int grow_layout(struct mm3_type *type, struct mm3_ctx *ctx) {
  int result = pair_layout(type, ctx);
  type->flags = MM3_TYPE_HEAP;
  return result;
}

/* A kind that says that it keeps blocks in the heap, and has none. */
static const struct mm3_kind grow_kind = {
    .size = sizeof grow_kind,
    .layout_version = 1,
    .name = "grow",
    .signature = "grow: wants a heap",
    .layout = grow_layout,
    .check = pair_check,
    .visit = pair_visit,
    .put = pair_put,
};
static const struct mm3_kind *const grow_kinds[] = {&grow_kind};
static const struct mm3_module grow_module = {
    MM3_MODULE_MAGIC, MM3_ABI_MAJOR, MM3_ABI_MINOR, sizeof grow_module, 1, "grow", "1.0", &mm3_core_mark, grow_kinds};

static struct mm3_file *grower(const char *path, uint64_t reserve, struct mm3_file_info *info) {
  struct mm3_error error = {0};
  struct mm3_options options = {.size = sizeof options, .reserve = reserve, .flags = MM3_REPLACE};
  CHECK_OK(mm3_module_register(&grow_module, &error), error);
  struct mm3_file *file = mm3_create_schema(path, "struct g { it: grow }", &options, &error);
  memset(info, 0, sizeof *info);
  if (CHECK(file != NULL)) mm3_file_describe(file, info);
  else fprintf(stderr, "%s\n", error.text);
  return file;
}

static void the_reserve_is_large_aligned_and_not_dumped(void) {
  struct mm3_file_info info;
  struct mm3_file *file = grower(mm3test_path("a.mm3"), 0, &info);
  if (!file) return;
  if (strcmp(mm3test_tool(), "valgrind") == 0) CHECK_EQ(info.reserve, GIB);
  else CHECK_EQ(info.reserve, 64 * GIB);
  CHECK_EQ(info.heap_offset % 65536, 0);
  CHECK(info.heap_offset > 0 && info.length > info.heap_offset);
  CHECK_EQ(file->limit, info.length);
  if (!mm3test_tool()[0]) CHECK_EQ((uintptr_t)file->base % 0x200000, 0);
  char line[4096];
  int ours = 0, flagged = 0;
  FILE *maps = fopen("/proc/self/smaps", "r");
  while (maps && fgets(line, sizeof line, maps)) {
    if (strstr(line, "/a.mm3")) ours = 1;
    if (ours && strncmp(line, "VmFlags:", 8) == 0) flagged += strstr(line, " dd") != NULL, ours = 0;
  }
  if (maps) fclose(maps);
  CHECK_EQ(flagged, 1);
  mm3_close(file);
}

static void the_reserve_asked_for_is_kept_for_openers(void) {
  struct mm3_file_info info;
  const char *path = mm3test_path("a.mm3");
  struct mm3_options options = {.size = sizeof options, .reserve = 16 << 20};
  struct mm3_file *file = grower(path, 32 << 20, &info);
  CHECK_EQ(info.reserve, 32 << 20);
  mm3_close(file);
  if (!(file = mm3_open(path, NULL, NULL, NULL))) return;
  mm3_file_describe(file, &info);
  CHECK_EQ(info.reserve, 32 << 20);
  mm3_close(file);
  if (!(file = mm3_open(path, NULL, &options, NULL))) return;
  mm3_file_describe(file, &info);
  CHECK_EQ(info.reserve, 16 << 20);
  mm3_close(file);
  file = grower(path, 1, &info); /* never less than the file */
  CHECK(info.reserve >= info.length);
  mm3_close(file);
}

static void *small_mmap(void *address, size_t length, int prot, int flags, int fd, off_t offset) {
  if (length > GIB) return errno = ENOMEM, MAP_FAILED;
  return mmap(address, length, prot, flags, fd, offset);
}

static void a_reserve_that_cannot_be_had_is_halved(void) {
  struct mm3i_sys whole = mm3i_sys;
  struct mm3_file_info info;
  mm3i_sys.mmap = small_mmap;
  struct mm3_file *file = grower(mm3test_path("a.mm3"), 5 * GIB, &info);
  mm3i_sys = whole;
  CHECK_EQ(info.reserve, 5 * GIB / 8);
  mm3_close(file);
}

static int with_a_limit(void *arg) {
  struct rlimit limit = {8 * GIB, 8 * GIB};
  struct mm3_file_info info;
  if (setrlimit(RLIMIT_AS, &limit) < 0) return 1;
  struct mm3_file *file = grower(arg, 0, &info);
  if (!file || info.reserve > GIB || info.reserve < GIB / 2) return 2;
  return mm3_close(file) ? 3 : 0;
}

static void a_limit_on_address_space_is_respected(void) {
  if (mm3test_tool()[0]) { /* which reserve terabytes for themselves: no limit can be set under them */
    CHECK(1);
    return;
  }
  CHECK_EQ(mm3test_fork(with_a_limit, (char *)(uintptr_t)mm3test_path("a.mm3")), 0);
}

static void bounds_follow_the_file_up_to_the_reserve(void) {
  struct mm3_file_info info;
  const char *path = mm3test_path("a.mm3");
  struct mm3_file *one = grower(path, 8 << 20, &info), *two = mm3_open(path, NULL, NULL, NULL);
  if (!one || !CHECK(two != NULL)) return;
  uint64_t end = info.length;
  CHECK(mm3_at(two, end - 8, 8) != NULL);
  CHECK(mm3_at(two, end, 8) == NULL);
  CHECK_EQ(mm3_at_code(two, end, 8), -MM3_E_DAMAGED);
  CHECK_EQ(mm3i_extend(mm3i_handle_of(one)->fd, end, end + 65536), 0);
  CHECK_EQ(two->limit, end);
  unsigned char *there = mm3_at(two, end, 8), *here = mm3_at(one, end, 8);
  CHECK(there == two->base + end && here == one->base + end);
  *here = 77; /* the new pages are in every map at once */
  CHECK_EQ(*there, 77);
  CHECK_EQ(two->limit, end + 65536);
  CHECK_EQ(truncate(path, 16 << 20), 0);
  CHECK(mm3_at(one, 12 << 20, 8) == NULL);
  CHECK_EQ(mm3_at_code(one, 12 << 20, 8), -MM3_E_RESERVE);
  CHECK(mm3_at(one, (8 << 20) - 8, 8) != NULL);
  CHECK_EQ(one->limit, 8 << 20);
  CHECK_EQ(truncate(path, (off_t)end), 0);
  mm3_close(one), mm3_close(two);
}

static void plain_memory_has_no_heap(void) {
  struct { struct pair it; } plain;
  static mm3_desc_fn *const items[] = {MM3_A1_pair, mm3_item_end};
  static const struct mm3_desc_field fields[] = {{"grow", "it", items, 0, 16}};
  static const struct mm3_desc desc = {sizeof desc, 1, "g", 16, 8, fields};
  struct mm3_error error = {0};
  CHECK_OK(mm3_module_register(&grow_module, &error), error);
  CHECK_FAILS(mm3_init(&plain, &desc, &error), -EINVAL, error);
  CHECK_HAS(error.text, "need a file");
}

MM3_TEST_SUITE("reserve", {"the reserve is large, aligned and not dumped", the_reserve_is_large_aligned_and_not_dumped},
               {"the reserve asked for is kept for openers", the_reserve_asked_for_is_kept_for_openers},
               {"a reserve that cannot be had is halved", a_reserve_that_cannot_be_had_is_halved},
               {"a limit on address space is respected", a_limit_on_address_space_is_respected},
               {"bounds follow the file up to the reserve", bounds_follow_the_file_up_to_the_reserve},
               {"plain memory has no heap", plain_memory_has_no_heap})

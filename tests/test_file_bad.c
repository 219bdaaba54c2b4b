/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Files that are refused: each for its own reason, in a sentence that names the file, what was found and what was wanted. */
#include "mm3files.h"

#include <mm3/guard.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static void a_file_that_is_not_ours_is_refused(void) {
  const char *path = mm3test_path("notes.txt");
  struct mm3_error error;
  write_file(path, "", 0);
  CHECK_FAILS(refusal(path, 0, &error), -MM3_E_NOT_MM3, error);
  CHECK_HAS(error.text, "notes.txt: not an mm3 file: it is empty");
  write_file(path, "milk", 4);
  CHECK_FAILS(refusal(path, 0, &error), -MM3_E_NOT_MM3, error);
  CHECK_HAS(error.text, "begins with the bytes 6d 69 6c 6b, wanted 8d 6d 6d 33");
  static char page[65536];
  write_file(path, page, sizeof page);
  CHECK_FAILS(refusal(path, MM3_READ_ONLY, &error), -MM3_E_NOT_MM3, error);
  CHECK_FAILS(refusal(mm3test_path("absent.mm3"), 0, &error), -ENOENT, error);
  CHECK_HAS(error.text, "absent.mm3");
}

static void what_is_no_regular_file_is_refused_at_once(void) {
  struct mm3_error error;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const char *pipe = mm3test_path("pipe"), *folder = mm3test_path("folder"), *name = mm3test_path("socket");
  CHECK_EQ(mkfifo(pipe, 0600), 0);
  CHECK_EQ(mkdir(folder, 0700), 0);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  snprintf(address.sun_path, sizeof address.sun_path, "%s", name);
  CHECK_EQ(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
  uint64_t before = mm3test_now_ns();
  for (uint32_t flags = 0; flags <= MM3_READ_ONLY; flags++) {
    CHECK_FAILS(refusal(pipe, flags, &error), -EINVAL, error);
    CHECK_HAS(error.text, "pipe: not a regular file");
    CHECK_FAILS(refusal(name, flags, &error), -EINVAL, error);
    CHECK_FAILS(refusal("/dev/null", flags, &error), -EINVAL, error);
    CHECK_FAILS(refusal(folder, flags, &error), -EISDIR, error);
  }
  CHECK(mm3test_now_ns() - before < 2000000000);
  close(fd);
}

static void every_truncation_is_refused(void) {
  const char *path = mm3test_path("a.mm3"), *cut = mm3test_path("cut.mm3");
  static char bytes[65536];
  struct mm3_error error;
  struct mm3_file *file = sample_new(path);
  if (!file) return;
  size_t size = (size_t)file->limit;
  CHECK(size <= sizeof bytes);
  memcpy(bytes, file->base, size);
  mm3_close(file);
  for (size_t length = 0; length < size; length += length < 16 ? 1 : 509) {
    write_file(cut, bytes, length);
    int code = refusal(cut, length % 2 ? MM3_READ_ONLY : 0, &error);
    if (!CHECK_EQ(code, length < 8 ? -MM3_E_NOT_MM3 : -MM3_E_DAMAGED)) printf("%zu: %s\n", length, error.text);
    if (length >= 8) CHECK_HAS(error.text, "truncated");
  }
  write_file(cut, bytes, size);
  CHECK_EQ(refusal(cut, 0, &error), 0);
}

static void every_bit_of_the_fixed_half_counts(void) {
  const char *path = mm3test_path("a.mm3");
  struct mm3_error error;
  unsigned char byte;
  mm3_close(sample_new(path));
  int fd = open(path, O_RDWR), refused = 0;
  for (int bit = 0; bit < 2048 * 8; bit += bit < 192 * 8 ? 1 : 61) {
    CHECK_EQ(pread(fd, &byte, 1, bit / 8), 1);
    byte = (unsigned char)(byte ^ 1u << bit % 8);
    CHECK_EQ(pwrite(fd, &byte, 1, bit / 8), 1);
    refused += refusal(path, MM3_READ_ONLY, &error) == (bit < 64 ? -MM3_E_NOT_MM3 : -MM3_E_DAMAGED);
    byte = (unsigned char)(byte ^ 1u << bit % 8);
    CHECK_EQ(pwrite(fd, &byte, 1, bit / 8), 1);
  }
  CHECK_EQ(refused, 192 * 8 + (2048 * 8 - 192 * 8 + 60) / 61);
  CHECK_EQ(refusal(path, 0, &error), 0);
  close(fd);
}

static void every_bit_of_schema_and_table_counts(void) {
  const char *path = mm3test_path("a.mm3");
  struct mm3_error error;
  struct mm3_file *file = sample_new(path);
  if (!file) return;
  const struct mm3i_fixed *fixed = &mm3i_handle_of(file)->fixed;
  uint64_t end = fixed->table_offset + fixed->table_size;
  mm3_close(file);
  for (uint64_t at = 8192; at < end; at += 3) {
    unsigned char byte;
    int fd = open(path, O_RDWR);
    CHECK_EQ(pread(fd, &byte, 1, (off_t)at), 1);
    close(fd);
    byte ^= 0x10;
    spoil(path, (off_t)at, &byte, 1, false);
    CHECK_FAILS(refusal(path, 0, &error), -MM3_E_DAMAGED, error);
    byte ^= 0x10;
    spoil(path, (off_t)at, &byte, 1, false);
  }
  CHECK_EQ(refusal(path, 0, &error), 0);
}

/* A superblock that is signed, and still says what cannot be. */
static const struct lie {
  size_t offset, size;
  uint64_t value;
  int writing, reading;
  const char *says;
} lies[] = {
#define FIXED(member) offsetof(struct mm3i_fixed, member), sizeof(((struct mm3i_fixed *)0)->member)
#define MOVING(member) offsetof(struct mm3i_super, member), sizeof(((struct mm3i_super *)0)->member)
    {FIXED(format), 2, -MM3_E_VERSION, -MM3_E_VERSION, "format version 2; this library reads version 1"},
    {FIXED(format), 0, -MM3_E_DAMAGED, -MM3_E_DAMAGED, "format version 0"},
    {FIXED(byte_order), 0x04030201, -MM3_E_ABI, -MM3_E_ABI, "big-endian"},
    {FIXED(byte_order), 0x02010403, -MM3_E_ABI, -MM3_E_ABI, "byte order mark 02010403"},
    {FIXED(incompat), 6, -MM3_E_VERSION, -MM3_E_VERSION, "incompatible: 0x6"},
    {FIXED(ro_compat), 1, -MM3_E_VERSION, 0, "it opens read-only"},
    {FIXED(compat), 1, 0, 0, ""},
    {FIXED(abi), 1, -MM3_E_ABI, -MM3_E_ABI, "ABI descriptor"},
    {FIXED(schema_offset), 4096, -MM3_E_DAMAGED, -MM3_E_DAMAGED, "schema is said to lie at 4096"},
    {FIXED(schema_offset), 8200, -MM3_E_DAMAGED, -MM3_E_DAMAGED, "schema is said to lie at 8200, wanted 8192"},
    {FIXED(schema_offset), UINT64_MAX - 7, -MM3_E_DAMAGED, -MM3_E_DAMAGED, "schema"},
    {FIXED(schema_size), 0, -MM3_E_DAMAGED, -MM3_E_DAMAGED, "schema of 0 bytes"},
    {FIXED(schema_size), UINT64_C(1) << 40, -MM3_E_DAMAGED, -MM3_E_DAMAGED, "schema"},
    {FIXED(table_offset), 8192, -MM3_E_DAMAGED, -MM3_E_DAMAGED, "field table"},
    {FIXED(table_size), UINT64_MAX, -MM3_E_DAMAGED, -MM3_E_DAMAGED, "field table"},
    {FIXED(table_size), 1 << 20, -MM3_E_DAMAGED, -MM3_E_DAMAGED, "truncated"},
    {FIXED(root_offset), 4096, -MM3_E_DAMAGED, -MM3_E_DAMAGED, "root struct"},
    {FIXED(root_offset), 12289, -MM3_E_DAMAGED, -MM3_E_DAMAGED, "root struct"},
    {FIXED(root_offset), UINT64_MAX - 4095, -MM3_E_DAMAGED, -MM3_E_DAMAGED, "root struct"},
    {FIXED(root_offset), 1 << 20, -MM3_E_DAMAGED, -MM3_E_DAMAGED, "truncated"},
    {FIXED(root_size), UINT64_MAX, -MM3_E_DAMAGED, -MM3_E_DAMAGED, "root struct"},
    {FIXED(root_size), 8, -MM3_E_LAYOUT, -MM3_E_LAYOUT, "root struct has 8 bytes"},
    {FIXED(root_align), 3, -MM3_E_DAMAGED, -MM3_E_DAMAGED, "aligned to 3"},
    {FIXED(root_align), 8192, -MM3_E_DAMAGED, -MM3_E_DAMAGED, "aligned to 8192"},
    {FIXED(heap_offset), 4096, -MM3_E_DAMAGED, -MM3_E_DAMAGED, "heap"},
    {FIXED(heap_offset), 65536, -MM3_E_DAMAGED, -MM3_E_DAMAGED, "heap"},
    {FIXED(slots_count), 7, -MM3_E_DAMAGED, -MM3_E_DAMAGED, "slot table"},
    {FIXED(slot_size), 64, -MM3_E_DAMAGED, -MM3_E_DAMAGED, "slot table"},
    {FIXED(slots_offset), 8192, -MM3_E_DAMAGED, -MM3_E_DAMAGED, "slot table"},
    {MOVING(generation_end), 0, -MM3_E_DAMAGED, -MM3_E_DAMAGED, "never finished"},
    {MOVING(generation_begin), 2, -MM3_E_DAMAGED, -MM3_E_DAMAGED, "never finished"},
    {MOVING(length), 1 << 20, -MM3_E_DAMAGED, -MM3_E_DAMAGED, "the superblock says 1048576"},
};

static uint64_t word_of(const char *bytes, size_t at) {
  uint64_t word;
  memcpy(&word, bytes + at, sizeof word);
  return word;
}

/* A sparse file of a few pages may say that schema, table and root lie a gigabyte further on, and have them there: an opener
 * would read all that is before them. */
static void a_schema_far_away_is_not_read(void) {
  static const size_t places[] = {offsetof(struct mm3i_fixed, schema_offset), offsetof(struct mm3i_fixed, table_offset),
                                  offsetof(struct mm3i_fixed, root_offset), offsetof(struct mm3i_super, length)};
  const uint64_t away = UINT64_C(1) << 30;
  const char *path = mm3test_path("a.mm3"), *far = mm3test_path("far.mm3");
  static char whole[65536];
  struct mm3_error error;
  mm3_close(sample_new(path));
  int fd = open(path, O_RDONLY);
  ssize_t size = read(fd, whole, sizeof whole);
  close(fd);
  write_file(far, whole, 8192);
  for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
    uint64_t moved = word_of(whole, places[i]) + away;
    spoil(far, (off_t)places[i], &moved, sizeof moved, true);
  }
  fd = open(far, O_WRONLY);
  CHECK_EQ(pwrite(fd, whole + 8192, (size_t)size - 8192, (off_t)(8192 + away)), size - 8192);
  close(fd);
  CHECK_FAILS(refusal(far, MM3_READ_ONLY, &error), -MM3_E_DAMAGED, error);
  CHECK_HAS(error.text, "the schema is said to lie at 1073750016, wanted 8192");
  CHECK_FAILS(refusal(far, MM3_CAREFUL, &error), -MM3_E_DAMAGED, error);
}

static void a_signed_lie_is_refused_for_what_it_is(void) {
  const char *path = mm3test_path("a.mm3");
  struct mm3_error error;
  static char whole[65536];
  mm3_close(sample_new(path));
  int fd = open(path, O_RDONLY);
  ssize_t size = read(fd, whole, sizeof whole);
  close(fd);
  for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
    write_file(path, whole, (size_t)size);
    spoil(path, (off_t)lies[i].offset, &lies[i].value, lies[i].size, true);
    for (int reading = 0; reading < 2; reading++) {
      int wanted = reading ? lies[i].reading : lies[i].writing;
      if (!CHECK_EQ(refusal(path, reading ? MM3_READ_ONLY : 0, &error), wanted))
        printf("lie %zu (%s): %s\n", i, lies[i].says, error.text);
      if (wanted) CHECK_HAS(error.text, lies[i].says);
      if (wanted) CHECK_HAS(error.text, path);
    }
  }
}

static void a_newer_format_is_a_version(void) {
  const char *path = mm3test_path("a.mm3");
  struct mm3_error error;
  uint32_t newer = 2;
  mm3_close(sample_new(path));
  spoil(path, offsetof(struct mm3i_fixed, format), &newer, sizeof newer, true);
  CHECK_FAILS(refusal(path, 0, &error), -MM3_E_VERSION, error);
  CHECK_EQ(mm3_exit_code(error.code), 5);
}

#define NAMED(FIELD) FIELD(number, u64) FIELD(both, pair) FIELD(key, raw(32))
#define ORDERED(FIELD) FIELD(both, pair) FIELD(value, u64) FIELD(key, raw(32))
#define KINDED(FIELD) FIELD(value, i64) FIELD(both, pair) FIELD(key, raw(32))
#define SIZED(FIELD) FIELD(value, u64) FIELD(both, pair) FIELD(key, raw(16))
MM3_STRUCT(named, NAMED);
MM3_STRUCT(ordered, ORDERED);
MM3_STRUCT(kinded, KINDED);
MM3_STRUCT(sized, SIZED);

static void another_schema_is_refused_by_its_first_field(void) {
  const char *path = mm3test_path("a.mm3");
  const struct { const struct mm3_desc *desc; const char *found, *wanted; } cases[] = {
      {MM3_TYPE(named), "number", "value"},
      {MM3_TYPE(ordered), "both", "value"},
      {MM3_TYPE(kinded), "i64", "u64"},
      {MM3_TYPE(sized), "raw(16)", "raw(32)"},
  };
  for (int i = 0; i < 4; i++) {
    struct mm3_error error = {0};
    struct mm3_options options = {.size = sizeof options, .flags = MM3_REPLACE};
    char schema[128];
    snprintf(schema, sizeof schema, "struct %s { value: u64 both: pair key: raw(32) }", cases[i].desc->name);
    CHECK_OK(mm3_module_register(&pair_module, &error), error);
    mm3_close(mm3_create_schema(path, schema, &options, &error));
    struct mm3_file *file = mm3_open(path, cases[i].desc, NULL, &error);
    if (!CHECK(file == NULL)) continue;
    CHECK_EQ(error.code, -MM3_E_LAYOUT);
    CHECK_HAS(error.text, "a.mm3");
    CHECK_HAS(error.text, cases[i].found);
    CHECK_HAS(error.text, cases[i].wanted);
  }
}

static int opens_without_the_module(void *arg) {
  struct mm3_error error = {0};
  struct mm3_file_info info = {0};
  const char *path = arg;
  if (mm3_kind_find("pair", 0, NULL)) return 1;
  if (refusal(path, 0, &error) != -MM3_E_MODULE || !strstr(error.text, "pair") || !strstr(error.text, path)) {
    printf("%s\n", error.text);
    return 2;
  }
  struct mm3_options options = {.size = sizeof options, .flags = MM3_READ_ONLY};
  struct mm3_file *file = mm3_open(path, NULL, &options, &error);
  if (!file) return 3;
  if (mm3_file_describe(file, &info) < 0 || info.missing_modules != 1) return 4;
  if (mm3_check(file, NULL, NULL) != 0) return 5;
  return mm3_close(file) ? 6 : 0;
}

static int creates(void *arg) {
  struct mm3_file *file = sample_new(arg);
  return file ? mm3_close(file) : 1;
}

static void a_missing_module_refuses_writers_only(void) {
  char *path = (char *)(uintptr_t)mm3test_path("a.mm3");
  if (mm3_kind_find("pair", 0, NULL)) {
    mm3test_skip("an earlier case registered the module; it runs alone");
    return;
  }
  CHECK_EQ(mm3test_fork(creates, path), 0);
  CHECK_EQ(mm3test_fork(opens_without_the_module, path), 0);
}

static void *mmap_then_truncate(void *address, size_t length, int prot, int flags, int fd, off_t offset) {
  void *base = mmap(address, length, prot, flags, fd, offset);
  if (fd >= 0) CHECK_EQ(ftruncate(fd, 0), 0);
  return base;
}

static void grow_stack(void) { /* Valgrind grows it for calls, not for signals */
  volatile char deep[65536];
  for (size_t i = 0; i < sizeof deep; i += 512) deep[i] = 0;
}

static int survives_truncation(void *arg) {
  struct mm3_error error = {0};
  struct mm3_file_info info = {0};
  struct mm3_file *file = sample_open(arg, 0);
  grow_stack();
  if (!file || mm3_guard_install() < 0) return 1;
  if (truncate(arg, 0) < 0 || mm3_file_describe(file, &info) != -MM3_E_TRUNCATED) return 2;
  if (mm3_close(file) != 0) return 3;
  if (truncate(arg, 0) < 0 || unlink(arg) < 0 || !(file = sample_new(arg)) || mm3_close(file)) return 4;
  mm3i_sys.mmap = mmap_then_truncate;
  file = mm3_open(arg, NULL, NULL, &error);
  return !file && error.code == -MM3_E_TRUNCATED && strstr(error.text, arg) ? 0 : 5;
}

static void a_file_truncated_under_its_opener_is_an_error(void) {
  char *path = (char *)(uintptr_t)mm3test_path("a.mm3");
  mm3_close(sample_new(path));
  CHECK_EQ(mm3test_fork(survives_truncation, path), 0);
}

static void nothing_is_left_after_refusals(void) {
  const char *path = mm3test_path("a.mm3");
  struct mm3_error error;
  uint64_t wrong = 1;
  mm3_close(sample_new(path));
  int descriptors = count_descriptors();
  for (int i = 0; i < 50; i++) {
    spoil(path, offsetof(struct mm3i_fixed, abi), &wrong, 8, true);
    CHECK_EQ(refusal(path, 0, &error), -MM3_E_ABI);
  }
  CHECK_EQ(count_descriptors(), descriptors);
  CHECK_EQ(count_maps("a.mm3"), 0);
}

MM3_TEST_SUITE("bad file", {"a missing module refuses writers only", a_missing_module_refuses_writers_only},
               {"a file that is not ours is refused", a_file_that_is_not_ours_is_refused},
               {"what is no regular file is refused at once", what_is_no_regular_file_is_refused_at_once},
               {"every truncation is refused", every_truncation_is_refused},
               {"every bit of the fixed half counts", every_bit_of_the_fixed_half_counts},
               {"every bit of schema and table counts", every_bit_of_schema_and_table_counts},
               {"a signed lie is refused for what it is", a_signed_lie_is_refused_for_what_it_is},
               {"a schema far away is not read", a_schema_far_away_is_not_read},
               {"a newer format is a version", a_newer_format_is_a_version},
               {"another schema is refused by its first field", another_schema_is_refused_by_its_first_field},
               {"a file truncated under its opener is an error", a_file_truncated_under_its_opener_is_an_error},
               {"nothing is left after refusals", nothing_is_left_after_refusals})

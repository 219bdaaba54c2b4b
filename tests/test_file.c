/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Creating, opening, sharing and closing a file: what works. test_file_bad.c has what is refused. */
#include "mm3files.h"

#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define OTHER(FIELD) FIELD(value, u64)
MM3_STRUCT(other, OTHER);

static void a_new_file_keeps_what_is_stored(void) {
  const char *path = mm3test_path("a.mm3");
  struct mm3_error error = {0};
  struct mm3_file *file = sample_new(path);
  if (!file) return;
  struct sample *root = mm3_root(file, sample);
  CHECK_EQ(root->value, 0);
  root->value = 7;
  CHECK_OK(mm3_sync(file), error);
  CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  CHECK_STR(mm3_file_path(file), path);
  CHECK_STR(mm3_file_schema(file), "struct sample {\n  value: u64\n  both: pair\n  key: raw(32)\n}\n");
  CHECK_EQ(mm3_close(file), 0);
  CHECK_EQ(mm3_close(NULL), 0);
  CHECK_EQ(count_entries(mm3test_path(NULL)), 1);
  if (!(file = sample_open(path, 0))) return;
  CHECK_EQ(mm3_root(file, sample)->value, 7);
  CHECK(mm3_root(file, other) == NULL);
  CHECK(mm3_root_const(file, sample) == mm3_root(file, sample));
  mm3_close(file);
}

static void two_handles_share_the_bytes(void) {
  const char *path = mm3test_path("a.mm3");
  struct mm3_file *one = sample_new(path), *two = sample_open(path, 0);
  if (!one || !two) return;
  PUT(mm3_root(one, sample)->value, 42);
  CHECK_EQ(LOOK(mm3_root(two, sample)->value), 42);
  CHECK(mm3_root(one, sample) != mm3_root(two, sample));
  mm3_close(one);
  PUT(mm3_root(two, sample)->value, 43);
  mm3_close(two);
}

static void the_superblock_lies_as_the_format_says(void) {
  const char *path = mm3test_path("a.mm3");
  struct mm3_file *file = sample_new(path);
  unsigned char bytes[4096];
  uint64_t word;
  if (!file) return;
  memcpy(bytes, file->base, sizeof bytes);
  CHECK_MEM(bytes, "\x8dmm3\r\n\x1a\n\x01\0\0\0\x04\x03\x02\x01", 16);
  memcpy(&word, bytes + 72, 8);
  CHECK_EQ(word, 8192);
  CHECK_MEM(file->base + word, "struct sample {", 15);
  memcpy(&word, bytes + 88, 8);
  CHECK_MEM(file->base + word, "MM3T", 4);
  memcpy(&word, bytes + 128, 8);
  CHECK(file->base + word == (unsigned char *)mm3_root(file, sample));
  CHECK_EQ(word % 4096, 0);
  memcpy(&word, bytes + 2048, 8);
  CHECK_EQ(word, 1);
  mm3_close(file);
}

static void a_name_that_exists_is_not_created_again(void) {
  const char *path = mm3test_path("a.mm3"), *link = mm3test_path("link"), *folder = mm3test_path("folder");
  struct mm3_error error = {0};
  mm3_close(sample_new(path));
  CHECK_EQ(symlink("nowhere", link), 0);
  CHECK_EQ(mkdir(folder, 0700), 0);
  const char *paths[] = {path, link, folder};
  for (int i = 0; i < 3; i++) {
    CHECK(mm3_create(paths[i], MM3_TYPE(sample), NULL, &error) == NULL);
    CHECK_EQ(error.code, -EEXIST);
    CHECK_HAS(error.text, paths[i]);
    CHECK_STR(error.file, paths[i]);
  }
  CHECK_EQ(count_entries(mm3test_path(NULL)), 3);
  CHECK(mm3_create(mm3test_path("no/where.mm3"), MM3_TYPE(sample), NULL, &error) == NULL);
  CHECK_EQ(error.code, -ENOENT);
  CHECK(mm3_create(mm3test_path("folder/"), MM3_TYPE(sample), NULL, &error) == NULL);
  CHECK_EQ(error.code, -EISDIR);
  CHECK(mm3_create("", MM3_TYPE(sample), NULL, &error) == NULL);
  CHECK_EQ(error.code, -ENOENT);
}

static void open_or_create_opens_what_is_there(void) {
  const char *path = mm3test_path("a.mm3");
  struct mm3_error error = {0};
  CHECK_OK(mm3_module_register(&pair_module, &error), error);
  struct mm3_file *file = mm3_open_or_create(path, MM3_TYPE(sample), NULL, &error);
  if (!CHECK(file != NULL)) return;
  mm3_root(file, sample)->value = 9;
  mm3_close(file);
  file = mm3_open_or_create(path, MM3_TYPE(sample), NULL, NULL);
  if (!CHECK(file != NULL)) return;
  CHECK_EQ(mm3_root(file, sample)->value, 9);
  mm3_close(file);
  struct mm3_options options = {.size = sizeof options, .flags = MM3_READ_ONLY};
  CHECK(mm3_open_or_create(mm3test_path("b.mm3"), MM3_TYPE(sample), &options, &error) == NULL);
  CHECK_EQ(error.code, -EINVAL);
}

static void replacing_tells_the_users_of_the_old_file(void) {
  const char *path = mm3test_path("a.mm3");
  struct mm3_error error = {0};
  struct mm3_file_info info = {0};
  struct mm3_options options = {.size = sizeof options, .flags = MM3_REPLACE};
  struct mm3_file *old = sample_new(path), *reader = sample_open(path, MM3_READ_ONLY);
  if (!old || !reader) return;
  mm3_root(old, sample)->value = 1;
  struct mm3_file *now = mm3_create(path, MM3_TYPE(sample), &options, &error);
  if (!CHECK(now != NULL)) return;
  CHECK_EQ(mm3_root(now, sample)->value, 0);
  CHECK_EQ(mm3_root(old, sample)->value, 1);
  mm3_file_describe(old, &info);
  CHECK_EQ(info.superseded, 1);
  CHECK_EQ(mm3_wait(old, mm3_changes(old), 5000), -MM3_E_SUPERSEDED);
  CHECK_EQ(mm3_wait(reader, mm3_changes(reader), 5000), -MM3_E_SUPERSEDED);
  mm3_file_describe(now, &info);
  CHECK_EQ(info.superseded, 0);
  CHECK_EQ(count_entries(mm3test_path(NULL)), 1);
  mm3_close(old), mm3_close(now), mm3_close(reader);
}

/* rename(2) of a file to a name that is its own already changes nothing: then nothing was replaced. */
static void a_file_that_takes_its_own_name_is_not_superseded(void) {
  const char *path = mm3test_path("a.mm3"), *twin = mm3test_path("b.mm3");
  struct mm3_error error = {0};
  struct mm3_file_info info = {0};
  struct mm3_file *file = sample_new(path);
  if (!file) return;
  CHECK_OK(mm3_file_replace(file, path, &error), error);
  mm3_file_describe(file, &info);
  CHECK_EQ(info.superseded, 0);
  CHECK_EQ(mm3_wait(file, mm3_changes(file), 0), 0);
  CHECK_EQ(link(path, twin), 0);
  CHECK_OK(mm3_file_replace(file, twin, &error), error);
  mm3_file_describe(file, &info);
  CHECK_EQ(info.superseded, 0);
  mm3_close(file);
}

static void a_finished_file_takes_anothers_name(void) {
  const char *path = mm3test_path("a.mm3");
  struct mm3_error error = {0};
  struct mm3_file_info info = {0};
  struct mm3_file *old = sample_new(path), *now = sample_new(mm3test_path("b.mm3"));
  struct mm3_file *nameless = mm3_open_anonymous(MM3_TYPE(sample), NULL, &error);
  if (!old || !now || !CHECK(nameless != NULL)) return;
  CHECK_FAILS(mm3_file_replace(nameless, path, &error), -EINVAL, error);
  CHECK_FAILS(mm3_file_replace(now, mm3test_path("none/a.mm3"), &error), -ENOENT, error);
  CHECK_OK(mm3_file_replace(now, path, &error), error);
  CHECK_EQ(mm3_wait(old, mm3_changes(old), 5000), -MM3_E_SUPERSEDED);
  CHECK_EQ(mm3_wait(now, mm3_changes(now), 0), 0);
  mm3_file_describe(now, &info);
  CHECK_EQ(info.superseded, 0);
  CHECK_EQ(count_entries(mm3test_path(NULL)), 1);
  mm3_close(old), mm3_close(now), mm3_close(nameless);
}

static void replacing_overwrites_no_foreign_file_in_place(void) {
  const char *path = mm3test_path("text"), *twin = mm3test_path("twin");
  struct mm3_options options = {.size = sizeof options, .flags = MM3_REPLACE};
  char text[6] = {0};
  write_file(path, "words", 5);
  CHECK_EQ(link(path, twin), 0);
  struct mm3_file *file = mm3_create(path, MM3_TYPE(sample), &options, NULL);
  CHECK(file != NULL);
  mm3_close(file);
  int fd = open(twin, O_RDONLY);
  struct mm3_error error;
  CHECK_EQ(mkdir(mm3test_path("folder"), 0700), 0); /* nobody may replace a folder */
  CHECK(mm3_create(mm3test_path("folder"), MM3_TYPE(sample), &options, &error) == NULL);
  CHECK(error.code == -EISDIR || error.code == -EEXIST);
  CHECK_EQ(count_entries(mm3test_path(NULL)), 3);
  CHECK_EQ(read(fd, text, sizeof text), 5);
  CHECK_STR(text, "words");
  close(fd);
}

static void stale_temporaries_go_and_live_ones_stay(void) {
  const char *path = mm3test_path("a.mm3"), *stale = mm3test_path(".a.mm3.mm3-1-0123456789abcdef");
  const char *live = mm3test_path(".a.mm3.mm3-2-0123456789abcdef");
  const char *foreign = mm3test_path(".b.mm3.mm3-1-0123456789abcdef");
  struct mm3_options options = {.size = sizeof options, .flags = MM3_REPLACE};
  write_file(stale, "", 0), write_file(live, "", 0), write_file(foreign, "", 0);
  int fd = open(live, O_RDWR);
  CHECK_EQ(mm3i_ofd(fd, F_OFD_SETLK, F_WRLCK, MM3I_BYTE_MAKING), 0);
  mm3_close(mm3_create(path, MM3_TYPE(sample), &options, NULL));
  CHECK(access(path, F_OK) == 0);
  CHECK(access(stale, F_OK) < 0);
  CHECK(access(live, F_OK) == 0);
  CHECK(access(foreign, F_OK) == 0);
  close(fd);
}

/* Only what a maker names is a temporary: somebody's file may be called nearly so. */
static void files_that_are_named_nearly_so_stay(void) {
  const char *const names[] = {".a.mm3.mm3-",    ".a.mm3.mm3-old", ".a.mm3.mm3-1",
                               ".a.mm3.mm3-1-0", ".a.mm3.mm3-1-0123456789abcdeg", ".a.mm3.mm3-1-0123456789abcdef.old",
                               ".a.mm3.mm3--0123456789abcdef", ".a.mm3.mm3-x-0123456789abcdef"};
  const int count = sizeof names / sizeof names[0];
  struct mm3_options options = {.size = sizeof options, .flags = MM3_REPLACE};
  for (int i = 0; i < count; i++) write_file(mm3test_path(names[i]), "mine", 4);
  mm3_close(mm3_create(mm3test_path("a.mm3"), MM3_TYPE(sample), &options, NULL));
  CHECK_EQ(count_entries(mm3test_path(NULL)), count + 1);
  for (int i = 0; i < count; i++) CHECK(access(mm3test_path(names[i]), F_OK) == 0);
}

static int no_tmpfile_open(const char *path, int flags, mode_t mode) {
  if ((flags & O_TMPFILE) == O_TMPFILE) return errno = EOPNOTSUPP, -1;
  return open(path, flags, mode);
}
static int no_rename_noreplace(const char *from, const char *to) { return (void)from, (void)to, errno = EINVAL, -1; }

static int no_proc_open(const char *path, int flags, mode_t mode) {
  if (strncmp(path, "/proc/", 6) == 0) return errno = ENOENT, -1;
  return open(path, flags, mode);
}

static void a_poorer_system_creates_too(void) {
  struct mm3i_sys whole = mm3i_sys;
  for (int round = 0; round < 3; round++) {
    char name[16];
    snprintf(name, sizeof name, "%d.mm3", round);
    const char *path = mm3test_path(name);
    mm3i_sys.open = round == 2 ? no_proc_open : no_tmpfile_open;
    if (round > 0) mm3i_sys.rename_noreplace = no_rename_noreplace;
    struct mm3_file *file = sample_new(path);
    struct mm3_error error = {0};
    CHECK(mm3_create(path, MM3_TYPE(sample), NULL, &error) == NULL);
    CHECK_EQ(error.code, -EEXIST);
    if (file) CHECK_EQ(mm3_lock(file), 0);
    if (file) CHECK_EQ(mm3_unlock(file), 0);
    mm3_close(file);
    mm3i_sys = whole;
    CHECK_EQ(count_entries(mm3test_path(NULL)), round + 1);
    mm3_close(sample_open(path, 0));
  }
}

static void the_mode_is_as_asked(void) {
  struct stat st;
  mode_t mask = umask(027);
  struct mm3_options options = {.size = sizeof options};
  mm3_close(sample_new(mm3test_path("a.mm3")));
  CHECK_EQ(stat(mm3test_path("a.mm3"), &st), 0);
  CHECK_EQ(st.st_mode & 07777, 0640);
  options.mode = 0444;
  struct mm3_file *file = mm3_create(mm3test_path("b.mm3"), MM3_TYPE(sample), &options, NULL);
  if (CHECK(file != NULL)) CHECK_EQ(mm3_lock(file), 0), CHECK_EQ(mm3_unlock(file), 0);
  mm3_close(file);
  CHECK_EQ(stat(mm3test_path("b.mm3"), &st), 0);
  CHECK_EQ(st.st_mode & 07777, 0440);
  umask(mask);
}

static int creates_without_privilege(void *arg) {
  struct mm3_options options = {.size = sizeof options, .mode = 0444};
  if (chdir(mm3test_path(NULL)) < 0) return 1;
  /* a process that dropped its privileges may not look into its own /proc/self/fd either */
  if (geteuid() == 0 && (chmod(".", 0777) < 0 || setgid(65534) < 0 || setuid(65534) < 0)) return 1;
  (void)arg;
  struct mm3_file *file = mm3_create("a.mm3", MM3_TYPE(sample), &options, NULL);
  if (!file || mm3_lock(file) < 0 || mm3_unlock(file) < 0) return 2;
  return mm3_close(file) ? 3 : 0;
}

static void a_file_that_its_owner_may_not_write_is_created(void) {
  struct stat st;
  CHECK_EQ(mm3_module_register(&pair_module, NULL), 0);
  CHECK_EQ(mm3test_fork(creates_without_privilege, NULL), 0);
  CHECK_EQ(stat(mm3test_path("a.mm3"), &st), 0);
  CHECK_EQ(st.st_mode & 07777, 0444);
}

static void options_are_looked_at(void) {
  const char *path = mm3test_path("a.mm3");
  struct mm3_error error = {0};
  struct { struct mm3_options known; uint64_t newer; } large = {.known = {.size = sizeof large}};
  struct mm3_options options = {.flags = MM3_SPARSE};
  mm3_close(sample_new(path));
  CHECK(mm3_open(path, NULL, &options, &error) == NULL);
  CHECK_EQ(error.code, -EINVAL);
  options = (struct mm3_options){.size = sizeof options, .flags = 0x80000000u};
  CHECK(mm3_open(path, NULL, &options, &error) == NULL);
  CHECK_EQ(error.code, -EINVAL);
  struct mm3_file *file = mm3_open(path, NULL, &large.known, &error);
  CHECK(file != NULL);
  mm3_close(file);
  large.newer = 1;
  CHECK(mm3_open(path, NULL, &large.known, &error) == NULL);
  CHECK_EQ(error.code, -EINVAL);
  options = (struct mm3_options){.size = sizeof options, .limit = 5000};
  CHECK(mm3_create(mm3test_path("b.mm3"), MM3_TYPE(sample), &options, &error) == NULL);
  CHECK_EQ(error.code, -MM3_E_LIMIT);
  options = (struct mm3_options){.size = sizeof options, .flags = MM3_READ_ONLY};
  CHECK(mm3_create(mm3test_path("b.mm3"), MM3_TYPE(sample), &options, &error) == NULL);
  CHECK_EQ(error.code, -EINVAL);
  CHECK_EQ(count_entries(mm3test_path(NULL)), 1);
}

static void a_reader_never_writes(void) {
  const char *path = mm3test_path("a.mm3");
  struct mm3_file *file = sample_new(path);
  static unsigned char before[65536], after[65536];
  struct mm3_file_info info = {0};
  if (!file) return;
  mm3_close(file);
  /* as a dead writer leaves it: a reader must not tidy up */
  uint32_t lock = 5u << MM3I_LOCK_OWNER_SHIFT;
  spoil(path, offsetof(struct mm3i_super, lock), &lock, sizeof lock, false);
  int fd = open(path, O_RDONLY);
  ssize_t size = read(fd, before, sizeof before);
  if (!(file = sample_open(path, MM3_READ_ONLY))) return;
  CHECK(mm3_root(file, sample) == NULL);
  const struct sample *root = mm3_root_const(file, sample);
  CHECK(root != NULL && root->value == 0);
  CHECK_EQ(mm3_lock(file), -MM3_E_READ_ONLY);
  CHECK_EQ(mm3_unlock(file), -EPERM);
  CHECK_EQ(mm3_notify(file), -MM3_E_READ_ONLY);
  CHECK_EQ(mm3_wait(file, mm3_changes(file), 30), 0);
  CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  CHECK_EQ(mm3_file_describe(file, &info), 0);
  CHECK_EQ(info.writable, 0);
  char word[64];
  snprintf(word, sizeof word, "%s", "a.mm3");
  CHECK_EQ(count_maps(word), 1);
  FILE *maps = fopen("/proc/self/maps", "r");
  for (char line[4096]; maps && fgets(line, sizeof line, maps);)
    if (strstr(line, word)) CHECK_HAS(line, " r--s ");
  if (maps) fclose(maps);
  mm3_close(file);
  CHECK_EQ(pread(fd, after, sizeof after, 0), size);
  CHECK_MEM(before, after, (size_t)size);
  close(fd);
}

static void an_anonymous_file_has_no_name(void) {
  struct mm3_error error = {0};
  CHECK_OK(mm3_module_register(&pair_module, &error), error);
  struct mm3_file *file = mm3_open_anonymous(MM3_TYPE(sample), NULL, &error);
  if (!CHECK(file != NULL)) return;
  CHECK_EQ(mm3_lock(file), 0);
  mm3_root(file, sample)->value = 3;
  CHECK_EQ(mm3_unlock(file), 0);
  CHECK_EQ(mm3_sync(file), 0);
  CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  CHECK_EQ(mm3_close(file), 0);
}

static void plain_memory_becomes_a_valid_struct(void) {
  struct mm3_error error = {0};
  struct sample sample;
  memset(&sample, 0xff, sizeof sample);
  CHECK_OK(mm3_module_register(&pair_module, &error), error);
  CHECK_OK(mm3_init(&sample, MM3_TYPE(sample), &error), error);
  CHECK_EQ(sample.value, 0);
  CHECK_EQ(sample.both.a, 0);
}

static void a_schema_text_makes_a_file(void) {
  struct mm3_error error = {0};
  const char *path = mm3test_path("a.mm3");
  struct mm3_file *file = mm3_create_schema(path, "struct other { value: u64 }", NULL, &error);
  if (!CHECK(file != NULL)) return;
  mm3_root(file, other)->value = 5;
  mm3_close(file);
  CHECK(mm3_create_schema(mm3test_path("b.mm3"), "struct other { value u64 }", NULL, &error) == NULL);
  CHECK_EQ(error.code, -MM3_E_SCHEMA);
  CHECK_HAS(error.text, "b.mm3");
  CHECK(mm3_create_schema(mm3test_path("b.mm3"), "struct other { value: no_such(3) }", NULL, &error) == NULL);
  CHECK_EQ(error.code, -MM3_E_MODULE);
  CHECK_EQ(count_entries(mm3test_path(NULL)), 1);
}

static void bounds_are_those_of_the_file(void) {
  const char *path = mm3test_path("a.mm3");
  struct mm3_file *file = sample_new(path);
  if (!file) return;
  uint64_t length = file->limit;
  CHECK(mm3_at(file, 0, 1) == file->base);
  CHECK(mm3_at(file, length - 1, 1) == file->base + length - 1);
  CHECK(mm3_at(file, length, 0) != NULL);
  CHECK(mm3_at(file, length, 1) == NULL);
  CHECK(mm3_at(file, UINT64_MAX, 2) == NULL);
  CHECK(mm3_at(file, 1, UINT64_MAX) == NULL);
  CHECK_EQ(mm3_at_code(file, length, 1), -MM3_E_DAMAGED);
  CHECK_EQ(truncate(path, (off_t)length + 4096), 0);
  CHECK(mm3_at(file, length, 1) == NULL); /* this handle has mapped the file as it was */
  CHECK_EQ(mm3_at_code(file, length, 1), -MM3_E_RESERVE);
  mm3_close(file);
}

static int fsync_calls, msync_result;
static int counting_fsync(int fd) { return fsync_calls++, fsync(fd); }
static int failing_msync(void *base, size_t size, int flags) {
  if (msync_result) return errno = msync_result, -1;
  return msync(base, size, flags);
}

static void sync_syncs_the_folder_once_and_says_what_failed(void) {
  struct mm3_file *file = sample_new(mm3test_path("a.mm3"));
  struct mm3i_sys whole = mm3i_sys;
  struct mm3_file_info info = {0};
  if (!file) return;
  mm3i_sys.fsync = counting_fsync;
  mm3i_sys.msync = failing_msync;
  CHECK_EQ(mm3_sync(file), 0);
  CHECK_EQ(mm3_sync(file), 0);
  CHECK_EQ(fsync_calls, 1);
  mm3_file_describe(file, &info);
  CHECK_EQ(info.failed, 0);
  msync_result = EIO;
  CHECK_EQ(mm3_sync(file), -EIO);
  msync_result = 0;
  CHECK_EQ(mm3_sync(file), 0);
  mm3_file_describe(file, &info);
  CHECK_EQ(info.failed, 1);
  mm3i_sys = whole;
  mm3_close(file);
}

static void describe_says_who_and_how_much(void) {
  struct mm3_file *file = sample_new(mm3test_path("a.mm3"));
  struct mm3_file_info info = {0};
  if (!file) return;
  CHECK_EQ(mm3_lock(file), 0);
  CHECK_EQ(mm3_file_describe(file, &info), 0);
  CHECK_EQ(info.format, 1);
  CHECK_EQ(info.incarnation, 1);
  CHECK_EQ(info.length, file->limit);
  CHECK_EQ(info.nfields, 3);
  CHECK_EQ(info.root_size, sizeof(struct sample));
  CHECK_EQ(info.nowners, 1);
  CHECK_EQ(info.owners[0].pid, getpid());
  CHECK(info.owners[0].start_time > 0);
  CHECK_EQ(info.owners[0].alive, 1);
  CHECK_EQ(info.owners[0].holds_lock, 1);
  CHECK_EQ(info.locked, 1);
  CHECK_EQ(mm3_unlock(file), 0);
  mm3_close(file);
}

static int huge_calls;
static int counting_madvise(void *address, size_t length, int advice) {
  int placed = (uintptr_t)address % 0x200000 == 0 || strcmp(mm3test_tool(), "valgrind") == 0; /* which places maps itself */
  if (advice == MADV_HUGEPAGE && placed) huge_calls++;
  return madvise(address, length, advice);
}

#define LARGE(FIELD) FIELD(bytes, raw(8388608))
MM3_STRUCT(large, LARGE);

static void huge_pages_are_asked_for_when_wanted(void) {
  struct mm3_options options = {.size = sizeof options, .flags = MM3_HUGE_PAGES};
  struct mm3i_sys whole = mm3i_sys;
  const char *path = mm3test_path("large.mm3");
  mm3i_sys.madvise = counting_madvise;
  struct mm3_file *file = mm3_create(path, MM3_TYPE(large), &options, NULL);
  CHECK(file != NULL);
  if (file) mm3_root(file, large)->bytes[8388607] = 42;
  CHECK_EQ(mm3_close(file), 0);
  CHECK(huge_calls >= 1);
  huge_calls = 0;
  file = mm3_open(path, MM3_TYPE(large), &options, NULL);
  CHECK(file && mm3_root(file, large)->bytes[8388607] == 42);
  mm3_close(file);
  CHECK_EQ(huge_calls, 1);
  file = mm3_open(path, MM3_TYPE(large), NULL, NULL);
  mm3_close(file);
  CHECK_EQ(huge_calls, 1);
  mm3i_sys = whole;
}

MM3_TEST_SUITE("file", {"a new file keeps what is stored", a_new_file_keeps_what_is_stored},
               {"two handles of a file share its bytes", two_handles_share_the_bytes},
               {"the superblock lies as the format says", the_superblock_lies_as_the_format_says},
               {"a name that exists is not created again", a_name_that_exists_is_not_created_again},
               {"open or create opens what is there", open_or_create_opens_what_is_there},
               {"replacing tells the users of the old file", replacing_tells_the_users_of_the_old_file},
               {"a file that takes its own name is not superseded", a_file_that_takes_its_own_name_is_not_superseded},
               {"a finished file takes another's name", a_finished_file_takes_anothers_name},
               {"replacing overwrites no foreign file in place", replacing_overwrites_no_foreign_file_in_place},
               {"stale temporaries go and live ones stay", stale_temporaries_go_and_live_ones_stay},
               {"files that are named nearly so stay", files_that_are_named_nearly_so_stay},
               {"a poorer system creates too", a_poorer_system_creates_too},
               {"the mode is as asked", the_mode_is_as_asked},
               {"a file that its owner may not write is created", a_file_that_its_owner_may_not_write_is_created},
               {"options are looked at", options_are_looked_at}, {"a reader never writes", a_reader_never_writes},
               {"an anonymous file has no name", an_anonymous_file_has_no_name},
               {"plain memory becomes a valid struct", plain_memory_becomes_a_valid_struct},
               {"a schema's text makes a file", a_schema_text_makes_a_file},
               {"bounds are those of the file", bounds_are_those_of_the_file},
               {"sync syncs the folder once and says what failed", sync_syncs_the_folder_once_and_says_what_failed},
               {"huge pages are asked for when wanted", huge_pages_are_asked_for_when_wanted},
               {"describe says who and how much", describe_says_who_and_how_much})

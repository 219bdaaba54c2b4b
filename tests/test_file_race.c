/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Many processes create and open one name at once; full disks. */
#include "mm3files.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { RACERS = 16 };

struct race {
  uint32_t go, exclusive, ready;
  int created[RACERS], codes[RACERS];
  uint8_t uuids[RACERS][16];
  const char *path;
  uint32_t flags;
};
static struct race *race;
struct racer { int number; };

static int races(void *arg) {
  int number = ((struct racer *)arg)->number;
  struct mm3_error error = {0};
  struct mm3_file_info info = {0};
  struct mm3_options options = {.size = sizeof options, .flags = race->flags};
  __atomic_fetch_add(&race->ready, 1, __ATOMIC_SEQ_CST);
  while (!LOOK(race->go)) sched_yield();
  struct mm3_file *file = race->exclusive ? mm3_create(race->path, MM3_TYPE(sample), &options, &error)
                                          : mm3_open_or_create(race->path, MM3_TYPE(sample), &options, &error);
  race->codes[number] = error.code;
  if (!file) return race->exclusive && error.code == -EEXIST ? 0 : 1;
  race->created[number] = 1;
  mm3_file_describe(file, &info);
  memcpy(race->uuids[number], info.uuid, 16);
  struct sample *root = mm3_root(file, sample);
  for (int i = 0; i < 100; i++) {
    if (mm3_lock(file) < 0) return 2;
    pair_set_held(file, SAMPLE_BOTH, &root->both, root->both.a + 1);
    if (mm3_unlock(file) < 0) return 3;
  }
  return mm3_close(file) ? 4 : 0;
}

static int run_race(const char *path, uint32_t exclusive, uint32_t flags) {
  pid_t children[RACERS];
  struct racer racers[RACERS];
  int created = 0;
  race = mmap(NULL, sizeof *race, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  race->path = path, race->exclusive = exclusive, race->flags = flags;
  CHECK_EQ(mm3_module_register(&pair_module, NULL), 0);
  for (int i = 0; i < RACERS; i++) racers[i].number = i, children[i] = mm3test_spawn(races, &racers[i]);
  while (LOOK(race->ready) < RACERS) mm3test_sleep_ms(1);
  PUT(race->go, 1);
  for (int i = 0; i < RACERS; i++) CHECK_EQ(mm3test_wait(children[i]), 0);
  for (int i = 0; i < RACERS; i++) created += race->created[i];
  return created;
}

static void exactly_one_of_many_creates(void) {
  for (int round = 0; round < 8; round++) {
    char name[16];
    snprintf(name, sizeof name, "%d.mm3", round);
    CHECK_EQ(run_race(mm3test_path(name), 1, 0), 1);
    CHECK_EQ(count_entries(mm3test_path(NULL)), round + 1);
    munmap(race, sizeof *race);
  }
}

static void all_open_or_create_the_same_file(void) {
  for (int round = 0; round < 8; round++) {
    char name[16];
    snprintf(name, sizeof name, "%d.mm3", round);
    const char *path = mm3test_path(name);
    CHECK_EQ(run_race(path, 0, 0), RACERS);
    for (int i = 1; i < RACERS; i++) CHECK_MEM(race->uuids[i], race->uuids[0], 16);
    struct mm3_file *file = sample_open(path, 0);
    if (file) CHECK_EQ(mm3_root(file, sample)->both.a, RACERS * 100);
    if (file) CHECK_EQ(mm3_check(file, NULL, NULL), 0);
    mm3_close(file);
    munmap(race, sizeof *race);
  }
}

static void replacers_leave_one_whole_file(void) {
  const char *path = mm3test_path("a.mm3");
  CHECK_EQ(run_race(path, 1, MM3_REPLACE), RACERS);
  CHECK_EQ(count_entries(mm3test_path(NULL)), 1);
  struct mm3_file *file = sample_open(path, 0);
  if (file) CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  mm3_close(file);
  munmap(race, sizeof *race);
}

/* ---- no room ---------------------------------------------------------------------------------------------------------- */

static int limited(void *arg) {
  struct rlimit limit = {1 << 20, 1 << 20};
  struct mm3_error error = {0};
  if (setrlimit(RLIMIT_FSIZE, &limit) < 0) return 1;
  if (mm3_create_schema(arg, "struct big { bytes: raw(8388608) }", NULL, &error)) return 2;
  return error.code == -EFBIG && strstr(error.text, arg) ? 0 : 3;
}

static void a_file_size_limit_leaves_nothing_behind(void) {
  CHECK_EQ(mm3test_fork(limited, (char *)(uintptr_t)mm3test_path("big.mm3")), 0);
  CHECK_EQ(count_entries(mm3test_path(NULL)), 0);
}

/* A sparse file is lengthened by ftruncate(2), which sends SIGXFSZ too. */
static int limited_sparse(void *arg) {
  struct rlimit limit = {1 << 20, 1 << 20};
  struct mm3_options options = {.size = sizeof options, .flags = MM3_SPARSE};
  struct mm3_error error = {0};
  if (setrlimit(RLIMIT_FSIZE, &limit) < 0) return 1;
  if (mm3_create_schema(arg, "struct big { bytes: raw(8388608) }", &options, &error)) return 2;
  return error.code == -EFBIG && strstr(error.text, arg) ? 0 : 3;
}

static void a_file_size_limit_is_an_error_for_sparse_files(void) {
  CHECK_EQ(mm3test_fork(limited_sparse, (char *)(uintptr_t)mm3test_path("big.mm3")), 0);
  CHECK_EQ(count_entries(mm3test_path(NULL)), 0);
}

/* The limit is below the pages that an opener writes its name to: a write there would be a SIGXFSZ. */
static int opens_under_a_limit(void *arg) {
  struct rlimit limit = {4096, 4096};
  struct mm3_error error = {0};
  if (setrlimit(RLIMIT_FSIZE, &limit) < 0) return 1;
  struct mm3_file *file = mm3_open(arg, NULL, NULL, &error);
  if (!file) return 2;
  if (mm3_lock(file) != 0 || mm3_unlock(file) != 0) return 3;
  struct mm3_file_info info = {.size = sizeof info};
  if (mm3_file_describe(file, &info) < 0 || info.nowners != 1 || info.owners[0].pid != (uint32_t)getpid()) return 4;
  return mm3_close(file) ? 5 : 0;
}

static void a_file_size_limit_does_not_kill_who_opens(void) {
  struct mm3_error error = {0};
  const char *path = mm3test_path("a.mm3");
  struct mm3_file *file = mm3_create_schema(path, "struct small { value: u64 }", NULL, &error);
  CHECK_OK(file ? 0 : -1, error);
  CHECK_EQ(mm3_close(file), 0);
  CHECK_EQ(mm3test_fork(opens_under_a_limit, (char *)(uintptr_t)path), 0);
}

static int on_a_small_disk(void *arg) {
  const char *folder = arg;
  char path[512];
  struct mm3_error error = {0};
  struct mm3_options options = {.size = sizeof options, .flags = MM3_REPLACE};
  snprintf(path, sizeof path, "%s/a.mm3", folder);
  struct mm3_file *file = mm3_create_schema(path, "struct small { value: u64 }", NULL, &error);
  if (!file || mm3_close(file)) return 1;
  for (int round = 0; round < 2; round++) { /* without a name, and with a temporary one */
    char big[512];
    snprintf(big, sizeof big, "%s/%s", folder, round ? "a.mm3" : "big.mm3");
    if (mm3_create_schema(big, "struct big { bytes: raw(8388608) }", round ? &options : NULL, &error)) return 2;
    if (error.code != -ENOSPC || !strstr(error.text, big)) return 3;
    if (count_entries(folder) != 1) return 4;
  }
  if (!(file = mm3_open(path, NULL, NULL, &error)) || mm3_check(file, NULL, NULL)) return 5;
  return mm3_close(file) ? 6 : 0;
}

static void a_full_disk_leaves_nothing_behind(void) {
  char *folder = (char *)(uintptr_t)mm3test_path(NULL);
  int result = mm3test_fork_mounted(folder, "size=1m", on_a_small_disk, folder);
  if (result == MM3TEST_NO_MOUNT) mm3test_skip("mounting a small tmpfs needs root");
  else CHECK_EQ(result, 0);
}

static int on_a_read_only_disk(void *arg) {
  char path[512];
  struct mm3_error error = {0};
  snprintf(path, sizeof path, "%s/a.mm3", (const char *)arg);
  if (refusal(path, 0, &error) != -EROFS || !strstr(error.text, path)) return 2;
  if (refusal(path, MM3_READ_ONLY, &error) != 0) return 3;
  snprintf(path, sizeof path, "%s/b.mm3", (const char *)arg);
  if (mm3_create(path, MM3_TYPE(sample), NULL, &error) || error.code != -EROFS) return 4;
  return 0;
}

static void a_read_only_disk_is_read(void) {
  char *folder = (char *)(uintptr_t)mm3test_path(NULL);
  struct mm3_file *file = sample_new(mm3test_path("a.mm3"));
  if (!CHECK(file != NULL)) return;
  CHECK_EQ(mm3_close(file), 0);
  int result = mm3test_fork_mounted(folder, "ro", on_a_read_only_disk, folder);
  if (result == MM3TEST_NO_MOUNT) mm3test_skip("mounting read-only needs root");
  else CHECK_EQ(result, 0);
}

MM3_TEST_SUITE("file race", {"exactly one of many creates", exactly_one_of_many_creates},
               {"all open or create the same file", all_open_or_create_the_same_file},
               {"replacers leave one whole file", replacers_leave_one_whole_file},
               {"a file size limit leaves nothing behind", a_file_size_limit_leaves_nothing_behind},
               {"a file size limit is an error for sparse files", a_file_size_limit_is_an_error_for_sparse_files},
               {"a file size limit does not kill who opens", a_file_size_limit_does_not_kill_who_opens},
               {"a full disk leaves nothing behind", a_full_disk_leaves_nothing_behind},
               {"a read-only disk is read", a_read_only_disk_is_read})

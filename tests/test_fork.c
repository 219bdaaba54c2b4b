/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What a forked child has of its parent's handles: all of them, none of their locks, and slots of its own. */
#include "mm3files.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

enum { FILES = 4 };

/* Three files, the first of them twice. */
static bool open_some(struct mm3_file *files[FILES]) {
  char name[16];
  bool good = true;
  for (int i = 0; i < FILES - 1; i++) {
    snprintf(name, sizeof name, "%d.mm3", i);
    good = (files[i] = sample_new(mm3test_path(name))) && good;
  }
  return (files[FILES - 1] = sample_open(mm3test_path("0.mm3"), 0)) && good;
}

static int descriptors;
static int finds_its_own(void *arg) {
  struct mm3_file **files = arg;
  if (count_descriptors() != descriptors - FILES) return 1; /* the parent's slots are no longer held by us */
  for (int i = 0; i < FILES; i++) {
    const struct mm3i_handle *handle = mm3i_handle_of(files[i]);
    if (mm3_locked(files[i]) || mm3_unlock(files[i]) != -EPERM) return 2;
    if (handle->control >= 0 || handle->slot != MM3I_NO_SLOT) return 3;
    mm3_root(files[i], sample)->value++;
  }
  if (mm3_lock_for(files[0], 20) != -MM3_E_BUSY || mm3_lock_for(files[2], 20) != -MM3_E_BUSY) return 4;
  if (mm3_lock_for(files[3], 20) != -MM3_E_BUSY) return 5; /* of the first file, which the parent has */
  if (mm3_lock(files[1]) != 0) return 6;
  /* on one file parent and child have four slots, on another two */
  if (mm3i_handle_of(files[0])->slot == mm3i_handle_of(files[3])->slot) return 7;
  if (mm3i_handle_of(files[1])->slot != 1 || mm3i_handle_of(files[2])->slot != 1) return 8;
  if (mm3_close(files[1]) != -EBUSY || mm3_unlock(files[1]) != 0) return 9;
  for (int i = 0; i < FILES; i++)
    if (mm3_close(files[(i + 2) % FILES]) != 0) return 10;
  return count_descriptors() == descriptors - 2 * FILES ? 0 : 11;
}

static void a_child_has_slots_of_its_own_in_every_file(void) {
  struct mm3_file *files[FILES];
  if (!open_some(files)) return;
  CHECK_EQ(mm3_lock(files[0]), 0);
  CHECK_EQ(mm3_lock(files[2]), 0);
  descriptors = count_descriptors();
  CHECK_EQ(mm3test_fork(finds_its_own, files), 0);
  CHECK_EQ(count_descriptors(), descriptors);
  CHECK_EQ(mm3_root(files[0], sample)->value, 2);
  CHECK_EQ(mm3_root(files[1], sample)->value, 1);
  CHECK_EQ(mm3_lock_for(files[3], 20), -MM3_E_BUSY); /* the child took nothing of ours away */
  CHECK_EQ(mm3_unlock(files[0]), 0);
  CHECK_EQ(mm3_unlock(files[2]), 0);
  for (int i = 0; i < FILES; i++) {
    CHECK_EQ(mm3_lock(files[i]), 0);
    CHECK_EQ(mm3_unlock(files[i]), 0);
    CHECK_EQ(mm3_close(files[i]), 0);
  }
}

static int grandchild(void *arg) {
  struct mm3_file **files = arg;
  for (int i = 0; i < FILES; i++)
    if (mm3_lock_for(files[i], 20) != (i == 1 ? -MM3_E_BUSY : 0)) return 1 + i;
  return 0; /* ends with the locks */
}

/* A child that took slots forks again; what the grandchild dies with the child recovers. */
static int forks_again(void *arg) {
  struct mm3_file **files = arg;
  mm3_close(files[3]);
  files[3] = sample_open(mm3test_path("2.mm3"), 0); /* a handle that the parent does not know */
  if (!files[3] || mm3_lock(files[1]) != 0) return 1;
  mm3_close(files[2]);
  files[2] = files[3], files[3] = sample_open(mm3test_path("0.mm3"), 0);
  pid_t child = fork();
  if (child == 0) {
    mm3_close(files[3]);
    files[3] = sample_new(mm3test_path("new.mm3"));
    _exit(grandchild(files));
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (status) return 10 + WEXITSTATUS(status);
  for (int i = 0; i < 3; i++)
    if (mm3_lock(files[i]) < 0 && i != 1) return 30 + i;
  return mm3_unlock(files[1]) ? 40 : 0;
}

static void a_childs_child_too(void) {
  struct mm3_file *files[FILES];
  if (!open_some(files)) return;
  CHECK_EQ(mm3test_fork(forks_again, files), 0);
  for (int i = 0; i < FILES; i++) {
    CHECK(mm3_lock(files[i]) >= 0); /* the child died with some */
    CHECK_EQ(mm3_unlock(files[i]), 0);
    CHECK_EQ(mm3_close(files[i]), 0);
  }
}

/* ---- a fork while a handle is closed -------------------------------------------------------------------------------- */

static pid_t forked;
static int fork_and_fstat(int fd, struct stat *st) {
  mm3i_sys.fstat = fstat;
  if ((forked = fork()) == 0)
    for (;;) pause();
  return fstat(fd, st);
}

/* Another thread may fork at any time: its child must not keep the slot, or the opening, of who closes. */
static void a_fork_during_a_close_keeps_no_slot(void) {
  const char *path = mm3test_path("a.mm3");
  struct mm3_file *file = sample_new(path), *other = sample_open(path, 0);
  if (!file || !other) return;
  uint32_t slot = mm3i_handle_of(file)->slot;
  CHECK(mm3i_slot_alive(mm3i_handle_of(other), slot));
  mm3i_sys.fstat = fork_and_fstat;
  CHECK_EQ(mm3_close(file), 0);
  CHECK(forked > 0);
  for (int i = 0; i < 1000 && mm3i_slot_alive(mm3i_handle_of(other), slot); i++) mm3test_sleep_ms(1); /* its own pace */
  CHECK(!mm3i_slot_alive(mm3i_handle_of(other), slot));
  if (forked > 0) kill(forked, SIGKILL), waitpid(forked, NULL, 0);
  mm3_close(other);
}

/* ---- a fork while a module is looked for ------------------------------------------------------------------------------ */

static uint32_t looking;
static int (*open_for_real)(const char *path, int flags, mode_t mode);
static int slow_open(const char *path, int flags, mode_t mode) {
  PUT(looking, 1);
  mm3test_sleep_ms(100);
  return open(path, flags, mode);
}

static void *looks(void *arg) {
  return mm3_kind_find("nobodys", 1, NULL) ? arg : NULL;
}

static int looks_too(void *arg) {
  (void)arg;
  mm3i_sys.open = open_for_real;
  alarm(10);
  return mm3_kind_find("nobodys", 1, NULL) ? 1 : 0;
}

static void a_fork_while_a_module_is_looked_for_blocks_no_child(void) {
  struct mm3i_sys whole = mm3i_sys;
  pthread_t thread;
  open_for_real = whole.open;
  mm3i_sys.open = slow_open;
  CHECK_EQ(pthread_create(&thread, NULL, looks, NULL), 0);
  while (!LOOK(looking)) mm3test_sleep_ms(1);
  CHECK_EQ(mm3test_fork(looks_too, NULL), 0);
  pthread_join(thread, NULL);
  mm3i_sys = whole;
}

MM3_TEST_SUITE("fork", {"a child has slots of its own in every file", a_child_has_slots_of_its_own_in_every_file},
               {"a child's child too", a_childs_child_too},
               {"a fork during a close keeps no slot", a_fork_during_a_close_keeps_no_slot},
               {"a fork while a module is looked for blocks no child", a_fork_while_a_module_is_looked_for_blocks_no_child})

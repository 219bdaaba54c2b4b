/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Every system call of create, open, lock, sync and close fails once, at each place where it is made: the call that
 * needed it says so, nothing leaks, nothing is left behind, and the file is as good as before. */
#include "mm3files.h"

#include <sys/mman.h>
#include <sys/vfs.h>

static struct mm3i_sys whole;
static int calls, fail_at, fail_errno;
static const char *failed; /* the call that did */

static int fails(const char *name) {
  if (++calls != fail_at) return 0;
  failed = name;
  errno = fail_errno;
  return 1;
}

#define WRAP(type, name, params, args, bad) \
  static type f_##name params { return fails(#name) ? (bad) : whole.name args; }
WRAP(int, open, (const char *path, int flags, mode_t mode), (path, flags, mode), -1)
WRAP(int, fstat, (int fd, struct stat *st), (fd, st), -1)
WRAP(ssize_t, readlink, (const char *path, char *target, size_t size), (path, target, size), -1)
WRAP(int, ftruncate, (int fd, off_t length), (fd, length), -1)
WRAP(int, fallocate, (int fd, int mode, off_t offset, off_t length), (fd, mode, offset, length), -1)
WRAP(int, fsync, (int fd), (fd), -1)
WRAP(int, fcntl_lock, (int fd, int command, struct flock *lock), (fd, command, lock), -1)
WRAP(int, flock, (int fd, int operation), (fd, operation), -1)
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode), -1)
WRAP(int, list, (const char *folder, void (*each)(void *, const char *), void *arg), (folder, each, arg), -1)
WRAP(ssize_t, pread, (int fd, void *bytes, size_t size, off_t offset), (fd, bytes, size, offset), -1)
WRAP(ssize_t, pwrite, (int fd, const void *bytes, size_t size, off_t offset), (fd, bytes, size, offset), -1)
WRAP(void *, mmap, (void *address, size_t length, int prot, int flags, int fd, off_t offset),
     (address, length, prot, flags, fd, offset), MAP_FAILED)
WRAP(int, msync, (void *address, size_t length, int flags), (address, length, flags), -1)
WRAP(int, madvise, (void *address, size_t length, int advice), (address, length, advice), -1)
WRAP(int, memfd_create, (const char *name, unsigned flags), (name, flags), -1)
WRAP(int, link_fd, (int fd, const char *path), (fd, path), -1)
WRAP(int, rename_noreplace, (const char *from, const char *to), (from, to), -1)
WRAP(int, rename, (const char *from, const char *to), (from, to), -1)
WRAP(int, link, (const char *from, const char *to), (from, to), -1)
WRAP(int, unlink, (const char *path), (path), -1)
WRAP(int, getrandom, (void *bytes, size_t size), (bytes, size), -1)
WRAP(void *, malloc, (size_t size), (size), NULL)
WRAP(void *, calloc, (size_t count, size_t size), (count, size), NULL)
WRAP(void *, realloc, (void *old, size_t size), (old, size), NULL)

static void arm(int at, int code) {
#define ARM(name) mm3i_sys.name = f_##name
  ARM(open), ARM(fstat), ARM(readlink), ARM(ftruncate), ARM(fallocate), ARM(fsync), ARM(fcntl_lock), ARM(flock);
  ARM(fchmod), ARM(list), ARM(pread), ARM(pwrite), ARM(mmap), ARM(msync), ARM(madvise), ARM(memfd_create);
  ARM(link_fd), ARM(rename_noreplace), ARM(rename), ARM(link), ARM(unlink), ARM(getrandom);
  ARM(malloc), ARM(calloc), ARM(realloc);
  calls = 0, fail_at = at, fail_errno = code, failed = NULL;
}

static void disarm(void) { mm3i_sys = whole; }

struct scenario {
  const char *name;
  struct mm3_file *(*open)(const char *path, struct mm3_error *);
  bool creates;                /* the name is not there before, and must not be after a failure */
};

static struct mm3_file *do_create(const char *path, struct mm3_error *error) {
  return mm3_create(path, MM3_TYPE(sample), NULL, error);
}
static struct mm3_file *do_sparse(const char *path, struct mm3_error *error) {
  struct mm3_options options = {.size = sizeof options, .flags = MM3_SPARSE};
  return mm3_create(path, MM3_TYPE(sample), &options, error);
}
static struct mm3_file *do_replace(const char *path, struct mm3_error *error) {
  struct mm3_options options = {.size = sizeof options, .flags = MM3_REPLACE};
  return mm3_create(path, MM3_TYPE(sample), &options, error);
}
static struct mm3_file *do_open(const char *path, struct mm3_error *error) {
  return mm3_open(path, MM3_TYPE(sample), NULL, error);
}
static struct mm3_file *do_read(const char *path, struct mm3_error *error) {
  struct mm3_options options = {.size = sizeof options, .flags = MM3_READ_ONLY};
  return mm3_open(path, NULL, &options, error);
}
static struct mm3_file *do_open_or_create(const char *path, struct mm3_error *error) {
  return mm3_open_or_create(path, MM3_TYPE(sample), NULL, error);
}
static struct mm3_file *do_anonymous(const char *path, struct mm3_error *error) {
  (void)path;
  return mm3_open_anonymous(MM3_TYPE(sample), NULL, error);
}

static const struct scenario scenarios[] = {
    {"create", do_create, true},
    {"create sparse", do_sparse, true},
    {"replace nothing", do_replace, true},
    {"replace", do_replace, false},
    {"open", do_open, false},
    {"open read-only", do_read, false},
    {"open or create, opening", do_open_or_create, false},
    {"open or create, creating", do_open_or_create, true},
    {"anonymous", do_anonymous, true},
};

/* One run with the k-th call failing. Returns 0 when there was no k-th call. */
static int run_once(const struct scenario *s, int k, int code) {
  const char *path = mm3test_path("a.mm3"), *folder = mm3test_path(NULL);
  struct mm3_error error = {0};
  if (s->creates) unlink(path);
  else if (access(path, F_OK) < 0) mm3_close(sample_new(path));
  int entries = count_entries(folder), descriptors = count_descriptors(), maps = count_maps("/a.mm3");
  arm(k, code);
  struct mm3_file *file = s->open(path, &error);
  disarm();
  const char *at = failed;
  if (file) {
    CHECK_EQ(mm3_check(file, NULL, NULL), 0);
    mm3_close(file);
  } else {
    int ok = CHECK(error.code < 0) & CHECK(error.text[0] != 0) & CHECK(at != NULL);
    if (at && strcmp(at, "unlink") != 0) ok &= CHECK_EQ(count_entries(folder), entries);
    if (!ok) printf("%s: call %d, %s: %s (%d)\n", s->name, k, at ? at : "none", error.text, error.code);
  }
  if (!CHECK_EQ(count_descriptors(), descriptors)) printf("%s: call %d, %s leaks\n", s->name, k, at);
  if (!CHECK_EQ(count_maps("/a.mm3"), maps)) printf("%s: call %d, %s leaks\n", s->name, k, at);
  if (!s->creates) mm3_close(sample_open(path, 0)); /* what was there opens as before */
  return at != NULL;
}

static void run_all(int code) {
  whole = mm3i_sys;
  CHECK_EQ(mm3_module_register(&pair_module, NULL), 0);
  for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
    int k = 1;
    while (run_once(&scenarios[i], k, code) && k < 500) k++;
    CHECK(k > 8 && k < 500);
  }
}

static void each_call_fails_with_eio(void) { run_all(EIO); }
static void each_call_fails_with_enomem(void) { run_all(ENOMEM); }
static void each_call_fails_with_eacces(void) { run_all(EACCES); }
static void each_call_fails_with_enoent(void) { run_all(ENOENT); }
static void each_call_fails_with_einval(void) { run_all(EINVAL); }
static void each_call_fails_with_enospc(void) { run_all(ENOSPC); }

static int only_locks_fail(int fd, int command, struct flock *lock) {
  (void)fd, (void)command, (void)lock;
  return errno = EINVAL, -1;
}

static void without_ofd_locks_there_is_one_writer(void) {
  const char *path = mm3test_path("a.mm3");
  struct mm3_error error;
  mm3i_sys.fcntl_lock = only_locks_fail;
  struct mm3_file *file = sample_new(path);
  if (file) {
    CHECK_EQ(refusal(path, 0, &error), -MM3_E_BUSY);
    CHECK_HAS(error.text, "second writer");
    CHECK_EQ(refusal(path, MM3_READ_ONLY, &error), 0);
    CHECK_EQ(mm3_lock(file), 0);
    CHECK_EQ(mm3_unlock(file), 0);
    uint32_t stale = 9u << MM3I_LOCK_OWNER_SHIFT;
    PUT(mm3i_handle_of(file)->super->lock, stale);
    CHECK_EQ(mm3_trylock(file), 1);
    CHECK_EQ(mm3_unlock(file), 0);
    mm3_close(file);
  }
  mm3_close(sample_open(path, 0));
  mm3i_sys = whole;
}

static int no_fallocate(int fd, int mode, off_t offset, off_t length) {
  (void)fd, (void)mode, (void)offset, (void)length;
  return errno = EOPNOTSUPP, -1;
}

static void without_fallocate_zeros_are_written(void) {
  const char *path = mm3test_path("a.mm3");
  struct stat st;
  mm3i_sys.fallocate = no_fallocate;
  mm3_close(sample_new(path));
  mm3i_sys = whole;
  CHECK_EQ(stat(path, &st), 0);
  CHECK(st.st_blocks * 512 >= st.st_size);
}

static void sparse_files_have_holes(void) {
  const char *path = mm3test_path("a.mm3");
  struct mm3_options options = {.size = sizeof options, .flags = MM3_SPARSE};
  struct stat st;
  struct mm3_file *file = mm3_create_schema(path, "struct big { bytes: raw(268435456) }", &options, NULL);
  CHECK(file != NULL);
  mm3_close(file);
  CHECK_EQ(stat(path, &st), 0);
  CHECK(st.st_size > 268435456 && st.st_blocks * 512 < 1 << 20);
}

int main(int argc, char **argv) {
  static const struct mm3test_case cases[] = {
      {"each call fails with EIO", each_call_fails_with_eio},
      {"each call fails with ENOMEM", each_call_fails_with_enomem},
      {"each call fails with EACCES", each_call_fails_with_eacces},
      {"each call fails with ENOENT", each_call_fails_with_enoent},
      {"each call fails with EINVAL", each_call_fails_with_einval},
      {"each call fails with ENOSPC", each_call_fails_with_enospc},
      {"without OFD locks there is one writer", without_ofd_locks_there_is_one_writer},
      {"without fallocate zeros are written", without_fallocate_zeros_are_written},
      {"sparse files have holes", sparse_files_have_holes},
  };
  whole = mm3i_sys;
  return mm3test_main(argc, argv, "file faults", cases, sizeof cases / sizeof cases[0]);
}

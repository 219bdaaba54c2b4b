/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Every system call and every allocation fails once, at each place where it is made, in everything that is done to a file
 * of each kind: a code and a sentence come back, what was there stands, the file passes its check and takes the operation
 * when it is tried again, nothing leaks. test_file_faults.c has create and open.
 *
 * Allocations of modules and libraries are reached too, by malloc itself, whoever gives the memory: the C library or a
 * sanitizer.
 * Each failure has each code in torture; in make check one code a kind of call, in turn.
 */
#include "../modules/all_modules.h"
#include "hostile/victims.h"
#include "kill/texts.h"
#include "mm3files.h"

#include <dlfcn.h>
#include <mm3/hashmap.h>
#include <mm3/heap.h>
#include <mm3/repair.h>
#include <mm3/segmented.h>
#include <mm3/text.h>
#include <sys/mman.h>

/* ---- what fails ---- */

static struct mm3i_sys whole;
static int armed, paused, calls, fail_at, fail_errno;
static const char *failed;

/* malloc may be called before a sanitizer has begun. */
#define EARLY __attribute__((no_sanitize("address", "thread", "undefined")))

EARLY static int fails(const char *name) {
  if (!armed || paused || ++calls != fail_at) return 0;
  failed = name;
  errno = fail_errno;
  return 1;
}

/* A sanitizer's own, by the names that it gives them for this. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SANITIZED 1
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifdef SANITIZED
#define REAL(name) __interceptor_##name
#else
#define REAL(name) __libc_##name
#endif

#if defined __GLIBC__
void *REAL(malloc)(size_t size);
void *REAL(calloc)(size_t count, size_t size);
void *REAL(realloc)(void *old, size_t size);
EARLY void *malloc(size_t size) { return fails("malloc") ? NULL : REAL(malloc)(size); }
EARLY void *calloc(size_t count, size_t size) { return fails("calloc") ? NULL : REAL(calloc)(count, size); }
EARLY void *realloc(void *old, size_t size) { return fails("realloc") ? NULL : REAL(realloc)(old, size); }
#else
static void *f_malloc(size_t size) { return fails("malloc") ? NULL : malloc(size); }
static void *f_calloc(size_t count, size_t size) { return fails("calloc") ? NULL : calloc(count, size); }
static void *f_realloc(void *old, size_t size) { return fails("realloc") ? NULL : realloc(old, size); }
#define OWN_ALLOCATIONS 1
#endif

#define WRAP(type, name, params, args, bad) \
  static type f_##name params { return fails(#name) ? (bad) : whole.name args; }
WRAP(int, open, (const char *path, int flags, mode_t mode), (path, flags, mode), -1)
WRAP(int, fstat, (int fd, struct stat *st), (fd, st), -1)
WRAP(ssize_t, readlink, (const char *path, char *target, size_t size), (path, target, size), -1)
WRAP(int, ftruncate, (int fd, off_t length), (fd, length), -1)
WRAP(int, fallocate, (int fd, int mode, off_t offset, off_t length), (fd, mode, offset, length), -1)
WRAP(int, fsync, (int fd), (fd), -1)
WRAP(int, fcntl_lock, (int fd, int command, struct flock *lock), (fd, command, lock), -1)
WRAP(ssize_t, pread, (int fd, void *bytes, size_t size, off_t offset), (fd, bytes, size, offset), -1)
WRAP(ssize_t, pwrite, (int fd, const void *bytes, size_t size, off_t offset), (fd, bytes, size, offset), -1)
WRAP(void *, mmap, (void *address, size_t length, int prot, int flags, int fd, off_t offset),
     (address, length, prot, flags, fd, offset), MAP_FAILED)
WRAP(int, msync, (void *address, size_t length, int flags), (address, length, flags), -1)
WRAP(int, madvise, (void *address, size_t length, int advice), (address, length, advice), -1)
WRAP(int, getrandom, (void *bytes, size_t size), (bytes, size), -1)
WRAP(int, unlink, (const char *path), (path), -1)

static void arm(int at, int code) {
#define ARM(name) mm3i_sys.name = f_##name
  ARM(open), ARM(fstat), ARM(readlink), ARM(ftruncate), ARM(fallocate), ARM(fsync), ARM(fcntl_lock), ARM(pread), ARM(pwrite);
  ARM(mmap), ARM(msync), ARM(madvise), ARM(getrandom), ARM(unlink);
#ifdef OWN_ALLOCATIONS
  ARM(malloc), ARM(calloc), ARM(realloc);
#endif
  calls = 0, fail_at = at, fail_errno = code, failed = NULL, armed = 1;
}

static void disarm(void) {
  armed = 0;
  mm3i_sys = whole;
}

/* Not in jansson's parser: it goes on with half a token when its buffer cannot grow, and leaves its memory. */
json_t *json_loadb(const char *bytes, size_t size, size_t flags, json_error_t *why) {
  static json_t *(*next)(const char *, size_t, size_t, json_error_t *);
  paused++;
  if (!next) *(void **)(void *)&next = dlsym(RTLD_NEXT, "json_loadb");
  json_t *json = next(bytes, size, flags, why);
  paused--;
  return json;
}

/* ---- what is done ---- */

#define GROWING(FIELD) \
  FIELD(log, segmented(u64)) FIELD(name, text) FIELD(m, hashmap(u64, u64)) FIELD(t, hashmap(text, text))
MM3_STRUCT(growing, GROWING);

static uint64_t many[20000];
static char long_text[100000];

static int grow_log(struct mm3_file *file, struct mm3_error *error) {
  (void)error;
  return mm3_segmented_append_many(file, &mm3_root(file, growing)->log, many, sizeof many / sizeof *many);
}
static int grow_text(struct mm3_file *file, struct mm3_error *error) {
  (void)error;
  return mm3_text_set_n(file, &mm3_root(file, growing)->name, long_text, sizeof long_text);
}
static int grow_map(struct mm3_file *file, struct mm3_error *error) {
  (void)error;
  return mm3_hashmap_reserve(file, &mm3_root(file, growing)->m, 6000);
}
static int grow_map_of_texts(struct mm3_file *file, struct mm3_error *error) {
  struct mm3_str value = {long_text, 60000};
  (void)error;
  return mm3_hashmap_set(file, &mm3_root(file, growing)->t, "key", value);
}
static int grow_heap(struct mm3_file *file, struct mm3_error *error) {
  (void)error;
  int locked = mm3_lock(file), result = locked < 0 ? locked : mm3_heap_reserve(file, 1 << 20);
  if (locked >= 0) mm3_unlock(file);
  return result;
}
static int do_lock(struct mm3_file *file, struct mm3_error *error) {
  (void)error;
  int result = mm3_lock(file);
  return result < 0 ? result : mm3_unlock(file);
}
static int do_sync(struct mm3_file *file, struct mm3_error *error) { return (void)error, mm3_sync(file); }
static int do_check(struct mm3_file *file, struct mm3_error *error) { return (void)error, mm3_check(file, NULL, NULL); }
static int do_plan(struct mm3_file *file, struct mm3_error *error) {
  return mm3_repair(file, MM3_REPAIR_PLAN, NULL, NULL, error);
}
static int do_describe(struct mm3_file *file, struct mm3_error *error) {
  struct mm3_file_info info = {.size = sizeof info};
  return (void)error, mm3_file_describe(file, &info);
}
static int do_show(struct mm3_file *file, struct mm3_error *error) {
  struct kill_texts texts;
  (void)error;
  int result = kill_show(file, &texts);
  kill_forget(&texts);
  return result;
}

struct deed {
  const char *name;
  int (*run)(struct mm3_file *file, struct mm3_error *error);
  int speaks;                  /* fills an error */
};
static const struct deed common[] = {{"lock", do_lock, 0}, {"sync", do_sync, 0},         {"check", do_check, 0},
                                     {"plan", do_plan, 1}, {"describe", do_describe, 0}, {"show", do_show, 0}};
static const struct deed growth[] = {{"append many", grow_log, 0},      {"a long text", grow_text, 0},
                                     {"reserve of a map", grow_map, 0}, {"a long text in a map", grow_map_of_texts, 0},
                                     {"reserve of the heap", grow_heap, 0}};

static const char *line; /* of a victim */
static void resume(void) { paused = 0; }
static void pause_again(void) { paused = 1; }
static int do_line(struct mm3_file *file, struct mm3_error *error) {
  paused = 1;
  int result = victim_line(file, line, resume, pause_again, error);
  paused = 0;
  return result;
}

/* ---- once ---- */

static const int codes[] = {ENOMEM, EIO, ENOSPC, EDQUOT, EMFILE, EINTR, EACCES};
enum { CODES = sizeof codes / sizeof *codes };
static unsigned long failures, survived;
static const struct mm3_desc *desc;

static struct mm3_file *open_it(const char *path) {
  struct mm3_options options = {.size = sizeof options, .reserve = 16 << 20, .timeout_ms = 200};
  struct mm3_error error;
  struct mm3_file *file = mm3_open(path, desc, &options, &error);
  if (!CHECK(file != NULL)) printf("%s\n", error.text);
  return file;
}

static int texts_are(struct mm3_file *file, const struct kill_texts *wanted) {
  struct kill_texts texts;
  int same = kill_show(file, &texts) == 0;
  for (unsigned i = 0; i < KILL_MEMBERS; i++) same = same && kill_same(texts.at[i], wanted->at[i]);
  kill_forget(&texts);
  return same;
}

/* One run with the k-th call failing. Returns 0 when there was no k-th call. */
static int run_once(const struct deed *deed, const char *path, const unsigned char *bytes, size_t size, int k, int code,
                    struct kill_texts *after) {
  struct mm3_error error = {0};
  struct kill_texts before;
  write_file(path, bytes, size);
  int descriptors = count_descriptors(), maps = count_maps("/v.mm3");
  struct mm3_file *file = open_it(path);
  if (!file || !CHECK_EQ(kill_show(file, &before), 0)) return 0;
  arm(k, code);
  int result = deed->run(file, &error);
  disarm();
  const char *at = failed;
  int ok = 1;
  if (result < 0) {
    failures++;
    if (deed->speaks) ok &= CHECK(error.text[0] != 0);
    if (!at) ok &= CHECK(at != NULL);
    ok &= CHECK(texts_are(file, &before)); /* all or nothing */
  } else if (at) {
    survived++;
    ok &= CHECK(texts_are(file, after)); /* done, in spite of it */
  } else {
    kill_forget(after);
    ok &= CHECK_EQ(kill_show(file, after), 0);
  }
  ok &= CHECK_EQ(mm3_locked(file), 0);
  ok &= CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  if (at && result < 0) ok &= CHECK(deed->run(file, &error) >= 0); /* now that it may */
  ok &= CHECK_EQ(mm3_close(file), 0);
  ok &= CHECK_EQ(count_descriptors(), descriptors) & CHECK_EQ(count_maps("/v.mm3"), maps);
  if (!ok) printf("%s, call %d (%s) failed with %s: %d: %s\n", deed->name, k, at, strerror(code), result, error.text);
  kill_forget(&before);
  return at != NULL && ok;
}

/* Every k-th call; the codes in turn, or all of them. */
static void run_all(const struct deed *deed, const char *path) {
  struct stat st;
  int fd = open(path, O_RDONLY | O_CLOEXEC), most = mm3test_tool()[0] ? 60 : 600;
  if (!CHECK(fd >= 0 && fstat(fd, &st) == 0)) return;
  unsigned char *bytes = malloc((size_t)st.st_size);
  CHECK_EQ(read(fd, bytes, (size_t)st.st_size), st.st_size);
  close(fd);
  struct kill_texts after = {{NULL}};
  run_once(deed, path, bytes, (size_t)st.st_size, 0, 0, &after);
  for (int c = 0; c < (getenv("MM3_TORTURE") ? CODES : 1); c++)
    for (int k = 1; k < most && run_once(deed, path, bytes, (size_t)st.st_size, k, codes[(c + k) % CODES], &after);) k++;
  kill_forget(&after);
  write_file(path, bytes, (size_t)st.st_size);
  free(bytes);
}

static void every_call_fails_under_every_kind(void) {
  const char *only = getenv("MM3_VICTIM"), *path = mm3test_path("v.mm3");
  CHECK_EQ(mm3_all_modules_register(NULL), 0);
  for (unsigned i = 0; i < victim_count; i++) {
    if (only && strcmp(only, victims[i].name) != 0) continue;
    for (unsigned n = 0; n < 16 && victims[i].lines[n]; n++) {
      char name[128];
      unlink(path);
      line = victims[i].lines[n];
      if (!CHECK_EQ(victim_make_some(&victims[i], path, n), 0)) continue;
      snprintf(name, sizeof name, "%s: %s", victims[i].name, line);
      run_all(&(struct deed){name, do_line, 1}, path);
    }
    for (unsigned n = 0; n < sizeof common / sizeof *common; n++) run_all(&common[n], path);
  }
  printf("faults: %lu failures answered, %lu calls that failed unnoticed\n", failures, survived);
  CHECK(failures > (only ? 10 : 200));
}

static void every_call_fails_under_growth(void) {
  const char *path = mm3test_path("v.mm3");
  failures = survived = 0;
  memset(long_text, 'x', sizeof long_text);
  CHECK_EQ(mm3_all_modules_register(NULL), 0);
  struct mm3_file *file = mm3_create(path, MM3_TYPE(growing), NULL, NULL);
  if (!CHECK(file != NULL)) return;
  CHECK_EQ(mm3_segmented_append(file, &mm3_root(file, growing)->log, 5), 0);
  CHECK_EQ(mm3_hashmap_set(file, &mm3_root(file, growing)->m, 1u, 2u), 0);
  CHECK_EQ(mm3_close(file), 0);
  desc = MM3_TYPE(growing);
  for (unsigned n = 0; n < sizeof growth / sizeof *growth; n++) run_all(&growth[n], path);
  desc = NULL;
  printf("faults: %lu failures answered, %lu calls that failed unnoticed\n", failures, survived);
  CHECK(failures >= 5);
}

/* Interrupted calls are made again. */
static int interruptions;
static int interrupted_fallocate(int fd, int mode, off_t offset, off_t length) {
  if (interruptions++ % 3 != 2) return errno = EINTR, -1;
  return whole.fallocate(fd, mode, offset, length);
}
static int interrupted_open(const char *path, int flags, mode_t mode) {
  if (interruptions++ % 3 != 2) return errno = EINTR, -1;
  return whole.open(path, flags, mode);
}
static int interrupted_lock(int fd, int command, struct flock *lock) {
  if (interruptions++ % 3 != 2) return errno = EINTR, -1;
  return whole.fcntl_lock(fd, command, lock);
}
static ssize_t short_read(int fd, void *bytes, size_t size, off_t offset) {
  if (interruptions++ % 3 != 2) return errno = EINTR, -1;
  return whole.pread(fd, bytes, size > 100 ? 100 : size, offset);
}

static void interrupted_and_short_calls_are_made_again(void) {
  const char *path = mm3test_path("v.mm3");
  CHECK_EQ(mm3_all_modules_register(NULL), 0);
  mm3i_sys.fallocate = interrupted_fallocate, mm3i_sys.open = interrupted_open;
  mm3i_sys.fcntl_lock = interrupted_lock, mm3i_sys.pread = short_read;
  struct mm3_file *file = mm3_create(path, MM3_TYPE(growing), NULL, NULL);
  if (CHECK(file != NULL)) {
    CHECK_EQ(grow_log(file, NULL), 0);
    CHECK_EQ(mm3_sync(file), 0);
    CHECK_EQ(mm3_close(file), 0);
  }
  struct mm3_error error = {0};
  file = mm3_open(path, MM3_TYPE(growing), NULL, &error);
  CHECK(file != NULL);
  CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  mm3_close(file);
  disarm();
  CHECK(interruptions > 20);
}

int main(int argc, char **argv) {
  static const struct mm3test_case cases[] = {
      {"every call fails under every kind", every_call_fails_under_every_kind},
      {"every call fails under growth", every_call_fails_under_growth},
      {"interrupted and short calls are made again", interrupted_and_short_calls_are_made_again},
  };
  whole = mm3i_sys;
#ifdef OWN_ALLOCATIONS
  json_set_alloc_funcs(f_malloc, free);
#endif
  return mm3test_main(argc, argv, "faults", cases, sizeof cases / sizeof cases[0]);
}

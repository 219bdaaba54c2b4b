/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "mm3test.h"

#include <CUnit/CUnit.h>
#include <CUnit/TestDB.h>
#include <CUnit/TestRun.h>
#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct {
  const char *area, *sentence, *skipped;
  char folder[256], case_folder[300], paths[64][600];
  unsigned case_number, path_number, timeout;
  unsigned long checks; /* of the case that runs; atomic */
  unsigned passed, failed, skips;
  int failed_here, in_child, verbose;
  pid_t owner;
  void *given; /* to a child: what it alone points to is not lost */
} state;

static pthread_mutex_t state_lock = PTHREAD_MUTEX_INITIALIZER;

/* Checks */

static int report(const char *file, int line, int passed, const char *format, ...)
  __attribute__((format(printf, 4, 5)));

static int report(const char *file, int line, int passed, const char *format, ...) {
  __atomic_fetch_add(&state.checks, 1, __ATOMIC_RELAXED);
  if (passed) return 1;
  char text[2048];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  pthread_mutex_lock(&state_lock);
  fprintf(stderr, "%s:%d: %s%s\n", file, line, text, state.in_child ? " (in a child)" : "");
  state.failed_here = 1;
  pthread_mutex_unlock(&state_lock);
  return 0;
}

int mm3test_check(const char *file, int line, const char *text, int passed) {
  return report(file, line, passed, "CHECK(%s) failed", text);
}

struct mm3test_number mm3test_signed(long long value) {
  unsigned long long bits = (unsigned long long)value;
  return (struct mm3test_number){value < 0, value < 0 ? 0 - bits : bits};
}

struct mm3test_number mm3test_unsigned(unsigned long long value) { return (struct mm3test_number){0, value}; }

int mm3test_check_eq(const char *file, int line, const char *a_text, const char *b_text, struct mm3test_number a,
                     struct mm3test_number b) {
  return report(file, line, a.negative == b.negative && a.magnitude == b.magnitude,
                "CHECK_EQ(%s, %s) failed: %s%llu and %s%llu", a_text, b_text, a.negative ? "-" : "", a.magnitude,
                b.negative ? "-" : "", b.magnitude);
}

int mm3test_check_str(const char *file, int line, const char *a_text, const char *b_text, const char *a,
                      const char *b) {
  int same = a == b || (a && b && !strcmp(a, b));
  return report(file, line, same, "CHECK_STR(%s, %s) failed: \"%s\" and \"%s\"", a_text, b_text, a ? a : "(NULL)",
                b ? b : "(NULL)");
}

int mm3test_check_mem(const char *file, int line, const char *a_text, const char *b_text, const void *a, const void *b,
                      size_t size) {
  const unsigned char *x = a, *y = b;
  size_t at = 0;
  if (!size) return report(file, line, 1, "nothing");
  if (!a || !b) return report(file, line, a == b, "CHECK_MEM(%s, %s) failed: one is NULL", a_text, b_text);
  while (at < size && x[at] == y[at]) at++;
  unsigned was = at < size ? x[at] : 0, wanted = at < size ? y[at] : 0;
  return report(file, line, at == size, "CHECK_MEM(%s, %s) failed at byte %zu of %zu: %02x and %02x", a_text, b_text,
                at, size, was, wanted);
}

int mm3test_check_has(const char *file, int line, const char *text, const char *all, const char *part) {
  return report(file, line, all && strstr(all, part) != NULL, "CHECK_HAS(%s) failed: \"%s\" does not contain \"%s\"",
                text, all ? all : "(NULL)", part);
}

int mm3test_check_ok(const char *file, int line, const char *text, long long result, const char *sentence) {
  return report(file, line, result >= 0, "CHECK_OK(%s) failed: %lld: %s", text, result, sentence);
}

int mm3test_check_fails(const char *file, int line, const char *text, const char *code_text, long long result,
                        long long code, const char *sentence) {
  return report(file, line, result == code, "CHECK_FAILS(%s, %s) failed: %lld and %lld: %s", text, code_text, result,
                code, sentence);
}

/* Temporary files */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk) {
  (void)st, (void)type, (void)walk;
  if (remove(path)) fprintf(stderr, "mm3test: %s stays: %s\n", path, strerror(errno));
  return 0;
}

static int unlock_one(const char *path, const struct stat *st, int type, struct FTW *walk) {
  (void)st, (void)walk;
  if (type == FTW_D || type == FTW_DNR) (void)!chmod(path, 0700);
  return 0;
}

static void remove_folder(void) {
  if (!state.folder[0] || getpid() != state.owner || getenv("MM3TEST_KEEP")) return;
  nftw(state.folder, unlock_one, 16, FTW_PHYS);
  nftw(state.folder, remove_one, 16, FTW_PHYS | FTW_DEPTH);
  state.folder[0] = 0;
}

static int make_folder(void) {
  const char *base = getenv("TMPDIR");
  snprintf(state.folder, sizeof state.folder, "%s/mm3test.%s.XXXXXX", base && *base ? base : "/tmp", state.area);
  if (!mkdtemp(state.folder)) {
    fprintf(stderr, "mm3test: %s: %s\n", state.folder, strerror(errno));
    state.folder[0] = 0;
    return -1;
  }
  state.owner = getpid();
  return atexit(remove_folder);
}

const char *mm3test_path(const char *name) {
  if (!name) return state.case_folder;
  pthread_mutex_lock(&state_lock);
  char *path = state.paths[state.path_number++ % (sizeof state.paths / sizeof state.paths[0])];
  pthread_mutex_unlock(&state_lock);
  if ((size_t)snprintf(path, sizeof state.paths[0], "%s/%s", state.case_folder, name) >= sizeof state.paths[0])
    report(__FILE__, __LINE__, 0, "mm3test_path: the name is too long: %.60s...", name);
  return path;
}

/* Children */

/* There in coverage builds only, where _exit would forget what a child ran. */
void __gcov_dump(void) __attribute__((weak));

/* A child of Valgrind's is searched for leaks when it ends: word by word, with a SIGBUS for each that lies beyond the end of a
 * file. That would be a hundred million for the room that files are given to grow; and no leak is there. */
static void forget_shared_maps(void) {
  char line[1024], shared;
  uintptr_t begin, end;
  FILE *maps = strcmp(mm3test_tool(), "valgrind") == 0 ? fopen("/proc/self/maps", "r") : NULL;
  while (maps && fgets(line, sizeof line, maps)) {
    if (strstr(line, "vgdb")) continue; /* Valgrind's own */
    if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*3c%c", &begin, &end, &shared) == 3 && shared == 's')
      munmap((void *)begin, end - begin);
  }
  if (maps) fclose(maps);
}

pid_t mm3test_spawn(int (*run)(void *), void *arg) {
  fflush(NULL);
  pid_t child = fork();
  if (child < 0) report(__FILE__, __LINE__, 0, "fork: %s", strerror(errno));
  if (child) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL); /* nothing is left running when a case is cut off */
  state.in_child = 1;
  state.given = arg;
  state.failed_here = 0;
  int code = run(arg);
  fflush(NULL);
  if (__gcov_dump) __gcov_dump();
  forget_shared_maps();
  _exit(state.failed_here ? MM3TEST_CHILD_FAILED : code);
}

int mm3test_wait(pid_t child) {
  int status = 0;
  pid_t waited;
  do waited = waitpid(child, &status, 0);
  while (waited < 0 && errno == EINTR);
  if (waited != child) {
    report(__FILE__, __LINE__, 0, "waitpid(%ld): %s", (long)child, strerror(errno));
    return -1;
  }
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int mm3test_fork(int (*run)(void *), void *arg) {
  pid_t child = mm3test_spawn(run, arg);
  return child < 0 ? -1 : mm3test_wait(child);
}

static int write_text(const char *path, const char *text) {
  FILE *file = fopen(path, "w");
  if (!file) return -1;
  int result = fputs(text, file) < 0 ? -1 : 0;
  return fclose(file) ? -1 : result;
}

/* Mounts of our own: as root, else as the root of a user namespace. In a chroot `/` is no mount point and cannot be made
 * private, so whatever was mounted is unmounted again. */
static int own_mounts(void) {
  unsigned user = (unsigned)getuid(), group = (unsigned)getgid();
  char map[32];
  if (unshare(CLONE_NEWNS)) {
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS)) return -1;
    (void)write_text("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "0 %u 1", user);
    if (write_text("/proc/self/uid_map", map)) return -1;
    snprintf(map, sizeof map, "0 %u 1", group);
    if (write_text("/proc/self/gid_map", map)) return -1;
  }
  return mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) && errno != EINVAL ? -1 : 0;
}

struct mounted {
  const char *folder, *how;
  int (*run)(void *);
  void *arg;
};

static int run_mounted(void *arg) {
  const struct mounted *m = arg;
  if (own_mounts()) return MM3TEST_NO_MOUNT;
  if (strcmp(m->how, "ro")) {
    if (mount("mm3test", m->folder, "tmpfs", 0, m->how)) return MM3TEST_NO_MOUNT;
  } else if (mount(m->folder, m->folder, "none", MS_BIND, NULL) ||
             mount("none", m->folder, "none", MS_REMOUNT | MS_BIND | MS_RDONLY, NULL)) {
    umount2(m->folder, MNT_DETACH);
    return MM3TEST_NO_MOUNT;
  }
  int result = m->run(m->arg);
  umount2(m->folder, MNT_DETACH);
  return result;
}

int mm3test_fork_mounted(const char *folder, const char *how, int (*run)(void *), void *arg) {
  struct mounted m = {folder, how, run, arg};
  return mm3test_fork(run_mounted, &m);
}

/* Odds and ends */

void mm3test_skip(const char *why) { state.skipped = why; }

const char *mm3test_tool(void) {
#if defined __SANITIZE_ADDRESS__
  return "asan";
#elif defined __SANITIZE_THREAD__
  return "tsan";
#elif defined __has_feature
#if __has_feature(address_sanitizer)
  return "asan";
#elif __has_feature(thread_sanitizer)
  return "tsan";
#endif
#endif
  const char *tool = getenv("MM3TEST_TOOL");
  return tool ? tool : "";
}

void mm3test_sleep_ms(unsigned milliseconds) {
  struct timespec left = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000};
  while (nanosleep(&left, &left) && errno == EINTR) {
  }
}

uint64_t mm3test_now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Running */

static void too_slow(int number) {
  static const char text[] = "mm3test: a case took too long: ";
  (void)number;
  (void)!write(2, text, sizeof text - 1);
  (void)!write(2, state.sentence, strlen(state.sentence));
  (void)!write(2, "\n", 1);
  _exit(1);
}

static void before_case(const CU_pTest test, const CU_pSuite suite) {
  (void)suite;
  state.sentence = test->pName;
  state.skipped = NULL;
  state.failed_here = 0;
  state.path_number = 0;
  __atomic_store_n(&state.checks, 0, __ATOMIC_RELAXED);
  if (state.verbose) fprintf(stderr, "%s: %s\n", state.area, test->pName);
  snprintf(state.case_folder, sizeof state.case_folder, "%s/%u", state.folder, ++state.case_number);
  if (mkdir(state.case_folder, 0700)) report(__FILE__, __LINE__, 0, "%s: %s", state.case_folder, strerror(errno));
  alarm(state.timeout);
}

static void after_case(const CU_pTest test, const CU_pSuite suite, const CU_pFailureRecord records) {
  (void)suite;
  alarm(0);
  if (!state.skipped && !__atomic_load_n(&state.checks, __ATOMIC_RELAXED))
    report(__FILE__, __LINE__, 0, "this case checked nothing");
  if (state.failed_here || records) {
    state.failed++;
    printf("%s: not so: %s\n", state.area, test->pName);
  } else if (state.skipped) {
    state.skips++;
    printf("%s: skipped: %s (%s)\n", state.area, test->pName, state.skipped);
  } else {
    state.passed++;
  }
  fflush(stdout);
}

static int run_all(const struct mm3test_case *cases, size_t count, const char *word) {
  if (CU_initialize_registry() != CUE_SUCCESS) return -1;
  CU_pSuite suite = CU_add_suite(state.area, NULL, NULL);
  if (!suite) return -1;
  for (size_t i = 0; i < count; i++) {
    if (word && !strstr(cases[i].sentence, word)) continue;
    if (!CU_add_test(suite, cases[i].sentence, cases[i].run) && CU_get_error() != CUE_DUP_TEST) return -1;
  }
  CU_set_error_action(CUEA_IGNORE);
  CU_set_test_start_handler(before_case);
  CU_set_test_complete_handler(after_case);
  CU_run_all_tests();
  int clean = CU_get_number_of_failure_records() == 0 && CU_get_number_of_tests_run() > 0;
  CU_cleanup_registry();
  return clean ? 0 : -1;
}

int mm3test_main(int argc, char **argv, const char *area, const struct mm3test_case *cases, size_t count) {
  const char *word = NULL, *limit = getenv("MM3TEST_TIMEOUT");
  state.area = area;
  /* It is there for what hangs: a sanitizer on a busy machine is a hundred times slower than a case alone. */
  state.timeout = limit ? (unsigned)strtoul(limit, NULL, 10) : mm3test_tool()[0] ? 3000 : 300;
  for (int i = 1; i < argc; i++) {
    if (!strcmp(argv[i], "-l")) {
      for (size_t k = 0; k < count; k++) puts(cases[k].sentence);
      return 0;
    }
    if (!strcmp(argv[i], "-v")) state.verbose = 1;
    else word = argv[i];
  }
  signal(SIGALRM, too_slow);
  if (make_folder()) return 1;
  int status = run_all(cases, count, word);
  if (status) fprintf(stderr, "%s: CUnit: no case ran, or a suite failed: %s\n", area, CU_get_error_msg());
  printf("%u passed, %u failed", state.passed, state.failed);
  if (state.skips) printf(", %u skipped", state.skips);
  printf("\n");
  return !status && !state.failed && state.passed + state.skips > 0 ? 0 : 1;
}

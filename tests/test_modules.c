/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Modules at work: what an awkward one does to files, unloading, threads that are the first to need one. */
#include "mm3show.h"
#include "mm3test.h"

#include <dlfcn.h>
#include <errno.h>
#include <mm3/atomic.h>
#include <mm3/field.h>
#include <mm3/file.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static const char *built(const char *part) {
  static char path[4096];
  snprintf(path, sizeof path, "%s/%s", getenv("MM3_BUILD") ? getenv("MM3_BUILD") : "..", part);
  return path;
}

static void search(const char *folder) { setenv("MM3_MODULE_PATH", built(folder), 1); }

static void an_init_that_fails_is_told_and_leaves_no_file(void) {
  const char *path = mm3test_path("init.mm3");
  struct mm3_error error = {0};
  search("tests/bad/.libs");
  CHECK(mm3_create_schema(path, "struct s { a: u8 b: bad_init }", NULL, &error) == NULL);
  CHECK_EQ(error.code, -MM3_E_VALUE);
  CHECK_HAS(error.text, "bad_init never begins");
  CHECK_STR(error.field, "b");
  CHECK(access(path, F_OK) < 0 && errno == ENOENT);
}

/* A layout may set size, align, numbers and flags. What else it does to its type is undone, or refused. */
static int throws_away(void *unused) {
  const char *path = mm3test_path("args.mm3");
  struct mm3_error error = {0};
  struct mm3_member_info info;
  (void)unused;
  search("tests/bad/.libs");
  struct mm3_file *file = mm3_create_schema(path, "struct s { a: bad_args(1, 2) b: u8 }", NULL, &error);
  if (!file) return error.code < 0 && error.text[0] ? 0 : 1;
  int result = mm3_file_member(file, 0, &info);
  if (result == 0 && strcmp(info.text, "bad_args(1, 2)") != 0) result = 2;
  if (result == 0 && mm3_check(file, NULL, NULL) != 0) result = 3;
  if (mm3_close(file)) result = 4;
  return result;
}

static void a_layout_that_throws_its_arguments_away_harms_nobody(void) {
  CHECK_EQ(mm3test_fork(throws_away, NULL), 0);
}

/* The program's own dlopen and dlclose are not the last word. */
static void a_module_that_is_unloaded_while_in_use_stays(void) {
  struct mm3_error error = {0};
  const struct mm3_module *module;
  char path[4096];
  search("modules/.libs");
  snprintf(path, sizeof path, "%s", built("modules/.libs/mm3-string_array.so"));
  struct mm3_file *file =
      mm3_create_schema(mm3test_path("unload.mm3"), "struct s { a: string_array(2, 5) }", NULL, &error);
  if (!CHECK(file != NULL)) return;
  void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  for (int i = 0; object && i < 5; i++) dlclose(object); /* once more than it was opened, and more */
  struct mm3_field field;
  CHECK_OK(mm3_field_find(file, "a[1]", &field, &error), error);
  CHECK_OK(mm3_field_put(&field, &(struct mm3_value){.is = MM3_TEXT, .as.text = "still", .count = 5}, &error), error);
  CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  CHECK_OK(mm3_module_load(path, &module, &error), error);
  CHECK_STR(module->kinds[0]->name, "string_array");
  CHECK_EQ(mm3_close(file), 0);
}

static const char *const schemas[] = {
    "struct s { a: atomic(u64) }",       "struct s { a: string(20) b: atomic(u8) }",
    "struct s { a: vec(u32, 10) }",      "struct s { a: json(100) b: string(3) }",
    "struct s { a: ndarray(u8, 2, 2) }", "struct s { a: string_array(2, 8) b: vec(string(4), 3) }",
};
enum { SCHEMAS = sizeof schemas / sizeof schemas[0], THREADS = 12 };

static pthread_barrier_t start;
static char folder[4000];

static void *first_to_need_it(void *arg) {
  unsigned number = *(unsigned *)arg;
  char path[4096];
  struct mm3_error error = {0};
  snprintf(path, sizeof path, "%s/thread%u.mm3", folder, number);
  pthread_barrier_wait(&start);
  for (unsigned i = 0; i < SCHEMAS; i++) {
    struct mm3_file *file = mm3_create_schema(path, schemas[(i + number) % SCHEMAS], NULL, &error);
    if (!file) fprintf(stderr, "%s\n", error.text);
    if (!file || mm3_check(file, NULL, NULL) != 0 || mm3_close(file)) return arg;
    unlink(path);
  }
  return NULL;
}

static int many_threads(void *unused) {
  pthread_t threads[THREADS];
  unsigned numbers[THREADS];
  int failures = 0, kinds = 0;
  (void)unused;
  search("modules/.libs");
  snprintf(folder, sizeof folder, "%s", mm3test_path(NULL));
  pthread_barrier_init(&start, NULL, THREADS);
  for (unsigned i = 0; i < THREADS; i++) {
    numbers[i] = i;
    if (pthread_create(&threads[i], NULL, first_to_need_it, &numbers[i])) return 100;
  }
  for (unsigned i = 0; i < THREADS; i++) {
    void *failed;
    pthread_join(threads[i], &failed);
    failures += failed != NULL;
  }
  for (const struct mm3_kind *k = NULL; (k = mm3_kind_next(k, NULL, NULL)) != NULL;) kinds += strcmp(k->name, "vec") == 0;
  return failures ? failures : kinds == 1 ? 0 : 50 + kinds;
}

static void threads_that_need_the_same_modules_first_get_each_once(void) {
  for (int round = 0; round < 5; round++) CHECK_EQ(mm3test_fork(many_threads, NULL), 0);
}

MM3_TEST_SUITE("modules", {"an init that fails is told, and leaves no file", an_init_that_fails_is_told_and_leaves_no_file},
               {"a layout that throws its arguments away harms nobody", a_layout_that_throws_its_arguments_away_harms_nobody},
               {"a module that is unloaded while in use stays", a_module_that_is_unloaded_while_in_use_stays},
               {"threads that need the same modules first get each once", threads_that_need_the_same_modules_first_get_each_once})

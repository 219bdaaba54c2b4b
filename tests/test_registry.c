/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Finding, checking and refusing modules: the awkward ones are in tests/bad. */
#include "mm3test.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <mm3/field.h>
#include <mm3/module.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *bad(const char *name) {
  static _Thread_local char path[4096];
  const char *build = getenv("MM3_BUILD");
  snprintf(path, sizeof path, "%s/tests/bad/.libs/mm3-%s.so", build ? build : "..", name);
  return path;
}

static void awkward_modules_are_refused_in_words(void) {
  static const struct { const char *name, *says; } cases[] = {
      {"bad_magic", "its magic is 0x12345678, wanted 0x4d334d4d"},
      {"bad_major", "was built for module ABI 2.1; this core speaks 1.1"},
      {"bad_short", "its module table has 8 bytes, wanted"},
      {"bad_row", "kind 'bad_row' lacks the operation 'visit'"},
      {"bad_none", "exports no mm3_module"},
      {"bad_empty", "needs a name, a version and at least one kind"},
      {"bad_name", "'../bad' cannot name a kind"},
      {"bad_core", "linked to another copy of libmm3"},
      {"bad_taken", "kind 'u64' is already taken by the core"},
      {"bad_version", "kind 'bad_version' has layout version 0; they start at 1"},
      {"bad_table", "a kind's table has 8 bytes; at least"},
      {"bad_twice", "kind 'bad_twice' is already taken by"},
      {"there_is_none", "does not load"},
  };
  for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct mm3_error error = {0};
    CHECK_FAILS(mm3_module_load(bad(cases[i].name), NULL, &error), -MM3_E_MODULE, error);
    CHECK_HAS(error.text, cases[i].says);
    CHECK_HAS(error.text, cases[i].name); /* the path is named */
  }
  CHECK(mm3_kind_find("bad_row", 0, NULL) == NULL);
  CHECK(mm3_kind_find("bad_twice", 0, NULL) == NULL); /* all kinds of a module, or none */
  CHECK_EQ(mm3_module_load(NULL, NULL, NULL), -EINVAL);
  CHECK_EQ(mm3_module_register(NULL, NULL), -EINVAL);
}

/* Tables that lie about themselves are looked at no further than they say they reach. */
static void a_table_is_read_no_further_than_it_reaches(void) {
  struct mm3_error error = {0};
  char endless[80];
  memset(endless, 'a', sizeof endless); /* no end */
  struct mm3_kind kind = {.size = sizeof kind, .layout_version = 1, .name = endless};
  const struct mm3_kind *kinds[] = {&kind};
  const char *nowhere = (const char *)(uintptr_t)2;
  struct mm3_module module = {MM3_MODULE_MAGIC, MM3_ABI_MAJOR, MM3_ABI_MINOR, 12, 1, nowhere, "1", &mm3_core_mark, kinds};
  CHECK_FAILS(mm3_module_register(&module, &error), -MM3_E_MODULE, error);
  CHECK_HAS(error.text, "(a module): its module table has 12 bytes, wanted");
  module.size = sizeof module, module.abi_major++;
  CHECK_FAILS(mm3_module_register(&module, &error), -MM3_E_MODULE, error);
  module.abi_major--, module.magic++;
  CHECK_FAILS(mm3_module_register(&module, &error), -MM3_E_MODULE, error);
  module.magic--, module.name = "endless";
  CHECK_FAILS(mm3_module_register(&module, &error), -MM3_E_MODULE, error);
  CHECK_HAS(error.text, "endless: 'aaaaaaaaaaaaa");
  CHECK_HAS(error.text, "cannot name a kind");
}

static void a_module_may_be_older_in_its_minor(void) {
  struct mm3_error error = {0};
  const struct mm3_module *module = NULL;
  if (!CHECK_OK(mm3_module_load(bad("old_minor"), &module, &error), error)) return;
  CHECK_STR(module->name, "bad");
  const struct mm3_kind *kind = mm3_kind_find("old_minor", 0, &error);
  if (!CHECK(kind != NULL)) return;
  CHECK(kind->put != NULL);
  CHECK(kind->push == NULL && kind->ops == NULL);
}

static void a_module_may_be_newer_in_its_minor(void) {
  struct mm3_error error = {0};
  char text[256];
  if (!CHECK_OK(mm3_module_load(bad("new_minor"), NULL, &error), error)) return;
  const struct mm3_kind *kind = mm3_kind_find("new_minor", 0, &error);
  if (!CHECK(kind != NULL)) return;
  CHECK(kind->put != NULL && kind->describe == NULL);
  CHECK(mm3_schema_format("struct t { a: new_minor }", text, sizeof text, NULL, &error) == 0);
}

static void two_modules_cannot_give_the_same_kind(void) {
  struct mm3_error error = {0};
  CHECK_OK(mm3_module_load(bad("two_kinds"), NULL, &error), error);
  CHECK_FAILS(mm3_module_load(bad("bad_again"), NULL, &error), -MM3_E_MODULE, error);
  CHECK_HAS(error.text, "kind 'second_kind' is already taken by ");
  CHECK_HAS(error.text, "mm3-two_kinds.so");
  CHECK(mm3_kind_find("bad_again", 0, NULL) == NULL); /* its own kind neither */
}

/* A copy is another object to the system, with the same kinds in it. */
static void a_copy_of_a_module_under_another_name_is_refused(void) {
  struct mm3_error error = {0};
  char block[4096];
  size_t count;
  const char *path = mm3test_path("mm3-copied.so");
  CHECK_OK(mm3_module_load(bad("two_kinds"), NULL, &error), error);
  FILE *from = fopen(bad("two_kinds"), "r"), *to = fopen(path, "w");
  if (!CHECK(from != NULL && to != NULL)) return;
  while ((count = fread(block, 1, sizeof block, from)) > 0) CHECK_EQ(fwrite(block, 1, count, to), count);
  fclose(from);
  CHECK_EQ(fclose(to), 0);
  CHECK_FAILS(mm3_module_load(path, NULL, &error), -MM3_E_MODULE, error);
  CHECK_HAS(error.text, "mm3-copied.so: kind 'two_kinds' is already taken by ");
  CHECK_HAS(error.text, "mm3-two_kinds.so");
}

static void the_same_object_under_two_names_registers_once(void) {
  struct mm3_error error = {0};
  const struct mm3_module *one, *two;
  const char *link_path = mm3test_path("mm3-second_kind.so");
  if (!CHECK_OK(mm3_module_load(bad("two_kinds"), &one, &error), error)) return;
  CHECK_EQ(symlink(bad("two_kinds"), link_path), 0);
  CHECK_OK(mm3_module_load(link_path, &two, &error), error);
  CHECK(one == two);
  CHECK(mm3_kind_find("second_kind", 0, NULL) != NULL);
  unsigned seen = 0;
  for (const struct mm3_kind *k = NULL; (k = mm3_kind_next(k, NULL, NULL)) != NULL;) seen += strcmp(k->name, "second_kind") == 0;
  CHECK_EQ(seen, 1);
}

static void the_search_path_is_told_when_nothing_is_found(void) {
  struct mm3_error error = {0};
  setenv("MM3_MODULE_PATH", "/first/place::relative:/second/place", 1);
  CHECK(mm3_kind_find("nobody_has_this", 1, &error) == NULL);
  CHECK_EQ(error.code, -MM3_E_MODULE);
  CHECK_HAS(error.text, "mm3-nobody_has_this.so was looked for in /first/place");
  CHECK_HAS(error.text, mm3_module_dir());
  CHECK(mm3_kind_find("nobody_has_this", 0, &error) == NULL);
  CHECK_HAS(error.text, "loading modules was not asked for");
  CHECK(mm3_kind_find("no/slash", 1, &error) == NULL);
  CHECK_HAS(error.text, "cannot name a kind");
}

/* Points the search at the awkward modules; kinds of the others are registered already or not needed. */
static void search_bad(void) {
  char folder[4096];
  snprintf(folder, sizeof folder, "%s/tests/bad/.libs", getenv("MM3_BUILD") ? getenv("MM3_BUILD") : "..");
  setenv("MM3_MODULE_PATH", folder, 1);
}

static void a_module_that_gives_another_kind_is_told(void) {
  struct mm3_error error = {0};
  search_bad();
  CHECK(mm3_kind_find("bad_other", 1, &error) == NULL);
  CHECK_HAS(error.text, "mm3-bad_other.so was loaded, but gives no kind 'bad_other'");
}

static void nonsense_and_refusals_of_a_layout_reach_the_schema(void) {
  struct mm3_error error = {0};
  char text[256];
  search_bad();
  CHECK_FAILS(mm3_schema_format("struct t { a: bad_layout }", text, sizeof text, NULL, &error), -MM3_E_MODULE, error);
  CHECK_HAS(error.text, "laid out as 3 bytes aligned to 3");
  CHECK_STR(error.field, "a");
  CHECK_FAILS(mm3_schema_format("struct t {\n a: bad_refuses(4) }", text, sizeof text, NULL, &error), -MM3_E_SCHEMA, error);
  CHECK_HAS(error.text, "line 2, column 5: bad_refuses(4) is never to its taste");
}

static void a_file_that_is_no_object_is_refused(void) {
  struct mm3_error error = {0};
  const char *path = mm3test_path("mm3-text.so");
  FILE *f = fopen(path, "w");
  if (!CHECK(f != NULL)) return;
  fputs("this is no object\n", f);
  fclose(f);
  CHECK_FAILS(mm3_module_load(path, NULL, &error), -MM3_E_MODULE, error);
  CHECK_HAS(error.text, path);
}

static int is_loaded(struct dl_phdr_info *info, size_t size, void *name) {
  (void)size;
  return info->dlpi_name && strstr(info->dlpi_name, (const char *)name) != NULL;
}

static int only_named_modules_child(void *unused) {
  char text[256];
  char string_name[] = "mm3-string.so", atomic_name[] = "mm3-atomic.so";
  struct mm3_error error = {0};
  (void)unused;
  if (dl_iterate_phdr(is_loaded, atomic_name) || dl_iterate_phdr(is_loaded, string_name)) return 1;
  if (mm3_schema_format("struct t { a: atomic(u64) b: u64 }", text, sizeof text, NULL, &error) < 0) {
    fprintf(stderr, "%s\n", error.text);
    return 2;
  }
  if (!dl_iterate_phdr(is_loaded, atomic_name)) return 3;
  return dl_iterate_phdr(is_loaded, string_name) ? 4 : 0;
}

static void only_the_modules_that_a_schema_names_are_loaded(void) {
  char folder[4096];
  snprintf(folder, sizeof folder, "%s/modules/.libs", getenv("MM3_BUILD") ? getenv("MM3_BUILD") : "..");
  setenv("MM3_MODULE_PATH", folder, 1);
  CHECK_EQ(mm3test_fork(only_named_modules_child, NULL), 0);
}

static void *load_again(void *arg) {
  struct mm3_error error = {0};
  (void)arg;
  for (int i = 0; i < 50; i++) {
    if (!CHECK_OK(mm3_module_load(bad("two_kinds"), NULL, &error), error)) break;
    CHECK(mm3_kind_find("two_kinds", 1, &error) != NULL);
  }
  return NULL;
}

/* The program's own handles on the same objects come and go, once too often too. */
static void *unload_again(void *arg) {
  (void)arg;
  for (int i = 0; i < 50; i++) {
    void *one = dlopen(bad("two_kinds"), RTLD_NOW | RTLD_LOCAL), *other = dlopen(bad("old_minor"), RTLD_NOW | RTLD_LOCAL);
    if (!CHECK(one != NULL && other != NULL)) break;
    CHECK_EQ(dlclose(one), 0);
    CHECK_EQ(dlclose(other), 0);
    const struct mm3_kind *kind = mm3_kind_find("two_kinds", 0, NULL);
    CHECK(kind == NULL || (strcmp(kind->name, "two_kinds") == 0 && kind->layout != NULL));
  }
  return NULL;
}

static void threads_may_load_and_unload_at_once(void) {
  pthread_t threads[6];
  for (int i = 0; i < 6; i++) CHECK_EQ(pthread_create(&threads[i], NULL, i % 3 == 2 ? unload_again : load_again, NULL), 0);
  for (int i = 0; i < 6; i++) pthread_join(threads[i], NULL);
}

static void every_code_has_a_name_a_sentence_and_an_exit_code(void) {
#define CHECK_ROW(name, number, exit_code, sentence)         \
  CHECK_EQ(MM3_E_##name, number);                            \
  CHECK_STR(mm3_error_name(-MM3_E_##name), "MM3_E_" #name); \
  CHECK_STR(mm3_strerror(-MM3_E_##name), sentence);          \
  CHECK_EQ(mm3_exit_code(-MM3_E_##name), exit_code);
  MM3_ERRORS(CHECK_ROW)
  CHECK_EQ(mm3_exit_code(0), 0);
  CHECK_EQ(mm3_exit_code(-ENOSPC), 7);
  CHECK_EQ(mm3_exit_code(-EINVAL), 2);
  CHECK_EQ(mm3_exit_code(-EBUSY), 6);
  CHECK_STR(mm3_error_name(-ENOSPC), "ENOSPC");
  CHECK_STR(mm3_error_name(-99999), "?");
  CHECK_STR(mm3_strerror(-99999), "unknown error");
  CHECK_STR(mm3_strerror(INT32_MIN), "unknown error");
}

MM3_TEST_SUITE("registry", {"awkward modules are refused in words", awkward_modules_are_refused_in_words},
               {"a table is read no further than it reaches", a_table_is_read_no_further_than_it_reaches},
               {"a module may be older in its minor", a_module_may_be_older_in_its_minor},
               {"a module may be newer in its minor", a_module_may_be_newer_in_its_minor},
               {"two modules cannot give the same kind", two_modules_cannot_give_the_same_kind},
               {"a copy of a module under another name is refused", a_copy_of_a_module_under_another_name_is_refused},
               {"the same object under two names registers once", the_same_object_under_two_names_registers_once},
               {"the search path is told when nothing is found", the_search_path_is_told_when_nothing_is_found},
               {"a module that gives another kind is told", a_module_that_gives_another_kind_is_told},
               {"nonsense and refusals of a layout reach the schema", nonsense_and_refusals_of_a_layout_reach_the_schema},
               {"a file that is no object is refused", a_file_that_is_no_object_is_refused},
               {"only the modules that a schema names are loaded", only_the_modules_that_a_schema_names_are_loaded},
               {"threads may load and unload at once", threads_may_load_and_unload_at_once},
               {"every code has a name, a sentence and an exit code", every_code_has_a_name_a_sentence_and_an_exit_code})

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The file's own operations under the kill harness: create, open, lock, recover; and doubles that it must catch. */
#include "kill/kill.h"
#include "mm3files.h"

#include <sys/mman.h>

enum { VALUE = 1 };

/* A pair is what it was or what it became, and never goes back. */
static int pair_model(struct kill_case *c, struct mm3_file *file) {
  struct sample *root = mm3_root(file, sample);
  uint64_t value = root->both.a;
  if (value > 3) return kill_says(c, "the pair holds %llu", (unsigned long long)value);
  if (value < c->memory[VALUE]) return kill_says(c, "the pair went back to %llu", (unsigned long long)value);
  c->memory[VALUE] = value;
  return 0;
}

static int make_sample(struct kill_case *c) {
  struct mm3_file *file = mm3_create(c->path, MM3_TYPE(sample), NULL, NULL);
  return file ? mm3_close(file) : -1;
}

static struct mm3_file *open_sample(struct kill_case *c) { return mm3_open(c->path, MM3_TYPE(sample), NULL, NULL); }

/* Until the file is mapped nothing can be stored into it: parsing the schema need not be stepped. */
static void *mmap_begins(void *address, size_t length, int prot, int flags, int fd, off_t offset) {
  if (fd >= 0) kill_begin();
  return mmap(address, length, prot, flags, fd, offset);
}

static int run_create(struct kill_case *c) {
  mm3i_sys.mmap = mmap_begins;
  struct mm3_file *file = mm3_create(c->path, MM3_TYPE(sample), NULL, NULL);
  kill_end();
  return file ? mm3_close(file) : -1;
}

static int run_create_by_temporary(struct kill_case *c) {
  struct mm3_options options = {.size = sizeof options, .flags = MM3_REPLACE};
  mm3i_sys.mmap = mmap_begins;
  struct mm3_file *file = mm3_create(c->path, MM3_TYPE(sample), &options, NULL);
  kill_end();
  return file ? mm3_close(file) : -1;
}

static int run_open(struct kill_case *c) {
  mm3i_sys.mmap = mmap_begins;
  struct mm3_file *file = open_sample(c);
  kill_end();
  return file ? mm3_close(file) : -1;
}

static int run_close(struct kill_case *c) {
  struct mm3_file *file = open_sample(c);
  kill_begin();
  int result = mm3_close(file);
  kill_end();
  return result;
}

static int run_lock(struct kill_case *c) {
  struct mm3_file *file = open_sample(c);
  if (!file) return -1;
  kill_begin();
  for (int i = 0; i < 3; i++)
    if (mm3_lock(file) < 0 || mm3_unlock(file) < 0) return -1;
  kill_end();
  return mm3_close(file);
}

static int run_pair(struct kill_case *c) {
  struct mm3_file *file = open_sample(c);
  if (!file) return -1;
  struct sample *root = mm3_root(file, sample);
  kill_begin();
  for (uint64_t i = 1; i <= 3; i++) {
    if (mm3_lock(file) < 0) return -1;
    pair_set_held(file, SAMPLE_BOTH, &root->both, i);
    if (mm3_unlock(file) < 0) return -1;
  }
  kill_end();
  return mm3_close(file);
}

/* A file whose writer died half-way through a pair, with the lock. */
static int make_unrecovered(struct kill_case *c) {
  if (make_sample(c) < 0) return -1;
  struct mm3_file *file = open_sample(c);
  if (!file || mm3_lock(file) < 0) return -1;
  mm3_intents(file)[0] = 3;
  mm3_certify(file, SAMPLE_BOTH, PAIR_SET, PAIR_WRITING);
  mm3_root(file, sample)->both.a = 3;
  return 0; /* the process ends */
}

static int recovered_model(struct kill_case *c, struct mm3_file *file) {
  uint64_t value = mm3_root(file, sample)->both.b;
  return value == 3 ? 0 : kill_says(c, "recovery made %llu of it", (unsigned long long)value);
}

static int run_takeover(struct kill_case *c) {
  struct mm3_options options = {.size = sizeof options, .flags = MM3_READ_ONLY};
  struct mm3_file *reader = mm3_open(c->path, NULL, &options, NULL); /* so that opening resets nothing */
  struct mm3_file *file = open_sample(c);
  if (!reader || !file) return -1;
  kill_begin();
  int result = mm3_lock(file);
  if (result != 1 || mm3_unlock(file) < 0) return -1;
  kill_end();
  return mm3_close(file) | mm3_close(reader);
}

/* ---- what must be caught -------------------------------------------------------------------------------------------------- */

static int double_model(struct kill_case *c, struct mm3_file *file) {
  const struct sample *root = mm3_root(file, sample);
  for (uint64_t i = 0; i < root->value && i < 32; i++)
    if (root->key[i] != 'x') return kill_says(c, "item %llu is below the length and was never written", (unsigned long long)i);
  return 0;
}

static int append(struct kill_case *c, int publish_first) {
  struct mm3_file *file = open_sample(c);
  if (!file) return -1;
  volatile struct sample *root = mm3_root(file, sample);
  kill_begin();
  for (uint64_t i = 0; i < 4; i++) {
    if (publish_first) root->value = i + 1;
    root->key[i] = 'x';
    if (!publish_first) root->value = i + 1;
  }
  kill_end();
  return mm3_close(file);
}

static int run_append(struct kill_case *c) { return append(c, 0); }
static int run_publishes_before_it_writes(struct kill_case *c) { return append(c, 1); }

static int run_pair_without_certificate(struct kill_case *c) {
  struct mm3_file *file = open_sample(c);
  if (!file) return -1;
  volatile struct pair *pair = &mm3_root(file, sample)->both;
  kill_begin();
  if (mm3_lock(file) < 0) return -1;
  pair->a = 2;
  pair->b = 2;
  if (mm3_unlock(file) < 0) return -1;
  kill_end();
  return mm3_close(file);
}

static int run_crash(struct kill_case *c) {
  (void)c;
  kill_begin();
  abort();
}

static const struct kill_op good[] = {
    {"create", NULL, run_create, pair_model, KILL_NEW},
    {"create, before it has a name", NULL, run_create, pair_model, KILL_NEW | KILL_HIDDEN},
    {"create by temporary", NULL, run_create_by_temporary, pair_model, KILL_NEW},
    {"open", make_sample, run_open, pair_model, KILL_ALONE},
    {"close", make_sample, run_close, pair_model, 0},
    {"lock and unlock", make_sample, run_lock, pair_model, 0},
    {"a certified change", make_sample, run_pair, pair_model, 0},
    {"recovery by opening", make_unrecovered, run_open, recovered_model, KILL_ALONE},
    {"recovery by the next taker", make_unrecovered, run_takeover, recovered_model, KILL_ALONE},
    {"write, then publish", make_sample, run_append, double_model, 0},
};

static void no_state_breaks_a_promise(void) {
  struct kill_result result;
  CHECK_EQ(mm3_module_register(&pair_module, NULL), 0);
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
    /* 270,000 steps for a creation under TSan: minutes for what another build shows as well */
    if (strcmp(mm3test_tool(), "tsan") == 0 && good[i].flags & (KILL_NEW | KILL_ALONE)) continue;
    if (!CHECK_EQ(kill_run(&good[i], mm3test_path(NULL), &result), 0)) printf("%s: %s\n", good[i].name, result.says);
    CHECK_EQ(result.violations, 0);
    if (!kill_can_step()) continue;
    CHECK(result.points > (good[i].flags & KILL_NEW ? 0 : 1));
    CHECK(result.opened > 0);
    if (good[i].flags & KILL_HIDDEN) CHECK(result.refused > 0);
    else CHECK(result.killed > 0);
    if (!(good[i].flags & KILL_HIDDEN)) CHECK_EQ(result.refused, 0);
  }
}

static void doubles_are_caught(void) {
  static const struct kill_op bad[] = {
      {"double: publishes before it writes", make_sample, run_publishes_before_it_writes, double_model, 0},
      {"double: two stores without a certificate", make_sample, run_pair_without_certificate, pair_model, 0},
  };
  static const char *const says[] = {"never written", "halves differ"};
  struct kill_result result;
  CHECK_EQ(mm3_module_register(&pair_module, NULL), 0);
  for (int i = 0; i < 2; i++) {
    CHECK_EQ(kill_run(&bad[i], mm3test_path(NULL), &result), 0);
    if (!kill_can_step()) continue;
    CHECK(result.violations > 0);
    CHECK_HAS(result.says, says[i]);
  }
}

static void an_operation_that_fails_is_no_success(void) {
  static const struct kill_op crash = {"crash", make_sample, run_crash, NULL, 0};
  struct kill_result result;
  CHECK_EQ(mm3_module_register(&pair_module, NULL), 0);
  CHECK_EQ(kill_run(&crash, mm3test_path(NULL), &result), -1);
  CHECK_HAS(result.says, kill_can_step() ? "kill_end" : "failed");
}

MM3_TEST_SUITE("kill", {"no state breaks a promise", no_state_breaks_a_promise},
               {"doubles are caught", doubles_are_caught},
               {"an operation that fails is no success", an_operation_that_fails_is_no_success})

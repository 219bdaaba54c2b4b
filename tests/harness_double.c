/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A program whose cases fail in every way that the harness must notice; check-harness.sh counts them. */
#include "mm3test.h"

#include <signal.h>
#include <unistd.h>

static void passes(void) {
  CHECK(1);
  CHECK_EQ(-1, -1LL);
  CHECK_EQ(5U, (uint64_t)5);
  CHECK_STR("a", "a");
  CHECK_MEM("abc", "abd", 2);
  CHECK_HAS("a sentence", "sent");
}

static void fails_a_check(void) { CHECK(1 + 1 == 3); }

static void takes_minus_one_for_a_large_number(void) { CHECK_EQ(-1, UINT64_MAX); }

static void compares_bytes(void) { CHECK_MEM("abc", "abd", 3); }

static void checks_nothing(void) {}

static int child_that_fails(void *arg) {
  (void)arg;
  CHECK_STR("child", "parent");
  return 0;
}

static int child_that_dies(void *arg) {
  (void)arg;
  return kill(getpid(), SIGKILL);
}

static void child_fails(void) { CHECK_EQ(mm3test_fork(child_that_fails, NULL), 0); }

static void children_are_told_apart(void) {
  CHECK_EQ(mm3test_fork(child_that_fails, NULL), MM3TEST_CHILD_FAILED);
  CHECK_EQ(mm3test_fork(child_that_dies, NULL), -SIGKILL);
}

static void skips(void) { mm3test_skip("as it is told to"); }

static void crashes(void) {
  CHECK(1);
  raise(SIGABRT);
}

static void sleeps(void) {
  CHECK(1);
  mm3test_sleep_ms(60000);
}

static void folders_are_new(void) {
  CHECK(access(mm3test_path(NULL), W_OK) == 0);
  CHECK(access(mm3test_path("a"), F_OK) != 0);
  CHECK(!rmdir(mm3test_path(NULL)));
}

MM3_TEST_SUITE("double",
               {"all: passes", passes},
               {"all: fails a check", fails_a_check},
               {"all: takes -1 for a large number", takes_minus_one_for_a_large_number},
               {"all: compares bytes", compares_bytes},
               {"all: checks nothing", checks_nothing},
               {"all: a failure in a child", child_fails},
               {"all: children are told apart", children_are_told_apart},
               {"all: skips", skips},
               {"all: has a folder of its own", folders_are_new},
               {"a crash", crashes},
               {"a case that hangs", sleeps})

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* SIGBUS as an error code. Each case runs in a child, so that the handler is new each time. */
#include "guard.h"

#include <mm3/guard.h>
#include <mm3/map.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>

#include "mm3places.h"

enum { PAGES = 64, PAGE = 4096 };

static struct mm3_error err;

struct scene {
  struct mm3_map map, other;
  int fd, other_fd;
  unsigned hooks;
  unsigned sum;
};

static struct scene scene;

static unsigned char *bytes_of(const struct mm3_map *map) { return mm3_map_ptr(map); }

static int read_last(void *arg) {
  struct mm3_map *map = arg;
  return *(volatile unsigned char *)(bytes_of(map) + map->length - 1);
}

static int store_last(void *arg) {
  struct mm3_map *map = arg;
  *(volatile unsigned char *)(bytes_of(map) + map->length - 1) = 1;
  return 5;
}

/* Two maps of two files; nothing truncated yet. */
static int set_scene(enum mm3_map_access access) {
  signal(SIGBUS, SIG_DFL); /* a sanitizer may have put its own there */
  memset(&scene, 0, sizeof scene);
  scene.fd = place_file("a", PAGES * PAGE);
  scene.other_fd = place_file("b", PAGES * PAGE);
  return CHECK_OK(mm3_map_fd(&scene.map, scene.fd, access, NULL, &err), err) &&
         CHECK_OK(mm3_map_fd(&scene.other, scene.other_fd, access, NULL, &err), err);
}

static void cut(int fd) { CHECK_EQ(ftruncate(fd, 0), 0); }

static void mend(int fd) { CHECK_EQ(ftruncate(fd, PAGES * PAGE), 0); }

#define IN_A_CHILD(name)                                              \
  static int name##_child(void *arg);                                 \
  IN_PLACES(name) { CHECK_EQ(mm3test_fork(name##_child, NULL), 0); }  \
  static int name##_child(void *arg MM3_UNUSED)

#define ENDS_BY(name, signal_number)                                               \
  static int name##_child(void *arg);                                              \
  IN_PLACES(name) { CHECK_EQ(mm3test_fork(name##_child, NULL), -(signal_number)); } \
  static int name##_child(void *arg MM3_UNUSED)

IN_A_CHILD(a_truncated_file_is_a_code) {
  for (int access = MM3_MAP_READ_WRITE; access <= MM3_MAP_COPY; access++) {
    if (access == MM3_MAP_READ_WRITE && !set_scene(MM3_MAP_READ_WRITE)) return 1;
    if (access == MM3_MAP_COPY) CHECK_OK(mm3_map_fd(&scene.map, scene.fd, MM3_MAP_COPY, NULL, &err), err);
    CHECK_EQ(mm3_guard_install(), 0);
    CHECK_EQ(mm3_guard_installed(), 1);
    CHECK_EQ(mm3_guard_run(&scene.map, store_last, &scene.map), 5);
    CHECK_EQ(mm3_guard_run(&scene.map, read_last, &scene.map), 1);
    cut(scene.fd);
    CHECK_EQ(mm3_guard_run(&scene.map, read_last, &scene.map), -MM3_E_TRUNCATED);
    CHECK_EQ(mm3_guard_run(&scene.map, store_last, &scene.map), -MM3_E_TRUNCATED);
    CHECK_EQ(mm3_guard_run_range(NULL, SIZE_MAX, store_last, &scene.map), -MM3_E_TRUNCATED);
    mend(scene.fd); /* the addresses are valid again: nothing was put in the pages' place */
    CHECK_EQ(mm3_guard_run(&scene.map, read_last, &scene.map), 0);
    CHECK_EQ(mm3_guard_run(&scene.map, store_last, &scene.map), 5);
    CHECK_EQ(mm3_map_unmap(&scene.map), 0);
  }
  return 0;
}

static int read_both(void *arg) {
  struct scene *at = arg;
  return read_last(&at->other) + read_last(&at->map);
}

static int guard_the_other(void *arg) {
  struct scene *at = arg;
  int result = mm3_guard_run(&at->other, read_both, at);
  at->sum++; /* reached only when the inner guard took the jump, or nothing happened */
  return result == 0 ? 100 : 1000 + result;
}

IN_A_CHILD(guards_nest_and_the_innermost_that_fits_takes_it) {
  if (!set_scene(MM3_MAP_READ)) return 1;
  CHECK_EQ(mm3_guard_install(), 0);
  CHECK_EQ(mm3_guard_install(), 0); /* again is harmless */
  CHECK_EQ(mm3_guard_run(&scene.map, guard_the_other, &scene), 100);
  CHECK_EQ(scene.sum, 1);
  cut(scene.other_fd);
  CHECK_EQ(mm3_guard_run(&scene.map, guard_the_other, &scene), 1000 - MM3_E_TRUNCATED);
  CHECK_EQ(scene.sum, 2);
  mend(scene.other_fd);
  cut(scene.fd); /* the outer one's */
  CHECK_EQ(mm3_guard_run(&scene.map, guard_the_other, &scene), -MM3_E_TRUNCATED);
  CHECK_EQ(scene.sum, 2);
  mend(scene.fd);
  CHECK_EQ(mm3_guard_run(&scene.map, guard_the_other, &scene), 100);
  return 0;
}

static void count_hook(void *arg) {
  struct scene *at = arg;
  at->hooks++;
}

/* marks a lock that lies in the very file that fell away */
static void hook_that_faults(void *arg) {
  struct scene *at = arg;
  at->hooks += 10;
  store_last(&at->map);
  at->hooks += 1000;
}

static int hooked_inner(void *arg) {
  struct scene *at = arg;
  struct mm3i_guard_range range = {at->other.base, at->other.mapped, hook_that_faults, at};
  return mm3i_guard_run(&range, read_both, at);
}

static int hooked_outer(struct scene *at) {
  struct mm3i_guard_range range = {at->map.base, at->map.mapped, count_hook, at};
  return mm3i_guard_run(&range, hooked_inner, at);
}

/* Valgrind does not extend the stack for a signal's frame inside another signal's handler. */
static void stretch_stack(void) {
  volatile char room[65536];
  for (size_t i = 0; i < sizeof room; i += 1024) room[i] = 0;
}

IN_A_CHILD(hooks_of_all_guards_that_a_jump_leaves_are_called) {
  sigset_t before, after;
  stretch_stack();
  if (!set_scene(MM3_MAP_READ_WRITE)) return 1;
  CHECK_EQ(mm3i_guard_active(), 0);
  CHECK_EQ(mm3_guard_install(), 0);
  CHECK_EQ(mm3i_guard_active(), 1);
  sigemptyset(&before);
  sigaddset(&before, SIGUSR1);
  CHECK_EQ(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
  CHECK_EQ(hooked_outer(&scene), 0);
  CHECK_EQ(scene.hooks, 0); /* no jump, no hook */
  cut(scene.fd);
  CHECK_EQ(hooked_outer(&scene), -MM3_E_TRUNCATED);
  CHECK_EQ(scene.hooks, 11); /* the inner one's ended at its own fault, the outer one's ran */
  CHECK_EQ(hooked_outer(&scene), -MM3_E_TRUNCATED);
  CHECK_EQ(scene.hooks, 22);
  CHECK_EQ(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
  CHECK_EQ(sigismember(&after, SIGBUS), 0);
  CHECK_EQ(sigismember(&after, SIGUSR1), 1);
  CHECK_EQ(sigismember(&after, SIGUSR2), 0);
  return 0;
}

static unsigned previous_calls;
static struct mm3_map *repair;

static void previous_with_info(int number, siginfo_t *info, void *context) {
  (void)context;
  previous_calls++;
  CHECK_EQ(number, SIGBUS);
  if (info->si_code > 0) {
    CHECK(info->si_addr == bytes_of(repair) + repair->length - 1);
    CHECK_EQ(ftruncate(scene.fd, PAGES * PAGE), 0); /* then the instruction works when it is run again */
  }
}

static void previous_plain(int number) {
  previous_calls++;
  CHECK_EQ(number, SIGBUS);
  CHECK_EQ(ftruncate(scene.fd, PAGES * PAGE), 0);
}

IN_A_CHILD(other_faults_go_to_the_handler_that_was_there) {
  struct sigaction action = {.sa_sigaction = previous_with_info, .sa_flags = SA_SIGINFO};
  if (!set_scene(MM3_MAP_READ)) return 1;
  previous_calls = 0;
  repair = &scene.map;
  CHECK_EQ(sigaction(SIGBUS, &action, NULL), 0);
  CHECK_EQ(mm3_guard_install(), 0);
  cut(scene.fd);
  CHECK_EQ(read_last(&scene.map), 0); /* no guard */
  CHECK_EQ(previous_calls, 1);
  cut(scene.fd);
  CHECK_EQ(mm3_guard_run(&scene.other, read_last, &scene.map), 0); /* a guard over something else */
  CHECK_EQ(previous_calls, 2);
  raise(SIGBUS);
  CHECK_EQ(previous_calls, 3);
  cut(scene.fd);
  CHECK_EQ(mm3_guard_run(&scene.map, read_last, &scene.map), -MM3_E_TRUNCATED);
  CHECK_EQ(previous_calls, 3);
  return 0;
}

IN_A_CHILD(a_plain_handler_is_chained_to_as_well) {
  struct sigaction action = {.sa_handler = previous_plain, .sa_flags = SA_NODEFER};
  if (!set_scene(MM3_MAP_READ)) return 1;
  previous_calls = 0;
  CHECK_EQ(sigaction(SIGBUS, &action, NULL), 0);
  CHECK_EQ(mm3_guard_install(), 0);
  cut(scene.fd);
  CHECK_EQ(read_last(&scene.map), 0);
  CHECK_EQ(previous_calls, 1);
  return 0;
}

ENDS_BY(a_handler_for_one_call_is_called_once, SIGBUS) {
  struct sigaction action = {.sa_handler = previous_plain, .sa_flags = (int)SA_RESETHAND};
  if (!set_scene(MM3_MAP_READ)) return 1;
  previous_calls = 0;
  sigaction(SIGBUS, &action, NULL);
  mm3_guard_install();
  cut(scene.fd);
  if (read_last(&scene.map) != 0 || previous_calls != 1) return 1;
  cut(scene.fd);
  return read_last(&scene.map) + 2;
}

static void theirs(int number) { _exit(number == SIGBUS ? 40 : 41); }

IN_A_CHILD(a_replaced_handler_is_noticed) {
  if (!set_scene(MM3_MAP_READ)) return 1;
  CHECK_EQ(mm3_guard_installed(), 0);
  CHECK_EQ(mm3_guard_install(), 0);
  signal(SIGBUS, theirs);
  CHECK_EQ(mm3_guard_installed(), -MM3_E_BUSY);
  CHECK_EQ(mm3_guard_install(), -MM3_E_BUSY);
  struct sigaction now;
  CHECK_EQ(sigaction(SIGBUS, NULL, &now), 0);
  CHECK(now.sa_handler == theirs); /* left alone */
  return 0;
}

ENDS_BY(a_fault_outside_any_guard_still_kills, SIGBUS) {
  if (!set_scene(MM3_MAP_READ) || mm3_guard_install() != 0) return 1;
  cut(scene.fd);
  if (mm3_guard_run(&scene.map, read_last, &scene.map) != -MM3_E_TRUNCATED) return 2;
  return read_last(&scene.map) + 3;
}

ENDS_BY(a_fault_under_another_guard_still_kills, SIGBUS) {
  if (!set_scene(MM3_MAP_READ) || mm3_guard_install() != 0) return 1;
  cut(scene.fd);
  return mm3_guard_run(&scene.other, read_last, &scene.map) == 0 ? 2 : 3;
}

ENDS_BY(a_guard_without_the_handler_changes_nothing, SIGBUS) {
  if (!set_scene(MM3_MAP_READ)) return 1;
  cut(scene.fd);
  return mm3_guard_run(&scene.map, read_last, &scene.map) == 0 ? 2 : 3;
}

static int send_to_oneself(void *arg) {
  (void)arg;
  kill(getpid(), SIGBUS);
  mm3test_sleep_ms(1000);
  return 0;
}

ENDS_BY(a_signal_that_somebody_sends_still_kills, SIGBUS) {
  if (!set_scene(MM3_MAP_READ) || mm3_guard_install() != 0) return 1;
  mm3_guard_run_range(NULL, SIZE_MAX, send_to_oneself, NULL);
  return 2;
}

/* ignored means: one that is sent is ignored; a fault cannot be, and kills as the system would */
ENDS_BY(an_ignored_signal_is_ignored_but_a_fault_kills, SIGBUS) {
  if (!set_scene(MM3_MAP_READ)) return 1;
  signal(SIGBUS, SIG_IGN);
  if (mm3_guard_install() != 0) return 2;
  raise(SIGBUS);
  cut(scene.fd);
  if (mm3_guard_run(&scene.map, read_last, &scene.map) != -MM3_E_TRUNCATED) return 3;
  return read_last(&scene.map) + 4;
}

static void *guard_many_times(void *arg) {
  struct mm3_map *map = arg;
  for (int i = 0; i < 500; i++) {
    int result = mm3_guard_run(map, read_last, map);
    if (result != (map == &scene.map ? -MM3_E_TRUNCATED : 0)) return arg;
  }
  return NULL;
}

IN_A_CHILD(threads_have_guards_of_their_own) {
  pthread_t threads[8];
  if (!set_scene(MM3_MAP_READ)) return 1;
  CHECK_EQ(mm3_guard_install(), 0);
  cut(scene.fd);
  for (int i = 0; i < 8; i++)
    CHECK_EQ(pthread_create(&threads[i], NULL, guard_many_times, i % 2 ? &scene.map : &scene.other), 0);
  for (int i = 0; i < 8; i++) {
    void *wrong;
    pthread_join(threads[i], &wrong);
    CHECK(wrong == NULL);
  }
  return 0;
}

static void *hook_frame;

static void note_frame(void *arg) {
  (void)arg;
  hook_frame = __builtin_frame_address(0);
}

IN_A_CHILD(an_alternate_signal_stack_is_used_and_left_free) {
  static char stack[65536];
  stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack}, after;
  if (!set_scene(MM3_MAP_READ)) return 1;
  CHECK_EQ(sigaltstack(&alternate, NULL), 0);
  CHECK_EQ(mm3_guard_install(), 0);
  cut(scene.fd);
  struct mm3i_guard_range range = {scene.map.base, scene.map.mapped, note_frame, NULL};
  for (int i = 0; i < 100; i++) CHECK_EQ(mm3i_guard_run(&range, read_last, &scene.map), -MM3_E_TRUNCATED);
  CHECK_EQ(sigaltstack(NULL, &after), 0);
  CHECK_EQ(after.ss_flags & SS_ONSTACK, 0);
  CHECK((char *)hook_frame > stack && (char *)hook_frame < stack + sizeof stack);
  return 0;
}

/* ---- another process truncates while a guarded reader walks --------------------------------------------------- */

static int cut_and_mend_for_ever(void *arg) {
  int fd = *(int *)arg;
  for (unsigned i = 0;; i++) {
    if (ftruncate(fd, (off_t)(i * 7 % PAGES) * PAGE) != 0) return 1;
    if (i % 3 == 0) sched_yield();
    if (ftruncate(fd, PAGES * PAGE) != 0) return 1;
    if (i % 3 == 1) sched_yield();
  }
}

static int walk(void *arg) {
  const struct mm3_map *map = arg;
  unsigned sum = 0;
  for (size_t at = 0; at < map->length; at += PAGE) sum += *(volatile unsigned char *)(bytes_of(map) + at);
  return sum == 0 ? 0 : 1;
}

static int walk_many_times(void *arg) {
  unsigned whole = 0, cut_short = 0, wrong = 0, wanted = strcmp(mm3test_tool(), "valgrind") ? 10000 : 1000;
  (void)arg;
  if (!set_scene(MM3_MAP_READ_WRITE)) return 1;
  CHECK_EQ(mm3_guard_install(), 0);
  pid_t child = mm3test_spawn(cut_and_mend_for_ever, &scene.fd);
  /* many of both outcomes, however the two processes are scheduled */
  uint64_t give_up = mm3test_now_ns() + UINT64_C(100000000000);
  while (whole < wanted / 10 || cut_short < wanted) {
    if (mm3test_now_ns() > give_up) break;
    int result = mm3_guard_run(&scene.map, walk, &scene.map);
    if (result == 0)
      whole++;
    else if (result == -MM3_E_TRUNCATED)
      cut_short++;
    else
      wrong++;
  }
  kill(child, SIGKILL);
  CHECK_EQ(mm3test_wait(child), -SIGKILL);
  CHECK(whole >= wanted / 10);
  CHECK(cut_short >= wanted);
  CHECK_EQ(wrong, 0);
  if (getenv("MM3TEST_RATES")) fprintf(stderr, "%s: %u walks whole, %u cut short\n", place, whole, cut_short);
  return 0;
}

IN_PLACES(ten_thousand_walks_while_another_process_truncates) {
  CHECK_EQ(mm3test_fork(walk_many_times, NULL), 0);
}

MM3_TEST_SUITE("guard", {"a truncated file is a code", a_truncated_file_is_a_code},
               {"guards nest, and the innermost that fits takes the fault",
                guards_nest_and_the_innermost_that_fits_takes_it},
               {"hooks of all guards that a jump leaves are called",
                hooks_of_all_guards_that_a_jump_leaves_are_called},
               {"other faults go to the handler that was there", other_faults_go_to_the_handler_that_was_there},
               {"a plain handler is chained to as well", a_plain_handler_is_chained_to_as_well},
               {"a handler for one call is called once", a_handler_for_one_call_is_called_once},
               {"a replaced handler is noticed", a_replaced_handler_is_noticed},
               {"a fault outside any guard still kills", a_fault_outside_any_guard_still_kills},
               {"a fault under another guard still kills", a_fault_under_another_guard_still_kills},
               {"a guard without the handler changes nothing", a_guard_without_the_handler_changes_nothing},
               {"a signal that somebody sends still kills", a_signal_that_somebody_sends_still_kills},
               {"an ignored signal is ignored, but a fault kills", an_ignored_signal_is_ignored_but_a_fault_kills},
               {"threads have guards of their own", threads_have_guards_of_their_own},
               {"an alternate signal stack is used and left free", an_alternate_signal_stack_is_used_and_left_free},
               {"ten thousand walks while another process truncates",
                ten_thousand_walks_while_another_process_truncates})

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The file's lock after its owner died: the next taker goes on within 10 ms, and is told. Whoever lives is left alone. */
#include "holder.h"

#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>

/* Takes over, and says how long it took. The machine may be busy: the best of some tries counts. */
static uint64_t take_over(struct mm3_file *file, pid_t victim) {
  CHECK_EQ(mm3_trylock(file), -MM3_E_BUSY);
  uint64_t start = mm3test_now_ns();
  CHECK_EQ(kill(victim, SIGKILL), 0);
  int result = mm3_lock(file);
  uint64_t took = mm3test_now_ns() - start;
  CHECK_EQ(result, 1);
  struct sample *root = mm3_root(file, sample);
  CHECK_EQ(root->both.a, 99);
  CHECK_EQ(root->both.b, 99);
  CHECK_EQ(mm3_unlock(file), 0);
  CHECK_EQ(mm3_lock(file), 0); /* told once */
  root->both.a = root->both.b = 0;
  CHECK_EQ(mm3_unlock(file), 0);
  return took;
}

static void a_killed_holder_is_succeeded_in_ten_milliseconds(void) {
  char *path = (char *)(uintptr_t)mm3test_path("a.mm3");
  struct mm3_file *file = sample_new(path);
  uint64_t best = UINT64_MAX;
  if (!file) return;
  for (int i = 0; i < 5 || (best >= patience_ms() * 1000000 && i < 50); i++) { /* a busy machine gets more tries */
    new_board();
    pid_t child = mm3test_spawn(holder, path);
    CHECK(wait_until(&board->holds));
    uint64_t took = take_over(file, child);
    if (took < best) best = took;
    CHECK_EQ(mm3test_wait(child), -SIGKILL);
    munmap(board, sizeof *board);
  }
  CHECK(best < patience_ms() * 1000000);
  mm3_close(file);
}

static void a_waiter_that_sleeps_already_takes_over_too(void) {
  char *path = (char *)(uintptr_t)mm3test_path("a.mm3");
  struct mm3_file *file = sample_new(path);
  struct mm3_file_info info = {0};
  if (!file) return;
  new_board();
  pid_t child = mm3test_spawn(holder, path);
  CHECK(wait_until(&board->holds));
  CHECK_EQ(mm3_lock_for(file, 30), -MM3_E_BUSY); /* leaves the waiters' bit */
  take_over(file, child);
  mm3_file_describe(file, &info);
  CHECK_EQ(info.recovered, 1);
  CHECK_EQ(mm3test_wait(child), -SIGKILL);
  mm3_close(file);
}

/* The holder has a child that goes on living, with every descriptor and every map. */
static int holder_with_child(void *arg) {
  struct mm3_file *file = sample_open(arg, 0);
  if (!file) return 1;
  if (mm3_lock(file) < 0 || mm3_unlock(file) < 0) return 2;
  pid_t child = fork();
  if (child == 0) {
    while (!LOOK(board->stop)) mm3test_sleep_ms(1);
    /* the handle is as good as new for it */
    int result = mm3_lock(file);
    PUT(board->code, result < 0 ? 100 : 1 + (uint32_t)result);
    _exit(0);
  }
  return hold_half_way(file);
}

static void a_killed_holder_with_a_living_child_is_succeeded(void) {
  char *path = (char *)(uintptr_t)mm3test_path("a.mm3");
  struct mm3_file *file = sample_new(path);
  if (!file) return;
  new_board();
  pid_t child = mm3test_spawn(holder_with_child, path);
  CHECK(wait_until(&board->holds));
  uint64_t took = take_over(file, child);
  CHECK(took < 50 * patience_ms() * 1000000);
  CHECK_EQ(mm3test_wait(child), -SIGKILL);
  PUT(board->stop, 1);
  CHECK(wait_until(&board->code));
  CHECK_EQ(board->code, 1);
  mm3_lock(file); /* the grandchild left with the lock, or has let go: either way it is ours now */
  CHECK_EQ(mm3_unlock(file), 0);
  mm3_close(file);
}

/* A child that inherits the lock's owner's handle, and closes it, frees nothing of its parent's. */
static int closes(void *arg) { return mm3_close(arg); }

static void a_childs_close_leaves_the_parents_lock(void) {
  const char *path = mm3test_path("a.mm3");
  struct mm3_file *one = sample_new(path), *two = sample_open(path, 0);
  if (!one || !two) return;
  CHECK_EQ(mm3_lock(one), 0);
  CHECK_EQ(mm3test_fork(closes, one), 0);
  CHECK_EQ(mm3_lock_for(two, 30), -MM3_E_BUSY);
  CHECK_EQ(mm3_unlock(one), 0);
  mm3_close(one), mm3_close(two);
}

static int execs(void *arg) {
  struct mm3_file *file = sample_open(arg, 0);
  if (!file || mm3_lock(file) < 0) return 1;
  PUT(board->holds, 1);
  execlp("sleep", "sleep", "30", (char *)NULL);
  return 2;
}

static void exec_lets_go(void) {
  char *path = (char *)(uintptr_t)mm3test_path("a.mm3");
  struct mm3_file *file = sample_new(path);
  if (!file) return;
  new_board();
  pid_t child = mm3test_spawn(execs, path);
  CHECK(wait_until(&board->holds));
  CHECK_EQ(mm3_lock(file), 1);
  CHECK_EQ(mm3_unlock(file), 0);
  kill(child, SIGKILL);
  CHECK_EQ(mm3test_wait(child), -SIGKILL);
  mm3_close(file);
}

/* ---- the same pid in another namespace ------------------------------------------------------------------------------- */

static int in_a_namespace(int (*run)(void *), void *arg) {
  if (unshare(CLONE_NEWPID) < 0) return 77;
  pid_t child = fork();
  if (child == 0) _exit(run(arg));
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 78;
}

static int first_holds(void *arg) {
  PUT(board->pid, (int)getpid());
  return holder(arg);
}
static int first_namespace(void *arg) { return in_a_namespace(first_holds, arg); }

static int second_takes(void *arg) {
  struct mm3_file *file = sample_open(arg, 0);
  if (!file || getpid() != board->pid) return 1;
  if (mm3_lock_for(file, 100) != -MM3_E_BUSY) return 2; /* alive, whatever its number */
  PUT(board->go, 1);
  int result = mm3_lock(file);
  board->taken_ns = mm3test_now_ns();
  if (result != 1) return 3;
  struct sample *root = mm3_root(file, sample);
  if (root->both.a != 99 || root->both.b != 99) return 4;
  return mm3_unlock(file) || mm3_close(file) ? 5 : 0;
}
static int second_namespace(void *arg) { return in_a_namespace(second_takes, arg); }

static pid_t child_of(pid_t parent) {
  char path[64], text[64] = {0};
  snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)parent, (int)parent);
  int fd = open(path, O_RDONLY);
  if (fd < 0) return -1;
  ssize_t got = read(fd, text, sizeof text - 1);
  close(fd);
  return got > 0 ? (pid_t)atoi(text) : -1;
}

/* Returns how long the living one took to succeed the dead one, or UINT64_MAX. */
static uint64_t succeed_a_namesake(char *path) {
  new_board();
  pid_t one = mm3test_spawn(first_namespace, path);
  if (!CHECK(wait_until(&board->holds))) return UINT64_MAX;
  CHECK_EQ(board->pid, 1);
  pid_t two = mm3test_spawn(second_namespace, path);
  CHECK(wait_until(&board->go));
  mm3test_sleep_ms(20);
  pid_t victim = child_of(one);
  CHECK(victim > 1);
  board->killed_ns = mm3test_now_ns();
  if (victim > 1) kill(victim, SIGKILL);
  int result = mm3test_wait(two);
  CHECK_EQ(result, 0);
  CHECK_EQ(mm3test_wait(one), 78);
  return victim > 1 && result == 0 ? board->taken_ns - board->killed_ns : UINT64_MAX;
}

static void the_same_pid_in_another_namespace_is_somebody_else(void) {
  char *path = (char *)(uintptr_t)mm3test_path("a.mm3");
  if (geteuid() != 0) {
    mm3test_skip("pid namespaces need root");
    return;
  }
  uint64_t best = UINT64_MAX, wanted = 10 * patience_ms() * 1000000;
  for (int i = 0; best >= wanted && i < 10; i++) { /* a busy machine gets more tries */
    unlink(path);
    mm3_close(sample_new(path));
    uint64_t took = succeed_a_namesake(path);
    if (took == UINT64_MAX) break;
    if (took < best) best = took;
  }
  CHECK(best < wanted);
}

/* ---- all dead --------------------------------------------------------------------------------------------------------- */

static void who_opens_after_all_died_recovers(void) {
  char *path = (char *)(uintptr_t)mm3test_path("a.mm3");
  struct mm3_file_info info = {0};
  mm3_close(sample_new(path));
  new_board();
  pid_t child = mm3test_spawn(holder, path);
  CHECK(wait_until(&board->holds));
  kill(child, SIGKILL);
  CHECK_EQ(mm3test_wait(child), -SIGKILL);
  struct mm3_file *reader = sample_open(path, MM3_READ_ONLY); /* repairs nothing */
  if (!reader) return;
  CHECK_EQ(mm3_root_const(reader, sample)->both.b, 0);
  mm3_close(reader);
  struct mm3_file *file = sample_open(path, 0);
  if (!file) return;
  CHECK_EQ(mm3_root(file, sample)->both.b, 99);
  mm3_file_describe(file, &info);
  CHECK_EQ(info.recovered, 1);
  CHECK_EQ(info.incarnation, 3);
  CHECK_EQ(info.locked, 0);
  CHECK_EQ(info.nowners, 1);
  CHECK_EQ(mm3_trylock(file), 0);
  CHECK_EQ(mm3_unlock(file), 0);
  mm3_close(file);
}

/* A reader that stays keeps the file in use, so that nobody resets the lock area: who gets the dead one's slot must
 * notice that the lock names it. */
static void who_gets_a_dead_holders_slot_recovers_first(void) {
  char *path = (char *)(uintptr_t)mm3test_path("a.mm3");
  struct mm3_file_info info = {0};
  mm3_close(sample_new(path));
  struct mm3_file *reader = sample_open(path, MM3_READ_ONLY);
  new_board();
  pid_t child = mm3test_spawn(holder, path);
  CHECK(wait_until(&board->holds));
  kill(child, SIGKILL);
  CHECK_EQ(mm3test_wait(child), -SIGKILL);
  /* all other slots look taken */
  struct mm3i_slot taken[MM3I_SLOTS];
  memset(taken, 1, sizeof taken);
  spoil(path, MM3I_PAGE, taken, sizeof taken, false);
  struct mm3_file *file = sample_open(path, 0);
  if (!file || !reader) return;
  CHECK_EQ(mm3i_handle_of(file)->slot, 0);
  CHECK_EQ(mm3_root(file, sample)->both.b, 99);
  mm3_file_describe(file, &info);
  CHECK_EQ(info.recovered, 1);
  CHECK_EQ(info.incarnation, 1);
  CHECK_EQ(mm3_trylock(file), 0);
  CHECK_EQ(mm3_unlock(file), 0);
  mm3_close(file), mm3_close(reader);
}

/* ---- two heirs of one thread ------------------------------------------------------------------------------------------ */

enum { NOBODY = 0x7ffffff0 };
static struct {
  struct mm3_file *file;
  unsigned char *page;         /* its members up to the nonce lie here, and cannot be stored to for a while */
  uint32_t stopped, tried;
  int results[2];
} heirs;
static _Thread_local int heir_number;

static void *calloc_on_two_pages(size_t count, size_t size) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  if (size != sizeof(struct mm3i_handle)) return calloc(count, size);
  heirs.page = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return CHECK(heirs.page != MAP_FAILED) ? heirs.page + page - offsetof(struct mm3i_handle, nonce) : NULL;
}
static void free_but_those(void *memory) {
  if (memory != heirs.file) free(memory);
}
static void let_store(int protection) { mprotect(heirs.page, (size_t)sysconf(_SC_PAGESIZE), protection); }

/* The first heir's next store to the handle stops it until the second one has tried. */
static int gone_and_stop(int thread) {
  if (thread == NOBODY && heir_number == 0) let_store(PROT_READ);
  return thread == NOBODY;
}
static void at_a_store(int number) {
  (void)number;
  PUT(heirs.stopped, 1);
  while (heir_number == 0 && !LOOK(heirs.tried)) continue;
  let_store(PROT_READ | PROT_WRITE);
}

static void *inherit(void *arg) {
  heir_number = *(const int *)arg;
  while (heir_number == 1 && !LOOK(heirs.stopped)) continue;
  heirs.results[heir_number] = mm3_trylock(heirs.file);
  if (heir_number == 1) PUT(heirs.tried, 1);
  return NULL;
}

static void a_dead_thread_has_one_heir(void) {
  struct mm3i_sys whole = mm3i_sys;
  struct sigaction action = {.sa_handler = at_a_store}, before;
  const int numbers[2] = {0, 1};
  pthread_t threads[2];
  mm3i_sys.calloc = calloc_on_two_pages, mm3i_sys.free = free_but_those, mm3i_sys.thread_gone = gone_and_stop;
  if (!(heirs.file = sample_new(mm3test_path("a.mm3")))) return;
  CHECK_EQ(mm3_lock(heirs.file), 0);
  PUT(mm3i_handle_of(heirs.file)->holder, NOBODY);
  sigaction(SIGSEGV, &action, &before);
  for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, inherit, (void *)(uintptr_t)&numbers[i]);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  sigaction(SIGSEGV, &before, NULL);
  CHECK_EQ((heirs.results[0] == 1) + (heirs.results[1] == 1), 1);
  CHECK_EQ((heirs.results[0] == -MM3_E_BUSY) + (heirs.results[1] == -MM3_E_BUSY), 1);
  CHECK_EQ(mm3_unlock(heirs.file), 0);
  CHECK_EQ(mm3_close(heirs.file), 0);
  mm3i_sys = whole;
}

MM3_TEST_SUITE("lock of the dead",
               {"a killed holder is succeeded in ten milliseconds", a_killed_holder_is_succeeded_in_ten_milliseconds},
               {"a waiter that sleeps already takes over too", a_waiter_that_sleeps_already_takes_over_too},
               {"a killed holder with a living child is succeeded", a_killed_holder_with_a_living_child_is_succeeded},
               {"a child's close leaves the parent's lock", a_childs_close_leaves_the_parents_lock},
               {"exec lets go", exec_lets_go},
               {"the same pid in another namespace is somebody else", the_same_pid_in_another_namespace_is_somebody_else},
               {"who opens after all died recovers", who_opens_after_all_died_recovers},
               {"who gets a dead holder's slot recovers first", who_gets_a_dead_holders_slot_recovers_first},
               {"a dead thread has one heir", a_dead_thread_has_one_heir})

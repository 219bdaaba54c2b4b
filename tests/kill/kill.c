/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* kill.c: the stepped child, and the real deaths. */
#include "kill.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How many states of an operation are made by real kills: each is stepped from the operation's beginning. */
static uint64_t real_kills(uint64_t points, uint64_t steps) {
  uint64_t count = getenv("MM3_TORTURE") ? 12 : steps > 5000 ? 2 : 4;
  return points < count ? points : count;
}

static int traced;

void kill_begin(void) {
  if (traced) raise(SIGSTOP);
}

void kill_end(void) {
  if (traced) raise(SIGSTOP);
}

/* Tracer and child on one CPU: a step is then a switch, not a wake-up of another core. */
static void stay_on_one_cpu(void) {
  cpu_set_t set;
  int cpu = sched_getcpu();
  if (cpu < 0) return;
  CPU_ZERO(&set);
  CPU_SET((size_t)cpu, &set);
  sched_setaffinity(0, sizeof set, &set);
}

static int wait_for(pid_t child, int *status) {
  while (waitpid(child, status, 0) < 0)
    if (errno != EINTR) return -1;
  return 0;
}

static int run_apart(int (*run)(struct kill_case *), struct kill_case *c) {
  int status = 0;
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) _exit(run(c) == 0 ? 0 : 1);
  if (child < 0 || wait_for(child, &status) < 0) return -1;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

/* A child that has come to kill_begin. */
static pid_t start(const struct kill_op *op, struct kill_case *c) {
  int status;
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    traced = 1;
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0) _exit(125);
    raise(SIGSTOP);
    _exit(op->run(c) == 0 ? 0 : 124);
  }
  if (child < 0 || wait_for(child, &status) < 0 || !WIFSTOPPED(status)) return -1;
  ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)(uintptr_t)PTRACE_O_EXITKILL);
  if (ptrace(PTRACE_CONT, child, NULL, NULL) < 0 || wait_for(child, &status) < 0) return -1;
  if (WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP) return child;
  kill_says(c, "the operation did not come to kill_begin (status %#x)", (unsigned)status);
  return -1;
}

/* Steps until kill_end, or until so many states were seen or steps made. Returns 1 at kill_end, 0 when there were
 * enough, -1. */
static int step(pid_t child, struct kill_watch *w, uint64_t states, uint64_t most, uint64_t *steps) {
  int status, deliver = 0;
  while (w->nstates < states && *steps < most) {
    if (ptrace(PTRACE_SINGLESTEP, child, NULL, (void *)(uintptr_t)deliver) < 0 || wait_for(child, &status) < 0) return -1;
    if (!WIFSTOPPED(status)) return -1;
    deliver = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
    if (deliver == SIGSTOP) return 1;
    ++*steps;
    if (kill_look(w) < 0) return -1;
  }
  return 0;
}

static void finish(pid_t child) {
  int status;
  kill(child, SIGKILL);
  wait_for(child, &status);
}

static struct kill_watch watch_of(const struct kill_op *op, const struct kill_case *c, pid_t child) {
  return (struct kill_watch){.child = (int)child, .flags = op->flags, .path = c->path, .fd = -1};
}

/* One run from begin to end; the child must then come to its own good end. */
static int record(const struct kill_op *op, struct kill_case *c, struct kill_watch *w, struct kill_result *r) {
  int status;
  pid_t child = start(op, c);
  if (child < 0) return -1;
  *w = watch_of(op, c, child);
  if (kill_look(w) < 0 || step(child, w, UINT64_MAX, UINT64_MAX, &r->steps) != 1) {
    finish(child);
    return kill_says(c, "the operation did not come to kill_end");
  }
  if (ptrace(PTRACE_CONT, child, NULL, NULL) < 0 || wait_for(child, &status) < 0) return -1;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return 0;
  finish(child);
  return kill_says(c, "the operation failed (status %#x)", (unsigned)status);
}

/* ---- real deaths ---------------------------------------------------------------------------------------------------- */

struct peer {
  uint32_t ready, go, violations;
};

static void nap(void) {
  struct timespec ms = {0, 1000000};
  nanosleep(&ms, NULL);
}

/* A living process that has the file open all the time, or (KILL_NEW, KILL_ALONE) opens it afterwards. */
static void be_peer(const struct kill_op *op, struct kill_case *c, struct peer *peer) {
  struct mm3_error error = {0};
  int late = op->flags & (KILL_NEW | KILL_ALONE);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  struct mm3_file *file = late ? NULL : mm3_open(c->path, NULL, NULL, &error);
  __atomic_store_n(&peer->ready, 1, __ATOMIC_SEQ_CST);
  while (!__atomic_load_n(&peer->go, __ATOMIC_SEQ_CST)) nap();
  if (late) file = mm3_open(c->path, NULL, NULL, &error);
  if (!file && (op->flags & KILL_NEW) && error.code == -ENOENT && op->run(c) == 0) /* the next one makes it */
    file = mm3_open(c->path, NULL, NULL, &error);
  if (!file) kill_says(c, "a living peer: it does not open: %s", error.text);
  if (!file || kill_judge(op, c, file) < 0) __atomic_fetch_add(&peer->violations, 1, __ATOMIC_SEQ_CST);
  _exit(0);
}

/* At the n-th state; operations that make the file change it before anybody can see it, so for them: the n-th step. */
static int kill_at(const struct kill_op *op, struct kill_case *c, uint64_t point, struct peer *peer) {
  int status;
  uint64_t steps = 0, states = op->flags & KILL_NEW ? UINT64_MAX : point + 1;
  uint64_t most = op->flags & KILL_NEW ? point : UINT64_MAX;
  unlink(c->path);
  memset(c->memory, 0, sizeof c->memory);
  if (op->setup && run_apart(op->setup, c) < 0) return -1;
  memset(peer, 0, sizeof *peer);
  fflush(NULL);
  pid_t friend = fork();
  if (friend == 0) be_peer(op, c, peer);
  while (!__atomic_load_n(&peer->ready, __ATOMIC_SEQ_CST)) nap();
  c->point = (uint32_t)point;
  pid_t child = start(op, c);
  struct kill_watch w = watch_of(op, c, child);
  int result = child < 0 || kill_look(&w) < 0 ? -1 : step(child, &w, states, most, &steps);
  if (child > 0) finish(child);
  kill_watch_free(&w);
  __atomic_store_n(&peer->go, 1, __ATOMIC_SEQ_CST);
  if (wait_for(friend, &status) < 0 || !WIFEXITED(status)) {
    kill_says(c, "a living peer crashed (status %#x)", (unsigned)status);
    peer->violations++;
  }
  return result < 0 ? -1 : 0;
}

static uint64_t entries(const char *folder) {
  uint64_t count = 0;
  DIR *list = opendir(folder);
  for (struct dirent *entry; list && (entry = readdir(list));)
    count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
  if (list) closedir(list);
  return count;
}

static int kill_for_real(const struct kill_op *op, struct kill_case *c, const char *folder, struct kill_result *r) {
  struct peer *peer = mmap(NULL, sizeof *peer, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (peer == MAP_FAILED) return -1;
  uint64_t points = op->flags & KILL_NEW ? r->steps : r->points;
  uint64_t before = entries(folder) + (access(c->path, F_OK) < 0);
  uint64_t count = real_kills(points, r->steps);
  int result = 0;
  for (uint64_t i = 0; i < count && result == 0; i++) {
    uint64_t point = (i + 1) * points / (count + 1); /* all of them, or some from the middle */
    result = kill_at(op, c, point, peer);
    r->violations += peer->violations;
    r->killed++;
    if (entries(folder) == before) continue;
    kill_says(c, "killed at step %llu: something is left in the folder", (unsigned long long)point);
    r->violations++;
  }
  munmap(peer, sizeof *peer);
  return result;
}

/* ---- all of it ------------------------------------------------------------------------------------------------------- */

static int run_all(const struct kill_op *op, struct kill_case *c, const char *folder, struct kill_result *r) {
  struct kill_watch w = {.fd = -1};
  snprintf(c->path, sizeof c->path, "%s/kill.mm3", folder);
  unlink(c->path);
  if (op->setup && run_apart(op->setup, c) < 0) return kill_says(c, "setup failed");
  int result = record(op, c, &w, r);
  r->points = w.nstates;
  if (result == 0) result = kill_replay(op, c, &w, folder, r);
  kill_watch_free(&w);
  if (result == 0 && !(op->flags & KILL_HIDDEN)) result = kill_for_real(op, c, folder, r);
  unlink(c->path);
  return result;
}

int kill_can_step(void) {
  const char *preload = getenv("LD_PRELOAD");
  return !preload || !strstr(preload, "vgpreload");
}

static int run_plainly(const struct kill_op *op, struct kill_case *c, const char *folder) {
  snprintf(c->path, sizeof c->path, "%s/kill.mm3", folder);
  unlink(c->path);
  if (op->setup && run_apart(op->setup, c) < 0) return kill_says(c, "setup failed");
  if (run_apart(op->run, c) < 0) return kill_says(c, "the operation failed");
  struct mm3_file *file = mm3_open(c->path, NULL, NULL, NULL);
  int result = file ? kill_judge(op, c, file) : kill_says(c, "it does not open");
  mm3_close(file);
  unlink(c->path);
  return result;
}

int kill_run(const struct kill_op *op, const char *folder, struct kill_result *r) {
  struct kill_case *c = mmap(NULL, sizeof *c, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  cpu_set_t before;
  memset(r, 0, sizeof *r);
  if (c == MAP_FAILED) return -1;
  int restore = sched_getaffinity(0, sizeof before, &before);
  stay_on_one_cpu();
  int result = kill_can_step() ? run_all(op, c, folder, r) : run_plainly(op, c, folder);
  if (restore == 0) sched_setaffinity(0, sizeof before, &before);
  memcpy(r->says, c->says, sizeof r->says);
  munmap(c, sizeof *c);
  printf("kill: %s: %llu kill points in %llu steps, opened %llu times, %llu refused, %llu real kills, %llu violations%s%s\n",
         op->name, (unsigned long long)r->points, (unsigned long long)r->steps, (unsigned long long)r->opened,
         (unsigned long long)r->refused, (unsigned long long)r->killed, (unsigned long long)r->violations,
         r->says[0] ? ": " : "", r->says);
  return result;
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* replay.c: every state that a file had, opened as after its writer's death. */
#include "kill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

int kill_says(struct kill_case *c, const char *format, ...) {
  va_list args;
  char text[sizeof c->says];
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (!c->says[0]) memcpy(c->says, text, sizeof text);
  return -1;
}

static void note_finding(void *arg, const struct mm3_error *finding) {
  kill_says(arg, "check: %s %s", finding->field, finding->text);
}

int kill_judge(const struct kill_op *op, struct kill_case *c, struct mm3_file *file) {
  int result = mm3_lock_for(file, 5000);
  if (result < 0) return kill_says(c, "its lock is refused: %s", mm3_strerror(result));
  result = op->flags & KILL_SICK ? 0 : mm3_check(file, note_finding, c);
  if (result < 0) kill_says(c, "it cannot be checked: %s", mm3_strerror(result));
  if (result == 0 && op->model && op->model(c, file) != 0) result = kill_says(c, "the model refuses it");
  mm3_unlock(file);
  return result == 0 ? 0 : -1;
}

static int write_image(const char *path, const unsigned char *bytes, uint64_t length) {
  unlink(path);
  int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return -1;
  ssize_t put = write(fd, bytes, length);
  close(fd);
  return put == (ssize_t)length ? 0 : -1;
}

/* With `company` a reader has it open, so that nothing is reset and the lock itself must find its owner dead. */
static int judge_image(const struct kill_op *op, struct kill_case *c, const char *path, int company,
                       struct kill_result *r) {
  struct mm3_error error = {0};
  struct mm3_options options = {.size = sizeof options, .flags = MM3_READ_ONLY};
  struct mm3_file *reader = company ? mm3_open(path, NULL, &options, &error) : NULL;
  struct mm3_file *file = mm3_open(path, NULL, NULL, &error);
  int result;
  if (!file) {
    int refused = op->flags & KILL_HIDDEN && (error.code == -MM3_E_DAMAGED || error.code == -MM3_E_NOT_MM3);
    r->refused += refused != 0;
    result = refused ? 0 : kill_says(c, "it does not open: %s", error.text);
  } else {
    r->opened++;
    result = kill_judge(op, c, file);
    if (mm3_close(file) < 0) result = kill_says(c, "it does not close");
  }
  mm3_close(reader);
  return result;
}

struct replay {
  struct kill_result result; /* shared with the process that opens the states */
  uint64_t at;
};

/* States [at, n) in order; in a process of its own, which may crash. */
static void open_states(const struct kill_op *op, struct kill_case *c, const struct kill_watch *w, const char *folder,
                        struct replay *replay, uint64_t from) {
  char path[300];
  uint64_t most = 1;
  for (uint64_t i = 0; i < w->nstates; i++)
    if (w->states[i].length > most) most = w->states[i].length;
  unsigned char *bytes = calloc(1, most);
  snprintf(path, sizeof path, "%s/state.mm3", folder);
  for (uint64_t i = 0; bytes && i < w->nstates; i++) {
    memcpy(bytes + w->states[i].offset, w->states[i].bytes, w->states[i].size);
    if (i < from) continue;
    replay->at = i;
    c->point = (uint32_t)i;
    for (int company = 0; company < 2; company++) {
      char before[sizeof c->says];
      memcpy(before, c->says, sizeof before);
      if (write_image(path, bytes, w->states[i].length) < 0) _exit(2);
      if (judge_image(op, c, path, company, &replay->result) == 0) continue;
      replay->result.violations++;
      if (!before[0] && c->says[0]) {
        memcpy(before, c->says, sizeof before);
        snprintf(c->says, sizeof c->says, "state %llu%s: %.440s", (unsigned long long)i,
                 company ? ", a reader has it open" : "", before);
      }
    }
  }
  unlink(path);
  replay->at = w->nstates;
  _exit(bytes ? 0 : 2);
}

int kill_replay(const struct kill_op *op, struct kill_case *c, const struct kill_watch *w, const char *folder,
                struct kill_result *r) {
  struct replay *replay = mmap(NULL, sizeof *replay, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (replay == MAP_FAILED) return -1;
  int failed = 0;
  for (uint64_t from = 0; from < w->nstates && !failed;) {
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) open_states(op, c, w, folder, replay, from);
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    failed = child < 0 || (WIFEXITED(status) && WEXITSTATUS(status) != 0);
    if (!failed && WIFSIGNALED(status)) {
      replay->result.violations++;
      kill_says(c, "state %llu: who opened it was killed by signal %d", (unsigned long long)replay->at,
                WTERMSIG(status));
    }
    from = replay->at + 1;
  }
  r->opened += replay->result.opened;
  r->refused += replay->result.refused;
  r->violations += replay->result.violations;
  munmap(replay, sizeof *replay);
  return failed ? -1 : 0;
}

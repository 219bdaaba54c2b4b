/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * mm3step.h: what memory looks like after each single instruction of an operation, as if it had been killed there. A
 * child runs it under ptrace on memory that it shares with the test; each image that differs from the one before is judged.
 */
#ifndef MM3_MM3STEP_H
#define MM3_MM3STEP_H

#include "mm3test.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

struct steps {
  void *memory;                    /* shared with the child */
  size_t size;
  void (*run)(void *arg);          /* in the child: the operation */
  void (*judge)(void *arg, const void *image);
  void *arg;
};

/* Returns the number of distinct images, one after another; -1 when it did not run to its end. */
static long step_through(const struct steps *s) {
  unsigned char *shadow = malloc(s->size);
  long images = 0;
  int status = 0;
  if (!CHECK(shadow != NULL)) return -1;
  pid_t child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    raise(SIGSTOP);
    s->run(s->arg);
    raise(SIGSTOP);
    _exit(0);
  }
  waitpid(child, &status, 0);
  memcpy(shadow, s->memory, s->size);
  while (child > 0 && WIFSTOPPED(status)) {
    if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) < 0 || waitpid(child, &status, 0) != child) break;
    if (WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP) { /* the second one */
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      free(shadow);
      return images;
    }
    if (memcmp(shadow, s->memory, s->size) == 0) continue;
    memcpy(shadow, s->memory, s->size);
    images++;
    s->judge(s->arg, shadow);
  }
  free(shadow);
  return -1;
}

#endif

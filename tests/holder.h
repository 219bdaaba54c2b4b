/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* holder.h: a process that takes the lock, and dies or stays with it. */
#ifndef MM3_HOLDER_H
#define MM3_HOLDER_H

#include "mm3files.h"

#include <signal.h>
#include <sys/mman.h>

/* What processes of a test tell each other. */
struct board {
  uint32_t holds, stop, go, code;
  uint64_t killed_ns, taken_ns;
  int pid;
};
static struct board *board;

MM3_UNUSED static void new_board(void) {
  board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(board != MAP_FAILED);
}

MM3_UNUSED static int wait_until(const uint32_t *word) {
  for (int i = 0; i < 20000 && !LOOK(*word); i++) mm3test_sleep_ms(1);
  return LOOK(*word) != 0;
}

MM3_UNUSED static uint64_t patience_ms(void) { return mm3test_tool()[0] ? 1000 : 10; }

/* Takes the lock, changes half a pair, and stays. */
MM3_UNUSED static int hold_half_way(struct mm3_file *file) {
  struct sample *root = mm3_root(file, sample);
  if (mm3_lock(file) < 0) return 1;
  mm3_intents(file)[0] = 99;
  mm3_certify(file, SAMPLE_BOTH, PAIR_SET, PAIR_WRITING);
  PUT(root->both.a, 99);
  PUT(board->holds, 1);
  for (;;) pause();
}

MM3_UNUSED static int holder(void *arg) {
  struct mm3_file *file = sample_open(arg, 0);
  return file ? hold_half_way(file) : 1;
}

#endif

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* watch.h: what mm3 watch follows, and how it is shown. */
#ifndef MM3_TOOLS_WATCH_H
#define MM3_TOOLS_WATCH_H

#include "tool.h"

enum { WATCH_TEXT = 160, WATCH_HISTORY = 40 };

struct watched {
  const char *path;
  struct mm3_field field;
  char text[WATCH_TEXT];      /* the value, cut; a container's count */
  bool numeric, changed, seen;
  double number, rate;        /* rate: a second */
  float history[WATCH_HISTORY];
  unsigned rounds;
};

struct watch {
  struct call *call;
  struct mm3_file *file;
  struct watched *rows;
  size_t count;
  double interval, now, started;
  uint64_t rounds;            /* 0: for ever */
  uint64_t length;            /* of the file: the largest seen */
};

int watch_sample(struct watch *watch); /* all rows once more; 0 or negative with call->error */
int watch_screen(struct watch *watch); /* ncurses, until q; exit code. -1: not possible here */
size_t watch_graph(const struct watched *row, unsigned width, char *text); /* UTF-8 bars of the latest rates */

#endif

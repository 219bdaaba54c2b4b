/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * progress.h: a bar on standard error for what takes long: after one second, only where standard error is a terminal,
 * and not when data goes to a terminal too. And ctrl-C, for what has to clean up after it.
 */
#ifndef MM3_TOOLS_PROGRESS_H
#define MM3_TOOLS_PROGRESS_H

#include "tool.h"

struct progress {
  const char *what;
  uint64_t total;   /* 0: not known: the amount and the rate only */
  double begun, shown;
  bool wanted, drawn;
};

/* Never draws with --quiet. `data`: what is done writes data to standard output. */
void progress_begin(struct progress *progress, const struct call *call, const char *what, uint64_t total, bool data);
/* So many bytes of the total are done. Cheap; call it every 64 KiB or so. */
void progress_step(struct progress *progress, uint64_t done);
void progress_end(struct progress *progress);

/* From here on ctrl-C and SIGTERM are noted, and interrupted() says so. */
void interrupts_catch(void);
bool interrupted(void);
/* Dies by the signal that was noted, as the shell expects; returns if there was none. */
void interrupts_obey(void);

#endif

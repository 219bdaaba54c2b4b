/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * guard.h: the guard as the rest of the core uses it: a range, and a hook for what a jump leaves behind.
 */
#ifndef MM3_CORE_GUARD_H
#define MM3_CORE_GUARD_H

#include <mm3/guard.h>

struct mm3i_guard_range {
  const void *base;
  size_t length;
  /* Called with hook_arg when a jump leaves this guard's fn, whichever guard the jump goes to; may be NULL. It runs
   * inside the signal handler: async-signal-safe calls only, in practice a few stores. It may touch the range itself:
   * a SIGBUS in the hook ends the hook and nothing else. */
  void (*hook)(void *hook_arg);
  void *hook_arg;
};

/* fn's result, or -MM3_E_TRUNCATED / -EHWPOISON. See mm3_guard_run. */
int mm3i_guard_run(const struct mm3i_guard_range *range, int (*fn)(void *arg), void *arg);

/* 1 when the handler has been installed at some time in this process: no system call. Control-plane calls ask this to
 * decide whether to run guarded. */
int mm3i_guard_active(void);

#endif

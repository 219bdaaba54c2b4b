/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The guard over an open file: a jump that leaves its lock held gives the lock up as a dead holder's. */
#include "file.h"
#include "guard.h"

static void abandon(void *file) { mm3i_lock_abandon(file); }

int mm3_guard_run_file(struct mm3_file *file, int (*fn)(void *arg), void *arg) {
  struct mm3i_guard_range range = {file->base, (size_t)mm3i_handle_of(file)->reserve, abandon, file};
  return mm3i_guard_run(&range, fn, arg);
}

int mm3i_file_guarded(struct mm3_file *file, struct mm3_error *error, int (*fn)(void *arg), void *arg) {
  if (!mm3i_guard_active()) return fn(arg);
  int result = mm3_guard_run_file(file, fn, arg);
  if (result == -MM3_E_TRUNCATED)
    mm3i_fail(error, mm3_file_path(file), result, "it was truncated, or could not be read, while it was in use");
  return result;
}

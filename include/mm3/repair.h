/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * repair.h: what can be done about a damaged file.
 *
 * mm3_check (field.h) says what is wrong and changes nothing. mm3_repair says what it would do about each finding, keeps a
 * copy of the file, does it, and checks once more. It can
 *   - build the heap's lists anew and take back blocks that no field owns (what killed processes left behind);
 *   - empty a damaged field, when asked to: its value is lost, the others stay as they are. Unasked a damaged field is
 *     left alone: every other field is usable, its own operations fail with -MM3_E_DAMAGED;
 *   - release a lock whose dead owner's work could not be recovered, once the field that it was at passes its check.
 *
 * A file whose superblock or schema is damaged does not open. MM3_CAREFUL (file.h) opens it for reading where one flipped
 * bit explains the damage or what is left agrees with itself: then its values can be copied into a new file.
 */
#ifndef MM3_REPAIR_H
#define MM3_REPAIR_H

#include <mm3/error.h>
#include <mm3/file.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MM3_REPAIR_PLAN 1u      /* change nothing; a read-only handle will do */
#define MM3_REPAIR_RESET 2u     /* empty fields that are damaged */
#define MM3_REPAIR_NO_BACKUP 4u /* no copy before the first change */

enum mm3_repair_stage {
  MM3_REPAIR_FOUND = 1,        /* `found`: what is wrong; `action`: what this repair does about it, or would do */
  MM3_REPAIR_COPIED,           /* `action`: where the copy is */
  MM3_REPAIR_DONE,             /* `action`: what was done */
  MM3_REPAIR_LEFT,             /* `found`: what is wrong after the repair */
};

struct mm3_repair_step {
  uint32_t size;
  enum mm3_repair_stage stage;
  int helps;                   /* FOUND: the action is more than leaving it as it is */
  const char *field;           /* a path; "": none. The strings end with the call */
  const char *found, *action;  /* sentences; "": none */
};

/*
 * mm3_repair: under the file's lock, which it waits for as mm3_lock does. `each` (may be NULL) hears of every step: all
 * findings first, then, unless MM3_REPAIR_PLAN, the copy, what was done, and what is left. A file with nothing to be done
 * about is not touched and not copied.
 *
 * The copy is PATH.backup, or PATH.backup-2 and so on where that exists; complete and on the disk before the first change. A
 * file without a name has none.
 *
 * Returns the findings that are left (with MM3_REPAIR_PLAN: that would be), 0: all is well; or, with *error, -EINVAL (flags),
 * -MM3_E_BUSY (the lock is held by somebody who lives), -MM3_E_READ_ONLY, -MM3_E_RESERVE (the file has outgrown this
 * handle: reopen), -ENOSPC and others when the copy could not be made: then nothing was changed. Killed half-way it can be
 * run again.
 *
 * The lock keeps growing kinds' writers out, not those of fields that need no lock: with MM3_REPAIR_RESET nobody else should
 * write (open with MM3_EXCLUSIVE). Readers may go on. Cost: a check, the copy, a walk over the heap, a check.
 */
MM3_API int mm3_repair(struct mm3_file *file, uint32_t flags,
                       void (*each)(void *arg, const struct mm3_repair_step *step), void *arg, struct mm3_error *error);

#ifdef __cplusplus
}
#endif
#endif

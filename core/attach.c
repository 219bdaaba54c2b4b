/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * attach.c: from an open descriptor to a mapped file that others share.
 *
 * Openers pass one at a time (B0 exclusively; readers, who may not take such a lock, share it). Behind that gate
 * whoever can write asks whether anybody holds B1, that is, has the file open at all: if not, what the lock area says
 * is a dead process's, and is reset. Then it shares B1 itself, on the mapped description, whose locks live as long as
 * any map of it does, a forked child's too. B0 lies on the description that nothing maps, so that an opener that is
 * killed lets it go, whatever its children do.
 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define UNIT UINT64_C(65536)
#define HUGE_PAGE UINT64_C(0x200000)

/* ---- the gate --------------------------------------------------------------------------------------------------- */

static bool no_locks_here(int code) {
  return code == -EINVAL || code == -ENOLCK || code == -EOPNOTSUPP || code == -ENOSYS || code == -ENOTSUP;
}

static int wait_for(const struct mm3i_handle *handle, int fd, short type, int64_t byte) {
  uint64_t end = mm3i_now_ms() + handle->timeout_ms;
  uint32_t pause_us = 50;
  for (;;) {
    int result = mm3i_ofd(fd, F_OFD_SETLK, type, byte);
    if (result != -EAGAIN) return result;
    if (mm3i_now_ms() >= end) return -MM3_E_BUSY;
    mm3i_sleep_us(pause_us);
    if (pause_us < 4000) pause_us *= 2;
  }
}

static int gate_failed(const struct mm3i_handle *handle, int code, struct mm3_error *error) {
  if (code == -MM3_E_BUSY)
    return mm3i_fail(error, handle->path, code, "another process has been opening it for %u ms", handle->timeout_ms);
  return mm3i_fail_sys(error, handle->path, code, "lock it for opening");
}

/* Without OFD locks nobody can tell whether a lock's owner lives: one writer, no second. */
static int enter_solo(struct mm3i_handle *handle, bool fresh, struct mm3_error *error) {
  handle->solo = true;
  handle->alone = !fresh;
  mm3i_control_close(handle);
  while (mm3i_sys.flock(handle->fd, LOCK_EX | LOCK_NB) < 0) {
    if (errno == EINTR) continue;
    if (errno == EWOULDBLOCK)
      return mm3i_fail(error, handle->path, -MM3_E_BUSY,
                       "somebody writes it, and this file system lacks the locks (OFD) that a second writer needs");
    return mm3i_fail_sys(error, handle->path, -errno, "lock it: the file system has no locks");
  }
  return 0;
}

static int enter_reader(struct mm3i_handle *handle, struct mm3_error *error) {
  int result = wait_for(handle, handle->fd, F_RDLCK, MM3I_BYTE_OPENING);
  if (result == 0) result = mm3i_ofd(handle->fd, F_OFD_SETLK, F_RDLCK, MM3I_BYTE_IN_USE);
  if (no_locks_here(result)) return handle->solo = true, 0; /* reads take what they find */
  if (result == -EAGAIN) result = -MM3_E_BUSY;
  return result < 0 ? gate_failed(handle, result, error) : 0;
}

static int enter_writer(struct mm3i_handle *handle, bool fresh, struct mm3_error *error) {
  bool exclusive = handle->flags & MM3_EXCLUSIVE;
  int result = mm3i_control_open(handle, fresh);
  if (result < 0) return mm3i_fail_sys(error, handle->path, result, "open it a second time, for its locks");
  result = wait_for(handle, handle->control, F_WRLCK, MM3I_BYTE_OPENING);
  if (no_locks_here(result)) return enter_solo(handle, fresh, error);
  if (result < 0) return gate_failed(handle, result, error);
  result = mm3i_ofd(handle->fd, F_OFD_SETLK, exclusive ? F_WRLCK : F_RDLCK, MM3I_BYTE_WRITERS);
  if (result == -EAGAIN)
    return mm3i_fail(error, handle->path, -MM3_E_BUSY, exclusive ? "others have it open for writing"
                                                                  : "somebody has it open exclusively");
  if (result < 0) return gate_failed(handle, result, error);
  if (!fresh) {
    result = mm3i_ofd(handle->control, F_OFD_GETLK, F_WRLCK, MM3I_BYTE_IN_USE);
    if (result < 0 && result != -EAGAIN) return gate_failed(handle, result, error);
    handle->alone = result == 0;
  }
  result = mm3i_ofd(handle->fd, F_OFD_SETLK, F_RDLCK, MM3I_BYTE_IN_USE);
  return result < 0 ? gate_failed(handle, result == -EAGAIN ? -MM3_E_BUSY : result, error) : 0;
}

int mm3i_enter(struct mm3i_handle *handle, bool fresh, struct mm3_error *error) {
  return handle->writable ? enter_writer(handle, fresh, error) : enter_reader(handle, error);
}

void mm3i_leave(struct mm3i_handle *handle) {
  if (handle->solo) return;
  mm3i_ofd(handle->writable ? handle->control : handle->fd, F_OFD_SETLK, F_UNLCK, MM3I_BYTE_OPENING);
}

struct settling {
  struct mm3i_handle *handle;
  bool fresh;
};

/* What the dead left, in the file and in our copy. The waiters' words stay: at worst somebody is woken once too often. */
static int reset(struct mm3i_handle *handle, struct mm3i_lock_area *found) {
  for (uint32_t i = 0; i < MM3I_SLOTS; i++) {
    if (found->slots[i].state) __atomic_store_n(&mm3i_slots(handle)[i].state, 0, __ATOMIC_RELAXED);
    found->slots[i].state = 0;
  }
  uint64_t incarnation = found->super.incarnation + 1;
  return mm3i_pages_put(handle, &incarnation, sizeof incarnation, offsetof(struct mm3i_super, incarnation));
}

/* Whose file is this now? Behind the gate, mapped. Where it is ours alone nothing moves, and a copy of the lock area
 * does instead of its pages. */
static int settle(void *arg) {
  const struct settling *s = arg;
  struct mm3i_handle *handle = s->handle;
  struct mm3i_lock_area copy;
  bool ours = handle->alone || s->fresh;
  int result = ours ? mm3i_pread_all(handle->fd, &copy, sizeof copy, 0) : 0;
  if (result == 0 && handle->alone) result = reset(handle, &copy);
  if (result == 0) result = mm3i_slot_claim(handle, ours ? &copy : mm3i_lock_area(handle));
  return result == -EAGAIN ? 0 : result; /* all slots taken: the lock says so, everything else works */
}

int mm3i_settle(struct mm3i_handle *handle, bool fresh, struct mm3_error *error) {
  struct settling s = {handle, fresh};
  if (!handle->writable) return 0;
  int result = mm3i_file_guarded(&handle->file, error, settle, &s);
  if (result == 0 || result == -MM3_E_TRUNCATED) return result;
  if (result == -ENODATA) return mm3i_fail(error, handle->path, -MM3_E_TRUNCATED, "truncated while it was opened");
  return mm3i_fail_sys(error, handle->path, result, "claim a slot for its lock");
}

/* ---- the map ------------------------------------------------------------------------------------------------------ */

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

static bool under_valgrind(void) {
  const char *preload = getenv("LD_PRELOAD");
  return preload && strstr(preload, "vgpreload");
}

static uint64_t reserve_for(uint64_t length, uint64_t wanted) {
  struct rlimit limit;
  uint64_t reserve = wanted;
  if (!wanted) {
    reserve = sizeof(void *) < 8 ? UINT64_C(256) << 20 : UINT64_C(64) << 30;
    if (sizeof(void *) == 8 && length > reserve / 4) reserve = length < INT64_MAX / 4 ? 4 * length : INT64_MAX;
    if (under_valgrind()) reserve = least(reserve, UINT64_C(1) << 30);
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
      reserve = least(reserve, limit.rlim_cur / 8);
  }
  if (reserve < length) reserve = length;
  reserve = least(reserve, INT64_MAX - UNIT);
  return (reserve + UNIT - 1) / UNIT * UNIT;
}

static void *map(const struct mm3i_handle *handle, void *hint, uint64_t size) {
  int protection = handle->writable ? PROT_READ | PROT_WRITE : PROT_READ;
  if (size > SIZE_MAX / 2) return errno = ENOMEM, MAP_FAILED;
  return mm3i_sys.mmap(hint, (size_t)size, protection, MAP_SHARED | MAP_NORESERVE, handle->fd, 0);
}

/* Large maps begin at 2 MiB where the system has such a place, so that huge pages fit. */
static void *map_aligned(const struct mm3i_handle *handle, uint64_t size) {
  void *base = map(handle, NULL, size);
  uintptr_t beyond = (uintptr_t)base % HUGE_PAGE;
  if (base == MAP_FAILED || beyond == 0 || size < HUGE_PAGE) return base;
  mm3i_sys.munmap(base, (size_t)size);
  return map(handle, (char *)base - beyond, size);
}

int mm3i_map_file(struct mm3i_handle *handle, uint64_t length, uint64_t wanted, struct mm3_error *error) {
  bool grows = handle->schema->grows, huge = handle->flags & MM3_HUGE_PAGES;
  uint64_t size = grows ? reserve_for(length, wanted) : length;
  void *base;
  while ((base = grows || huge ? map_aligned(handle, size) : map(handle, NULL, size)) == MAP_FAILED) {
    int code = -errno;
    if (size <= length) return mm3i_fail_sys(error, handle->path, code, "map it");
    size = size / 2 > length ? (size / 2 + UNIT - 1) / UNIT * UNIT : length;
  }
  if (grows || handle->anonymous) mm3i_sys.madvise(base, (size_t)size, MADV_DONTDUMP);
  if (huge) mm3i_sys.madvise(base, (size_t)size, MADV_HUGEPAGE);
  handle->file.base = base;
  handle->file.limit = least(size, length);
  handle->reserve = size;
  handle->super = base;
  handle->root = handle->file.base + handle->fixed.root_offset;
  return 0;
}

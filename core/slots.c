/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* slots.c: who may hold the lock: slots that live as long as an OFD lock on a descriptor that nothing else keeps
 * alive; and the list of all handles, which a forked child walks to forget its parent's slots. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* 0 or -errno; a conflict is -EAGAIN. Asked with F_OFD_GETLK: -EAGAIN when somebody's lock is in the way. */
int mm3i_ofd(int fd, int command, short type, int64_t byte) {
  struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)byte, .l_len = 1};
  while (mm3i_sys.fcntl_lock(fd, command, &lock) < 0) {
    if (errno == EINTR) continue;
    return errno == EACCES ? -EAGAIN : -errno;
  }
  return command == F_OFD_GETLK && lock.l_type != F_UNLCK ? -EAGAIN : 0;
}

/* ---- the list ------------------------------------------------------------------------------------------------------ */

static pthread_mutex_t list_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct mm3i_handle *list;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static int fork_result;

/* What this process is, for humans who look at a slot. */
static struct {
  bool known;
  uint32_t pid;
  uint64_t start_time, pid_namespace, boot;
} self;

void mm3i_handles_lock(void) { pthread_mutex_lock(&list_mutex); }

void mm3i_handles_unlock(void) { pthread_mutex_unlock(&list_mutex); }

static void close_control(struct mm3i_handle *handle) {
  if (handle->control >= 0) mm3i_sys.close(handle->control);
  handle->control = -1;
}

/* From now on two processes have this map and its locks: see heap_grow.c. */
static void after_fork_in_parent(void) {
  for (struct mm3i_handle *handle = list; handle; handle = handle->next) handle->forked = true;
  mm3i_handles_unlock();
}

/* Descriptors are opened under the mutex and put into the list at once, and closed under it, so that a fork never copies
 * one that the child does not know of: its copy would keep the parent's slot, or its opening, alive. */
static void after_fork_in_child(void) {
  self.known = false;
  mm3i_thread_forget();
  for (struct mm3i_handle *handle = list; handle; handle = handle->next) {
    close_control(handle);
    handle->slot = MM3I_NO_SLOT;
    handle->held = handle->holder = handle->claiming = 0;
    handle->repairing = 0;
    handle->forked = true;
  }
  mm3i_handles_unlock();
}

static void watch_forks(void) {
  fork_result = pthread_atfork(mm3i_handles_lock, after_fork_in_parent, after_fork_in_child);
}

int mm3i_handles_add(struct mm3i_handle *handle) {
  pthread_once(&fork_once, watch_forks);
  if (fork_result) return -fork_result;
  mm3i_handles_lock();
  handle->next = list;
  if (list) list->previous = handle;
  list = handle;
  mm3i_handles_unlock();
  return 0;
}

void mm3i_control_close(struct mm3i_handle *handle) {
  mm3i_handles_lock();
  close_control(handle);
  mm3i_handles_unlock();
}

void mm3i_handles_remove(struct mm3i_handle *handle) {
  mm3i_handles_lock();
  close_control(handle);
  if (handle->previous) handle->previous->next = handle->next;
  else list = handle->next;
  if (handle->next) handle->next->previous = handle->previous;
  mm3i_handles_unlock();
}

/* ---- who we are ---------------------------------------------------------------------------------------------------- */

static bool read_text(const char *path, char *text, size_t size) {
  int fd = mm3i_open(path, O_RDONLY, 0);
  if (fd < 0) return false;
  ssize_t got = mm3i_sys.pread(fd, text, size - 1, 0);
  mm3i_sys.close(fd);
  text[got > 0 ? got : 0] = 0;
  return got > 0;
}

static void learn_self(void) {
  char text[1024], link[64] = {0};
  const char *at;
  self.known = true;
  self.pid = 0, self.start_time = self.pid_namespace = self.boot = 0;
  if (read_text("/proc/self/stat", text, sizeof text)) {
    self.pid = (uint32_t)strtoul(text, NULL, 10);
    at = strrchr(text, ')'); /* the name before it may hold anything */
    for (int field = 2; at && field < 22; field++) at = strchr(at + 1, ' ');
    if (at) self.start_time = strtoull(at, NULL, 10);
  }
  if (mm3i_sys.readlink("/proc/self/ns/pid", link, sizeof link - 1) > 0 && (at = strchr(link, '[')))
    self.pid_namespace = strtoull(at + 1, NULL, 10);
  if (read_text("/proc/sys/kernel/random/boot_id", text, sizeof text))
    for (at = text; *at && *at != '\n'; at++) self.boot = self.boot * 31 + (unsigned char)*at;
}

/* ---- slots ----------------------------------------------------------------------------------------------------------- */

/* By way of /proc, because the name may lead elsewhere by now; where there is no /proc, or none for us (a process that
 * dropped its privileges), by the name, if it is still the same file. */
static int reopen(const struct mm3i_handle *handle) {
  char path[64];
  const char *name = handle->temporary ? handle->temporary : handle->path;
  struct stat st;
  snprintf(path, sizeof path, "/proc/self/fd/%d", handle->fd);
  int first = mm3i_open(path, O_RDWR | O_NONBLOCK | O_NOCTTY, 0);
  if (first >= 0 || (first != -ENOENT && first != -EACCES && first != -EPERM) || handle->anonymous) return first;
  int fd = mm3i_open(name, O_RDWR | O_NONBLOCK | O_NOCTTY, 0);
  if (fd < 0) return first;
  if (mm3i_sys.fstat(fd, &st) == 0 && (uint64_t)st.st_dev == handle->device && (uint64_t)st.st_ino == handle->inode)
    return fd;
  mm3i_sys.close(fd);
  return first;
}

static int open_control(struct mm3i_handle *handle) {
  if (handle->control >= 0) return 0;
  int fd = reopen(handle);
  if (fd < 0) return fd;
  handle->control = fd;
  return 0;
}

static int open_control_locked(struct mm3i_handle *handle) {
  mm3i_handles_lock();
  int result = open_control(handle);
  mm3i_handles_unlock();
  return result;
}

/* A second open of the file, which nothing maps: locks on it end with the process, whatever its children map. A fresh
 * file whose owner may not write it (mode 0444) is made writable for the moment. */
int mm3i_control_open(struct mm3i_handle *handle, bool fresh) {
  struct stat st;
  int result = open_control_locked(handle);
  if (result != -EACCES || !fresh || mm3i_sys.fstat(handle->fd, &st) < 0) return result;
  if (mm3i_sys.fchmod(handle->fd, (st.st_mode & 07777) | 0600) < 0) return result;
  result = open_control_locked(handle);
  if (mm3i_sys.fchmod(handle->fd, st.st_mode & 07777) < 0 && result == 0) result = -errno;
  return result;
}

/* Stores into the first pages by way of the descriptor: a page of the map that is touched once, at open and at close,
 * costs a fault each time, and on some virtual machines ten times a system call. Beyond RLIMIT_FSIZE a write would kill
 * the process, and a store does not. */
int mm3i_pages_put(const struct mm3i_handle *handle, const void *bytes, size_t size, uint64_t offset) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= offset + size))
    return mm3i_pwrite_all(handle->fd, bytes, size, offset);
  memcpy(handle->file.base + offset, bytes, size);
  return 0;
}

static int sign(struct mm3i_handle *handle, uint32_t number) {
  mm3i_handles_lock();
  if (!self.known) learn_self();
  struct mm3i_slot text = {1, self.pid, self.start_time, self.pid_namespace, self.boot};
  mm3i_handles_unlock();
  return mm3i_pages_put(handle, &text, sizeof text, MM3I_PAGE + number * sizeof text);
}

/* Slots that look free first: the others' owners may have died, but most live. */
static int find_slot(struct mm3i_handle *handle, const struct mm3i_lock_area *area, uint32_t *number) {
  for (int pass = 0; pass < 2; pass++) {
    for (uint32_t i = 0; i < MM3I_SLOTS; i++) {
      bool looks_taken = __atomic_load_n(&area->slots[i].state, __ATOMIC_RELAXED) != 0;
      if (looks_taken != (pass == 1)) continue;
      int result = mm3i_ofd(handle->control, F_OFD_SETLK, F_WRLCK, MM3I_BYTE_SLOT + i);
      if (result == 0) return *number = i, 0;
      if (result != -EAGAIN) return result;
    }
  }
  return -EAGAIN;
}

static int claim(struct mm3i_handle *handle, const struct mm3i_lock_area *area) {
  uint32_t number = 0;
  int result;
  if (handle->slot != MM3I_NO_SLOT) return 0;
  if (!handle->solo) {
    if ((result = open_control_locked(handle)) < 0) return result;
    if ((result = find_slot(handle, area, &number)) < 0) return result;
  }
  if ((result = sign(handle, number)) < 0) {
    if (!handle->solo) mm3i_ofd(handle->control, F_OFD_SETLK, F_UNLCK, MM3I_BYTE_SLOT + number);
    return result;
  }
  /* its last owner may have died with the lock */
  uint32_t seen = __atomic_load_n(&area->super.lock, __ATOMIC_ACQUIRE);
  bool stale = handle->alone ? seen || area->super.certificate : MM3I_LOCK_OWNER(seen) == number + 1;
  handle->alone = false;
  if (stale && mm3i_seize(handle, number, seen) == 1)
    __atomic_store_n(&handle->recovered, 1, __ATOMIC_RELAXED);
  __atomic_store_n(&handle->slot, number, __ATOMIC_RELEASE);
  return 0;
}

/* Not under the mutex: a guard's jump out of the map must not leave it locked. */
int mm3i_slot_claim(struct mm3i_handle *handle, const struct mm3i_lock_area *area) {
  uint32_t nobody = 0;
  if (!__atomic_compare_exchange_n(&handle->claiming, &nobody, mm3i_thread_id(), false, __ATOMIC_ACQUIRE,
                                   __ATOMIC_RELAXED))
    return -EAGAIN;
  int result = claim(handle, area);
  __atomic_store_n(&handle->claiming, 0, __ATOMIC_RELEASE);
  return result;
}

/* One's own slot is alive: a description does not see its own locks. Any error counts as alive: waiting is safe. */
bool mm3i_slot_alive(const struct mm3i_handle *handle, uint32_t slot) {
  if (slot >= MM3I_SLOTS) return false;
  if (slot == __atomic_load_n(&handle->slot, __ATOMIC_RELAXED)) return true;
  if (handle->solo) return false;
  int fd = handle->control >= 0 ? handle->control : handle->fd;
  return mm3i_ofd(fd, F_OFD_GETLK, F_WRLCK, MM3I_BYTE_SLOT + slot) != 0;
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * publish.c: a file without a name (O_TMPFILE) is linked to it: a killed creator leaves nothing. Where that cannot be
 * had, a temporary `.NAME.mm3-PID-RANDOM` is renamed without replacing, or linked and unlinked. Its creator holds a
 * lock on it; a temporary whose lock is free belongs to a dead one, and the next creator removes it.
 */
#include "publish.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int split(struct mm3i_place *place, const char *path) {
  const char *slash = strrchr(path, '/');
  size_t count = slash ? (size_t)(slash - path) + (slash == path) : 1;
  place->path = path;
  place->name = slash ? slash + 1 : path;
  if (!(place->folder = mm3i_sys.malloc(count + 1))) return -ENOMEM;
  memcpy(place->folder, slash ? path : ".", count);
  place->folder[count] = 0;
  return 0;
}

void mm3i_place_free(struct mm3i_place *place) {
  mm3i_sys.free(place->folder);
  mm3i_sys.free(place->temporary);
  place->folder = place->temporary = NULL;
}

void mm3i_place_undo(struct mm3i_place *place) {
  if (place->temporary) mm3i_sys.unlink(place->temporary);
}

/* ---- temporaries --------------------------------------------------------------------------------------------------- */

/* As name_temporary writes it, to the last character: what is called nearly so is somebody's file. */
static bool is_temporary(const struct mm3i_place *place, const char *name) {
  size_t count = strlen(place->name);
  if (name[0] != '.' || strncmp(name + 1, place->name, count) != 0 || strncmp(name + 1 + count, ".mm3-", 5) != 0)
    return false;
  const char *pid = name + 1 + count + 5;
  size_t digits = strspn(pid, "0123456789");
  const char *random = pid + digits + 1;
  return digits > 0 && pid[digits] == '-' && strspn(random, "0123456789abcdef") == 16 && random[16] == 0;
}

static void remove_stale(void *arg, const char *name) {
  const struct mm3i_place *place = arg;
  if (!is_temporary(place, name)) return;
  char path[4096];
  int length = snprintf(path, sizeof path, "%s/%s", place->folder, name);
  if (length < 0 || (size_t)length >= sizeof path) return;
  int fd = mm3i_open(path, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY, 0);
  if (fd < 0) return;
  if (mm3i_ofd(fd, F_OFD_SETLK, F_WRLCK, MM3I_BYTE_MAKING) == 0) mm3i_sys.unlink(path);
  mm3i_sys.close(fd);
}

static char *name_temporary(const struct mm3i_place *place) {
  uint64_t random;
  size_t size = strlen(place->folder) + strlen(place->name) + 64;
  if (mm3i_sys.getrandom(&random, sizeof random) < 0) return NULL;
  char *path = mm3i_sys.malloc(size);
  if (path)
    snprintf(path, size, "%s/.%s.mm3-%d-%016" PRIx64, place->folder, place->name, (int)getpid(), random);
  return path;
}

/* Locked before it is used: who removes stale ones may have come between our open and our lock, then it is gone. */
static int open_temporary(struct mm3i_place *place, struct mm3i_handle *handle, mode_t mode) {
  mm3i_sys.list(place->folder, remove_stale, place);
  for (int round = 0; round < 8; round++) {
    struct stat st;
    if (!(place->temporary = name_temporary(place))) return -ENOMEM;
    int fd = mm3i_open(place->temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY, mode);
    if (fd < 0) {
      mm3i_sys.free(place->temporary);
      place->temporary = NULL;
      if (fd == -EEXIST) continue;
      return fd;
    }
    int locked = mm3i_ofd(fd, F_OFD_SETLK, F_WRLCK, MM3I_BYTE_MAKING);
    if (locked != -EAGAIN && mm3i_sys.fstat(fd, &st) == 0 && st.st_nlink > 0) {
      handle->temporary = place->temporary;
      handle->device = (uint64_t)st.st_dev, handle->inode = (uint64_t)st.st_ino;
      return handle->fd = fd, 0;
    }
    mm3i_place_undo(place);
    mm3i_sys.close(fd);
    mm3i_sys.free(place->temporary);
    place->temporary = NULL;
  }
  return -EBUSY;
}

static bool cannot_be_nameless(int code) {
  return code == -EOPNOTSUPP || code == -EISDIR || code == -EINVAL || code == -ENOSYS || code == -ENOENT;
}

/* Both its second descriptor and its name come by way of /proc. */
static int open_nameless(struct mm3i_place *place, struct mm3i_handle *handle, mode_t mode) {
  int fd = mm3i_open(place->folder, O_RDWR | O_TMPFILE, mode);
  if (fd < 0) return fd;
  handle->fd = fd;
  if (mm3i_control_open(handle, true) == 0) return 0;
  handle->fd = -1;
  mm3i_sys.close(fd);
  return -EOPNOTSUPP;
}

int mm3i_place_open(struct mm3i_place *place, struct mm3i_handle *handle, const struct mm3_options *options,
                    struct mm3_error *error) {
  mode_t mode = options->mode ? (mode_t)options->mode : 0666;
  memset(place, 0, sizeof *place);
  place->replace = options->flags & MM3_REPLACE;
  int result = split(place, handle->path);
  if (result == 0 && !place->name[0]) result = handle->path[0] ? -EISDIR : -ENOENT;
  if (result == 0 && !place->replace) { /* not promised until it is published, but it saves the work */
    int fd = mm3i_open(handle->path, O_PATH | O_NOFOLLOW, 0);
    if (fd >= 0) mm3i_sys.close(fd);
    result = fd >= 0 ? -EEXIST : fd == -ENOENT ? 0 : fd;
  }
  if (result == 0) {
    result = place->replace ? -EOPNOTSUPP : open_nameless(place, handle, mode);
    if (cannot_be_nameless(result)) result = open_temporary(place, handle, mode);
  }
  if (result == 0) return 0;
  mm3i_place_free(place);
  return mm3i_fail_sys(error, handle->path, result, "create it");
}

/* ---- the name -------------------------------------------------------------------------------------------------------- */

/* Who has the old file open is told that nothing more comes. Best effort: it may not be ours, or not writable. */
static void mark_superseded(int fd) {
  struct mm3i_super super;
  const uint32_t yes = 1;
  if (mm3i_pread_all(fd, &super, sizeof super, 0) == 0 && mm3i_super_is_ours(&super))
    mm3i_pwrite_all(fd, &yes, sizeof yes, offsetof(struct mm3i_super, superseded));
}

static bool is_file_of(const struct mm3i_handle *handle, const struct stat *st) {
  return (uint64_t)st->st_dev == handle->device && (uint64_t)st->st_ino == handle->inode;
}

/* A second name of the same file is not replaced: rename(2) does nothing then. */
static int publish_over(struct mm3i_place *place, const struct mm3i_handle *handle) {
  struct stat st;
  int old = mm3i_open(place->path, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY, 0);
  bool another = old >= 0 && mm3i_sys.fstat(old, &st) == 0 && S_ISREG(st.st_mode) && !is_file_of(handle, &st);
  int result = mm3i_sys.rename(place->temporary, place->path) < 0 ? -errno : 0;
  if (result == 0 && another) mark_superseded(old);
  if (old >= 0) mm3i_sys.close(old);
  return result;
}

static int publish_temporary(struct mm3i_place *place) {
  if (mm3i_sys.rename_noreplace(place->temporary, place->path) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP) return -errno;
  if (mm3i_sys.link(place->temporary, place->path) < 0) return -errno;
  mm3i_sys.unlink(place->temporary);
  return 0;
}

int mm3i_place_publish(struct mm3i_place *place, struct mm3i_handle *handle, struct mm3_error *error) {
  int result;
  if (!place->temporary) result = mm3i_sys.link_fd(handle->fd, place->path) < 0 ? -errno : 0;
  else result = place->replace ? publish_over(place, handle) : publish_temporary(place);
  if (result < 0) return mm3i_fail_sys(error, handle->path, result, "give it its name");
  if (place->temporary) mm3i_ofd(handle->fd, F_OFD_SETLK, F_UNLCK, MM3I_BYTE_MAKING);
  mm3i_sys.free(place->temporary);
  place->temporary = NULL;
  handle->temporary = NULL;
  return 0;
}

/* For a file that was filled under a name of its own. Same folder or not, rename(2) says whether it can be done. */
int mm3_file_replace(struct mm3_file *file, const char *path, struct mm3_error *error) {
  struct mm3i_handle *handle = mm3i_handle_of(file);
  struct mm3i_place place = {.path = path, .temporary = handle->path};
  mm3i_error_begin(error, path);
  if (handle->anonymous) return mm3i_fail(error, path, -EINVAL, "a file without a name cannot take one");
  int result = publish_over(&place, handle);
  return result < 0 ? mm3i_fail_sys(error, path, result, "take its name") : 0;
}

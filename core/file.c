/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* file.c: what an open file gives: its root, its bounds, its state, and its bytes on the disk. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

const struct mm3i_schema *mm3i_file_schema(const struct mm3_file *file) { return mm3i_handle_of(file)->schema; }

void *mm3i_file_root(const struct mm3_file *file) { return mm3i_handle_of(file)->root; }

bool mm3i_file_writable(const struct mm3_file *file) { return mm3i_handle_of(file)->writable; }

const char *mm3_file_path(const struct mm3_file *file) { return mm3i_handle_of(file)->path; }

const char *mm3_file_schema(const struct mm3_file *file) { return mm3i_handle_of(file)->schema->text; }

const void *mm3_root_const_of(const struct mm3_file *file, const struct mm3_desc *desc) {
  struct mm3i_handle *handle = mm3i_handle_of(file);
  if (__atomic_load_n(&handle->desc, __ATOMIC_RELAXED) == desc && desc) return handle->root;
  struct mm3_error ignored;
  if (!desc || mm3i_desc_agree(desc, handle->schema, &ignored) < 0) return NULL;
  __atomic_store_n(&handle->desc, desc, __ATOMIC_RELAXED);
  return handle->root;
}

void *mm3_root_of(struct mm3_file *file, const struct mm3_desc *desc) {
  if (!mm3i_handle_of(file)->writable || !mm3_root_const_of(file, desc)) return NULL;
  return mm3i_handle_of(file)->root;
}

/* ---- bounds -------------------------------------------------------------------------------------------------------- */

/* Asks for the file's length once more. Returns it, or 0. */
static uint64_t look_again(struct mm3i_handle *handle) {
  struct stat st;
  if (mm3i_sys.fstat(handle->fd, &st) < 0 || st.st_size < 0) return 0;
  uint64_t length = (uint64_t)st.st_size;
  __atomic_store_n(&handle->file.limit, length < handle->reserve ? length : handle->reserve, __ATOMIC_RELAXED);
  return length;
}

void *mm3_at_cold(struct mm3_file *file, uint64_t offset, uint64_t size) {
  struct mm3i_handle *handle = mm3i_handle_of(file);
  uint64_t limit = look_again(handle);
  if (limit > handle->reserve) limit = handle->reserve;
  return size <= limit && offset <= limit - size ? file->base + offset : NULL;
}

int mm3_at_code(struct mm3_file *file, uint64_t offset, uint64_t size) {
  struct mm3i_handle *handle = mm3i_handle_of(file);
  uint64_t length = look_again(handle);
  if (size > length || offset > length - size) return -MM3_E_DAMAGED;
  return offset + size > handle->reserve ? -MM3_E_RESERVE : 0;
}

/* ---- sync ---------------------------------------------------------------------------------------------------------- */

/* The folder as it is called now; the program may have changed its own since it opened the file. */
static int sync_folder(const struct mm3i_handle *handle) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", handle->fd);
  ssize_t got = mm3i_sys.readlink(link, path, sizeof path - 1);
  if (got < 0 || path[0] != '/') got = snprintf(path, sizeof path, "%s", handle->path);
  if (got < 0 || (size_t)got >= sizeof path) return -ENAMETOOLONG;
  path[got] = 0;
  char *slash = strrchr(path, '/');
  if (slash) slash[slash == path] = 0;
  else strcpy(path, ".");
  int fd = mm3i_open(path, O_RDONLY | O_DIRECTORY, 0);
  if (fd == -ENOENT || fd == -EACCES) return 0; /* the name is gone, or the folder is not ours to open */
  if (fd < 0) return fd;
  int result = mm3i_sys.fsync(fd) < 0 && errno != EINVAL && errno != EROFS ? -errno : 0;
  mm3i_sys.close(fd);
  return result;
}

int mm3_sync(struct mm3_file *file) {
  struct mm3i_handle *handle = mm3i_handle_of(file);
  int result = 0;
  if (handle->schema->grows) look_again(handle);
  uint64_t length = __atomic_load_n(&file->limit, __ATOMIC_RELAXED);
  if (mm3i_sys.msync(file->base, (size_t)length, MS_SYNC) < 0) result = -errno;
  if (result == 0 && !handle->anonymous && !__atomic_load_n(&handle->folder_synced, __ATOMIC_RELAXED)) {
    result = sync_folder(handle);
    if (result == 0) __atomic_store_n(&handle->folder_synced, 1, __ATOMIC_RELAXED);
  }
  if (result < 0) __atomic_store_n(&handle->failed, 1, __ATOMIC_RELAXED);
  return result;
}

/* ---- what it is ------------------------------------------------------------------------------------------------------ */

static void describe_owners(const struct mm3i_handle *handle, struct mm3_file_info *info) {
  uint32_t owner = MM3I_LOCK_OWNER(__atomic_load_n(&handle->super->lock, __ATOMIC_RELAXED));
  info->locked = owner != 0;
  for (uint32_t i = 0; i < MM3I_SLOTS; i++) {
    const struct mm3i_slot *slot = &mm3i_slots(handle)[i];
    if (!__atomic_load_n(&slot->state, __ATOMIC_RELAXED)) continue;
    struct mm3_owner *out = &info->owners[info->nowners++];
    out->slot = i;
    out->pid = __atomic_load_n(&slot->pid, __ATOMIC_RELAXED);
    out->start_time = __atomic_load_n(&slot->start_time, __ATOMIC_RELAXED);
    out->alive = mm3i_slot_alive(handle, i);
    out->holds_lock = owner == i + 1;
  }
}

static void describe_fixed(const struct mm3i_handle *handle, struct mm3_file_info *info) {
  const struct mm3i_fixed *fixed = &handle->fixed;
  info->format = fixed->format;
  info->compat = fixed->compat, info->ro_compat = fixed->ro_compat, info->incompat = fixed->incompat;
  memcpy(info->uuid, fixed->uuid, sizeof info->uuid);
  info->created_ns = fixed->created_ns;
  info->heap_offset = fixed->heap_offset;
  info->root_offset = fixed->root_offset;
  info->root_size = fixed->root_size;
  info->schema_bytes = (uint32_t)fixed->schema_size;
  info->nfields = handle->schema->nstructs ? handle->schema->structs[handle->schema->nstructs - 1].nrows : 0;
  info->missing_modules = (int)handle->schema->missing;
  info->reserve = handle->reserve;
}

struct describing {
  const struct mm3i_handle *handle;
  struct mm3_file_info *info;
};

static int describe_moving(void *arg) {
  struct describing *d = arg;
  const struct mm3i_super *super = d->handle->super;
  d->info->incarnation = __atomic_load_n(&super->incarnation, __ATOMIC_RELAXED);
  d->info->heap_end = __atomic_load_n(&super->heap_end, __ATOMIC_RELAXED);
  d->info->superseded = __atomic_load_n(&super->superseded, __ATOMIC_RELAXED) != 0;
  d->info->changes = mm3_changes(&d->handle->file);
  describe_owners(d->handle, d->info);
  return 0;
}

int mm3_file_describe(const struct mm3_file *file, struct mm3_file_info *info) {
  struct mm3i_handle *handle = mm3i_handle_of(file);
  struct mm3_file_info out = {.size = sizeof out};
  struct describing d = {handle, &out};
  uint32_t size = info->size ? info->size : (uint32_t)sizeof out;
  if (size < offsetof(struct mm3_file_info, compat)) return -EINVAL;
  describe_fixed(handle, &out);
  out.length = look_again(handle);
  int result = mm3i_file_guarded(&handle->file, NULL, describe_moving, &d);
  if (result < 0) return result;
  out.writable = handle->writable;
  out.failed = __atomic_load_n(&handle->failed, __ATOMIC_RELAXED);
  out.recovered = __atomic_load_n(&handle->recovered, __ATOMIC_RELAXED);
  out.size = size < sizeof out ? size : (uint32_t)sizeof out;
  memcpy(info, &out, out.size);
  return 0;
}

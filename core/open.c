/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "file.h"
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static int open_regular(struct mm3i_handle *handle, struct stat *st, struct mm3_error *error) {
  int fd = mm3i_open(handle->path, (handle->writable ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_NOCTTY, 0);
  if (fd == -ENXIO || fd == -ENODEV)
    return mm3i_fail(error, handle->path, -EINVAL, "not a regular file, but a pipe, socket or device");
  if (fd < 0) return mm3i_fail_sys(error, handle->path, fd, handle->writable ? "open it for writing" : "open it");
  handle->fd = fd;
  if (mm3i_sys.fstat(fd, st) < 0) return mm3i_fail_sys(error, handle->path, -errno, "ask what it is");
  if (S_ISDIR(st->st_mode)) return mm3i_fail(error, handle->path, -EISDIR, "a folder, wanted a file");
  if (!S_ISREG(st->st_mode))
    return mm3i_fail(error, handle->path, -EINVAL, "not a regular file, but a pipe, socket or device");
  handle->device = (uint64_t)st->st_dev;
  handle->inode = (uint64_t)st->st_ino;
  return 0;
}

static int program_agrees(struct mm3i_handle *handle, const struct mm3_desc *desc, struct mm3_error *error) {
  if (!desc) return 0;
  handle->desc = desc;
  int result = mm3i_desc_agree(desc, handle->schema, error);
  return result < 0 ? mm3i_name_file(error, handle->path, result) : 0;
}

/* Three say how the bytes lie: the file's table and the modules are compared by the parser, the program here. */
static int agree(struct mm3i_handle *handle, const struct mm3i_image *image, const struct mm3_desc *desc,
                 struct mm3_error *error) {
  const struct mm3i_fixed *fixed = &image->super->fixed;
  unsigned flags = handle->writable ? 0 : MM3I_SCHEMA_ALLOW_MISSING;
  if (handle->flags & MM3_NO_MODULES) flags |= MM3I_SCHEMA_NO_LOAD;
  bool careful = handle->flags & MM3_CAREFUL;
  int result = mm3i_schema_parse(image->schema, (size_t)fixed->schema_size, image->table, (size_t)fixed->table_size,
                                 flags, &handle->schema, error);
  if (result < 0 && careful && result != -ENOMEM) /* the text alone says how everything lies */
    result = mm3i_schema_parse(image->schema, (size_t)fixed->schema_size, NULL, 0, flags, &handle->schema, error);
  if (result < 0) return mm3i_name_file(error, handle->path, result);
  const struct mm3i_schema *schema = handle->schema;
  handle->arena = schema->arena;
  if (careful && (fixed->root_offset > image->length || schema->root_size > image->length - fixed->root_offset))
    return mm3i_fail(error, handle->path, -MM3_E_DAMAGED, "its root struct does not lie inside the file");
  if (careful) return program_agrees(handle, desc, error);
  if (schema->root_size != fixed->root_size || schema->root_align != fixed->root_align)
    return mm3i_fail(error, handle->path, -MM3_E_LAYOUT,
                     "its root struct has %llu bytes aligned to %llu, its schema gives %llu aligned to %llu",
                     (unsigned long long)fixed->root_size, (unsigned long long)fixed->root_align,
                     (unsigned long long)schema->root_size, (unsigned long long)schema->root_align);
  if (schema->grows && !fixed->heap_offset)
    return mm3i_fail(error, handle->path, -MM3_E_DAMAGED, "its schema has fields that grow, but it has no heap");
  return program_agrees(handle, desc, error);
}

static int attach(struct mm3i_handle *handle, uint64_t length, uint64_t wanted, struct mm3_error *error) {
  struct stat st;
  int result = mm3i_enter(handle, false, error);
  if (result < 0) return result;
  if (handle->schema->grows) { /* behind the gate nobody shortens it */
    if (mm3i_sys.fstat(handle->fd, &st) < 0) return mm3i_fail_sys(error, handle->path, -errno, "ask for its length");
    length = (uint64_t)st.st_size;
    if (length < handle->fixed.heap_offset + MM3I_HEAP_ALIGN && !(handle->flags & MM3_CAREFUL))
      return mm3i_fail(error, handle->path, -MM3_E_DAMAGED, "truncated while it was opened");
  }
  result = mm3i_map_file(handle, length, wanted ? wanted : handle->fixed.reserve_hint, error);
  if (result == 0) result = mm3i_settle(handle, false, error);
  mm3i_leave(handle);
  return result;
}

static int open_handle(struct mm3i_handle *handle, const struct mm3_desc *desc, uint64_t reserve,
                       struct mm3_error *error) {
  struct mm3i_image image;
  struct stat st;
  enum mm3i_read_how how = handle->flags & MM3_CAREFUL ? MM3I_READ_CAREFUL
                           : handle->writable          ? MM3I_READ_WRITE
                                                       : MM3I_READ_ONLY;
  int result = open_regular(handle, &st, error);
  if (result < 0) return result;
  result = mm3i_image_read(&image, handle->fd, (uint64_t)st.st_size, how, handle->path, error);
  if (result < 0) return result;
  handle->fixed = image.super->fixed;
  if (how == MM3I_READ_CAREFUL && handle->fixed.heap_offset % MM3I_HEAP_ALIGN) handle->fixed.heap_offset = 0; /* lost */
  result = agree(handle, &image, desc, error);
  uint64_t length = image.length;
  mm3i_image_free(&image);
  return result < 0 ? result : attach(handle, length, reserve, error);
}

struct mm3_file *mm3_open(const char *path, const struct mm3_desc *desc, const struct mm3_options *options,
                          struct mm3_error *error) {
  struct mm3_options read;
  mm3i_error_begin(error, path);
  if (mm3i_options_read(options, &read, path, error) < 0) return NULL;
  struct mm3i_handle *handle = mm3i_handle_new(path, &read, error);
  if (!handle) return NULL;
  if (open_handle(handle, desc, read.reserve, error) == 0) {
    MM3I_PROBE2(opened, handle->path, handle->file.limit);
    return &handle->file;
  }
  mm3i_handle_free(handle);
  return NULL;
}

struct mm3_file *mm3_open_or_create(const char *path, const struct mm3_desc *desc, const struct mm3_options *options,
                                    struct mm3_error *error) {
  struct mm3_error own;
  if (!error) error = &own;
  if (options && options->size && (options->flags & (MM3_READ_ONLY | MM3_REPLACE | MM3_CAREFUL))) {
    mm3i_error_begin(error, path);
    mm3i_fail(error, path, -EINVAL, "read_only and replace do not go with open or create");
    return NULL;
  }
  for (int round = 0;; round++) {
    struct mm3_file *file = mm3_open(path, desc, options, error);
    if (file || error->code != -ENOENT) return file;
    file = mm3_create(path, desc, options, error);
    if (file || error->code != -EEXIST || round == 7) return file;
  }
}

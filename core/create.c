/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* create.c: a new file, complete before it has a name. publish.c gives it one. */
#include "probe.h"
#include "publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* Memory for every byte, unless the caller wants holes. */
static int allocate(struct mm3i_handle *handle, uint64_t length, struct mm3_error *error) {
  bool sparse = handle->flags & MM3_SPARSE;
  int result = sparse ? mm3i_stretch(handle->fd, length) : mm3i_extend(handle->fd, 0, length);
  if (result == 0) return 0;
  return mm3i_fail(error, handle->path, result, "cannot allocate %llu bytes: %s", (unsigned long long)length,
                   mm3_strerror(result));
}

/* The generation pair is closed last: until then the file says that it was never finished. What lies before the root is
 * written, not stored: its pages would cost a fault each. */
static int fill(struct mm3i_handle *handle, const struct mm3i_image *image, struct mm3_error *error) {
  const uint64_t generation = 1;
  image->super->generation_begin = generation;
  int result = mm3i_pages_put(handle, image->super, (size_t)handle->fixed.root_offset, 0);
  if (result < 0) return mm3i_fail_sys(error, handle->path, result, "write its first pages");
  result = mm3i_root_init(handle->schema, handle->root, &handle->file, error);
  if (result < 0) return mm3i_name_file(error, handle->path, result);
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  result = mm3i_pages_put(handle, &generation, sizeof generation, offsetof(struct mm3i_super, generation_end));
  return result < 0 ? mm3i_fail_sys(error, handle->path, result, "write its first pages") : 0;
}

/* From an empty file without a name that others know to one that is complete, locked against openers, and attached. */
static int build(struct mm3i_handle *handle, const struct mm3i_image *image, uint64_t reserve, struct mm3_error *error) {
  struct stat st;
  if (mm3i_sys.fstat(handle->fd, &st) < 0) return mm3i_fail_sys(error, handle->path, -errno, "ask what it is");
  handle->device = (uint64_t)st.st_dev;
  handle->inode = (uint64_t)st.st_ino;
  handle->fixed = image->super->fixed;
  int result = mm3i_enter(handle, true, error);
  if (result == 0) result = allocate(handle, image->length, error);
  if (result == 0) result = mm3i_map_file(handle, image->length, reserve, error);
  if (result == 0) result = fill(handle, image, error);
  if (result == 0) result = mm3i_settle(handle, true, error);
  return result;
}

static int make_named(struct mm3i_handle *handle, const struct mm3i_image *image, const struct mm3_options *options,
                      struct mm3_error *error) {
  struct mm3i_place place;
  int result = mm3i_place_open(&place, handle, options, error);
  if (result < 0) return result;
  result = build(handle, image, options->reserve, error);
  if (result == 0) result = mm3i_place_publish(&place, handle, error);
  if (result < 0) mm3i_place_undo(&place);
  mm3i_leave(handle);
  mm3i_place_free(&place);
  return result;
}

static int make_anonymous(struct mm3i_handle *handle, const struct mm3i_image *image, const struct mm3_options *options,
                          struct mm3_error *error) {
  handle->anonymous = true;
  handle->fd = mm3i_sys.memfd_create("mm3", 1U /* MFD_CLOEXEC */);
  if (handle->fd < 0) return mm3i_fail_sys(error, handle->path, -errno, "make a file without a name");
  int result = build(handle, image, options->reserve, error);
  if (result == 0) mm3i_leave(handle);
  return result;
}

/* `text` becomes the handle's schema and the image that goes in front of the root. */
static int plan(struct mm3i_handle *handle, const char *text, const struct mm3_desc *desc,
                const struct mm3_options *options, struct mm3i_image *image, struct mm3_error *error) {
  void *table;
  size_t table_size;
  unsigned flags = handle->flags & MM3_NO_MODULES ? MM3I_SCHEMA_NO_LOAD : 0;
  int result = mm3i_schema_parse(text, strlen(text), NULL, 0, flags, &handle->schema, error);
  if (result == 0 && desc) result = mm3i_desc_agree(desc, handle->schema, error);
  if (result < 0) return mm3i_name_file(error, handle->path, result);
  handle->desc = desc;
  handle->arena = handle->schema->arena;
  result = mm3i_table_encode(handle->schema, &table, &table_size);
  if (result < 0) return mm3i_fail_sys(error, handle->path, result, "describe its fields");
  result = mm3i_image_plan(image, handle->schema, table, table_size, options->reserve, options->limit);
  free(table);
  if (result < 0) return mm3i_fail_sys(error, handle->path, result, "lay it out");
  if (!options->limit || image->length <= options->limit) return 0;
  result = mm3i_fail(error, handle->path, -MM3_E_LIMIT, "an empty file of this schema has %llu bytes, its limit is %llu",
                     (unsigned long long)image->length, (unsigned long long)options->limit);
  mm3i_image_free(image);
  return result;
}

/* path NULL: anonymous */
static struct mm3_file *create(const char *path, const char *text, const struct mm3_desc *desc,
                               const struct mm3_options *options, struct mm3_error *error) {
  struct mm3_options read;
  const char *name = path ? path : "(anonymous)";
  if (mm3i_options_read(options, &read, name, error) < 0) return NULL;
  if (read.flags & (MM3_READ_ONLY | MM3_CAREFUL)) {
    mm3i_fail(error, name, -EINVAL, "a file that is being made cannot be opened read-only");
    return NULL;
  }
  struct mm3i_handle *handle = mm3i_handle_new(name, &read, error);
  if (!handle) return NULL;
  struct mm3i_image image;
  int result = plan(handle, text, desc, &read, &image, error);
  if (result == 0) {
    result = path ? make_named(handle, &image, &read, error) : make_anonymous(handle, &image, &read, error);
    mm3i_image_free(&image);
  }
  if (result == 0) {
    MM3I_PROBE2(created, handle->path, handle->file.limit);
    return &handle->file;
  }
  mm3i_handle_free(handle);
  return NULL;
}

static struct mm3_file *create_desc(const char *path, const struct mm3_desc *desc, const struct mm3_options *options,
                                    struct mm3_error *error) {
  const char *name = path ? path : "(anonymous)";
  struct mm3_error own;
  char *text;
  if (!error) error = &own;
  mm3i_error_begin(error, name);
  int result = desc ? mm3i_desc_text(desc, &text, error) : -EINVAL;
  if (result < 0) {
    if (desc) mm3i_name_file(error, name, result);
    else mm3i_fail(error, name, result, "no struct to make it for: pass MM3_TYPE(name)");
    return NULL;
  }
  struct mm3_file *file = create(path, text, desc, options, error);
  free(text);
  return file;
}

struct mm3_file *mm3_create(const char *path, const struct mm3_desc *desc, const struct mm3_options *options,
                            struct mm3_error *error) {
  return create_desc(path, desc, options, error);
}

struct mm3_file *mm3_open_anonymous(const struct mm3_desc *desc, const struct mm3_options *options,
                                    struct mm3_error *error) {
  return create_desc(NULL, desc, options, error);
}

struct mm3_file *mm3_create_schema(const char *path, const char *schema, const struct mm3_options *options,
                                   struct mm3_error *error) {
  struct mm3_error own;
  if (!error) error = &own;
  mm3i_error_begin(error, path);
  return create(path, schema, NULL, options, error);
}

int mm3_init(void *bytes, const struct mm3_desc *desc, struct mm3_error *error) {
  struct mm3_error own;
  struct mm3i_schema *schema = NULL;
  char *text;
  if (!error) error = &own;
  memset(error, 0, sizeof *error);
  int result = mm3i_desc_text(desc, &text, error);
  if (result < 0) return result;
  result = mm3i_schema_parse(text, strlen(text), NULL, 0, 0, &schema, error);
  free(text);
  if (result == 0) result = mm3i_desc_agree(desc, schema, error);
  if (result == 0 && schema->grows)
    result = mm3_error_set(error, -EINVAL, "struct %s has fields that grow, which need a file", desc->name);
  if (result == 0) {
    memset(bytes, 0, (size_t)desc->bytes);
    result = mm3i_root_init(schema, bytes, NULL, error);
  }
  mm3i_schema_free(schema);
  return result;
}

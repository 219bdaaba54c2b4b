/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* heap_owners.c: asks every field for the blocks it owns. */
#include "heap.h"

#include <errno.h>
#include <stdio.h>

struct asking {
  struct mm3i_heap *heap;
  struct mm3i_heap_owned *owned;
  const char *field;
  void (*each)(void *arg, const struct mm3_error *error);
  void *arg;
};

static void say(const struct asking *a, const char *what, uint64_t offset) {
  struct mm3_error error;
  const char *path = mm3_file_path(a->heap->file);
  if (!a->each) return;
  mm3i_error_begin(&error, path);
  mm3i_fail(&error, path, -MM3_E_DAMAGED, "field '%s': %s (offset %llu)", a->field, what, (unsigned long long)offset);
  snprintf(error.field, sizeof error.field, "%s", a->field);
  a->each(a->arg, &error);
}

static int own(void *arg, uint64_t offset) {
  struct asking *a = arg;
  struct mm3i_heap *heap = a->heap;
  struct mm3i_heap_block block;
  bool inside = offset >= heap->start && offset < mm3i_heap_offset(heap, heap->pages);
  heap->bad = false;
  if (!inside || (!mm3i_heap_slab_find(heap, offset, &block) && !mm3i_heap_used_run(heap, offset)))
    say(a, "it owns a block that is not in use", offset);
  if (!inside || offset % 16) return 0;
  heap->bad = false;
  uint64_t unit = (offset - heap->start) / 16;
  if (mm3i_heap_is_owned(a->owned, unit)) say(a, "it owns a block that has another owner too", offset);
  else a->owned->bits[unit / 8] = (unsigned char)(a->owned->bits[unit / 8] | 1u << unit % 8);
  return 0;
}

static bool ask(struct asking *a, const struct mm3_member *member, uint32_t number) {
  const void *bytes = (const unsigned char *)mm3i_file_root(a->heap->file) + member->offset;
  struct mm3_trail trail = {NULL, member->name, 0};
  struct mm3_error ignored;
  struct mm3_ctx ctx = {.size = sizeof ctx, .file = a->heap->file, .error = &ignored, .trail = &trail, .field = number};
  if (!member->type) return false;
  if (!(member->type->flags & MM3_TYPE_HEAP)) return true;
  a->field = member->name;
  if (mm3_type_check(member->type, bytes, &ctx) < 0) return false;
  return mm3_type_blocks(member->type, bytes, own, a, &ctx) >= 0;
}

int mm3i_heap_owners(struct mm3i_heap *heap, struct mm3i_heap_owned *owned,
                     void (*each)(void *arg, const struct mm3_error *error), void *arg) {
  const struct mm3_type *root = mm3i_file_schema(heap->file)->root;
  struct asking a = {heap, owned, "", each, arg};
  owned->units = heap->pages * (MM3I_PAGE / 16);
  owned->complete = root != NULL;
  owned->bits = mm3i_sys.calloc(1, (size_t)owned->units / 8 + 1);
  if (!owned->bits) return -ENOMEM;
  for (uint32_t i = 0; root && i < root->nmembers; i++)
    if (!ask(&a, &root->members[i], i)) owned->complete = false;
  heap->bad = false;
  return 0;
}

void mm3i_heap_owned_free(struct mm3i_heap_owned *owned) { mm3i_sys.free(owned->bits); }

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* layout.c: collects the leaves of a file's root struct. */
#include "layout.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct leaf *add(struct layout *layout) {
  if (layout->count == layout->room) {
    size_t room = layout->room ? layout->room * 2 : 64;
    struct leaf *leaves = realloc(layout->leaves, room * sizeof *leaves);
    if (!leaves) return NULL;
    layout->leaves = leaves;
    layout->room = room;
  }
  return memset(&layout->leaves[layout->count++], 0, sizeof *layout->leaves);
}

static int collect(struct layout *layout, const char *path, const struct mm3_type *type, const char *text,
                   uint64_t offset, uint64_t size, uint64_t align) {
  for (uint32_t i = 0; type && i < type->nmembers; i++) {
    const struct mm3_member *member = &type->members[i];
    char inner[200];
    if (snprintf(inner, sizeof inner, "%s.%s", path, member->name) >= (int)sizeof inner) return -ENAMETOOLONG;
    int result = collect(layout, inner, member->type, member->type->text, offset + member->offset, member->type->size,
                         member->type->align);
    if (result) return result;
  }
  if (type && type->nmembers) return 0;
  struct leaf *leaf = add(layout);
  if (!leaf) return -ENOMEM;
  snprintf(leaf->path, sizeof leaf->path, "%s", path);
  leaf->text = text;
  leaf->offset = offset;
  leaf->size = size;
  leaf->align = align;
  leaf->shared = strncmp(text, "atomic(", 7) == 0;
  return 0;
}

int layout_of(struct mm3_file *file, struct layout *layout) {
  static struct mm3_file_info info;
  struct mm3_member_info member;
  uint64_t used = 0;
  *layout = (struct layout){.align = 1};
  info.size = sizeof info;
  int result = mm3_file_describe(file, &info);
  for (uint32_t i = 0; !result && mm3_file_member(file, i, &member) == 0; i++) {
    result = collect(layout, member.name, member.type, member.text, member.offset, member.size, member.align);
    if (member.align > layout->align) layout->align = member.align;
  }
  for (size_t i = 0; i < layout->count; i++) used += layout->leaves[i].size;
  layout->size = info.root_size;
  layout->padding = info.root_size > used ? info.root_size - used : 0;
  return result;
}

/* Leaves lie in the order of their offsets. */
const struct leaf *layout_at(const struct layout *layout, uint64_t offset) {
  size_t low = 0, high = layout->count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (layout->leaves[middle].offset <= offset) low = middle + 1;
    else high = middle;
  }
  if (!low) return NULL;
  const struct leaf *leaf = &layout->leaves[low - 1];
  return offset - leaf->offset < leaf->size ? leaf : NULL;
}

/* How many bytes from `offset` on belong to what is there. */
static uint64_t run(const struct layout *layout, uint64_t offset) {
  const struct leaf *leaf = layout_at(layout, offset);
  if (leaf) return leaf->offset + leaf->size - offset;
  for (size_t i = 0; i < layout->count; i++)
    if (layout->leaves[i].offset > offset) return layout->leaves[i].offset - offset;
  return layout->size - offset;
}

bool layout_stretch(const struct layout *layout, uint64_t *next, struct stretch *stretch) {
  uint64_t offset = *next * CACHE_LINE;
  if (offset >= layout->size) return false;
  uint64_t lines = run(layout, offset) / CACHE_LINE;
  *stretch = (struct stretch){*next, lines > 2 ? lines : 1};
  *next += stretch->lines;
  return true;
}

const struct leaf *layout_shared(const struct layout *layout, uint64_t line, const struct leaf *previous) {
  const struct leaf *end = layout->leaves + layout->count;
  for (const struct leaf *leaf = previous ? previous + 1 : layout->leaves; leaf < end; leaf++) {
    if (leaf->offset >= (line + 1) * CACHE_LINE) break;
    if (leaf->shared && leaf->offset + leaf->size > line * CACHE_LINE) return leaf;
  }
  return NULL;
}

bool layout_contended(const struct layout *layout, uint64_t line) {
  const struct leaf *first = layout_shared(layout, line, NULL);
  return first && layout_shared(layout, line, first);
}

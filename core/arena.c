/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "internal.h"
#include "sys.h"

#include <stdalign.h>
#include <string.h>

struct block {
  struct block *next;
  size_t used, size;
  alignas(16) unsigned char bytes[];
};

struct mm3i_arena {
  struct block *blocks;
};

struct mm3i_arena *mm3i_arena_new(void) { return mm3i_sys.calloc(1, sizeof(struct mm3i_arena)); }

void *mm3i_arena_alloc(struct mm3i_arena *arena, size_t size) {
  struct block *block = arena->blocks;
  size = (size + 15) & ~(size_t)15;
  if (!block || block->size - block->used < size) {
    size_t want = size > 4000 ? size : 4000;
    block = mm3i_sys.calloc(1, sizeof *block + want);
    if (!block) return NULL;
    block->size = want;
    block->next = arena->blocks;
    arena->blocks = block;
  }
  void *result = block->bytes + block->used;
  block->used += size;
  return result;
}

char *mm3i_arena_dup(struct mm3i_arena *arena, const char *text, size_t count) {
  char *copy = mm3i_arena_alloc(arena, count + 1);
  if (copy) memcpy(copy, text, count);
  return copy;
}

void mm3i_arena_free(struct mm3i_arena *arena) {
  if (!arena) return;
  for (struct block *block = arena->blocks, *next; block; block = next) {
    next = block->next;
    mm3i_sys.free(block);
  }
  mm3i_sys.free(arena);
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Changing a map: its protection and its length. */
#include <errno.h>
#include <mm3/guard.h>
#include <sys/mman.h>

#include "map.h"
#include "sys.h"

static int prot_of(uint32_t flags) {
  int prot = PROT_READ;
  if ((flags & MM3_MAP_IS_WRITABLE) != 0) prot |= PROT_WRITE;
  if ((flags & MM3_MAP_IS_EXEC) != 0) prot |= PROT_EXEC;
  return prot;
}

static int protect(struct mm3_map *map, uint32_t right) {
  if (map->mapped == 0) return -EINVAL;
  uint32_t flags = (map->flags & ~(uint32_t)(MM3_MAP_IS_WRITABLE | MM3_MAP_IS_EXEC)) | right;
  if (mm3i_sys.mprotect(map->base, map->mapped, prot_of(flags)) != 0) {
    int code = errno;
    /* where an advice has split the map, the kernel may have changed the parts before the one that failed */
    mm3i_sys.mprotect(map->base, map->mapped, prot_of(map->flags));
    return -code;
  }
  map->flags = flags;
  return 0;
}

int mm3_map_make_read_only(struct mm3_map *map) { return protect(map, 0); }

int mm3_map_make_writable(struct mm3_map *map) { return protect(map, MM3_MAP_IS_WRITABLE); }

/* Machines other than x86 must be told that fresh code lies in memory. That reads the pages, hence the guard: those
 * past a file's end are left out, as they cannot run either. */
static int clear_instructions(void *arg) {
  struct mm3_map *map = arg;
  (void)map; /* the builtin is nothing on x86 */
  __builtin___clear_cache((char *)map->ptr, (char *)map->ptr + map->length);
  return 0;
}

int mm3_map_make_exec(struct mm3_map *map) {
  uint32_t before = map->flags;
  int result = protect(map, MM3_MAP_IS_EXEC);
  if (result == 0 && (before & MM3_MAP_IS_WRITABLE) != 0) mm3_guard_run(map, clear_instructions, map);
  return result;
}

#ifdef MREMAP_MAYMOVE
int mm3_map_remap(struct mm3_map *map, size_t new_length, unsigned flags) {
  const uint32_t fixed = MM3_MAP_IS_SHARED | MM3_MAP_IS_ANONYMOUS;
  struct mm3i_map_span span;
  if (map->mapped == 0 || (flags & ~(unsigned)MM3_MAP_MAY_MOVE) != 0) return -EINVAL;
  size_t slack = (size_t)((char *)map->ptr - (char *)map->base);
  int result = mm3i_map_span(slack, new_length, map->page_bits, &span);
  if (result < 0) return result;
  if (span.mapped > map->mapped && (map->flags & fixed) == fixed) return -ENOTSUP;
  if (span.mapped != map->mapped) {
    int how = (flags & MM3_MAP_MAY_MOVE) != 0 ? MREMAP_MAYMOVE : 0;
    void *base = mm3i_sys.mremap(map->base, map->mapped, span.mapped, how);
    if (base == MAP_FAILED) return -errno;
    map->base = base;
    map->ptr = (char *)base + slack;
    map->mapped = span.mapped;
  }
  map->length = new_length;
  return 0;
}
#else
int mm3_map_remap(struct mm3_map *map, size_t new_length, unsigned flags) {
  (void)new_length;
  return map->mapped == 0 || (flags & ~(unsigned)MM3_MAP_MAY_MOVE) != 0 ? -EINVAL : -ENOTSUP;
}
#endif

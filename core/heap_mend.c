/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * heap_mend.c: a heap whose end or page map's places are lost. The true end lies inside the file and before the last page
 * that the page map has an entry for; repair takes everything up to there, and gives back what nobody owns.
 */
#include "heap.h"

static uint64_t part_pages(unsigned part) { return part ? UINT64_C(1) << (part - 1) : 1; }

/* Parts of the page map follow one another without a gap, and each lies inside the file. */
static void mend_map(struct mm3i_heap_state *state, uint64_t pages) {
  bool ended = false;
  for (unsigned k = 0; k < MM3I_HEAP_MAPS; k++) {
    uint64_t page = __atomic_load_n(&state->maps[k], MM3_RELAXED), most = k ? UINT64_C(128) << k : 0;
    ended = ended || !page || most >= pages || page > pages || part_pages(k) > pages - (page - 1);
    if (ended && page) __atomic_store_n(&state->maps[k], 0, MM3_RELAXED);
  }
}

void mm3i_heap_mend(struct mm3_file *file) {
  struct mm3i_handle *handle = mm3i_handle_of(file);
  struct mm3i_heap_state *state = (struct mm3i_heap_state *)(void *)handle->super->heap;
  uint64_t start = handle->fixed.heap_offset, end = __atomic_load_n(&handle->super->heap_end, MM3_RELAXED);
  if (!start) {
    __atomic_store_n(&handle->super->heap_end, 0, MM3_RELAXED);
    return;
  }
  mm3_at_code(file, 0, 0); /* asks for the file's length once more */
  uint64_t limit = __atomic_load_n(&file->limit, MM3_RELAXED), covered = 0;
  if (limit <= start) return;
  bool sane = end >= start && end <= limit && (end - start) % MM3I_PAGE == 0;
  mend_map(state, sane ? (end - start) / MM3I_PAGE : (limit - start) / MM3I_PAGE);
  if (sane) return;
  for (unsigned k = 0; k < MM3I_HEAP_MAPS && __atomic_load_n(&state->maps[k], MM3_RELAXED); k++)
    covered = k ? UINT64_C(256) << k : 256;
  if (covered > (limit - start) / MM3I_PAGE) covered = (limit - start) / MM3I_PAGE;
  __atomic_store_n(&handle->super->heap_end, start + covered * MM3I_PAGE, __ATOMIC_RELEASE);
}

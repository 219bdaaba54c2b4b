/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * heap.h: blocks of bytes inside a file, for kinds that grow. Offsets count from the file's start and are what a file
 * stores; an address is mm3_at(file, offset, size), which clamps.
 *
 * All calls that allocate or free want the file's lock to be held, except where it says otherwise. A block belongs to
 * nobody until its owner stores the offset: a process killed before that leaks the block, never corrupts one, and
 * mm3_check's repair takes the leak back by asking every kind for the blocks it owns (struct mm3_kind: blocks). A freed
 * block may be handed out again at once; readers that go without the lock must re-check what they copied.
 */
#ifndef MM3_HEAP_H
#define MM3_HEAP_H

#include <mm3/error.h>
#include <mm3/file.h>

#ifdef __cplusplus
extern "C" {
#endif

/* mm3_heap_alloc: a block of at least `size` bytes, aligned to `align` (a power of two up to 4096; 0: 16). The bytes are
 * undefined. Returns 0, -ENOSPC or -EDQUOT (disk full: nothing changed), -EFBIG, -MM3_E_LIMIT (the file's own limit),
 * -MM3_E_RESERVE (reopen with a larger reserve), -MM3_E_DAMAGED (the heap's own structures), -EINVAL, -EPERM (lock not held). */
MM3_API int mm3_heap_alloc(struct mm3_file *file, uint64_t size, uint64_t align, uint64_t *offset);

/* mm3_heap_free: gives a block back. 0, -EPERM, -MM3_E_DAMAGED when no such block is in use, or -MM3_E_RESERVE (the heap has
 * outgrown this handle: reopen). */
MM3_API int mm3_heap_free(struct mm3_file *file, uint64_t offset);

/* mm3_heap_usable: the bytes that a block in use has, at least what was asked for and at most a quarter more (blocks above
 * 8 KiB: whole pages); 0 when there is no such block. Needs no lock. */
MM3_API uint64_t mm3_heap_usable(struct mm3_file *file, uint64_t offset);

/* mm3_heap_reserve: makes the file so long that blocks of `bytes` in all can be allocated without growing it, if they are
 * large or fill whole slabs of 64 KiB. As mm3_heap_alloc. */
MM3_API int mm3_heap_reserve(struct mm3_file *file, uint64_t bytes);

/* mm3_heap_shrink: cuts free space off the file's end; only while no other handle has the file open, nor a forked child may
 * have this one (-EBUSY: a handle that has been through a fork is opened anew for this). Also
 * -EPERM, -EOPNOTSUPP (a file system without OFD locks), -errno of ftruncate(2), -MM3_E_RESERVE. */
MM3_API int mm3_heap_shrink(struct mm3_file *file);

/* mm3_heap_measure: set stats->size first. Walks the page map, a nanosecond or two a page of the heap; needs no lock, but
 * only under it the numbers are of one moment. -MM3_E_DAMAGED, -MM3_E_RESERVE, -EINVAL (the file has no heap). */
struct mm3_heap_stats {
  uint32_t size;
  uint64_t total, used, free, blocks; /* bytes of the heap; in blocks in use; in free blocks and tail; blocks in use */
  uint64_t largest_free;
};
MM3_API int mm3_heap_measure(struct mm3_file *file, struct mm3_heap_stats *stats);

#ifdef __cplusplus
}
#endif
#endif

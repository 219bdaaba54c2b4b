/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * segmented.h: segmented(T): an array that grows for ever at its end, while any number of processes read it. Items
 * never move. An event log, a table that only grows.
 *
 *     #define LOG(FIELD) FIELD(events, segmented(event)) FIELD(samples, segmented(f64))
 *     MM3_STRUCT(event_log, LOG);
 *
 *     mm3_segmented_append(file, &log->samples, 21.5);
 *     double sample;
 *     for (uint64_t i = 0; mm3_segmented_get(file, &log->samples, i, &sample) == 0; i++) printf("%g\n", sample);
 *
 * BYTES. The field is 400 bytes; the items lie in the file's heap, in segments that double.
 *
 *     length     sequence    segment 0   segment 1    ...    segment 47
 *     [8 bytes]  [8 bytes]   [offset]    [offset]            [offset]        offset 0: not there yet
 *
 *     F = the least power of two for which F items are a page (4096 bytes) or more; segment k holds F << k items:
 *     item i is number (i + F) - (F << k) of segment k, k = log2(i + F) - log2(F), rounded down
 *
 * T is in its element form. Zeroed bytes are the empty array.
 *
 *   INVARIANTS. Each segment that an item below the length lies in is a block of the heap, in use, of F << k items; so
 *   is any other that is not 0. Each item below the length is a valid T. check refuses all else.
 *
 * WHAT A KILL LEAVES. An append stores the items first and the length last, by one store: it is there, whole, or it is
 * not. truncate and clear likewise. A kill may leave a segment that waits for items, or leak one. An item that is put by
 * path (mm3 set): one of 1, 2, 4, 8 bytes by one store, a wider one where it lies, in part when its writer was killed.
 *
 * WHAT A READER SEES. Items below the length are complete. get copies, and compares the sequence, which moves when
 * items are taken away: whole, at any time, from any process, without a lock. Growth is seen by all who have the file
 * open; no pointer moves. at and run point into the mapping: good as long as nobody truncates or clears.
 *
 * WRITERS take the file's lock, so that any number of processes append. The _held forms are for a caller that has it.
 *
 * FOLLOWING: the lock's release moves the change counter, so a follower sleeps in mm3_wait:
 *
 *     for (uint64_t i = 0;;) {
 *       uint32_t seen = mm3_changes(file);
 *       while (mm3_segmented_get(file, &log->events, i, &event) == 0) handle(i++, &event);
 *       mm3_wait(file, seen, 1000);
 *     }
 *
 * WHAT CAN GO WRONG. -MM3_E_ABSENT: no such item. -ENOSPC, -EDQUOT, -EFBIG, -MM3_E_LIMIT, -MM3_E_RESERVE: there is no
 * room; nothing was appended, every item is still there. -MM3_E_DAMAGED: the directory leads nowhere. -MM3_E_AGAIN:
 * items were taken away at each of 10,000 tries. -MM3_E_MODULE: mm3-segmented.so is not there. -MM3_E_BUSY, _READ_ONLY
 * and the rest from mm3_lock. Whatever the bytes are, no operation leaves the mapping.
 *
 * COST. append_held: inline, no call while the last segment has room, 1 ns and the bytes; the lock about 15 ns. get:
 * 2 ns and the bytes. run: one look-up for a whole segment, then plain memory. A new segment costs an allocation, and
 * its pages a fault each. Memory: at most twice the items: segments double, so the item that opens one asks for as much
 * room again as all items before it take, at once, on the disk too (256 MiB and an item: 512 MiB; the file itself ends
 * up to 64 MiB later). MM3_SPARSE takes the disk's room page by page. DURABILITY: after mm3_sync; after a process's death
 * at once.
 *
 * `s` below is a pointer to a segmented field, evaluated once (by MM3_SEGMENTED_EACH for each segment); another kind of
 * field does not compile. T *: a pointer to exactly the item's C type. Values may be written as in an assignment, or as
 * `{1, 2}`.
 *
 * Reading, by anybody:
 *   uint64_t mm3_segmented_len(s)
 *   int mm3_segmented_get(file, s, i, T *out)            0, or a code
 *   int mm3_segmented_last(file, s, T *out)
 *   const T *mm3_segmented_run(file, s, i, uint64_t *count)
 *         item i and, behind it, *count - 1 more: as many as lie side by side. NULL and 0 beyond the length
 *   T *mm3_segmented_at(file, s, i)                      NULL beyond the length
 *   MM3_SEGMENTED_EACH(item, file, s) statement          `item` is a const T * to each from the first on, also to those
 *                                                        that are appended meanwhile
 *
 * Writing; each has a mm3_segmented_..._held form:
 *   int mm3_segmented_append(file, s, value)
 *   int mm3_segmented_append_from(file, s, const T *)    for values of which there is a pointer, and for raw(N)
 *   int mm3_segmented_append_many(file, s, const T *, uint64_t count)          all or nothing, published by one store
 *   int mm3_segmented_set(file, s, i, value)             items of 1, 2, 4, 8 bytes: one store. set_held needs no lock
 *                                                        if nobody else sets that item or takes it away
 *   int mm3_segmented_reserve(file, s, uint64_t count)   room for that many items in all
 *   int mm3_segmented_truncate(file, s, uint64_t count)  the items from `count` on are taken away, if there are any; then
 *                                                        segments without items go back to the heap
 *   int mm3_segmented_clear(file, s)
 *   int mm3_segmented_begin(file, s, uint64_t want, T **items, uint64_t *room)
 *         room for up to `want` items at the end, side by side: *room of them, at least one. Fill them, in any order;
 *         nobody sees them yet. begin takes the lock, commit gives it back (begin_held and commit_held do neither)
 *   int mm3_segmented_commit(file, s, uint64_t count)    publishes the first `count` of them; 0 gives up
 *
 * Items that own blocks of the heap (text): append a zeroed one, then set it through at, under the lock; clear them
 * before they are truncated, or their blocks leak (mm3 check --repair takes them back).
 */
#ifndef MM3_SEGMENTED_H
#define MM3_SEGMENTED_H

#include <errno.h>
#include <mm3/copy.h>
#include <mm3/error.h>
#include <mm3/file.h>
#include <mm3/item.h>
#include <mm3/module.h>
#include <mm3/struct.h>
#include <stddef.h>
#include <stdint.h>

struct mm3_k_segmented;

#define MM3_SEGMENTS 48

#define MM3_C1_segmented(T) MM3_I_SEG_TYPE(MM3_C2_##T)
#define MM3_C2_segmented(T) MM3_I_SEG_TYPE(MM3_C3_##T)
#define MM3_C3_segmented(T) MM3_I_SEG_TYPE(MM3_C4_##T)
#define MM3_A1_segmented(T) MM3_ITEM_KIND(1), MM3_A2_##T
#define MM3_A2_segmented(T) MM3_ITEM_KIND(1), MM3_A3_##T
#define MM3_A3_segmented(T) MM3_ITEM_KIND(1), MM3_A4_##T
#define MM3_I_SEG_TYPE(type)                                                                      \
  struct {                                                                                        \
    __extension__ union {                                                                         \
      uint64_t length __attribute__((aligned(8)));                                                \
      struct mm3_k_segmented *mm3_tag;                                                            \
      __typeof__(type) *mm3_item;                                                                 \
    };                                                                                            \
    uint64_t sequence __attribute__((aligned(8)));                                                \
    uint64_t segment[MM3_SEGMENTS];                                                               \
  }

/* Any segmented field, as functions take it. */
struct mm3_i_segmented {
  uint64_t length, sequence, segment[MM3_SEGMENTS];
};
struct mm3_segmented_ref {
  struct mm3_i_segmented *s;
  uint64_t item, align;        /* bytes of an item */
};

#define MM3_SEGMENTED_HELD 1   /* the caller holds the file's lock */

/* What the module offers to the macros below (struct mm3_kind: ops). Grows at its end. */
struct mm3_segmented_ops {
  uint32_t size, version;
  int (*append)(struct mm3_file *file, struct mm3_segmented_ref s, const void *items, uint64_t count, int flags);
  int (*reserve)(struct mm3_file *file, struct mm3_segmented_ref s, uint64_t count, int flags);
  int (*truncate)(struct mm3_file *file, struct mm3_segmented_ref s, uint64_t count, int flags);
};

/* ---- the operations ---- */

#define mm3_segmented_len(s) mm3_i_seg_len((const struct mm3_i_segmented *)(const void *)MM3_TAGGED(segmented, s))
#define mm3_segmented_get(file, s, i, out) mm3_i_seg_get(file, MM3_I_SEG(s), (uint64_t)(i), MM3_I_SEG_OUT(s, out))
#define mm3_segmented_last(file, s, out) mm3_i_seg_last(file, MM3_I_SEG(s), MM3_I_SEG_OUT(s, out))
#define mm3_segmented_run(file, s, i, count) \
  ((const __typeof__(*(s)->mm3_item) *)mm3_i_seg_run(file, MM3_I_SEG(s), (uint64_t)(i), count))
#define mm3_segmented_at(file, s, i) ((__typeof__(*(s)->mm3_item) *)mm3_i_seg_at(file, MM3_I_SEG(s), (uint64_t)(i)))
#define MM3_SEGMENTED_EACH(item, file, s)                                                                               \
  for (struct mm3_i_seg_walk item##_walk = {0, 0, 0, 1}; mm3_i_seg_walk_on(file, MM3_I_SEG(s), &item##_walk);)          \
    for (const __typeof__(*(s)->mm3_item) *item = (const __typeof__(*(s)->mm3_item) *)item##_walk.at,                   \
                                          *item##_end = item + item##_walk.count;                                       \
         item != item##_end || (item##_walk.whole = 1, 0); item++)

#define mm3_segmented_append(file, s, ...) mm3_i_seg_append(file, MM3_I_SEG(s), MM3_I_SEG_VALUE(s, __VA_ARGS__))
#define mm3_segmented_append_held(file, s, ...) \
  mm3_i_seg_append_held(file, MM3_I_SEG(s), MM3_I_SEG_VALUE(s, __VA_ARGS__))
#define mm3_segmented_append_from(file, s, from) mm3_i_seg_append(file, MM3_I_SEG(s), MM3_I_SEG_OUT(s, from))
#define mm3_segmented_append_from_held(file, s, from) mm3_i_seg_append_held(file, MM3_I_SEG(s), MM3_I_SEG_OUT(s, from))
#define mm3_segmented_append_many(file, s, items, count) \
  MM3_I_SEG_CALL(append, (file, MM3_I_SEG_REF(s), MM3_I_SEG_OUT(s, items), count, 0))
#define mm3_segmented_append_many_held(file, s, items, count) \
  MM3_I_SEG_CALL(append, (file, MM3_I_SEG_REF(s), MM3_I_SEG_OUT(s, items), count, MM3_SEGMENTED_HELD))
#define mm3_segmented_set(file, s, i, ...) \
  mm3_i_seg_set(file, MM3_I_SEG_NARROW(s), (uint64_t)(i), MM3_I_SEG_VALUE(s, __VA_ARGS__))
#define mm3_segmented_set_held(file, s, i, ...) \
  mm3_i_seg_set_held(file, MM3_I_SEG_NARROW(s), (uint64_t)(i), MM3_I_SEG_VALUE(s, __VA_ARGS__))
#define mm3_segmented_reserve(file, s, count) MM3_I_SEG_CALL(reserve, (file, MM3_I_SEG_REF(s), count, 0))
#define mm3_segmented_reserve_held(file, s, count) \
  MM3_I_SEG_CALL(reserve, (file, MM3_I_SEG_REF(s), count, MM3_SEGMENTED_HELD))
#define mm3_segmented_truncate(file, s, count) MM3_I_SEG_CALL(truncate, (file, MM3_I_SEG_REF(s), count, 0))
#define mm3_segmented_truncate_held(file, s, count) \
  MM3_I_SEG_CALL(truncate, (file, MM3_I_SEG_REF(s), count, MM3_SEGMENTED_HELD))
#define mm3_segmented_clear(file, s) mm3_segmented_truncate(file, s, 0)
#define mm3_segmented_clear_held(file, s) mm3_segmented_truncate_held(file, s, 0)
#define mm3_segmented_begin(file, s, want, items, room) \
  mm3_i_seg_begin(file, MM3_I_SEG(s), want, MM3_I_SEG_TO(s, items), room)
#define mm3_segmented_begin_held(file, s, want, items, room) \
  mm3_i_seg_begin_held(file, MM3_I_SEG(s), want, MM3_I_SEG_TO(s, items), room)
#define mm3_segmented_commit(file, s, count) mm3_i_seg_commit(file, MM3_I_SEG(s), count)
#define mm3_segmented_commit_held(file, s, count) mm3_i_seg_commit_held(file, MM3_I_SEG(s), count)

/* ---- what a macro's arguments become ---- */

#define MM3_I_SEG_BYTES(s) (struct mm3_i_segmented *)(uintptr_t)MM3_TAGGED(segmented, s)
#define MM3_I_SEG(s) MM3_I_SEG_BYTES(s), sizeof(*(s)->mm3_item), __alignof__(*(s)->mm3_item)
#define MM3_I_SEG_NARROW(s)                                                                                       \
  MM3_I_SEG_BYTES(s),                                                                                             \
      sizeof(*(s)->mm3_item) +                                                                                    \
          MM3_REQUIRE(sizeof(*(s)->mm3_item) <= 8 && !(sizeof(*(s)->mm3_item) & (sizeof(*(s)->mm3_item) - 1)))
#define MM3_I_SEG_REF(s) mm3_i_seg_ref(MM3_I_SEG(s))
#define MM3_I_SEG_CALL(name, args)                                                                              \
  (mm3_i_seg_ops(offsetof(struct mm3_segmented_ops, name) + sizeof(void *)) ? mm3_i_seg_ops(0)->name args       \
                                                                             : -MM3_E_MODULE)
#define MM3_I_SEG_VALUE(s, ...) MM3_I_ITEM_VALUE(__typeof__(*(s)->mm3_item), __VA_ARGS__)
#define MM3_I_SEG_OUT(s, p) MM3_I_ITEM_POINTER(__typeof__(*(s)->mm3_item), p)
#define MM3_I_SEG_TO(s, p) MM3_I_ITEM_POINTER(__typeof__(*(s)->mm3_item) *, p)

#include <mm3/segmented_inline.h>

#endif

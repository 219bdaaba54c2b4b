/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * hashmap.h: hashmap(K, V): any number of entries in the file, found by key, read by any process while one writes.
 *
 *     #define STORE(FIELD)  FIELD(users, hashmap(string(32), u64))  FIELD(cache, hashmap(text, text))
 *     MM3_STRUCT(store, STORE);
 *
 *     mm3_hashmap_set(file, &root->users, "alice", 42);
 *     uint64_t id;
 *     if (mm3_hashmap_get(file, &root->users, "alice", &id) == 0) ...
 *
 * K: an integer, enum, bool, char, raw(N), string(N), text, or a struct of integers, enums, bools, chars, raws and such
 * structs that has no padding. V: any type of a fixed size up to 1 MiB and alignment up to 64, or text. What may be
 * passed for a key or value, and what receives it, is in mm3/arg.h; `out` for a string or text is a struct mm3_buf *.
 * Keys of up to 4096 bytes lie in the table; a text key and its text value are one record in the heap. f32 and f64 are
 * no keys.
 *
 * IN THE ROOT STRUCT: 32 bytes, aligned to 8.
 *     [ table: 8 ][ seed: 8 ][ generation: 8 ][ a word that says what K and V are: 8 ]
 *     table = generation << 48 | offset; 0: there is no table, and no entry
 *
 * IN THE HEAP: one block a table, and one record for each text.
 *     [ head: 128 ][ groups: 16 bytes each ][ slots: 16 a group ][ counts: 4 each, for 4 groups ][ journal: a value ]
 *     group  = 16 control bytes: 0 free, 1 removed, else 8 bits of the hash
 *     slot   = key, value, each aligned; a text is 48 bits of offset and, as a key, 16 bits of its hash
 *     record = [ key's length: 4 ][ value's length: 4 ][ key ][ value ]
 *   A key is looked for in group hash & (groups - 1), and in those 1, 3, 6, ... further, until one has a free slot.
 *
 * INVARIANTS. What hashmap.h's check says: the head agrees with the type, `count` is the number of occupied slots, each
 * entry is found by its own key, every key once, keys and values pass their own checks, records lie in the heap.
 *
 * WHAT IS PROMISED
 *   A reader, in any process, without the lock: the old entry or the new one, whole, also while the table grows. It
 *     never waits for a writer, alive or dead: nothing that a writer does makes an entry unreadable meanwhile. It tries
 *     again when the four groups around its entry moved under it; after 10,000 times -MM3_E_AGAIN.
 *   One writer at a time: operations that write take the file's lock, the `_held` forms want it held. A writer killed
 *     at any store leaves each entry old or new, whole or absent, and at worst a leaked block of the heap; killed in
 *     clear, those that it had not freed yet.
 *     How: a new entry is written into a free slot, then its control byte is stored; removal is one control byte. A
 *     value of 1, 2, 4 or 8 bytes is overwritten by one store; a wider one is first written to the journal, which one
 *     store makes the slot's value while it is copied; a text is a new record, published by one store. Growth builds a
 *     new table and publishes it by one store of the root's word. What was written over, or freed, moves a count that
 *     readers compare.
 *   Any bytes: an operation reads and writes the file's memory only, and ends. None writes into a table that has not the
 *     map's own seed, such as another map's: -MM3_E_DAMAGED.
 *
 * WHAT CAN GO WRONG. Writing: -MM3_E_VALUE (a string longer than N, not UTF-8), what mm3_lock says (not `_held`), what
 * mm3_heap_alloc says: -ENOSPC, -MM3_E_LIMIT, -MM3_E_RESERVE ...: then nothing was changed, also when the table was to
 * grow. Reading: -MM3_E_ABSENT; -ERANGE (the buffer is too small, its len says what is needed); -MM3_E_DAMAGED;
 * -MM3_E_RESERVE (another process's map has outgrown this handle's reserve); -MM3_E_AGAIN.
 *
 * COST. Inline; a find touches the group, the slot and (texts) the record. Bytes an entry: (1 + slot) / load + records;
 * the load is 0.44 to 0.875, u64 -> u64 at a million 36. Growth doubles: some insertions cost a pass over the table;
 * mm3_hashmap_reserve before. DURABILITY: after mm3_sync; after a process's death at once.
 *
 * `map` below is a pointer to a hashmap field, `file` the file that it lies in. Arguments are evaluated once.
 *
 * Writing; each has a _held form with the same arguments:
 *   int mm3_hashmap_set(file, map, key, value)     adds (0) or replaces (1);  mm3_hashmap_insert is the same
 *   int mm3_hashmap_get_or_insert(file, map, key, value, out)
 *         1: it was there, *out is its value; 0: added, *out is untouched
 *   int mm3_hashmap_add(file, map, key, by)
 *         integers: adds, with wrap; a new entry is `by`. 1: it was there; 0: new
 *   int mm3_hashmap_update(file, map, key, int (*change)(void *value, void *arg), arg)
 *         fixed-size V: change gets a copy, which then replaces the value whole; its negative result leaves it as it
 *         was and is returned. -MM3_E_ABSENT. change must not change the map
 *   int mm3_hashmap_remove(file, map, key)         0, or -MM3_E_ABSENT
 *   int mm3_hashmap_clear(file, map)               frees everything
 *   int mm3_hashmap_reserve(file, map, count)      room for so many entries in all, without growing
 *   int mm3_hashmap_shrink(file, map)              the smallest table that holds what there is
 *   int64_t mm3_hashmap_retain(file, map, int (*keep)(const struct mm3_hashmap_item *, void *arg), arg)
 *         removes entries for which keep returns 0; the number of those removed; a negative result stops. The item has
 *         `key` and `value`, each a struct mm3_str: a text (no zero byte after it), or where the C type lies in the map
 *
 * Reading:
 *   int mm3_hashmap_get(file, map, key, out)       0 and *out
 *   int mm3_hashmap_contains(file, map, key)       1, 0, or a failure
 *   size_t mm3_hashmap_len(file, map)              exact when nobody writes, also after a writer was killed
 *   int64_t mm3_hashmap_get_many(file, map, keys, n, outs, uint8_t *found)
 *         n keys at a time, with their cache misses overlapped; 8 to 32 are worth it. keys: an array of the C type
 *         (texts: struct mm3_str), outs: an array of the C type (texts: struct mm3_buf), found (may be NULL): 1 or 0
 *         each. Returns how many were found, or the first failure
 *   int mm3_hashmap_next(file, map, struct mm3_hashmap_cursor *cursor, key_out, value_out)
 *         walks: 1 and an entry, 0 at the end, -ERANGE (call again with more room). A zeroed cursor is the start. Every
 *         entry that is there from the first call to the last comes at least once, and once only unless the table was
 *         replaced under the walk (cursor.restarts counts: it starts again); those added or removed meanwhile may come
 *   int mm3_hashmap_stats(file, map, struct mm3_hashmap_stats *stats)   O(entries). The caller sets stats->size to
 *         sizeof *stats: that much is filled, and size says how much was; 0 is -EINVAL. Members: mm3/hashmap_ops.h
 *
 * Reading in place, for the lock's holder or a program that knows that nobody writes:
 *   const V *mm3_hashmap_view(file, map, key)
 *         fixed-size V: a pointer into the mapping, good until the next change; NULL: absent, or damaged
 *   int mm3_hashmap_view_text(file, map, key, struct mm3_str *)
 *         strings and texts: no zero byte after it, and UTF-8 is not checked again
 *
 * As a value (mm3_field_visit, mm3 export, JSON): entries in the table's order, in memory that does not grow with the
 * map, without the lock. What a map gives that is written meanwhile: every entry that is there from the first to the last
 * moment once, as it was at some moment; those added, removed or set meanwhile as before or as after; no key twice. The
 * whole as it was at one moment is what the lock's holder gets: mm3 export --locked. -MM3_E_AGAIN after 40 new tables.
 *
 * A file that is one map of texts:
 *   struct mm3_file *mm3_hashmap_create(path, error)   opens, or creates; mm3_hashmap_of(file) is its map
 */
#ifndef MM3_HASHMAP_H
#define MM3_HASHMAP_H

#include <mm3/file.h>
#include <mm3/hashmap_change.h>
#include <mm3/hashmap_lock.h>
#include <mm3/hashmap_walk.h>
#include <mm3/struct.h>
#include <mm3/text.h>

struct mm3_k_hashmap;

/* The unions' pointers say at compile time what K and V are. Notes are MM3_I_IS_* + 8 N, 4 where the word says nothing.
 */
#define MM3_C1_hashmap(K, V)                                         \
  struct {                                                           \
    __extension__ union {                                            \
      uint64_t table __attribute__((aligned(8)));                    \
      struct mm3_k_hashmap *mm3_tag;                                 \
      char (*mm3_key_note)[MM3_I_SECOND(MM3_I_HM_NOTE_##K, 4, ~)];   \
      char (*mm3_value_note)[MM3_I_SECOND(MM3_I_HM_NOTE_##V, 4, ~)]; \
    };                                                               \
    union {                                                          \
      uint64_t seed __attribute__((aligned(8)));                     \
      MM3_C2_##K *of;                                                \
    } mm3_key;                                                       \
    union {                                                          \
      uint64_t generation __attribute__((aligned(8)));               \
      MM3_C2_##V *of;                                                \
    } mm3_value;                                                     \
    uint64_t print __attribute__((aligned(8)));                      \
  }
#define MM3_A1_hashmap(K, V)    MM3_ITEM_KIND(1), MM3_A2_##K, MM3_A2_##V
#define MM3_I_HM_NOTE_string(N) ~, MM3_I_IS_TEXT + 8 * (N)
#define MM3_I_HM_NOTE_text      ~, MM3_I_IS_HEAP

/* What stands in a note, or else what the C type is: 1 is an integer, 8 a real number. */
#define MM3_I_HM_IS(note, what)                                   \
  ((int)sizeof(*(note)) != 4               ? (int)sizeof(*(note)) \
   : __builtin_classify_type(*(what)) == 1 ? MM3_I_IS_INTEGER     \
   : __builtin_classify_type(*(what)) == 8 ? MM3_I_IS_REAL        \
                                           : MM3_I_IS_BYTES)
#define MM3_I_HM_KEY_IS(map)   MM3_I_HM_IS((map)->mm3_key_note, (map)->mm3_key.of)
#define MM3_I_HM_VALUE_IS(map) MM3_I_HM_IS((map)->mm3_value_note, (map)->mm3_value.of)
#define MM3_I_HM_SHAPE(map)                                                                            \
  mm3_i_hm_shape_of(MM3_I_HM_KEY_IS(map), sizeof(*(map)->mm3_key.of), __alignof__(*(map)->mm3_key.of), \
                    MM3_I_HM_VALUE_IS(map), sizeof(*(map)->mm3_value.of), __alignof__(*(map)->mm3_value.of))
#define MM3_I_HM(map)  ((struct mm3_i_hashmap *)(void *)&MM3_TAGGED(hashmap, map)->table)
#define MM3_I_HMC(map) ((const struct mm3_i_hashmap *)(const void *)&MM3_TAGGED(hashmap, map)->table)

/* A number where a number is wanted, a text where a text is: or it does not compile. */
#define MM3_I_HM_FITS_KEY(map, key)     MM3_REQUIRE(MM3_I_ARG_FITS(MM3_I_ARG_IS(key), MM3_I_HM_KEY_IS(map) & 7))
#define MM3_I_HM_FITS_VALUE(map, value) MM3_REQUIRE(MM3_I_ARG_FITS(MM3_I_ARG_IS(value), MM3_I_HM_VALUE_IS(map) & 7))
#define MM3_I_HM_FITS_OUT(map, out) \
  MM3_REQUIRE(MM3_I_OUT_FITS(out, MM3_I_HM_VALUE_IS(map) & 7, sizeof(*(map)->mm3_value.of)))
#define MM3_I_HM_FITS_KEY_OUT(map, out) \
  MM3_REQUIRE(MM3_I_OUT_FITS(out, MM3_I_HM_KEY_IS(map) & 7, sizeof(*(map)->mm3_key.of)))
#define MM3_I_HM_FIXED(map) MM3_REQUIRE((MM3_I_HM_VALUE_IS(map) & 7) != MM3_I_IS_HEAP)

/* ---- reading ---- */
#define mm3_hashmap_get(file, map, key, out)                                                                        \
  (mm3_i_hm_get((file), MM3_I_HMC(map), MM3_I_HM_SHAPE(map), MM3_I_ARG(key), (out)) + MM3_I_HM_FITS_KEY(map, key) + \
   MM3_I_HM_FITS_OUT(map, out))
#define mm3_hashmap_contains(file, map, key) \
  (mm3_i_hm_contains((file), MM3_I_HMC(map), MM3_I_HM_SHAPE(map), MM3_I_ARG(key)) + MM3_I_HM_FITS_KEY(map, key))
#define mm3_hashmap_len(file, map) ((size_t)mm3_i_hm_len((file), MM3_I_HMC(map), MM3_I_HM_SHAPE(map)))
#define mm3_hashmap_get_many(file, map, keys, n, outs, found)                                                      \
  (mm3_i_hm_get_many((file), MM3_I_HMC(map), MM3_I_HM_SHAPE(map), (keys), (n), (outs), sizeof(*(outs)), (found)) + \
   MM3_REQUIRE(sizeof(*(keys)) ==                                                                                  \
               ((MM3_I_HM_KEY_IS(map) & 7) == MM3_I_IS_TEXT || (MM3_I_HM_KEY_IS(map) & 7) == MM3_I_IS_HEAP         \
                  ? sizeof(struct mm3_str)                                                                         \
                  : sizeof(*(map)->mm3_key.of))) +                                                                 \
   MM3_I_HM_FITS_OUT(map, outs))
#define mm3_hashmap_next(file, map, cursor, key_out, value_out)                                   \
  (mm3_i_hm_next((file), MM3_I_HMC(map), MM3_I_HM_SHAPE(map), (cursor), (key_out), (value_out)) + \
   MM3_I_HM_FITS_KEY_OUT(map, key_out) + MM3_I_HM_FITS_OUT(map, value_out))
#define mm3_hashmap_stats(file, map, stats) mm3_i_hm_stats((file), MM3_I_HMC(map), MM3_I_HM_SHAPE(map), (stats))
#define mm3_hashmap_view(file, map, key)                    \
  ((const __typeof__(*(map)->mm3_value.of) *)mm3_i_hm_view( \
    (file), MM3_I_HMC(map), MM3_I_HM_SHAPE(map),            \
    mm3_i_arg_checked(MM3_I_ARG(key), MM3_I_HM_FITS_KEY(map, key) + MM3_I_HM_FIXED(map))))
#define mm3_hashmap_view_text(file, map, key, out)                                          \
  (mm3_i_hm_view_text((file), MM3_I_HMC(map), MM3_I_HM_SHAPE(map), MM3_I_ARG(key), (out)) + \
   MM3_I_HM_FITS_KEY(map, key) +                                                            \
   MM3_REQUIRE((MM3_I_HM_VALUE_IS(map) & 7) == MM3_I_IS_TEXT || (MM3_I_HM_VALUE_IS(map) & 7) == MM3_I_IS_HEAP))

/* ---- writing: the first of each pair with the lock held ---- */
/* A result; `required` is a sum of MM3_REQUIRE. A call, not a sum: g++ warns of a sum that nobody looks at. */
MM3_INLINE int mm3_i_hm_result(int result, int required) {
  (void)required;
  return result;
}
#define MM3_I_HM_SET(map, key, value) MM3_I_HM_FITS_KEY(map, key) + MM3_I_HM_FITS_VALUE(map, value)
#define mm3_hashmap_set_held(file, map, key, value)                                                        \
  mm3_i_hm_result(                                                                                         \
    mm3_i_hm_set_held((file), MM3_I_HM(map), MM3_I_HM_SHAPE(map), MM3_I_ARG(key), MM3_I_ARG(value), 0, 0), \
    MM3_I_HM_SET(map, key, value))
#define mm3_hashmap_set(file, map, key, value)                                                                      \
  mm3_i_hm_result(mm3_i_hm_set((file), MM3_I_HM(map), MM3_I_HM_SHAPE(map), MM3_I_ARG(key), MM3_I_ARG(value), 0, 0), \
                  MM3_I_HM_SET(map, key, value))
#define mm3_hashmap_insert_held(file, map, key, value) mm3_hashmap_set_held(file, map, key, value)
#define mm3_hashmap_insert(file, map, key, value)      mm3_hashmap_set(file, map, key, value)
#define mm3_hashmap_get_or_insert_held(file, map, key, value, out)                                             \
  mm3_i_hm_result(                                                                                             \
    mm3_i_hm_set_held((file), MM3_I_HM(map), MM3_I_HM_SHAPE(map), MM3_I_ARG(key), MM3_I_ARG(value), 1, (out)), \
    MM3_I_HM_SET(map, key, value) + MM3_I_HM_FITS_OUT(map, out))
#define mm3_hashmap_get_or_insert(file, map, key, value, out)                                             \
  mm3_i_hm_result(                                                                                        \
    mm3_i_hm_set((file), MM3_I_HM(map), MM3_I_HM_SHAPE(map), MM3_I_ARG(key), MM3_I_ARG(value), 1, (out)), \
    MM3_I_HM_SET(map, key, value) + MM3_I_HM_FITS_OUT(map, out))
#define MM3_I_HM_ADD(map, key, by) \
  MM3_I_HM_SET(map, key, by) +     \
    MM3_REQUIRE(MM3_I_HM_VALUE_IS(map) == MM3_I_IS_INTEGER && sizeof(*(map)->mm3_value.of) <= 8)
#define mm3_hashmap_add_held(file, map, key, by)                                                                \
  mm3_i_hm_result(mm3_i_hm_add_held((file), MM3_I_HM(map), MM3_I_HM_SHAPE(map), MM3_I_ARG(key), MM3_I_ARG(by)), \
                  MM3_I_HM_ADD(map, key, by))
#define mm3_hashmap_add(file, map, key, by)                                                                \
  mm3_i_hm_result(mm3_i_hm_add((file), MM3_I_HM(map), MM3_I_HM_SHAPE(map), MM3_I_ARG(key), MM3_I_ARG(by)), \
                  MM3_I_HM_ADD(map, key, by))
#define mm3_hashmap_remove_held(file, map, key)                                                     \
  mm3_i_hm_result(mm3_i_hm_remove_held((file), MM3_I_HM(map), MM3_I_HM_SHAPE(map), MM3_I_ARG(key)), \
                  MM3_I_HM_FITS_KEY(map, key))
#define mm3_hashmap_remove(file, map, key)                                                     \
  mm3_i_hm_result(mm3_i_hm_remove((file), MM3_I_HM(map), MM3_I_HM_SHAPE(map), MM3_I_ARG(key)), \
                  MM3_I_HM_FITS_KEY(map, key))
#define mm3_hashmap_update_held(file, map, key, change, arg)                                                         \
  mm3_i_hm_result(mm3_i_hm_update_held((file), MM3_I_HM(map), MM3_I_HM_SHAPE(map), MM3_I_ARG(key), (change), (arg)), \
                  MM3_I_HM_FITS_KEY(map, key) + MM3_I_HM_FIXED(map))
#define mm3_hashmap_update(file, map, key, change, arg)                                                         \
  mm3_i_hm_result(mm3_i_hm_update((file), MM3_I_HM(map), MM3_I_HM_SHAPE(map), MM3_I_ARG(key), (change), (arg)), \
                  MM3_I_HM_FITS_KEY(map, key) + MM3_I_HM_FIXED(map))
#define mm3_hashmap_clear_held(file, map) mm3_i_hm_clear_held((file), MM3_I_HM(map), MM3_I_HM_SHAPE(map))
#define mm3_hashmap_clear(file, map)      mm3_i_hm_clear((file), MM3_I_HM(map), MM3_I_HM_SHAPE(map))
#define mm3_hashmap_reserve_held(file, map, count) \
  mm3_i_hm_resize_held((file), MM3_I_HM(map), MM3_I_HM_SHAPE(map), (count), 0)
#define mm3_hashmap_reserve(file, map, count) mm3_i_hm_resize((file), MM3_I_HM(map), MM3_I_HM_SHAPE(map), (count), 0)
#define mm3_hashmap_shrink_held(file, map)    mm3_i_hm_resize_held((file), MM3_I_HM(map), MM3_I_HM_SHAPE(map), 0, 1)
#define mm3_hashmap_shrink(file, map)         mm3_i_hm_resize((file), MM3_I_HM(map), MM3_I_HM_SHAPE(map), 0, 1)
#define mm3_hashmap_retain_held(file, map, keep, arg) \
  mm3_i_hm_retain_held((file), MM3_I_HM(map), MM3_I_HM_SHAPE(map), (keep), (arg))
#define mm3_hashmap_retain(file, map, keep, arg) \
  mm3_i_hm_retain((file), MM3_I_HM(map), MM3_I_HM_SHAPE(map), (keep), (arg))

/* ---- a file that is one map ---- */
#define MM3_I_TEXT_MAP(FIELD) FIELD(map, hashmap(text, text))
MM3_STRUCT(mm3_text_map, MM3_I_TEXT_MAP);

MM3_UNUSED static inline struct mm3_file *mm3_hashmap_create(const char *path, struct mm3_error *error) {
  return mm3_open_or_create(path, MM3_TYPE(mm3_text_map), NULL, error);
}
#define mm3_hashmap_of(file) (&mm3_root((file), mm3_text_map)->map)

#endif

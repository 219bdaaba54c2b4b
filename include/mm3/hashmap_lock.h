/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* hashmap_lock.h: hashmap.h's operations that take the file's lock around themselves. Not for programs. */
#ifndef MM3_HASHMAP_LOCK_H
#define MM3_HASHMAP_LOCK_H

#include <mm3/hashmap_change.h>
#include <mm3/hashmap_walk.h>

MM3_INLINE int mm3_i_hm_contains(struct mm3_file *file, const struct mm3_i_hashmap *m, struct mm3_i_hm_shape s,
                                 struct mm3_i_arg key) {
  int result = mm3_i_hm_get(file, m, s, key, 0);
  return result == 0 ? 1 : result == -MM3_E_ABSENT ? 0 : result;
}

MM3_COLD MM3_UNUSED static int mm3_i_hm_stats(struct mm3_file *file, const struct mm3_i_hashmap *m,
                                              struct mm3_i_hm_shape s, struct mm3_hashmap_stats *stats) {
  return MM3_I_HM_CALL(stats, file, m, &s, stats);
}

MM3_COLD MM3_UNUSED static int mm3_i_hm_clear_held(struct mm3_file *file, struct mm3_i_hashmap *m,
                                                   struct mm3_i_hm_shape s) {
  return MM3_I_HM_CALL(clear, file, m, &s);
}

MM3_INLINE int mm3_i_hm_resize_held(struct mm3_file *file, struct mm3_i_hashmap *m, struct mm3_i_hm_shape s,
                                    uint64_t count, int shrink) {
  return count == 0 && !shrink ? 0 : mm3_i_hm_grow_held(file, m, s, count, shrink);
}

MM3_COLD MM3_UNUSED static int64_t mm3_i_hm_retain_held(struct mm3_file *file, struct mm3_i_hashmap *m,
                                                        struct mm3_i_hm_shape s,
                                                        int (*keep)(const struct mm3_hashmap_item *, void *),
                                                        void *arg) {
  return MM3_I_HM_CALL(retain, file, m, &s, keep, arg);
}

MM3_COLD MM3_UNUSED static int mm3_i_hm_update_held(struct mm3_file *file, struct mm3_i_hashmap *m,
                                                    struct mm3_i_hm_shape s, struct mm3_i_arg key,
                                                    int (*change)(void *value, void *), void *arg) {
  return MM3_I_HM_CALL(update, file, m, &s, key, change, arg);
}

/* NAME(file, m, s, ...): mm3_lock, NAME_held, mm3_unlock. A lost unlock would be an error of the lock's own. */
#define MM3_I_HM_LOCKING(result_type, name, parameters, arguments) \
  MM3_INLINE result_type name parameters {                         \
    int locked = mm3_lock(file);                                   \
    if (locked < 0) return locked;                                 \
    result_type result = name##_held arguments;                    \
    mm3_unlock(file);                                              \
    return result;                                                 \
  }
#define MM3_I_HM_FIRST struct mm3_file *file, struct mm3_i_hashmap *m, struct mm3_i_hm_shape s

MM3_I_HM_LOCKING(int, mm3_i_hm_set, (MM3_I_HM_FIRST, struct mm3_i_arg key, struct mm3_i_arg value, int keep, void *out),
                 (file, m, s, key, value, keep, out))
MM3_I_HM_LOCKING(int, mm3_i_hm_add, (MM3_I_HM_FIRST, struct mm3_i_arg key, struct mm3_i_arg by), (file, m, s, key, by))
MM3_I_HM_LOCKING(int, mm3_i_hm_remove, (MM3_I_HM_FIRST, struct mm3_i_arg key), (file, m, s, key))
MM3_I_HM_LOCKING(int, mm3_i_hm_update,
                 (MM3_I_HM_FIRST, struct mm3_i_arg key, int (*change)(void *value, void *), void *arg),
                 (file, m, s, key, change, arg))
MM3_I_HM_LOCKING(int, mm3_i_hm_clear, (MM3_I_HM_FIRST), (file, m, s))
MM3_I_HM_LOCKING(int, mm3_i_hm_resize, (MM3_I_HM_FIRST, uint64_t count, int shrink), (file, m, s, count, shrink))
MM3_I_HM_LOCKING(int64_t, mm3_i_hm_retain,
                 (MM3_I_HM_FIRST, int (*keep)(const struct mm3_hashmap_item *, void *), void *arg),
                 (file, m, s, keep, arg))
#undef MM3_I_HM_FIRST
#undef MM3_I_HM_LOCKING

#endif

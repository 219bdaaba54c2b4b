/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * text.h: text: a string of any length, kept in the file's heap, read by any process while one writes it.
 *
 *     #define PAGE(FIELD) FIELD(title, text) FIELD(notes, segmented(text))
 *     MM3_STRUCT(page, PAGE);
 *
 *     mm3_text_set(file, &p->title, "On the origin of files");
 *     char title[200];
 *     if (mm3_text_get(file, &p->title, title, sizeof title, NULL) == 0) puts(title);
 *
 * BYTES. The field (and the element: they are the same) is one word; what it says lies in a block of the heap.
 *
 *     word = sequence << 40 | offset / 16        offset 0: the empty text, which has no block. The sequence goes up with each
 *                                                set; the first one's is that of mm3_changes(file), and one
 *     block: [ length: 8 bytes ][ length bytes of UTF-8 ][ 0 ]
 *
 *   INVARIANTS. The block is in use and has the length's bytes, which are UTF-8, and a zero byte after them. Zeroed bytes
 *   are the empty text. Zero bytes within a text are characters like others. check refuses all else.
 *
 * WHAT A KILL LEAVES. A new value is a new block, published by one store of the word; then the old block is freed. Killed
 * anywhere it is the old value or the new one, whole; at worst a block leaks, which mm3 check --repair takes back.
 *
 * WHAT A READER SEES. mm3_text_get copies and then compares the word, whose sequence (24 bits) moves with each set, so
 * that a block that was freed and used again meanwhile does not deceive it: the old value or the new one, whole, from any
 * process, without a lock.
 *
 * WRITERS take the file's lock. The _held forms are for a caller that has it.
 *
 * WHAT CAN GO WRONG. -MM3_E_VALUE: not UTF-8; nothing was changed. -ENOSPC, -EDQUOT, -EFBIG, -MM3_E_LIMIT,
 * -MM3_E_RESERVE: no room; the old value stands. -MM3_E_DAMAGED: what lies in the file is no text. -MM3_E_AGAIN: changed at
 * each of 10,000 tries. -MM3_E_MODULE: mm3-string.so is not there. What mm3_lock returns. Whatever the bytes are, no
 * operation leaves the mapping.
 *
 * COST. get: 5 ns and the bytes (a check of UTF-8 too). set: an allocation, a free and the bytes, about 100 ns. append copies
 * the whole text. DURABILITY: after mm3_sync; after a process's death at once.
 *
 * `t` below is a pointer to a text, evaluated once; another kind of field does not compile.
 *
 * Writing; each has a mm3_text_..._held form:
 *   int mm3_text_set(file, t, const char *text)          mm3_text_set_n(file, t, const void *text, size_t count)
 *   int mm3_text_append(file, t, const char *text)       mm3_text_append_n(file, t, text, count)
 *   int mm3_text_print(file, t, const char *format, ...) as printf; also -ENOMEM
 *   int mm3_text_clear(file, t)
 *
 * Reading, torn-free, without a lock:
 *   int mm3_text_get(file, t, char *buf, size_t size, size_t *length)
 *         copies the value and a zero byte. *length (may be NULL) becomes its length, which `size` must exceed: -ERANGE if
 *         not, *length is set and buf untouched. With any other code buf holds no value
 *   char *mm3_text_dup(file, t, size_t *length)          a copy of any length, to be freed by free(); NULL: out of memory,
 *                                                        damaged, always moving, or mm3-string.so is not there
 *   int mm3_text_equal(file, t, const char *text)        mm3_text_equal_n(file, t, text, count)     1 or 0
 *   size_t mm3_text_len(file, t)                         0 when damaged
 *
 * In place, for the holder of the lock and for programs that know that nobody writes:
 *   struct mm3_text_view mm3_text_view(file, t)          ptr and len; a zero byte follows; good until the next set.
 *                                                        ptr is NULL (len 0) when damaged. UTF-8 is not checked again
 */
#ifndef MM3_TEXT_H
#define MM3_TEXT_H

#include <errno.h>
#include <mm3/copy.h>
#include <mm3/error.h>
#include <mm3/file.h>
#include <mm3/module.h>
#include <mm3/struct.h>
#include <mm3/utf8.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct mm3_k_text;

struct mm3_text {
  __extension__ union {
    uint64_t word __attribute__((aligned(8)));
    struct mm3_k_text *mm3_tag;
  };
};

#define MM3_C1_text struct mm3_text
#define MM3_C2_text struct mm3_text
#define MM3_C3_text struct mm3_text
#define MM3_C4_text struct mm3_text
#define MM3_A1_text MM3_ITEM_KIND(1)
#define MM3_A2_text MM3_ITEM_KIND(1)
#define MM3_A3_text MM3_ITEM_KIND(1)
#define MM3_A4_text MM3_ITEM_KIND(1)

struct mm3_text_view {
  const char *ptr;
  size_t len;
};

#define MM3_TEXT_HELD 1 /* the caller holds the file's lock */

/* What the module offers to the macros below (struct mm3_kind: ops). Grows at its end. */
struct mm3_text_ops {
  uint32_t size, version;
  int (*set)(struct mm3_file *file, struct mm3_text *t, const void *text, size_t count, int flags);
  int (*append)(struct mm3_file *file, struct mm3_text *t, const void *text, size_t count, int flags);
  char *(*dup)(struct mm3_file *file, const struct mm3_text *t, size_t *length);
};

#define mm3_text_set(file, t, string) mm3_i_text_set(file, MM3_TAGGED(text, t), string, 0)
#define mm3_text_set_held(file, t, string) mm3_i_text_set(file, MM3_TAGGED(text, t), string, MM3_TEXT_HELD)
#define mm3_text_set_n(file, t, string, count) mm3_i_text_set_n(file, MM3_TAGGED(text, t), string, count, 0)
#define mm3_text_set_n_held(file, t, string, count) mm3_i_text_set_n(file, MM3_TAGGED(text, t), string, count, MM3_TEXT_HELD)
#define mm3_text_append(file, t, string) mm3_i_text_append(file, MM3_TAGGED(text, t), string, 0)
#define mm3_text_append_held(file, t, string) mm3_i_text_append(file, MM3_TAGGED(text, t), string, MM3_TEXT_HELD)
#define mm3_text_append_n(file, t, string, count) mm3_i_text_append_n(file, MM3_TAGGED(text, t), string, count, 0)
#define mm3_text_append_n_held(file, t, string, count) \
  mm3_i_text_append_n(file, MM3_TAGGED(text, t), string, count, MM3_TEXT_HELD)
#define mm3_text_print(file, t, ...) mm3_i_text_print(file, MM3_TAGGED(text, t), 0, __VA_ARGS__)
#define mm3_text_print_held(file, t, ...) mm3_i_text_print(file, MM3_TAGGED(text, t), MM3_TEXT_HELD, __VA_ARGS__)
#define mm3_text_clear(file, t) mm3_i_text_set_n(file, MM3_TAGGED(text, t), "", 0, 0)
#define mm3_text_clear_held(file, t) mm3_i_text_set_n(file, MM3_TAGGED(text, t), "", 0, MM3_TEXT_HELD)
#define mm3_text_get(file, t, buf, size, length) mm3_i_text_get(file, MM3_TAGGED(text, t), buf, size, length)
#define mm3_text_dup(file, t, length) mm3_i_text_dup(file, MM3_TAGGED(text, t), length)
#define mm3_text_equal(file, t, string) mm3_i_text_equal_n(file, MM3_TAGGED(text, t), string, strlen(string))
#define mm3_text_equal_n(file, t, string, count) mm3_i_text_equal_n(file, MM3_TAGGED(text, t), string, count)
#define mm3_text_len(file, t) mm3_i_text_len(file, MM3_TAGGED(text, t))
#define mm3_text_view(file, t) mm3_i_text_view(file, MM3_TAGGED(text, t))

/* ---- the machinery ---- */

#define MM3_I_TEXT_OFFSET_BITS 40

MM3_INLINE uint64_t mm3_i_text_word(const struct mm3_text *t) { return __atomic_load_n(&t->word, __ATOMIC_ACQUIRE); }

MM3_INLINE int mm3_i_text_still(const struct mm3_text *t, uint64_t word) {
  mm3_copy_end_read();
  return __atomic_load_n(&t->word, __ATOMIC_RELAXED) == word;
}

MM3_INLINE uint64_t mm3_i_text_offset(uint64_t word) {
  return (word & ((UINT64_C(1) << MM3_I_TEXT_OFFSET_BITS) - 1)) << 4;
}

/* The word that publishes a block after `word`. */
MM3_INLINE uint64_t mm3_i_text_next(uint64_t word, uint64_t offset) {
  return ((word >> MM3_I_TEXT_OFFSET_BITS) + 1) << MM3_I_TEXT_OFFSET_BITS | offset >> 4;
}

/* The text that a word leads to, clamped to the file: 0, or -MM3_E_DAMAGED, -MM3_E_RESERVE. Shared bytes. */
MM3_INLINE int mm3_i_text_find(struct mm3_file *file, uint64_t word, struct mm3_text_view *view) {
  uint64_t offset = mm3_i_text_offset(word), length, *head;
  view->ptr = "";
  view->len = 0;
  if (offset == 0) return 0;
  head = (uint64_t *)mm3_at(file, offset, 9);
  if (__builtin_expect(!head, 0)) return mm3_at_code(file, offset, 9) == -MM3_E_RESERVE ? -MM3_E_RESERVE : -MM3_E_DAMAGED;
  length = __atomic_load_n(head, __ATOMIC_RELAXED);
  if (length > (uint64_t)INT64_MAX) return -MM3_E_DAMAGED;
  if (__builtin_expect(!mm3_at(file, offset, length + 9), 0))
    return mm3_at_code(file, offset, length + 9) == -MM3_E_RESERVE ? -MM3_E_RESERVE : -MM3_E_DAMAGED;
  view->ptr = (const char *)(head + 1);
  view->len = (size_t)length;
  return 0;
}

MM3_UNUSED static inline int mm3_i_text_get(struct mm3_file *file, const struct mm3_text *t, char *buf, size_t size,
                                            size_t *length) {
  for (int i = 0; i < MM3_COPY_TRIES; i++) {
    uint64_t word = mm3_i_text_word(t);
    struct mm3_text_view view;
    int result = mm3_i_text_find(file, word, &view);
    if (result == 0 && view.len < size) mm3_copy_out(buf, view.ptr, view.len);
    if (!mm3_i_text_still(t, word)) continue;
    if (result < 0) return result;
    if (length) *length = view.len;
    if (view.len >= size) return -ERANGE;
    buf[view.len] = 0;
    return mm3_utf8_ok(buf, view.len) ? 0 : -MM3_E_DAMAGED;
  }
  return -MM3_E_AGAIN;
}

MM3_UNUSED static inline int mm3_i_text_equal_n(struct mm3_file *file, const struct mm3_text *t, const void *text,
                                                size_t count) {
  for (int i = 0; i < MM3_COPY_TRIES; i++) {
    uint64_t word = mm3_i_text_word(t);
    struct mm3_text_view view;
    int same = mm3_i_text_find(file, word, &view) == 0 && view.len == count && mm3_copy_equal(view.ptr, text, count);
    if (mm3_i_text_still(t, word)) return same;
  }
  return 0;
}

MM3_UNUSED static inline size_t mm3_i_text_len(struct mm3_file *file, const struct mm3_text *t) {
  struct mm3_text_view view;
  uint64_t word;
  int tries = 0;
  do {
    word = mm3_i_text_word(t);
    mm3_i_text_find(file, word, &view);
  } while (!mm3_i_text_still(t, word) && ++tries < MM3_COPY_TRIES);
  return view.len;
}

MM3_UNUSED static inline struct mm3_text_view mm3_i_text_view(struct mm3_file *file, const struct mm3_text *t) {
  struct mm3_text_view view;
  if (mm3_i_text_find(file, mm3_i_text_word(t), &view) < 0 || mm3_copy_byte(view.ptr + view.len) != 0)
    view.ptr = 0, view.len = 0;
  return view;
}

/* The module's operations, when they reach to byte `least` at least; looked for once a source file. */
MM3_UNUSED static const struct mm3_text_ops *mm3_i_text_ops(size_t least) {
  static const struct mm3_text_ops *found;
  const struct mm3_text_ops *ops = __atomic_load_n(&found, __ATOMIC_ACQUIRE);
  if (!ops) {
    ops = (const struct mm3_text_ops *)mm3_kind_ops("text");
    __atomic_store_n(&found, ops, __ATOMIC_RELEASE);
  }
  return ops && ops->size >= least ? ops : 0;
}

#define MM3_I_TEXT_OPS(name) mm3_i_text_ops(offsetof(struct mm3_text_ops, name) + sizeof(void *))

MM3_UNUSED static inline int mm3_i_text_set_n(struct mm3_file *file, struct mm3_text *t, const void *text, size_t count,
                                              int flags) {
  const struct mm3_text_ops *ops = MM3_I_TEXT_OPS(set);
  return ops ? ops->set(file, t, text, count, flags) : -MM3_E_MODULE;
}

MM3_UNUSED static inline int mm3_i_text_set(struct mm3_file *file, struct mm3_text *t, const char *text, int flags) {
  return mm3_i_text_set_n(file, t, text, strlen(text), flags);
}

MM3_UNUSED static inline int mm3_i_text_append_n(struct mm3_file *file, struct mm3_text *t, const void *text,
                                                 size_t count, int flags) {
  const struct mm3_text_ops *ops = MM3_I_TEXT_OPS(append);
  return ops ? ops->append(file, t, text, count, flags) : -MM3_E_MODULE;
}

MM3_UNUSED static inline int mm3_i_text_append(struct mm3_file *file, struct mm3_text *t, const char *text, int flags) {
  return mm3_i_text_append_n(file, t, text, strlen(text), flags);
}

MM3_UNUSED static inline char *mm3_i_text_dup(struct mm3_file *file, const struct mm3_text *t, size_t *length) {
  const struct mm3_text_ops *ops = MM3_I_TEXT_OPS(dup);
  return ops ? ops->dup(file, t, length) : 0;
}

struct mm3_i_text_target {
  struct mm3_file *file;
  struct mm3_text *t;
  int flags;
};

MM3_UNUSED static int mm3_i_text_take(void *to, size_t capacity, const char *text, size_t count) {
  const struct mm3_i_text_target *target = (const struct mm3_i_text_target *)to;
  (void)capacity;
  return mm3_i_text_set_n(target->file, target->t, text, count, target->flags);
}

MM3_UNUSED MM3_PRINTF(4, 5) static int mm3_i_text_print(struct mm3_file *file, struct mm3_text *t, int flags,
                                                        const char *format, ...) {
  struct mm3_i_text_target target = {file, t, flags};
  va_list arguments;
  va_start(arguments, format);
  int result = mm3_utf8_format(mm3_i_text_take, &target, SIZE_MAX / 2, format, arguments);
  va_end(arguments);
  return result;
}

#endif

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * string_array.h: string_array(COUNT, LEN): COUNT strings of at most LEN bytes each, all there from the start, empty.
 *
 *     #define POST(FIELD) FIELD(tags, string_array(5, 16))
 *     MM3_STRUCT(post, POST);
 *
 *     mm3_string_array_set(&p->tags, 0, "first");
 *     struct mm3_string_array_iter it = {0};
 *     while (mm3_string_array_next(&p->tags, &it)) printf("%zu: %.*s\n", it.index, (int)it.len, it.ptr);
 *
 *     [ entry 0 ][ entry 1 ] ... [ entry COUNT - 1 ]      each a string(LEN) in its field form: see mm3/string.h
 *
 * COUNT is 1 to 2^32 - 1, LEN 1 to 2^24 - 1. Field and element form are the same. The stride is 8 + 2 (LEN + 1) bytes,
 * rounded up to 8.
 *
 * INVARIANTS, GUARANTEES, COST, DURABILITY: each entry's are those of a string: the old text or the new one, whole, for
 * readers in any process and after a kill; ONE WRITER AT A TIME for each entry, several may write different ones.
 * Nothing spans entries: clear_all and a put of the whole array go entry by entry. Zeroed bytes are empty strings.
 *
 * `a` below is a pointer to a field, evaluated once; another kind of field does not compile. `index` counts from 0;
 * beyond COUNT - 1 calls that return int say -MM3_E_ABSENT, and the others behave as on an empty string. Codes besides
 * are those of the same operation in mm3/string.h.
 *
 *   int mm3_string_array_set(a, index, const char *text)      mm3_string_array_set_n(a, index, text, count)
 *   int mm3_string_array_set_truncate(a, index, text)         1: cut at a character
 *   int mm3_string_array_append(a, index, text)
 *   int mm3_string_array_format(a, index, format, ...)        as printf. Out of line
 *   int mm3_string_array_clear(a, index)                      makes it empty
 *   void mm3_string_array_clear_all(a)                        O(COUNT); empty entries are not written
 *
 *   int mm3_string_array_get(a, index, char *buf, size_t size, size_t *length)     torn-free copy
 *   int mm3_string_array_equal(a, index, const char *text)    1 or 0; 0 beyond the end
 *   size_t mm3_string_array_entry_len(a, index)               bytes
 *   const char *mm3_string_array_ptr(a, index)                in place, for when nobody writes; "" beyond the end
 *   struct mm3_string_view mm3_string_array_view(a, index)    in place; ptr is NULL beyond the end or when damaged
 *
 *   size_t mm3_string_array_len(a)                            COUNT
 *   size_t mm3_string_array_capacity(a)                       LEN
 *   size_t mm3_string_array_count_non_empty(a)                O(COUNT), a load an entry
 *   int64_t mm3_string_array_find(a, const char *text)        the first index with this text, or -MM3_E_ABSENT;
 *   int64_t mm3_string_array_find_n(a, text, count)           torn-free for each entry. "" finds the first empty one
 *   int mm3_string_array_next(a, struct mm3_string_array_iter *it)
 *         1, and *it shows the next entry in place (as view: ptr NULL when damaged), empty ones too; 0 after the last.
 *         Starts with a zeroed *it.
 */
#ifndef MM3_STRING_ARRAY_H
#define MM3_STRING_ARRAY_H

#include <mm3/string.h>

struct mm3_k_string_array;

struct mm3_string_array_iter {
  size_t next; /* where it goes on */
  size_t index;
  const char *ptr;
  size_t len;
};

#define MM3_STRING_ARRAY_MAX 0xFFFFFFFF /* the largest COUNT */

/* Pointers carry the numbers in their types: words to one entry's words, mm3_slot to a slot. */
#define MM3_C1_string_array(COUNT, LEN)                                                                        \
  struct {                                                                                                     \
    __extension__ union {                                                                                      \
      uint64_t words[(COUNT) + MM3_REQUIRE((COUNT) >= 1 && (COUNT) <= MM3_STRING_ARRAY_MAX)]                   \
                    [MM3_I_STRING_SIZE(MM3_I_STRING_N(LEN)) / 8] __attribute__((aligned(8)));                  \
      struct mm3_k_string_array *mm3_tag;                                                                      \
      char (*mm3_slot)[(LEN) + 1];                                                                             \
    };                                                                                                         \
  }
#define MM3_C2_string_array(COUNT, LEN) MM3_C1_string_array(COUNT, LEN)
#define MM3_C3_string_array(COUNT, LEN) MM3_C1_string_array(COUNT, LEN)
#define MM3_C4_string_array(COUNT, LEN) MM3_C1_string_array(COUNT, LEN)
#define MM3_A1_string_array(COUNT, LEN) MM3_ITEM_KIND(1), MM3_ITEM_NUMBER(COUNT), MM3_ITEM_NUMBER(LEN)
#define MM3_A2_string_array(COUNT, LEN) MM3_A1_string_array(COUNT, LEN)
#define MM3_A3_string_array(COUNT, LEN) MM3_A1_string_array(COUNT, LEN)
#define MM3_A4_string_array(COUNT, LEN) MM3_A1_string_array(COUNT, LEN)

/* A field, its COUNT and its LEN, as the functions below take them. */
#define MM3_I_STRINGS(a) \
  MM3_TAGGED(string_array, a), sizeof((a)->words) / sizeof((a)->words[0]), sizeof(*(a)->mm3_slot) - 1

#define mm3_string_array_set(a, index, text) mm3_i_strings_set(MM3_I_STRINGS(a), index, text)
#define mm3_string_array_set_n(a, index, text, count) mm3_i_strings_set_n(MM3_I_STRINGS(a), index, text, count)
#define mm3_string_array_set_truncate(a, index, text) mm3_i_strings_set_truncate(MM3_I_STRINGS(a), index, text)
#define mm3_string_array_append(a, index, text) mm3_i_strings_append(MM3_I_STRINGS(a), index, text)
#define mm3_string_array_format(a, index, ...) mm3_i_strings_format(MM3_I_STRINGS(a), index, __VA_ARGS__)
#define mm3_string_array_clear(a, index) mm3_i_strings_clear(MM3_I_STRINGS(a), index)
#define mm3_string_array_clear_all(a) mm3_i_strings_clear_all(MM3_I_STRINGS(a))
#define mm3_string_array_get(a, index, buf, size, length) mm3_i_strings_get(MM3_I_STRINGS(a), index, buf, size, length)
#define mm3_string_array_equal(a, index, text) mm3_i_strings_equal(MM3_I_STRINGS(a), index, text)
#define mm3_string_array_entry_len(a, index) mm3_i_strings_entry_len(MM3_I_STRINGS(a), index)
#define mm3_string_array_ptr(a, index) mm3_i_strings_ptr(MM3_I_STRINGS(a), index)
#define mm3_string_array_view(a, index) mm3_i_strings_view(MM3_I_STRINGS(a), index)
#define mm3_string_array_len(a) mm3_i_strings_len(MM3_I_STRINGS(a))
#define mm3_string_array_capacity(a) mm3_i_strings_capacity(MM3_I_STRINGS(a))
#define mm3_string_array_count_non_empty(a) mm3_i_strings_count_non_empty(MM3_I_STRINGS(a))
#define mm3_string_array_find(a, text) mm3_i_strings_find(MM3_I_STRINGS(a), text)
#define mm3_string_array_find_n(a, text, count) mm3_i_strings_find_n(MM3_I_STRINGS(a), text, count)
#define mm3_string_array_next(a, it) mm3_i_strings_next(MM3_I_STRINGS(a), it)

/* ---- the machinery: `a` is the field's address, `n` its COUNT, `len` its LEN ---- */

/* Entry `index`, or NULL. */
MM3_INLINE void *mm3_i_strings_at(void *a, size_t n, size_t len, size_t index) {
  return index < n ? (char *)a + index * (size_t)MM3_I_STRING_SIZE(len) : 0;
}

MM3_INLINE const void *mm3_i_strings_of(const void *a, size_t n, size_t len, size_t index) {
  return index < n ? (const char *)a + index * (size_t)MM3_I_STRING_SIZE(len) : 0;
}

MM3_INLINE int mm3_i_strings_set_n(void *a, size_t n, size_t len, size_t index, const void *text, size_t count) {
  void *at = mm3_i_strings_at(a, n, len, index);
  return at ? mm3_i_string_set_n(at, len, text, count) : -MM3_E_ABSENT;
}

MM3_INLINE int mm3_i_strings_set(void *a, size_t n, size_t len, size_t index, const char *text) {
  return mm3_i_strings_set_n(a, n, len, index, text, strlen(text));
}

MM3_UNUSED static inline int mm3_i_strings_set_truncate(void *a, size_t n, size_t len, size_t index,
                                                        const char *text) {
  void *at = mm3_i_strings_at(a, n, len, index);
  return at ? mm3_i_string_set_truncate(at, len, text) : -MM3_E_ABSENT;
}

MM3_UNUSED static inline int mm3_i_strings_append(void *a, size_t n, size_t len, size_t index, const char *text) {
  void *at = mm3_i_strings_at(a, n, len, index);
  return at ? mm3_i_string_append(at, len, text) : -MM3_E_ABSENT;
}

MM3_UNUSED MM3_PRINTF(5, 6) static int mm3_i_strings_format(void *a, size_t n, size_t len, size_t index,
                                                            const char *format, ...) {
  void *at = mm3_i_strings_at(a, n, len, index);
  if (!at) return -MM3_E_ABSENT;
  va_list arguments;
  va_start(arguments, format);
  int result = mm3_utf8_format(mm3_i_string_take, at, len, format, arguments);
  va_end(arguments);
  return result;
}

MM3_INLINE int mm3_i_strings_clear(void *a, size_t n, size_t len, size_t index) {
  return mm3_i_strings_set_n(a, n, len, index, 0, 0);
}

MM3_UNUSED static inline void mm3_i_strings_clear_all(void *a, size_t n, size_t len) {
  for (size_t i = 0; i < n; i++) {
    void *at = mm3_i_strings_at(a, n, len, i);
    if (mm3_i_string_length(mm3_i_string_word(at))) mm3_i_string_clear(at, len);
  }
}

MM3_INLINE int mm3_i_strings_get(const void *a, size_t n, size_t len, size_t index, char *buf, size_t size,
                                 size_t *length) {
  const void *at = mm3_i_strings_of(a, n, len, index);
  return at ? mm3_i_string_get(at, len, buf, size, length) : -MM3_E_ABSENT;
}

MM3_INLINE int mm3_i_strings_equal(const void *a, size_t n, size_t len, size_t index, const char *text) {
  const void *at = mm3_i_strings_of(a, n, len, index);
  return at ? mm3_i_string_equal(at, len, text) : 0;
}

MM3_INLINE size_t mm3_i_strings_entry_len(const void *a, size_t n, size_t len, size_t index) {
  const void *at = mm3_i_strings_of(a, n, len, index);
  return at ? mm3_i_string_len(at, len) : 0;
}

MM3_INLINE struct mm3_string_view mm3_i_strings_view(const void *a, size_t n, size_t len, size_t index) {
  const void *at = mm3_i_strings_of(a, n, len, index);
  struct mm3_string_view none = {0, 0, 0};
  return at ? mm3_i_string_view(at, len) : none;
}

MM3_INLINE const char *mm3_i_strings_ptr(const void *a, size_t n, size_t len, size_t index) {
  const void *at = mm3_i_strings_of(a, n, len, index);
  return at ? mm3_i_string_ptr(at, len) : "";
}

MM3_INLINE size_t mm3_i_strings_len(const void *a, size_t n, size_t len) { return (void)a, (void)len, n; }

MM3_INLINE size_t mm3_i_strings_capacity(const void *a, size_t n, size_t len) { return (void)a, (void)n, len; }

MM3_INLINE size_t mm3_i_strings_count_non_empty(const void *a, size_t n, size_t len) {
  size_t count = 0;
  for (size_t i = 0; i < n; i++)
    count += mm3_i_string_length(mm3_i_string_word(mm3_i_strings_of(a, n, len, i))) != 0;
  return count;
}

MM3_INLINE int64_t mm3_i_strings_find_n(const void *a, size_t n, size_t len, const void *text, size_t count) {
  for (size_t i = 0; i < n; i++)
    if (mm3_i_string_equal_n(mm3_i_strings_of(a, n, len, i), len, text, count)) return (int64_t)i;
  return -MM3_E_ABSENT;
}

MM3_INLINE int64_t mm3_i_strings_find(const void *a, size_t n, size_t len, const char *text) {
  return mm3_i_strings_find_n(a, n, len, text, strlen(text));
}

MM3_INLINE int mm3_i_strings_next(const void *a, size_t n, size_t len, struct mm3_string_array_iter *it) {
  if (it->next >= n) return 0;
  struct mm3_string_view view = mm3_i_strings_view(a, n, len, it->next);
  it->index = it->next++;
  it->ptr = view.ptr;
  it->len = view.len;
  return 1;
}

#endif

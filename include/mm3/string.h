/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * string.h: string(N): 0 to N bytes of UTF-8, 1 <= N < 2^24, read by any process while one writes it.
 *
 *     #define CONFIG(FIELD) FIELD(host, string(64)) FIELD(motd, string(400))
 *     MM3_STRUCT(config, CONFIG);
 *
 *     mm3_string_set(&c->host, "localhost");
 *     char host[65];
 *     if (mm3_string_get(&c->host, host, sizeof host, NULL) == 0) puts(host);
 *
 * All N bytes are usable; zero bytes are characters like others; "too long" counts bytes, not characters.
 *
 * AS A FIELD (of a root or nested struct, an entry of a string_array): two slots, and a word that names the current.
 *
 *     word        slot 0                     slot 1
 *     [8 bytes]   [ N bytes ... | 0 ]        [ N bytes ... | 0 ]        padded to 8: 8 + 2 (N + 1) bytes, rounded up
 *
 *     word = sequence << 24 | length;  bit 0 of the 40-bit sequence is the number of the current slot
 *
 *   INVARIANTS. length <= N; the current slot's first `length` bytes are UTF-8 and the rest of it is zero; byte N of
 *   both slots and the padding are zero. Zeroed bytes are the empty string. check refuses all else.
 *   A writer fills the other slot, then publishes it by one store of the word: killed anywhere, it leaves the old value
 *   or the new one, whole. A reader copies, then compares the word: it gets the old value or the new one, whole, or
 *   tries again. ONE WRITER AT A TIME, which the program sees to; two leave bytes that check may refuse, and nothing
 *   worse.
 *
 * AS AN ELEMENT OR KEY (of vec, hashmap, ...): compact, guarded by its container.
 *
 *     [ length: 4 bytes ][ N bytes, zero-padded ]  padded to 4. No zero byte after N bytes.
 *
 * WHAT CAN GO WRONG. -MM3_E_VALUE: too long, or not UTF-8: nothing was changed. -MM3_E_DAMAGED: what lies in the file
 * is no string (others may have scribbled over it). -MM3_E_AGAIN: changed at each of 10,000 tries. Whatever the bytes
 * are, no operation touches memory outside the field.
 *
 * COST. Inline; reads call at most memcpy and memcmp. For string(32): set 3 ns, get 4 ns. A set writes the whole slot,
 * N + 1 bytes, so that equal histories are equal files. No operation takes a lock, allocates (but format above 1 KiB)
 * or touches errno. DURABILITY: after mm3_sync; after a process's death at once.
 *
 * `s` below is a pointer to a string field, evaluated once; another kind of field does not compile.
 *
 * Writing: 0, or -MM3_E_VALUE. The text may be this string's current bytes (ptr, view), no older ones.
 *   int mm3_string_set(s, const char *text)             mm3_string_set_n(s, const void *text, size_t count)
 *   int mm3_string_set_truncate(s, text)                mm3_string_set_truncate_n(s, text, count)
 *         1 instead of -MM3_E_VALUE when the text was too long: cut after the last character that fits
 *   int mm3_string_append(s, text)                      mm3_string_append_n(s, text, count)
 *         also -MM3_E_DAMAGED, when there is nothing valid to append to
 *   int mm3_string_format(s, const char *format, ...)   as printf; also -ENOMEM, above 1 KiB. Out of line
 *   void mm3_string_clear(s)
 *
 * Reading, torn-free:
 *   int mm3_string_get(s, char *buf, size_t size, size_t *length)
 *         copies the value and a zero byte. *length (may be NULL) becomes its length, which `size` must exceed:
 *         -ERANGE if not, *length is set and buf untouched. -MM3_E_DAMAGED, -MM3_E_AGAIN: buf holds no value. Bytes of
 *         buf after the zero byte may be overwritten.
 *   int mm3_string_equal(s, const char *text)           mm3_string_equal_n(s, const void *text, size_t count)
 *         1 when it is that text, byte by byte, else 0 (also when damaged, or always moving)
 *   size_t mm3_string_len(s)                            bytes, at most N
 *   size_t mm3_string_capacity(s)                       N
 *
 * Reading in place, for programs that know when nobody writes:
 *   const char *mm3_string_ptr(s)
 *         the value where it lies, followed by a zero byte; "" when damaged. The bytes stay until the second following
 *         set (append, clear, format) begins: one set may pass under it.
 *   struct mm3_string_view mm3_string_view(s)
 *         the same with its length; ptr is NULL (and len 0) when damaged
 *   int mm3_string_view_valid(s, view)
 *         1 when no set was published since: everything read through the view before this call was whole
 */
#ifndef MM3_STRING_H
#define MM3_STRING_H

#include <errno.h>
#include <mm3/copy.h>
#include <mm3/error.h>
#include <mm3/struct.h>
#include <mm3/utf8.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct mm3_k_string;

#define MM3_STRING_MAX 0xFFFFFF /* the largest N */
#define MM3_I_STRING_N(N) ((N) + MM3_REQUIRE((N) >= 1 && (N) <= MM3_STRING_MAX))

#define MM3_C1_string(N)                                                                          \
  struct {                                                                                        \
    __extension__ union {                                                                         \
      uint64_t word __attribute__((aligned(8)));                                                  \
      struct mm3_k_string *mm3_tag;                                                               \
    };                                                                                            \
    char slot[2][MM3_I_STRING_N(N) + 1];                                                          \
  }
#define MM3_C2_string(N) MM3_I_STRING_ELEMENT(N)
#define MM3_C3_string(N) MM3_I_STRING_ELEMENT(N)
#define MM3_C4_string(N) MM3_I_STRING_ELEMENT(N)
#define MM3_I_STRING_ELEMENT(N)                                                                   \
  struct {                                                                                        \
    uint32_t length;                                                                              \
    char bytes[MM3_I_STRING_N(N)];                                                                \
  }
#define MM3_A1_string(N) MM3_ITEM_KIND(1), MM3_ITEM_NUMBER(N)
#define MM3_A2_string(N) MM3_ITEM_KIND(1), MM3_ITEM_NUMBER(N)
#define MM3_A3_string(N) MM3_ITEM_KIND(1), MM3_ITEM_NUMBER(N)
#define MM3_A4_string(N) MM3_ITEM_KIND(1), MM3_ITEM_NUMBER(N)

struct mm3_string_view {
  const char *ptr;
  size_t len;
  uint64_t word; /* as it was */
};

/* A field and its N, as the functions below take them. */
#define MM3_I_STRING(s) MM3_TAGGED(string, s), sizeof((s)->slot[0]) - 1

#define mm3_string_set(s, text) mm3_i_string_set(MM3_I_STRING(s), text)
#define mm3_string_set_n(s, text, count) mm3_i_string_set_n(MM3_I_STRING(s), text, count)
#define mm3_string_set_truncate(s, text) mm3_i_string_set_truncate(MM3_I_STRING(s), text)
#define mm3_string_set_truncate_n(s, text, count) mm3_i_string_set_truncate_n(MM3_I_STRING(s), text, count)
#define mm3_string_append(s, text) mm3_i_string_append(MM3_I_STRING(s), text)
#define mm3_string_append_n(s, text, count) mm3_i_string_append_n(MM3_I_STRING(s), text, count)
#define mm3_string_format(s, ...) mm3_i_string_format(MM3_I_STRING(s), __VA_ARGS__)
#define mm3_string_clear(s) mm3_i_string_clear(MM3_I_STRING(s))
#define mm3_string_get(s, buf, size, length) mm3_i_string_get(MM3_I_STRING(s), buf, size, length)
#define mm3_string_equal(s, text) mm3_i_string_equal(MM3_I_STRING(s), text)
#define mm3_string_equal_n(s, text, count) mm3_i_string_equal_n(MM3_I_STRING(s), text, count)
#define mm3_string_len(s) mm3_i_string_len(MM3_I_STRING(s))
#define mm3_string_capacity(s) mm3_i_string_capacity(MM3_I_STRING(s))
#define mm3_string_ptr(s) mm3_i_string_ptr(MM3_I_STRING(s))
#define mm3_string_view(s) mm3_i_string_view(MM3_I_STRING(s))
#define mm3_string_view_valid(s, view) mm3_i_string_view_valid(MM3_TAGGED(string, s), view)

/* ---- elements: plain memory, torn-free only as far as their container says ----
 *
 * `e` is a pointer to an element, `struct { uint32_t length; char bytes[N]; }`.
 *   int mm3_string_element_set(e, const char *text)     mm3_string_element_set_n(e, const void *text, size_t count)
 *         0, or -MM3_E_VALUE, the old value kept. Writes all N bytes; the padding after them stays zero
 *   int mm3_string_element_get(e, char *buf, size_t size, size_t *length)     as mm3_string_get
 *   size_t mm3_string_element_len(e)                    at most N
 *   const char *mm3_string_element_ptr(e)               no zero byte after it when it has N bytes
 */
#define MM3_I_ELEMENT(e) (e), sizeof((e)->bytes)
#define mm3_string_element_set(e, text) mm3_i_string_element_set(MM3_I_ELEMENT(e), text)
#define mm3_string_element_set_n(e, text, count) mm3_i_string_element_set_n(MM3_I_ELEMENT(e), text, count)
#define mm3_string_element_get(e, buf, size, length) mm3_i_string_element_get(MM3_I_ELEMENT(e), buf, size, length)
#define mm3_string_element_len(e) mm3_i_string_element_len(MM3_I_ELEMENT(e))
#define mm3_string_element_ptr(e) ((const char *)(e)->bytes)

/* ---- the machinery: `field` is the word's address, `n` is N; the module and string_array use it too ---- */

#define MM3_I_STRING_SIZE(N) (((uint64_t)8 + 2 * ((uint64_t)(N) + 1) + 7) / 8 * 8)

/* N is known to the compiler, and small. */
#define MM3_I_STRING_SHORT(n) (__builtin_constant_p(n) && (n) <= 64)

MM3_INLINE uint64_t mm3_i_string_word(const void *field) {
  return __atomic_load_n((const uint64_t *)field, __ATOMIC_ACQUIRE);
}

/* 1: no set was published since `word` was loaded. */
MM3_INLINE int mm3_i_string_still(const void *field, uint64_t word) {
  mm3_copy_end_read();
  return __atomic_load_n((const uint64_t *)field, __ATOMIC_RELAXED) == word;
}

MM3_INLINE size_t mm3_i_string_length(uint64_t word) { return (size_t)(word & MM3_STRING_MAX); }

MM3_INLINE size_t mm3_i_string_offset(uint64_t word, size_t n) { return 8 + (size_t)(word >> 24 & 1) * (n + 1); }

MM3_INLINE const char *mm3_i_string_slot(const void *field, size_t n, uint64_t word) {
  return (const char *)field + mm3_i_string_offset(word, n);
}

/* Head and text, checked by the caller, become the value. */
MM3_INLINE void mm3_i_string_write(void *field, size_t n, const void *head, size_t nhead, const void *text,
                                   size_t count) {
  uint64_t next = (__atomic_load_n((const uint64_t *)field, __ATOMIC_RELAXED) >> 24) + 1;
  char *to = (char *)field + mm3_i_string_offset(next << 24, n);
  mm3_copy_begin_write();
  if (MM3_I_STRING_SHORT(n)) { /* a few stores of constant size */
    mm3_copy_zero(to, n + 1);
    mm3_copy_in(to, head, nhead);
    mm3_copy_in(to + nhead, text, count);
  } else {
    mm3_copy_in(to, head, nhead);
    mm3_copy_in(to + nhead, text, count);
    mm3_copy_zero(to + nhead + count, n + 1 - nhead - count);
  }
  __atomic_store_n((uint64_t *)field, next << 24 | (nhead + count), __ATOMIC_RELEASE);
}

MM3_INLINE int mm3_i_string_set_n(void *field, size_t n, const void *text, size_t count) {
  if (count > n || !mm3_utf8_ok(text, count)) return -MM3_E_VALUE;
  mm3_i_string_write(field, n, 0, 0, text, count);
  return 0;
}

MM3_INLINE int mm3_i_string_set(void *field, size_t n, const char *text) {
  return mm3_i_string_set_n(field, n, text, strlen(text));
}

MM3_UNUSED static inline int mm3_i_string_set_truncate_n(void *field, size_t n, const void *text, size_t count) {
  size_t fits = mm3_utf8_fit(text, count, n);
  if (!mm3_utf8_ok(text, count)) return -MM3_E_VALUE;
  mm3_i_string_write(field, n, 0, 0, text, fits);
  return fits < count;
}

MM3_UNUSED static inline int mm3_i_string_set_truncate(void *field, size_t n, const char *text) {
  return mm3_i_string_set_truncate_n(field, n, text, strlen(text));
}

MM3_UNUSED static inline int mm3_i_string_append_n(void *field, size_t n, const void *text, size_t count) {
  uint64_t word = mm3_i_string_word(field);
  size_t length = mm3_i_string_length(word);
  const char *head = mm3_i_string_slot(field, n, word);
  if (length > n || !mm3_utf8_ok(head, length)) return -MM3_E_DAMAGED;
  if (count > n - length || !mm3_utf8_ok(text, count)) return -MM3_E_VALUE;
  mm3_i_string_write(field, n, head, length, text, count);
  return 0;
}

MM3_UNUSED static inline int mm3_i_string_append(void *field, size_t n, const char *text) {
  return mm3_i_string_append_n(field, n, text, strlen(text));
}

MM3_INLINE void mm3_i_string_clear(void *field, size_t n) { mm3_i_string_write(field, n, 0, 0, 0, 0); }

MM3_UNUSED static int mm3_i_string_take(void *field, size_t n, const char *text, size_t count) {
  return mm3_i_string_set_n(field, n, text, count);
}

MM3_UNUSED MM3_PRINTF(3, 4) static int mm3_i_string_format(void *field, size_t n, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int result = mm3_utf8_format(mm3_i_string_take, field, n, format, arguments);
  va_end(arguments);
  return result;
}

MM3_INLINE int mm3_i_string_get(const void *field, size_t n, char *buf, size_t size, size_t *length) {
  for (int i = 0; i < MM3_COPY_TRIES; i++) {
    uint64_t word = mm3_i_string_word(field);
    size_t count = mm3_i_string_length(word);
    if (count > n) return -MM3_E_DAMAGED;
    if (length) *length = count;
    if (count >= size) return -ERANGE;
    int whole = MM3_I_STRING_SHORT(n) && size > n; /* then all N bytes: a few loads of constant size */
    mm3_copy_out(buf, mm3_i_string_slot(field, n, word), whole ? n : count);
    if (!mm3_i_string_still(field, word)) continue;
    int good = whole ? mm3_utf8_ok_within(buf, count, n) : mm3_utf8_ok(buf, count);
    buf[count] = 0;
    return good ? 0 : -MM3_E_DAMAGED;
  }
  return -MM3_E_AGAIN;
}

MM3_INLINE int mm3_i_string_equal_n(const void *field, size_t n, const void *text, size_t count) {
  for (int i = 0; i < MM3_COPY_TRIES; i++) {
    uint64_t word = mm3_i_string_word(field);
    if (mm3_i_string_length(word) != count || count > n) return 0;
    int same = mm3_copy_equal(mm3_i_string_slot(field, n, word), text, count);
    if (mm3_i_string_still(field, word)) return same;
  }
  return 0;
}

MM3_INLINE int mm3_i_string_equal(const void *field, size_t n, const char *text) {
  return mm3_i_string_equal_n(field, n, text, strlen(text));
}

MM3_INLINE size_t mm3_i_string_len(const void *field, size_t n) {
  size_t length = mm3_i_string_length(mm3_i_string_word(field));
  return length < n ? length : n;
}

MM3_INLINE size_t mm3_i_string_capacity(const void *field, size_t n) {
  (void)field;
  return n;
}

MM3_INLINE struct mm3_string_view mm3_i_string_view(const void *field, size_t n) {
  struct mm3_string_view view = {0, 0, 0};
  for (int i = 0; i < MM3_COPY_TRIES; i++) {
    uint64_t word = mm3_i_string_word(field);
    const char *at = mm3_i_string_slot(field, n, word);
    size_t count = mm3_i_string_length(word);
    int good = count <= n && mm3_copy_byte(at + count) == 0;
    if (good) good = MM3_I_STRING_SHORT(n) ? mm3_utf8_ok_within(at, count, n) : mm3_utf8_ok(at, count);
    if (!mm3_i_string_still(field, word)) continue;
    view.ptr = good ? at : 0;
    view.len = good ? count : 0;
    view.word = word;
    break;
  }
  return view;
}

MM3_INLINE int mm3_i_string_view_valid(const void *field, struct mm3_string_view view) {
  return mm3_i_string_still(field, view.word);
}

MM3_INLINE const char *mm3_i_string_ptr(const void *field, size_t n) {
  struct mm3_string_view view = mm3_i_string_view(field, n);
  const char *empty = "";
  __asm__("" : "+r"(empty)); /* or `ptr + 1` is warned about: the compiler sees that it may be this one */
  return view.ptr ? view.ptr : empty;
}

MM3_INLINE size_t mm3_i_string_element_len(const void *element, size_t n) {
  uint32_t length = __atomic_load_n((const uint32_t *)element, __ATOMIC_RELAXED);
  return length < n ? length : n;
}

MM3_INLINE int mm3_i_string_element_set_n(void *element, size_t n, const void *text, size_t count) {
  char *bytes = (char *)element + sizeof(uint32_t);
  if (count > n || !mm3_utf8_ok(text, count)) return -MM3_E_VALUE;
  if (count) memcpy(bytes, text, count);
  if (count < n) memset(bytes + count, 0, n - count);
  __atomic_store_n((uint32_t *)element, (uint32_t)count, __ATOMIC_RELAXED);
  return 0;
}

MM3_INLINE int mm3_i_string_element_set(void *element, size_t n, const char *text) {
  return mm3_i_string_element_set_n(element, n, text, strlen(text));
}

MM3_INLINE int mm3_i_string_element_get(const void *element, size_t n, char *buf, size_t size, size_t *length) {
  uint32_t count = __atomic_load_n((const uint32_t *)element, __ATOMIC_RELAXED);
  if (count > n) return -MM3_E_DAMAGED;
  if (length) *length = count;
  if (count >= size) return -ERANGE;
  mm3_copy_out(buf, (const char *)element + sizeof(uint32_t), count);
  buf[count] = 0;
  return mm3_utf8_ok(buf, count) ? 0 : -MM3_E_DAMAGED;
}

#endif

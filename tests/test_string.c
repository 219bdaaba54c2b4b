/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "mm3show.h"
#include "mm3test.h"

#include <errno.h>
#include <mm3/atomic.h>
#include <mm3/file.h>
#include <mm3/string.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define TEXTS(FIELD)                                                                    \
  FIELD(one, string(1)) FIELD(seven, string(7)) FIELD(name, string(32)) FIELD(wide, string(100)) \
  FIELD(long_, string(3000))
MM3_STRUCT(texts, TEXTS);

typedef MM3_VALUE(string(32)) name_field;
typedef MM3_C2_string(9) name_element;

/* ---- the data plane, on plain memory ---- */

static const char thirty_two[] = "0123456789abcdefghijklmnopqrstuv";

static void every_length_goes_in_and_out(void) {
  struct texts t = {0};
  char in[3001], out[3001];
  size_t length, wrong = 0;
  memset(in, 'x', sizeof in);
#define ROUND(field, n)                                                                                     \
  for (size_t i = 0; i <= (n); i++) {                                                                       \
    wrong += mm3_string_set_n(&t.field, in, i) != 0 || mm3_string_len(&t.field) != i;                       \
    wrong += mm3_string_get(&t.field, out, i + 1, &length) != 0 || length != i || memcmp(in, out, i) != 0;  \
    wrong += out[i] != 0 || strlen(mm3_string_ptr(&t.field)) != i || !mm3_string_equal_n(&t.field, in, i);  \
    wrong += mm3_string_equal_n(&t.field, in, i + 1) || (i && mm3_string_equal_n(&t.field, in, i - 1));     \
    wrong += mm3_string_get(&t.field, out, sizeof out, NULL) != 0 || strlen(out) != i;                      \
  }                                                                                                         \
  CHECK_EQ(mm3_string_set_n(&t.field, in, (n) + 1), -MM3_E_VALUE);                                          \
  CHECK_EQ(mm3_string_len(&t.field), (n));                                                                  \
  CHECK_EQ(mm3_string_capacity(&t.field), (n));                                                             \
  CHECK_EQ(sizeof t.field, (8 + 2 * ((n) + 1) + 7) / 8 * 8)
  ROUND(one, 1u);
  ROUND(seven, 7u);
  ROUND(name, 32u);
  ROUND(wide, 100u);
  ROUND(long_, 3000u);
#undef ROUND
  CHECK_EQ(wrong, 0);
  CHECK_EQ(alignof(name_field), 8);
}

static void too_small_a_buffer_is_left_alone(void) {
  name_field s = {0};
  char out[40];
  size_t length = 99;
  CHECK_EQ(mm3_string_set(&s, "five!"), 0);
  memset(out, '#', sizeof out);
  CHECK_EQ(mm3_string_get(&s, out, 5, &length), -ERANGE);
  CHECK_EQ(length, 5);
  CHECK_EQ(out[0], '#');
  CHECK_EQ(mm3_string_get(&s, NULL, 0, &length), -ERANGE);
  CHECK_EQ(mm3_string_get(&s, out, 6, NULL), 0);
  CHECK_STR(out, "five!");
  CHECK_EQ(out[6], '#');
}

static void refused_text_leaves_the_old_value(void) {
  name_field s = {0}, before;
  CHECK_EQ(mm3_string_set(&s, "old"), 0);
  before = s;
  CHECK_EQ(mm3_string_set(&s, "0123456789abcdefghijklmnopqrstuvw"), -MM3_E_VALUE);
  CHECK_EQ(mm3_string_set(&s, "caf\xe9"), -MM3_E_VALUE);
  CHECK_EQ(mm3_string_set_truncate(&s, "caf\xe9"), -MM3_E_VALUE);
  CHECK_EQ(mm3_string_append(&s, "\xff"), -MM3_E_VALUE);
  CHECK_EQ(mm3_string_append(&s, "0123456789abcdefghijklmnopqrst"), -MM3_E_VALUE);
  CHECK_EQ(mm3_string_format(&s, "%s", "\xc3"), -MM3_E_VALUE);
  CHECK_EQ(mm3_string_format(&s, "%040d", 7), -MM3_E_VALUE);
  CHECK_MEM(&s, &before, sizeof s);
}

static void zero_bytes_are_characters(void) {
  name_field s = {0};
  char out[33];
  size_t length = 0;
  CHECK_EQ(mm3_string_set_n(&s, "a\0b", 3), 0);
  CHECK_EQ(mm3_string_append_n(&s, "\0", 1), 0);
  CHECK_EQ(mm3_string_get(&s, out, sizeof out, &length), 0);
  CHECK_EQ(length, 4);
  CHECK_MEM(out, "a\0b\0", 5);
  CHECK_EQ(mm3_string_equal_n(&s, "a\0b\0", 4), 1);
  CHECK_EQ(mm3_string_equal(&s, "a"), 0);
}

static void the_whole_slot_is_written(void) {
  struct texts t = {0};
  char zero[3001] = {0};
  CHECK_EQ(mm3_string_set(&t.name, thirty_two), 0);
  CHECK_EQ(mm3_string_set(&t.name, thirty_two), 0);
  CHECK_EQ(mm3_string_set(&t.name, "a"), 0);
  CHECK_MEM(t.name.slot[1] + 1, zero, 32);
  memset(t.wide.slot, 'y', 100);
  memset(t.wide.slot[1], 'y', 100);
  mm3_string_clear(&t.wide);
  CHECK_MEM(t.wide.slot[1], zero, 101);
  CHECK_EQ(mm3_string_len(&t.wide), 0);
  CHECK_EQ(mm3_string_set(&t.wide, "b"), 0);
  CHECK_MEM(t.wide.slot[0] + 1, zero, 100);
}

static void appends_up_to_the_last_byte(void) {
  name_field s = {0};
  CHECK_EQ(mm3_string_append(&s, ""), 0);
  for (int i = 0; i < 32; i++) CHECK_EQ(mm3_string_append_n(&s, thirty_two + i, 1), 0);
  CHECK_STR(mm3_string_ptr(&s), thirty_two);
  CHECK_EQ(mm3_string_append(&s, "x"), -MM3_E_VALUE);
  CHECK_EQ(mm3_string_append(&s, ""), 0);
  mm3_string_clear(&s);
  CHECK_EQ(mm3_string_set(&s, "ab"), 0);
  CHECK_EQ(mm3_string_append(&s, mm3_string_ptr(&s)), 0);
  CHECK_STR(mm3_string_ptr(&s), "abab");
  CHECK_EQ(mm3_string_set(&s, mm3_string_ptr(&s) + 1), 0);
  CHECK_STR(mm3_string_ptr(&s), "bab");
}

static void truncates_at_a_character(void) {
  MM3_VALUE(string(7)) s = {0};
  static const struct {
    const char *in, *out;
    int result;
  } rows[] = {
      {"1234567", "1234567", 0},
      {"12345678", "1234567", 1},
      {"123456\xc3\xa9", "123456", 1},             /* an e acute over the edge */
      {"12345\xc3\xa9", "12345\xc3\xa9", 0},       /* just within */
      {"12345\xc3\xa9z", "12345\xc3\xa9", 1},
      {"12345\xe2\x82\xac", "12345", 1},           /* a euro sign */
      {"1234\xe2\x82\xac", "1234\xe2\x82\xac", 0},
      {"1234\xf0\x9f\x98\x80", "1234", 1},         /* four bytes */
      {"\xf0\x9f\x98\x80\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", 1},
      {"", "", 0},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    CHECK_EQ(mm3_string_set_truncate(&s, rows[i].in), rows[i].result);
    CHECK_STR(mm3_string_ptr(&s), rows[i].out);
  }
  CHECK_EQ(mm3_string_set_truncate_n(&s, "ab\0cdefghi", 10), 1);
  CHECK_EQ(mm3_string_equal_n(&s, "ab\0cdef", 7), 1);
  MM3_VALUE(string(2)) small = {0};
  CHECK_EQ(mm3_string_set_truncate(&small, "\xe2\x82\xac"), 1); /* nothing of it fits */
  CHECK_EQ(mm3_string_len(&small), 0);
}

static void formats(void) {
  struct texts t = {0};
  char big[3000];
  CHECK_EQ(mm3_string_format(&t.name, "%s-%03d-%.2f", "host", 7, 1.5), 0);
  CHECK_STR(mm3_string_ptr(&t.name), "host-007-1.50");
  CHECK_EQ(mm3_string_format(&t.name, "<%s>", mm3_string_ptr(&t.name)), 0);
  CHECK_STR(mm3_string_ptr(&t.name), "<host-007-1.50>");
  CHECK_EQ(mm3_string_format(&t.name, "%c%s", 0, "after"), 0);
  CHECK_EQ(mm3_string_equal_n(&t.name, "\0after", 6), 1);
  errno = 33;
  static const size_t lengths[] = {0, 1022, 1023, 1024, 1025, 2999};
  for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
    CHECK_EQ(mm3_string_format(&t.long_, "%*s", (int)lengths[i], ""), 0);
    CHECK_EQ(mm3_string_len(&t.long_), lengths[i]);
  }
  CHECK_EQ(mm3_string_format(&t.long_, "%3000s", "end"), 0);
  memset(big, ' ', sizeof big);
  memcpy(big + 2997, "end", 3);
  CHECK_EQ(mm3_string_equal_n(&t.long_, big, sizeof big), 1);
  CHECK_EQ(mm3_string_format(&t.long_, "%3001s", ""), -MM3_E_VALUE);
  CHECK_EQ(errno, 33);
}

static void views_know_when_they_are_old(void) {
  name_field s = {0};
  CHECK_EQ(mm3_string_set(&s, "first"), 0);
  struct mm3_string_view view = mm3_string_view(&s);
  CHECK_EQ(view.len, 5);
  CHECK_MEM(view.ptr, "first", 6);
  CHECK_EQ(mm3_string_view_valid(&s, view), 1);
  CHECK_EQ(mm3_string_set(&s, "second"), 0);
  CHECK_EQ(mm3_string_view_valid(&s, view), 0);
  CHECK_MEM(view.ptr, "first", 6); /* one set may pass under it */
}

static void elements_hold_n_bytes(void) {
  name_element e = {0};
  char out[12];
  size_t length = 0;
  CHECK_EQ(sizeof e, 16);
  CHECK_EQ(mm3_string_element_set(&e, "123456789"), 0);
  CHECK_EQ(mm3_string_element_len(&e), 9);
  CHECK_MEM(mm3_string_element_ptr(&e), "123456789\0\0\0", 12);
  CHECK_EQ(mm3_string_element_set(&e, "1234567890"), -MM3_E_VALUE);
  CHECK_EQ(mm3_string_element_set(&e, "\x80"), -MM3_E_VALUE);
  CHECK_EQ(mm3_string_element_get(&e, out, 9, &length), -ERANGE);
  CHECK_EQ(length, 9);
  CHECK_EQ(mm3_string_element_get(&e, out, 10, &length), 0);
  CHECK_STR(out, "123456789");
  CHECK_EQ(mm3_string_element_set_n(&e, "a", 1), 0);
  CHECK_MEM(e.bytes, "a\0\0\0\0\0\0\0\0", 9);
  e.length = 10;
  CHECK_EQ(mm3_string_element_len(&e), 9);
  CHECK_EQ(mm3_string_element_get(&e, out, sizeof out, NULL), -MM3_E_DAMAGED);
  e.length = 2, e.bytes[1] = '\x80';
  CHECK_EQ(mm3_string_element_get(&e, out, sizeof out, NULL), -MM3_E_DAMAGED);
}

/* ---- UTF-8 ---- */

static int slow_valid(const unsigned char *p, size_t n) {
  while (n) {
    unsigned code = p[0];
    size_t length = code < 0x80 ? 1 : code >> 5 == 6 ? 2 : code >> 4 == 14 ? 3 : code >> 3 == 30 ? 4 : 0;
    if (!length || length > n) return 0;
    if (length > 1) code &= 0xffu >> (length + 1);
    for (size_t i = 1; i < length; i++) {
      if (p[i] >> 6 != 2) return 0;
      code = code << 6 | (p[i] & 63u);
    }
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return 0;
    p += length, n -= length;
  }
  return 1;
}

static uint64_t seed = 88172645463325252u;
static uint64_t random_word(void) {
  seed ^= seed << 13, seed ^= seed >> 7;
  return seed ^= seed << 17;
}

/* All texts of one to three bytes, four-byte ones by their first three; then mixtures. */
static void utf8_agrees_with_its_definition(void) {
  unsigned char text[64];
  unsigned wrong = 0, step = mm3test_tool()[0] ? 7 : 1;
  for (unsigned i = 0; i < 1u << 24; i += i < 1u << 16 ? 1 : step) {
    unsigned char bytes[4] = {(unsigned char)i, (unsigned char)(i >> 8), (unsigned char)(i >> 16), 0xbf};
    size_t n = i < 1u << 8 ? 1 : i < 1u << 16 ? 2 : bytes[0] >= 0xf0 ? 4 : 3;
    wrong += mm3_utf8_ok(bytes, n) != slow_valid(bytes, n);
  }
  CHECK_EQ(wrong, 0);
  for (unsigned i = 0; i < 300000 / step; i++) { /* random mixtures, mostly valid, at every length and alignment */
    size_t n = 0, want = random_word() % 50;
    while (n < want) {
      uint64_t r = random_word();
      static const uint32_t from[] = {0, 0x80, 0x800, 0xe000, 0x10000}, to[] = {0x80, 0x800, 0xd800, 0x10000, 0x110000};
      unsigned set = r % 16 < 8 ? 0 : (unsigned)(r % 5);
      n += mm3_utf8_encode(from[set] + (uint32_t)(r >> 32) % (to[set] - from[set]), (char *)text + n);
    }
    if (i % 2 && n) text[random_word() % n] = (unsigned char)random_word();
    if (i % 4 == 1 && n) n--;
    wrong += mm3_utf8_ok(text, n) != slow_valid(text, n);
    wrong += mm3_utf8_valid(text, n) != mm3_utf8_ok(text, n);
  }
  CHECK_EQ(wrong, 0);
}

/* ---- hostile bytes ---- */

/* A field that ends where memory ends. */
static name_field *at_the_edge(unsigned char **pages) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mprotect(*pages + page, page, PROT_NONE);
  return (name_field *)(void *)(*pages + page - sizeof(name_field));
}

static void hostile_bytes_never_lead_outside(void) {
  unsigned char *pages;
  name_field *s = at_the_edge(&pages);
  char out[64];
  int refused = 0, taken = 0;
  for (int i = 0; i < 100000; i++) {
    for (size_t w = 0; w < sizeof *s / 8; w++) ((uint64_t *)(void *)s)[w] = random_word();
    if (i % 2) s->word = s->word >> 24 << 24 | random_word() % 40;
    if (i % 4 == 1) memset(s->slot, 'a', sizeof s->slot);
    size_t length = 0;
    int result = mm3_string_get(s, out, sizeof out, &length);
    refused += result == -MM3_E_DAMAGED;
    taken += result == 0;
    CHECK(result == 0 ? length <= 32 && slow_valid((unsigned char *)out, length) : result == -MM3_E_DAMAGED);
    CHECK(mm3_string_len(s) <= 32);
    struct mm3_string_view view = mm3_string_view(s);
    CHECK(view.ptr ? view.ptr + view.len < (char *)(s + 1) && view.ptr[view.len] == 0 : view.len == 0);
    CHECK(strlen(mm3_string_ptr(s)) <= 32);
    mm3_string_equal(s, thirty_two);
    if (i % 3 == 0) result = mm3_string_append(s, "x");
    if (i % 3 == 0) CHECK(result == 0 || result == -MM3_E_DAMAGED || result == -MM3_E_VALUE);
    if (i % 3 == 1) CHECK_EQ(mm3_string_set(s, "fine"), 0);
    if (i % 3 == 1) CHECK_STR(mm3_string_ptr(s), "fine");
  }
  CHECK(refused > 1000 && taken > 100);
  munmap(pages, 2 * (size_t)sysconf(_SC_PAGESIZE));
}

static void a_damaged_string_reads_as_damaged(void) {
  name_field s = {0};
  char out[64];
  s.word = 33;
  CHECK_EQ(mm3_string_get(&s, out, sizeof out, NULL), -MM3_E_DAMAGED);
  CHECK_EQ(mm3_string_append(&s, "x"), -MM3_E_DAMAGED);
  CHECK_EQ(mm3_string_len(&s), 32);
  CHECK_STR(mm3_string_ptr(&s), "");
  CHECK(mm3_string_view(&s).ptr == NULL);
  s.word = 3;
  memcpy(s.slot[0], "ab\xc3", 3);
  CHECK_EQ(mm3_string_get(&s, out, sizeof out, NULL), -MM3_E_DAMAGED);
  CHECK_STR(mm3_string_ptr(&s), "");
  memcpy(s.slot[0], "abcd", 4); /* no zero byte after the text */
  CHECK_EQ(mm3_string_get(&s, out, sizeof out, NULL), 0);
  CHECK_STR(mm3_string_ptr(&s), "");
  s.word = UINT64_MAX << 24; /* the sequence wraps around */
  CHECK_EQ(mm3_string_set(&s, "next"), 0);
  CHECK_EQ(s.word, 4);
  CHECK_STR(mm3_string_ptr(&s), "next");
}

MM3_TEST_SUITE("string", {"every length from 0 to N goes in and comes out", every_length_goes_in_and_out},
               {"a buffer that is too small is left alone", too_small_a_buffer_is_left_alone},
               {"refused text leaves the old value", refused_text_leaves_the_old_value},
               {"zero bytes are characters", zero_bytes_are_characters},
               {"a set writes its whole slot", the_whole_slot_is_written},
               {"append goes up to the last byte, of itself too", appends_up_to_the_last_byte},
               {"truncation cuts at a character", truncates_at_a_character},
               {"format works as printf, at every length, and leaves errno alone", formats},
               {"a view knows when it is old", views_know_when_they_are_old},
               {"elements hold N bytes, zero-padded", elements_hold_n_bytes},
               {"UTF-8 is what its definition says", utf8_agrees_with_its_definition},
               {"hostile bytes never lead outside the field", hostile_bytes_never_lead_outside},
               {"a damaged string reads as damaged", a_damaged_string_reads_as_damaged})

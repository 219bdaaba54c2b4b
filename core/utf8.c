/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include <mm3/module.h>
#include <mm3/scalar.h>
#include <string.h>

/* One scalar value by the table of well-formed byte sequences (Unicode, table 3-7). */
size_t mm3_utf8_decode(const void *bytes, size_t count, uint32_t *code) {
  const unsigned char *at = bytes;
  uint32_t value;
  size_t length;
  if (count == 0) return 0;
  if (at[0] < 0x80) {
    *code = at[0];
    return 1;
  }
  if (at[0] >= 0xC2 && at[0] < 0xE0) length = 2, value = at[0] & 0x1FU;
  else if (at[0] >= 0xE0 && at[0] < 0xF0) length = 3, value = at[0] & 0x0FU;
  else if (at[0] >= 0xF0 && at[0] < 0xF5) length = 4, value = at[0] & 0x07U;
  else return 0;
  if (count < length) return 0;
  for (size_t i = 1; i < length; i++) {
    if ((at[i] & 0xC0U) != 0x80) return 0;
    value = value << 6 | (at[i] & 0x3FU);
  }
  if ((length == 3 && value < 0x800) || (length == 4 && value < 0x10000) || !mm3_char_valid(value)) return 0;
  *code = value;
  return length;
}

size_t mm3_utf8_encode(uint32_t code, char out[4]) {
  if (code < 0x80) {
    out[0] = (char)code;
    return 1;
  }
  if (code < 0x800) {
    out[0] = (char)(0xC0 | code >> 6);
    out[1] = (char)(0x80 | (code & 0x3F));
    return 2;
  }
  if (code < 0x10000) {
    out[0] = (char)(0xE0 | code >> 12);
    out[1] = (char)(0x80 | (code >> 6 & 0x3F));
    out[2] = (char)(0x80 | (code & 0x3F));
    return 3;
  }
  out[0] = (char)(0xF0 | code >> 18);
  out[1] = (char)(0x80 | (code >> 12 & 0x3F));
  out[2] = (char)(0x80 | (code >> 6 & 0x3F));
  out[3] = (char)(0x80 | (code & 0x3F));
  return 4;
}

int mm3_utf8_valid(const void *bytes, size_t count) {
  const unsigned char *at = bytes, *end = at + count;
  while (at < end) {
    uint64_t word;
    uint32_t code;
    while ((size_t)(end - at) >= sizeof word) { /* eight ASCII bytes at a time */
      memcpy(&word, at, sizeof word);
      if (word & UINT64_C(0x8080808080808080)) break;
      at += sizeof word;
    }
    if (at == end) return 1;
    size_t length = mm3_utf8_decode(at, (size_t)(end - at), &code);
    if (length == 0) return 0;
    at += length;
  }
  return 1;
}

size_t mm3_utf8_cut(const void *bytes, size_t count, size_t limit) {
  const unsigned char *at = bytes;
  if (count <= limit) return count;
  while (limit > 0 && (at[limit] & 0xC0U) == 0x80) limit--;
  return limit;
}

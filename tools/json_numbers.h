/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * json_numbers.h: the quick way for what long JSON texts are full of: integers, and lists of them. A value is one or two
 * words in a row of values, where jansson makes an allocation for each. Whatever is anything else, or is not well-formed,
 * is left to jansson, which also finds the words for what is wrong.
 */
#ifndef MM3_TOOLS_JSON_NUMBERS_H
#define MM3_TOOLS_JSON_NUMBERS_H

#include <mm3/module.h>
#include <stdbool.h>

struct mm3j_number {
  int64_t integer;   /* of a list: how many items */
  uint32_t span;     /* values up to behind this one: 1, or a list with all that it holds */
  uint32_t list;
};

struct mm3j_numbers {
  struct mm3j_number *values;
  size_t used, room;
};

/* The items of a list, from behind its bracket or a comma up to text[end], the comma or bracket behind the last. Returns how
 * many there are, in `numbers`; 0 when there is something else among them, -1 without memory. */
long mm3j_numbers_read(struct mm3j_numbers *numbers, const char *text, size_t begin, size_t end);

struct mm3_value mm3j_number_value(const struct mm3j_number *number);

#endif

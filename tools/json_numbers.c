/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "json_numbers.h"
#include <stdlib.h>

enum { LEVELS = 16, DIGITS = 18 /* fit an int64 */ };

struct reader {
  struct mm3j_numbers *numbers;
  const char *at, *end;
};

static inline void skip_blanks(struct reader *r) {
  while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r')) r->at++;
}

static struct mm3j_number *add(struct mm3j_numbers *n) {
  if (n->used == n->room) {
    size_t room = n->room ? n->room * 2 : 4096;
    struct mm3j_number *larger = room < UINT32_MAX ? realloc(n->values, room * sizeof *larger) : NULL;
    if (!larger) return NULL;
    n->values = larger;
    n->room = room;
  }
  return &n->values[n->used++];
}

/* As JSON has them: no leading zero, no plus; what goes on as a fraction or exponent is none. */
static bool read_integer(struct reader *r, int64_t *integer) {
  bool negative = r->at < r->end && *r->at == '-';
  const char *first = r->at += negative;
  uint64_t value = 0;
  while (r->at < r->end && *r->at >= '0' && *r->at <= '9' && r->at - first <= DIGITS)
    value = value * 10 + (uint64_t)(*r->at++ - '0');
  if (r->at == first || r->at - first > DIGITS || (*first == '0' && r->at - first > 1)) return false;
  if (negative && value == 0) return false; /* -0: jansson says what it is */
  *integer = negative ? -(int64_t)value : (int64_t)value;
  return true;
}

/* Items up to the end, or to a bracket. How many, 0 for something else, -1 without memory. */
static long read_items(struct reader *r, unsigned depth) {
  for (long count = 1;; count++) {
    struct mm3j_number *number = add(r->numbers);
    size_t index = r->numbers->used - 1;
    if (!number) return -1;
    skip_blanks(r);
    *number = (struct mm3j_number){.span = 1};
    if (r->at < r->end && *r->at == '[') {
      if (depth == LEVELS) return 0;
      r->at++;
      long items = read_items(r, depth + 1);
      if (items <= 0 || r->at == r->end) return items < 0 ? items : 0;
      r->at++; /* the bracket */
      r->numbers->values[index] =
          (struct mm3j_number){.integer = items, .span = (uint32_t)(r->numbers->used - index), .list = 1};
    } else if (!read_integer(r, &number->integer)) {
      return 0;
    }
    skip_blanks(r);
    if (r->at == r->end) return depth ? 0 : count;
    if (*r->at == ']') return depth ? count : 0;
    if (*r->at != ',') return 0;
    r->at++;
  }
}

long mm3j_numbers_read(struct mm3j_numbers *numbers, const char *text, size_t begin, size_t end) {
  struct reader r = {numbers, text + begin, text + end};
  numbers->used = 0;
  return read_items(&r, 0);
}

static int next(const struct mm3_value *of, void **cursor, struct mm3_value *key, struct mm3_value *item) {
  const struct mm3j_number *list = of->node, *at = *cursor ? *cursor : list + 1;
  (void)key;
  if (at >= list + list->span) return 0;
  *item = mm3j_number_value(at);
  *cursor = (void *)(uintptr_t)(at + at->span);
  return 1;
}

static const struct mm3_value_source source = {next};

struct mm3_value mm3j_number_value(const struct mm3j_number *number) {
  if (!number->list) return (struct mm3_value){.is = MM3_INT, .as.integer = number->integer};
  return (struct mm3_value){.is = MM3_LIST, .count = (size_t)number->integer, .source = &source, .node = number};
}

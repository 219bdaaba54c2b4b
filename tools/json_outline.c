/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* json_outline.c: where the brackets of a long JSON text are. What stands between them is jansson's to judge. */
#include "json_stream_inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEVELS = 2048 /* as jansson */, DROP = 1 << 22 };

enum what { PLAIN, QUOTE, OPEN, CLOSE, COMMA };

static const unsigned char whats[256] = {['"'] = QUOTE, ['['] = OPEN, ['{'] = OPEN, [']'] = CLOSE, ['}'] = CLOSE, [','] = COMMA};

static bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

size_t mm3j_skip_space(const char *text, size_t at, size_t end) {
  while (at < end && is_space(text[at])) at++;
  return at;
}

/* Behind the quote that ends a text; `end` when none does. */
static size_t text_end(const char *text, size_t at, size_t end) {
  for (at++; at < end; at++) {
    if (text[at] == '"') return at + 1;
    if (text[at] == '\\') at++;
  }
  return end;
}

size_t mm3j_item_end(const char *text, size_t at, size_t end) {
  for (size_t depth = 0; at < end;) {
    switch (whats[(unsigned char)text[at]]) {
      case QUOTE: at = text_end(text, at, end); continue;
      case OPEN: depth++; break;
      case CLOSE: depth -= depth > 0; break;
      case COMMA:
        if (!depth) return at;
        break;
      default: break;
    }
    at++;
  }
  return end;
}

int mm3j_wrong_at(struct mm3j_stream *s, size_t offset, const char *what) {
  unsigned long long line = 1, column = 0;
  for (size_t i = 0; i < offset && i < s->size; i++) {
    if (s->text[i] == '\n') line++, column = 0;
    else column += ((unsigned char)s->text[i] & 0xc0) != 0x80; /* characters, not bytes */
  }
  return mm3_error_set(&s->error, -MM3_E_VALUE, "JSON, line %llu, column %llu: %s", line, column, what);
}

void mm3j_passed(struct mm3j_stream *s, size_t offset) {
  if (offset < s->dropped) s->dropped = offset;
  if (s->own || offset - s->dropped < DROP) return;
  mm3_map_discard_range(&s->map, s->dropped, offset - s->dropped, MM3_DISCARD_DONT_NEED);
  s->dropped = offset;
}

struct level {
  size_t begin, item;
  uint64_t commas;
};

static int keep(struct mm3j_stream *s, const struct level *level, size_t item, size_t end, bool empty) {
  if (s->nvalues == s->room) {
    size_t room = s->room * 2 + 16;
    struct long_value *larger = realloc(s->values, room * sizeof *larger);
    if (!larger) return mm3_error_set(&s->error, -ENOMEM, "not enough memory for the JSON text");
    s->values = larger;
    s->room = room;
  }
  s->values[s->nvalues++] = (struct long_value){.stream = s, .begin = level->begin, .end = end, .item = item,
                                                .count = empty ? 0 : level->commas + 1};
  return 0;
}

static int by_begin(const void *a, const void *b) {
  const struct long_value *x = a, *y = b;
  return (x->begin > y->begin) - (x->begin < y->begin);
}

/* The innermost that encloses each: of those that begin before it, the last that has not ended. */
static void set_outer(struct mm3j_stream *s) {
  const struct long_value *in = NULL;
  for (size_t i = 0; i < s->nvalues; i++) {
    while (in && in->end <= s->values[i].begin) in = in->in;
    s->values[i].in = in;
    in = &s->values[i];
  }
}

static int close_level(struct mm3j_stream *s, const struct level *levels, size_t *depth, size_t at) {
  if (!*depth) return mm3j_wrong_at(s, at + 1, "this bracket closes none");
  const struct level *level = &levels[--*depth];
  if (s->text[at] != (s->text[level->begin] == '[' ? ']' : '}'))
    return mm3j_wrong_at(s, at + 1, s->text[at] == ']' ? "'}' expected near ']'" : "']' expected near '}'");
  if (at - level->begin < MM3J_PIECE) return 0;
  bool empty = mm3j_skip_space(s->text, level->begin + 1, at) == at;
  return keep(s, level, *depth ? levels[*depth - 1].item : level->begin, at + 1, empty);
}

static int walk(struct mm3j_stream *s, struct level *levels, size_t at) {
  size_t depth = 0;
  int result;
  do {
    switch (whats[(unsigned char)s->text[at]]) {
      case QUOTE:
        at = text_end(s->text, at, s->size);
        continue;
      case OPEN:
        if (depth == LEVELS) return mm3j_wrong_at(s, at + 1, "maximum parsing depth reached");
        levels[depth++] = (struct level){at, at + 1, 0};
        break;
      case CLOSE:
        if ((result = close_level(s, levels, &depth, at))) return result;
        if (depth) mm3j_passed(s, at);
        break;
      case COMMA:
        if (!depth) return mm3j_wrong_at(s, at + 1, "end of file expected near ','");
        levels[depth - 1].commas++;
        levels[depth - 1].item = at + 1;
        mm3j_passed(s, at);
        break;
      default: break;
    }
    at++;
  } while (depth && at < s->size);
  if (depth) return mm3j_wrong_at(s, s->size, "the text breaks off: ']', '}' or '\"' is missing");
  at = mm3j_skip_space(s->text, at, s->size);
  return at < s->size ? mm3j_wrong_at(s, at + 1, "end of file expected") : 0;
}

int mm3j_outline(struct mm3j_stream *s) {
  struct level *levels = malloc(LEVELS * sizeof *levels);
  if (!levels) return mm3_error_set(&s->error, -ENOMEM, "not enough memory for the JSON text");
  int result = walk(s, levels, mm3j_skip_space(s->text, 0, s->size));
  free(levels);
  if (result) return result;
  if (s->nvalues) qsort(s->values, s->nvalues, sizeof *s->values, by_begin);
  set_outer(s);
  return 0;
}

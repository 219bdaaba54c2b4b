/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* json_pieces.c: the items of a long list or object, a piece of text at a time. */
#include "json_numbers.h"
#include "json_stream_inside.h"

#include "../modules/json_value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS_KEPT = 4096, PARSE = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL };

struct piece_cursor {
  struct piece_cursor *next;      /* all of a stream, freed with it */
  const struct long_value *of;
  size_t at, end;                 /* not parsed yet; the closing bracket */
  size_t inner;                   /* number of the first long value that begins behind `at` */
  bool members, drained;          /* an object's long members come before the rest; all of the piece was given */
  json_t *piece, *before;         /* before: what was given a call ago may lie in it */
  struct mm3j_numbers numbers, numbers_before; /* the same, where there is nothing but numbers */
  bool quick;                     /* the piece is `numbers`, `index` of them are given */
  json_t *key, *keys;             /* of a long member; those that came, to find one that comes twice */
  size_t index;
  void *iterator;
};

static struct piece_cursor *cursor_new(const struct long_value *of) {
  struct mm3j_stream *s = of->stream;
  struct piece_cursor *c = calloc(1, sizeof *c);
  if (!c) return NULL;
  *c = (struct piece_cursor){.next = s->cursors, .of = of, .at = of->begin + 1, .end = of->end - 1, .drained = true,
                             .inner = (size_t)(of - s->values) + 1};
  bool object = s->text[of->begin] == '{';
  c->members = object && !of->in && s->members_first;
  if (object && of->count <= KEYS_KEPT) c->keys = json_object();
  s->cursors = c;
  if (!of->in) s->passes++;
  return c;
}

static void pop(struct mm3j_stream *s) {
  struct piece_cursor *c = s->cursors;
  s->cursors = c->next;
  json_decref(c->before);
  json_decref(c->piece);
  json_decref(c->key);
  json_decref(c->keys);
  free(c->numbers.values);
  free(c->numbers_before.values);
  free(c);
}

void mm3j_pieces_free(struct mm3j_stream *s) {
  while (s->cursors) pop(s);
}

/* Whoever asks for the next item has done with what lies within the one before, also if not all of it was read. */
static void drop_inner(struct piece_cursor *c) {
  struct mm3j_stream *s = c->of->stream;
  while (s->cursors != c && s->cursors->of->begin > c->of->begin && s->cursors->of->end <= c->of->end) pop(s);
}

/* jansson's parse of a part of the text between two brackets; its mistakes at their place in the whole. */
static json_t *parse(struct mm3j_stream *s, size_t begin, size_t end, const char *before, const char *after) {
  size_t lead = strlen(before), tail = strlen(after), count = end - begin;
  char *copy = malloc(lead + count + tail);
  json_error_t why;
  json_t *json = NULL;
  if (copy) {
    memcpy(copy, before, lead);
    memcpy(copy + lead, s->text + begin, count);
    memcpy(copy + lead + count, after, tail);
    json = json_loadb(copy, lead + count + tail, PARSE, &why);
  }
  free(copy);
  if (json) return json;
  if (!copy || json_error_code(&why) == json_error_out_of_memory) {
    mm3_error_set(&s->error, -ENOMEM, "not enough memory for the JSON text");
    return NULL;
  }
  size_t offset = why.position > (int)lead ? (size_t)why.position - lead : 0;
  mm3j_wrong_at(s, begin + (offset < count ? offset : count), mm3j_why(&why));
  return NULL;
}

/* A key that came in an earlier piece. */
static int key_once(struct piece_cursor *c, const char *key, size_t begin) {
  struct mm3j_stream *s = c->of->stream;
  if (!c->keys) return 0;
  if (json_object_get(c->keys, key)) return mm3j_wrong_at(s, begin, "duplicate object key in what begins here");
  return json_object_set_new(c->keys, key, json_true()) ? mm3_error_set(&s->error, -ENOMEM, "not enough memory") : 0;
}

static int keys_once(struct piece_cursor *c, size_t begin) {
  const char *key;
  json_t *item;
  if (!c->keys) return 0;
  json_object_foreach(c->piece, key, item) {
    int result = key_once(c, key, begin);
    if (result) return result;
  }
  return 0;
}

static int between(struct mm3j_stream *s, size_t bytes) {
  s->done += bytes;
  int result = s->between.call ? s->between.call(s->between.arg, s->done) : 0;
  return result < 0 && s->passes <= 1 ? s->error.code = result : 0;
}

/* The next long value that is an item of this one, or NULL. */
static const struct long_value *inner_item(struct piece_cursor *c) {
  const struct mm3j_stream *s = c->of->stream;
  for (; c->inner < s->nvalues && s->values[c->inner].begin < c->of->end; c->inner++)
    if (s->values[c->inner].in == c->of) return &s->values[c->inner];
  return NULL;
}

/* Behind an item's end: over the comma, or to the end. */
static void step_over(struct piece_cursor *c, size_t end) {
  const char *text = c->of->stream->text;
  c->at = mm3j_skip_space(text, end, c->end);
  if (c->at < c->end && text[c->at] == ',') c->at++;
  else if (c->at == c->end) c->at = c->end + 1; /* nothing follows */
}

/* Items that are integers, or lists of them: how many. */
static size_t quick_piece(struct piece_cursor *c, size_t begin, size_t end) {
  struct mm3j_numbers before = c->numbers_before;
  c->numbers_before = c->numbers;
  c->numbers = before;
  long found = mm3j_numbers_read(&c->numbers, c->of->stream->text, begin, end);
  c->quick = found > 0;
  return c->quick ? (size_t)found : 0;
}

/* Parses the items from `at` on: a piece, or up to a long value. 1: they are in `piece`; 0: a long value is next. */
static int take_piece(struct piece_cursor *c, const struct long_value *inner) {
  struct mm3j_stream *s = c->of->stream;
  bool object = s->text[c->of->begin] == '{';
  size_t begin = c->at, at = begin, end = begin, items = 0;
  size_t stop = inner ? inner->item : c->end + 1;
  while (at < stop && at - begin < MM3J_PIECE) {
    end = mm3j_item_end(s->text, at, c->end);
    at = end + 1; /* over the comma, or behind the bracket: nothing follows then */
    items++;
  }
  if (!items) return 0;
  json_decref(c->before);
  c->before = c->piece;
  c->piece = NULL;
  c->index = 0;
  c->iterator = NULL;
  c->drained = false;
  size_t found = object ? 0 : quick_piece(c, begin, end);
  if (!c->quick) {
    c->piece = parse(s, begin, end, object ? "{" : "[", object ? "}" : "]");
    if (!c->piece) return s->error.code;
    found = object ? json_object_size(c->piece) : json_array_size(c->piece);
  }
  if (found != items) return mm3j_wrong_at(s, end + 1, "a value is missing");
  c->at = at;
  mm3j_passed(s, begin);
  int result = keys_once(c, begin + 1);
  if (!result) result = between(s, end - begin);
  return result ? result : 1;
}

/* A long value as an item, and its key. */
static int take_long(struct piece_cursor *c, const struct long_value *inner, struct mm3_value *key, struct mm3_value *item) {
  struct mm3j_stream *s = c->of->stream;
  bool list = s->text[inner->begin] == '[';
  *item = (struct mm3_value){.is = list ? MM3_LIST : MM3_MAP, .count = (size_t)inner->count, .source = &mm3j_piece_source, .node = inner};
  c->inner++;
  if (s->text[c->of->begin] == '{') {
    json_decref(c->key);
    c->key = parse(s, inner->item, inner->begin, "{", "0}");
    if (!c->key) return s->error.code;
    const char *name = json_object_iter_key(json_object_iter(c->key));
    int result = name ? key_once(c, name, inner->item + 1) : mm3j_wrong_at(s, inner->begin, "a key is missing");
    if (result) return result;
    *key = (struct mm3_value){.is = MM3_TEXT, .as.text = name, .count = strlen(name)};
  } else if (mm3j_skip_space(s->text, inner->item, inner->begin) != inner->begin) {
    return mm3j_wrong_at(s, inner->begin, "']' expected");
  }
  size_t end = mm3j_skip_space(s->text, inner->end, c->end);
  if (end < c->end && s->text[end] != ',') return mm3j_wrong_at(s, end + 1, "',' expected");
  return 1;
}

static bool next_parsed(struct piece_cursor *c, struct mm3_value *key, struct mm3_value *item) {
  if (c->drained) return false;
  c->drained = true; /* unless there is one more */
  if (c->quick) {
    if (c->index >= c->numbers.used) return false;
    const struct mm3j_number *number = &c->numbers.values[c->index];
    c->index += number->span;
    *item = mm3j_number_value(number);
    c->drained = false;
    return true;
  }
  if (json_is_array(c->piece)) {
    if (c->index >= json_array_size(c->piece)) return false;
    *item = mm3j_value_of(json_array_get(c->piece, c->index++));
    c->drained = false;
    return true;
  }
  c->iterator = c->iterator ? json_object_iter_next(c->piece, c->iterator) : json_object_iter(c->piece);
  if (!c->iterator) return false;
  const char *name = json_object_iter_key(c->iterator);
  *key = (struct mm3_value){.is = MM3_TEXT, .as.text = name, .count = strlen(name)};
  *item = mm3j_value_of(json_object_iter_value(c->iterator));
  c->drained = false;
  return true;
}

static int next(const struct mm3_value *of, void **cursor, struct mm3_value *key, struct mm3_value *item) {
  const struct long_value *value = of->node;
  struct mm3j_stream *s = value->stream;
  if (s->error.code) return s->error.code; /* also to a kind that took it for the list's end, and begins again */
  struct piece_cursor *c = *cursor ? *cursor : cursor_new(value);
  if (!c) return mm3_error_set(&s->error, -ENOMEM, "not enough memory for the JSON text");
  *cursor = c;
  drop_inner(c);
  const struct long_value *inner;
  if (c->members) { /* the long members of the outermost object, then the others */
    if ((inner = inner_item(c))) return take_long(c, inner, key, item);
    c->members = false;
    c->inner = (size_t)(value - s->values) + 1;
  }
  for (;;) {
    if (c->of->count && next_parsed(c, key, item)) return 1;
    if (c->at > c->end || !value->count) return 0;
    inner = inner_item(c);
    int result = take_piece(c, inner);
    if (result < 0) return result;
    if (result) continue;
    step_over(c, inner->end);
    if (!(value->in || !s->members_first) && s->text[value->begin] == '{') c->inner++; /* it came before */
    else return take_long(c, inner, key, item);
  }
}

const struct mm3_value_source mm3j_piece_source = {next};

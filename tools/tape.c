/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "tape.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TAPE(sink) ((struct tape *)(void *)(sink)) /* the sink is the tape's first member */

static int grow(void **memory, size_t *room, size_t wanted, size_t size) {
  size_t more = *room * 2 > wanted ? *room * 2 : wanted + 64;
  void *larger = more <= SIZE_MAX / size ? realloc(*memory, more * size) : NULL;
  if (!larger) return -ENOMEM;
  *memory = larger;
  *room = more;
  return 0;
}

static int add(struct tape *t, struct tape_event event) {
  if (t->limit && t->used * sizeof *t->events + t->text_used > t->limit) return -EOVERFLOW;
  if (t->used == t->room) {
    void *events = t->events;
    if (t->used >= UINT32_MAX / 2 || grow(&events, &t->room, t->used + 1, sizeof *t->events)) return -ENOMEM;
    t->events = events;
  }
  event.next = (uint32_t)t->used + 1;
  t->events[t->used++] = event;
  return 0;
}

/* A value is complete: the container counts it, or a pair. */
static int complete(struct tape *t) {
  if (!t->depth) return 0;
  t->events[t->open[t->depth - 1]].count++;
  if (t->depth > 1 || !t->item) return 0;
  int result = t->item(t->arg);
  t->used = 1;
  t->text_used = 0;
  return result;
}

static inline int leaf(struct mm3_sink *sink, struct tape_event event) {
  int result = add(TAPE(sink), event);
  return result ? result : complete(TAPE(sink));
}

static int add_text(struct tape *t, const char *bytes, size_t count, bool wide) {
  if (t->limit && t->text_used + count > t->limit) return -EOVERFLOW;
  if (t->text_room - t->text_used < count) {
    void *text = t->text;
    if (grow(&text, &t->text_room, t->text_used + count, 1)) return -ENOMEM;
    t->text = text;
  }
  if (count) memcpy(t->text + t->text_used, bytes, count);
  t->text_used += count;
  return add(t, (struct tape_event){.is = MM3_TEXT, .as.at = t->text_used - count, .count = count, .wide = wide});
}

static int on_null(struct mm3_sink *sink) { return leaf(sink, (struct tape_event){.is = MM3_NULL}); }

static int on_boolean(struct mm3_sink *sink, int value) {
  return leaf(sink, (struct tape_event){.is = MM3_BOOL, .as.integer = value != 0});
}

static int on_integer(struct mm3_sink *sink, int64_t value) {
  return leaf(sink, (struct tape_event){.is = MM3_INT, .as.integer = value});
}

static int on_natural(struct mm3_sink *sink, uint64_t value) {
  return leaf(sink, (struct tape_event){.is = MM3_UINT, .as.natural = value});
}

static int on_real(struct mm3_sink *sink, double value, int bits) {
  return leaf(sink, (struct tape_event){.is = MM3_REAL, .as.real = value, .bits = (uint8_t)bits});
}

static int on_wide(struct mm3_sink *sink, const char *decimal, size_t count) {
  int result = add_text(TAPE(sink), decimal, count, true);
  return result ? result : complete(TAPE(sink));
}

static int on_text(struct mm3_sink *sink, const char *text, size_t count) {
  int result = add_text(TAPE(sink), text, count, false);
  return result ? result : complete(TAPE(sink));
}

static int on_raw(struct mm3_sink *sink, const void *bytes, size_t count) {
  static const char digits[] = "0123456789abcdef";
  char *hex = count < SIZE_MAX / 2 ? malloc(count * 2 + 1) : NULL;
  if (!hex) return -ENOMEM;
  for (size_t i = 0; i < count; i++) {
    unsigned char byte = ((const unsigned char *)bytes)[i];
    hex[2 * i] = digits[byte >> 4];
    hex[2 * i + 1] = digits[byte & 15];
  }
  int result = on_text(sink, hex, count * 2);
  free(hex);
  return result;
}

static int begin(struct mm3_sink *sink, enum mm3_value_is is) {
  struct tape *t = TAPE(sink);
  if (t->depth == TAPE_DEEP) return -EOVERFLOW;
  int result = add(t, (struct tape_event){.is = (uint8_t)is});
  if (!result) t->open[t->depth++] = (uint32_t)t->used - 1;
  return result;
}

static int on_begin_list(struct mm3_sink *sink, uint64_t count) { return (void)count, begin(sink, MM3_LIST); }
static int on_begin_map(struct mm3_sink *sink, uint64_t count) { return (void)count, begin(sink, MM3_MAP); }
static int on_key(struct mm3_sink *sink, const char *text, size_t count) { return add_text(TAPE(sink), text, count, false); }

static int on_end(struct mm3_sink *sink) {
  struct tape *t = TAPE(sink);
  t->events[t->open[--t->depth]].next = (uint32_t)t->used;
  return complete(t);
}

static int on_damaged(struct mm3_sink *sink, const void *bytes, size_t count) {
  int result = on_begin_map(sink, 1);
  if (!result) result = on_key(sink, "$raw", 4);
  if (!result) result = on_raw(sink, bytes, count);
  return result ? result : on_end(sink);
}

void tape_init(struct tape *tape) {
  *tape = (struct tape){.sink = {sizeof tape->sink, on_null, on_boolean, on_integer, on_natural, on_wide, on_real, on_text,
                                 on_raw, on_damaged, on_begin_list, on_end, on_begin_map, on_key, on_end}};
}

void tape_clear(struct tape *tape) { tape->used = tape->text_used = tape->depth = 0; }

void tape_free(struct tape *tape) {
  free(tape->events);
  free(tape->text);
  tape_init(tape);
}

static int send_items(const struct tape *t, size_t at, struct mm3_sink *sink) {
  bool keyed = t->events[at].is == MM3_MAP;
  int result = 0;
  for (size_t item = at + 1; item < t->events[at].next && !result; item = t->events[item].next) {
    if (keyed) result = sink->key(sink, tape_text(t, item), t->events[item].count), item++;
    if (!result) result = tape_send(t, item, sink);
  }
  return result;
}

int tape_send(const struct tape *t, size_t at, struct mm3_sink *sink) {
  const struct tape_event *event = &t->events[at];
  int result;
  switch ((enum mm3_value_is)event->is) {
    case MM3_NULL: return sink->null(sink);
    case MM3_BOOL: return sink->boolean(sink, event->as.integer != 0);
    case MM3_INT: return sink->integer(sink, event->as.integer);
    case MM3_UINT: return sink->natural(sink, event->as.natural);
    case MM3_REAL: return sink->real(sink, event->as.real, event->bits);
    case MM3_TEXT: return (event->wide ? sink->wide : sink->text)(sink, tape_text(t, at), event->count);
    case MM3_LIST:
      result = sink->begin_list(sink, event->count);
      if (!result) result = send_items(t, at, sink);
      return result ? result : sink->end_list(sink);
    case MM3_MAP:
      result = sink->begin_map(sink, event->count);
      if (!result) result = send_items(t, at, sink);
      return result ? result : sink->end_map(sink);
  }
  return -EINVAL;
}

bool tape_same(const struct tape *a, const struct tape *b) {
  return a->used == b->used && a->text_used == b->text_used &&
         (!a->used || memcmp(a->events, b->events, a->used * sizeof *a->events) == 0) &&
         (!a->text_used || memcmp(a->text, b->text, a->text_used) == 0);
}

static int order_items(const struct tape *a, size_t i, const struct tape *b, size_t j) {
  size_t end_a = a->events[i].next, end_b = b->events[j].next;
  for (i++, j++; i < end_a && j < end_b; i = a->events[i].next, j = b->events[j].next) {
    int order = tape_order(a, i, b, j);
    if (order) return order;
  }
  return (i < end_a) - (j < end_b);
}

int tape_order(const struct tape *a, size_t i, const struct tape *b, size_t j) {
  const struct tape_event *x = &a->events[i], *y = &b->events[j];
  if (x->is != y->is) return x->is < y->is ? -1 : 1;
  switch ((enum mm3_value_is)x->is) {
    case MM3_NULL: return 0;
    case MM3_BOOL:
    case MM3_INT: return (x->as.integer > y->as.integer) - (x->as.integer < y->as.integer);
    case MM3_UINT: return (x->as.natural > y->as.natural) - (x->as.natural < y->as.natural);
    case MM3_REAL: return (x->as.real > y->as.real) - (x->as.real < y->as.real);
    case MM3_TEXT: {
      size_t least = x->count < y->count ? x->count : y->count;
      int order = least ? memcmp(tape_text(a, i), tape_text(b, j), least) : 0;
      return order ? order : (x->count > y->count) - (x->count < y->count);
    }
    default: return order_items(a, i, b, j);
  }
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * tape.h: what a visit sends to its sink, recorded flat: to compare, and to send again as it came.
 *
 * An event a value, in order; a list or map stands before its items, a key before its value. Bytes are recorded as their
 * hex text, damaged text as the map {"$raw": hex}, as JSON spells them.
 */
#ifndef MM3_TOOLS_TAPE_H
#define MM3_TOOLS_TAPE_H

#include <mm3/module.h>
#include <stdbool.h>

struct tape_event {
  union {
    int64_t integer;
    uint64_t natural;
    double real;
    uint64_t at;       /* of a text, in `text` */
  } as;
  uint64_t count;      /* bytes of a text; items, or pairs, of a container */
  uint32_t next;       /* the event after this value: past all of a container's items */
  uint8_t is;          /* enum mm3_value_is */
  uint8_t bits;        /* of a real */
  uint8_t wide;        /* a text that is an integer's */
  uint8_t unused;
};

enum { TAPE_DEEP = 2100 /* levels: JSON documents have 2048 */ };

struct tape {
  struct mm3_sink sink;
  struct tape_event *events;
  char *text;
  size_t used, room, text_used, text_room;
  size_t limit;        /* bytes; then the sink says -EOVERFLOW. 0: none */
  int (*item)(void *arg); /* NULL, or called when an item (pair) of the outermost container is there, which is then forgotten */
  void *arg;
  unsigned depth;
  uint32_t open[TAPE_DEEP];
};

void tape_init(struct tape *tape);
void tape_clear(struct tape *tape); /* keeps the memory */
void tape_free(struct tape *tape);

/* The value at event `at`, to a sink. 0, or what the sink said. */
int tape_send(const struct tape *tape, size_t at, struct mm3_sink *sink);

bool tape_same(const struct tape *a, const struct tape *b); /* to the bit */

/* An order of values: below, equal to or above 0. */
int tape_order(const struct tape *a, size_t i, const struct tape *b, size_t j);

static inline const char *tape_text(const struct tape *tape, size_t at) { return tape->text + tape->events[at].as.at; }

#endif

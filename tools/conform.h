/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* conform.h: what the parts of the conformance kit share. */
#ifndef MM3_TOOLS_CONFORM_H
#define MM3_TOOLS_CONFORM_H

#include "modules.h"
#include <mm3/testing.h>

enum { CONFORM_CELLS = 3, CONFORM_MOST = 1 << 20 /* bytes of a value that is looked at */ };

/* Between the process that looks at a type and its parent, which tells how it ended. */
struct conform_shared {
  uint64_t checks, flips, refused, told, kills, findings;
  char doing[256];
};

struct conform {
  struct call *call;
  struct conform_shared *shared;
  struct mm3_file *file;                 /* with the fields a, b, c of the type */
  char folder[256], path[300];
  const struct mm3_type *type;           /* the form that is being looked at */
  unsigned char *cells[CONFORM_CELLS];   /* values of that form: in the file when it needs one, else by guard pages */
  int in_file;
  unsigned char *told, *empty;           /* conform_holes.c: bytes that somebody tells apart; the empty value's */
  size_t empty_length;                   /* of its text */
  int full;                              /* a value was put that fills the type */
  int dirt;                              /* what lies on the stack and the heap when a row is called; 0: whatever did */
  int failed;                            /* of this process */
};

/* conform.c */
/* A finding: a sentence for the author. Always 0. */
int conform_finds(struct conform *c, const char *format, ...) MM3_PRINTF(2, 3);
/* What is being done, for the sentence when the process dies of it. */
void conform_does(struct conform *c, const char *format, ...) MM3_PRINTF(2, 3);

/* conform_values.c: the rows, as the core calls them. Results as the rows'; a negative one without a sentence is a
 * finding. `text` is malloc'd JSON, NULL when it failed. */
struct mm3_ctx conform_ctx(const struct conform *c, int cell, uint32_t flags, struct mm3_error *error);
int conform_fresh(struct conform *c, int cell); /* zeroed, then init */
int conform_check(struct conform *c, int cell);
int conform_put(struct conform *c, int cell, const char *json, uint32_t flags);
int conform_push(struct conform *c, int cell, const char *json, uint32_t flags);
int conform_text(struct conform *c, int cell, char **text);
int conform_range(struct conform *c, int cell, uint64_t first, uint64_t last, char **text);
int conform_described(struct conform *c, int cell, char **text);
int conform_sink(char **text, int (*visit)(void *arg, struct mm3_sink *sink), void *arg); /* anything that visits */
int conform_same_text(const char *a, const char *b); /* maps as sets of pairs */
/* Texts of values that a kind may take; ends with NULL. */
extern const char *const conform_candidates[];

/* conform_holes.c */
void conform_dirt(const struct conform *c);
void conform_holes_begin(struct conform *c);                      /* an empty value lies in cell 0 */
void conform_holes_put(struct conform *c, const char *json, int texts_are_full); /* a value that it takes */
void conform_holes_end(struct conform *c);
void conform_repeats(struct conform *c, const char *json);

/* conform_type.c, conform_parts.c, conform_flip.c, conform_kill.c */
void conform_layout(struct conform *c);
int conform_value(struct conform *c, const char *json);   /* 1 when the type takes it */
void conform_parts(struct conform *c, const char *text);  /* of the value in cell 0: items, ranges, keys */
void conform_flips(struct conform *c);                    /* of the value in cell 0 */
void conform_kills(struct conform *c, const struct mm3_kind *kind);

#endif

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* conform_flip.c: a value of which one bit, or one word, is not what it was: check refuses it, or it is a value like
 * others; nothing dies of it, and nothing is read or written outside. */
#include "conform.h"
#include <stdlib.h>
#include <string.h>

enum { MOST_FLIPS = 2048, LEAST_FLIPS = 64, MOST_BYTES = 4 << 20 /* of values that are looked at in a row */ };

/* What programs and tools do with a value, done to the damaged one in cell 0. */
static void use(struct conform *c, const char *what) {
  struct mm3_error error;
  struct mm3_ctx ctx = conform_ctx(c, 0, MM3_CTX_WRITABLE, &error);
  uint64_t count, capacity;
  char *text = NULL, *again = NULL;
  int checked = conform_check(c, 0);
  c->shared->flips++;
  c->shared->refused += checked < 0;
  if (conform_text(c, 0, &text) < 0) {
    if (checked == 0) conform_finds(c, "%s: check takes the value, visit fails", what);
    text = NULL;
  }
  if (c->type->kind->describe && conform_described(c, 0, &again) >= 0) free(again), again = NULL;
  if (c->type->kind->count) c->type->kind->count(c->type, c->cells[0], &count, &capacity, &ctx);
  if (c->in_file) { /* what writes might follow a damaged offset into the other values */
    free(text);
    return;
  }
  if (checked == 0 && text) {
    if (conform_fresh(c, 1) < 0 || conform_put(c, 1, text, 0) < 0)
      conform_finds(c, "%s: check takes the value, but put refuses what visit gave: %.120s", what, text);
    else if (conform_text(c, 1, &again) < 0 || !conform_same_text(text, again))
      conform_finds(c, "%s: check takes the value %.120s, which comes back as %.120s", what, text,
                    again ? again : "nothing");
  }
  mm3_type_assign(c->type, c->cells[2], c->cells[0], &ctx);
  for (const char *const *json = conform_candidates; *json && c->type->kind->push; json++)
    if (conform_push(c, 0, *json, 0) >= 0) break;
  if (text) conform_put(c, 0, text, 0);
  free(text);
  free(again);
}

static void word(unsigned char *at, int how) {
  uint64_t value;
  memcpy(&value, at, 8);
  switch (how) {
    case 0: value = 0; break;
    case 1: value = UINT64_MAX; break;
    case 2: value = UINT64_C(1) << 63; break;
    case 3: value = value - 1; break;
    case 4: value = value + 1; break;
    case 5: value = UINT64_C(0xFFFFFFFF); break;
    default: value = UINT64_C(0x5A5A5A5A5A5A5A5A);
  }
  memcpy(at, &value, 8);
}

void conform_flips(struct conform *c) {
  size_t size = (size_t)c->type->size, bits = size * 8, most = MOST_BYTES / size;
  most = most > MOST_FLIPS ? MOST_FLIPS : most < LEAST_FLIPS ? LEAST_FLIPS : most;
  size_t step = bits / most + 1;
  unsigned char *good = malloc(size);
  if (!good) return;
  memcpy(good, c->cells[0], size);
  if (step > 1) step |= 1; /* each bit of a byte in its turn */
  for (size_t bit = 0; bit < bits; bit += step) {
    char what[80];
    snprintf(what, sizeof what, "with bit %zu of byte %zu flipped", bit % 8, bit / 8);
    conform_does(c, "using it %s", what);
    c->cells[0][bit / 8] ^= (unsigned char)(1u << bit % 8);
    use(c, what);
    memcpy(c->cells[0], good, size);
  }
  step = size * 7 / most / 8 * 8 + 8;
  for (size_t at = 0; at + 8 <= size; at += step)
    for (int how = 0; how < 7; how++) {
      char what[80];
      word(c->cells[0] + at, how);
      snprintf(what, sizeof what, "with the word at byte %zu overwritten", at);
      conform_does(c, "using it %s", what);
      if (memcmp(good, c->cells[0], size) != 0) use(c, what);
      memcpy(c->cells[0], good, size);
    }
  free(good);
}

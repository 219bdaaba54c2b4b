/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* conform_type.c: layouts, and one value through put, visit, clear and assign. */
#include "conform.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- layout ---- */

static int lay_out(const struct mm3_type *like, enum mm3_form form, uint32_t nargs, const struct mm3_arg *args,
                   struct mm3_type *out, struct mm3_error *error) {
  struct mm3_ctx ctx = {.size = sizeof ctx, .error = error};
  *error = (struct mm3_error){0};
  *out = (struct mm3_type){.kind = like->kind, .text = like->text, .form = form, .nargs = nargs, .args = args,
                           .element = nargs ? like->element : NULL};
  return like->kind->layout(out, &ctx);
}

static void form_is_sane(struct conform *c, enum mm3_form form) {
  static const char *const names[] = {"as a field", "as an element"};
  const char *name = names[form];
  struct mm3_type one, two;
  struct mm3_error error;
  conform_does(c, "laying it out %s", name);
  c->shared->checks += 4;
  int result = lay_out(c->type, form, c->type->nargs, c->type->args, &one, &error);
  if (result == -ENOMEM) return; /* it wants memory that lives with the type: only the core has that */
  if (result) {
    if (form == MM3_FORM_FIELD || !error.text[0])
      conform_finds(c, "layout %s fails: %s", name, error.text[0] ? error.text : "without a sentence");
    return;
  }
  memset(&two, 0x5a, sizeof two);
  if (lay_out(c->type, form, c->type->nargs, c->type->args, &two, &error))
    conform_finds(c, "layout %s takes the arguments once and refuses them then: %s", name, error.text);
  else if (one.size != two.size || one.align != two.align || one.flags != two.flags ||
           memcmp(one.numbers, two.numbers, sizeof one.numbers) != 0)
    conform_finds(c, "layout %s is not stable: size %llu, then %llu; align %llu, then %llu", name,
                  (unsigned long long)one.size, (unsigned long long)two.size, (unsigned long long)one.align,
                  (unsigned long long)two.align);
  if (one.align == 0 || one.align > 4096 || one.align & (one.align - 1))
    conform_finds(c, "layout %s: alignment %llu; wanted a power of two up to 4096", name,
                  (unsigned long long)one.align);
  else if (one.size == 0 || one.size % one.align || one.size > UINT64_C(1) << 40)
    conform_finds(c, "layout %s: size %llu; wanted a multiple of the alignment %llu, at most 2^40", name,
                  (unsigned long long)one.size, (unsigned long long)one.align);
  if (one.kind != c->type->kind || one.form != form || one.args != c->type->args)
    conform_finds(c, "layout %s changes what it was given; it sets size, align, numbers and flags only", name);
}

/* Arguments that nobody gives: they are refused in words, or taken with a sane size. */
static void refuses(struct conform *c, const char *what, uint32_t nargs, const struct mm3_arg *args) {
  struct mm3_type out;
  struct mm3_error error;
  conform_does(c, "laying it out with %s", what);
  c->shared->checks++;
  int result = lay_out(c->type, MM3_FORM_FIELD, nargs, args, &out, &error);
  if (result < 0 && !error.text[0]) conform_finds(c, "layout refuses %s without a sentence", what);
  if (result == 0 && (out.size == 0 || out.size > UINT64_C(1) << 40))
    conform_finds(c, "layout takes %s, with a size of %llu", what, (unsigned long long)out.size);
}

/* A number so large that the size wraps must not be taken with a small one. */
static void wraps(struct conform *c, size_t which) {
  static const unsigned shifts[] = {32, 56, 58, 60, 61, 62, 63};
  struct mm3_arg many[8];
  struct mm3_type out;
  struct mm3_error error;
  if (c->type->nargs > 8 || c->type->args[which].is != MM3_ARG_NUMBER) return;
  memcpy(many, c->type->args, c->type->nargs * sizeof many[0]);
  for (size_t i = 0; i < sizeof shifts / sizeof shifts[0]; i++) {
    many[which].number = UINT64_C(1) << shifts[i];
    if (many[which].number < c->type->args[which].number) continue;
    conform_does(c, "laying it out with 2^%u as an argument", shifts[i]);
    c->shared->checks++;
    if (lay_out(c->type, MM3_FORM_FIELD, c->type->nargs, many, &out, &error) == 0 && out.size < c->type->size)
      conform_finds(c, "layout takes 2^%u as argument %zu, with size %llu; for %llu it has %llu: it wraps", shifts[i],
                    which + 1, (unsigned long long)out.size, (unsigned long long)c->type->args[which].number,
                    (unsigned long long)c->type->size);
  }
}

void conform_layout(struct conform *c) {
  const struct mm3_arg word = {.is = MM3_ARG_WORD, .word = "nonsense"};
  const struct mm3_arg none = {.is = MM3_ARG_NUMBER}, huge = {.is = MM3_ARG_NUMBER, .number = UINT64_MAX};
  struct mm3_arg many[9];
  form_is_sane(c, MM3_FORM_FIELD);
  form_is_sane(c, MM3_FORM_ELEMENT);
  refuses(c, "no arguments", 0, NULL);
  refuses(c, "a word", 1, &word);
  refuses(c, "the number 0", 1, &none);
  refuses(c, "the number 2^64 - 1", 1, &huge);
  for (size_t i = 0; i < 9; i++) many[i] = i < c->type->nargs ? c->type->args[i] : huge;
  refuses(c, "nine arguments", 9, many);
  for (size_t i = 0; i < c->type->nargs && i < 9; i++) { /* each argument as a number out of bounds */
    struct mm3_arg was = many[i];
    many[i] = huge;
    refuses(c, "2^64 - 1 in place of an argument", c->type->nargs, many);
    many[i] = none;
    refuses(c, "0 in place of an argument", c->type->nargs, many);
    many[i] = word;
    refuses(c, "a word in place of an argument", c->type->nargs, many);
    many[i] = was;
    wraps(c, i);
  }
}

/* ---- one value ---- */

/* The cell's value as text, which must be there and pass its check; NULL: a finding was made. */
static char *whole(struct conform *c, int cell, const char *when) {
  char *text = NULL;
  int result = conform_check(c, cell);
  c->shared->checks++;
  if (result < 0) return conform_finds(c, "check refuses the value %s (%s)", when, mm3_error_name(result)), NULL;
  if (result > 0) return conform_finds(c, "check returned %d; 0 or a negative code is wanted", result), NULL;
  if (conform_text(c, cell, &text) < 0) conform_finds(c, "visit fails %s", when);
  return text;
}

static void same(struct conform *c, const char *found, const char *wanted, const char *when) {
  c->shared->checks++;
  if (found && wanted && !conform_same_text(found, wanted))
    conform_finds(c, "%s the value is %.120s; it was %.120s", when, found, wanted);
}

/* Dry takes what put takes, and writes nothing. */
static int dry(struct conform *c, const char *json) {
  size_t size = (size_t)c->type->size;
  unsigned char *before = malloc(size);
  if (!before) return -ENOMEM;
  memcpy(before, c->cells[0], size);
  int result = conform_put(c, 0, json, MM3_CTX_DRY);
  if (memcmp(before, c->cells[0], size) != 0) conform_finds(c, "a dry put of %.80s changed the bytes", json);
  free(before);
  return result;
}

/* A value that is refused leaves the old one. */
static void refused(struct conform *c, const char *json, int code) {
  char *before = NULL, *after = NULL;
  conform_does(c, "putting %.80s, which it does not take", json);
  if (conform_text(c, 0, &before) < 0) return;
  int result = conform_put(c, 0, json, 0);
  if (result >= 0) conform_finds(c, "a dry put refuses %.80s (%s), a real one takes it", json, mm3_error_name(code));
  after = whole(c, 0, "after a put that was refused");
  if (result < 0) same(c, after, before, "after a put that was refused");
  free(before);
  free(after);
}

static void comes_back(struct conform *c, const char *text) {
  conform_does(c, "putting back %.80s, as visit gave it", text);
  if (conform_fresh(c, 1) < 0 || conform_put(c, 1, text, 0) < 0) {
    conform_finds(c, "put refuses what visit gave: %.120s", text);
    return;
  }
  char *again = whole(c, 1, "that was put back");
  same(c, again, text, "put back as visit gave it,");
  free(again);
}

static void is_assigned(struct conform *c, const char *text) {
  struct mm3_error error;
  struct mm3_ctx ctx = conform_ctx(c, 2, MM3_CTX_WRITABLE, &error);
  for (int round = 0; round < 2; round++) { /* to a zeroed value, then to one that is not empty */
    conform_does(c, "assigning it");
    if (round == 0 && !c->in_file) memset(c->cells[2], 0, (size_t)c->type->size);
    if (mm3_type_assign(c->type, c->cells[2], c->cells[0], &ctx) < 0) {
      conform_finds(c, "assign fails for %.80s: %s", text, error.text);
      return;
    }
    char *copy = whole(c, 2, "that was assigned"), *still = whole(c, 0, "after it was assigned from");
    same(c, copy, text, "assigned");
    same(c, still, text, "after it was assigned from");
    free(copy);
    free(still);
  }
}

static void is_cleared(struct conform *c) {
  struct mm3_error error;
  char *empty = NULL, *cleared;
  struct mm3_ctx ctx = conform_ctx(c, 2, MM3_CTX_WRITABLE, &error);
  conform_does(c, "clearing it");
  if (conform_fresh(c, 1) < 0 || conform_text(c, 1, &empty) < 0) return;
  if (mm3_type_clear(c->type, c->cells[2], &ctx) < 0) conform_finds(c, "clear fails: %s", error.text);
  cleared = whole(c, 2, "after clear");
  same(c, cleared, empty, "after clear");
  free(empty);
  free(cleared);
}

int conform_value(struct conform *c, const char *json) {
  conform_does(c, "putting %.80s", json);
  int result = dry(c, json);
  if (result < 0) {
    refused(c, json, result);
    return 0;
  }
  if ((result = conform_put(c, 0, json, 0)) < 0) {
    conform_finds(c, "a dry put takes %.80s, a real one refuses it (%s)", json, mm3_error_name(result));
    return 1;
  }
  char *text = whole(c, 0, "that was put");
  if (!text) return 1;
  comes_back(c, text);
  is_assigned(c, text);
  conform_parts(c, text);
  is_cleared(c);
  conform_repeats(c, json);
  conform_holes_put(c, json, 0);
  if (conform_fresh(c, 0) == 0 && conform_put(c, 0, json, 0) == 0) conform_flips(c);
  free(text);
  return 1;
}

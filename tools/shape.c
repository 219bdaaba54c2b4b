/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* shape.c: values on their way from one type to another: members that the other struct lacks are left out. */
#include "migrate.h"
#include <errno.h>
#include <string.h>

#define SHAPE(sink) ((struct shape *)(sink))

static bool is_struct(const struct mm3_type *type) { return type && type->nmembers; }

static const struct mm3_type *last_type(const struct mm3_type *type) {
  const struct mm3_type *found = NULL;
  for (uint32_t i = 0; type && i < type->nargs; i++)
    if (type->args[i].is == MM3_ARG_TYPE) found = type->args[i].type;
  return found;
}

/* Lists within lists are ranks, or containers in containers: either way the struct at the bottom is what counts. */
static struct shape_pair inside(struct shape_pair pair) {
  return (struct shape_pair){is_struct(pair.mine) ? pair.mine : last_type(pair.mine),
                             is_struct(pair.other) ? pair.other : last_type(pair.other)};
}

static const struct mm3_type *member(const struct mm3_type *type, const char *name, size_t count) {
  for (uint32_t i = 0; i < type->nmembers; i++)
    if (strlen(type->members[i].name) == count && memcmp(type->members[i].name, name, count) == 0)
      return type->members[i].type;
  return NULL;
}

/* true: this value is not wanted. */
static bool skip(struct shape *s) {
  if (!s->ignoring) return false;
  if (!s->nested) s->ignoring = false;
  return true;
}

static int on_null(struct mm3_sink *k) { return skip(SHAPE(k)) ? 0 : SHAPE(k)->to->null(SHAPE(k)->to); }
static int on_boolean(struct mm3_sink *k, int v) { return skip(SHAPE(k)) ? 0 : SHAPE(k)->to->boolean(SHAPE(k)->to, v); }
static int on_integer(struct mm3_sink *k, int64_t v) { return skip(SHAPE(k)) ? 0 : SHAPE(k)->to->integer(SHAPE(k)->to, v); }
static int on_natural(struct mm3_sink *k, uint64_t v) { return skip(SHAPE(k)) ? 0 : SHAPE(k)->to->natural(SHAPE(k)->to, v); }

static int on_wide(struct mm3_sink *k, const char *decimal, size_t count) {
  return skip(SHAPE(k)) ? 0 : SHAPE(k)->to->wide(SHAPE(k)->to, decimal, count);
}

/* With all the bits of a double: an f32 that becomes an f64 keeps its value, not its short spelling. */
static int on_real(struct mm3_sink *k, double value, int bits) {
  (void)bits;
  return skip(SHAPE(k)) ? 0 : SHAPE(k)->to->real(SHAPE(k)->to, value, 64);
}

static int on_text(struct mm3_sink *k, const char *text, size_t count) {
  return skip(SHAPE(k)) ? 0 : SHAPE(k)->to->text(SHAPE(k)->to, text, count);
}

static int on_raw(struct mm3_sink *k, const void *bytes, size_t count) {
  return skip(SHAPE(k)) ? 0 : SHAPE(k)->to->raw(SHAPE(k)->to, bytes, count);
}

static int on_damaged(struct mm3_sink *k, const void *bytes, size_t count) {
  return skip(SHAPE(k)) ? 0 : SHAPE(k)->to->damaged(SHAPE(k)->to, bytes, count);
}

/* true: the container is not wanted either. */
static bool enter(struct shape *s, bool list) {
  if (s->ignoring) return s->nested++, true;
  if (s->depth < SHAPE_LEVELS) {
    s->stack[s->depth] = s->next;
    s->is_list[s->depth] = list;
    s->next = list ? inside(s->next) : (struct shape_pair){NULL, NULL};
  } else {
    s->next = (struct shape_pair){NULL, NULL};
  }
  s->depth++;
  return false;
}

static bool leave(struct shape *s) {
  if (s->ignoring) {
    s->ignoring = --s->nested > 0;
    return true;
  }
  s->depth--;
  s->next = (struct shape_pair){NULL, NULL};
  if (s->depth && s->depth <= SHAPE_LEVELS && s->is_list[s->depth - 1]) s->next = inside(s->stack[s->depth - 1]);
  return false;
}

static int on_list(struct mm3_sink *k, uint64_t n) { return enter(SHAPE(k), true) ? 0 : SHAPE(k)->to->begin_list(SHAPE(k)->to, n); }
static int on_list_end(struct mm3_sink *k) { return leave(SHAPE(k)) ? 0 : SHAPE(k)->to->end_list(SHAPE(k)->to); }
static int on_map(struct mm3_sink *k, uint64_t n) { return enter(SHAPE(k), false) ? 0 : SHAPE(k)->to->begin_map(SHAPE(k)->to, n); }
static int on_map_end(struct mm3_sink *k) { return leave(SHAPE(k)) ? 0 : SHAPE(k)->to->end_map(SHAPE(k)->to); }

static void note(struct shape *s, const char *name, size_t count) {
  if (!s->left_out) return;
  size_t used = strlen(s->left_out);
  char word[80];
  snprintf(word, sizeof word, "'%.*s'", (int)(count < 70 ? count : 70), name);
  if (!strstr(s->left_out, word)) snprintf(s->left_out + used, s->size - used, "%s%s", used ? ", " : "", word);
}

static int on_key(struct mm3_sink *k, const char *name, size_t count) {
  struct shape *s = SHAPE(k);
  if (s->ignoring) return 0;
  struct shape_pair pair = {NULL, NULL};
  if (s->depth && s->depth <= SHAPE_LEVELS) pair = s->stack[s->depth - 1];
  if (is_struct(pair.mine) && is_struct(pair.other)) {
    const struct mm3_type *other = member(pair.other, name, count);
    if (!other) {
      note(s, name, count);
      s->ignoring = true;
      s->nested = 0;
      return 0;
    }
    s->next = (struct shape_pair){member(pair.mine, name, count), other};
  } else {
    s->next = inside(pair);
  }
  return s->to->key(s->to, name, count);
}

void shape_init(struct shape *s, const struct mm3_type *mine, const struct mm3_type *other, struct mm3_sink *to) {
  *s = (struct shape){.to = to, .next = {mine, other}};
  s->sink = (struct mm3_sink){sizeof s->sink, on_null, on_boolean, on_integer, on_natural, on_wide, on_real, on_text, on_raw,
                              on_damaged, on_list, on_list_end, on_map, on_key, on_map_end};
}

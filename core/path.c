/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Paths: name.name[3]["key"][1:2], step by step through the kinds' `at`. */
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct reader {
  const char *start, *at;
  size_t text_used;             /* of field->step_text */
  struct mm3_field *field;
  struct mm3_error *error;
};

static int bad_path(struct reader *r, const char *wanted) {
  return mm3_error_set(r->error, -MM3_E_PATH, "path '%.200s', at character %zu: wanted %s", r->start,
                       (size_t)(r->at - r->start) + 1, wanted);
}

static int hex4(const char *at, uint32_t *code) {
  *code = 0;
  for (int i = 0; i < 4; i++) {
    char c = at[i];
    uint32_t digit = c >= '0' && c <= '9' ? (uint32_t)(c - '0') : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                     : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10) : 16;
    if (digit == 16) return 0;
    *code = *code << 4 | digit;
  }
  return 1;
}

/* After a backslash. Returns the bytes written to out, 0 when it is no escape of JSON. */
static size_t read_escape(struct reader *r, char out[4]) {
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  const char *known = *r->at ? strchr(from, *r->at) : NULL;
  uint32_t code, low;
  if (known) {
    out[0] = to[known - from];
    r->at++;
    return 1;
  }
  if (*r->at != 'u' || !hex4(r->at + 1, &code)) return 0;
  r->at += 5;
  if (code >= 0xD800 && code < 0xDC00) {
    if (r->at[0] != '\\' || r->at[1] != 'u' || !hex4(r->at + 2, &low) || low < 0xDC00 || low > 0xDFFF) return 0;
    r->at += 6;
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  return mm3_char_valid(code) ? mm3_utf8_encode(code, out) : 0;
}

static int read_key(struct reader *r, struct mm3_step *step) {
  char *text = r->field->step_text + r->text_used;
  size_t count = 0, room = sizeof r->field->step_text - r->text_used;
  if (room == 0) return bad_path(r, "keys of at most 1023 bytes");
  for (r->at++; *r->at != '"';) {
    char piece[4];
    size_t length = 1;
    if (*r->at == 0) return bad_path(r, "'\"' at the key's end");
    if (*r->at == '\\') {
      r->at++;
      length = read_escape(r, piece);
      if (length == 0) return bad_path(r, "an escape as in JSON");
    } else {
      piece[0] = *r->at++;
    }
    if (count + length >= room) return bad_path(r, "keys of at most 1023 bytes");
    memcpy(text + count, piece, length);
    count += length;
  }
  r->at++;
  text[count] = 0;
  *step = (struct mm3_step){MM3_STEP_KEY, text, count, 0};
  return 0;
}

/* 1: there was a number */
static int read_index(struct reader *r, int64_t *index) {
  bool negative = *r->at == '-';
  const char *digits = r->at + negative;
  uint64_t value = 0;
  if (*digits < '0' || *digits > '9') return 0;
  for (; *digits >= '0' && *digits <= '9'; digits++) {
    if (value > (INT64_MAX - 9) / 10) return bad_path(r, "an index of at most 63 bits");
    value = value * 10 + (uint64_t)(*digits - '0');
  }
  r->at = digits;
  *index = negative ? -(int64_t)value : (int64_t)value;
  return 1;
}

static uint64_t clamp(int64_t index, uint64_t count) {
  if (index >= 0) return (uint64_t)index < count ? (uint64_t)index : count;
  return (uint64_t)-index < count ? count - (uint64_t)-index : 0;
}

/* After '[' and perhaps a first index, at ':'. */
static int read_slice(struct reader *r, int64_t first, struct mm3_ctx *ctx) {
  struct mm3_field *field = r->field;
  uint64_t count = 0, capacity;
  int64_t last = INT64_MAX;
  r->at++;
  int result = read_index(r, &last);
  if (result < 0) return result;
  if (*r->at != ']') return bad_path(r, "']'");
  r->at++;
  if (*r->at) return bad_path(r, "nothing after a slice");
  if (!field->type->kind->visit_range || !field->type->kind->count)
    return mm3_error_set(r->error, -MM3_E_PATH, "path '%.200s': %s has no items to slice", r->start, field->type->text);
  result = field->type->kind->count(field->type, field->bytes, &count, &capacity, ctx);
  if (result < 0) return result;
  field->sliced = 1;
  field->first = clamp(first, count);
  field->last = clamp(last, count);
  if (field->last < field->first) field->last = field->first;
  return 0;
}

/* Reads one step. 0: at the end; 1: *step; 2: a slice was read. */
static int read_step(struct reader *r, struct mm3_step *step, struct mm3_ctx *ctx) {
  int64_t index = 0;
  if (*r->at == 0) return 0;
  if (*r->at == '[') {
    r->at++;
    if (*r->at == '"') {
      int result = read_key(r, step);
      if (result < 0) return result;
    } else {
      int numbered = read_index(r, &index);
      if (numbered < 0) return numbered;
      if (*r->at == ':') {
        int result = read_slice(r, index, ctx);
        return result < 0 ? result : 2;
      }
      if (!numbered) return bad_path(r, "an index, a key in quotes or a slice");
      *step = (struct mm3_step){MM3_STEP_INDEX, NULL, 0, index};
    }
    if (*r->at != ']') return bad_path(r, "']'");
    r->at++;
    return 1;
  }
  if (r->at != r->start) {
    if (*r->at != '.') return bad_path(r, "'.', '[' or the end");
    r->at++;
  }
  size_t length = strcspn(r->at, ".[");
  char *text = r->field->step_text + r->text_used;
  if (length == 0) return bad_path(r, "a name");
  if (length >= sizeof r->field->step_text - r->text_used) return bad_path(r, "a shorter name");
  memcpy(text, r->at, length);
  text[length] = 0;
  *step = (struct mm3_step){MM3_STEP_NAME, text, length, 0};
  r->at += length;
  return 1;
}

static int no_module(struct reader *r, const char *name) {
  return mm3_error_set(r->error, -MM3_E_MODULE, "the module of field '%.200s' is missing; it can only be shown as raw bytes", name);
}

/* The value has parts without bytes: its own rows go the rest of the way. */
static int go_deep(struct reader *r, const struct mm3_step *step) {
  struct mm3_field *field = r->field;
  if (field->ndeep == sizeof field->deep / sizeof field->deep[0]) return bad_path(r, "at most 16 steps inside a value");
  field->deep[field->ndeep++] = *step;
  if (step->text) r->text_used += step->count + 1;
  return 0;
}

static int take_step(struct reader *r, const struct mm3_step *step, struct mm3_ctx *ctx) {
  struct mm3_field *field = r->field;
  struct mm3_place place = {0};
  if (!field->type) return no_module(r, r->start);
  if (field->bytes && field->type->kind->visit_deep) return go_deep(r, step);
  field->container = (struct mm3_place){field->type, field->bytes};
  field->step = *step;
  if (!field->bytes)
    return mm3_error_set(r->error, -MM3_E_ABSENT, "path '%.200s': there is no such entry", r->start);
  if (!field->type->kind->at)
    return mm3_error_set(r->error, -MM3_E_PATH, "path '%.200s': %s has no parts", r->start, field->type->text);
  int result = field->type->kind->at(field->type, field->bytes, step, &place, ctx);
  if (result == -MM3_E_ABSENT && field->type->kind->put_at && place.type) { /* put can make it */
    field->type = place.type;
    field->bytes = NULL;
    field->size = place.type->size;
    return 0;
  }
  if (result < 0) return result;
  field->type = place.type;
  field->bytes = place.bytes;
  field->size = place.type ? place.type->size : 0;
  return 0;
}

/* What the step was to lead out of is not what the path means: nothing is done to it. Its container may still make the
 * last step's item. */
static int leads_nowhere(struct reader *r, int result) {
  struct mm3_field *field = r->field;
  if (result == -MM3_E_MODULE) return result; /* its bytes are there to be shown */
  if (*r->at || !field->container.bytes) field->container = (struct mm3_place){NULL, NULL};
  field->bytes = NULL;
  return result;
}

/* The number of a root's member, and its size, which is known even where its module is missing. */
static void number_member(struct mm3_field *field) {
  struct mm3_member_info info;
  for (uint32_t i = 0; mm3_file_member(field->file, i, &info) == 0; i++)
    if (strcmp(info.name, field->step.text) == 0) {
      field->number = i;
      field->size = info.size;
    }
}

int mm3_field_find(struct mm3_file *file, const char *path, struct mm3_field *field, struct mm3_error *error) {
  const struct mm3i_schema *schema = mm3i_file_schema(file);
  struct reader r = {path ? path : "", path ? path : "", 0, field, error};
  memset(field, 0, offsetof(struct mm3_field, step_text));
  field->file = file;
  field->type = schema->root;
  field->bytes = mm3i_file_root(file);
  field->size = schema->root_size;
  field->number = UINT32_MAX;
  snprintf(field->path, sizeof field->path, "%.*s", (int)mm3_utf8_cut(r.start, strlen(r.start), sizeof field->path - 1), r.start);
  struct mm3_trail trail = {NULL, field->path, 0};
  struct mm3_ctx ctx = {.size = sizeof ctx, .file = file, .error = error, .trail = &trail};
  for (bool first = true;; first = false) {
    struct mm3_step step;
    int result = read_step(&r, &step, &ctx);
    if (result == 1 && first && step.is != MM3_STEP_NAME) return r.at = r.start, bad_path(&r, "a field's name");
    if (result == 1) {
      int taken = take_step(&r, &step, &ctx);
      if (taken < 0) result = leads_nowhere(&r, taken);
    }
    if (result < 0) {
      if (error) memcpy(error->field, field->path, sizeof error->field);
      return result;
    }
    if (result == 1 && first) {
      number_member(field);
      ctx.field = field->number;
    }
    if (result != 1) break;
  }
  if (field->type) return field->bytes ? 0 : -MM3_E_ABSENT;
  if (error) memcpy(error->field, field->path, sizeof error->field);
  return no_module(&r, r.start);
}

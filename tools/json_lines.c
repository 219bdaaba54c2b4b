/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* json_lines.c: lines, joined to one list, so that jansson is called once for many. A line that may not be one value
 * (brackets that do not close in it, a comma outside of them) goes alone. */
#include "json_lines.h"

#include "../modules/json_value.h"
#include "json_stream_inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct mm3j_lines {
  int fd;
  bool over;              /* nothing follows what is in the buffer */
  char *text, *joined;
  size_t size, begin, end; /* of the buffer; what was not used yet */
  uint64_t *numbers, line, read;
  size_t joined_size, room;
  json_t *list;
  bool one_by_one;        /* there is a wrong line: those before it still come */
};

int mm3j_lines_open(int fd, struct mm3j_lines **lines) {
  struct mm3j_lines *l = *lines = calloc(1, sizeof *l);
  if (!l) return -ENOMEM;
  l->fd = fd;
  return 0;
}

void mm3j_lines_close(struct mm3j_lines *l) {
  json_decref(l->list);
  free(l->text);
  free(l->joined);
  free(l->numbers);
  free(l);
}

uint64_t mm3j_lines_number(const struct mm3j_lines *l) { return l->line; }
uint64_t mm3j_lines_done(const struct mm3j_lines *l) { return l->read - (l->end - l->begin); }

/* More text behind what is there, which moves to the front. */
static int more_text(struct mm3j_lines *l) {
  size_t left = l->end - l->begin;
  if (left + MM3J_PIECE > l->size) {
    size_t size = l->size * 2 + 2 * MM3J_PIECE;
    char *larger = malloc(size);
    if (!larger) return -ENOMEM;
    if (left) memcpy(larger, l->text + l->begin, left);
    free(l->text);
    l->text = larger;
    l->size = size;
  } else if (left) {
    memmove(l->text, l->text + l->begin, left);
  }
  l->begin = 0;
  l->end = left;
  ssize_t part = read(l->fd, l->text + left, l->size - left);
  if (part < 0) return -errno;
  l->over = part == 0;
  l->end += (size_t)part;
  l->read += (uint64_t)part;
  return 0;
}

/* The end of the last whole line. */
static size_t whole_lines(const struct mm3j_lines *l) {
  if (l->over) return l->end;
  const char *last = l->end > l->begin ? memrchr(l->text + l->begin, '\n', l->end - l->begin) : NULL;
  return last ? (size_t)(last - l->text) + 1 : l->begin;
}

/* Is it surely one item of a list: brackets closed, no comma outside of them, texts ended? */
static bool one_item(const char *text, size_t begin, size_t end) {
  size_t depth = 0;
  for (size_t at = begin; at < end; at++) {
    char c = text[at];
    if (c == '"') {
      for (at++; at < end && text[at] != '"'; at++) at += text[at] == '\\';
      if (at >= end) return false;
    } else if (c == '[' || c == '{') {
      depth++;
    } else if (c == ']' || c == '}') {
      if (!depth--) return false;
    } else if (c == ',' && !depth) {
      return false;
    }
  }
  return depth == 0;
}

static int room_for(struct mm3j_lines *l, size_t bytes) {
  if (l->joined_size < bytes + 2) {
    char *joined = realloc(l->joined, bytes + 2);
    if (!joined) return -ENOMEM;
    l->joined = joined;
    l->joined_size = bytes + 2;
  }
  if (l->room >= bytes / 2 + 2) return 0; /* an item and its line's end: two bytes at least */
  uint64_t *numbers = realloc(l->numbers, (bytes / 2 + 2) * sizeof *numbers);
  if (!numbers) return -ENOMEM;
  l->numbers = numbers;
  l->room = bytes / 2 + 2;
  return 0;
}

/* Joins lines up to `stop`, or the first one that has to go alone: that one when it is the first. *count of them. */
static size_t join(struct mm3j_lines *l, size_t stop, size_t *used, size_t *count) {
  size_t at = l->begin;
  bool single = false;
  uint64_t line = l->line;
  *used = *count = 0;
  l->joined[(*used)++] = '[';
  while (at < stop && !single) {
    const char *found = memchr(l->text + at, '\n', stop - at);
    size_t end = found ? (size_t)(found - l->text) : stop, begin = mm3j_skip_space(l->text, at, end), last = end;
    while (last > begin && strchr("\r\t ", l->text[last - 1])) last--;
    if (last > begin) {
      single = l->one_by_one || !one_item(l->text, begin, last);
      if (single && *count) break;
      if (*count) l->joined[(*used)++] = ',';
      memcpy(l->joined + *used, l->text + begin, last - begin);
      *used += last - begin;
      l->numbers[(*count)++] = line + 1;
    }
    line++;
    at = end + (end < l->end);
  }
  l->joined[(*used)++] = ']';
  l->line = line;
  return at;
}

/* A line that did not parse within the list: what jansson says of the line itself. */
static int refuse(struct mm3j_lines *l, size_t used, struct mm3_error *error) {
  json_error_t why;
  json_t *json = json_loadb(l->joined + 1, used - 2, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
  if (json || json_error_code(&why) == json_error_out_of_memory) {
    json_decref(json);
    return mm3_error_set(error, -ENOMEM, "not enough memory for the JSON text");
  }
  return mm3_error_set(error, -MM3_E_VALUE, "JSON, column %d: %s", why.column, mm3j_why(&why));
}

int mm3j_lines_next(struct mm3j_lines *l, struct mm3j_batch *batch, struct mm3_error *error) {
  size_t stop, used, count, after;
  json_error_t why;
  int result;
  json_decref(l->list);
  l->list = NULL;
  do {
    while ((stop = whole_lines(l)) == l->begin && !l->over)
      if ((result = more_text(l)) < 0) return mm3_error_set(error, result, "reading the lines: %s", mm3_strerror(result));
    if (stop == l->begin) return 0;
    if (room_for(l, stop - l->begin) < 0) return mm3_error_set(error, -ENOMEM, "not enough memory for the lines");
    uint64_t line = l->line;
    after = join(l, stop, &used, &count);
    if (count) l->list = json_loadb(l->joined, used, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
    if (count == 1 && (!l->list || json_array_size(l->list) != 1)) {
      l->line = l->numbers[0];
      return refuse(l, used, error);
    }
    if (count > 1 && !l->list) { /* one of them is wrong: each alone, so that those before it come first */
      l->one_by_one = true;
      l->line = line;
      continue;
    }
    l->begin = after;
  } while (!l->list);
  batch->list = mm3j_value_of(l->list);
  batch->numbers = l->numbers;
  return 1;
}

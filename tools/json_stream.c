/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* json_stream.c: where a JSON text comes from: a file, mapped, or a pipe. */
#include "json_stream_inside.h"

#include "../modules/json_value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEPT = 8 << 20 /* of a pipe, in memory */, SHORT = 1 << 20 /* parsed whole */, TOLD = 32 << 20 };

static int fill(const struct mm3j_stream *s, int fd, char *to, size_t size, size_t *used) {
  while (*used < size) {
    ssize_t part = read(fd, to + *used, size - *used);
    if (part == 0) return 0;
    if (part > 0) *used += (size_t)part;
    else if (errno != EINTR) return -errno;
    else if (s->between.call && s->between.call(s->between.arg, 0) < 0) return -EINTR;
  }
  return 0;
}

static int map_it(struct mm3j_stream *s, int fd, struct mm3_error *error) {
  int result = mm3_map_fd(&s->map, fd, MM3_MAP_READ, NULL, error);
  s->text = s->map.ptr;
  s->size = s->map.length;
  return result;
}

static int spool(struct mm3j_stream *s, int fd, size_t used, struct mm3_error *error) {
  FILE *file = tmpfile();
  int result = file ? 0 : -errno;
  while (!result && used) {
    if (fwrite(s->own, 1, used, file) != used) result = errno ? -errno : -EIO;
    used = 0;
    if (!result) result = fill(s, fd, s->own, KEPT, &used);
  }
  if (!result && fflush(file) != 0) result = -errno;
  if (result) mm3_error_set(error, result, "a long input needs a temporary file: %s", mm3_strerror(result));
  else result = map_it(s, fileno(file), error);
  if (file) fclose(file);
  free(s->own);
  s->own = NULL;
  return result;
}

/* A pipe: kept when it is short. */
static int take_pipe(struct mm3j_stream *s, int fd, struct mm3_error *error) {
  size_t used = 0;
  s->own = malloc(KEPT);
  int result = s->own ? fill(s, fd, s->own, KEPT, &used) : -ENOMEM;
  if (result) return mm3_error_set(error, result, "%s", mm3_strerror(result));
  if (used == KEPT) return spool(s, fd, used, error);
  s->text = s->own;
  s->size = used;
  return 0;
}

int mm3j_stream_open(const char *path, const struct mm3j_between *how, struct mm3j_stream **stream, struct mm3_error *error) {
  bool standard = strcmp(path, "-") == 0;
  struct stat now;
  struct mm3j_stream *s = *stream = calloc(1, sizeof *s);
  FILE *in = standard ? stdin : fopen(path, "re");
  int result = !s ? -ENOMEM : !in || fstat(fileno(in), &now) != 0 ? -errno : S_ISDIR(now.st_mode) ? -EISDIR : 0;
  if (result) mm3_error_set(error, result, "%s", mm3_strerror(result));
  else {
    s->between = how ? *how : (struct mm3j_between){NULL, NULL};
    bool whole = S_ISREG(now.st_mode) && now.st_size > 0 && lseek(fileno(in), 0, SEEK_CUR) == 0;
    result = whole ? map_it(s, fileno(in), error) : take_pipe(s, fileno(in), error);
  }
  if (in && !standard) fclose(in);
  if (result && !error->file[0]) snprintf(error->file, sizeof error->file, "%s", standard ? "standard input" : path);
  if (!result) return 0;
  mm3j_stream_close(s);
  *stream = NULL;
  return result;
}

int mm3j_stream_read(struct mm3j_stream *s, bool members_first, struct mm3_value *value, struct mm3_error *error) {
  size_t at = mm3j_skip_space(s->text, 0, s->size);
  json_error_t why;
  s->members_first = members_first;
  int result = 0;
  if (at == s->size) return mm3_error_set(error, -MM3_E_VALUE, "there is no JSON in it, only %s", at ? "blanks" : "0 bytes");
  if (s->size > SHORT && at < s->size && (s->text[at] == '[' || s->text[at] == '{')) {
    result = mm3j_outline(s);
    const struct long_value *all = s->values;
    if (!result && !(s->nvalues && !all->in && all->begin == at)) result = mm3j_wrong_at(s, at, "no value");
    if (!result)
      *value = (struct mm3_value){.is = s->text[at] == '[' ? MM3_LIST : MM3_MAP, .count = (size_t)all->count,
                                  .source = &mm3j_piece_source, .node = all};
    if (result) *error = s->error;
    if (result != -MM3_E_VALUE || s->size > TOLD) return result; /* else jansson knows better where it began */
  }
  s->whole = json_loadb(s->text ? s->text : "", s->size, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
  if (s->whole) *value = mm3j_value_of(s->whole);
  else if (json_error_code(&why) == json_error_out_of_memory)
    result = mm3_error_set(error, -ENOMEM, "not enough memory for the JSON text");
  else result = mm3_error_set(error, -MM3_E_VALUE, "JSON, line %d, column %d: %s", why.line, why.column, mm3j_why(&why));
  return result;
}

uint64_t mm3j_stream_size(const struct mm3j_stream *s) { return s->size; }
const struct mm3_map *mm3j_stream_map(const struct mm3j_stream *s) { return &s->map; }

int mm3j_stream_error(const struct mm3j_stream *s, struct mm3_error *error) {
  if (s->error.code) *error = s->error;
  return s->error.code;
}

void mm3j_stream_close(struct mm3j_stream *s) {
  if (!s) return;
  mm3j_pieces_free(s);
  json_decref(s->whole);
  free(s->values);
  free(s->own);
  if (s->map.mapped) mm3_map_unmap(&s->map);
  free(s);
}

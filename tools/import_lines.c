/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* import_lines.c: JSON lines, many at a time: one parse and one lock for a batch, in memory that stays flat. */
#include "import.h"
#include "json_lines.h"
#include "progress.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct lines {
  struct call *call;
  struct mm3_file *file;
  struct mm3_field field;
  bool pairs;
  uint64_t line, items; /* that were stored: lines, and what was in them */
};

/* {key: value}: each pair on its own. */
static int store_pairs(struct lines *l, const struct mm3_value *pairs) {
  struct mm3_value key, item;
  void *cursor = NULL;
  int result = 0;
  if (pairs->is != MM3_MAP)
    return mm3_error_set(&l->call->error, -MM3_E_VALUE, "wanted {key: value}, found %s", mm3_value_name(pairs));
  while (!result && pairs->source->next(pairs, &cursor, &key, &item) > 0)
    result = mm3_field_put_key(&l->field, key.as.text, key.count, &item, &l->call->error);
  return result;
}

static int store_batch(struct lines *l, const struct mm3j_batch *batch) {
  struct mm3_value key, item;
  void *cursor = NULL;
  size_t number = 0;
  int result = mm3_lock(l->file), locked = result >= 0;
  result = locked || result == -EDEADLK ? 0 : mm3_error_set(&l->call->error, result, "the lock: %s", mm3_strerror(result));
  while (!result && batch->list.source->next(&batch->list, &cursor, &key, &item) > 0) {
    result = l->pairs ? store_pairs(l, &item) : mm3_field_push(&l->field, &item, &l->call->error);
    l->line = batch->numbers[number++];
    if (!result) l->items++;
  }
  if (locked && mm3_locked(l->file)) mm3_unlock(l->file);
  return result;
}

static int lines_in(struct lines *l, int fd, uint64_t total) {
  struct mm3j_lines *reader;
  struct mm3j_batch batch;
  struct progress progress;
  struct mm3_error *error = &l->call->error;
  int result = mm3j_lines_open(fd, &reader), more;
  if (result) return mm3_error_set(error, result, "%s", mm3_strerror(result));
  progress_begin(&progress, l->call, "import", total, false);
  while ((more = mm3j_lines_next(reader, &batch, error)) > 0 || (more == -EINTR && !interrupted())) {
    if (more < 0) continue; /* a signal that is none of ours */
    result = store_batch(l, &batch);
    if (!result && interrupted()) result = -EINTR;
    if (result) break;
    progress_step(&progress, mm3j_lines_done(reader));
  }
  progress_end(&progress);
  if (more < 0) result = more, l->line = mm3j_lines_number(reader);
  mm3j_lines_close(reader);
  return result;
}

static void name_line(struct mm3_error *error, uint64_t line) {
  char text[sizeof error->text];
  snprintf(text, sizeof text, "line %llu: %.900s", (unsigned long long)line, error->text);
  memcpy(error->text, text, sizeof text);
}

int import_lines(struct call *call, const char *path) {
  static struct lines l;
  const char *from = call->argc > 1 ? call->argv[1] : "-";
  bool made = false, standard = strcmp(from, "-") == 0;
  struct stat now = {.st_size = 0};
  if (call_option(call, "path")) return fail_usage(call, "--lines names the field, --path is one too many");
  FILE *in = standard ? stdin : fopen(from, "re");
  if (!in) return fail_code(call, -errno, from, "%s", strerror(errno));
  interrupts_catch();
  l.call = call;
  l.file = import_open(call, &made);
  int result = l.file ? find_field(call, l.file, path, &l.field) : call->error.code, code = EXIT_DONE;
  l.pairs = !result && l.field.type && !l.field.type->kind->push;
  if (!result && fstat(fileno(in), &now) == 0 && !S_ISREG(now.st_mode)) now.st_size = 0;
  if (!result) result = lines_in(&l, fileno(in), (uint64_t)now.st_size);
  if (result == -EINTR && interrupted()) {
    say(call, "%s: interrupted%s, after %llu lines", call->argv[0], made ? "; it was not made" : "", (unsigned long long)l.line);
    code = EXIT_SYSTEM;
  } else if (result) {
    if (l.line) name_line(&call->error, l.line);
    code = fail(call);
  }
  if (!standard) fclose(in);
  if (l.file) code = close_file(call, l.file, code);
  if (l.file && made && code) remove(call->argv[0]);
  if (code) interrupts_obey();
  return code;
}

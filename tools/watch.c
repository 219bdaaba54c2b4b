/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* watch.c: samples of fields, their rates and graphs. */
#include "watch.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct cut_text {
  char *text;
  size_t used;
};

/* Takes what fits and stops the visit there: a long value costs no more than a short one. */
static int emit_cut(void *arg, const char *bytes, size_t count) {
  struct cut_text *cut = arg;
  size_t room = WATCH_TEXT - 1 - cut->used, part = count < room ? count : room;
  memcpy(cut->text + cut->used, bytes, part);
  cut->used += part;
  cut->text[cut->used] = 0;
  return part == count ? 0 : -ECANCELED;
}

/* Bytes look like digits where all of them happen to be: no number for all that. */
static int quoted_raw(struct mm3_sink *sink, const void *bytes, size_t count) {
  struct mm3j_writer *writer = (struct mm3j_writer *)(void *)sink, plain;
  mm3j_writer_init(&plain, MM3J_JSON, writer->buffer, writer->size, writer->emit, writer->arg);
  int result = mm3j_writer_flush(writer);
  if (!result) result = plain.sink.raw(&plain.sink, bytes, count);
  return result ? result : mm3j_writer_flush(&plain);
}

static int read_value(const struct watched *row, char text[WATCH_TEXT], struct mm3_error *error) {
  char buffer[256];
  struct cut_text cut = {.text = text};
  struct mm3j_writer writer;
  uint64_t count, capacity;
  text[0] = 0;
  if (row->field.type && mm3_field_count(&row->field, &count, &capacity) == 0) {
    if (capacity == UINT64_MAX) snprintf(text, WATCH_TEXT, "%llu item%s", (unsigned long long)count, count == 1 ? "" : "s");
    else snprintf(text, WATCH_TEXT, "%llu of %llu items", (unsigned long long)count, (unsigned long long)capacity);
    return 0;
  }
  mm3j_writer_init(&writer, MM3J_HUMAN, buffer, sizeof buffer, emit_cut, &cut);
  writer.tame = true;
  writer.depth = 1; /* on one line, texts in quotes */
  if (row->field.type && !row->field.type->nmembers) writer.sink.raw = quoted_raw;
  int result = mm3_field_visit(&row->field, &writer.sink, error);
  if (!result) result = mm3j_writer_flush(&writer);
  if (result != -ECANCELED) return result;
  cut.used = mm3_utf8_cut(text, cut.used, WATCH_TEXT - 4);
  strcpy(text + cut.used, "...");
  return 0;
}

static void update(struct watch *watch, struct watched *row, const char *text, double passed) {
  char *end;
  double number = strtod(text, &end);
  row->changed = row->seen && strcmp(row->text, text) != 0;
  bool numeric = end != text && (*end == 0 || *end == ' ') && isfinite(number);
  row->rate = row->seen && numeric && row->numeric && passed > 0 ? (number - row->number) / passed : 0;
  memmove(row->history, row->history + 1, sizeof row->history - sizeof row->history[0]);
  row->history[WATCH_HISTORY - 1] = (float)fabs(row->rate);
  row->numeric = numeric;
  row->number = number;
  row->seen = true;
  row->rounds++;
  strcpy(row->text, text);
  (void)watch;
}

int watch_sample(struct watch *watch) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  double seconds = (double)now.tv_sec + (double)now.tv_nsec * 1e-9, passed = seconds - watch->now;
  watch->now = seconds;
  for (size_t i = 0; i < watch->count; i++) {
    char text[WATCH_TEXT];
    struct watched *row = &watch->rows[i];
    struct mm3_error error = {0};
    int result = read_value(row, text, &error);
    if (result == -MM3_E_AGAIN) snprintf(text, sizeof text, "(moving)");
    else if (result == -MM3_E_DAMAGED) snprintf(text, sizeof text, "(damaged)");
    else if (result) {
      watch->call->error = error;
      if (!error.code) mm3_error_set(&watch->call->error, result, "%s: %s", row->path, mm3_strerror(result));
      return result;
    }
    update(watch, row, text, passed);
  }
  return 0;
}

size_t watch_graph(const struct watched *row, unsigned width, char *text) {
  float most = 0;
  size_t used = 0;
  if (width > WATCH_HISTORY) width = WATCH_HISTORY;
  for (unsigned i = WATCH_HISTORY - width; i < WATCH_HISTORY; i++)
    if (row->history[i] > most) most = row->history[i];
  for (unsigned i = WATCH_HISTORY - width; i < WATCH_HISTORY; i++) {
    unsigned height = most > 0 ? (unsigned)(row->history[i] / most * 7.99f) : 0;
    if (row->history[i] > 0 || row->numeric) used += mm3_utf8_encode(0x2581 + height, text + used);
    else text[used++] = ' ';
  }
  text[used] = 0;
  return used;
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* json_send.c: a value to a sink, and what a sink got as a value. */
#include "json_in.h"
#include "json_out.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int mm3j_send(struct mm3_sink *sink, const struct mm3_value *value) {
  struct mm3_value key, item;
  void *cursor = NULL;
  int result;
  switch (value->is) {
    case MM3_NULL: return sink->null(sink);
    case MM3_BOOL: return sink->boolean(sink, value->as.boolean);
    case MM3_INT: return sink->integer(sink, value->as.integer);
    case MM3_UINT: return sink->natural(sink, value->as.natural);
    case MM3_REAL: return sink->real(sink, value->as.real, 64);
    case MM3_TEXT: return sink->text(sink, value->as.text, value->count);
    case MM3_LIST:
      result = sink->begin_list(sink, value->count);
      while (!result && value->source->next(value, &cursor, &key, &item)) result = mm3j_send(sink, &item);
      return result ? result : sink->end_list(sink);
    case MM3_MAP:
      result = sink->begin_map(sink, value->count);
      while (!result && value->source->next(value, &cursor, &key, &item)) {
        result = sink->key(sink, key.as.text, key.count);
        if (!result) result = mm3j_send(sink, &item);
      }
      return result ? result : sink->end_map(sink);
  }
  return -EINVAL;
}

int mm3j_emit_memory(void *arg, const char *bytes, size_t count) {
  struct mm3j_memory *memory = arg;
  if (memory->size - memory->used <= count) {
    size_t size = (memory->size + count) * 2 + 256;
    char *text = realloc(memory->text, size);
    if (!text) return -ENOMEM;
    memory->text = text;
    memory->size = size;
  }
  memcpy(memory->text + memory->used, bytes, count);
  memory->used += count;
  memory->text[memory->used] = 0;
  return 0;
}

int mm3j_capture(int (*visit)(void *arg, struct mm3_sink *sink), void *arg, struct mm3j_doc **doc,
                 struct mm3_error *error) {
  char buffer[4096];
  struct mm3j_memory memory = {0};
  struct mm3j_writer writer;
  mm3j_writer_init(&writer, MM3J_JSON, buffer, sizeof buffer, mm3j_emit_memory, &memory);
  int result = visit(arg, &writer.sink);
  if (!result) result = mm3j_writer_flush(&writer);
  *doc = NULL;
  if (!result) result = mm3j_parse(memory.text ? memory.text : "", memory.used, doc, error);
  free(memory.text);
  return result;
}

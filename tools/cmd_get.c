/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* cmd_get.c: mm3 get. */
#include "commands.h"

static int get_one(struct call *call, struct mm3_file *file, const char *path, struct mm3j_writer *writer) {
  struct mm3_field field;
  int result = find_field(call, file, path, &field);
  if (result && result != -MM3_E_MODULE) return result; /* of a missing module: its bytes are shown */
  return mm3_field_visit(&field, &writer->sink, &call->error);
}

static const struct option_row options[] = {{0, "locked", NULL, "hold the file's lock: all values of one moment"},
                                            {0, "count", NULL, "print how many items it has, and how many fit"},
                                            {0, NULL, NULL, NULL}};

static int get_values(struct call *call, struct mm3_file *file) {
  struct mm3j_writer writer;
  struct mm3_field field;
  out_begin(call, &writer);
  int result = 0;
  bool several = writer.paths = call->argc > 2;
  for (int i = 1; several && i < call->argc && !result; i++) { /* a path that leads nowhere is told before anything is printed */
    result = find_field(call, file, call->argv[i], &field);
    if (result == -MM3_E_MODULE) result = 0;
  }
  if (several && !result) result = out_open(&writer, NULL, '{');
  for (int i = 1; i < call->argc && !result; i++) {
    if (several) result = out_key(&writer, call->argv[i]);
    if (!result) result = get_one(call, file, call->argv[i], &writer);
  }
  if (call->argc == 1) result = get_one(call, file, NULL, &writer);
  if (several && !result) result = out_close(&writer, '}');
  return out_end(call, &writer, result);
}

static int get_count(struct call *call, struct mm3_file *file) {
  struct mm3_field field;
  struct mm3j_writer w;
  uint64_t count, capacity;
  const char *path = call->argc > 1 ? call->argv[1] : NULL;
  int result = find_field(call, file, path, &field);
  if (result) return fail(call);
  result = mm3_field_count(&field, &count, &capacity);
  if (result) return fail_code(call, result, call->argv[0], "field '%s': has no items to count", path ? path : "");
  out_begin(call, &w);
  result = out_open(&w, NULL, '{');
  if (!result) result = out_number(&w, "count", count);
  if (!result) result = capacity == UINT64_MAX ? out_text(&w, "capacity", NULL) : out_number(&w, "capacity", capacity);
  return out_end(call, &w, result ? result : out_close(&w, '}'));
}

static int get_run(struct call *call) {
  bool locked = call_option(call, "locked") != NULL;
  struct mm3_file *file = locked ? open_writing(call, call->argv[0]) : open_reading(call, call->argv[0]);
  if (!file) return fail(call);
  int code = locked ? mm3_lock(file) : 0;
  if (code < 0) code = fail_code(call, code, call->argv[0], "the lock: %s", mm3_strerror(code));
  else code = call_option(call, "count") ? get_count(call, file) : get_values(call, file);
  if (locked && mm3_locked(file)) mm3_unlock(file);
  return close_file(call, file, code);
}

const struct command command_get = {
    .name = "get", .operands = "FILE [PATH...]", .brief = "print values",
    .detail = "Without a path: all fields. A text alone is printed as it is; --json spells everything as JSON.\n"
              "A slice (events[-10:]) prints its items. Reads while others write: each value is whole.",
    .options = options, .least = 1, .most = -1, .run = get_run};

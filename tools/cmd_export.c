/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* cmd_export.c: mm3 export: a whole file or a part of it as JSON, in memory that does not grow with it. */
#include "commands.h"
#include "progress.h"
#include "sorted.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct option_row export_options[] = {{'l', "lines", NULL, "JSON lines: an item of PATH a line"},
                                                   {'i', "indent", NULL, "indented, for people and for diff"},
                                                   {'s', "sort", NULL, "entries of maps by their keys"},
                                                   {0, "locked", NULL, "hold the file's lock: all values of one moment"},
                                                   {0, "careful", NULL, "read a damaged file too, as far as it makes sense"},
                                                   {0, NULL, NULL, NULL}};

struct sending {
  struct progress progress;
  uint64_t sent;
};

static int emit(void *arg, const char *bytes, size_t count) {
  struct sending *sending = arg;
  progress_step(&sending->progress, sending->sent += count);
  return mm3j_emit_file(stdout, bytes, count);
}

static int export_run(struct call *call) {
  struct sending sending = {.sent = 0};
  struct mm3_options careful = {.size = sizeof careful, .flags = MM3_CAREFUL};
  struct mm3_file *file = call_option(call, "careful") ? mm3_open(call->argv[0], NULL, &careful, &call->error)
                          : call_option(call, "locked") ? open_writing(call, call->argv[0])
                                                        : open_reading(call, call->argv[0]);
  if (!file) return fail(call);
  struct mm3j_writer writer;
  struct mm3_field field;
  enum mm3j_style style = call_option(call, "lines") ? MM3J_LINES : MM3J_JSON;
  bool locked = call_option(call, "locked") != NULL;
  mm3j_writer_init(&writer, style, call->buffer, sizeof call->buffer, emit, &sending);
  if (style == MM3J_JSON && call_option(call, "indent")) writer.indent = 2;
  int result = find_field(call, file, call->argc > 1 ? call->argv[1] : NULL, &field);
  if (!result && locked && (result = mm3_lock(file)) < 0) mm3_error_set(&call->error, result, "the lock: %s", mm3_strerror(result));
  progress_begin(&sending.progress, call, "export", 0, true);
  if (result >= 0)
    result = call_option(call, "sort") ? sorted_visit(call, file, &field, &writer.sink)
                                       : mm3_field_visit(&field, &writer.sink, &call->error);
  progress_end(&sending.progress);
  if (locked && mm3_locked(file)) mm3_unlock(file);
  return close_file(call, file, out_end(call, &writer, result));
}

const struct command command_export = {.name = "export", .operands = "FILE [PATH]", .brief = "write values as JSON",
                                       .detail = "In memory that does not grow with the file, but with --sort with its largest map. Without --locked what is written meanwhile comes as\n"
                                                 "it was at some moment, each field, item and entry for itself.",
                                       .options = export_options, .least = 1, .most = 2, .run = export_run};

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* cmd_export.c: mm3 export: a whole file or a part of it as JSON, in memory that does not grow with it. */
#include "commands.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct option_row export_options[] = {{'l', "lines", NULL, "JSON lines: an item of PATH a line"},
                                                   {'i', "indent", NULL, "indented, for people and for diff"},
                                                   {0, "careful", NULL, "read a damaged file too, as far as it makes sense"},
                                                   {0, NULL, NULL, NULL}};

static int export_run(struct call *call) {
  struct mm3_options careful = {.size = sizeof careful, .flags = MM3_CAREFUL};
  struct mm3_file *file = call_option(call, "careful") ? mm3_open(call->argv[0], NULL, &careful, &call->error)
                                                       : open_reading(call, call->argv[0]);
  if (!file) return fail(call);
  struct mm3j_writer writer;
  struct mm3_field field;
  enum mm3j_style style = call_option(call, "lines") ? MM3J_LINES : MM3J_JSON;
  mm3j_writer_init(&writer, style, call->buffer, sizeof call->buffer, mm3j_emit_file, stdout);
  if (style == MM3J_JSON && call_option(call, "indent")) writer.indent = 2;
  int result = find_field(call, file, call->argc > 1 ? call->argv[1] : NULL, &field);
  if (!result) result = mm3_field_visit(&field, &writer.sink, &call->error);
  return close_file(call, file, out_end(call, &writer, result));
}

const struct command command_export = {.name = "export", .operands = "FILE [PATH]", .brief = "write values as JSON",
                                       .options = export_options, .least = 1, .most = 2, .run = export_run};

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* cmd_schema.c: mm3 schema. */
#include "commands.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct option_row options[] = {{'e', "expression", "TEXT", "check TEXT instead of reading a file's schema"},
                                            {0, NULL, NULL, NULL}};

static int print_schema(struct call *call, const char *text) {
  if (!call->json) {
    fputs(text, stdout);
    if (!*text || text[strlen(text) - 1] != '\n') putchar('\n');
    return EXIT_DONE;
  }
  struct mm3j_writer w;
  out_begin(call, &w);
  int result = out_open(&w, NULL, '{');
  if (!result) result = out_number(&w, "version", 1);
  if (!result) result = out_text(&w, "schema", text);
  return out_end(call, &w, result ? result : out_close(&w, '}'));
}

static int format_schema(struct call *call, const char *text) {
  size_t need = 0;
  int result = mm3_schema_format(text, NULL, 0, &need, &call->error);
  char *buffer = result == -ERANGE ? malloc(need) : NULL;
  if (buffer) result = mm3_schema_format(text, buffer, need, &need, &call->error);
  int code = result ? fail(call) : print_schema(call, buffer ? buffer : "");
  free(buffer);
  return code;
}

static int schema_run(struct call *call) {
  const char *text = call_option(call, "expression");
  if (text && call->argc) return fail_usage(call, "-e gives the schema, so '%s' is one argument too many", call->argv[0]);
  if (text) return format_schema(call, text);
  if (!call->argc) return fail_usage(call, "which file? mm3 schema FILE, or -e 'struct ...'");
  struct mm3_file *file = open_reading(call, call->argv[0]);
  if (!file) return fail(call);
  return close_file(call, file, print_schema(call, mm3_file_schema(file)));
}

const struct command command_schema = {.name = "schema", .operands = "FILE | -e TEXT",
                                       .brief = "print a file's schema, or check one",
                                       .options = options, .most = 1, .run = schema_run};

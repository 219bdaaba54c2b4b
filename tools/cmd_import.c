/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* cmd_import.c: mm3 import: values from one JSON text, whatever its length. Lines are in import_lines.c. */
#include "commands.h"
#include "import.h"
#include "json_stream.h"
#include "progress.h"
#include <errno.h>
#include <mm3/guard.h>
#include <stdlib.h>
#include <string.h>

static const struct option_row import_options[] = {
    {'c', "create", "SCHEMA", "make the file first (a file, - is not possible)"},
    {'e', "expression", "TEXT", "make the file first, from the schema TEXT"},
    {'p', "path", "PATH", "import into this field only"},
    {'l', "lines", "PATH", "JSON lines: each line is appended to this field, or is its {key: value}"},
    {0, NULL, NULL, NULL}};

struct mm3_file *import_open(struct call *call, bool *made) {
  const char *schema = call_option(call, "create"), *text = call_option(call, "expression"), *path = call->argv[0];
  char *whole = NULL;
  size_t size;
  *made = schema || text;
  if (!*made) {
    struct mm3_file *file = open_writing(call, path);
    hint(call, -ENOENT, "--create SCHEMA, or -e TEXT, makes it");
    return file;
  }
  if (!text && read_whole(call, schema, &whole, &size)) return NULL;
  struct mm3_file *file = mm3_create_schema(path, text ? text : whole, NULL, &call->error);
  free(whole);
  return file;
}

struct import {
  struct call *call;
  const char *from, *path;
  struct mm3_file *file;
  struct mm3j_stream *stream;
  struct progress progress;
  bool made;
};

static int between(void *arg, uint64_t done) {
  struct import *import = arg;
  progress_step(&import->progress, done);
  return interrupted() ? -EINTR : 0;
}

static void name_input(struct import *import) {
  struct mm3_error *error = &import->call->error;
  snprintf(error->file, sizeof error->file, "%s", strcmp(import->from, "-") == 0 ? "standard input" : import->from);
}

/* Under a guard of the input, which somebody may cut meanwhile. */
static int import_value(void *arg) {
  struct import *import = arg;
  struct call *call = import->call;
  struct mm3_value value;
  struct mm3_field field;
  int result = mm3j_stream_read(import->stream, !import->path, &value, &call->error);
  if (result) return name_input(import), result;
  import->file = import_open(call, &import->made);
  if (!import->file) return call->error.code;
  result = find_field(call, import->file, import->path, &field);
  if (!result) result = mm3_field_put(&field, &value, &call->error);
  int stopped = mm3j_stream_error(import->stream, &call->error);
  if (stopped) name_input(import);
  return stopped ? stopped : result;
}

/* The sentence for what went wrong. */
static int import_fail(struct import *import, int result) {
  struct call *call = import->call;
  if (result == -EINTR && interrupted())
    return say(call, "%s: interrupted; it %s", call->argv[0], import->made ? "was not made" : "is as it was"), EXIT_SYSTEM;
  if (result == -MM3_E_TRUNCATED && call->error.code != result) {
    mm3_error_set(&call->error, result, "was cut while it was read");
    name_input(import);
  }
  return fail(call);
}

static int import_run(struct call *call) {
  struct import import = {.call = call, .from = call->argc > 1 ? call->argv[1] : "-", .path = call_option(call, "path")};
  const struct mm3j_between how = {between, &import};
  if (call_option(call, "lines")) return import_lines(call, call_option(call, "lines"));
  interrupts_catch();
  int result = mm3j_stream_open(import.from, &how, &import.stream, &call->error);
  /* each byte is parsed twice: for the dry try, and for the stores */
  if (!result) {
    progress_begin(&import.progress, call, "import", 2 * mm3j_stream_size(import.stream), false);
    result = mm3_guard_run(mm3j_stream_map(import.stream), import_value, &import);
    progress_end(&import.progress);
  }
  int code = result ? import_fail(&import, result) : EXIT_DONE;
  mm3j_stream_close(import.stream);
  if (import.file) code = close_file(call, import.file, code);
  if (import.file && import.made && code) remove(call->argv[0]);
  if (code) interrupts_obey();
  return code;
}

const struct command command_import = {
    .name = "import", .operands = "FILE [JSON]", .brief = "read values from JSON",
    .detail = "JSON is a file, or standard input, of any length. An object may hold any subset of the fields. All or\n"
              "nothing for fields of a fixed size, and for each field that grows: everything is tried before the first\n"
              "store, and with an error, or ctrl-C, the file stays as it was; one that --create made is removed.",
    .options = import_options, .least = 1, .most = 2, .run = import_run};

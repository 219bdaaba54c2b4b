/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* cmd_create.c: mm3 create. */
#include "commands.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct option_row options[] = {
    {'e', "expression", "TEXT", "the schema is TEXT itself"},
    {0, "replace", NULL, "take the place of an existing file; its users are told"},
    {0, "mode", "OCTAL", "permission bits (0666 less umask)"},
    {0, "limit", "BYTES", "the file never grows beyond this; K, M, G, T"},
    {0, "sparse", NULL, "allow holes: a full disk then kills the writer (SIGBUS)"},
    {0, NULL, NULL, NULL}};

static int read_options(struct call *call, struct mm3_options *to) {
  const char *mode = call_option(call, "mode"), *limit = call_option(call, "limit");
  if (call_option(call, "replace")) to->flags |= MM3_REPLACE;
  if (call_option(call, "sparse")) to->flags |= MM3_SPARSE;
  if (mode) {
    char *end;
    unsigned long bits = strtoul(mode, &end, 8);
    if (*end || end == mode || bits > 0777 || bits == 0)
      return fail_usage(call, "option '--mode' wants octal permission bits such as 640, not '%s'", mode);
    to->mode = (uint32_t)bits;
  }
  return limit ? call_number(call, "limit", limit, &to->limit) : 0;
}

static int create_run(struct call *call) {
  const char *text = call_option(call, "expression");
  char *whole = NULL;
  size_t size;
  struct mm3_options to = {.size = sizeof to};
  if (text ? call->argc != 1 : call->argc != 2)
    return fail_usage(call, text ? "-e gives the schema, so '%s' is one argument too many"
                                 : "which schema? mm3 create %s SCHEMA, or -e 'struct ...'",
                      call->argv[text ? 1 : 0]);
  int code = read_options(call, &to);
  if (code) return code;
  if (!text && read_whole(call, call->argv[1], &whole, &size)) {
    if (strchr(call->argv[1], '{')) hint(call, -ENOENT, "a schema's text, rather than its file, comes after -e");
    return fail(call);
  }
  if (whole && strlen(whole) != size) {
    free(whole);
    return fail_code(call, -MM3_E_SCHEMA, call->argv[1], "not a schema: there is a zero byte in it");
  }
  struct mm3_file *file = mm3_create_schema(call->argv[0], text ? text : whole, &to, &call->error);
  free(whole);
  hint(call, -EEXIST, "--replace takes its place");
  if (!file) return fail(call);
  if (call->verbose) say(call, "%s: created", call->argv[0]);
  return close_file(call, file, EXIT_DONE);
}

const struct command command_create = {
    .name = "create", .operands = "FILE SCHEMA | FILE -e TEXT", .brief = "make a file from a schema",
    .detail = "SCHEMA is a file or - for standard input: struct counter { value: atomic(u64) name: string(32) }\n"
              "The last struct is the file's. Types: u8..u128 i8..i128 f32 f64 bool char usize isize raw(N)\n"
              "enum(u32, idle, busy), a struct's name, and whatever mm3 modules lists. An existing file is kept: exit 7.",
    .options = options, .least = 1, .most = 2, .run = create_run};

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* cmd_schema.c: mm3 schema: a file's schema, a text's, or one made from Rust. */
#include "commands.h"
#include "rust.h"
#include "schema_text.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct option_row options[] = {{'e', "expression", "TEXT", "check TEXT instead of reading a file's schema"},
                                            {0, "to", "FORM", "c: a header; json: its structs and fields"},
                                            {0, "from", "FILE.rs", "from Rust structs with memmap3's attributes"},
                                            {0, "struct", "NAME", "with --from: this struct and what it needs"},
                                            {0, NULL, NULL, NULL}};

static int print_schema(struct call *call, const char *text, const char *origin) {
  const char *to = call_option(call, "to");
  if (call->json || (to && strcmp(to, "json") == 0)) return schema_to_json(call, text);
  if (to && strcmp(to, "c") == 0) return schema_to_c(text, origin, stdout);
  if (to) return fail_usage(call, "option '--to' wants c or json, not '%s'", to);
  fputs(text, stdout);
  return EXIT_DONE;
}

/* The text in canonical form: every type must be known here. */
static int print_formatted(struct call *call, const char *text, const char *origin) {
  size_t need = 0;
  int result = mm3_schema_format(text, NULL, 0, &need, &call->error);
  char *buffer = result == -ERANGE ? malloc(need) : NULL;
  if (buffer) result = mm3_schema_format(text, buffer, need, &need, &call->error);
  int code = result ? fail(call) : print_schema(call, buffer ? buffer : "", origin);
  free(buffer);
  return code;
}

/* Types that no module here gives are printed too: the schema may be for another machine. */
static int print_rust(struct call *call, const char *path) {
  struct mm3j_memory out = {0};
  char *text;
  char note[RUST_NOTE] = "";
  size_t size;
  int result = read_whole(call, path, &text, &size);
  if (!result) {
    result = rust_schema(text, call_option(call, "struct"), &out, note, &call->error);
    if (result) snprintf(call->error.file, sizeof call->error.file, "%s", path);
  }
  free(text);
  if (!result && note[0]) say(call, "%s: %s", path, note);
  int code = result ? fail(call) : print_schema(call, out.text, path);
  free(out.text);
  return code;
}

static int schema_run(struct call *call) {
  const char *text = call_option(call, "expression"), *rust = call_option(call, "from");
  if (call->argc && (text || rust))
    return fail_usage(call, "--%s gives the schema, so '%s' is one argument too many", text ? "expression" : "from",
                      call->argv[0]);
  if (rust) return print_rust(call, rust);
  if (text) return print_formatted(call, text, "a text");
  if (!call->argc) return fail_usage(call, "which file? mm3 schema FILE, -e 'struct ...' or --from FILE.rs");
  struct mm3_file *file = open_reading(call, call->argv[0]);
  if (!file) return fail(call);
  return close_file(call, file, print_schema(call, mm3_file_schema(file), call->argv[0]));
}

const struct command command_schema = {
    .name = "schema", .operands = "FILE | -e TEXT | --from FILE.rs", .brief = "print a file's schema, or make one",
    .detail = "The header of --to c declares the structs for a program that opens the file. --from takes Rust as in\n"
              "memmap3's README: [u8; 32] is a string(32), #[mmap(atomic)] value: u64 an atomic(u64), and so on.",
    .options = options, .most = 1, .run = schema_run};

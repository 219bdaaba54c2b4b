/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* say.c: messages on stderr. */
#include "tool.h"
#include <stdarg.h>
#include <string.h>

/* Names and texts may come from a hostile file: nothing of them reaches a terminal as a command to it. */
void print_safe(FILE *out, const char *text) {
  for (const char *at = text; *at; at++) {
    unsigned char c = (unsigned char)*at;
    if (c < 0x20 || c == 0x7f) fprintf(out, "\\x%02x", c);
    else putc(c, out);
  }
}

int fail(struct call *call) {
  const struct mm3_error *error = &call->error;
  const char *text = error->text[0] ? error->text : mm3_strerror(error->code);
  fflush(stdout);
  size_t file_length = strlen(error->file);
  if (file_length && strncmp(text, error->file, file_length) == 0 && strncmp(text + file_length, ": ", 2) == 0)
    text += file_length + 2; /* the field comes between */
  fputs("mm3: ", stderr);
  if (file_length) {
    print_safe(stderr, error->file);
    fputs(": ", stderr);
  }
  if (error->field[0] && strncmp(text, "field '", 7) != 0) {
    fputs("field '", stderr);
    print_safe(stderr, error->field);
    fputs("': ", stderr);
  }
  print_safe(stderr, text);
  putc('\n', stderr);
  return mm3_exit_code(error->code);
}

int fail_code(struct call *call, int code, const char *file, const char *format, ...) {
  va_list args;
  call->error = (struct mm3_error){.code = code};
  snprintf(call->error.file, sizeof call->error.file, "%s", file ? file : "");
  va_start(args, format);
  vsnprintf(call->error.text, sizeof call->error.text, format, args);
  va_end(args);
  return fail(call);
}

int fail_usage(struct call *call, const char *format, ...) {
  va_list args;
  char text[512];
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  fputs("mm3: ", stderr);
  print_safe(stderr, text);
  if (call->command) fprintf(stderr, "\nTry 'mm3 help %s'.\n", call->command->name);
  else fputs("\nTry 'mm3 help'.\n", stderr);
  return EXIT_USAGE;
}

void hint(struct call *call, int when, const char *text) {
  size_t used = strlen(call->error.text);
  if (call->error.code == when) snprintf(call->error.text + used, sizeof call->error.text - used, "; %s", text);
}

void say(const struct call *call, const char *format, ...) {
  if (call->quiet) return;
  va_list args;
  char text[1024];
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  fflush(stdout);
  fputs("mm3: ", stderr);
  print_safe(stderr, text);
  putc('\n', stderr);
}

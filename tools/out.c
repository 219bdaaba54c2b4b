/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* out.c: values to stdout. */
#include "tool.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

void out_begin(struct call *call, struct mm3j_writer *writer) {
  enum mm3j_style style = call->json ? MM3J_JSON : call->plain ? MM3J_PLAIN : MM3J_HUMAN;
  mm3j_writer_init(writer, style, call->buffer, sizeof call->buffer, mm3j_emit_file, stdout);
  writer->tame = isatty(STDOUT_FILENO);
}

int out_end(struct call *call, struct mm3j_writer *writer, int result) {
  if (!result && writer->written) result = mm3j_write(writer, "\n", 1);
  int flushed = mm3j_writer_flush(writer);
  if (!result) result = flushed;
  errno = 0;
  if (!result && fflush(stdout) != 0) result = errno ? -errno : -EIO;
  if (!result) return EXIT_DONE;
  if (result == -EPIPE) return EXIT_SYSTEM; /* nobody reads any more: nothing to say to */
  if (call->error.code != result) return fail_code(call, result, NULL, "writing: %s", mm3_strerror(result));
  return fail(call);
}

int out_key(struct mm3j_writer *w, const char *key) { return key ? w->sink.key(&w->sink, key, strlen(key)) : 0; }

int out_text(struct mm3j_writer *w, const char *key, const char *text) {
  int result = out_key(w, key);
  if (result) return result;
  return text ? w->sink.text(&w->sink, text, strlen(text)) : w->sink.null(&w->sink);
}

int out_number(struct mm3j_writer *w, const char *key, uint64_t value) {
  int result = out_key(w, key);
  if (result) return result;
  return value > INT64_MAX ? w->sink.natural(&w->sink, value) : w->sink.integer(&w->sink, (int64_t)value);
}

int out_flag(struct mm3j_writer *w, const char *key, bool value) {
  int result = out_key(w, key);
  return result ? result : w->sink.boolean(&w->sink, value);
}

int out_open(struct mm3j_writer *w, const char *key, char bracket) {
  int result = out_key(w, key);
  if (result) return result;
  return bracket == '{' ? w->sink.begin_map(&w->sink, 0) : w->sink.begin_list(&w->sink, 0);
}

int out_close(struct mm3j_writer *w, char bracket) {
  return bracket == '}' ? w->sink.end_map(&w->sink) : w->sink.end_list(&w->sink);
}

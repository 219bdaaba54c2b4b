/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* cmd_check.c: mm3 check: every field and the file's own structures. */
#include "commands.h"

struct findings {
  struct call *call;
  struct mm3j_writer *writer; /* with --json */
  uint64_t count;
  int result;
};

static void found(void *arg, const struct mm3_error *finding) {
  struct findings *all = arg;
  struct mm3j_writer *w = all->writer;
  all->count++;
  if (!w) {
    printf("%s%s%s", finding->field[0] ? "field '" : "", finding->field, finding->field[0] ? "': " : "");
    print_safe(stdout, finding->text);
    putchar('\n');
    return;
  }
  int result = all->result;
  if (!result) result = out_open(w, NULL, '{');
  if (!result) result = out_text(w, "field", finding->field[0] ? finding->field : NULL);
  if (!result) result = out_text(w, "code", mm3_error_name(finding->code));
  if (!result) result = out_text(w, "text", finding->text);
  if (!result) result = out_close(w, '}');
  all->result = result;
}

static int check_run(struct call *call) {
  struct mm3_file *file = open_reading(call, call->argv[0]);
  if (!file) return fail(call);
  struct mm3j_writer writer;
  struct findings all = {.call = call, .writer = call->json ? &writer : NULL};
  if (call->json) {
    out_begin(call, &writer);
    all.result = out_open(&writer, NULL, '[');
  }
  int result = mm3_check(file, found, &all), code;
  if (result < 0) code = fail_code(call, result, call->argv[0], "the check could not run: %s", mm3_strerror(result));
  else if (call->json) code = out_end(call, &writer, all.result ? all.result : out_close(&writer, ']'));
  else code = EXIT_DONE;
  if (!code && !result && !call->json && !call->quiet) printf("%s: no damage found\n", call->argv[0]);
  return close_file(call, file, code ? code : result > 0 ? EXIT_NO : EXIT_DONE);
}

const struct command command_check = {.name = "check", .operands = "FILE",
                                      .brief = "look at every byte that has a meaning: exit 1 when something is damaged",
                                      .least = 1, .most = 1, .run = check_run};

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* mm3.c: the command: the table of its subcommands, and main. */
#include "commands.h"
#include "manual.h"
#include "tool.h"
#include <errno.h>
#include <mm3/guard.h>
#include <stdlib.h>
#include <string.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0.1.0"
#endif

static const struct command help_table;

const struct command *const commands[] = {
    &command_create, &command_info, &command_get, &command_set, &command_push, &command_add, &command_del,
    &command_check, &command_export, &command_import, &command_diff, &command_watch, &command_layout, &command_report,
    &command_hexdump, &command_schema, &command_copy, &command_migrate, &command_modules, &command_doctor, &help_table, NULL};

static const char *next_command(void *state) {
  const struct command *const **at = state;
  return **at ? (*(*at)++)->name : NULL;
}

static const struct command *find_command(const char *name) {
  for (const struct command *const *at = commands; *at; at++)
    if (strcmp((*at)->name, name) == 0) return *at;
  return NULL;
}

static int no_command(struct call *call, const char *name) {
  const struct command *const *at = commands;
  const char *near = nearest_word(name, next_command, &at);
  call->command = NULL;
  return near ? fail_usage(call, "unknown command '%s'; did you mean '%s'?", name, near)
              : fail_usage(call, "unknown command '%s'", name);
}

static int help_json(struct call *call) {
  struct mm3j_writer w;
  out_begin(call, &w);
  int result = out_open(&w, NULL, '[');
  for (const struct command *const *at = commands; *at && !result; at++) {
    result = out_open(&w, NULL, '{');
    if (!result) result = out_text(&w, "name", (*at)->name);
    if (!result) result = out_text(&w, "operands", (*at)->operands);
    if (!result) result = out_text(&w, "brief", (*at)->brief);
    if (!result) result = out_open(&w, "options", '[');
    for (const struct option_row *row = (*at)->options; row && row->name && !result; row++)
      result = out_text(&w, NULL, row->name);
    if (!result) result = out_close(&w, ']');
    if (!result) result = out_close(&w, '}');
  }
  return out_end(call, &w, result ? result : out_close(&w, ']'));
}

static const struct option_row help_options[] = {
    {0, "man", NULL, "print the page of the manual, as mdoc"},
    {0, "complete", NULL, "print what the last of the words after -- may become: for shells"},
    {0, NULL, NULL, NULL}};

static int help_run(struct call *call) {
  bool man = call_option(call, "man") != NULL;
  if (call_option(call, "complete")) return complete_words(call, call->argc, call->argv);
  if (call->argc > 1) return fail_usage(call, "one argument too many: '%s'", call->argv[1]);
  if (call->argc == 0 && man) return manual_page(NULL, stdout), EXIT_DONE;
  if (call->argc == 0 && call->json) return help_json(call);
  if (call->argc == 0) {
    help_all(stdout);
    return EXIT_DONE;
  }
  const struct command *command = find_command(call->argv[0]);
  if (!command) return no_command(call, call->argv[0]);
  if (man) manual_page(command, stdout);
  else help_command(command, stdout);
  return EXIT_DONE;
}

static const struct command help_table = {
    .name = "help", .operands = "[COMMAND]", .brief = "say how to use a command",
    .options = help_options, .most = -1, .run = help_run};

static int print_version(void) {
  uint32_t abi = mm3_module_abi();
  printf("mm3 %s (module interface %u.%u)\n", PACKAGE_VERSION, (unsigned)(abi >> 16), (unsigned)(abi & 0xffff));
  return EXIT_DONE;
}

static int run(struct call *call, int argc, char **argv) {
  const char *name = argc > 1 ? argv[1] : "help";
  if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) return print_version();
  if (strcmp(name, "--print-module-dir") == 0) return puts(mm3_module_dir()) < 0 ? EXIT_SYSTEM : EXIT_DONE;
  if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) name = "help";
  const struct command *command = find_command(name);
  if (!command) return no_command(call, name);
  int parsed = call_parse(call, command, argc > 2 ? argc - 2 : 0, argc > 2 ? argv + 2 : argv + argc);
  return parsed ? parsed - 1 : command->run(call);
}

int main(int argc, char **argv) {
  static struct call call; /* large, and zeroed */
  mm3_guard_install();     /* a file that is truncated meanwhile becomes an error */
  int code = run(&call, argc, argv);
  errno = 0;
  if (fflush(stdout) != 0 || ferror(stdout)) {
    if (code == EXIT_DONE && errno != EPIPE) fprintf(stderr, "mm3: writing to standard output: %s\n", strerror(errno));
    if (code == EXIT_DONE) code = EXIT_SYSTEM;
  }
  return code;
}

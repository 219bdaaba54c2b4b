/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * tool.h: what the parts of the mm3 command share.
 *
 * One table of subcommands (mm3.c) gives the dispatch, the help, the completions and the synopsis of the man pages.
 * A subcommand gets its call parsed: operands in argv, options by name. It returns the exit code, and prints data to
 * stdout through call->out, everything else to stderr through say and fail. It knows fields, values and sinks, and no
 * kind of field.
 */
#ifndef MM3_TOOLS_TOOL_H
#define MM3_TOOLS_TOOL_H

#include "json_in.h"
#include "json_out.h"
#include <mm3/field.h>
#include <mm3/file.h>
#include <stdbool.h>
#include <stdio.h>

/* Exit codes that are not an error's. */
enum { EXIT_DONE = 0, EXIT_NO = 1, EXIT_USAGE = 2, EXIT_SYSTEM = 7 };

struct option_row {
  char letter;          /* 0: has none */
  const char *name;
  const char *argument; /* NULL: takes none */
  const char *help;
};

enum { MAX_OPTIONS = 24 };

struct call;

struct command {
  const char *name;
  const char *operands;             /* of the synopsis: "FILE PATH VALUE..." */
  const char *brief;                /* one line */
  const char *detail;               /* for help: some lines, or NULL */
  const struct option_row *options; /* ended by a row without a name; NULL: only the common ones */
  int least, most;                  /* operands; most < 0: any number */
  int (*run)(struct call *call);
};

extern const struct command *const commands[]; /* ends with NULL */
extern const struct option_row common_options[];

struct call {
  const struct command *command;
  int argc;
  char **argv;                       /* operands only */
  const char *given[MAX_OPTIONS];    /* by the row in the command's options: its argument, or "" */
  bool json, plain, quiet, verbose;  /* the common options */
  enum { COLOUR_AUTO, COLOUR_NEVER, COLOUR_ALWAYS } colour;
  bool coloured;                     /* stdout may have colour */
  struct mm3_error error;
  char buffer[MM3J_BUFFER];          /* of the writer */
};

/* The argument of an option, "" for one that takes none, NULL when it was not given. */
const char *call_option(const struct call *call, const char *name);

/* args.c */
int call_parse(struct call *call, const struct command *command, int argc, char **argv); /* 0, or the exit code + 1 */
int call_number(struct call *call, const char *option, const char *text, uint64_t *value); /* 0, or the exit code */
void help_command(const struct command *command, FILE *out);
void help_all(FILE *out);
const char *nearest_word(const char *word, const char *(*next)(void *state), void *state);

/* say.c: `mm3: FILE: field 'x': sentence` on stderr. Each returns the exit code. */
int fail(struct call *call);                                        /* call->error */
int fail_usage(struct call *call, const char *format, ...) MM3_PRINTF(2, 3);
int fail_code(struct call *call, int code, const char *file, const char *format, ...) MM3_PRINTF(4, 5);
void hint(struct call *call, int when, const char *text);            /* `; TEXT` behind the sentence of an error of this code */
void say(const struct call *call, const char *format, ...) MM3_PRINTF(2, 3); /* a note; nothing with --quiet */
void print_safe(FILE *out, const char *text);                       /* control characters as escapes */

/* open.c */
struct mm3_file *open_reading(struct call *call, const char *path);  /* NULL: call->error is set */
struct mm3_file *open_writing(struct call *call, const char *path);
int find_field(struct call *call, struct mm3_file *file, const char *path, struct mm3_field *field);
/* A whole file or, for "-", standard input; malloc'd, ends with a zero byte. 0 or negative with call->error. */
int read_whole(struct call *call, const char *path, char **text, size_t *size);
/* Closes the file (nullable), and what the code becomes by it. */
int close_file(struct call *call, struct mm3_file *file, int exit_code);

/* value.c: an argument or an input line as a value. */
struct given_value {
  struct mm3j_doc *doc;       /* NULL: a bare word */
  struct mm3_value bare;
  struct mm3_value value;
};
int value_parse(struct call *call, const char *text, size_t count, struct given_value *given);
void value_free(struct given_value *given);
/* Tries the JSON value; where the type refuses a number, true, false or null, the same characters as a text. */
typedef int value_use(struct mm3_field *field, const struct mm3_value *value, struct mm3_error *error);
int value_apply(struct call *call, struct mm3_field *field, const struct given_value *given, value_use *use);

/* out.c: the writer of --json, --plain or for people, on stdout. */
void out_begin(struct call *call, struct mm3j_writer *writer);
int out_end(struct call *call, struct mm3j_writer *writer, int result); /* exit code; the line's end and the flush */
int out_key(struct mm3j_writer *writer, const char *key);
int out_text(struct mm3j_writer *writer, const char *key, const char *text); /* key may be NULL; NULL text: null */
int out_number(struct mm3j_writer *writer, const char *key, uint64_t value);
int out_flag(struct mm3j_writer *writer, const char *key, bool value);
int out_open(struct mm3j_writer *writer, const char *key, char bracket);     /* '[' or '{' */
int out_close(struct mm3j_writer *writer, char bracket);                     /* ']' or '}' */

#endif

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* args.c: the command line, and help: both out of the tables. Options may stand anywhere before `--`; what looks like a
 * negative number is an operand, so that `mm3 add FILE value -5` does what it says. */
#include "tool.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct option_row common_options[] = {{0, "json", NULL, "print JSON"},
                                            {0, "plain", NULL, "print tab-separated lines"},
                                            {'q', "quiet", NULL, "no notes, only errors"},
                                            {'v', "verbose", NULL, "say more"},
                                            {0, "no-color", NULL, "no colour (also: NO_COLOR, TERM=dumb)"},
                                            {'h', "help", NULL, "print this help"},
                                            {0, NULL, NULL, NULL}};

static const struct option_row no_options[] = {{0, NULL, NULL, NULL}};

static const struct option_row *options_of(const struct command *command) {
  return command->options ? command->options : no_options;
}

/* Edit distance with swaps, small words only. */
static unsigned distance(const char *a, const char *b) {
  size_t n = strlen(a), m = strlen(b);
  if (n > 63 || m > 63) return 99;
  unsigned rows[3][64];
  for (unsigned j = 0; j <= m; j++) rows[0][j] = j;
  for (unsigned i = 1; i <= n; i++) {
    unsigned *row = rows[i % 3], *up = rows[(i + 2) % 3], *upper = rows[(i + 1) % 3];
    row[0] = i;
    for (unsigned j = 1; j <= m; j++) {
      unsigned best = up[j - 1] + (a[i - 1] != b[j - 1]);
      if (up[j] + 1 < best) best = up[j] + 1;
      if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && upper[j - 2] + 1 < best) best = upper[j - 2] + 1;
      row[j] = best;
    }
  }
  return rows[n % 3][m];
}

const char *nearest_word(const char *word, const char *(*next)(void *state), void *state) {
  const char *best = NULL;
  unsigned least = (unsigned)strlen(word) / 3 + 1;
  for (const char *candidate; (candidate = next(state));) {
    unsigned d = distance(word, candidate);
    if (d > least || (best && d == least)) continue;
    best = candidate;
    least = d;
  }
  return best;
}

struct option_walk {
  const struct option_row *rows[2];
  int table;
};

static const char *next_option(void *state) {
  struct option_walk *walk = state;
  while (walk->table < 2 && !walk->rows[walk->table]->name) walk->table++;
  return walk->table < 2 ? walk->rows[walk->table]++->name : NULL;
}

static const struct option_row *find_long(const struct command *command, const char *name, size_t length, int *index) {
  const struct option_row *tables[2] = {options_of(command), common_options};
  for (int t = 0; t < 2; t++)
    for (*index = 0; tables[t][*index].name; ++*index)
      if (strncmp(tables[t][*index].name, name, length) == 0 && !tables[t][*index].name[length]) return &tables[t][*index];
  return NULL;
}

static const struct option_row *find_letter(const struct command *command, char letter, int *index) {
  const struct option_row *tables[2] = {options_of(command), common_options};
  for (int t = 0; t < 2; t++)
    for (*index = 0; tables[t][*index].name; ++*index)
      if (tables[t][*index].letter == letter) return &tables[t][*index];
  return NULL;
}

const char *call_option(const struct call *call, const char *name) {
  const struct option_row *rows = options_of(call->command);
  for (int i = 0; rows[i].name; i++)
    if (strcmp(rows[i].name, name) == 0) return call->given[i];
  return NULL;
}

/* Takes note of one option. 0, or the exit code + 1. */
static int take(struct call *call, const struct option_row *row, int index, const char *argument) {
  const struct option_row *own = options_of(call->command);
  if (row == &own[index]) {
    call->given[index] = argument ? argument : "";
    return 0;
  }
  switch (row->name[0]) {
    case 'j': call->json = true; break;
    case 'p': call->plain = true; break;
    case 'q': call->quiet = true; break;
    case 'v': call->verbose = true; break;
    case 'n': call->colour = COLOUR_NEVER; break;
    default: help_command(call->command, stdout); return EXIT_DONE + 1;
  }
  return 0;
}

static int take_long(struct call *call, char ***at, char **end) {
  const char *name = **at + 2, *equals = strchr(name, '=');
  int index;
  const struct option_row *row = find_long(call->command, name, equals ? (size_t)(equals - name) : strlen(name), &index);
  if (!row) {
    struct option_walk walk = {{options_of(call->command), common_options}, 0};
    const char *near = nearest_word(name, next_option, &walk);
    return fail_usage(call, near ? "unknown option '%s'; did you mean '--%s'?" : "unknown option '%s'", **at, near) + 1;
  }
  if (!row->argument)
    return equals ? fail_usage(call, "option '--%s' takes no argument", row->name) + 1 : take(call, row, index, NULL);
  if (equals) return take(call, row, index, equals + 1);
  if (*at + 1 == end) return fail_usage(call, "option '--%s' wants %s", row->name, row->argument) + 1;
  return take(call, row, index, *++*at);
}

static int take_letters(struct call *call, char ***at, char **end) {
  for (const char *letter = **at + 1; *letter; letter++) {
    int index, result;
    const struct option_row *row = find_letter(call->command, *letter, &index);
    if (!row) return fail_usage(call, "unknown option '-%c'", *letter) + 1;
    if (!row->argument) {
      if ((result = take(call, row, index, NULL))) return result;
      continue;
    }
    if (letter[1]) return take(call, row, index, letter + 1);
    if (*at + 1 == end) return fail_usage(call, "option '-%c' wants %s", *letter, row->argument) + 1;
    return take(call, row, index, *++*at);
  }
  return 0;
}

static bool is_operand(const char *word) {
  return word[0] != '-' || !word[1] || (word[1] >= '0' && word[1] <= '9') || word[1] == '.';
}

static void settle_colour(struct call *call) {
  const char *no = getenv("NO_COLOR"), *force = getenv("CLICOLOR_FORCE"), *term = getenv("TERM");
  if (call->colour == COLOUR_NEVER || (no && *no)) call->coloured = false;
  else if (force && *force && strcmp(force, "0") != 0) call->coloured = true;
  else call->coloured = isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0;
}

int call_parse(struct call *call, const struct command *command, int argc, char **argv) {
  char **end = argv + argc, **operand = argv;
  call->command = command;
  call->argv = argv;
  for (char **at = argv; at < end; at++) {
    int result = 0;
    if (strcmp(*at, "--") == 0) {
      while (++at < end) *operand++ = *at;
      break;
    }
    if (is_operand(*at)) *operand++ = *at;
    else result = (*at)[1] == '-' ? take_long(call, &at, end) : take_letters(call, &at, end);
    if (result) return result;
  }
  call->argc = (int)(operand - argv);
  settle_colour(call);
  if (call->json && call->plain) return fail_usage(call, "--json and --plain exclude each other") + 1;
  if (call->argc < command->least)
    return fail_usage(call, "too few arguments: mm3 %s %s", command->name, command->operands) + 1;
  if (command->most >= 0 && call->argc > command->most)
    return fail_usage(call, "one argument too many: '%s'", call->argv[command->most]) + 1;
  return 0;
}

int call_number(struct call *call, const char *option, const char *text, uint64_t *value) {
  static const char units[] = "KMGT";
  char *end;
  errno = 0;
  unsigned long long number = strtoull(text, &end, 10);
  const char *unit = *end ? strchr(units, *end) : NULL;
  unsigned shift = unit ? (unsigned)(unit - units + 1) * 10 : 0;
  if (*text < '0' || *text > '9' || errno || end[unit != NULL] || number > UINT64_MAX >> shift)
    return fail_usage(call, "option '--%s' wants a number such as 4096, 64K, 2G; not '%s'", option, text);
  *value = (uint64_t)number << shift;
  return 0;
}

static void help_options(const struct option_row *row, FILE *out) {
  for (; row->name; row++) {
    char left[64];
    snprintf(left, sizeof left, "--%s%s%s", row->name, row->argument ? " " : "", row->argument ? row->argument : "");
    if (row->letter) fprintf(out, "  -%c, %-22s %s\n", row->letter, left, row->help);
    else fprintf(out, "      %-22s %s\n", left, row->help);
  }
}

void help_command(const struct command *command, FILE *out) {
  fprintf(out, "mm3 %s: %s\n\n  mm3 %s%s%s\n\n", command->name, command->brief, command->name,
          command->operands[0] ? " " : "", command->operands);
  if (command->detail) fprintf(out, "%s\n\n", command->detail);
  help_options(options_of(command), out);
  help_options(common_options, out);
}

void help_all(FILE *out) {
  fputs("mm3: look into .mm3 files and change them, also while programs use them\n\n", out);
  for (const struct command *const *command = commands; *command; command++)
    fprintf(out, "  %-9s %s\n", (*command)->name, (*command)->brief);
  fputs("\nA path is a field's name and steps into it: name, home.x, scores[3], scores[-1], users[\"alice\"], events[-10:].\n"
        "A value is JSON; a bare word is a text where the field wants one. `--` ends the options.\n\n"
        "Exit: 0 done; 1 the answer is no; 2 usage; 3 not an mm3 file; 4 damaged; 5 version or module missing; 6 busy;\n"
        "7 input or output failed.\n\n"
        "mm3 help COMMAND says more about one; mm3 --version prints the version.\n",
        out);
}

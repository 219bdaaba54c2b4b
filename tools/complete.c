/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* complete.c: completions, out of the tables and out of the file that is already on the line. */
#include "manual.h"
#include <stdlib.h>
#include <string.h>

static void offer(const char *word, const char *begun) {
  if (strncmp(word, begun, strlen(begun)) == 0) print_safe(stdout, word), putchar('\n');
}

static void offer_options(const struct option_row *row, const char *begun) {
  for (char word[64]; row && row->name; row++) {
    snprintf(word, sizeof word, "--%s", row->name);
    offer(word, begun);
  }
}

static void offer_members(const char *path, const struct mm3_type *type, const char *begun, unsigned depth) {
  offer(path, begun);
  for (uint32_t i = 0; type && depth < 16 && i < type->nmembers; i++) {
    char inner[256];
    if (snprintf(inner, sizeof inner, "%s.%s", path, type->members[i].name) < (int)sizeof inner)
      offer_members(inner, type->members[i].type, begun, depth + 1);
  }
}

/* Shells ask with the words as they are typed: nobody has looked at the tilde yet. */
static void offer_fields(const char *path, const char *begun) {
  const char *home = path[0] == '~' && path[1] == '/' ? getenv("HOME") : NULL;
  char whole[4096];
  if (home && snprintf(whole, sizeof whole, "%s%s", home, path + 1) < (int)sizeof whole) path = whole;
  struct mm3_options options = {.size = sizeof options, .flags = MM3_READ_ONLY};
  struct mm3_file *file = mm3_open(path, NULL, &options, NULL);
  struct mm3_member_info member;
  for (uint32_t i = 0; file && mm3_file_member(file, i, &member) == 0; i++)
    offer_members(member.name, member.type, begun, 0);
  mm3_close(file);
}

/* Does this word, an option, take the next one as its argument? */
static bool takes_word(const struct command *command, const char *word) {
  size_t length = strlen(word);
  for (const struct option_row *row = command->options; row && row->name; row++) {
    if (!row->argument) continue;
    if (word[1] == '-' ? strcmp(word + 2, row->name) == 0 : word[length - 1] == row->letter) return true;
  }
  return false;
}

/* Is operand number `index` of "FILE PATH VALUE [PATH VALUE]..." a path? What repeats does so from its bracket on. */
static bool wants_path(const char *operands, int index) {
  const char *words[16];
  int count = 0, repeats = -1;
  for (const char *at = operands; *at && count < 16; at += strspn(at, " ")) {
    if (*at == '[' && repeats < 0) repeats = count;
    words[count++] = at;
    at += strcspn(at, " ");
  }
  if (index >= count && (!strstr(operands, "...") || !count)) return false;
  if (repeats < 0) repeats = count - 1;
  if (index >= count) index = repeats + (index - repeats) % (count - repeats);
  return strncmp(words[index] + (*words[index] == '['), "PATH", 4) == 0;
}

int complete_words(struct call *call, int argc, char **argv) {
  const char *begun = argc ? argv[argc - 1] : "", *file = NULL;
  const struct command *command = NULL;
  int operands = 0;
  (void)call;
  for (const struct command *const *at = commands; *at; at++) {
    if (argc < 2) offer((*at)->name, begun);
    else if (strcmp((*at)->name, argv[0]) == 0) command = *at;
  }
  if (argc < 2 || !command) return EXIT_DONE;
  for (int i = 1; i < argc - 1; i++) {
    if (argv[i][0] == '-' && argv[i][1]) {
      if (takes_word(command, argv[i]) && ++i == argc - 1) return EXIT_DONE;
      continue;
    }
    if (!operands++) file = argv[i];
  }
  if (begun[0] == '-') {
    offer_options(command->options, begun);
    offer_options(common_options, begun);
  } else if (strcmp(command->name, "help") == 0) {
    for (const struct command *const *at = commands; *at; at++) offer((*at)->name, begun);
  } else if (file && wants_path(command->operands, operands)) {
    offer_fields(file, begun);
  }
  return EXIT_DONE;
}

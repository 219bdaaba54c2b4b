/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* manual.c: the pages of section 1 out of the tables. A test runs the examples, page by page, in an empty folder. */
#include "manual.h"
#include <ctype.h>
#include <string.h>

#define COUNTER "mm3 create counter.mm3 -e 'struct counter { value: atomic(u64) name: string(32) }'\n"
#define EVENTS "mm3 create e.mm3 -e 'struct e { events: segmented(u64) users: hashmap(string(16), u32) }'\n"

static const struct example {
  const char *name, *lines;
} examples[] = {
    {"mm3", COUNTER "mm3 set counter.mm3 name hits value 41\nmm3 add counter.mm3 value 1\nmm3 get counter.mm3\n"},
    {"create", COUNTER "mm3 schema counter.mm3 >counter.schema\nmm3 create other.mm3 counter.schema --mode 640\n"
               "mm3 create other.mm3 counter.schema --replace\n"},
    {"info", COUNTER "mm3 info counter.mm3\nmm3 info --json counter.mm3\n"},
    {"get", COUNTER "mm3 get counter.mm3\nmm3 get counter.mm3 value\n" EVENTS
            "mm3 push e.mm3 events 1 2 3\nmm3 get e.mm3 'events[-2:]'\nmm3 get --count e.mm3 events\n"},
    {"set", COUNTER "mm3 set counter.mm3 name hits value 41\necho hello | mm3 set counter.mm3 name -\n" EVENTS
            "mm3 set e.mm3 'users[\"anna\"]' 7\n"},
    {"push", EVENTS "mm3 push e.mm3 events 1 2 3\nseq 1000 | mm3 push e.mm3 events -\n"},
    {"add", COUNTER "mm3 add counter.mm3 value\nmm3 add --print counter.mm3 value 41\nmm3 add counter.mm3 value -2\n"},
    {"del", EVENTS "mm3 set e.mm3 users '{\"anna\": 7, \"bert\": 8}'\nmm3 del e.mm3 'users[\"anna\"]'\n"},
    {"check", COUNTER "mm3 check counter.mm3\nmm3 check --plan counter.mm3\n"},
    {"export", COUNTER "mm3 export --indent counter.mm3 >counter.json\n" EVENTS
               "mm3 push e.mm3 events 1 2 3\nmm3 export --lines e.mm3 events | wc -l\n"},
    {"import", COUNTER "mm3 export counter.mm3 >counter.json\nmm3 import counter.mm3 counter.json\n"
               "echo '{\"value\": 5}' | mm3 import counter.mm3\n" EVENTS "seq 1000 | mm3 import --lines events e.mm3\n"},
    {"diff", COUNTER "mm3 copy counter.mm3 other.mm3\nmm3 diff counter.mm3 other.mm3\nmm3 add other.mm3 value 1\n"
             "mm3 diff counter.mm3 other.mm3 || echo they differ\n"},
    {"watch", COUNTER "mm3 watch -n 1 counter.mm3 value\nmm3 watch --json -n 2 -i 0.1 counter.mm3\n"},
    {"layout", COUNTER "mm3 layout counter.mm3\nmm3 layout --svg counter.mm3 >counter.svg\n"
               "mm3 layout -e 'struct s { a: atomic(u64) b: atomic(u64) }'\n"},
    {"hexdump", COUNTER "mm3 hexdump counter.mm3 | head\n"},
    {"schema", COUNTER "mm3 schema counter.mm3\nmm3 schema --to c counter.mm3 >counter.h\n"
               "mm3 schema -e 'struct s{a:u8}'\n"},
    {"copy", COUNTER "mm3 copy counter.mm3 copy.mm3\nmm3 copy --force counter.mm3 copy.mm3\n"},
    {"migrate", COUNTER "mm3 schema counter.mm3 | sed 's/string(32)/string(64)/' >new.schema\n"
                "mm3 migrate --plan counter.mm3 new.schema\nmm3 migrate counter.mm3 new.schema\n"},
    {"modules", "mm3 modules\nmm3 modules new ring\n"},
    {"doctor", "mm3 doctor || echo something is missing\n"},
    {"report", COUNTER "mm3 report counter.mm3 >counter.html\n"},
    {"help", "mm3 help get\nmm3 help --json\n"}};

static void text(FILE *out, const char *from) {
  bool first = true;
  for (const char *at = from; *at; first = *at++ == '\n') {
    if (first && (*at == '.' || *at == '\'')) fputs("\\&", out);
    if (*at == ' ' && at > from + 1 && at[-1] == '.' && at[-2] != '.' && isupper((unsigned char)at[1])) {
      putc('\n', out); /* mdoc has a sentence begin a line */
      continue;
    }
    if (*at == '\\') fputs("\\e", out);
    else if (*at == '-') fputs("\\-", out);
    else if (*at == '\'') fputs("\\(aq", out);
    else if (*at == '`') fputs("\\(ga", out);
    else if (*at == '^') fputs("\\(ha", out);
    else if (*at == '~') fputs("\\(ti", out);
    else if (*at == '"') fputs("\\(dq", out);
    else putc(*at, out);
  }
}

static void option_list(const struct option_row *row, FILE *out) {
  for (; row && row->name; row++) {
    fputs(".It ", out);
    if (row->letter) fprintf(out, "Fl %c , ", row->letter);
    fputs("Fl \\-", out);
    text(out, row->name);
    if (row->argument) fputs(" Ar ", out), text(out, row->argument);
    putc('\n', out);
    text(out, row->help);
    fputs(".\n", out);
  }
}

static void example_list(const char *name, FILE *out) {
  for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
    if (strcmp(examples[i].name, name) != 0) continue;
    fputs(".Sh EXAMPLES\n.Bd -literal\n", out);
    for (const char *at = examples[i].lines, *end; *at; at = end + 1) {
      char line[256];
      end = strchr(at, '\n');
      snprintf(line, sizeof line, "$ %.*s\n", (int)(end - at), at);
      text(out, line);
    }
    fputs(".Ed\n", out);
  }
}

static void head(const char *name, const char *brief, FILE *out) {
  fputs(".\\\" SPDX-License-Identifier: MIT OR Apache-2.0\n.\\\" Made by mm3 help --man out of the command's tables.\n"
        ".Dd November 23, 2026\n.Dt ", out);
  for (const char *c = name; *c; c++) putc(toupper((unsigned char)*c), out);
  fprintf(out, " 1\n.Os\n.Sh NAME\n.Nm %s\n.Nd ", name);
  text(out, brief);
  putc('\n', out);
}

static const char exit_status[] =
    ".Sh EXIT STATUS\n.Bl -tag -width 2n -compact\n.It 0\ndone\n.It 1\nthe answer is no: absent, different, damaged\n"
    ".It 2\nusage, an unknown field, a value that is refused\n.It 3\nnot an mm3 file\n.It 4\nrefused as damaged\n"
    ".It 5\na version or a module is missing\n.It 6\nbusy\n.It 7\nthe system said no\n.El\n";

static void page_of_all(FILE *out) {
  head("mm3", "look into .mm3 files and change them, also while programs use them", out);
  fputs(".Sh SYNOPSIS\n.Nm\n.Ar COMMAND\n.Op Ar option ...\n.Op Ar operand ...\n.Sh DESCRIPTION\n"
        "An .mm3 file holds one C struct, mapped into the memory of all programs that have it open.\n"
        "A path is a field\\(aqs name and steps into it:\n"
        ".Li name , home.x , scores[3] , scores[\\-1] , users[\\(dqalice\\(dq] , events[\\-10:] .\n"
        "A value is JSON; a bare word is a text where the field wants one.\n"
        "Data goes to standard output, all else to standard error.\n.Pp\nThe commands, each with a page of its own:\n"
        ".Bl -tag -width mm3-hexdump\n", out);
  for (const struct command *const *at = commands; *at; at++) {
    fprintf(out, ".It Xr mm3-%s 1\n", (*at)->name);
    text(out, (*at)->brief);
    fputs(".\n", out);
  }
  fputs(".El\n.Pp\nOptions that all of them take:\n.Bl -tag -width Ds\n", out);
  option_list(common_options, out);
  fputs(".El\n.Sh ENVIRONMENT\n.Bl -tag -width MM3_MODULE_PATH\n.It Ev MM3_MODULE_PATH\n"
        "Folders of type modules, before the one that mm3 was installed with.\n.It Ev NO_COLOR\nNo colour.\n.El\n", out);
  fputs(exit_status, out);
  example_list("mm3", out);
  fputs(".Sh SEE ALSO\n.Xr mm3 3 ,\n.Xr mm3-file 5 ,\n.Xr mm3-modules 7\n", out);
}

void manual_page(const struct command *command, FILE *out) {
  char name[64];
  if (!command) {
    page_of_all(out);
    return;
  }
  snprintf(name, sizeof name, "mm3-%s", command->name);
  head(name, command->brief, out);
  fprintf(out, ".Sh SYNOPSIS\n.Nm mm3 %s\n.Op Ar option ...\n", command->name);
  if (command->operands[0]) fputs(".Ar \"", out), text(out, command->operands), fputs("\"\n", out);
  fputs(".Sh DESCRIPTION\n", out);
  if (command->detail) text(out, command->detail), fputs("\n.Pp\n", out);
  fputs("The options are:\n.Bl -tag -width Ds\n", out);
  option_list(command->options, out);
  option_list(common_options, out);
  fputs(".El\n", out);
  fputs(exit_status, out);
  example_list(command->name, out);
  fputs(".Sh SEE ALSO\n.Xr mm3 1\n", out);
}

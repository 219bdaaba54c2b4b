/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* cmd_hexdump.c: mm3 hexdump: the root's bytes, field by field. */
#include "commands.h"
#include "layout.h"
#include <stdlib.h>
#include <string.h>

static const struct option_row options[] = {{'a', "all", NULL, "the whole file, not only the fields"},
                                            {0, NULL, NULL, NULL}};

enum { WIDTH = 16 };

struct dump {
  struct call *call;
  const struct layout *layout;
  const unsigned char *base; /* of the file */
  uint64_t root, first, end;
};

static const struct leaf *leaf_at(const struct dump *d, uint64_t at) {
  return at >= d->root && at - d->root < d->layout->size ? layout_at(d->layout, at - d->root) : NULL;
}

static void paint(const struct dump *d, const struct leaf *leaf) {
  if (d->call->coloured) printf("\033[%dm", leaf ? 31 + (int)((leaf - d->layout->leaves) % 6) : 90);
}

/* The fields that begin in this row, or the one that it lies in. */
static void names(const struct dump *d, uint64_t at, uint64_t end) {
  const struct leaf *before = at > d->root ? leaf_at(d, at - 1) : NULL;
  const char *between = "  ";
  for (; at < end; at++) {
    const struct leaf *leaf = leaf_at(d, at);
    if (leaf && leaf != before) {
      paint(d, leaf);
      printf("%s%s", between, leaf->path);
      between = ", ";
    }
    before = leaf;
  }
}

static void row(const struct dump *d, uint64_t at, const unsigned char *bytes, uint64_t end) {
  printf("%08llx ", (unsigned long long)at);
  for (uint64_t i = 0; i < WIDTH; i++) {
    if (i == 8) putchar(' ');
    if (at + i < end) paint(d, leaf_at(d, at + i)), printf(" %02x", bytes[i]);
    else printf("   ");
  }
  if (d->call->coloured) printf("\033[0m");
  printf("  |");
  for (uint64_t i = 0; i < WIDTH && at + i < end; i++) putchar(bytes[i] >= 0x20 && bytes[i] < 0x7f ? bytes[i] : '.');
  putchar('|');
  names(d, at, end < at + WIDTH ? end : at + WIDTH);
  puts(d->call->coloured ? "\033[0m" : "");
}

static void show(const struct dump *d) {
  unsigned char bytes[WIDTH], last[WIDTH] = {0};
  bool skipping = false;
  for (uint64_t at = d->first; at < d->end; at += WIDTH) {
    uint64_t count = d->end - at < WIDTH ? d->end - at : WIDTH;
    memcpy(bytes, d->base + at, count); /* once: others may be writing */
    const struct leaf *leaf = leaf_at(d, at);
    bool same = at > d->first && count == WIDTH && at + WIDTH < d->end && memcmp(bytes, last, WIDTH) == 0 &&
                leaf == leaf_at(d, at + WIDTH - 1) && leaf == leaf_at(d, at - 1);
    if (!same) row(d, at, bytes, d->end);
    else if (!skipping) puts("*");
    skipping = same;
    memcpy(last, bytes, WIDTH);
  }
}

static int choose(struct dump *d, struct mm3_file *file, const struct mm3_file_info *info) {
  struct mm3_field field;
  d->first = call_option(d->call, "all") ? 0 : info->root_offset;
  d->end = call_option(d->call, "all") ? info->length : info->root_offset + info->root_size;
  if (d->call->argc < 2) return 0;
  int result = find_field(d->call, file, d->call->argv[1], &field);
  if (result && result != -MM3_E_MODULE) return result;
  if (field.ndeep) { /* field.bytes are those of the whole value */
    snprintf(d->call->error.field, sizeof d->call->error.field, "%s", d->call->argv[1]);
    return mm3_error_set(&d->call->error, -MM3_E_PATH, "what lies within %s has no bytes of its own to show", field.type->text);
  }
  d->first = (uint64_t)((unsigned char *)field.bytes - file->base);
  if (field.type) d->end = d->first + field.type->size;
  return 0;
}

static int dump_run(struct call *call) {
  static struct mm3_file_info info;
  struct layout layout;
  struct mm3_file *file = open_reading(call, call->argv[0]);
  if (!file) return fail(call);
  info.size = sizeof info;
  int result = mm3_file_describe(file, &info);
  if (!result) result = layout_of(file, &layout);
  if (result) return close_file(call, file, fail_code(call, result, call->argv[0], "%s", mm3_strerror(result)));
  struct dump dump = {.call = call, .layout = &layout, .base = file->base, .root = info.root_offset};
  int code = choose(&dump, file, &info) ? fail(call) : EXIT_DONE;
  if (!code && !mm3_at(file, dump.first, dump.end - dump.first))
    code = fail_code(call, -MM3_E_DAMAGED, call->argv[0], "ends before its fields do");
  if (!code) show(&dump);
  free(layout.leaves);
  return close_file(call, file, code);
}

const struct command command_hexdump = {
    .name = "hexdump", .operands = "FILE [PATH]", .brief = "print bytes, with the fields that they belong to",
    .options = options, .least = 1, .most = 2, .run = dump_run};

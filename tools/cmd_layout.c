/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* cmd_layout.c: mm3 layout: a struct as a picture, of a file or of a schema. */
#include "commands.h"
#include "layout.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct option_row options[] = {{'e', "expression", "TEXT", "the schema TEXT instead of a file"},
                                            {0, "svg", NULL, "print a picture for a browser"},
                                            {0, NULL, NULL, NULL}};

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

static char letter_of(const struct layout *layout, const struct leaf *leaf) {
  return leaf ? letters[(size_t)(leaf - layout->leaves) % (sizeof letters - 1)] : '.';
}

static int colour_of(const struct layout *layout, const struct leaf *leaf) {
  return leaf ? 31 + (int)((leaf - layout->leaves) % 6) : 90;
}

static void show_line(const struct call *call, const struct layout *layout, uint64_t line) {
  const struct leaf *before = NULL;
  bool first = true;
  printf("  %8llu  ", (unsigned long long)line * CACHE_LINE);
  for (uint64_t at = line * CACHE_LINE; at < (line + 1) * CACHE_LINE && at < layout->size; at++) {
    const struct leaf *leaf = layout_at(layout, at);
    if (call->coloured && (first || leaf != before)) printf("\033[%dm", colour_of(layout, leaf));
    putchar(letter_of(layout, leaf));
    before = leaf;
    first = false;
  }
  puts(call->coloured ? "\033[0m" : "");
}

static void show_sharing(const struct layout *layout) {
  struct stretch stretch;
  for (uint64_t next = 0; layout_stretch(layout, &next, &stretch);) {
    if (!layout_contended(layout, stretch.first)) continue;
    printf("\n  false sharing in the line at %llu: ", (unsigned long long)stretch.first * CACHE_LINE);
    const char *between = "";
    for (const struct leaf *leaf = NULL; (leaf = layout_shared(layout, stretch.first, leaf)); between = ", ")
      printf("%s%s", between, leaf->path);
    printf("\n  (each write of one makes the others slow for other processors; a raw(64) between them parts them)\n");
  }
}

static int show_text(const struct call *call, const struct layout *layout, const char *title) {
  struct stretch stretch;
  print_safe(stdout, title);
  printf(": %llu bytes, alignment %llu, %llu of padding (.), a row is a cache line\n\n",
         (unsigned long long)layout->size, (unsigned long long)layout->align, (unsigned long long)layout->padding);
  for (uint64_t next = 0; layout_stretch(layout, &next, &stretch);) {
    if (stretch.lines == 1) {
      show_line(call, layout, stretch.first);
      continue;
    }
    printf("  %8llu  ... %llu lines of %c\n", (unsigned long long)stretch.first * CACHE_LINE,
           (unsigned long long)stretch.lines, letter_of(layout, layout_at(layout, stretch.first * CACHE_LINE)));
  }
  printf("\n    %10s %10s %6s\n", "offset", "size", "align");
  for (size_t i = 0; i < layout->count; i++) {
    const struct leaf *leaf = &layout->leaves[i];
    printf("  %c %10llu %10llu %6llu  %s: %s\n", letter_of(layout, leaf), (unsigned long long)leaf->offset,
           (unsigned long long)leaf->size, (unsigned long long)leaf->align, leaf->path, leaf->text);
  }
  show_sharing(layout);
  return EXIT_DONE;
}

static int json_leaf(struct mm3j_writer *w, const struct leaf *leaf) {
  int result = out_open(w, NULL, '{');
  if (!result) result = out_text(w, "path", leaf->path);
  if (!result) result = out_text(w, "type", leaf->text);
  if (!result) result = out_number(w, "offset", leaf->offset);
  if (!result) result = out_number(w, "size", leaf->size);
  if (!result) result = out_number(w, "align", leaf->align);
  return result ? result : out_close(w, '}');
}

static int show_json(struct call *call, const struct layout *layout) {
  struct mm3j_writer w;
  struct stretch stretch;
  out_begin(call, &w);
  int result = out_open(&w, NULL, '{');
  if (!result) result = out_number(&w, "version", 1);
  if (!result) result = out_number(&w, "size", layout->size);
  if (!result) result = out_number(&w, "align", layout->align);
  if (!result) result = out_number(&w, "padding", layout->padding);
  if (!result) result = out_open(&w, "fields", '[');
  for (size_t i = 0; i < layout->count && !result; i++) result = json_leaf(&w, &layout->leaves[i]);
  if (!result) result = out_close(&w, ']');
  if (!result) result = out_open(&w, "shared_lines", '[');
  for (uint64_t next = 0; !result && layout_stretch(layout, &next, &stretch);) {
    if (!layout_contended(layout, stretch.first)) continue;
    result = out_open(&w, NULL, '[');
    for (const struct leaf *leaf = NULL; !result && (leaf = layout_shared(layout, stretch.first, leaf));)
      result = out_text(&w, NULL, leaf->path);
    if (!result) result = out_close(&w, ']');
  }
  if (!result) result = out_close(&w, ']');
  return out_end(call, &w, result ? result : out_close(&w, '}'));
}

/* A file of that schema which is gone as soon as it is open: its layout is what a real one's would be. */
static struct mm3_file *file_of_schema(struct call *call, const char *schema) {
  const char *folder = getenv("TMPDIR");
  char path[512];
  snprintf(path, sizeof path, "%s/mm3-layout-XXXXXX", folder && *folder ? folder : "/tmp");
  if (!mkdtemp(path)) {
    mm3_error_set(&call->error, -errno, "%s: %s", path, strerror(errno));
    return NULL;
  }
  size_t length = strlen(path);
  strcat(path, "/f.mm3");
  struct mm3_options sparse = {.size = sizeof sparse, .flags = MM3_SPARSE};
  struct mm3_file *file = mm3_create_schema(path, schema, &sparse, &call->error);
  unlink(path);
  if (!file) { /* the message is about the schema, not about this file */
    size_t prefix = strncmp(call->error.text, path, strlen(path)) == 0 ? strlen(path) + 2 : 0;
    memmove(call->error.text, call->error.text + prefix, strlen(call->error.text) + 1 - prefix);
    call->error.file[0] = 0;
  }
  path[length] = 0;
  rmdir(path);
  return file;
}

static struct mm3_file *open_either(struct call *call, const char *path) {
  struct mm3_file *file = open_reading(call, path);
  if (file || call->error.code != -MM3_E_NOT_MM3) return file;
  char *text;
  size_t size;
  struct mm3_error first = call->error;
  if (read_whole(call, path, &text, &size)) return NULL;
  if (memchr(text, 0, size) || !strstr(text, "struct")) call->error = first;
  else if (!(file = file_of_schema(call, text)))
    snprintf(call->error.file, sizeof call->error.file, "%s", path);
  free(text);
  return file;
}

static int layout_run(struct call *call) {
  const char *text = call_option(call, "expression"), *title = text ? "the schema" : call->argv[0];
  struct layout layout;
  if (!text == !call->argc) return fail_usage(call, "which file? mm3 layout FILE, mm3 layout SCHEMA or -e 'struct ...'");
  struct mm3_file *file = text ? file_of_schema(call, text) : open_either(call, call->argv[0]);
  if (!file) return fail(call);
  int result = layout_of(file, &layout), code = EXIT_DONE;
  if (result) code = fail_code(call, result, title, "%s", mm3_strerror(result));
  else if (call->json) code = show_json(call, &layout);
  else if (call_option(call, "svg")) layout_svg(&layout, title, stdout);
  else code = show_text(call, &layout, title);
  free(layout.leaves);
  return close_file(call, file, code);
}

const struct command command_layout = {
    .name = "layout", .operands = "FILE | SCHEMA | -e TEXT", .brief = "draw where each field lies, cache line by cache line",
    .detail = "Shows padding, and atomics that share a cache line (false sharing). A schema needs no file.",
    .options = options, .most = 1, .run = layout_run};

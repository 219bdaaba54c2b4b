/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* layout_svg.c: the layout as a picture: a row a cache line, a box a field. No script, no font, no network. */
#include "layout.h"
#include <string.h>

enum { BYTE = 12, ROW = 30, LEFT = 70, TOP = 40, COLOURS = 8 };

void print_xml(FILE *out, const char *text) {
  for (const char *c = text; *c; c++) {
    if (*c == '<') fputs("&lt;", out);
    else if (*c == '>') fputs("&gt;", out);
    else if (*c == '&') fputs("&amp;", out);
    else if (*c == '"') fputs("&quot;", out);
    else if ((unsigned char)*c < 0x20 && *c != '\n') fputs("\xef\xbf\xbd", out);
    else putc(*c, out);
  }
}

static size_t shorten(const char *text, size_t room) {
  size_t length = strlen(text);
  return length <= room ? length : room;
}

static void box(const struct layout *layout, const struct leaf *leaf, uint64_t from, uint64_t to, uint64_t line,
                unsigned y, FILE *out) {
  unsigned x = LEFT + (unsigned)(from - line * CACHE_LINE) * BYTE, width = (unsigned)(to - from) * BYTE;
  size_t room = width / 7, length = leaf ? shorten(leaf->path, room) : 0;
  char label[200];
  if (!leaf) fprintf(out, "<rect class=\"pad\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"%d\">", x, y, width, ROW - 6);
  else
    fprintf(out, "<rect class=\"f%d%s\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"%d\">",
            (int)((leaf - layout->leaves) % COLOURS), leaf->shared && layout_contended(layout, line) ? " hot" : "", x, y,
            width, ROW - 6);
  fputs("<title>", out);
  if (leaf) {
    print_xml(out, leaf->path);
    fputs(": ", out);
    print_xml(out, leaf->text);
    fprintf(out, ", %llu bytes at %llu", (unsigned long long)leaf->size, (unsigned long long)leaf->offset);
  } else {
    fprintf(out, "padding, %llu bytes at %llu", (unsigned long long)(to - from), (unsigned long long)from);
  }
  fputs("</title></rect>\n", out);
  if (length < 2) return;
  snprintf(label, sizeof label, "%.*s", (int)length, leaf->path);
  fprintf(out, "<text class=\"name\" x=\"%u\" y=\"%u\">", x + 3, y + 16);
  print_xml(out, label);
  fputs("</text>\n", out);
}

static void row(const struct layout *layout, uint64_t line, unsigned y, FILE *out) {
  uint64_t end = (line + 1) * CACHE_LINE < layout->size ? (line + 1) * CACHE_LINE : layout->size;
  for (uint64_t from = line * CACHE_LINE, to; from < end; from = to) {
    const struct leaf *leaf = layout_at(layout, from);
    to = leaf && leaf->offset + leaf->size < end ? leaf->offset + leaf->size : end;
    if (!leaf)
      for (to = from + 1; to < end && !layout_at(layout, to);) to++;
    box(layout, leaf, from, to, line, y, out);
  }
}

static const char style[] =
    "<style>text{font:11px ui-monospace,monospace;fill:#222}.t{font-size:14px;font-weight:bold}.off{fill:#666}"
    ".name{pointer-events:none}rect{stroke:#fff}.pad{fill:#e4e4e4;stroke:#bbb;stroke-dasharray:3}"
    ".hot{stroke:#c00;stroke-width:2.5}.f0{fill:#9ecae1}.f1{fill:#a1d99b}.f2{fill:#fdd0a2}.f3{fill:#dadaeb}"
    ".f4{fill:#fcbba1}.f5{fill:#c7e9c0}.f6{fill:#fde08b}.f7{fill:#b8d8d8}"
    "@media(prefers-color-scheme:dark){.t,.off,.more{fill:#ddd}.pad{fill:#333;stroke:#666}rect{stroke:#222}}</style>\n";

void layout_svg(const struct layout *layout, const char *title, FILE *out) {
  struct stretch stretch;
  unsigned rows = 0, y = TOP;
  for (uint64_t next = 0; layout_stretch(layout, &next, &stretch);) rows++;
  fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %u\" width=\"%d\" role=\"img\">\n",
          LEFT + CACHE_LINE * BYTE + 20, TOP + rows * ROW + 20, LEFT + CACHE_LINE * BYTE + 20);
  fputs(style, out);
  fputs("<text class=\"t\" x=\"4\" y=\"20\">", out);
  print_xml(out, title);
  fprintf(out, ": %llu bytes, alignment %llu, %llu of padding; a row is a cache line of 64 bytes</text>\n",
          (unsigned long long)layout->size, (unsigned long long)layout->align, (unsigned long long)layout->padding);
  for (uint64_t next = 0; layout_stretch(layout, &next, &stretch); y += ROW) {
    fprintf(out, "<text class=\"off\" x=\"4\" y=\"%u\">%llu</text>\n", y + 16,
            (unsigned long long)stretch.first * CACHE_LINE);
    if (stretch.lines == 1) {
      row(layout, stretch.first, y, out);
      continue;
    }
    const struct leaf *leaf = layout_at(layout, stretch.first * CACHE_LINE);
    fprintf(out, "<text class=\"more\" x=\"%d\" y=\"%u\">... %llu lines of %s</text>\n", LEFT, y + 16,
            (unsigned long long)stretch.lines, leaf ? leaf->path : "padding");
  }
  fputs("</svg>\n", out);
}

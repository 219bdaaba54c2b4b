/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* report.c: what kinds tell of themselves, as HTML and SVG. It knows lists of numbers and maps, and no kind. */
#include "report.h"
#include "layout.h"
#include <stdlib.h>
#include <string.h>

enum { BAR_STEP = 22, BAR_LEFT = 44, BAR_WIDE = 420 };

void print_grouped(uint64_t value) {
  char digits[24];
  int count = snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
  for (int i = 0; i < count; i++) {
    if (i && (count - i) % 3 == 0) fputs("\xe2\x80\xaf", stdout);
    putchar(digits[i]);
  }
}

static void print_value(const struct mm3_value *value) {
  switch (value->is) {
    case MM3_INT:
      if (value->as.integer < 0) printf("%lld", (long long)value->as.integer);
      else print_grouped((uint64_t)value->as.integer);
      break;
    case MM3_UINT: print_grouped(value->as.natural); break;
    case MM3_REAL: printf("%.4g", value->as.real); break;
    case MM3_BOOL: fputs(value->as.boolean ? "yes" : "no", stdout); break;
    case MM3_TEXT: print_xml(stdout, value->as.text); break;
    default: fputs("-", stdout);
  }
}

static double number_of(const struct mm3_value *value) {
  return value->is == MM3_INT ? (double)value->as.integer : value->is == MM3_UINT ? (double)value->as.natural
         : value->is == MM3_REAL                                                  ? value->as.real : 0;
}

static bool is_number(const struct mm3_value *value) {
  return value->is == MM3_INT || value->is == MM3_UINT || value->is == MM3_REAL;
}

static bool first_item(const struct mm3_value *list, struct mm3_value *item) {
  struct mm3_value key;
  void *cursor = NULL;
  return list->is == MM3_LIST && list->source->next(list, &cursor, &key, item) > 0;
}

/* ---- a list of numbers: bars ---- */

static void histogram(const char *name, const struct mm3_value *list) {
  struct mm3_value key, item;
  double most = 0, all = 0;
  void *cursor = NULL;
  unsigned row = 0;
  while (list->source->next(list, &cursor, &key, &item) > 0) {
    double number = number_of(&item);
    all += number;
    if (number > most) most = number;
  }
  printf("<figure><figcaption>");
  print_xml(stdout, name);
  printf("</figcaption>\n<svg class=\"bars\" viewBox=\"0 0 %d %zu\" width=\"%d\" role=\"img\">\n", BAR_LEFT + BAR_WIDE + 160,
         list->count * BAR_STEP + 4, BAR_LEFT + BAR_WIDE + 160);
  cursor = NULL;
  while (list->source->next(list, &cursor, &key, &item) > 0) {
    double number = number_of(&item), wide = most > 0 ? number / most * BAR_WIDE : 0;
    unsigned y = row++ * BAR_STEP;
    printf("<text class=\"label\" x=\"%d\" y=\"%u\">%u%s</text><rect x=\"%d\" y=\"%u\" width=\"%.1f\" height=\"%d\"/>"
           "<text x=\"%.1f\" y=\"%u\">", BAR_LEFT - 10, y + 16, row, row == 16 ? "+" : "", BAR_LEFT, y + 2,
           number > 0 && wide < 1 ? 1 : wide, BAR_STEP - 4, BAR_LEFT + wide + 8, y + 16);
    print_value(&item);
    if (all > 0) printf(" (%.*f %%)", number / all < 0.1 ? 2 : 0, number / all * 100);
    puts("</text>");
  }
  puts("</svg></figure>");
}

/* ---- a list of maps: a table ---- */

static void table_head(const struct mm3_value *row) {
  struct mm3_value key, item;
  void *cursor = NULL;
  fputs("<tr>", stdout);
  while (row->source->next(row, &cursor, &key, &item) > 0) {
    printf("<th class=\"n\">");
    print_xml(stdout, key.as.text);
    fputs("</th>", stdout);
  }
  puts("<th>filled</th></tr>");
}

static void table_row(const struct mm3_value *row) {
  struct mm3_value key, item;
  double used = -1, of = -1;
  void *cursor = NULL;
  fputs("<tr>", stdout);
  while (row->source->next(row, &cursor, &key, &item) > 0) {
    if (strcmp(key.as.text, "used") == 0) used = number_of(&item);
    if (strcmp(key.as.text, "of") == 0) of = number_of(&item);
    fputs("<td class=\"n\">", stdout);
    print_value(&item);
    fputs("</td>", stdout);
  }
  fputs("<td class=\"m\">", stdout);
  if (used >= 0 && of > 0) printf("<meter max=\"1\" value=\"%.4f\"></meter> %.0f %%", used / of, used / of * 100);
  puts("</td></tr>");
}

static void table(const char *name, const struct mm3_value *list) {
  struct mm3_value key, row;
  void *cursor = NULL;
  bool first = true;
  printf("<figure><figcaption>");
  print_xml(stdout, name);
  puts("</figcaption>\n<div class=\"wide\"><table>");
  while (list->source->next(list, &cursor, &key, &row) > 0) {
    if (row.is != MM3_MAP) continue;
    if (first) table_head(&row);
    first = false;
    table_row(&row);
  }
  puts("</table></div></figure>");
}

/* ---- all that a kind says ---- */

static void facts(const struct mm3_value *map) {
  struct mm3_value key, item;
  void *cursor = NULL;
  fputs("<dl>", stdout);
  while (map->source->next(map, &cursor, &key, &item) > 0) {
    if (item.is == MM3_LIST || item.is == MM3_MAP) continue;
    fputs("<div><dt>", stdout);
    print_xml(stdout, key.as.text);
    fputs("</dt><dd>", stdout);
    print_value(&item);
    fputs("</dd></div>", stdout);
  }
  puts("</dl>");
}

struct describing {
  struct mm3_field field;
  struct mm3_error *error;
};

static int describe(void *arg, struct mm3_sink *sink) {
  struct describing *d = arg;
  return mm3_field_describe(&d->field, sink, d->error);
}

void report_described(struct mm3_file *file, const struct mm3_member_info *member) {
  struct mm3_error error = {0};
  struct describing d = {.error = &error};
  struct mm3_value key, item, first;
  struct mm3j_doc *doc;
  void *cursor = NULL;
  if (mm3_field_find(file, member->name, &d.field, NULL) || mm3j_capture(describe, &d, &doc, &error)) return;
  const struct mm3_value *map = mm3j_value(doc);
  printf("<h3>");
  print_xml(stdout, member->name);
  fputs(" <code>", stdout);
  print_xml(stdout, member->text);
  puts("</code></h3>");
  if (map->is == MM3_MAP) facts(map);
  while (map->is == MM3_MAP && map->source->next(map, &cursor, &key, &item) > 0) {
    if (!first_item(&item, &first)) continue;
    if (is_number(&first)) histogram(key.as.text, &item);
    else if (first.is == MM3_MAP) table(key.as.text, &item);
  }
  mm3j_free(doc);
}

void report_residency(const struct residency *r) {
  if (!r->count) return;
  int wide = (int)r->count * 9;
  printf("<figure><figcaption>In memory: a cell is ");
  print_grouped(r->bytes);
  printf(" bytes of the file, filled as far as it is in the page cache</figcaption>\n"
         "<svg class=\"cells\" viewBox=\"0 0 %d 30\" width=\"%d\" role=\"img\">\n", wide, wide);
  for (unsigned i = 0; i < r->count; i++) {
    double high = r->part[i] * 28;
    printf("<rect class=\"cell\" x=\"%u\" y=\"1\" width=\"8\" height=\"28\"/>", i * 9);
    if (high > 0) printf("<rect x=\"%u\" y=\"%.1f\" width=\"8\" height=\"%.1f\"/>", i * 9, 29 - high, high);
  }
  puts("\n</svg></figure>");
}

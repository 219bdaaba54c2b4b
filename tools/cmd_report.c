/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* cmd_report.c: mm3 report: a file in one page for a browser, to look at or to attach to a ticket. */
#include "commands.h"
#include "facts.h"
#include "layout.h"
#include "report.h"
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 2000 /* bytes of a value */ };

static const char head[] =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
    "<style>:root{color-scheme:light dark;--ink:#222;--paper:#fff;--line:#ddd;--soft:#f4f5f7;--mark:#3b74b8;--off:#666}"
    "@media(prefers-color-scheme:dark){:root{--ink:#ddd;--paper:#181a1b;--line:#3a3d40;--soft:#222527;--mark:#7eb0ea;"
    "--off:#9aa0a6}}"
    "*{box-sizing:border-box}body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:1rem auto;padding:0 1rem;"
    "background:var(--paper);color:var(--ink)}h1{font-size:1.4rem;overflow-wrap:anywhere}h2{font-size:1.1rem;margin:2rem 0 "
    ".5rem;border-bottom:2px solid var(--line)}h3{font-size:1rem;margin:1.2rem 0 .3rem}h3 code{color:var(--off);"
    "font-weight:normal}table{border-collapse:collapse}td,th{text-align:left;padding:.2rem .7rem;border-bottom:1px solid "
    "var(--line);vertical-align:top}th{font-weight:600}td.n,th.n{text-align:right;white-space:nowrap;"
    "font-variant-numeric:tabular-nums}td.t{min-width:9rem}td.t code{overflow-wrap:normal}td{overflow-wrap:anywhere}.m{"
    "white-space:nowrap}.f td:first-child{overflow-wrap:break-word;max-width:20rem}td.v{width:60%}.v code{display:"
    "block;max-height:calc(11.2em + .15rem);padding-top:.15rem;overflow:auto}code,pre{font:13px/1.4 ui-monospace,monospace;"
    "overflow-wrap:anywhere;white-space:pre-wrap;margin:0}pre{background:var(--soft);padding:.7rem}.wide{overflow-x:auto}"
    "svg{max-width:100%;height:auto}.wide>svg{max-width:none}meter{width:6rem;vertical-align:middle}figure{margin:.8rem 0}"
    "figcaption{color:var(--off);margin-bottom:.3rem}dl{display:flex;flex-wrap:wrap;gap:.5rem;margin:.3rem 0}"
    "dl div{background:var(--soft);padding:.3rem .7rem;border-radius:.3rem}dt{color:var(--off);font-size:.8rem}"
    "dd{margin:0;font-variant-numeric:tabular-nums}.bars text{font:13px system-ui,sans-serif;fill:var(--ink)}"
    ".bars .label{text-anchor:end;fill:var(--off)}.bars rect,.cells rect{fill:var(--mark);stroke:none}"
    ".cells .cell{fill:var(--line)}.good{color:#176b2c}.bad{color:#b00020}@media(prefers-color-scheme:dark){.good{color:#7fd393}.bad{color:#ff8a95}}"
    "@media(max-width:46rem){td,th{padding:.2rem .4rem}meter{width:3.5rem}.f,.f tbody,.f tr{display:block}.f tr{border-bottom:1px solid var(--line);padding:.3rem 0}"
    ".f tr:first-child{display:none}.f td{display:inline-block;border:0;padding:0 .6rem 0 0;min-width:0}.f td.n::before{"
    "content:attr(title) ' ';color:var(--off)}.f td:first-child{font-weight:600}.f td.v{display:block;width:auto}}"
    "@media print{.v code{max-height:none}.wide{overflow:visible}h2{break-after:avoid}}</style>\n";

static void row(const char *name, const char *text) {
  printf("<tr><th>%s</th><td>", name);
  print_xml(stdout, text);
  puts("</td></tr>");
}

static void row_bytes(const char *name, uint64_t bytes) {
  printf("<tr><th>%s</th><td>", name);
  print_grouped(bytes);
  puts(" bytes</td></tr>");
}

static void section_file(const struct mm3_file *file, const char *path, const struct mm3_file_info *info) {
  struct file_facts facts;
  char text[128], *at = text;
  file_facts(file, path, info->length, &facts);
  puts("<h2>File</h2>\n<table>");
  for (int i = 0; i < 16; i++) at += sprintf(at, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", info->uuid[i]);
  row("UUID", text);
  snprintf(text, sizeof text, "%u", (unsigned)info->format);
  row("Format", text);
  row_bytes("Length", info->length);
  row_bytes("On the disk", facts.allocated);
  row_bytes("In memory", facts.resident);
  snprintf(text, sizeof text, "%u", (unsigned)info->nowners);
  row("Writers", text);
  row("Lock", info->locked ? "held" : "free");
  if (info->superseded) row("State", "superseded: a newer file has its name");
  puts("</table>");
  struct residency residency;
  file_residency(file, info->length, &residency);
  report_residency(&residency);
}

/* What kinds say of themselves, where they do. */
static void section_inside(struct mm3_file *file) {
  struct field_facts facts;
  bool any = false;
  for (uint32_t i = 0; field_facts(file, i, &facts) == 0; i++) {
    if (!facts.member.type || !facts.member.type->kind->describe) continue;
    if (!any) puts("<h2>Inside</h2>");
    any = true;
    report_described(file, &facts.member);
  }
}

static void section_users(struct mm3_file *file, const struct mm3_file_info *info) {
  struct module_facts module;
  puts("<h2>Users and modules</h2>\n<div class=\"wide\"><table>");
  for (uint32_t i = 0; i < info->nowners && i < 128; i++)
    printf("<tr><th>writer</th><td>pid %u%s%s</td></tr>\n", (unsigned)info->owners[i].pid,
           info->owners[i].alive ? "" : ", dead", info->owners[i].holds_lock ? ", holds the lock" : "");
  for (uint32_t at = 0; next_module(file, &at, &module);) {
    fputs("<tr><th>", stdout);
    print_xml(stdout, module.kind);
    fputs("</th><td>", stdout);
    print_xml(stdout, module.missing[0] ? module.missing : module.name);
    if (!module.missing[0]) printf(" %s, ", module.version), print_xml(stdout, module.path ? module.path : "part of the program");
    puts("</td></tr>");
  }
  puts("</table></div>");
}

struct findings {
  unsigned count;
};

static void found(void *arg, const struct mm3_error *finding) {
  struct findings *all = arg;
  if (!all->count++) puts("<ul class=\"bad\">");
  fputs("<li><code>", stdout);
  print_xml(stdout, finding->field[0] ? finding->field : "file");
  fputs("</code>: ", stdout);
  print_xml(stdout, finding->text);
  puts("</li>");
}

static int section_check(struct mm3_file *file) {
  struct findings all = {0};
  puts("<h2>Check</h2>");
  int result = mm3_check(file, found, &all);
  if (all.count) puts("</ul>");
  if (result < 0) printf("<p class=\"bad\">The check could not run: %s</p>\n", mm3_strerror(result));
  else printf("<p class=\"%s\">%s</p>\n", result ? "bad" : "good", result ? "Damage found." : "No damage found.");
  return result;
}

/* Keeps the beginning; the rest of a large value is not even looked at. */
static int take_some(void *arg, const char *bytes, size_t count) {
  struct mm3j_memory *memory = arg;
  int result = mm3j_emit_memory(memory, bytes, count);
  return result ? result : memory->used > SHOWN ? 1 : 0;
}

static void show_value(struct mm3_file *file, const char *name) {
  struct mm3_field field;
  struct mm3_error error = {0};
  struct mm3j_memory memory = {0};
  struct mm3j_writer writer;
  char buffer[512];
  mm3j_writer_init(&writer, MM3J_JSON, buffer, sizeof buffer, take_some, &memory);
  int result = mm3_field_find(file, name, &field, &error);
  if (!result || (result == -MM3_E_MODULE && field.bytes)) result = mm3_field_visit(&field, &writer.sink, &error);
  if (!result) result = mm3j_writer_flush(&writer);
  fputs(result < 0 ? "<code class=\"bad\">" : "<code>", stdout);
  if (result < 0) {
    print_xml(stdout, error.text[0] ? error.text : mm3_strerror(result));
  } else if (memory.text) {
    bool cut = memory.used > SHOWN;
    if (cut) memory.text[mm3_utf8_cut(memory.text, memory.used, SHOWN)] = 0;
    print_xml(stdout, memory.text);
    if (cut) fputs(" ...", stdout);
  }
  fputs("</code>", stdout);
  free(memory.text);
}

static void show_fill(const struct field_facts *facts) {
  if (!facts->counted) return;
  if (facts->capacity == UINT64_MAX || !facts->capacity) {
    print_grouped(facts->count);
    fputs(facts->count == 1 ? " item" : " items", stdout);
    return;
  }
  printf("<meter max=\"%llu\" value=\"%llu\"></meter> ", (unsigned long long)facts->capacity,
         (unsigned long long)facts->count);
  print_grouped(facts->count);
  fputs(" of ", stdout);
  print_grouped(facts->capacity);
}

static void section_fields(struct mm3_file *file) {
  struct field_facts facts;
  puts("<h2>Fields</h2>\n<div class=\"wide\"><table class=\"f\">\n<tr><th>Name</th><th>Type</th><th class=\"n\">Offset</th>"
       "<th class=\"n\">Bytes</th><th>Filled</th><th>Value</th></tr>");
  for (uint32_t i = 0; field_facts(file, i, &facts) == 0; i++) {
    fputs("<tr><td>", stdout);
    print_xml(stdout, facts.member.name);
    fputs("</td><td class=\"t\"><code>", stdout);
    print_xml(stdout, facts.member.text);
    fputs("</code></td><td class=\"n\" title=\"at\">", stdout);
    print_grouped(facts.member.offset);
    fputs("</td><td class=\"n\" title=\"bytes\">", stdout);
    print_grouped(facts.member.size);
    fputs("</td><td class=\"m\">", stdout);
    show_fill(&facts);
    fputs("</td><td class=\"v\">", stdout);
    show_value(file, facts.member.name);
    puts("</td></tr>");
  }
  puts("</table></div>");
}

/* What the red boxes of the picture are. */
static void section_sharing(const struct layout *layout) {
  struct stretch stretch;
  for (uint64_t next = 0; layout_stretch(layout, &next, &stretch);) {
    if (!layout_contended(layout, stretch.first)) continue;
    printf("<p class=\"bad\">False sharing in the line at %llu: ", (unsigned long long)stretch.first * CACHE_LINE);
    const char *between = "";
    for (const struct leaf *leaf = NULL; (leaf = layout_shared(layout, stretch.first, leaf)); between = ", ") {
      fputs(between, stdout);
      print_xml(stdout, leaf->path);
    }
    puts(". Each write of one makes the others slow for other processors.</p>");
  }
}

static int report_run(struct call *call) {
  static struct mm3_file_info info = {.size = sizeof info};
  struct layout layout;
  const char *path = call->argv[0];
  struct mm3_file *file = open_reading(call, path);
  if (!file) return fail(call);
  int result = mm3_file_describe(file, &info);
  if (!result) result = layout_of(file, &layout);
  if (result) return close_file(call, file, fail_code(call, result, path, "%s", mm3_strerror(result)));
  fputs(head, stdout);
  fputs("<title>", stdout);
  print_xml(stdout, path);
  fputs("</title>\n</head>\n<body>\n<h1>", stdout);
  print_xml(stdout, path);
  puts("</h1>");
  int findings = section_check(file);
  section_file(file, path, &info);
  section_fields(file);
  section_inside(file);
  section_users(file, &info);
  puts("<h2>Layout</h2>\n<div class=\"wide\">");
  layout_svg(&layout, "root struct", stdout);
  puts("</div>");
  section_sharing(&layout);
  fputs("<h2>Schema</h2>\n<pre>", stdout);
  print_xml(stdout, mm3_file_schema(file));
  puts("</pre>\n</body>\n</html>");
  free(layout.leaves);
  return close_file(call, file, findings > 0 ? EXIT_NO : EXIT_DONE);
}

const struct command command_report = {
    .name = "report", .operands = "FILE", .brief = "print one page for a browser: values, layout, figures, check",
    .detail = "HTML without script, font or network, light and dark, to look at or to attach to a ticket.\n"
              "Values are cut after 2000 bytes. Exit 1 when the check found damage.",
    .least = 1, .most = 1, .run = report_run};

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* cmd_info.c: mm3 info: what a file is, without its values. */
#include "commands.h"
#include "facts.h"
#include <errno.h>
#include <string.h>
#include <time.h>

static void uuid_text(const uint8_t uuid[16], char text[37]) {
  char *at = text;
  for (int i = 0; i < 16; i++) at += sprintf(at, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", uuid[i]);
}

static void time_text(uint64_t ns, char text[32]) {
  time_t seconds = (time_t)(ns / 1000000000);
  struct tm tm;
  if (!gmtime_r(&seconds, &tm) || !strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm)) strcpy(text, "?");
}

static int json_numbers(struct mm3j_writer *w, const struct mm3_file_info *info, const struct file_facts *facts) {
  const struct {
    const char *key;
    uint64_t value;
  } rows[] = {{"format", info->format}, {"compat", info->compat}, {"ro_compat", info->ro_compat},
              {"incompat", info->incompat}, {"incarnation", info->incarnation}, {"length", info->length},
              {"allocated", facts->allocated}, {"resident", facts->resident}, {"heap_offset", info->heap_offset},
              {"heap_end", info->heap_end}, {"root_offset", info->root_offset}, {"root_size", info->root_size},
              {"changes", info->changes}};
  int result = 0;
  for (size_t i = 0; i < sizeof rows / sizeof rows[0] && !result; i++) result = out_number(w, rows[i].key, rows[i].value);
  if (!result) result = out_flag(w, "locked", info->locked);
  if (!result) result = out_flag(w, "superseded", info->superseded);
  return result ? result : out_flag(w, "failed", info->failed);
}

static int json_fields(struct mm3j_writer *w, struct mm3_file *file, const struct mm3_file_info *info) {
  struct field_facts field;
  int result = out_open(w, "fields", '[');
  for (uint32_t i = 0; i < info->nfields && !result && field_facts(file, i, &field) == 0; i++) {
    result = out_open(w, NULL, '{');
    if (!result) result = out_text(w, "name", field.member.name);
    if (!result) result = out_text(w, "type", field.member.text);
    if (!result) result = out_text(w, "kind", field.member.kind);
    if (!result) result = out_number(w, "offset", field.member.offset);
    if (!result) result = out_number(w, "size", field.member.size);
    if (!result) result = out_number(w, "align", field.member.align);
    if (!result && field.counted) result = out_number(w, "count", field.count);
    if (!result && field.counted && field.capacity != UINT64_MAX) result = out_number(w, "capacity", field.capacity);
    if (!result) result = out_flag(w, "missing", field.member.type == NULL);
    if (!result) result = out_close(w, '}');
  }
  return result ? result : out_close(w, ']');
}

static int json_owners(struct mm3j_writer *w, const struct mm3_file_info *info) {
  int result = out_open(w, "owners", '[');
  for (uint32_t i = 0; i < info->nowners && i < 128 && !result; i++) {
    const struct mm3_owner *owner = &info->owners[i];
    result = out_open(w, NULL, '{');
    if (!result) result = out_number(w, "slot", owner->slot);
    if (!result) result = out_number(w, "pid", owner->pid);
    if (!result) result = out_flag(w, "alive", owner->alive);
    if (!result) result = out_flag(w, "holds_lock", owner->holds_lock);
    if (!result) result = out_close(w, '}');
  }
  return result ? result : out_close(w, ']');
}

static int json_modules(struct mm3j_writer *w, struct mm3_file *file) {
  struct module_facts module;
  int result = out_open(w, "modules", '[');
  for (uint32_t at = 0; !result && next_module(file, &at, &module);) {
    result = out_open(w, NULL, '{');
    if (!result) result = out_text(w, "kind", module.kind);
    if (!result) result = out_text(w, "module", module.name);
    if (!result) result = out_text(w, "version", module.version);
    if (!result) result = out_text(w, "path", module.path);
    if (!result && module.missing[0]) result = out_text(w, "missing", module.missing);
    if (!result) result = out_close(w, '}');
  }
  return result ? result : out_close(w, ']');
}

static int info_json(struct call *call, struct mm3_file *file, const struct mm3_file_info *info,
                     const struct file_facts *facts) {
  struct mm3j_writer w;
  char uuid[37], created[32];
  uuid_text(info->uuid, uuid);
  time_text(info->created_ns, created);
  out_begin(call, &w);
  int result = out_open(&w, NULL, '{');
  if (!result) result = out_number(&w, "version", 1);
  if (!result) result = out_text(&w, "file", call->argv[0]);
  if (!result) result = out_text(&w, "uuid", uuid);
  if (!result) result = out_text(&w, "created", created);
  if (!result) result = json_numbers(&w, info, facts);
  if (!result) result = out_text(&w, "schema", mm3_file_schema(file));
  if (!result) result = json_fields(&w, file, info);
  if (!result) result = json_owners(&w, info);
  if (!result) result = json_modules(&w, file);
  return out_end(call, &w, result ? result : out_close(&w, '}'));
}

static void show_owners(const struct mm3_file_info *info) {
  printf("  writers     %u open for writing", (unsigned)info->nowners);
  for (uint32_t i = 0; i < info->nowners && i < 128; i++) {
    const struct mm3_owner *owner = &info->owners[i];
    printf("%s pid %u%s%s", i ? "," : ":", (unsigned)owner->pid, owner->alive ? "" : " (dead)",
           owner->holds_lock ? " (holds the lock)" : "");
  }
  printf("\n  lock        %s\n", info->locked ? "held" : "free");
}

static void show_fields(struct mm3_file *file, const struct mm3_file_info *info) {
  struct field_facts field;
  int wide = 4, type_wide = 4;
  for (uint32_t i = 0; i < info->nfields && field_facts(file, i, &field) == 0; i++) {
    int name = (int)strlen(field.member.name), type = (int)strlen(field.member.text);
    if (name > wide) wide = name;
    if (type > type_wide && type <= 48) type_wide = type;
  }
  printf("\n  %10s %10s  %-*s  %-*s  %s\n", "offset", "size", wide, "name", type_wide, "type", "filled");
  for (uint32_t i = 0; i < info->nfields && field_facts(file, i, &field) == 0; i++) {
    printf("  %10llu %10llu  %-*s  %-*s  ", (unsigned long long)field.member.offset,
           (unsigned long long)field.member.size, wide, field.member.name, type_wide, field.member.text);
    if (!field.member.type) printf("module missing: shown as bytes");
    else if (!field.counted) printf("-");
    else if (field.capacity == UINT64_MAX) printf("%llu", (unsigned long long)field.count);
    else printf("%llu of %llu", (unsigned long long)field.count, (unsigned long long)field.capacity);
    putchar('\n');
  }
}

static void show_modules(struct mm3_file *file) {
  struct module_facts module;
  int shown = 0;
  for (uint32_t at = 0; next_module(file, &at, &module); shown++) {
    if (!shown) printf("\n  modules\n");
    printf("  %-14s ", module.kind);
    if (module.missing[0]) print_safe(stdout, module.missing);
    else printf("%s %s  %s", module.name, module.version, module.path ? module.path : "(part of the program)");
    putchar('\n');
  }
  if (!shown) printf("\n  modules: none is needed\n");
}

static int info_text(struct call *call, struct mm3_file *file, const struct mm3_file_info *info,
                     const struct file_facts *facts) {
  char uuid[37], created[32];
  uuid_text(info->uuid, uuid);
  time_text(info->created_ns, created);
  print_safe(stdout, call->argv[0]);
  printf(": an mm3 file, format %u, %u field%s\n\n", (unsigned)info->format, (unsigned)info->nfields,
         info->nfields == 1 ? "" : "s");
  printf("  length      %llu bytes: %llu allocated, %llu in memory\n", (unsigned long long)info->length,
         (unsigned long long)facts->allocated, (unsigned long long)facts->resident);
  printf("  root        %llu bytes at %llu\n", (unsigned long long)info->root_size,
         (unsigned long long)info->root_offset);
  if (info->heap_end > info->heap_offset)
    printf("  heap        %llu bytes at %llu\n", (unsigned long long)(info->heap_end - info->heap_offset),
           (unsigned long long)info->heap_offset);
  printf("  created     %s\n", created);
  show_owners(info);
  if (info->superseded) printf("  superseded  a newer file has taken this one's place\n");
  if (call->verbose) {
    printf("  uuid        %s\n  features    compat %#llx, read-only compat %#llx, incompat %#llx\n", uuid,
           (unsigned long long)info->compat, (unsigned long long)info->ro_compat, (unsigned long long)info->incompat);
    printf("  changes     %u by the lock and notify; incarnation %llu\n", (unsigned)info->changes,
           (unsigned long long)info->incarnation);
  }
  show_fields(file, info);
  show_modules(file);
  return EXIT_DONE;
}

static int info_plain(struct call *call, struct mm3_file *file, const struct mm3_file_info *info) {
  struct field_facts field;
  (void)call;
  for (uint32_t i = 0; i < info->nfields && field_facts(file, i, &field) == 0; i++)
    printf("%s\t%s\t%llu\t%llu\t%llu\n", field.member.name, field.member.text, (unsigned long long)field.member.offset,
           (unsigned long long)field.member.size, (unsigned long long)field.member.align);
  return EXIT_DONE;
}

static int info_run(struct call *call) {
  static struct mm3_file_info info; /* 3 KiB */
  struct file_facts facts;
  struct mm3_file *file = open_reading(call, call->argv[0]);
  if (!file) return fail(call);
  info.size = sizeof info;
  int result = mm3_file_describe(file, &info), code;
  file_facts(file, call->argv[0], info.length, &facts);
  if (result) code = fail_code(call, result, call->argv[0], "%s", mm3_strerror(result));
  else if (call->json) code = info_json(call, file, &info, &facts);
  else if (call->plain) code = info_plain(call, file, &info);
  else code = info_text(call, file, &info, &facts);
  return close_file(call, file, code);
}

const struct command command_info = {
    .name = "info", .operands = "FILE", .brief = "what a file is: fields, sizes, users, lock, modules",
    .detail = "-v adds the UUID, feature masks and counts of changes. --plain prints name, type, offset, size, alignment.",
    .least = 1, .most = 1, .run = info_run};

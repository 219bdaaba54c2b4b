/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* facts.c: what a file is, collected from the library and the system. */
#include "facts.h"
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t resident_bytes(unsigned char *base, uint64_t length) {
  enum { PAGES = 16384 };
  static unsigned char present[PAGES];
  uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), count = 0;
  for (uint64_t at = 0; at < length; at += page * PAGES) {
    uint64_t part = length - at < page * PAGES ? length - at : page * PAGES;
    if (mincore(base + at, part, present) != 0) break;
    for (uint64_t i = 0; i < (part + page - 1) / page; i++) count += present[i] & 1;
  }
  return count * page;
}

void file_residency(const struct mm3_file *file, uint64_t length, struct residency *r) {
  uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), pages = (length + page - 1) / page;
  *r = (struct residency){0};
  if (!pages || length > __atomic_load_n(&file->limit, __ATOMIC_RELAXED)) return;
  r->bytes = (pages + RESIDENT_CELLS - 1) / RESIDENT_CELLS * page;
  for (uint64_t at = 0; at < length; at += r->bytes) {
    uint64_t part = length - at < r->bytes ? length - at : r->bytes;
    float whole = (float)((part + page - 1) / page * page);
    r->part[r->count++] = (float)resident_bytes(file->base + at, part) / whole;
  }
}

void file_facts(const struct mm3_file *file, const char *path, uint64_t length, struct file_facts *facts) {
  struct stat stat_now;
  *facts = (struct file_facts){0};
  if (stat(path, &stat_now) == 0) facts->allocated = (uint64_t)stat_now.st_blocks * 512;
  if (length <= __atomic_load_n(&file->limit, __ATOMIC_RELAXED)) facts->resident = resident_bytes(file->base, length);
}

int field_facts(struct mm3_file *file, uint32_t number, struct field_facts *facts) {
  struct mm3_field field;
  *facts = (struct field_facts){0};
  int result = mm3_file_member(file, number, &facts->member);
  if (result) return result;
  facts->counted = facts->member.type && mm3_field_find(file, facts->member.name, &field, NULL) == 0 &&
                   mm3_field_count(&field, &facts->count, &facts->capacity) == 0;
  return 0;
}

/* Only kinds that came from a module: the loader has registered those that the schema names, and no others. */
static bool registered(uint32_t index, struct module_facts *facts) {
  const struct mm3_kind *kind = NULL;
  const struct mm3_module *module = NULL;
  const char *path = NULL;
  while ((kind = mm3_kind_next(kind, &module, &path))) {
    if (!module || index--) continue;
    *facts = (struct module_facts){.kind = kind->name, .name = module->name, .version = module->version, .path = path};
    return true;
  }
  return false;
}

bool next_module(struct mm3_file *file, uint32_t *at, struct module_facts *facts) {
  enum { MISSING = 1 << 30 }; /* from here on *at counts fields */
  struct mm3_member_info member;
  struct mm3_error error;
  if (*at < MISSING) {
    if (registered(*at, facts)) return ++*at, true;
    *at = MISSING;
  }
  while (mm3_file_member(file, *at - MISSING, &member) == 0) {
    ++*at;
    if (member.type) continue;
    *facts = (struct module_facts){.kind = member.kind};
    error = (struct mm3_error){0};
    mm3_kind_find(member.kind, 1, &error);
    snprintf(facts->missing, sizeof facts->missing, "%s", error.text[0] ? error.text : "an inner type's module is missing");
    return true;
  }
  return false;
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* facts.h: what info, layout and report know about a file. */
#ifndef MM3_TOOLS_FACTS_H
#define MM3_TOOLS_FACTS_H

#include "tool.h"

struct file_facts {
  uint64_t allocated, resident; /* bytes on the disk, and in the page cache */
};

enum { RESIDENT_CELLS = 96 };

/* How much of each part of the file is in memory: 0 to 1, RESIDENT_CELLS of them or fewer. */
struct residency {
  unsigned count;
  uint64_t bytes; /* that a cell stands for */
  float part[RESIDENT_CELLS];
};

void file_residency(const struct mm3_file *file, uint64_t length, struct residency *residency);

struct field_facts {
  struct mm3_member_info member;
  bool counted; /* a container: */
  uint64_t count, capacity;
};

/* A module that the file's fields need. `missing` is a sentence, empty when it is there. */
struct module_facts {
  const char *kind, *name, *version, *path;
  char missing[1024];
};

void file_facts(const struct mm3_file *file, const char *path, uint64_t length, struct file_facts *facts);
int field_facts(struct mm3_file *file, uint32_t number, struct field_facts *facts); /* 0, or no such field */
bool next_module(struct mm3_file *file, uint32_t *at, struct module_facts *module); /* *at starts as 0 */

#endif

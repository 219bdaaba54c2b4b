/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * victims.h: one small file for each kind, and everything that can be done to it by path, for tests that damage files:
 * flipped bits (test_flips), a process that scribbles (test_scribble), fuzzing (fuzz/).
 *
 * An operation is a line: "put PATH JSON", "push PATH JSON", "add PATH N", "del PATH". A victim is made by running its lines
 * once; a victim that was damaged is used by checking it, visiting it, and running them again. Whatever fails may fail;
 * a crash, a hang or a report of a sanitizer is what the tests look for.
 */
#ifndef MM3_VICTIMS_H
#define MM3_VICTIMS_H

#include <mm3/field.h>
#include <mm3/file.h>
#include <mm3/module.h>

struct victim {
  const char *name, *schema;
  const char *lines[16];
};

extern const struct victim victims[];
extern const unsigned victim_count;

/* Not in the list: its kind trusts a length (double.c). */
extern const struct victim victim_double;
int victim_double_register(struct mm3_error *error);
/* A check of a module that trusts the sizes in it, for the fuzzer to find. */
void victim_double_check(const struct mm3_module *module);

/* Makes the file; 0 or the code of the first thing that failed, with its sentence on stderr. */
int victim_make(const struct victim *victim, const char *path);
/* The same with the first lines only; and one line, with calls around what changes the file. */
int victim_make_some(const struct victim *victim, const char *path, unsigned lines);
int victim_line(struct mm3_file *file, const char *line, void (*begin)(void), void (*end)(void), struct mm3_error *error);

/* Reads everything (check, visit, each line's path); then, if `writes`, runs the lines. Returns how many of these calls
 * succeeded. */
struct victim_tally {
  unsigned long reads, writes;
};
void victim_use(const struct victim *victim, struct mm3_file *file, int writes, struct victim_tally *tally);

/* From now on every map of the core has a page behind it that nobody may touch, so that a step beyond the end is a death and
 * not a look into somebody else's memory. Also registers all modules: these tests are linked with the core's inside. */
void victim_prepare(int with_double);

#endif

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* report.h: the parts of mm3 report that draw figures. */
#ifndef MM3_TOOLS_REPORT_H
#define MM3_TOOLS_REPORT_H

#include "facts.h"

/* 1234567 as 1 234 567, with narrow spaces that break no line. */
void print_grouped(uint64_t value);

/* What a field's kind says of how it keeps the value: facts, histograms, tables. Prints nothing where it says nothing. */
void report_described(struct mm3_file *file, const struct mm3_member_info *member);

/* A strip of the file, dark where it is in memory. */
void report_residency(const struct residency *residency);

#endif

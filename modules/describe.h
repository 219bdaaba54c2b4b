/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* describe.h: for `describe` rows: a number under its name. */
#ifndef MM3_DESCRIBE_H
#define MM3_DESCRIBE_H

#include <mm3/module.h>
#include <string.h>

static inline int describe_number(struct mm3_sink *sink, const char *name, uint64_t value) {
  int result = sink->key(sink, name, strlen(name));
  if (result < 0) return result;
  return value > INT64_MAX ? sink->natural(sink, value) : sink->integer(sink, (int64_t)value);
}

#endif

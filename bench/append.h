/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* append.h: W5: records of 16, 64 and 256 bytes, of which append_bytes() in all are appended to a new file. */
#ifndef MM3_BENCH_APPEND_H
#define MM3_BENCH_APPEND_H
#include "bench.h"

BENCH_UNUSED static size_t append_bytes(void) { return (size_t)(bench.quick ? 32 : 256) << 20; }

static inline const void *append_record(size_t i) {
  static uint64_t record[32];
  record[0] = i;
  return record;
}

/* What a scan does with a record: its words added up. */
static inline uint64_t append_look(const void *record, size_t size) {
  uint64_t sum = 0, word;
  for (size_t i = 0; i < size; i += 8) memcpy(&word, (const unsigned char *)record + i, 8), sum += word;
  return sum;
}

/* The statement with RECORD as a constant. */
#define APPEND_SWITCH(record, ...)                              \
  do {                                                          \
    if ((record) == 16) { enum { RECORD = 16 }; __VA_ARGS__; }   \
    if ((record) == 64) { enum { RECORD = 64 }; __VA_ARGS__; }   \
    if ((record) == 256) { enum { RECORD = 256 }; __VA_ARGS__; } \
  } while (0)

BENCH_UNUSED static const char *append_name(size_t record, const char *what) {
  static char name[60];
  snprintf(name, sizeof name, "W5 append %zu B, %s", record, what);
  return name;
}

#endif

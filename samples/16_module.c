/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * 16_module: a kind of field of one's own. The module in modules/ring teaches mm3 `ring(T, N)`: the last N events, pushed by
 * any number of processes without a lock. Nothing of mm3 is compiled again: the library loads mm3-ring.so by the kind's
 * name, and this program includes its header.
 *
 *     sh 16_module.sh ./16_module [WHAT...]     builds the module into this folder, then logs and shows
 *     MM3_MODULE_PATH=$PWD mm3 get log.mm3 'events[-1]'
 *     MM3_MODULE_PATH=$PWD mm3 modules check ./mm3-ring.so
 *
 * doc/MODULES goes from nothing to such a module; `mm3 modules new NAME` writes one to begin with.
 */
#include "modules/ring/ring.h"
#include <mm3.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define EVENT(FIELD)       \
  FIELD(when, u64)         \
  FIELD(pid, u32)          \
  FIELD(number, u32)       \
  FIELD(what, string(23))
MM3_STRUCT(event, EVENT);

#define LOG(FIELD)         \
  FIELD(runs, atomic(u32)) \
  FIELD(events, ring(event, 16))
MM3_STRUCT(log_file, LOG);

int main(int argc, char **argv) {
  struct mm3_error error;
  struct mm3_file *file = mm3_open_or_create("log.mm3", MM3_TYPE(log_file), NULL, &error);
  if (!file) return fprintf(stderr, "%s\n", error.text), 1;
  struct log_file *log = mm3_root(file, log_file);
  struct event event = {.when = (uint64_t)time(NULL), .pid = (uint32_t)getpid()};

  mm3_atomic_fetch_add(&log->runs, 1);
  for (int i = argc > 1 ? 1 : 0; i < argc; i++) {
    event.number = (uint32_t)i;
    if (mm3_string_set(&event.what, argc > 1 ? argv[i] : "started") < 0) mm3_string_set(&event.what, "too long");
    ring_push(&log->events, &event);
  }

  for (uint64_t cursor = 0; ring_next(&log->events, &cursor, &event) == 0;) {
    char what[24];
    if (mm3_string_get(&event.what, what, sizeof what, NULL) == 0)
      printf("%llu: process %u: %s\n", (unsigned long long)cursor - 1, event.pid, what);
  }
  return mm3_close(file);
}

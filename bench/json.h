/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* json.h: W7's value: an object whose compact text has nearly `size` bytes: numbers, texts, reals, arrays, objects. */
#ifndef MM3_BENCH_JSON_H
#define MM3_BENCH_JSON_H
#include "bench.h"
#include <jansson.h>

static json_t *json_sample(size_t size) {
  json_t *all = json_object();
  char key[32];
  for (unsigned i = 0;; i++) {
    snprintf(key, sizeof key, "item_%u", i);
    uint64_t seed = i;
    json_object_set_new(all, key,
                        json_pack("{s:i, s:s, s:f, s:b, s:[i, i, i]}", "id", (int)i, "name", "a name of some length", "ratio",
                                  (double)(bench_random(&seed) % 1000000) / 1000.0, "on", (int)(i & 1), "at", 1, 22, 333));
    char *text = json_dumps(all, JSON_COMPACT);
    size_t length = strlen(text);
    free(text);
    if (length > size) {
      json_object_del(all, key);
      return all;
    }
  }
}

#endif

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* json.c: W7: mm3's json(N), and jansson by itself (dumps and memcpy into the mapping; loads), taken in turn. */
#include <mm3/file.h>
#include <mm3/json.h>
#include <mm3/struct.h>

#include "json.h"

#define VALUES(FIELD) FIELD(small, json(1024)) FIELD(large, json(65536))
MM3_STRUCT(values, VALUES);
static struct mm3_error error;
#define MM3_NEED(condition) ((condition) ? (void)0 : (fprintf(stderr, "mm3: %s: %s\n", #condition, error.text), exit(1)))

static void store_plain(const json_t *value, char *to) {
  char *text = json_dumps(value, JSON_COMPACT);
  memcpy(to, text, strlen(text) + 1);
  free(text);
}
static void load_plain(const char *text) {
  json_t *value = json_loads(text, 0, NULL);
  BENCH_NEED(value);
  json_decref(value);
}
#define TIMES(n, ...) for (int i_ = 0; i_ < (n); i_++) { __VA_ARGS__; BENCH_BARRIER(); }

#define RUN(field, name, size, n_)                                                                                        \
  do {                                                                                                                    \
    const int n = n_;                                                                                                     \
    json_t *value = json_sample(size), *back;                                                                             \
    char *raw = (char *)bench_map("bench.raw", (size) + 1);                                                               \
    BENCH_PAIR("W7 store " name, n, 9, "jansson", TIMES(n, store_plain(value, raw)), "mm3",                               \
               TIMES(n, MM3_NEED(mm3_json_set(&v->field, value, &error) == 0)));                                          \
    BENCH_PAIR("W7 load " name, n, 9, "jansson", TIMES(n, load_plain(raw)), "mm3",                                        \
               TIMES(n, MM3_NEED(mm3_json_get(&v->field, &back, &error) == 0); json_decref(back)));                       \
    BENCH("W7 text " name, n * 10, 9, TIMES(n * 10, MM3_NEED(mm3_json_text(&v->field, out, sizeof out, NULL) == 0)));     \
    BENCH_OF("mm3, view", "W7 text " name, n * 100, 9, TIMES(n * 100, bench_sink = mm3_json_view(&v->field).len));        \
    BENCH_OF("mm3, one member", "W7 load " name, n, 9,                                                                    \
             TIMES(n, MM3_NEED(mm3_json_get_at(&v->field, "/item_1/name", &back, &error) == 0); json_decref(back)));      \
    BENCH_OF("mm3, set_text", "W7 store " name, n, 9, TIMES(n, MM3_NEED(mm3_json_set_text(&v->field, raw, &error) == 0))); \
    bench_unmap("bench.raw", raw, (size) + 1);                                                                            \
    json_decref(value);                                                                                                   \
  } while (0)

static void run_json(void) {
  static char out[65537];
  const char *path = bench_path("bench.json");
  unlink(path);
  struct mm3_file *file = mm3_create(path, MM3_TYPE(values), NULL, &error);
  MM3_NEED(file);
  struct values *v = mm3_root(file, values);
  RUN(small, "1 KiB", 1024, bench.quick ? 100 : 1000);
  RUN(large, "64 KiB", 65536, bench.quick ? 3 : 20);
  mm3_close(file);
  unlink(path);
}

int main(int argc, char **argv) {
  static const struct bench_group groups[] = {{"json", run_json}, {NULL, NULL}};
  return bench_main(argc, argv, "mm3", groups);
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The fuzz targets replayed: each file of their corpora, and random mutations of them for MM3_FUZZ_MS each (default 1500) with
 * a seed that is printed (MM3_FUZZ_SEED repeats it). fuzz/run.sh is the real thing. */
#include "fuzz/fuzz.h"
#include "mm3test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LARGEST = 4096 };

struct input {
  uint8_t bytes[LARGEST];
  size_t size;
};

static uint64_t state;
static uint64_t next_random(void) {
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}

static unsigned load(const char *target, struct input **inputs) {
  char path[1024];
  unsigned count = 0;
  const char *src = getenv("MM3_SRC");
  snprintf(path, sizeof path, "%s/tests/fuzz/corpus/%s", src ? src : "..", target);
  DIR *dir = opendir(path);
  for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL;) {
    char name[2048];
    snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
    FILE *f = entry->d_name[0] == '.' ? NULL : fopen(name, "rb");
    struct input *more = f ? realloc(*inputs, (count + 1) * sizeof **inputs) : NULL;
    if (more) {
      *inputs = more;
      more[count].size = fread(more[count].bytes, 1, LARGEST, f);
      count++;
    }
    if (f) fclose(f);
  }
  if (dir) closedir(dir);
  return count;
}

static void mutate(struct input *to, const struct input *inputs, unsigned count) {
  *to = inputs[next_random() % count];
  for (uint64_t edits = 1 + next_random() % 4; edits && to->size; edits--) {
    size_t at = next_random() % to->size;
    switch (next_random() % 5) {
      case 0: to->bytes[at] ^= (uint8_t)(1U << next_random() % 8); break;
      case 1: to->bytes[at] = (uint8_t)next_random(); break;
      case 2: to->size = at; break;
      case 3:
        if (to->size < LARGEST) memmove(to->bytes + at + 1, to->bytes + at, to->size++ - at);
        break;
      default: { /* a piece of another one */
        const struct input *other = &inputs[next_random() % count];
        size_t from = other->size ? next_random() % other->size : 0, length = next_random() % 16;
        if (length > other->size - from) length = other->size - from;
        if (length > LARGEST - at) length = LARGEST - at;
        memcpy(to->bytes + at, other->bytes + from, length);
        if (at + length > to->size) to->size = at + length;
      }
    }
  }
}

static const char *target_name;
static int (*target)(const uint8_t *, size_t);

enum { NO_CORPUS = 70, NO_RUNS }; /* exit codes that are no deaths */

/* In a child, so that a death is one failed check. */
static int replay(void *arg) {
  struct input *inputs = NULL, one;
  unsigned count = load(target_name, &inputs), runs = 0;
  const char *ms = getenv("MM3_FUZZ_MS");
  uint64_t until;
  (void)arg;
  if (count == 0) return NO_CORPUS;
  for (unsigned i = 0; i < count; i++) target(inputs[i].bytes, inputs[i].size);
  until = mm3test_now_ns() + 1000000U * (ms ? strtoull(ms, NULL, 10) : 1500);
  for (; mm3test_now_ns() < until; runs++) {
    alarm(20);
    mutate(&one, inputs, count);
    target(one.bytes, one.size);
  }
  alarm(0);
  printf("fuzz: %-6s %u inputs, %u mutations\n", target_name, count, runs);
  free(inputs);
  return runs > 0 ? 0 : NO_RUNS;
}

static void run(const char *name, int (*fn)(const uint8_t *, size_t)) {
  const char *seed = getenv("MM3_FUZZ_SEED");
  state = seed ? strtoull(seed, NULL, 10) : mm3test_now_ns() | 1;
  target_name = name;
  target = fn;
  printf("fuzz: %s, seed %llu\n", name, (unsigned long long)state);
  fflush(stdout);
  CHECK_EQ(mm3test_fork(replay, NULL), 0);
}

/* Each target finds the fault that was planted for it. */
static int replay_double(void *arg) {
  setenv("MM3_FUZZ_DOUBLE", "1", 1);
  setenv("MM3_FUZZ_MS", "10000", 1);
  return replay(arg);
}

static void planted_faults_are_found(void) {
  static const struct { const char *name; int (*fn)(const uint8_t *, size_t); } all[] = {
      {"file", fuzz_file}, {"schema", fuzz_schema}, {"path", fuzz_path}, {"json", fuzz_json},
      {"module", fuzz_module}};
  state = 12345;
  for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
    target_name = all[i].name;
    target = all[i].fn;
    int result = mm3test_fork(replay_double, NULL);
    printf("fuzz: %s with its planted fault: died of %d\n", target_name, result);
    CHECK(result != 0 && result != NO_CORPUS && result != NO_RUNS); /* 1: ASan has ended it */
  }
}

static void files(void) { run("file", fuzz_file); }
static void schemas(void) { run("schema", fuzz_schema); }
static void paths(void) { run("path", fuzz_path); }
static void documents(void) { run("json", fuzz_json); }
static void modules(void) { run("module", fuzz_module); }

MM3_TEST_SUITE("fuzz", {"edited files", files}, {"schemas and field tables", schemas}, {"paths", paths}, {"JSON documents", documents},
               {"what modules register", modules},
               {"each target finds a planted fault", planted_faults_are_found})

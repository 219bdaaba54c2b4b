/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* hashmap between processes: readers while a writer inserts, overwrites, removes, rebuilds and dies. */
#include "mm3maps.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

struct shared {
  char path[256];
  uint64_t n;          /* keys that are never removed: 0 .. n-1; the next n come and go */
  uint64_t done, stop; /* of those: inserted so far */
  uint64_t reads, walks, missed, torn, failed;
};

static struct shared *shared_new(const char *name, uint64_t n) {
  struct shared *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (!CHECK(s != MAP_FAILED)) return NULL;
  snprintf(s->path, sizeof s->path, "%s", mm3test_path(name));
  s->n = n;
  return s;
}

#define LOOK(x)  __atomic_load_n(&(x), __ATOMIC_ACQUIRE)
#define COUNT(x) __atomic_fetch_add(&(x), 1, __ATOMIC_RELAXED)

static struct point point_of(uint64_t i, uint32_t version) {
  return (struct point){version, version ^ (uint32_t)i, i * 3 + version};
}

/* A value of a text says what it is all through: key, version, and a run of one letter. */
static size_t text_of(uint64_t i, uint32_t version, char *to) {
  int head = sprintf(to, "%llu/%u/", (unsigned long long)i, version);
  size_t fill = 8 + (i * 7 + version * 13) % (i < 7 ? 3500 : 90); /* the hot ones take a while to copy */
  memset(to + head, 'a' + (int)((i + version) % 26), fill);
  to[(size_t)head + fill] = 0;
  return (size_t)head + fill;
}

static bool text_is_whole(uint64_t i, const char *text, size_t length) {
  unsigned long long key;
  unsigned version;
  char wanted[4096];
  if (sscanf(text, "%llu/%u/", &key, &version) != 2 || key != i) return false;
  return text_of(i, version, wanted) == length && memcmp(wanted, text, length) == 0;
}

/* -MM3_E_ABSENT where it may be absent, or 0; all else is said. */
static void judge(struct shared *s, const char *what, uint64_t i, int result, bool sure) {
  if (result == 0 || (result == -MM3_E_ABSENT && !sure)) return;
  fprintf(stderr, "missed: %s %llu: %s\n", what, (unsigned long long)i, mm3_error_name(result));
  COUNT(s->missed);
}

static void look_at_one(struct mm3_file *file, const struct maps *m, struct shared *s, uint64_t i, bool sure) {
  char text[4096], key[32];
  struct mm3_buf buf = mm3_buf_of(text, sizeof text);
  struct point p;
  uint64_t number;
  int result = mm3_hashmap_get(file, &m->numbers, i, &number);
  judge(s, "number", i, result, sure);
  if (result == 0 && number >> 32 != (i & 0xffffffff)) COUNT(s->torn);
  result = mm3_hashmap_get(file, &m->points, i, &p);
  judge(s, "point", i, result, sure);
  if (result == 0 && (p.y != (p.x ^ (uint32_t)i) || p.z != i * 3 + p.x)) COUNT(s->torn);
  snprintf(key, sizeof key, "key %llu", (unsigned long long)i);
  result = mm3_hashmap_get(file, &m->texts, key, &buf);
  judge(s, "text", i, result, sure);
  if (result == 0 && !text_is_whole(i, text, buf.len)) COUNT(s->torn);
  result = mm3_hashmap_get(file, &m->notes, (int32_t)i, &buf);
  judge(s, "note", i, result, sure);
  if (result == 0 && !text_is_whole(i, text, buf.len)) COUNT(s->torn);
  COUNT(s->reads);
}

/* Every key that was there before the walk comes at least once. */
static void walk_points(struct mm3_file *file, const struct maps *m, struct shared *s) {
  uint64_t done = LOOK(s->done), key, seen = 0;
  struct mm3_hashmap_cursor cursor = {0, 0, 0, 0};
  struct point p;
  unsigned char *mark = calloc(done + 1, 1);
  int result;
  while ((result = mm3_hashmap_next(file, &m->points, &cursor, &key, &p)) == 1) {
    if (p.y != (p.x ^ (uint32_t)key) || p.z != key * 3 + p.x) COUNT(s->torn);
    if (key < done && mark && !mark[key]) mark[key] = 1, seen++;
  }
  if (result < 0 && result != -MM3_E_AGAIN) COUNT(s->failed);
  if (result == 0 && seen != done) {
    fprintf(stderr, "missed: a walk with %u restarts met %llu of %llu\n", cursor.restarts, (unsigned long long)seen,
            (unsigned long long)done);
    COUNT(s->missed);
  }
  free(mark);
  COUNT(s->walks);
}

static int reader(void *arg) {
  struct shared *s = arg;
  struct mm3_error error;
  struct mm3_options options = {.size = sizeof options, .flags = MM3_READ_ONLY};
  struct mm3_file *file = mm3_open(s->path, MM3_TYPE(maps), &options, &error);
  uint64_t random = (uint64_t)getpid();
  if (!file) return 1;
  const struct maps *m = mm3_root_const(file, maps);
  while (!LOOK(s->stop)) {
    for (int k = 0; k < 500; k++) {
      uint64_t done = LOOK(s->done), i = maps_random(&random) % (2 * s->n);
      look_at_one(file, m, s, i, i < done);
      if (done) look_at_one(file, m, s, done - 1, true); /* the newest */
      for (uint64_t hot = 0; hot < 7 && done > 7; hot++) look_at_one(file, m, s, hot, true);
    }
    walk_points(file, m, s);
  }
  return mm3_close(file) != 0;
}

static int put_one(struct mm3_file *file, struct maps *m, uint64_t i, uint32_t version) {
  char key[32], text[4096];
  struct point p = point_of(i, version);
  int result = mm3_hashmap_set_held(file, &m->numbers, i, i << 32 | version);
  if (result >= 0) result = mm3_hashmap_set_held(file, &m->points, i, &p);
  snprintf(key, sizeof key, "key %llu", (unsigned long long)i);
  size_t length = text_of(i, version, text);
  if (result >= 0) result = mm3_hashmap_set_held(file, &m->texts, key, mm3_str_n(text, length));
  if (result >= 0) result = mm3_hashmap_set_held(file, &m->notes, (int32_t)i, mm3_str_n(text, length));
  return result;
}

static int remove_one(struct mm3_file *file, struct maps *m, uint64_t i) {
  char key[32];
  snprintf(key, sizeof key, "key %llu", (unsigned long long)i);
  int bad = mm3_hashmap_remove_held(file, &m->numbers, i) != 0;
  bad |= mm3_hashmap_remove_held(file, &m->points, i) != 0;
  bad |= mm3_hashmap_remove_held(file, &m->texts, key) != 0;
  return bad | (mm3_hashmap_remove_held(file, &m->notes, (int32_t)i) != 0);
}

static void readers_meet_growth(void) {
  /* In torture a tenth of what one map gets: there are four here, and each entry is twelve changes. */
  uint64_t n = maps_entries(20000) / (getenv("MM3_TORTURE") ? 10 : 1) + 100, random = maps_seed("shared"), bad = 0;
  struct mm3_file *file = maps_new("a.mm3");
  struct shared *s = shared_new("a.mm3", n);
  if (!file || !s) return;
  struct maps *m = mm3_root(file, maps);
  pid_t child[2] = {mm3test_spawn(reader, s), mm3test_spawn(reader, s)};
  for (uint64_t i = 0; i < n; i++) {
    bad += mm3_lock(file) < 0;
    bad += put_one(file, m, i, 1) < 0;
    if (i % 2) __atomic_store_n(&s->done, i + 1, __ATOMIC_RELEASE);
    bad += put_one(file, m, maps_random(&random) % (i + 1), (uint32_t)i + 2) < 0; /* an old one changes */
    uint64_t other = n + maps_random(&random) % n;                                /* others come and go */
    if (mm3_hashmap_contains(file, &m->points, other) == 1)
      bad += (uint64_t)remove_one(file, m, other);
    else
      bad += put_one(file, m, other, (uint32_t)i) < 0;
    bad += mm3_unlock(file) < 0;
  }
  uint64_t changes = n / 4 + 20000, apart = changes / 12; /* rebuilds are apart: each passes over the whole table */
  for (uint64_t i = 0; i < changes; i++) {                /* the same few keys again and again: blocks and slots too */
    bad += mm3_lock(file) < 0;
    bad += put_one(file, m, i % 7, (uint32_t)i) < 0;
    if (i % apart == 0) bad += mm3_hashmap_shrink_held(file, &m->points) < 0;
    if (i % apart == apart / 2) bad += mm3_hashmap_reserve_held(file, &m->points, 2 * n) < 0;
    bad += mm3_unlock(file) < 0;
  }
  __atomic_store_n(&s->stop, 1, __ATOMIC_RELEASE);
  CHECK_EQ(mm3test_wait(child[0]) | mm3test_wait(child[1]), 0);
  CHECK_EQ(bad, 0);
  CHECK_EQ(s->torn, 0);
  CHECK_EQ(s->missed, 0);
  CHECK_EQ(s->failed, 0);
  CHECK(s->reads > 1000 && s->walks > 2);
  struct mm3_file_info info = {.size = sizeof info};
  CHECK_EQ(mm3_file_describe(file, &info), 0);
  fprintf(stderr, "shared: four maps grew to %llu entries and more each, the file to %llu MiB; %llu reads, %llu walks\n",
          (unsigned long long)n, (unsigned long long)info.length >> 20, (unsigned long long)s->reads,
          (unsigned long long)s->walks);
  CHECK_SOUND(file);
  CHECK_EQ(mm3_close(file), 0);
}

/* ---- one map, as large as it gets ---- */

/* Each entry that was told of is there, at once and ever after; what was not inserted is not. */
static int follower(void *arg) {
  struct shared *s = arg;
  struct mm3_error error;
  struct mm3_options options = {.size = sizeof options, .flags = MM3_READ_ONLY};
  struct mm3_file *file = mm3_open(s->path, MM3_TYPE(maps), &options, &error);
  uint64_t random = (uint64_t)getpid(), done = 0, value, key, count = 0, sum = 0, wanted = 0;
  struct mm3_hashmap_cursor cursor = {0, 0, 0, 0};
  if (!file) return 1;
  const struct maps *m = mm3_root_const(file, maps);
  while (done < s->n) {
    if ((done = LOOK(s->done)) == 0) continue;
    for (int k = 0; k < 200; k++) {
      uint64_t i = k ? maps_random(&random) % done : done - 1;
      int result = mm3_hashmap_get(file, &m->numbers, maps_key(i), &value);
      judge(s, "number", i, result, true);
      if (result == 0 && value != i) COUNT(s->torn);
      COUNT(s->reads);
    }
    if (mm3_hashmap_get(file, &m->numbers, maps_key(s->n + done), &value) != -MM3_E_ABSENT) COUNT(s->failed);
  }
  while (mm3_hashmap_next(file, &m->numbers, &cursor, &key, &value) == 1) count++, sum += key ^ value;
  for (uint64_t i = 0; i < s->n; i++) wanted += maps_key(i) ^ i;
  COUNT(s->walks);
  return CHECK_EQ(count, s->n) && CHECK_EQ(sum, wanted) ? mm3_close(file) != 0 : 1;
}

static void followers_of_one_map(void) {
  uint64_t n = maps_entries(200000), bad = 0;
  struct mm3_file *file = maps_new("a.mm3");
  struct shared *s = shared_new("a.mm3", n);
  if (!file || !s) return;
  struct maps *m = mm3_root(file, maps);
  pid_t child[2] = {mm3test_spawn(follower, s), mm3test_spawn(follower, s)};
  for (uint64_t i = 0; i < n;) {
    bad += mm3_lock(file) < 0;
    for (unsigned k = 0; k < 100 && i < n; k++, i++) {
      bad += mm3_hashmap_set_held(file, &m->numbers, maps_key(i), i) != 0;
      __atomic_store_n(&s->done, i + 1, __ATOMIC_RELEASE);
    }
    bad += mm3_unlock(file) < 0;
  }
  for (int k = 0; k < 2; k++) CHECK_EQ(mm3test_wait(child[k]), 0);
  CHECK_EQ(bad, 0);
  CHECK_EQ(s->missed, 0);
  CHECK_EQ(s->torn, 0);
  CHECK_EQ(s->failed, 0);
  CHECK(s->reads > 100 && s->walks == 2);
  struct mm3_hashmap_stats stats = {.size = sizeof stats};
  CHECK_EQ(mm3_hashmap_stats(file, &m->numbers, &stats), 0);
  fprintf(stderr, "one map: two followed it to %llu entries through %llu tables; %llu reads, none missed\n",
          (unsigned long long)stats.count, (unsigned long long)stats.rebuilds, (unsigned long long)s->reads);
  CHECK_SOUND(file);
  CHECK_EQ(mm3_close(file), 0);
}

/* ---- the same few texts again and again: the record that a reader compares may be another key's by then ---- */

static int text_reader(void *arg) {
  struct shared *s = arg;
  struct mm3_error error;
  struct mm3_options options = {.size = sizeof options, .flags = MM3_READ_ONLY};
  struct mm3_file *file = mm3_open(s->path, MM3_TYPE(maps), &options, &error);
  char key[32], text[128];
  struct mm3_buf buf = mm3_buf_of(text, sizeof text);
  if (!file) return 1;
  const struct maps *m = mm3_root_const(file, maps);
  for (uint64_t i = 0; !LOOK(s->stop); i++) {
    snprintf(key, sizeof key, "key %llu", (unsigned long long)(i % s->n));
    judge(s, "text", i % s->n, mm3_hashmap_get(file, &m->texts, key, &buf), true);
    COUNT(s->reads);
  }
  return mm3_close(file) != 0;
}

static void texts_that_change_are_never_absent(void) {
  struct mm3_file *file = maps_new("a.mm3");
  struct shared *s = shared_new("a.mm3", 5);
  uint64_t bad = 0, until = mm3test_now_ns() + (mm3test_tool()[0] ? 200 : 1500) * UINT64_C(1000000);
  char key[32], text[64];
  if (!file || !s) return;
  struct maps *m = mm3_root(file, maps);
  pid_t child[3];
  for (uint64_t i = 0; i < s->n; i++) {
    snprintf(key, sizeof key, "key %llu", (unsigned long long)i);
    CHECK_EQ(mm3_hashmap_set(file, &m->texts, key, "a value"), 0);
  }
  for (int k = 0; k < 3; k++) child[k] = mm3test_spawn(text_reader, s);
  for (uint64_t i = 0; mm3test_now_ns() < until || (LOOK(s->reads) <= 100 && LOOK(s->missed) == 0); i++) {
    snprintf(key, sizeof key, "key %llu", (unsigned long long)(i * 3 % s->n));
    snprintf(text, sizeof text, "version %llu", (unsigned long long)i);
    bad += mm3_hashmap_set(file, &m->texts, key, text) != 1;
  }
  __atomic_store_n(&s->stop, 1, __ATOMIC_RELEASE);
  for (int k = 0; k < 3; k++) CHECK_EQ(mm3test_wait(child[k]), 0);
  CHECK_EQ(bad, 0);
  CHECK_EQ(s->missed, 0);
  CHECK(s->reads > 100);
  CHECK_EQ(mm3_close(file), 0);
}

/* ---- writers that are killed ---- */

static int writer(void *arg) {
  struct shared *s = arg;
  struct mm3_error error;
  struct mm3_file *file = mm3_open(s->path, MM3_TYPE(maps), NULL, &error);
  uint64_t random = (uint64_t)getpid() * 77;
  if (!file) return 1;
  struct maps *m = mm3_root(file, maps);
  for (uint32_t version = 1;; version++) {
    uint64_t i = maps_random(&random) % s->n;
    if (mm3_lock(file) < 0) return 2;
    if (version % 512 == 0 &&
        mm3_hashmap_reserve_held(file, &m->points, mm3_hashmap_len(file, &m->points) * 2 + 50) < 0)
      return 3;
    if (version % 512 == 256 && mm3_hashmap_shrink_held(file, &m->points) < 0) return 4;
    int there = mm3_hashmap_contains(file, &m->numbers, i);
    if (there == 1 && version % 3 == 0) {
      char key[32]; /* some of them may be gone since a kill */
      snprintf(key, sizeof key, "key %llu", (unsigned long long)i);
      mm3_hashmap_remove_held(file, &m->numbers, i);
      mm3_hashmap_remove_held(file, &m->points, i);
      mm3_hashmap_remove_held(file, &m->texts, key);
      mm3_hashmap_remove_held(file, &m->notes, (int32_t)i);
    } else if (put_one(file, m, i, version) < 0) {
      return 5;
    }
    if (mm3_unlock(file) < 0) return 6;
    COUNT(s->done);
  }
}

static void count_all(struct mm3_file *file, const struct maps *m) {
  uint64_t key, count = 0;
  struct mm3_hashmap_cursor cursor = {0, 0, 0, 0};
  struct point p;
  while (mm3_hashmap_next(file, &m->points, &cursor, &key, &p) == 1) {
    CHECK(p.y == (p.x ^ (uint32_t)key) && p.z == key * 3 + p.x);
    count++;
  }
  CHECK_EQ(mm3_hashmap_len(file, &m->points), count);
}

static void writers_die(void) {
  struct mm3_file *file = maps_new("a.mm3");
  struct shared *s = shared_new("a.mm3", 3000);
  uint64_t random = maps_seed("kills"), kills = 0;
  if (!file || !s) return;
  const struct maps *m = mm3_root_const(file, maps);
  for (int round = 0; round < 30; round++) {
    pid_t child = mm3test_spawn(writer, s);
    uint64_t from = LOOK(s->done);
    while (LOOK(s->done) < from + 200) mm3test_sleep_ms(1);
    usleep((useconds_t)(maps_random(&random) % 3000));
    kill(child, SIGKILL);
    kills += mm3test_wait(child) == -SIGKILL;
    count_all(file, m); /* before anybody has recovered anything */
    struct shared before = *s;
    for (uint64_t i = 0; i < s->n; i += 7) look_at_one(file, m, s, i, false);
    CHECK_EQ(s->torn, before.torn);
    CHECK_EQ(s->missed, before.missed);
  }
  CHECK_EQ(kills, 30);
  CHECK(mm3_lock(file) >= 0);
  CHECK_EQ(mm3_unlock(file), 0);
  CHECK_SOUND(file);
  CHECK_EQ(mm3_close(file), 0);
}

MM3_TEST_SUITE("hashmap_shared",
               {"readers see each entry whole, and miss none, while a writer grows the map", readers_meet_growth},
               {"two follow one map while it grows", followers_of_one_map},
               {"texts that change are never absent", texts_that_change_are_never_absent},
               {"a writer killed at any moment leaves whole entries and a count that is right", writers_die})

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* segmented(T): every operation against a plain array, the bytes, hostile directories, readers and appenders in other
 * processes, full disks. Kills: test_kill_grow.c. */
#include "mm3test.h"

#include <sys/stat.h>

#include <errno.h>
#include <mm3/field.h>
#include <mm3/heap.h>
#include <mm3/segmented.h>
#include <mm3/string.h>
#include <mm3/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EVENT(FIELD) FIELD(number, u64) FIELD(source, u32) FIELD(again, u64) FIELD(fill, raw(40))
MM3_STRUCT(event, EVENT);
#define LOG(FIELD)                                                                                     \
  FIELD(numbers, segmented(u64)) FIELD(events, segmented(event)) FIELD(names, segmented(string(20)))    \
  FIELD(bytes, segmented(u8)) FIELD(big, segmented(raw(5000))) FIELD(lines, segmented(text))            \
  FIELD(nested, segmented(segmented(u16)))
MM3_STRUCT(event_log, LOG);

static void found(void *arg, const struct mm3_error *finding) {
  (void)arg;
  fprintf(stderr, "  %s: %s\n", finding->field, finding->text);
}

static struct mm3_file *make(const struct mm3_options *options) {
  struct mm3_error error = {0};
  struct mm3_file *file = mm3_create(mm3test_path("a.mm3"), MM3_TYPE(event_log), options, &error);
  if (!CHECK(file != NULL)) fprintf(stderr, "%s\n", error.text);
  return file;
}

static uint64_t blocks(struct mm3_file *file) {
  struct mm3_heap_stats stats = {.size = sizeof stats};
  CHECK_EQ(mm3_heap_measure(file, &stats), 0);
  return stats.blocks;
}

static struct event event_of(uint64_t i) {
  struct event e = {.number = i, .source = (uint32_t)getpid(), .again = i * 31};
  memset(e.fill, (int)i, sizeof e.fill);
  return e;
}

static int event_is_whole(const struct event *e) {
  for (size_t k = 0; k < sizeof e->fill; k++)
    if (e->fill[k] != (uint8_t)e->number) return 0;
  return e->again == e->number * 31;
}

/* ---- alone ---- */

static void bytes_are_as_drawn(void) {
  struct mm3_file *file = make(NULL);
  if (!file) return;
  struct event_log *log = mm3_root(file, event_log);
  CHECK_EQ(sizeof log->numbers, 400);
  CHECK_EQ(sizeof(MM3_VALUE(segmented(u8))), 400);
  for (uint64_t i = 0; i < 1537; i++) CHECK_EQ(mm3_segmented_append(file, &log->numbers, i * 3), 0);
  CHECK_EQ(log->numbers.length, 1537);
  const uint64_t *first = mm3_at(file, log->numbers.segment[0], 4096), *third = mm3_at(file, log->numbers.segment[2], 16384);
  CHECK(first && third && log->numbers.segment[3] == 0);
  CHECK_EQ(first[511], 511 * 3); /* F is 512; segment 1 has 1024 */
  CHECK_EQ(third[0], 1536 * 3);
  const uint8_t zeros[1][5000] = {{0}};
  CHECK_EQ(mm3_segmented_append_from(file, &log->big, zeros), 0);
  CHECK_EQ(mm3_heap_usable(file, log->big.segment[0]), 5120); /* F is 1 */
  CHECK_EQ(mm3_check(file, found, NULL), 0);
  mm3_close(file);
}

static void operations_at_the_edges(void) {
  struct mm3_file *file = make(NULL);
  if (!file) return;
  struct event_log *log = mm3_root(file, event_log);
  uint64_t out = 99, count = 99;
  CHECK_EQ(mm3_segmented_len(&log->numbers), 0);
  CHECK_EQ(mm3_segmented_get(file, &log->numbers, 0, &out), -MM3_E_ABSENT);
  CHECK_EQ(mm3_segmented_get(file, &log->numbers, -1, &out), -MM3_E_ABSENT);
  CHECK_EQ(mm3_segmented_last(file, &log->numbers, &out), -MM3_E_ABSENT);
  CHECK_EQ(mm3_segmented_set(file, &log->numbers, 0, 1), -MM3_E_ABSENT);
  CHECK(mm3_segmented_at(file, &log->numbers, 0) == NULL);
  CHECK(mm3_segmented_run(file, &log->numbers, 0, &count) == NULL && count == 0);
  CHECK_EQ(mm3_segmented_append_many(file, &log->numbers, &count, 0), 0);
  CHECK_EQ(mm3_segmented_truncate(file, &log->numbers, 5), 0);
  CHECK_EQ(mm3_segmented_clear(file, &log->numbers), 0);
  CHECK_EQ(out, 99);
  CHECK_EQ(mm3_segmented_append(file, &log->numbers, 7), 0);
  CHECK_EQ(mm3_segmented_last(file, &log->numbers, &out), 0);
  CHECK_EQ(out, 7);
  CHECK_EQ(mm3_segmented_set(file, &log->numbers, 0, 8), 0);
  CHECK_EQ(*mm3_segmented_at(file, &log->numbers, 0), 8);
  CHECK_EQ(mm3_segmented_get(file, &log->numbers, 1, &out), -MM3_E_ABSENT);
  CHECK_EQ(mm3_segmented_reserve(file, &log->numbers, UINT64_MAX), -EFBIG);
  CHECK_EQ(mm3_segmented_append_many(file, &log->numbers, &out, UINT64_MAX), -EFBIG);
  CHECK_EQ(mm3_segmented_append_many_held(file, &log->numbers, &out, 1), -EPERM);
  CHECK_EQ(mm3_segmented_truncate_held(file, &log->numbers, 0), -EPERM);
  CHECK_EQ(mm3_segmented_commit(file, &log->numbers, 0), -EPERM);
  CHECK_EQ(mm3_segmented_len(&log->numbers), 1);
  mm3_close(file);
}

/* Random operations, each done to a plain array too. */
static void operations_agree_with_a_plain_array(void) {
  enum { MOST = 40000 };
  struct mm3_file *file = make(NULL);
  static uint64_t model[MOST];
  uint64_t length = 0, *room_items, room, value = 0;
  unsigned random = 5;
  if (!file) return;
  struct event_log *log = mm3_root(file, event_log);
  int rounds = mm3test_tool()[0] ? 300 : 3000;
  for (int round = 0; round < rounds; round++) {
    random = random * 1664525u + 1013904223u;
    unsigned what = random >> 16 & 7, some = (random >> 20) % 700;
    if (length + 2 * some + 2 >= MOST) what = 5;
    if (what <= 1) {
      CHECK_EQ(mm3_segmented_append(file, &log->numbers, random), 0);
      model[length++] = random;
    } else if (what == 2) {
      for (unsigned i = 0; i < some; i++) model[length + i] = random + i;
      CHECK_EQ(mm3_segmented_append_many(file, &log->numbers, &model[length], some), 0);
      length += some;
    } else if (what == 3) {
      CHECK_EQ(mm3_segmented_begin(file, &log->numbers, some + 1, &room_items, &room), 0);
      if (!CHECK(room >= 1 && room <= some + 1)) break;
      for (uint64_t i = 0; i < room; i++) model[length + i] = room_items[i] = random ^ i;
      room = random & 1 ? room : room / 2;
      CHECK_EQ(mm3_segmented_commit(file, &log->numbers, room), 0);
      length += room;
    } else if (what == 4 && length) {
      CHECK_EQ(mm3_segmented_set(file, &log->numbers, random % length, random), 0);
      model[random % length] = random;
    } else if (what == 5) {
      uint64_t to = length ? random % length : 0;
      CHECK_EQ(mm3_segmented_truncate(file, &log->numbers, random & 256 ? to : length / 2), 0);
      length = random & 256 ? to : length / 2;
    } else if (what == 6) {
      CHECK_EQ(mm3_segmented_reserve(file, &log->numbers, length + some), 0);
    } else if (random % 50 == 0) {
      CHECK_EQ(mm3_segmented_clear(file, &log->numbers), 0);
      length = 0;
    }
    CHECK_EQ(mm3_segmented_len(&log->numbers), length);
    if (length) {
      CHECK_EQ(mm3_segmented_get(file, &log->numbers, random % length, &value), 0);
      CHECK_EQ(value, model[random % length]);
    }
  }
  uint64_t i = 0, count;
  MM3_SEGMENTED_EACH(item, file, &log->numbers) {
    if (!CHECK_EQ(*item, model[i])) break;
    i++;
  }
  CHECK_EQ(i, length);
  for (i = 0; i < length; i += count) {
    const uint64_t *run = mm3_segmented_run(file, &log->numbers, i, &count);
    if (!CHECK(run != NULL && count > 0)) break;
    CHECK_MEM(run, &model[i], count * 8);
  }
  CHECK_EQ(mm3_check(file, found, NULL), 0);
  CHECK_EQ(mm3_segmented_clear(file, &log->numbers), 0);
  CHECK_EQ(blocks(file), 0);
  mm3_close(file);
}

/* Left at every item, last ones of a segment among them; gone over with continue; longer when it ends than at its start. */
static void a_walk_is_a_loop(void) {
  struct mm3_file *file = make(NULL);
  if (!file) return;
  struct event_log *log = mm3_root(file, event_log);
  uint64_t seen = 0, odd = 0;
  MM3_SEGMENTED_EACH(item, file, &log->numbers) seen++;
  CHECK_EQ(seen, 0);
  for (uint64_t i = 0; i < 40; i++) CHECK_EQ(mm3_segmented_append(file, &log->numbers, i), 0);
  for (uint64_t stop = 0; stop < 40; stop++) {
    seen = 0;
    MM3_SEGMENTED_EACH(item, file, &log->numbers) {
      seen++;
      if (*item == stop) break;
    }
    CHECK_EQ(seen, stop + 1);
  }
  MM3_SEGMENTED_EACH(item, file, &log->numbers) {
    if (*item % 2 == 0) continue;
    odd += *item;
  }
  CHECK_EQ(odd, 400);
  seen = 0;
  MM3_SEGMENTED_EACH(item, file, &log->numbers) {
    CHECK_EQ(*item, seen);
    if (seen++ < 100) CHECK_EQ(mm3_segmented_append(file, &log->numbers, *item + 40), 0);
  }
  CHECK_EQ(seen, 140);
  mm3_close(file);
}

static void items_of_any_type_come_back(void) {
  struct mm3_file *file = make(NULL);
  if (!file) return;
  struct event_log *log = mm3_root(file, event_log);
  MM3_VALUE(string(20)) *unused = NULL;
  (void)unused;
  uint8_t byte = 0, big[1][5000];
  for (uint64_t i = 0; i < 9000; i++) {
    struct event e = event_of(i);
    CHECK_EQ(mm3_segmented_append(file, &log->bytes, (uint8_t)(i * 7)), 0);
    CHECK_EQ(mm3_segmented_append(file, &log->events, e), 0);
  }
  for (unsigned i = 0; i < 9; i++) {
    memset(big, (int)i, sizeof big);
    CHECK_EQ(mm3_segmented_append_from(file, &log->big, big), 0);
  }
  for (uint64_t i = 0; i < 9000; i++) {
    struct event e;
    CHECK_EQ(mm3_segmented_get(file, &log->bytes, i, &byte), 0);
    CHECK_EQ(byte, (uint8_t)(i * 7));
    CHECK_EQ(mm3_segmented_get(file, &log->events, i, &e), 0);
    CHECK(e.number == i && event_is_whole(&e));
  }
  const struct event *before = mm3_segmented_at(file, &log->events, 5);
  for (uint64_t i = 0; i < 100000; i++) CHECK_EQ(mm3_segmented_append(file, &log->events, event_of(i)), 0);
  CHECK(mm3_segmented_at(file, &log->events, 5) == before); /* items never move */
  CHECK_EQ(mm3_segmented_get(file, &log->big, 8, big), 0);
  CHECK_EQ(big[0][4999], 8);
  CHECK_EQ(mm3_check(file, found, NULL), 0);
  mm3_close(file);
}

static void items_are_there_after_reopening(void) {
  struct mm3_error error = {0};
  struct mm3_file *file = make(NULL);
  if (!file) return;
  for (uint64_t i = 0; i < 5000; i++)
    CHECK_EQ(mm3_segmented_append(file, &mm3_root(file, event_log)->events, event_of(i)), 0);
  mm3_close(file);
  struct mm3_options options = {.size = sizeof options, .flags = MM3_READ_ONLY};
  file = mm3_open(mm3test_path("a.mm3"), MM3_TYPE(event_log), &options, &error);
  if (!CHECK(file != NULL)) return;
  const struct event_log *log = mm3_root_const(file, event_log);
  struct event e = {0};
  CHECK_EQ(mm3_segmented_len(&log->events), 5000);
  CHECK_EQ(mm3_segmented_last(file, &log->events, &e), 0);
  CHECK_EQ(e.number, 4999);
  CHECK_EQ(mm3_check(file, found, NULL), 0);
  mm3_close(file);
}

/* ---- by name ---- */

static int next_of(const struct mm3_value *of, void **cursor, struct mm3_value *key, struct mm3_value *item) {
  const struct mm3_value *items = of->node;
  size_t at = *cursor ? (size_t)((const struct mm3_value *)*cursor - items) : 0;
  (void)key;
  if (at == of->count) return 0;
  *item = items[at];
  *cursor = (void *)(uintptr_t)(items + at + 1);
  return 1;
}

static const struct mm3_value_source source = {next_of};

static struct mm3_value number(int64_t value) { return (struct mm3_value){.is = MM3_INT, .as.integer = value}; }
static struct mm3_value string(const char *text) {
  return (struct mm3_value){.is = MM3_TEXT, .as.text = text, .count = strlen(text)};
}
static struct mm3_value list(const struct mm3_value *items, size_t count) {
  return (struct mm3_value){.is = MM3_LIST, .count = count, .source = &source, .node = items};
}

static int put(struct mm3_file *file, const char *path, struct mm3_value value, struct mm3_error *error) {
  struct mm3_field field;
  int result = mm3_field_find(file, path, &field, error);
  return result < 0 ? result : mm3_field_put(&field, &value, error);
}

static int push(struct mm3_file *file, const char *path, struct mm3_value value, struct mm3_error *error) {
  struct mm3_field field;
  int result = mm3_field_find(file, path, &field, error);
  return result < 0 ? result : mm3_field_push(&field, &value, error);
}

static int erase(struct mm3_file *file, const char *path, struct mm3_error *error) {
  struct mm3_field field;
  int result = mm3_field_find(file, path, &field, error);
  return result < 0 ? result : mm3_field_erase(&field, error);
}

static void values_come_in_by_name(void) {
  struct mm3_file *file = make(NULL);
  struct mm3_error error = {0};
  struct mm3_value items[700];
  uint64_t value = 0;
  if (!file) return;
  struct event_log *log = mm3_root(file, event_log);
  for (int i = 0; i < 700; i++) items[i] = number(i);
  CHECK_OK(put(file, "numbers", list(items, 700), &error), error);
  CHECK_OK(push(file, "numbers", number(700), &error), error);
  CHECK_OK(put(file, "numbers[-1]", number(-1 + 8), &error), error);
  CHECK_EQ(mm3_segmented_len(&log->numbers), 701);
  CHECK_EQ(mm3_segmented_get(file, &log->numbers, 700, &value), 0);
  CHECK_EQ(value, 7);
  uint64_t before = blocks(file);
  items[500] = string("no number");
  CHECK_FAILS(put(file, "numbers", list(items, 700), &error), -MM3_E_VALUE, error);
  CHECK_STR(error.field, "numbers[500]");
  CHECK_FAILS(push(file, "numbers", number(-5), &error), -MM3_E_VALUE, error);
  CHECK_FAILS(put(file, "numbers", number(5), &error), -MM3_E_VALUE, error);
  CHECK_HAS(error.text, "segmented(u64) wants an array");
  CHECK_EQ(mm3_segmented_len(&log->numbers), 701); /* the old value stands */
  CHECK_EQ(blocks(file), before);
  CHECK_FAILS(erase(file, "numbers[5]", &error), -MM3_E_PATH, error);
  CHECK_HAS(error.text, "only the last item");
  CHECK_OK(erase(file, "numbers[-1]", &error), error);
  CHECK_OK(erase(file, "numbers[699]", &error), error);
  CHECK_EQ(mm3_segmented_len(&log->numbers), 699);
  CHECK_FAILS(put(file, "numbers[699]", number(1), &error), -MM3_E_ABSENT, error);
  CHECK_FAILS(put(file, "numbers[-700]", number(1), &error), -MM3_E_ABSENT, error);
  CHECK_FAILS(put(file, "numbers.x", number(1), &error), -MM3_E_PATH, error);
  CHECK_OK(put(file, "numbers", list(items, 0), &error), error);
  CHECK_EQ(mm3_segmented_len(&log->numbers), 0);
  CHECK_EQ(blocks(file), 0);
  CHECK_EQ(mm3_check(file, found, NULL), 0);
  mm3_close(file);
}

static void items_may_own_blocks_themselves(void) {
  struct mm3_file *file = make(NULL);
  struct mm3_error error = {0};
  char line[100];
  if (!file) return;
  struct event_log *log = mm3_root(file, event_log);
  const struct mm3_value lines[] = {string("one"), string(""), string("three")};
  const struct mm3_value numbers[] = {number(1), number(2)};
  const struct mm3_value rows[] = {list(numbers, 2), list(numbers, 0), list(numbers, 1)};
  CHECK_OK(put(file, "lines", list(lines, 3), &error), error);
  CHECK_OK(put(file, "nested", list(rows, 3), &error), error);
  CHECK_OK(push(file, "nested[1]", number(9), &error), error);
  CHECK_OK(push(file, "lines", string("four"), &error), error);
  CHECK_EQ(blocks(file), 1 + 3 + 1 + 3);
  CHECK_EQ(mm3_text_get(file, mm3_segmented_at(file, &log->lines, 3), line, sizeof line, NULL), 0);
  CHECK_STR(line, "four");
  CHECK_EQ(mm3_check(file, found, NULL), 0);
  CHECK_OK(erase(file, "lines[-1]", &error), error);
  CHECK_EQ(blocks(file), 1 + 2 + 1 + 3);
  const struct mm3_value bad[] = {string("ok"), number(5)};
  CHECK_FAILS(put(file, "lines", list(bad, 2), &error), -MM3_E_VALUE, error);
  CHECK_EQ(blocks(file), 1 + 2 + 1 + 3);
  CHECK_OK(put(file, "lines", list(lines, 0), &error), error);
  CHECK_OK(put(file, "nested", list(lines, 0), &error), error);
  CHECK_EQ(blocks(file), 0);
  CHECK_EQ(mm3_check(file, found, NULL), 0);
  mm3_close(file);
}

/* ---- hostile ---- */

static void hostile_directories_are_codes(void) {
  struct mm3_file *file = make(NULL);
  if (!file) return;
  struct event_log *log = mm3_root(file, event_log);
  for (uint64_t i = 0; i < 2000; i++) CHECK_EQ(mm3_segmented_append(file, &log->events, event_of(i)), 0);
  struct mm3_file_info info = {.size = sizeof info};
  mm3_file_describe(file, &info);
  const uint64_t values[] = {0, 1, 8, info.length - 1, info.length, info.length + 1, info.reserve - 8, UINT64_C(1) << 62,
                             UINT64_C(1) << 63, UINT64_MAX};
  uint64_t *words = (uint64_t *)(void *)&log->events;
  void *image = malloc(info.length);
  memcpy(image, file->base, info.length);
  for (unsigned w = 0; w < 50; w++)
    for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
      uint64_t old = words[w], count;
      struct event e;
      words[w] = values[v];
      int damaged = mm3_check(file, NULL, NULL);
      if (w != 1 && values[v] != old) CHECK(damaged > 0 || (w == 0 && values[v] < 2000));
      for (uint64_t i = 0; i < 2000; i += 97) mm3_segmented_get(file, &log->events, i, &e);
      for (uint64_t i = 0; i < 2000; i += 97) mm3_segmented_run(file, &log->events, i, &count);
      mm3_segmented_last(file, &log->events, &e);
      mm3_segmented_get(file, &log->events, UINT64_MAX, &e);
      mm3_segmented_get(file, &log->events, UINT64_C(1) << 60, &e);
      if (w != 0) {
        int result = mm3_segmented_append(file, &log->events, event_of(2000));
        CHECK(result == 0 || result == -MM3_E_DAMAGED || result == -MM3_E_RESERVE);
      }
      memcpy(file->base, image, info.length); /* an append may have gone where the hostile offset led */
    }
  free(image);
  CHECK_EQ(mm3_check(file, found, NULL), 0);
  log->events.length = UINT64_MAX;
  CHECK(mm3_segmented_append(file, &log->events, event_of(0)) < 0);
  log->events.length = UINT64_C(1) << 50;
  CHECK(mm3_segmented_append(file, &log->events, event_of(0)) < 0);
  log->events.length = 2000;
  log->events.segment[3] = log->events.segment[1]; /* two segments in one block */
  CHECK(mm3_check(file, NULL, NULL) > 0);
  log->events.segment[3] = 0;
  mm3_close(file);
}

/* ---- others ---- */

struct follow {
  char path[300];
  uint64_t wanted;
  uint32_t flags;
};

static int follower(void *arg) {
  const struct follow *follow = arg;
  struct mm3_error error;
  struct mm3_options options = {.size = sizeof options, .flags = follow->flags};
  struct mm3_file *file = mm3_open(follow->path, MM3_TYPE(event_log), &options, &error);
  if (!CHECK(file != NULL)) return 1;
  const struct event_log *log = mm3_root_const(file, event_log);
  const unsigned char *base = file->base;
  struct event e = {0};
  for (uint64_t i = 0; i < follow->wanted;) {
    uint32_t seen = mm3_changes(file);
    int result;
    while ((result = mm3_segmented_get(file, &log->events, i, &e)) == 0) {
      if (!CHECK_EQ(e.number, i) || !CHECK(event_is_whole(&e))) return 1; /* none torn, none missed */
      i++;
    }
    if (!CHECK_EQ(result, -MM3_E_ABSENT)) return 1;
    if (i < follow->wanted && !CHECK_EQ(mm3_wait(file, seen, 20000), 1)) return 1;
  }
  CHECK(file->base == base);
  return mm3_close(file) != 0;
}

/* While so much is written two follow. */
static void followers_see_each_item_whole_and_none_is_missed(void) {
  uint64_t bytes = getenv("MM3_TORTURE") ? UINT64_C(2) << 30 : mm3test_tool()[0] ? 1 << 20 : 64 << 20;
  struct follow follow = {.wanted = bytes / sizeof(struct event)}, reader;
  struct mm3_file *file = make(NULL);
  if (!file) return;
  snprintf(follow.path, sizeof follow.path, "%s", mm3test_path("a.mm3"));
  reader = follow;
  reader.flags = MM3_READ_ONLY;
  pid_t children[2] = {mm3test_spawn(follower, &follow), mm3test_spawn(follower, &reader)};
  struct event_log *log = mm3_root(file, event_log);
  for (uint64_t i = 0; i < follow.wanted;) {
    mm3_lock(file);
    for (unsigned k = 0; k < 1000 && i < follow.wanted; k++, i++)
      if (!CHECK_EQ(mm3_segmented_append_held(file, &log->events, event_of(i)), 0)) i = follow.wanted;
    mm3_unlock(file);
  }
  for (int i = 0; i < 2; i++) CHECK_EQ(mm3test_wait(children[i]), 0);
  CHECK_EQ(mm3_check(file, found, NULL), 0);
  struct mm3_file_info info = {.size = sizeof info};
  CHECK_EQ(mm3_file_describe(file, &info), 0);
  fprintf(stderr, "followers: two saw each of %llu items (%llu MiB) of a file that grew to %llu MiB\n",
          (unsigned long long)follow.wanted, (unsigned long long)bytes >> 20, (unsigned long long)info.length >> 20);
  CHECK(info.length <= 2 * bytes + (65 << 20)); /* segments double, and a file's step is 64 MiB at most */
  mm3_close(file);
}

struct appender {
  struct mm3_file *file;
  uint32_t number, count;
};

static int append_in_a_crowd(void *arg) {
  const struct appender *a = arg;
  struct event_log *log = mm3_root(a->file, event_log);
  for (uint32_t i = 0; i < a->count; i++) {
    struct event e = event_of(i);
    e.source = a->number;
    if (mm3_segmented_append(a->file, &log->events, e) < 0) return 1;
  }
  return 0;
}

static void many_processes_append_at_once(void) {
  struct mm3_file *file = make(NULL);
  uint32_t count = mm3test_tool()[0] ? 500 : 20000;
  struct appender appenders[4];
  uint64_t next[4] = {0};
  pid_t children[4];
  if (!file) return;
  for (uint32_t i = 0; i < 4; i++) {
    appenders[i] = (struct appender){file, i, count};
    children[i] = mm3test_spawn(append_in_a_crowd, &appenders[i]);
  }
  for (int i = 0; i < 4; i++) CHECK_EQ(mm3test_wait(children[i]), 0);
  const struct event_log *log = mm3_root_const(file, event_log);
  CHECK_EQ(mm3_segmented_len(&log->events), 4 * count);
  MM3_SEGMENTED_EACH(e, file, &log->events) {
    if (!CHECK(e->source < 4 && event_is_whole(e)) || !CHECK_EQ(e->number, next[e->source])) break;
    next[e->source]++;
  }
  for (int i = 0; i < 4; i++) CHECK_EQ(next[i], count);
  mm3_close(file);
}

/* Truncated and appended to without a pause: a reader gets whole items or none, never a mixture. */
static int read_what_is_cut(void *arg) {
  struct mm3_error error;
  struct mm3_file *file = mm3_open(arg, MM3_TYPE(event_log), NULL, &error);
  if (!CHECK(file != NULL)) return 1;
  const struct event_log *log = mm3_root_const(file, event_log);
  uint64_t end = mm3test_now_ns() + 700000000, whole = 0;
  unsigned random = 1;
  struct event e = {0};
  while (mm3test_now_ns() < end || whole == 0) {
    for (int k = 0; k < 100; k++) {
      random = random * 1664525u + 1013904223u;
      int result = mm3_segmented_get(file, &log->events, (random >> 8) % 300, &e);
      if (result == 0 && !CHECK(event_is_whole(&e))) return 1;
      if (!CHECK(result == 0 || result == -MM3_E_ABSENT)) return 1;
      whole += result == 0;
    }
  }
  CHECK(whole > 0);
  return mm3_close(file) != 0;
}

static void items_that_are_taken_away_are_never_torn(void) {
  struct mm3_file *file = make(NULL);
  if (!file) return;
  char *path = strdup(mm3test_path("a.mm3"));
  struct event_log *log = mm3_root(file, event_log);
  pid_t child = mm3test_spawn(read_what_is_cut, path);
  uint64_t end = mm3test_now_ns() + 900000000;
  unsigned random = 9;
  for (uint64_t number = 0; mm3test_now_ns() < end;) {
    random = random * 1664525u + 1013904223u;
    for (unsigned k = 0; k < 200; k++, number++)
      if (!CHECK_EQ(mm3_segmented_append(file, &log->events, event_of(number)), 0)) return;
    if (!CHECK_EQ(mm3_segmented_truncate(file, &log->events, (random >> 8) % 100), 0)) return;
  }
  CHECK_EQ(mm3test_wait(child), 0);
  CHECK_EQ(mm3_check(file, found, NULL), 0);
  free(path);
  mm3_close(file);
}

static void appended_until_it_fails(struct mm3_file *file, int wanted) {
  struct event_log *log = mm3_root(file, event_log);
  uint64_t i = 0;
  int result;
  while ((result = mm3_segmented_append(file, &log->events, event_of(i))) == 0) i++;
  CHECK_EQ(result, wanted);
  CHECK(i > 1000);
  CHECK_EQ(mm3_segmented_append(file, &log->events, event_of(i)), wanted);
  struct event *many = calloc(10000, sizeof *many);
  CHECK_EQ(mm3_segmented_append_many(file, &log->events, many, 10000), wanted);
  free(many);
  CHECK_EQ(mm3_segmented_len(&log->events), i);
  MM3_SEGMENTED_EACH(e, file, &log->events) if (!CHECK(event_is_whole(e))) break;
  CHECK_EQ(mm3_check(file, found, NULL), 0);
  CHECK_EQ(mm3_segmented_append(file, &log->numbers, 5), 0); /* there may be room for something smaller */
  CHECK_EQ(mm3_segmented_truncate(file, &log->events, 10), 0);
  for (i = 10; i < 1000; i++) CHECK_EQ(mm3_segmented_append(file, &log->events, event_of(i)), 0);
  CHECK_EQ(mm3_check(file, found, NULL), 0);
}

static int on_a_small_disk(void *arg) {
  struct mm3_error error = {0};
  char path[512];
  snprintf(path, sizeof path, "%s/full.mm3", (const char *)arg);
  struct mm3_file *file = mm3_create(path, MM3_TYPE(event_log), NULL, &error);
  if (!CHECK(file != NULL)) return 1;
  appended_until_it_fails(file, -ENOSPC);
  return mm3_close(file) != 0;
}

static void a_full_disk_keeps_every_item(void) {
  char folder[] = "/tmp/mm3segmented.XXXXXX";
  if (!CHECK(mkdtemp(folder) != NULL)) return;
  int result = mm3test_fork_mounted(folder, "size=3m", on_a_small_disk, folder);
  rmdir(folder);
  if (result == MM3TEST_NO_MOUNT) mm3test_skip("no mounts here");
  else CHECK_EQ(result, 0);
}

static void a_limit_and_a_reserve_keep_every_item(void) {
  struct mm3_options options = {.size = sizeof options, .limit = 1 << 20};
  struct mm3_file *file = make(&options);
  if (file) appended_until_it_fails(file, -MM3_E_LIMIT);
  mm3_close(file);
  unlink(mm3test_path("a.mm3"));
  options.limit = 0, options.reserve = 1 << 20;
  file = make(&options);
  if (file) appended_until_it_fails(file, -MM3_E_RESERVE);
  mm3_close(file);
}

#define WHOLE(FIELD) FIELD(log, segmented(u64))
MM3_STRUCT(whole, WHOLE);

static void a_file_with_huge_pages_ends_where_one_does(void) {
  struct mm3_options options = {.size = sizeof options, .flags = MM3_HUGE_PAGES};
  const char *path = mm3test_path("whole_pages.mm3");
  struct mm3_file *whole = mm3_create(path, MM3_TYPE(whole), &options, NULL);
  struct stat st;
  CHECK(whole != NULL);
  if (!whole) return;
  for (uint64_t count = 1 << 16; count <= 1 << 20; count *= 2) {
    CHECK_EQ(mm3_segmented_reserve(whole, &mm3_root(whole, whole)->log, count), 0);
    CHECK_EQ(stat(path, &st), 0);
    CHECK_EQ(st.st_size % (2 << 20), 0);
  }
  CHECK_EQ(mm3_close(whole), 0);
}

MM3_TEST_SUITE("segmented", {"bytes are as drawn", bytes_are_as_drawn},
               {"a file with huge pages ends where one does", a_file_with_huge_pages_ends_where_one_does},
               {"operations at the edges", operations_at_the_edges},
               {"operations agree with a plain array", operations_agree_with_a_plain_array},
               {"a walk is a loop", a_walk_is_a_loop},
               {"items of any type come back", items_of_any_type_come_back},
               {"items are there after reopening", items_are_there_after_reopening},
               {"values come in by name", values_come_in_by_name},
               {"items may own blocks themselves", items_may_own_blocks_themselves},
               {"hostile directories are codes", hostile_directories_are_codes},
               {"followers see each item whole, and none is missed", followers_see_each_item_whole_and_none_is_missed},
               {"many processes append at once", many_processes_append_at_once},
               {"items that are taken away are never torn", items_that_are_taken_away_are_never_torn},
               {"a full disk keeps every item", a_full_disk_keeps_every_item},
               {"a limit and a reserve keep every item", a_limit_and_a_reserve_keep_every_item})

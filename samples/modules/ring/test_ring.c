/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The ring as a program uses it: in a file, by several threads and processes at once. Needs mm3-ring.so in
 * MM3_MODULE_PATH. */
#include "ring.h"
#include <mm3/field.h>
#include <mm3/file.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define EVENT(FIELD) FIELD(who, u32) FIELD(what, u32) FIELD(copies, raw(40))
MM3_STRUCT(event, EVENT);
#define LOG(FIELD) FIELD(numbers, ring(u64, 8)) FIELD(events, ring(event, 64)) FIELD(one, ring(raw(3), 1))
MM3_STRUCT(log, LOG);

static int failed;
#define CHECK(x) ((x) ? 1 : (failed++, printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #x), 0))

static void count_found(void *count, const struct mm3_error *finding) {
  printf("  found: %s: %s\n", finding->field, finding->text);
  ++*(int *)count;
}

static void overwrites_the_oldest(struct log *log) {
  uint64_t value = 0, cursor = 0;
  CHECK(ring_get(&log->numbers, 0, &value) == -MM3_E_ABSENT);
  for (uint64_t i = 0; i < 20; i++) {
    value = i * 100;
    CHECK(ring_push(&log->numbers, &value) == i);
  }
  CHECK(ring_begin(&log->numbers) == 12 && ring_end(&log->numbers) == 20 && ring_len(&log->numbers) == 8);
  CHECK(ring_get(&log->numbers, 11, &value) == -MM3_E_ABSENT);
  CHECK(ring_get(&log->numbers, 12, &value) == 0 && value == 1200);
  CHECK(ring_get(&log->numbers, 20, &value) == -MM3_E_ABSENT);
  for (uint64_t i = 12; i < 20; i++) CHECK(ring_next(&log->numbers, &cursor, &value) == 0 && value == i * 100);
  CHECK(ring_next(&log->numbers, &cursor, &value) == -MM3_E_ABSENT && cursor == 20);
  ring_clear(&log->numbers);
  CHECK(ring_len(&log->numbers) == 0 && ring_get(&log->numbers, 19, &value) == -MM3_E_ABSENT);
}

/* What a producer leaves that died after it took its number, and one that died while it wrote. */
static void goes_on_after_a_dead_producer(struct log *log) {
  uint64_t value = 7, cursor = ring_end(&log->numbers);
  __atomic_fetch_add(&log->numbers.end, 1, __ATOMIC_RELAXED);
  CHECK(ring_next(&log->numbers, &cursor, &value) == -MM3_E_AGAIN);
  uint64_t number = __atomic_fetch_add(&log->numbers.end, 1, __ATOMIC_RELAXED);
  __atomic_store_n(&log->numbers.slot[number % 8].stamp, (number + 1) | RING_BUSY, __ATOMIC_RELAXED);
  log->numbers.slot[number % 8].item = 12345;
  ring_push(&log->numbers, &value);
  CHECK(ring_next(&log->numbers, &cursor, &value) == -MM3_E_AGAIN);
  cursor++;
  CHECK(ring_next(&log->numbers, &cursor, &value) == -MM3_E_AGAIN);
  cursor++;
  value = 0;
  CHECK(ring_next(&log->numbers, &cursor, &value) == 0 && value == 7);
  for (value = 0; value < 16; value++) ring_push(&log->numbers, &value);
  CHECK(ring_len(&log->numbers) == 8 && ring_get(&log->numbers, ring_begin(&log->numbers), &value) == 0 && value == 8);
}

/* A producer that slept for a whole round writes into its slot and finds that somebody else was there. */
static void knows_an_event_that_was_written_over(struct log *log) {
  uint8_t mine[3] = {1, 2, 3}, out[3];
  uint64_t number = ring_push(&log->one, &mine);
  CHECK(ring_get(&log->one, number, &out) == 0 && out[2] == 3);
  log->one.slot[0].item[1] = 9;
  CHECK(ring_get(&log->one, number, &out) == -MM3_E_ABSENT);
  ring_i_spoil(&log->one.slot[0].stamp, number);
  CHECK(log->one.slot[0].stamp == ((number + 1) | RING_SPOILT));
  number = ring_push(&log->one, &mine);
  CHECK(ring_get(&log->one, number, &out) == 0 && out[1] == 2);
}

static struct event event_of(uint32_t who, uint32_t what) {
  struct event e = {.who = who, .what = what};
  memset(e.copies, (int)((who * 31 + what) & 0xff), sizeof e.copies);
  return e;
}

static int is_whole(const struct event *e) {
  struct event wanted = event_of(e->who, e->what);
  return memcmp(e, &wanted, sizeof wanted) == 0;
}

enum { PRODUCERS = 4, EVENTS = 50000 };

struct producer {
  struct log *log;
  uint32_t who;
};

static void *produce(void *arg) {
  struct producer *p = arg;
  for (uint32_t i = 1; i <= EVENTS; i++) {
    struct event e = event_of(p->who, i);
    ring_push(&p->log->events, &e);
  }
  return NULL;
}

static void many_producers_and_readers(struct log *log) {
  struct producer p[PRODUCERS];
  pthread_t threads[PRODUCERS];
  for (uint32_t i = 0; i < PRODUCERS; i++) {
    p[i] = (struct producer){log, i};
    if (!CHECK(pthread_create(&threads[i], NULL, produce, &p[i]) == 0)) exit(1);
  }
  uint64_t cursor = 0, seen = 0, torn = 0, backwards = 0;
  uint32_t last[PRODUCERS] = {0};
  struct event e;
  while (cursor < (uint64_t)PRODUCERS * EVENTS) {
    int result = ring_next(&log->events, &cursor, &e);
    if (result) continue;
    seen++;
    torn += !is_whole(&e) || e.who >= PRODUCERS;
    if (e.who < PRODUCERS) backwards += e.what <= last[e.who], last[e.who] = e.what;
  }
  for (uint32_t i = 0; i < PRODUCERS; i++) pthread_join(threads[i], NULL);
  printf("  %llu of %d events seen by one reader, %llu torn\n", (unsigned long long)seen, PRODUCERS * EVENTS,
         (unsigned long long)torn);
  CHECK(seen > 0 && torn == 0 && backwards == 0);
  CHECK(ring_end(&log->events) == (uint64_t)PRODUCERS * EVENTS);
}

static void another_process(struct log *log, struct mm3_file *file) {
  pid_t child = fork();
  if (child == 0) {
    uint64_t value = 4242;
    ring_push(&log->numbers, &value);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  uint64_t value = 0;
  CHECK(status == 0 && ring_get(&log->numbers, ring_end(&log->numbers) - 1, &value) == 0 && value == 4242);
  int findings = 0;
  CHECK(mm3_check(file, count_found, &findings) == 0 && findings == 0);
  log->numbers.slot[3].item ^= 1;
  CHECK(mm3_check(file, NULL, NULL) == 1);
  log->numbers.slot[3].item ^= 1;
}

int main(void) {
  struct mm3_error error;
  unlink("test_ring.mm3");
  struct mm3_file *file = mm3_create("test_ring.mm3", MM3_TYPE(log), NULL, &error);
  if (!file) return printf("%s\n", error.text), 1;
  struct log *log = mm3_root(file, log);
  overwrites_the_oldest(log);
  goes_on_after_a_dead_producer(log);
  knows_an_event_that_was_written_over(log);
  many_producers_and_readers(log);
  another_process(log, file);
  CHECK(mm3_close(file) == 0);
  file = mm3_open("test_ring.mm3", MM3_TYPE(log), NULL, &error);
  if (CHECK(file != NULL)) {
    uint64_t value = 0, end = ring_end(&mm3_root(file, log)->numbers);
    CHECK(ring_get(&mm3_root(file, log)->numbers, end - 1, &value) == 0 && value == 4242);
    mm3_close(file);
  }
  unlink("test_ring.mm3");
  puts(failed ? "ring: failed" : "ring: passed");
  return failed != 0;
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * 10_event_log: a log that any number of processes append to, and that any number follow while it grows, without being
 * told and without mapping it again.
 *
 *     ./10_event_log [FILE]              three processes write 1000 events each, one follows; run it again: it goes on
 *     ./10_event_log FILE --follow       follows until you press Ctrl-C (start it in another window)
 */
#include <inttypes.h>
#include <mm3.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define EVENT(FIELD)      \
  FIELD(writer, u32)      \
  FIELD(number, u32)      \
  FIELD(what, string(20))
MM3_STRUCT(event, EVENT);

#define EVENT_LOG(FIELD)            \
  FIELD(events, segmented(event))   \
  FIELD(note, text)
MM3_STRUCT(event_log, EVENT_LOG);

static int write_events(struct mm3_file *file, uint32_t writer) {
  struct event_log *log = mm3_root(file, event_log);
  for (uint32_t i = 0; i < 1000; i++) {
    struct event event = {.writer = writer, .number = i};
    mm3_string_set(&event.what, i % 100 ? "tick" : "a hundredth tick");
    int result = mm3_segmented_append(file, &log->events, event); /* takes the lock; whole or not at all */
    if (result < 0) return fprintf(stderr, "append: %s\n", mm3_strerror(result)), 1;
  }
  return 0;
}

/* Handles events from `i` on until there are `wanted`; sleeps where there is nothing to do. */
static int follow(struct mm3_file *file, uint64_t i, uint64_t wanted, uint64_t *hundredths) {
  const struct event_log *log = mm3_root_const(file, event_log);
  struct event event;
  while (i < wanted) {
    uint32_t seen = mm3_changes(file);
    while (mm3_segmented_get(file, &log->events, i, &event) == 0) {
      *hundredths += event.number % 100 == 0;
      if (wanted == UINT64_MAX)
        printf("%" PRIu64 ": writer %" PRIu32 ", %s\n", i, event.writer, mm3_string_ptr(&event.what));
      i++;
    }
    if (i < wanted && mm3_wait(file, seen, 10000) < 0) return 1;
  }
  return 0;
}

int main(int argc, char **argv) {
  struct mm3_error err;
  struct mm3_file *file = mm3_open_or_create(argc > 1 ? argv[1] : "events.mm3", MM3_TYPE(event_log), NULL, &err);
  if (!file) {
    fprintf(stderr, "%s\n", err.text);
    return 1;
  }
  struct event_log *log = mm3_root(file, event_log);
  uint64_t before = mm3_segmented_len(&log->events), hundredths = 0, shown = 0;
  if (argc > 2 && strcmp(argv[2], "--follow") == 0) return follow(file, before, UINT64_MAX, &hundredths);

  pid_t writers[3];
  for (uint32_t w = 0; w < 3; w++)
    if ((writers[w] = fork()) == 0) _exit(write_events(file, w));
  int failed = follow(file, before, before + 3000, &hundredths);
  for (int w = 0, status; w < 3; w++) failed |= waitpid(writers[w], &status, 0) != writers[w] || status != 0;

  MM3_SEGMENTED_EACH(event, file, &log->events) { /* where they lie, segment by segment: as fast as an array */
    if (shown++ == 3) break;
    printf("event %" PRIu64 ": writer %" PRIu32 ", number %" PRIu32 ", %s\n", shown - 1, event->writer, event->number,
           mm3_string_ptr(&event->what));
  }
  mm3_text_print(file, &log->note, "%" PRIu64 " events, %" PRIu64 " hundredths just now",
                 mm3_segmented_len(&log->events), hundredths);
  printf("%s\n", mm3_text_view(file, &log->note).ptr);
  failed |= hundredths != 30;

  if (mm3_segmented_len(&log->events) > 100000) mm3_segmented_clear(file, &log->events); /* memory goes back */
  return mm3_close(file) != 0 || failed;
}

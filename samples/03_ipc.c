/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * 03_ipc: two processes that know nothing of each other but a file's name. In two terminals, in any order:
 *
 *     ./03_ipc read [FILE]
 *     ./03_ipc write [FILE]
 */
#include <inttypes.h>
#include <mm3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SHARED_DATA(FIELD)            \
  FIELD(message_count, atomic(u64))   \
  FIELD(worker_status, atomic(u32))   \
  FIELD(shared_buffer, string(1024))
MM3_STRUCT(shared_data, SHARED_DATA);

/* Process A */
static void write_message(struct mm3_file *file, struct shared_data *shared) {
  mm3_string_format(&shared->shared_buffer, "hello from process %d", (int)getpid());
  mm3_atomic_store(&shared->worker_status, 1);
  mm3_atomic_store(&shared->message_count, 42);
  mm3_notify(file); /* wakes whoever sleeps in mm3_wait */
  printf("written\n");
}

/* Process B */
static int read_message(struct mm3_file *file, struct shared_data *shared) {
  char text[1025];
  uint32_t seen = mm3_changes(file);
  for (int i = 0; i < 20 && mm3_atomic_load(&shared->message_count) == 0; i++) {
    mm3_wait(file, seen, 500); /* sleeps until something changes, or 500 ms */
    seen = mm3_changes(file);
  }
  if (mm3_string_get(&shared->shared_buffer, text, sizeof text, NULL) < 0) return 1;
  printf("Messages: %" PRIu64 " (%s)\n", mm3_atomic_load(&shared->message_count), text);
  return mm3_atomic_load(&shared->message_count) == 0;
}

int main(int argc, char **argv) {
  struct mm3_error err;
  int writes = argc > 1 && strcmp(argv[1], "write") == 0;
  if (!writes && (argc < 2 || strcmp(argv[1], "read") != 0)) return fprintf(stderr, "03_ipc read|write [FILE]\n"), 2;
  struct mm3_file *file = mm3_open_or_create(argc > 2 ? argv[2] : "ipc.mm3", MM3_TYPE(shared_data), NULL, &err);
  if (!file) return fprintf(stderr, "%s\n", err.text), 1;

  struct shared_data *shared = mm3_root(file, shared_data);
  int result = 0;
  if (writes) write_message(file, shared);
  else result = read_message(file, shared);
  return mm3_close(file) != 0 || result;
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "sorted.h"
#include "diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Of the tape that is being sorted; qsort passes nothing on. */
static const struct tape *sorting;

/* A whole number as it is printed: no zero before it, one way to write it. */
static bool is_number(const struct tape *tape, uint32_t at) {
  const char *digits = tape_text(tape, at);
  uint64_t count = tape->events[at].count, sign = count && digits[0] == '-';
  for (uint64_t i = sign; i < count; i++)
    if (digits[i] < '0' || digits[i] > '9') return false;
  return count > sign && (digits[sign] != '0' || count == 1);
}

/* With one sign the longer one is further from 0, of one length the one with the larger digits. */
static int by_number(const void *a, const void *b) {
  const uint32_t *first = a, *second = b;
  bool negative = *tape_text(sorting, *first) == '-';
  if (negative != (*tape_text(sorting, *second) == '-')) return negative ? -1 : 1;
  uint64_t x = sorting->events[*first].count, y = sorting->events[*second].count;
  int order = x != y ? (x > y) - (x < y) : tape_order(sorting, *first, sorting, *second);
  return negative ? -order : order;
}

static int by_key(const void *a, const void *b) {
  const uint32_t *first = a, *second = b;
  return tape_order(sorting, *first, sorting, *second);
}

/* The entries of a map that was recorded: of an object, or a list of pairs. */
static int send_entries(const struct tape *tape, struct mm3_sink *sink) {
  const struct tape_event *map = &tape->events[0];
  bool object = map->is == MM3_MAP;
  uint32_t *keys = calloc(map->count ? map->count : 1, sizeof *keys);
  size_t n = 0;
  if (!keys) return -ENOMEM;
  for (uint32_t at = 1; at < map->next; at = tape->events[object ? at + 1 : at].next) keys[n++] = object ? at : at + 1;
  bool numbers = object;
  for (size_t i = 0; i < n && numbers; i++) numbers = is_number(tape, keys[i]);
  sorting = tape;
  qsort(keys, n, sizeof *keys, numbers ? by_number : by_key);
  int result = object ? sink->begin_map(sink, n) : sink->begin_list(sink, n);
  for (size_t i = 0; i < n && !result; i++) {
    uint32_t key = keys[i];
    if (!object) result = tape_send(tape, key - 1, sink);
    else if (!(result = sink->key(sink, tape_text(tape, key), tape->events[key].count))) result = tape_send(tape, key + 1, sink);
  }
  free(keys);
  if (result) return result;
  return object ? sink->end_map(sink) : sink->end_list(sink);
}

static int visit_map(const struct mm3_field *field, struct mm3_sink *sink, struct mm3_error *error) {
  struct tape tape;
  tape_init(&tape);
  int result = mm3_field_visit(field, &tape.sink, error);
  if (!result) result = send_entries(&tape, sink);
  if (result == -ENOMEM) mm3_error_set(error, result, "out of memory: a map that is sorted is held as a whole");
  tape_free(&tape);
  return result;
}

static int visit_members(struct call *call, struct mm3_file *file, struct mm3_sink *sink) {
  struct mm3_member_info member;
  uint32_t count = 0;
  while (mm3_file_member(file, count, &member) == 0) count++;
  int result = sink->begin_map(sink, count);
  for (uint32_t i = 0; i < count && !result; i++) {
    struct mm3_field field;
    mm3_file_member(file, i, &member);
    result = mm3_field_find(file, member.name, &field, &call->error);
    if (result == -MM3_E_MODULE) result = 0; /* its bytes are written */
    if (!result) result = sink->key(sink, member.name, strlen(member.name));
    if (!result) result = sorted_visit(call, file, &field, sink);
  }
  return result ? result : sink->end_map(sink);
}

int sorted_visit(struct call *call, struct mm3_file *file, const struct mm3_field *field, struct mm3_sink *sink) {
  if (diff_keyed(field)) return visit_map(field, sink, &call->error);
  if (!field->path[0]) return visit_members(call, file, sink);
  return mm3_field_visit(field, sink, &call->error);
}

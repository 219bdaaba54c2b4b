/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* mm3list.h: lists and maps to put, from arrays of values; see mm3show.h. */
#ifndef MM3_MM3LIST_H
#define MM3_MM3LIST_H

#include "mm3show.h"

static int list_next(const struct mm3_value *of, void **cursor, struct mm3_value *key, struct mm3_value *item) {
  const struct mm3_value *items = of->node;
  size_t per = of->is == MM3_MAP ? 2 : 1, i = (size_t)(uintptr_t)*cursor;
  if (i == of->count) return 0;
  *cursor = (void *)(uintptr_t)(i + 1);
  if (per == 2) *key = items[2 * i];
  *item = items[per * i + per - 1];
  return 1;
}

static const struct mm3_value_source list_source = {list_next};

/* The items are not copied. a_map: key, value, key, value ... */
MM3_UNUSED static struct mm3_value a_list(const struct mm3_value *items, size_t count) {
  return (struct mm3_value){.is = MM3_LIST, .count = count, .source = &list_source, .node = items};
}
MM3_UNUSED static struct mm3_value a_map(const struct mm3_value *pairs, size_t count) {
  return (struct mm3_value){.is = MM3_MAP, .count = count, .source = &list_source, .node = pairs};
}

#define LIST(...) \
  a_list((const struct mm3_value[]){__VA_ARGS__}, sizeof((const struct mm3_value[]){__VA_ARGS__}) / sizeof(struct mm3_value))
#define MAP(...) \
  a_map((const struct mm3_value[]){__VA_ARGS__}, sizeof((const struct mm3_value[]){__VA_ARGS__}) / sizeof(struct mm3_value) / 2)
#define EMPTY_LIST a_list(NULL, 0)

MM3_UNUSED static int show_push(struct mm3_file *file, const char *path, struct mm3_value value) {
  struct mm3_field field;
  int result = mm3_field_find(file, path, &field, &show_error);
  return result < 0 ? result : mm3_field_push(&field, &value, &show_error);
}

MM3_UNUSED static int show_erase(struct mm3_file *file, const char *path) {
  struct mm3_field field;
  int result = mm3_field_find(file, path, &field, &show_error);
  return result < 0 ? result : mm3_field_erase(&field, &show_error);
}

#endif

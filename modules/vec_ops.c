/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The operations of vec that take the file. None needs an intent: a gap or a parked item, which the vec's own first word
 * names, makes each of their stores the vec's old value or its new one (mm3/vec.h). The certificate only has the next
 * taker of the lock end the state, so that the items lie side by side again.
 */
#include "vec_inside.h"

#include <errno.h>
#include <mm3/field.h>
#include <stdlib.h>

/* Operations, as the certificate names them: 'V' in the upper byte. */
enum { INSERT = 0x5601, REMOVE, SWAP_REMOVE, ASSIGN, SORT };

uint64_t mm3i_vec_settle(struct mm3_vec_ref v) { return mm3_i_vec_settle(V(v)); }

int mm3i_vec_get(struct mm3_vec_ref v, uint64_t i, void *out) { return mm3_i_vec_get(V(v), i, out); }

int mm3i_vec_set(struct mm3_vec_ref v, uint64_t i, const void *value) { return mm3_i_vec_set(V(v), i, value); }

void *mm3i_vec_place(struct mm3_vec_ref v, uint64_t slot) { return mm3_i_vec_address(V(v), slot); }

void *mm3i_vec_slot(struct mm3_vec_ref v, uint64_t i) {
  return mm3i_vec_place(v, mm3_i_vec_slot(v.vec, mm3_i_vec_word(v.vec), v.capacity, i));
}

uint64_t mm3i_vec_len(struct mm3_vec_ref v) { return mm3_i_vec_length(mm3_i_vec_word(v.vec), v.capacity); }

static void copy(struct mm3_vec_ref v, uint64_t to, uint64_t from, uint64_t count) {
  mm3_i_vec_begin(v.vec);
  mm3_i_vec_copy(V(v), to, from, count);
}

static void publish_gap(struct mm3_vec_ref v, uint64_t length, uint64_t at) {
  mm3_i_vec_publish(v.vec, (at + 1) << 32 | length);
}

static void publish_parked(struct mm3_vec_ref v, uint64_t length, uint64_t index) {
  mm3_i_vec_publish(v.vec, MM3_I_VEC_PARKED | index << 32 | length);
}

/* How wide the next gap is; only while there is none. */
static void set_width(struct mm3_vec_ref v, uint64_t width) {
  uint64_t *at = mm3_i_vec_sequence(v.vec);
  uint64_t next = (__atomic_load_n(at, __ATOMIC_RELAXED) | MM3_I_VEC_WIDTH) + 1;
  __atomic_store_n(at, next | width, __ATOMIC_RELAXED);
}

/* The number of the root's field that this memory lies in; UINT32_MAX: none. */
static uint32_t find_field(struct mm3_file *file, const void *at) {
  struct mm3_field root;
  if (mm3_field_find(file, NULL, &root, NULL) < 0 || !root.type) return UINT32_MAX;
  uint64_t offset = (uint64_t)((const unsigned char *)at - (const unsigned char *)root.bytes);
  if (offset >= root.type->size) return UINT32_MAX;
  uint32_t first = 0, last = root.type->nmembers;
  while (last - first > 1) {
    uint32_t middle = first + (last - first) / 2;
    if (root.type->members[middle].offset <= offset) first = middle;
    else last = middle;
  }
  return first;
}

static void announce(struct mm3_file *file, uint32_t field, struct mm3_vec_ref v, uint16_t operation) {
  if (!file) return;
  if (field == UINT32_MAX) field = find_field(file, v.vec);
  if (field != UINT32_MAX) mm3_certify(file, field, operation, 1);
}

static int enter(struct mm3_file *file, int flags) {
  int result = file && !(flags & MM3_VEC_HELD) ? mm3_lock(file) : 0;
  return result < 0 ? result : 0;
}

static int leave(struct mm3_file *file, int flags, int result) {
  if (file && !(flags & MM3_VEC_HELD)) mm3_unlock(file);
  return result;
}

/* Private items, into free slots. */
static void fill_slots(struct mm3_vec_ref v, uint64_t slot, const void *items, uint64_t count, uint64_t step) {
  mm3_i_vec_begin(v.vec);
  for (uint64_t i = 0; i < count; i++)
    mm3_i_item_store(mm3i_vec_place(v, slot + i), (const unsigned char *)items + i * step, (size_t)v.item);
}

/* ---- insert, remove ---- */

static int insert(struct mm3_file *file, struct mm3_vec_ref v, uint64_t index, const void *items, uint64_t count, int flags) {
  uint64_t length = mm3i_vec_settle(v), gap = length;
  if (flags & MM3_VEC_END) index = length;
  if (index > length) return -MM3_E_ABSENT;
  if (count > v.capacity - length) return -MM3_E_FULL;
  if (count == 0) return 0;
  if (index < length) {
    announce(file, UINT32_MAX, v, INSERT);
    set_width(v, count);
  }
  while (gap > index) { /* the gap comes down from the end, by its width at a time */
    uint64_t step = gap - index < count ? gap - index : count;
    copy(v, gap + count - step, gap - step, step);
    gap -= step;
    publish_gap(v, length, gap);
  }
  fill_slots(v, index, items, count, v.item);
  mm3_i_vec_publish(v.vec, length + count);
  return 0;
}

static int op_insert(struct mm3_file *file, struct mm3_vec_ref v, uint64_t index, const void *items, uint64_t count,
                     int flags) {
  int result = enter(file, flags);
  return result < 0 ? result : leave(file, flags, insert(file, v, index, items, count, flags));
}

void mm3i_vec_cut(struct mm3_file *file, uint32_t field, struct mm3_vec_ref v, uint64_t index, uint64_t count) {
  uint64_t length = mm3i_vec_settle(v) - count;
  if (index == length || count == 0) {
    mm3_i_vec_publish(v.vec, length);
    return;
  }
  announce(file, field, v, REMOVE);
  set_width(v, count);
  publish_gap(v, length, index); /* they are gone; the rest is tidying up */
  mm3i_vec_settle(v);
}

static int take(struct mm3_vec_ref v, uint64_t index, uint64_t count, void *out) {
  uint64_t length = mm3i_vec_settle(v);
  if (count > length || index > length - count) return -MM3_E_ABSENT;
  for (uint64_t i = 0; out && i < count; i++)
    mm3_i_item_load((unsigned char *)out + i * v.item, mm3i_vec_place(v, index + i), (size_t)v.item);
  return 0;
}

static int op_remove(struct mm3_file *file, struct mm3_vec_ref v, uint64_t index, uint64_t count, void *out, int flags) {
  int result = enter(file, flags);
  if (result < 0) return result;
  result = take(v, index, count, out);
  if (result == 0) mm3i_vec_cut(file, UINT32_MAX, v, index, count);
  return leave(file, flags, result);
}

static void swap_remove(struct mm3_file *file, struct mm3_vec_ref v, uint64_t index) {
  uint64_t last = mm3i_vec_len(v) - 1;
  if (index == last) {
    mm3_i_vec_publish(v.vec, last);
    return;
  }
  announce(file, UINT32_MAX, v, SWAP_REMOVE);
  copy(v, v.capacity, last, 1);
  publish_parked(v, last, index); /* shorter, and the last item is item `index`, in one store */
  mm3i_vec_settle(v);
}

static int op_swap_remove(struct mm3_file *file, struct mm3_vec_ref v, uint64_t index, void *out, int flags) {
  int result = enter(file, flags);
  if (result < 0) return result;
  result = take(v, index, 1, out);
  if (result == 0) swap_remove(file, v, index);
  return leave(file, flags, result);
}

/* ---- assign, resize ---- */

static int op_assign(struct mm3_file *file, struct mm3_vec_ref v, uint64_t index, const void *items, uint64_t count,
                     int flags) {
  int result = enter(file, flags);
  if (result < 0) return result;
  result = take(v, index, count, NULL);
  if (result == 0 && count > 0 && !mm3_i_item_narrow((size_t)v.item)) announce(file, UINT32_MAX, v, ASSIGN);
  for (uint64_t i = 0; i < count && result == 0; i++)
    result = mm3i_vec_set(v, index + i, (const unsigned char *)items + i * v.item);
  return leave(file, flags, result);
}

static int resize(struct mm3_vec_ref v, uint64_t count, const void *fill) {
  uint64_t length = mm3i_vec_settle(v);
  if (count > v.capacity) return -MM3_E_FULL;
  if (count > length) fill_slots(v, length, fill, count - length, 0);
  mm3_i_vec_publish(v.vec, count);
  return 0;
}

static int op_resize(struct mm3_file *file, struct mm3_vec_ref v, uint64_t count, const void *fill, int flags) {
  int result = enter(file, flags);
  return result < 0 ? result : leave(file, flags, resize(v, count, fill));
}

/* ---- sort: comparisons on a copy, then every item moves once, by way of the hole ---- */

struct sort {
  unsigned char *items; /* a copy */
  uint32_t *order, *spare;
  uint64_t item;
  mm3_compare_fn *compare;
  void *context;
};

static int compare_two(const struct sort *s, uint32_t a, uint32_t b) {
  return s->compare(s->items + a * s->item, s->items + b * s->item, s->context);
}

/* [first, middle) and [middle, last) are in order; so is the whole then. Equal items stay as they were. */
static void merge(const struct sort *s, size_t first, size_t middle, size_t last) {
  size_t a = first, b = middle, to = first;
  if (compare_two(s, s->order[middle - 1], s->order[middle]) <= 0) return;
  while (a < middle && b < last)
    s->spare[to++] = compare_two(s, s->order[a], s->order[b]) <= 0 ? s->order[a++] : s->order[b++];
  while (a < middle) s->spare[to++] = s->order[a++];
  while (b < last) s->spare[to++] = s->order[b++];
  memcpy(s->order + first, s->spare + first, (last - first) * sizeof *s->order);
}

static void order_items(const struct sort *s, size_t count) {
  for (size_t i = 0; i < count; i++) s->order[i] = (uint32_t)i;
  for (size_t width = 1; width < count; width *= 2)
    for (size_t first = 0; count - first > width; first += 2 * width) {
      merge(s, first, first + width, count - first > 2 * width ? first + 2 * width : count);
      if (count - first <= 2 * width) break;
    }
}

/* Item order[i] goes to i. Each cycle of the permutation starts with one item parked in slot N; then slot after slot gets
 * its item, and the one whose slot it was is the parked one: a permutation at every store. */
static void move_items(struct mm3_vec_ref v, uint32_t *order, uint64_t count) {
  for (uint64_t start = 0; start < count; start++) {
    uint64_t hole = start, next = order[start];
    if (next == start) continue;
    copy(v, v.capacity, start, 1);
    publish_parked(v, count, start);
    for (; next != start; next = order[hole]) {
      copy(v, hole, next, 1);
      publish_parked(v, count, next);
      order[hole] = (uint32_t)hole;
      hole = next;
    }
    order[hole] = (uint32_t)hole;
    mm3i_vec_settle(v);
  }
}

/* Room for items: aligned as T, whose alignment is at most 16 or where slot 0 starts. */
static void *item_room(struct mm3_vec_ref v, uint64_t count) {
  void *room;
  uint64_t bytes;
  if (__builtin_mul_overflow(count, v.item, &bytes) || bytes > SIZE_MAX) return NULL;
  return posix_memalign(&room, v.offset > 16 ? (size_t)v.offset : 16, (size_t)bytes) == 0 ? room : NULL;
}

static int sort(struct mm3_file *file, struct mm3_vec_ref v, mm3_compare_fn *compare, void *context) {
  uint64_t count = mm3i_vec_settle(v);
  if (count < 2) return 0;
  if (count > SIZE_MAX / (2 * sizeof(uint32_t))) return -ENOMEM;
  struct sort s = {item_room(v, count), malloc(2 * (size_t)count * sizeof(uint32_t)), NULL, v.item, compare, context};
  if (s.items && s.order) {
    s.spare = s.order + count;
    mm3_copy_out(s.items, mm3i_vec_place(v, 0), (size_t)(count * v.item));
    order_items(&s, (size_t)count);
    announce(file, UINT32_MAX, v, SORT);
    move_items(v, s.order, count);
  }
  int result = s.items && s.order ? 0 : -ENOMEM;
  free(s.items);
  free(s.order);
  return result;
}

static int op_sort(struct mm3_file *file, struct mm3_vec_ref v, mm3_compare_fn *compare, void *context, int flags) {
  int result = enter(file, flags);
  return result < 0 ? result : leave(file, flags, sort(file, v, compare, context));
}

/* ---- search ---- */

/* The first item that is not less than the key, by way of a private copy of each that is looked at. */
static int lower_bound(struct mm3_vec_ref v, const void *key, mm3_compare_fn *compare, void *context, void *probe,
                       size_t *index) {
  uint64_t first = 0, last = mm3i_vec_len(v);
  int found = -MM3_E_ABSENT;
  while (first < last) {
    uint64_t middle = first + (last - first) / 2;
    int result = mm3i_vec_get(v, middle, probe);
    if (result == -MM3_E_ABSENT) { /* it became shorter */
      last = middle;
      continue;
    }
    if (result < 0) return result;
    int order = compare(probe, key, context);
    if (order == 0) found = 0;
    if (order < 0) first = middle + 1;
    else last = middle;
  }
  *index = (size_t)first;
  return found;
}

static int op_search(struct mm3_vec_ref v, const void *key, mm3_compare_fn *compare, void *context, size_t *index) {
  _Alignas(64) unsigned char small[1024];
  void *probe = v.item <= sizeof small && v.offset <= 64 ? small : item_room(v, 1);
  if (!probe) return -ENOMEM;
  int result = lower_bound(v, key, compare, context, probe, index);
  if (probe != small) free(probe);
  return result;
}

const struct mm3_vec_ops mm3i_vec_ops = {
    .size = sizeof mm3i_vec_ops, .version = 1, .insert = op_insert, .assign = op_assign, .remove = op_remove,
    .swap_remove = op_swap_remove, .resize = op_resize, .sort = op_sort, .search = op_search,
};

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A heap that others have scribbled over: check names the damage, repair undoes it, nothing leaves the file. */
#include "heap.h"
#include "heap_owner.h"
#include "mm3step.h"
#include "mm3test.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCKS = 300, FEW = 45 };

struct scene {
  struct mm3_file *file;
  unsigned count;
  uint64_t *offsets;
  struct mm3i_heap_state *state;
  struct mm3i_super *super;
  uint64_t start, length;      /* of the heap's first page; of the file */
  unsigned char *image;
};

static uint64_t size_of_block(unsigned i) { return i % 10 == 9 ? 9000 + 500 * (i % 7) : 20 + i % 37 * 11; }

/* Blocks of many sizes, every third freed again, so that there are lists. */
static bool open_scene_of(struct scene *s, unsigned count) {
  struct mm3_error error = {0};
  s->file = owner_create(mm3test_path("a.mm3"), NULL, &error);
  if (!CHECK(s->file != NULL)) return false;
  s->count = count;
  s->offsets = mm3i_file_root(s->file);
  s->super = mm3i_handle_of(s->file)->super;
  s->state = (struct mm3i_heap_state *)(void *)s->super->heap;
  s->start = mm3i_handle_of(s->file)->fixed.heap_offset;
  mm3_lock(s->file);
  for (unsigned i = 0; i < count; i++) {
    CHECK_EQ(mm3_heap_alloc(s->file, size_of_block(i), 0, &s->offsets[i]), 0);
    memset(mm3_at(s->file, s->offsets[i], size_of_block(i)), (int)i, size_of_block(i));
  }
  for (unsigned i = 0; i < count; i += 3) {
    CHECK_EQ(mm3_heap_free(s->file, s->offsets[i]), 0);
    s->offsets[i] = 0;
  }
  s->length = s->super->length;
  s->image = malloc(s->length);
  if (s->image) memcpy(s->image, s->file->base, s->length);
  return CHECK(s->image != NULL);
}

static bool open_scene(struct scene *s) { return open_scene_of(s, BLOCKS); }

static void close_scene(struct scene *s) {
  mm3_unlock(s->file);
  mm3_close(s->file);
  free(s->image);
}

static void restore(struct scene *s) { memcpy(s->file->base, s->image, s->length); }

static uint64_t *entry(struct scene *s, uint64_t page) {
  struct mm3i_heap heap;
  CHECK_EQ(mm3i_heap_peek(&heap, s->file), 0);
  return (uint64_t *)mm3_at(s->file, mm3i_heap_entry(&heap, page), 16);
}

static unsigned intact_blocks(struct scene *s) {
  unsigned count = 0;
  for (unsigned i = 0; i < s->count; i++) {
    const unsigned char *at = s->offsets[i] ? mm3_at(s->file, s->offsets[i], size_of_block(i)) : NULL;
    uint64_t k = 0;
    while (at && k < size_of_block(i) && at[k] == (unsigned char)i) k++;
    count += at && k == size_of_block(i);
  }
  return count;
}

/* The first page of a free run with a neighbour in its bin, or of any. */
static uint64_t a_free_run(struct scene *s) {
  for (unsigned i = 0; i < MM3I_HEAP_BINS; i++)
    if (s->state->bins[i]) return s->state->bins[i];
  return CHECK(0 && "a free run"), 1;
}

static uint64_t a_listed_slab(struct scene *s, unsigned *class_) {
  for (unsigned i = 0; i < MM3I_HEAP_CLASSES; i++)
    if (s->state->slabs[i]) return *class_ = i, s->state->slabs[i];
  CHECK(0 && "a slab");
  return *class_ = 0, 1;
}

/* ---- damage with a name ---- */

static void loop_a_bin(struct scene *s) {
  uint64_t page = a_free_run(s);
  entry(s, page)[1] = page << 32;
}
static void bin_leads_out(struct scene *s) { entry(s, a_free_run(s))[1] = UINT64_C(0xfffffff0) << 32; }
static void bin_leads_to_a_used_page(struct scene *s) {
  unsigned class_;
  s->state->bins[mm3i_heap_bin(2)] = (uint32_t)a_listed_slab(s, &class_);
}
static void bin_begins_beyond_the_end(struct scene *s) { s->state->bins[40] = 0x7fffffff; }
static void loop_a_slab_list(struct scene *s) {
  unsigned class_;
  uint64_t slab = a_listed_slab(s, &class_);
  entry(s, slab)[0] = (uint32_t)entry(s, slab)[0] | slab << 32;
}
static void slab_list_of_another_class(struct scene *s) {
  unsigned class_;
  uint64_t slab = a_listed_slab(s, &class_);
  s->state->slabs[(class_ + 1) % MM3I_HEAP_CLASSES] = (uint32_t)slab;
}
static void slab_claims_too_few_free(struct scene *s) {
  unsigned class_;
  entry(s, a_listed_slab(s, &class_))[0] &= ~(UINT64_C(4095) << 20);
}
static void slab_part_forgets_its_head(struct scene *s) {
  unsigned class_;
  entry(s, a_listed_slab(s, &class_) + 1)[0] = 0;
}
static void a_run_reaches_into_the_next(struct scene *s) {
  for (uint64_t page = 1; page < 200; page++)
    if ((entry(s, page)[0] & 15) == MM3I_PAGE_USED) {
      entry(s, page)[0] = mm3i_page_run(MM3I_PAGE_USED, mm3i_page_length(entry(s, page)[0]) + 1);
      return;
    }
}
static void a_run_has_no_pages(struct scene *s) {
  for (uint64_t page = 1; page < 200; page++)
    if ((entry(s, page)[0] & 15) == MM3I_PAGE_USED) {
      entry(s, page)[0] = MM3I_PAGE_USED;
      return;
    }
}
static void a_free_run_ends_otherwise(struct scene *s) {
  for (uint64_t page = 1; page < 250; page++)
    if ((entry(s, page)[0] & 15) == MM3I_PAGE_TAIL) entry(s, page)[0] += 16;
}
static void the_log_is_too_long(struct scene *s) { s->state->log_count = 1000; }
static void the_log_leads_into_the_schema(struct scene *s) {
  s->state->log[0].at = 8192;
  s->state->log_count = 1;
}
static void a_repair_was_cut_off(struct scene *s) { s->state->log_count = UINT32_MAX; }

static const struct {
  const char *name;
  void (*plant)(struct scene *);
  const char *says;
} damages[] = {
    {"a bin in a loop", loop_a_bin, "was met before"},
    {"a bin that leads out", bin_leads_out, "leads to page"},
    {"a bin that leads to a slab", bin_leads_to_a_used_page, "no free run"},
    {"a bin that begins beyond the end", bin_begins_beyond_the_end, "bin 40 leads to page 2147483647"},
    {"a list of slabs in a loop", loop_a_slab_list, "was met before"},
    {"a slab in the list of another size", slab_list_of_another_class, "the list of slabs of"},
    {"a slab with a wrong count", slab_claims_too_few_free, "free blocks and says 0"},
    {"a slab's page that forgot its slab", slab_part_forgets_its_head, "does not know its slab"},
    {"runs that overlap", a_run_reaches_into_the_next, "the heap: "},
    {"a run of no pages", a_run_has_no_pages, "begins neither a run nor a slab"},
    {"a free run with another end", a_free_run_ends_otherwise, "does not end as it begins"},
    {"a log that is too long", the_log_is_too_long, "log cannot be"},
    {"a log that leads into the schema", the_log_leads_into_the_schema, "log cannot be"},
    {"a repair that was killed", a_repair_was_cut_off, "repair was not finished"},
};

struct listening {
  const char *says;
  int heard;
};

static void listen(void *arg, const struct mm3_error *finding) {
  struct listening *listening = arg;
  listening->heard += strstr(finding->text, listening->says) != NULL;
}

static void use(struct scene *s) {
  uint64_t got[200] = {0};
  for (unsigned i = 0; i < 200; i++)
    if (mm3_heap_alloc(s->file, size_of_block(i), 0, &got[i]) == 0) {
      void *at = mm3_at(s->file, got[i], size_of_block(i));
      if (at) memset(at, 0xee, size_of_block(i));
    } else {
      got[i] = 0;
    }
  for (unsigned i = 0; i < 200; i++)
    if (got[i]) mm3_heap_free(s->file, got[i]);
}

static void damage_is_named_and_repaired(void) {
  struct scene s;
  struct mm3_error error = {0};
  uint64_t leaked;
  if (!open_scene(&s)) return;
  CHECK_EQ(mm3_check(s.file, NULL, NULL), 0);
  CHECK_EQ(intact_blocks(&s), 200);
  for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
    struct listening listening = {damages[i].says, 0};
    restore(&s);
    damages[i].plant(&s);
    CHECK(mm3_check(s.file, listen, &listening) > 0);
    if (!CHECK(listening.heard > 0)) fprintf(stderr, "  %s\n", damages[i].name);
    use(&s); /* each call ends, with a code or with a block that is nobody's */
    if (!CHECK_EQ(intact_blocks(&s), 200)) fprintf(stderr, "  %s, in use\n", damages[i].name);
    if (!CHECK_OK(mm3i_heap_repair(s.file, &leaked, &error), error)) fprintf(stderr, "  %s\n", damages[i].name);
    if (!CHECK_EQ(mm3_check(s.file, NULL, NULL), 0)) fprintf(stderr, "  %s\n", damages[i].name);
    CHECK_EQ(intact_blocks(&s), 200);
    use(&s); /* nothing that is handed out now is somebody's */
    if (!CHECK_EQ(intact_blocks(&s), 200)) fprintf(stderr, "  %s\n", damages[i].name);
    CHECK_EQ(mm3_check(s.file, NULL, NULL), 0);
  }
  close_scene(&s);
}

/* Until the list is at its end and begins again: then a code, and no block is handed out twice. */
static void alloc_through(struct scene *s, uint64_t size) {
  enum { MOST = 3000 };
  static uint64_t got[MOST];
  uint64_t n = 0, twice = 0;
  int result = 0;
  while (n < MOST && (result = mm3_heap_alloc(s->file, size, 0, &got[n])) == 0) {
    uint64_t *word = mm3_at(s->file, got[n], 8);
    if (!CHECK(word != NULL)) break;
    *word = UINT64_MAX - n++;
  }
  CHECK_EQ(result, -MM3_E_DAMAGED);
  for (uint64_t i = 0; i < n; i++) twice += *(uint64_t *)mm3_at(s->file, got[i], 8) != UINT64_MAX - i;
  CHECK_EQ(twice, 0);
  CHECK_EQ(mm3_heap_alloc(s->file, size, 0, &got[0]), -MM3_E_DAMAGED);
  CHECK_EQ(intact_blocks(s), 200);
}

static void a_free_list_in_a_loop_is_a_code(void) {
  struct scene s;
  struct mm3_error error = {0};
  uint64_t leaked;
  unsigned class_;
  if (!open_scene(&s)) return;
  uint64_t pages = mm3i_page_length(entry(&s, a_free_run(&s))[0]);
  loop_a_bin(&s);
  alloc_through(&s, pages * MM3I_PAGE > 8192 ? pages * MM3I_PAGE : 8193);
  CHECK_OK(mm3i_heap_repair(s.file, &leaked, &error), error);
  CHECK_EQ(intact_blocks(&s), 200);
  restore(&s);
  a_listed_slab(&s, &class_);
  loop_a_slab_list(&s);
  alloc_through(&s, mm3i_heap_class_size(class_));
  CHECK_OK(mm3i_heap_repair(s.file, &leaked, &error), error);
  use(&s);
  CHECK_EQ(intact_blocks(&s), 200);
  CHECK_EQ(mm3_check(s.file, NULL, NULL), 0);
  close_scene(&s);
}

static void what_cannot_be_repaired_is_said(void) {
  struct scene s;
  struct mm3_error error = {0};
  uint64_t leaked;
  if (!open_scene(&s)) return;
  s.state->maps[0] = 0x70000000;
  CHECK(mm3_check(s.file, NULL, NULL) > 0);
  CHECK_FAILS(mm3i_heap_repair(s.file, &leaked, &error), -MM3_E_DAMAGED, error);
  CHECK_HAS(error.text, "its page map is lost");
  restore(&s);
  s.super->heap_end = s.start + 5;
  CHECK(mm3_check(s.file, NULL, NULL) > 0);
  CHECK_FAILS(mm3i_heap_repair(s.file, &leaked, &error), -MM3_E_DAMAGED, error);
  CHECK_HAS(error.text, "where it ends is lost");
  restore(&s);
  close_scene(&s);
}

static void a_field_that_cannot_be_asked_keeps_its_blocks(void) {
  struct scene s;
  struct mm3_error error = {0};
  uint64_t leaked;
  if (!open_scene(&s)) return;
  uint64_t spoilt = s.offsets[1];
  s.offsets[1] = 7; /* the kind's check refuses it */
  loop_a_bin(&s);
  CHECK_OK(mm3i_heap_repair(s.file, &leaked, &error), error);
  CHECK_EQ(leaked, 0);
  s.offsets[1] = spoilt;
  CHECK_EQ(mm3_check(s.file, NULL, NULL), 0);
  CHECK_EQ(intact_blocks(&s), 200);
  close_scene(&s);
}

/* ---- a repair that is killed ---- */

static void repair_in_child(void *arg) {
  struct scene *s = arg;
  struct mm3_error error;
  uint64_t leaked;
  mm3i_handle_of(s->file)->held = 1; /* the repair alone is stepped through, not its lock */
  mm3i_heap_repair(s->file, &leaked, &error);
}

static void judge_half_a_repair(void *arg, const void *image) {
  struct scene *s = arg, half = *s;
  struct mm3_error error = {0};
  const char *path = mm3test_path("half.mm3");
  uint64_t offset;
  FILE *file = fopen(path, "w");
  if (!CHECK(file != NULL) || !CHECK_EQ(fwrite(image, 1, s->length, file), s->length)) return;
  fclose(file);
  half.file = mm3_open(path, NULL, NULL, &error);
  if (!CHECK(half.file != NULL)) return;
  half.offsets = mm3i_file_root(half.file);
  CHECK(mm3_lock(half.file) >= 0);
  CHECK_EQ(mm3_heap_alloc(half.file, 10, 0, &offset), 0); /* whoever comes next finishes it */
  CHECK_EQ(mm3_check(half.file, NULL, NULL), 0);
  CHECK_EQ(intact_blocks(&half), FEW - FEW / 3);
  mm3_unlock(half.file);
  mm3_close(half.file);
}

static void a_killed_repair_is_repaired_by_the_next(void) {
  struct scene s;
  uint64_t leaked;
  if (!open_scene_of(&s, FEW)) return;
  for (unsigned i = 0; i < 12; i++) CHECK_EQ(mm3_heap_alloc(s.file, size_of_block(i * 7), 0, &leaked), 0);
  s.length = s.super->length;
  struct steps steps = {s.file->base, s.length, repair_in_child, judge_half_a_repair, &s};
  mm3_unlock(s.file);
  long images = step_through(&steps);
  CHECK(images > 20);
  printf("%ld kill points of a repair\n", images);
  mm3_lock(s.file);
  close_scene(&s);
}

/* ---- every word ---- */

static int try_word(struct scene *s, uint64_t at, uint64_t value) {
  struct mm3_heap_stats stats = {.size = sizeof stats};
  struct mm3_error error;
  uint64_t leaked;
  restore(s);
  memcpy(s->file->base + at, &value, 8);
  mm3_check(s->file, NULL, NULL);
  mm3_heap_measure(s->file, &stats);
  for (unsigned i = 0; i < BLOCKS; i++) mm3_heap_usable(s->file, s->offsets[i]);
  use(s);
  for (unsigned i = 1; i < BLOCKS; i += 2) mm3_heap_free(s->file, s->offsets[i]);
  mm3_heap_reserve(s->file, 100000);
  mm3i_heap_repair(s->file, &leaked, &error);
  use(s);
  mm3_check(s->file, NULL, NULL);
  return 0;
}

static int try_all_words(void *arg) {
  struct scene s;
  (void)arg;
  if (!open_scene(&s)) return 1;
  const uint64_t reserve = mm3i_handle_of(s.file)->reserve;
  const uint64_t values[] = {0, 1, s.length - 1, s.length, s.length + 1, reserve - 8, UINT64_C(1) << 63, UINT64_MAX,
                             0x0000000100000001, 0x0000001000000010, 0x64, 0x15, 0x0000001000010014};
  const uint64_t from[] = {offsetof(struct mm3i_super, length), offsetof(struct mm3i_super, heap), s.start};
  const uint64_t to[] = {from[0] + 24, from[1] + 1024, s.start + 64 * 16};
  unsigned step = mm3test_tool()[0] ? 88 : 8;
  for (int part = 0; part < 3; part++)
    for (uint64_t at = from[part]; at < to[part]; at += part ? step : 8)
      for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
        try_word(&s, at, values[v]);
        CHECK(memcmp(s.file->base + 8192, s.image + 8192, 64) == 0); /* the schema lies before the heap */
      }
  restore(&s);
  CHECK_EQ(mm3_check(s.file, NULL, NULL), 0);
  close_scene(&s);
  return 0;
}

static void any_word_may_hold_anything(void) {
  CHECK_EQ(mm3test_fork(try_all_words, NULL), 0);
}

static void *no_calloc(size_t count, size_t size) { return (void)count, (void)size, errno = ENOMEM, NULL; }

/* Half of the lists are built: who cannot go on, or is killed while the fields are asked, must not leave them as if they
 * were whole. */
static void a_cut_off_repair_stays_so_until_it_is_done(void) {
  struct scene s;
  struct mm3i_sys whole = mm3i_sys;
  uint64_t offset;
  if (!open_scene(&s)) return;
  memset(s.state->bins, 0, sizeof s.state->bins);
  memset(s.state->slabs, 0, sizeof s.state->slabs);
  a_repair_was_cut_off(&s);
  mm3i_sys.calloc = no_calloc;
  CHECK_EQ(mm3_heap_alloc(s.file, 100, 0, &offset), -ENOMEM);
  mm3i_sys = whole;
  CHECK_EQ(s.state->log_count, UINT32_MAX);
  CHECK_EQ(mm3_heap_alloc(s.file, 100, 0, &offset), 0);
  CHECK_EQ(mm3_heap_free(s.file, offset), 0);
  CHECK_EQ(s.state->log_count, 0);
  CHECK_EQ(mm3_check(s.file, NULL, NULL), 0);
  CHECK_EQ(intact_blocks(&s), 200);
  close_scene(&s);
}

static void *checks(void *arg) {
  const struct scene *s = arg;
  return mm3_check(s->file, NULL, NULL) == 0 ? NULL : arg;
}

/* The lock is the handle's, but what its holder is at another thread must not look at either. */
static void another_threads_check_waits_for_the_lock(void) {
  struct scene s;
  pthread_t thread;
  void *result;
  if (!open_scene(&s)) return;
  loop_a_bin(&s);
  CHECK_EQ(pthread_create(&thread, NULL, checks, &s), 0);
  mm3test_sleep_ms(50);
  restore(&s);
  CHECK_EQ(mm3_unlock(s.file), 0);
  pthread_join(thread, &result);
  CHECK(result == NULL);
  CHECK_EQ(mm3_lock(s.file), 0);
  close_scene(&s);
}

MM3_TEST_SUITE("heap_hostile", {"damage is named, and repaired", damage_is_named_and_repaired},
               {"a free list in a loop is a code, and no block comes twice", a_free_list_in_a_loop_is_a_code},
               {"what cannot be repaired is said", what_cannot_be_repaired_is_said},
               {"a field that cannot be asked keeps its blocks", a_field_that_cannot_be_asked_keeps_its_blocks},
               {"a killed repair is repaired by the next", a_killed_repair_is_repaired_by_the_next},
               {"a repair that was cut off stays so until it is done", a_cut_off_repair_stays_so_until_it_is_done},
               {"another thread's check waits for the lock", another_threads_check_waits_for_the_lock},
               {"any word may hold anything", any_word_may_hold_anything})

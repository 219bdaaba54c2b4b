/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Repair: the plan, the copy, the doing; and the careful open of files that are refused. */
#include "heap.h"
#include "hostile/victims.h"
#include "mm3files.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* ---- what a repair said ---- */

struct heard {
  int found, helped, copied, done, left;
  char fields[256];            /* of the findings, each with a blank behind it */
  char first[1024], copy[512], actions[2048];
};

static void hear(void *arg, const struct mm3_repair_step *step) {
  struct heard *h = arg;
  size_t used = strlen(h->fields), said = strlen(h->actions);
  CHECK_EQ(step->size, sizeof *step);
  switch (step->stage) {
    case MM3_REPAIR_FOUND:
      if (!h->found++) snprintf(h->first, sizeof h->first, "%s", step->found);
      h->helped += step->helps;
      snprintf(h->fields + used, sizeof h->fields - used, "%s ", step->field);
      CHECK(step->found[0] && step->action[0]);
      break;
    case MM3_REPAIR_COPIED: h->copied++, snprintf(h->copy, sizeof h->copy, "%s", step->action); break;
    case MM3_REPAIR_DONE: h->done++, snprintf(h->actions + said, sizeof h->actions - said, "%s\n", step->action); break;
    case MM3_REPAIR_LEFT: h->left++; break;
  }
}

/* Repairs; what it returned must be as it said. */
static int repair(struct mm3_file *file, uint32_t flags, struct heard *h) {
  struct mm3_error error;
  memset(h, 0, sizeof *h);
  int result = mm3_repair(file, flags, hear, h, &error);
  if (result < 0) printf("%s\n", error.text);
  else if (flags & MM3_REPAIR_PLAN) CHECK_EQ(result, h->found - h->helped);
  else CHECK_EQ(result, h->helped ? h->left : h->found);
  return result;
}

static unsigned char *read_whole(const char *path, size_t *size) {
  struct stat st;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  unsigned char *bytes = fd >= 0 && fstat(fd, &st) == 0 ? malloc((size_t)st.st_size) : NULL;
  if (bytes && read(fd, bytes, (size_t)st.st_size) != st.st_size) free(bytes), bytes = NULL;
  if (fd >= 0) close(fd);
  *size = bytes ? (size_t)st.st_size : 0;
  CHECK(bytes != NULL);
  return bytes;
}

/* ---- fields ---- */

#define DETAIL(FIELD) FIELD(on, bool) FIELD(weight, u32) FIELD(letter, char)
MM3_STRUCT(detail, DETAIL);
#define HOUSE(FIELD) FIELD(count, u64) FIELD(on, bool) FIELD(inside, detail) FIELD(sign, char)
MM3_STRUCT(house, HOUSE);

static struct mm3_file *new_house(void) {
  struct mm3_error error;
  struct mm3_file *file = mm3_create(mm3test_path("a.mm3"), MM3_TYPE(house), NULL, &error);
  if (!CHECK(file != NULL)) return NULL;
  *mm3_root(file, house) = (struct house){.count = 5, .on = 1, .inside = {1, 7, 'x'}, .sign = 's'};
  return file;
}

static void a_whole_file_is_left_alone(void) {
  struct heard h;
  struct mm3_file *file = new_house();
  if (!file) return;
  CHECK_EQ(repair(file, 0, &h), 0);
  CHECK_EQ(repair(file, MM3_REPAIR_RESET, &h), 0);
  CHECK_EQ(h.found + h.copied + h.done + h.left, 0);
  CHECK_EQ(count_entries(mm3test_path(NULL)), 1);
  CHECK_EQ(mm3_repair(file, 8, NULL, NULL, NULL), -EINVAL);
  CHECK_EQ(mm3_locked(file), 0);
  mm3_close(file);
}

static void a_damaged_field_is_named_and_left_unless_asked(void) {
  struct heard h;
  struct mm3_file *file = new_house();
  if (!file) return;
  struct house *root = mm3_root(file, house);
  root->on = 77;
  root->inside.letter = 0x110000;
  CHECK_EQ(repair(file, MM3_REPAIR_PLAN, &h), 2);
  CHECK_EQ(repair(file, 0, &h), 2);
  CHECK_STR(h.fields, "on inside.letter ");
  CHECK_HAS(h.first, "77");
  CHECK_EQ(h.copied + h.done, 0);
  CHECK_EQ(repair(file, MM3_REPAIR_PLAN | MM3_REPAIR_RESET, &h), 0);
  CHECK_EQ(h.found, 2);
  CHECK_EQ(root->on, 77);
  CHECK_EQ(repair(file, MM3_REPAIR_RESET, &h), 0);
  CHECK_EQ(h.done, 2);
  CHECK_HAS(h.actions, "emptied field 'on'");
  CHECK_EQ(root->on, 0);
  CHECK_EQ(root->inside.letter, 0);
  CHECK_EQ(root->count, 5); /* all else stands, inside the damaged struct too */
  CHECK_EQ(root->inside.weight, 7);
  CHECK_EQ(root->inside.on, 1);
  CHECK_EQ(root->sign, 's');
  CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  CHECK_EQ(mm3_locked(file), 0);
  mm3_close(file);
}

static void the_copy_is_the_file_before(void) {
  struct heard h;
  size_t size[2];
  const char *path = mm3test_path("a.mm3");
  struct mm3_file *file = new_house();
  if (!file) return;
  for (int round = 0; round < 3; round++) {
    mm3_root(file, house)->on = (uint8_t)(50 + round);
    CHECK_EQ(repair(file, MM3_REPAIR_RESET, &h), 0);
    CHECK_EQ(h.copied, 1);
    char name[300];
    snprintf(name, sizeof name, round ? "%s.backup-%d" : "%s.backup", path, round + 1);
    CHECK_STR(h.copy, name);
    struct mm3_options options = {.size = sizeof options, .flags = MM3_READ_ONLY};
    struct mm3_file *copy = mm3_open(name, MM3_TYPE(house), &options, NULL);
    if (!CHECK(copy != NULL)) continue;
    CHECK_EQ(mm3_root_const(copy, house)->on, 50 + round);
    CHECK_EQ(mm3_root_const(copy, house)->count, 5);
    mm3_close(copy);
  }
  mm3_root(file, house)->on = 60;
  CHECK_EQ(repair(file, MM3_REPAIR_RESET | MM3_REPAIR_NO_BACKUP, &h), 0);
  CHECK_EQ(h.copied, 0);
  CHECK_EQ(count_entries(mm3test_path(NULL)), 4);
  mm3_close(file);
  free(read_whole(path, &size[0]));
  free(read_whole(h.copy[0] ? h.copy : path, &size[1]));
  CHECK_EQ(size[0], size[1]);
}

static int calls;
static ssize_t full_disk(int fd, const void *bytes, size_t size, off_t offset) {
  (void)fd, (void)bytes, (void)size, (void)offset;
  return calls++, errno = ENOSPC, -1;
}
static int bad_disk(int fd) { return (void)fd, calls++, errno = EIO, -1; }

static void without_a_copy_nothing_is_changed(void) {
  struct heard h;
  struct mm3i_sys whole = mm3i_sys;
  struct mm3_file *file = new_house();
  if (!file) return;
  mm3_root(file, house)->on = 9;
  mm3i_sys.pwrite = full_disk;
  CHECK_EQ(repair(file, MM3_REPAIR_RESET, &h), -ENOSPC);
  mm3i_sys = whole;
  mm3i_sys.fsync = bad_disk;
  CHECK_EQ(repair(file, MM3_REPAIR_RESET, &h), -EIO);
  mm3i_sys = whole;
  CHECK_EQ(calls, 2);
  CHECK_EQ(mm3_root(file, house)->on, 9);
  CHECK_EQ(count_entries(mm3test_path(NULL)), 1);
  CHECK_EQ(mm3_locked(file), 0);
  CHECK_EQ(repair(file, MM3_REPAIR_RESET, &h), 0);
  mm3_close(file);
}

static int beyond_rlimit(void *arg) {
  struct heard h;
  struct rlimit limit = {4096, 4096};
  if (setrlimit(RLIMIT_FSIZE, &limit) < 0) return 1;
  return repair(arg, MM3_REPAIR_RESET, &h) == -EFBIG ? 0 : 2; /* and not SIGXFSZ */
}

static void a_limit_of_file_sizes_is_as_a_full_disk(void) {
  struct mm3_file *file = new_house();
  if (!file) return;
  mm3_root(file, house)->on = 9;
  CHECK_EQ(mm3test_fork(beyond_rlimit, file), 0);
  CHECK_EQ(mm3_root(file, house)->on, 9);
  CHECK_EQ(count_entries(mm3test_path(NULL)), 1);
  mm3_close(file);
}

static void a_plan_changes_nothing(void) {
  struct heard h;
  size_t size[2];
  const char *path = mm3test_path("a.mm3");
  struct mm3_options options = {.size = sizeof options, .flags = MM3_READ_ONLY};
  struct mm3_file *file = new_house();
  if (!file) return;
  mm3_root(file, house)->on = 9;
  mm3_close(file);
  unsigned char *before = read_whole(path, &size[0]);
  file = mm3_open(path, NULL, &options, NULL);
  if (!CHECK(file != NULL)) return;
  CHECK_EQ(repair(file, MM3_REPAIR_PLAN | MM3_REPAIR_RESET, &h), 0);
  CHECK_EQ(h.helped, 1);
  CHECK_EQ(repair(file, MM3_REPAIR_PLAN, &h), 1);
  CHECK_EQ(repair(file, MM3_REPAIR_RESET, &h), -MM3_E_READ_ONLY);
  mm3_close(file);
  unsigned char *after = read_whole(path, &size[1]);
  CHECK(size[0] == size[1] && memcmp(before, after, size[0]) == 0);
  CHECK_EQ(count_entries(mm3test_path(NULL)), 1);
  free(before), free(after);
}

static void a_living_holder_is_waited_for(void) {
  struct heard h;
  struct mm3_options options = {.size = sizeof options, .timeout_ms = 20};
  struct mm3_file *one = new_house(), *two = mm3_open(mm3test_path("a.mm3"), NULL, &options, NULL);
  if (!one || !CHECK(two != NULL)) return;
  CHECK_EQ(mm3_lock(one), 0);
  CHECK_EQ(repair(two, MM3_REPAIR_RESET, &h), -MM3_E_BUSY);
  mm3_root(one, house)->on = 9;
  CHECK_EQ(repair(one, MM3_REPAIR_RESET, &h), 0); /* its own lock: kept */
  CHECK_EQ(h.done, 1);
  CHECK_EQ(mm3_locked(one), 1);
  CHECK_EQ(mm3_unlock(one), 0);
  mm3_close(one), mm3_close(two);
}

/* ---- the lock ---- */

static struct mm3_file *file_with_a_failed_recovery(int damaged) {
  struct mm3_file *file = sample_new(mm3test_path("a.mm3"));
  if (!file) return NULL;
  CHECK_EQ(mm3_lock(file), 0);
  mm3_intents(file)[0] = 5;
  mm3_certify(file, SAMPLE_BOTH, PAIR_SET, PAIR_WRITING);
  mm3_root(file, sample)->both.a = 5;
  if (!damaged) mm3_root(file, sample)->both.b = 5;
  mm3_root(file, sample)->value = 6;
  mm3i_lock_abandon(file);
  pair_refuses = 1;
  CHECK_EQ(mm3_lock(file), -MM3_E_DAMAGED);
  return file;
}

static void a_lock_left_to_a_failed_recovery_is_released(void) {
  struct heard h;
  struct mm3_file *file = file_with_a_failed_recovery(1);
  if (!file) return;
  CHECK_EQ(repair(file, 0, &h), 2); /* the lock and the pair stay */
  CHECK_EQ(mm3_lock(file), -MM3_E_DAMAGED);
  CHECK_EQ(repair(file, MM3_REPAIR_PLAN | MM3_REPAIR_RESET, &h), 0);
  CHECK_EQ(h.helped, 2);
  CHECK_EQ(mm3_lock(file), -MM3_E_DAMAGED);
  CHECK_EQ(repair(file, MM3_REPAIR_RESET, &h), 0);
  CHECK_HAS(h.actions, "released the lock");
  CHECK_HAS(h.actions, "emptied field 'both'");
  CHECK_EQ(mm3_lock(file), 0);
  CHECK_EQ(mm3_unlock(file), 0);
  CHECK_EQ(mm3_root(file, sample)->value, 6);
  CHECK_EQ(mm3_root(file, sample)->both.a, 0);
  mm3_close(file);
  pair_refuses = 0;
}

static void what_its_owner_was_at_is_whole_then_no_reset_is_needed(void) {
  struct heard h;
  struct mm3_file *file = file_with_a_failed_recovery(0);
  if (!file) return;
  CHECK_EQ(mm3_check(file, NULL, NULL), 1);
  CHECK_EQ(repair(file, 0, &h), 0);
  CHECK_EQ(mm3_lock(file), 0);
  CHECK_EQ(mm3_root(file, sample)->both.a, 5);
  CHECK_EQ(mm3_unlock(file), 0);
  mm3_close(file);
  pair_refuses = 0;
}

/* ---- the heap ---- */

#include "heap_owner.h"

static uint64_t *two_owners(struct mm3_file **file) {
  CHECK_EQ(owner_register(NULL), 0);
  *file = mm3_create_schema(mm3test_path("a.mm3"), "struct t { one: owner(100) flag: bool two: owner(100) }", NULL, NULL);
  if (!CHECK(*file != NULL)) return NULL;
  uint64_t *slots = mm3i_file_root(*file);
  mm3_lock(*file);
  for (unsigned i = 0; i < 60; i++) CHECK_EQ(mm3_heap_alloc(*file, 30 + 400 * i, 0, &slots[i]), 0);
  for (unsigned i = 0; i < 20; i++) CHECK_EQ(mm3_heap_alloc(*file, 30 + 400 * i, 0, &slots[101 + i]), 0);
  mm3_unlock(*file);
  return slots;
}

static uint64_t blocks_in_use(struct mm3_file *file) {
  struct mm3_heap_stats stats = {.size = sizeof stats};
  CHECK_EQ(mm3_heap_measure(file, &stats), 0);
  return stats.blocks;
}

static void leaked_blocks_are_taken_back(void) {
  struct heard h;
  struct mm3_file *file;
  uint64_t *slots = two_owners(&file);
  if (!slots) return;
  for (unsigned i = 0; i < 60; i += 3) slots[i] = 0;
  CHECK_EQ(mm3_check(file, NULL, NULL), 0); /* a leak is no damage */
  CHECK_EQ(repair(file, MM3_REPAIR_PLAN, &h), 0);
  CHECK_EQ(h.helped, 1);
  CHECK_HAS(h.first, "20 blocks in use that no field owns");
  CHECK_EQ(blocks_in_use(file), 80);
  CHECK_EQ(repair(file, 0, &h), 0);
  CHECK_HAS(h.actions, "took 20 blocks back");
  CHECK_EQ(blocks_in_use(file), 60);
  CHECK_EQ(repair(file, 0, &h), 0);
  CHECK_EQ(h.found, 0);
  mm3_close(file);
}

/* While a field cannot be asked what it owns, nothing is taken back: it may be its. */
static void a_field_that_cannot_be_asked_keeps_its_blocks(void) {
  struct heard h;
  struct mm3_file *file;
  uint64_t *slots = two_owners(&file);
  if (!slots) return;
  slots[0] |= 1;
  for (unsigned i = 101; i < 110; i++) slots[i] = 0;
  CHECK_EQ(repair(file, 0, &h), 1);
  CHECK_EQ(blocks_in_use(file), 80);
  CHECK_EQ(repair(file, MM3_REPAIR_RESET, &h), 0);
  CHECK_EQ(blocks_in_use(file), 11); /* field one is empty, and what it had is free */
  CHECK_EQ(mm3_check(file, NULL, NULL), 0);
  mm3_close(file);
}

static void damaged_lists_are_built_anew(void) {
  struct heard h;
  struct mm3_file *file;
  uint64_t *slots = two_owners(&file);
  if (!slots) return;
  struct mm3i_heap_state *state = (struct mm3i_heap_state *)(void *)mm3i_handle_of(file)->super->heap;
  memset(state->bins, 0x55, sizeof state->bins);
  memset(state->slabs, 0x55, sizeof state->slabs);
  CHECK(mm3_check(file, NULL, NULL) > 0);
  CHECK_EQ(repair(file, MM3_REPAIR_PLAN, &h), 0);
  CHECK_EQ(repair(file, 0, &h), 0);
  CHECK(h.found > 0 && h.left == 0);
  CHECK_EQ(blocks_in_use(file), 80);
  uint64_t offset;
  mm3_lock(file);
  for (uint64_t size = 16; size < 100000; size *= 2) CHECK_EQ(mm3_heap_alloc(file, size, 0, &offset), 0);
  mm3_unlock(file);
  mm3_close(file);
}

static void a_block_of_two_owners_is_the_first_ones(void) {
  struct heard h;
  struct mm3_file *file;
  uint64_t *slots = two_owners(&file);
  if (!slots) return;
  slots[105] = slots[7];
  CHECK_EQ(mm3_check(file, NULL, NULL), 1);
  CHECK_EQ(repair(file, 0, &h), 1);
  CHECK_STR(h.fields, "two ");
  CHECK_EQ(repair(file, MM3_REPAIR_RESET, &h), 0);
  CHECK(slots[7] != 0);
  CHECK_EQ(slots[105], 0);
  CHECK_EQ(blocks_in_use(file), 60);
  mm3_close(file);
}

static void a_lost_end_is_found_again(void) {
  struct heard h;
  struct mm3_file *file;
  if (!two_owners(&file)) return;
  static const uint64_t ends[] = {0, 1, UINT64_C(1) << 40, UINT64_MAX, 70000};
  struct mm3i_super *super = mm3i_handle_of(file)->super;
  struct mm3i_heap_state *state_of = (struct mm3i_heap_state *)(void *)super->heap;
  uint64_t end = super->heap_end;
  for (unsigned i = 0; i < sizeof ends / sizeof *ends; i++) {
    super->heap_end = ends[i];
    if (i % 2) state_of->maps[5] = 77777;
    CHECK_EQ(repair(file, MM3_REPAIR_NO_BACKUP, &h), 0);
    CHECK(super->heap_end >= end);
    CHECK_EQ(blocks_in_use(file), 80);
  }
  mm3_close(file);
}

/* ---- any damage to any kind ---- */

static uint64_t state;
static uint64_t next_random(void) {
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}

struct tries {
  const struct victim *victim;
  const unsigned char *whole;
  size_t size;
  const char *path;
  unsigned long rounds, refused, damaged, repaired, left;
};

static void damage(struct tries *t, unsigned char *bytes) {
  memcpy(bytes, t->whole, t->size);
  for (uint64_t n = 1 + next_random() % 6; n; n--) {
    const struct mm3i_fixed *fixed = &((const struct mm3i_super *)(const void *)t->whole)->fixed;
    uint64_t at = 2048 + next_random() % 2040, value = next_random(), where = next_random() % 8;
    if (where > 1) at = fixed->root_offset + next_random() % fixed->root_size;
    if (where > 4 && fixed->heap_offset) at = fixed->heap_offset + next_random() % 12288;
    if (value & 2) at = at / 8 * 8, value = next_random() % 3 ? next_random() % t->size : UINT64_MAX >> next_random() % 63;
    memcpy(bytes + at, &value, value & 4 ? 8 : 1);
  }
}

static void show(void *arg, const struct mm3_error *finding) {
  printf("repair: %s: left: %s\n", ((struct tries *)arg)->victim->name, finding->text);
}

static void repair_once(struct tries *t) {
  struct mm3_options options = {.size = sizeof options, .timeout_ms = 5, .reserve = 1 << 20};
  struct mm3_error error;
  struct victim_tally tally = {0, 0};
  struct mm3_file *file = mm3_open(t->path, NULL, &options, &error);
  t->rounds++;
  if (!file) {
    t->refused++;
    return;
  }
  int before = mm3_check(file, NULL, NULL);
  int after = mm3_repair(file, MM3_REPAIR_RESET | MM3_REPAIR_NO_BACKUP, NULL, NULL, &error);
  t->damaged += before > 0;
  if (after == 0 || after == -MM3_E_BUSY) t->repaired += before > 0 && after == 0;
  else if (t->left++ < 2) mm3_check(file, show, t);
  if (after == 0) {
    int again = mm3_repair(file, MM3_REPAIR_RESET | MM3_REPAIR_PLAN, NULL, NULL, &error);
    CHECK_EQ(again, 0);
    victim_use(t->victim, file, 1, &tally);
    CHECK(tally.writes > 0);
    if (!CHECK_EQ(mm3_check(file, NULL, NULL), 0)) printf("%s: damaged by use after its repair\n", t->victim->name);
  }
  mm3_close(file);
}

static int repair_many(void *arg) {
  struct tries *t = arg;
  unsigned char *bytes = malloc(t->size);
  int rounds = getenv("MM3_TORTURE") ? 3000 : mm3test_tool()[0] ? 60 : 200;
  for (int i = 0; bytes && i < rounds; i++) {
    alarm(20);
    damage(t, bytes);
    write_file(t->path, bytes, t->size);
    repair_once(t);
  }
  free(bytes);
  printf("repair: %-12s %lu files: %lu refused, %lu damaged, %lu of them repaired, %lu not\n", t->victim->name, t->rounds,
         t->refused, t->damaged, t->repaired, t->left);
  return !CHECK(t->repaired >= t->damaged * 9 / 10);
}

static void any_damage_behind_the_superblock_is_repaired(void) {
  const char *seed = getenv("MM3_SEED"), *only = getenv("MM3_VICTIM");
  state = seed ? strtoull(seed, NULL, 10) : mm3test_now_ns() | 1;
  printf("repair: seed %llu\n", (unsigned long long)state);
  victim_prepare(0);
  for (unsigned i = 0; i < victim_count; i++) {
    struct tries t = {.victim = &victims[i], .path = mm3test_path("v.mm3")};
    if (only && strcmp(only, victims[i].name) != 0) continue;
    unlink(t.path);
    if (!CHECK_EQ(victim_make(t.victim, t.path), 0)) continue;
    unsigned char *whole = read_whole(t.path, &t.size);
    t.whole = whole;
    state += 0x9e3779b97f4a7c15;
    if (whole) CHECK_EQ(mm3test_fork(repair_many, &t), 0);
    free(whole);
  }
}

/* ---- careful ---- */

static struct mm3_file *open_careful(const char *path, struct mm3_error *error) {
  struct mm3_options options = {.size = sizeof options, .flags = MM3_CAREFUL};
  return mm3_open(path, MM3_TYPE(house), &options, error);
}

static void any_flipped_bit_is_explained(void) {
  const char *path = mm3test_path("a.mm3");
  struct mm3_error error;
  size_t size, step = mm3test_tool()[0] ? 331 : 31;
  mm3_close(new_house());
  unsigned char *whole = read_whole(path, &size);
  struct mm3i_super *super = (struct mm3i_super *)(void *)whole;
  size_t ends[3] = {2048, 8192, (size_t)(super->fixed.table_offset + super->fixed.table_size)}, tried = 0;
  for (size_t bit = 0; bit < 8 * ends[2]; bit += bit >= 8 * ends[1] ? step / 10 : step) {
    if (bit >= 8 * ends[0] && bit < 8 * ends[1]) bit = 8 * ends[1];
    unsigned char flipped = whole[bit / 8] ^ (unsigned char)(1U << bit % 8);
    spoil(path, (off_t)(bit / 8), &flipped, 1, false);
    int refused = refusal(path, MM3_READ_ONLY, &error) < 0;
    struct mm3_file *file = open_careful(path, &error);
    if (!CHECK(file != NULL)) {
      printf("bit %zu: %s\n", bit, error.text);
      break;
    }
    CHECK_EQ(mm3_root_const(file, house)->count, 5);
    CHECK(mm3_root(file, house) == NULL);
    CHECK_EQ(mm3_check(file, NULL, NULL) > 0, refused);
    mm3_close(file);
    spoil(path, (off_t)(bit / 8), whole + bit / 8, 1, false);
    tried += (size_t)refused;
  }
  printf("careful: %zu files that are refused were read\n", tried);
  CHECK(tried > 100);
  free(whole);
}

static void more_damage_is_borne_where_the_rest_makes_sense(void) {
  const char *path = mm3test_path("a.mm3");
  struct mm3_error error;
  size_t size;
  mm3_close(new_house());
  unsigned char *whole = read_whole(path, &size);
  const struct mm3i_fixed *fixed = &((struct mm3i_super *)(void *)whole)->fixed;
  const struct { off_t at; size_t count; int opens; } damages[] = {
      {offsetof(struct mm3i_super, reserved_184), 300, 1},  /* nobody needs it */
      {offsetof(struct mm3i_super, checksum), 16, 1},       /* the sum and the generation */
      {offsetof(struct mm3i_super, length), 8, 1},
      {offsetof(struct mm3i_fixed, digest_low), 16, 1},
      {(off_t)fixed->table_offset, (size_t)fixed->table_size, 1},
      {(off_t)fixed->schema_offset, 20, 0},
      {offsetof(struct mm3i_fixed, root_offset), 8, 0},
      {0, 8, 0},
  };
  static const unsigned char junk[4096] = {0x5a, 0xa5, 0x11, 0x5a, 0x5a, 0x5a, 0x5a, 0x33, 0x44};
  for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
    CHECK(damages[i].count <= sizeof junk);
    spoil(path, damages[i].at, junk, damages[i].count, false);
    CHECK(refusal(path, 0, &error) < 0);
    struct mm3_file *file = open_careful(path, &error);
    if (!CHECK_EQ(file != NULL, damages[i].opens)) printf("damage %zu: %s\n", i, file ? "opens" : error.text);
    if (file) CHECK_EQ(mm3_root_const(file, house)->inside.weight, 7);
    if (file) CHECK(mm3_check(file, NULL, NULL) > 0);
    mm3_close(file);
    write_file(path, whole, size);
  }
  CHECK_EQ(refusal(path, 0, &error), 0);
  free(whole);
}

static void a_truncated_heap_leaves_the_rest_readable(void) {
  const char *path = mm3test_path("a.mm3");
  struct mm3_options options = {.size = sizeof options, .flags = MM3_CAREFUL};
  struct mm3_error error;
  struct mm3_field field;
  struct mm3_file *file;
  if (!two_owners(&file)) return;
  uint64_t heap = mm3i_handle_of(file)->fixed.heap_offset;
  mm3_close(file);
  for (int round = 0; round < 2; round++) {
    CHECK_EQ(truncate(path, (off_t)(round ? heap : heap + 4096)), 0);
    CHECK_FAILS(refusal(path, MM3_READ_ONLY, &error), -MM3_E_DAMAGED, error);
    if (!CHECK((file = mm3_open(path, NULL, &options, &error)) != NULL)) return;
    CHECK(mm3_check(file, NULL, NULL) > 0);
    CHECK_EQ(mm3_field_find(file, "flag", &field, &error), 0);
    CHECK_EQ(mm3_field_check(&field, &error), 0);
    mm3_close(file);
  }
}

static void careful_is_for_reading(void) {
  const char *path = mm3test_path("a.mm3");
  struct mm3_options options = {.size = sizeof options, .flags = MM3_CAREFUL};
  struct mm3_error error;
  struct mm3_field field;
  struct mm3_value value = {.is = MM3_INT, .as.integer = 3};
  mm3_close(new_house());
  CHECK_EQ(chmod(path, 0444), 0);
  struct mm3_file *file = mm3_open(path, MM3_TYPE(house), &options, &error);
  if (!CHECK(file != NULL)) return;
  CHECK_EQ(mm3_field_find(file, "count", &field, &error), 0);
  CHECK_EQ(mm3_field_put(&field, &value, &error), -MM3_E_READ_ONLY);
  CHECK_EQ(mm3_lock(file), -MM3_E_READ_ONLY);
  mm3_close(file);
  CHECK(mm3_create(mm3test_path("b.mm3"), MM3_TYPE(house), &options, &error) == NULL);
  CHECK_EQ(error.code, -EINVAL);
  CHECK(mm3_open_or_create(path, MM3_TYPE(house), &options, &error) == NULL);
  CHECK_EQ(error.code, -EINVAL);
}

MM3_TEST_SUITE("repair", {"a whole file is left alone", a_whole_file_is_left_alone},
               {"a damaged field is named, and left unless asked", a_damaged_field_is_named_and_left_unless_asked},
               {"the copy is the file before", the_copy_is_the_file_before},
               {"without a copy nothing is changed", without_a_copy_nothing_is_changed},
               {"a limit of file sizes is as a full disk", a_limit_of_file_sizes_is_as_a_full_disk},
               {"a plan changes nothing", a_plan_changes_nothing},
               {"a living holder is waited for", a_living_holder_is_waited_for},
               {"a lock left to a failed recovery is released", a_lock_left_to_a_failed_recovery_is_released},
               {"no reset where what its owner was at is whole", what_its_owner_was_at_is_whole_then_no_reset_is_needed},
               {"leaked blocks are taken back", leaked_blocks_are_taken_back},
               {"a field that cannot be asked keeps its blocks", a_field_that_cannot_be_asked_keeps_its_blocks},
               {"damaged lists are built anew", damaged_lists_are_built_anew},
               {"a block of two owners is the first one's", a_block_of_two_owners_is_the_first_ones},
               {"a lost end is found again", a_lost_end_is_found_again},
               {"any damage behind the superblock is repaired", any_damage_behind_the_superblock_is_repaired},
               {"careful: any flipped bit is explained", any_flipped_bit_is_explained},
               {"careful: more damage is borne", more_damage_is_borne_where_the_rest_makes_sense},
               {"careful: a truncated heap leaves the rest readable", a_truncated_heap_leaves_the_rest_readable},
               {"careful is for reading", careful_is_for_reading})

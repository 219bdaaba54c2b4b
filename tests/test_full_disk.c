/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A disk that fills up under each operation that grows a file, and has room again when another file is removed from it:
 * the code is -ENOSPC, all that was there is still there, also for another process, the file passes its check, and the
 * operation goes on. The same for a quota, whose error (-EDQUOT) and those of other failing disks are planted in the
 * calls to the system, with and without fallocate(2).
 */
#include "../modules/all_modules.h"
#include "mm3files.h"

#include <mm3/hashmap.h>
#include <mm3/heap.h>
#include <mm3/segmented.h>
#include <mm3/text.h>

#define FULL(FIELD)                                                                            \
  FIELD(log, segmented(u64)) FIELD(name, text) FIELD(numbers, hashmap(u64, u64))               \
  FIELD(texts, hashmap(text, text)) FIELD(few, hashmap(u32, text))
MM3_STRUCT(full, FULL);

static char letters[1 << 20]; /* 'a', 'b', ... again and again */

/* ---- what is done: add number i; are exactly the first n there? ---- */

static int add_item(struct mm3_file *file, uint64_t i) {
  return mm3_segmented_append(file, &mm3_root(file, full)->log, i * 3);
}
static bool has_items(struct mm3_file *file, uint64_t n) {
  const struct full *f = mm3_root_const(file, full);
  uint64_t value, right = 0;
  for (uint64_t i = 0; i < n; i++) right += mm3_segmented_get(file, &f->log, i, &value) == 0 && value == i * 3;
  return right == n && mm3_segmented_len(&f->log) == n;
}

enum { MANY = 500 };
static int add_many_items(struct mm3_file *file, uint64_t i) {
  uint64_t items[MANY];
  for (uint64_t k = 0; k < MANY; k++) items[k] = (i * MANY + k) * 3;
  return mm3_segmented_append_many(file, &mm3_root(file, full)->log, items, MANY);
}
static bool has_many_items(struct mm3_file *file, uint64_t n) { return has_items(file, n * MANY); }

static int add_batch(struct mm3_file *file, uint64_t i) {
  uint64_t *items, room;
  struct full *f = mm3_root(file, full);
  int result = mm3_segmented_begin(file, &f->log, 1, &items, &room);
  if (result < 0) return result;
  items[0] = i * 3;
  return mm3_segmented_commit(file, &f->log, 1);
}

/* Fails when the table must grow. */
static int add_number(struct mm3_file *file, uint64_t i) {
  return mm3_hashmap_set(file, &mm3_root(file, full)->numbers, i * 7, i);
}
static bool has_numbers(struct mm3_file *file, uint64_t n) {
  const struct full *f = mm3_root_const(file, full);
  uint64_t value, right = 0;
  for (uint64_t i = 0; i < n; i++) right += mm3_hashmap_get(file, &f->numbers, i * 7, &value) == 0 && value == i;
  return right == n && mm3_hashmap_len(file, &f->numbers) == n;
}

static struct mm3_str long_text(uint64_t i) { return mm3_str_n(letters + i % 26, 700 + i % 100); }

/* Fails when the record finds no room. */
static int add_text(struct mm3_file *file, uint64_t i) {
  char key[32];
  snprintf(key, sizeof key, "key %d", (int)i);
  return mm3_hashmap_set(file, &mm3_root(file, full)->texts, key, long_text(i));
}
static bool has_texts(struct mm3_file *file, uint64_t n) {
  const struct full *f = mm3_root_const(file, full);
  uint64_t right = 0;
  char key[32], text[1000];
  struct mm3_buf buf = mm3_buf_of(text, sizeof text);
  for (uint64_t i = 0; i < n; i++) {
    struct mm3_str wanted = long_text(i);
    snprintf(key, sizeof key, "key %d", (int)i);
    right += mm3_hashmap_get(file, &f->texts, key, &buf) == 0 && buf.len == wanted.len && !memcmp(text, wanted.ptr, buf.len);
  }
  return right == n && mm3_hashmap_len(file, &f->texts) == n;
}

/* Ten entries that are overwritten by ever longer ones. */
static struct mm3_str growing_text(uint64_t i) { return mm3_str_n(letters + i % 26, 1000 * (1 + i % 500)); }
static int overwrite(struct mm3_file *file, uint64_t i) {
  int result = mm3_hashmap_set(file, &mm3_root(file, full)->few, i % 10, growing_text(i));
  return result < 0 ? result : 0;
}
static bool has_overwritten(struct mm3_file *file, uint64_t n) {
  const struct full *f = mm3_root_const(file, full);
  struct mm3_str is, wanted;
  uint64_t right = 0, keys = n < 10 ? n : 10;
  for (uint64_t i = n - keys; i < n; i++) {
    wanted = growing_text(i);
    right += mm3_hashmap_view_text(file, &f->few, i % 10, &is) == 0 && is.len == wanted.len &&
             memcmp(is.ptr, wanted.ptr, is.len) == 0;
  }
  return right == keys && mm3_hashmap_len(file, &f->few) == keys;
}

static int set_text(struct mm3_file *file, uint64_t i) {
  return mm3_text_set_n(file, &mm3_root(file, full)->name, letters, 3000 * i);
}
static bool has_set_text(struct mm3_file *file, uint64_t n) {
  return mm3_text_equal_n(file, &mm3_root_const(file, full)->name, letters, 3000 * (n - 1)) == 1;
}

static int append_text(struct mm3_file *file, uint64_t i) {
  return mm3_text_append_n(file, &mm3_root(file, full)->name, letters + 2600 * i, 2600);
}
static bool has_appended_text(struct mm3_file *file, uint64_t n) {
  return mm3_text_equal_n(file, &mm3_root_const(file, full)->name, letters, 2600 * n) == 1;
}

/* Room for more and more, beside entries that are there. */
static int reserve_all(struct mm3_file *file, uint64_t i) {
  struct full *f = mm3_root(file, full);
  int result = i < 20 ? add_number(file, i) : 0;
  if (result == 0 && i < 20) result = add_item(file, i);
  if (result == 0) result = mm3_hashmap_reserve(file, &f->numbers, 2000 * i);
  return result < 0 ? result : mm3_segmented_reserve(file, &f->log, 4000 * i);
}
static bool has_reserved(struct mm3_file *file, uint64_t n) {
  uint64_t there = n < 20 ? n : 20;
  return has_numbers(file, there) && has_items(file, there);
}

static bool has_some_items(struct mm3_file *file, uint64_t n) { return has_items(file, n < 20 ? n : 20); }
static int reserve_heap(struct mm3_file *file, uint64_t i) {
  if (i < 20) return add_item(file, i);
  int locked = mm3_lock(file), result = locked < 0 ? locked : mm3_heap_reserve(file, 100000 * i);
  if (locked >= 0) mm3_unlock(file);
  return result;
}

static const struct deed {
  const char *name;
  int (*add)(struct mm3_file *, uint64_t i);
  bool (*has)(struct mm3_file *, uint64_t n);
} deeds[] = {
    {"segmented: append", add_item, has_items},
    {"segmented: append_many", add_many_items, has_many_items},
    {"segmented: begin and commit", add_batch, has_items},
    {"hashmap: insert, a new table", add_number, has_numbers},
    {"hashmap: insert, a new record", add_text, has_texts},
    {"hashmap: overwrite", overwrite, has_overwritten},
    {"text: set", set_text, has_set_text},
    {"text: append", append_text, has_appended_text},
    {"hashmap and segmented: reserve", reserve_all, has_reserved},
    {"heap: reserve", reserve_heap, has_some_items},
};
enum { DEEDS = sizeof deeds / sizeof *deeds, BEFORE = 21 };

/* ---- a disk that fills up ---- */

struct disk {
  const struct deed *deed;
  const char *how, *path;
  int code;                    /* of the operation */
  void (*fill)(void), (*make_room)(void);
};

static void finding(void *arg, const struct mm3_error *error) {
  fprintf(stderr, "%s: check: %s: %s\n", (const char *)arg, error->field, error->text);
}

static struct mm3_file *open_full(const char *path, uint32_t flags) {
  struct mm3_error error = {0};
  struct mm3_options options = {.size = sizeof options, .reserve = 64 << 20, .flags = flags};
  struct mm3_file *file = mm3_open(path, MM3_TYPE(full), &options, &error);
  if (!CHECK(file != NULL)) fprintf(stderr, "%s\n", error.text);
  return file;
}

/* What this handle has, and one that is opened now. */
static bool is_whole(const struct disk *d, struct mm3_file *file, uint64_t n) {
  int whole = CHECK(d->deed->has(file, n)) & CHECK_EQ(mm3_check(file, finding, (void *)(uintptr_t)d->deed->name), 0);
  struct mm3_file *other = open_full(d->path, MM3_READ_ONLY);
  whole &= other && CHECK(d->deed->has(other, n));
  whole &= CHECK_EQ(mm3_close(other), 0);
  if (!whole) fprintf(stderr, "%s: after %llu\n", d->deed->name, (unsigned long long)n);
  return whole;
}

static void fill_and_go_on(const struct disk *d) {
  uint64_t n = 0, most = 1000000;
  int result = 0;
  struct mm3_options options = {.size = sizeof options, .reserve = 64 << 20};
  unlink(d->path);
  struct mm3_file *file = mm3_create(d->path, MM3_TYPE(full), &options, NULL);
  if (!CHECK(file != NULL)) return;
  while (n < BEFORE && (result = d->deed->add(file, n)) == 0) n++;
  CHECK_EQ(n, BEFORE);
  d->fill();
  for (int refusals = 0; refusals < 3 && n < most;) { /* a part of the room may have come, and does for a while */
    if ((result = d->deed->add(file, n)) == 0) n++;
    else if (refusals++, !CHECK_EQ(result, d->code)) break;
  }
  CHECK(n < most);
  is_whole(d, file, n);
  d->make_room();
  printf("%s%s: %s at number %llu\n", d->how, d->deed->name, mm3_error_name(d->code), (unsigned long long)n);
  for (uint64_t end = n + 20; n < end && CHECK_EQ(d->deed->add(file, n), 0);) n++;
  is_whole(d, file, n);
  CHECK_EQ(mm3_close(file), 0);
  file = open_full(d->path, 0);
  if (file) is_whole(d, file, n);
  CHECK_EQ(mm3_close(file), 0);
  unlink(d->path);
}

static void prepare(void) {
  for (size_t i = 0; i < sizeof letters; i++) letters[i] = (char)('a' + i % 26);
  CHECK_EQ(mm3_all_modules_register(NULL), 0);
}

/* ---- a real one, and another file on it ---- */

static char ballast[512];
static void write_ballast(void) {
  int fd = open(ballast, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  size_t size = sizeof letters;
  CHECK(fd >= 0);
  while (size >= 512) {
    ssize_t put = write(fd, letters, size);
    if (put < 0 && !CHECK_EQ(errno, ENOSPC)) break;
    if (put < (ssize_t)size) size /= 2;
  }
  CHECK_EQ(close(fd), 0);
}
static void remove_ballast(void) { CHECK_EQ(unlink(ballast), 0); }

static int on_a_disk(void *arg) {
  char path[512];
  snprintf(path, sizeof path, "%s/full.mm3", (const char *)arg);
  snprintf(ballast, sizeof ballast, "%s/ballast", (const char *)arg);
  for (size_t i = 0; i < DEEDS; i++)
    fill_and_go_on(&(struct disk){&deeds[i], "a full tmpfs: ", path, -ENOSPC, write_ballast, remove_ballast});
  return 0;
}

static void room_comes_back_with_another_file(void) {
  prepare();
  int result = mm3test_fork_mounted(mm3test_path(NULL), "size=24m", on_a_disk, (void *)(uintptr_t)mm3test_path(NULL));
  if (result == MM3TEST_NO_MOUNT) mm3test_skip("no mounts here");
  else CHECK_EQ(result, 0);
}

/* ---- errors of a quota and of failing disks, planted ---- */

static struct mm3i_sys whole;
static int planted, by_hand;
static int failing_fallocate(int fd, int mode, off_t offset, off_t length) {
  if (by_hand) return errno = EOPNOTSUPP, -1;
  return planted ? errno = planted, -1 : whole.fallocate(fd, mode, offset, length);
}
static int halves;
/* A few halves of what is asked for, then nothing. */
static ssize_t failing_pwrite(int fd, const void *bytes, size_t size, off_t offset) {
  if (!planted || size < 4096) return whole.pwrite(fd, bytes, size, offset);
  return halves-- > 0 ? whole.pwrite(fd, bytes, size / 2, offset) : (errno = planted, -1);
}

static int planted_next;
static void plant(void) { planted = planted_next, halves = 3; }
static void take_out(void) { planted = 0; }

static void a_quota_and_other_errors_lose_nothing(void) {
  static const int codes[] = {EDQUOT, ENOSPC, EFBIG, EIO};
  prepare();
  whole = mm3i_sys;
  mm3i_sys.fallocate = failing_fallocate, mm3i_sys.pwrite = failing_pwrite;
  for (size_t c = 0; c < sizeof codes / sizeof *codes; c++)
    for (by_hand = 0; by_hand < 2; by_hand++)
      for (size_t i = 0; i < DEEDS; i++) {
        planted_next = codes[c];
        fill_and_go_on(&(struct disk){&deeds[i], by_hand ? "planted, no fallocate: " : "planted: ", mm3test_path("a.mm3"),
                                      -codes[c], plant, take_out});
      }
  mm3i_sys = whole;
}

MM3_TEST_SUITE("full_disk", {"a full disk has room again when another file goes", room_comes_back_with_another_file},
               {"a quota, and other errors of a disk, lose nothing", a_quota_and_other_errors_lose_nothing})

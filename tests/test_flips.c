/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Every bit of one small file per kind flipped in turn, and every 8-byte word set to values that hurt (of zeros, a
 * sample); then the file is opened, checked, visited, and every operation is tried on it. Codes are fine, a crash or a
 * hang is not.
 *
 * A child works through the damages and notes in shared memory where it is; if it dies, the parent says at which damage, and
 * a new child goes on behind it. MM3_FLIPS=all takes no sample (make torture).
 */
#include "hostile/victims.h"
#include "mm3test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct progress {
  unsigned long next;          /* the damage that is being tried */
  unsigned long opened, refused;
  struct victim_tally tally;
};

struct subject {
  const struct victim *victim;
  const char *path;
  unsigned char *whole;        /* the file as it was made */
  size_t size;
  struct progress *progress;
};

static int zero_page(const struct subject *s, size_t at) {
  const unsigned char *page = s->whole + at / 4096 * 4096;
  size_t count = s->size - at / 4096 * 4096;
  for (size_t i = 0; i < (count < 4096 ? count : 4096); i++)
    if (page[i]) return 0;
  return 1;
}

/* Numbers damages: first the bits, then 8 values for each word. Returns 0 at the end; *skip: not worth trying here. */
static int damage(const struct subject *s, unsigned long number, unsigned char *bytes, size_t *at, size_t *count, int *skip) {
  static const uint64_t values[] = {0, 0, 0, 0, 0x0000000fffffff00, 0x8000000000000000, 0xffffffffffffffff, 0x7fffffffffffffff};
  const char *flips = getenv("MM3_FLIPS");
  int all = flips && strcmp(flips, "all") == 0;
  *skip = 0;
  if (number < 8 * s->size) {
    *at = number / 8, *count = 1;
    bytes[0] = s->whole[*at] ^ (unsigned char)(1U << number % 8);
    /* of zeros a byte in 7, and one of its bits, another one in each; of a page of zeros a byte in 61 * 7 */
    if (!all && s->whole[*at] == 0)
      *skip = number % 8 != (*at * 5 + *at / 8) % 8 || *at % 7 || (*at % 61 && zero_page(s, *at));
    return 1;
  }
  number -= 8 * s->size;
  if (number >= s->size / 8 * 8) return 0;
  uint64_t old, value = values[number % 8];
  *at = number / 8 * 8, *count = 8;
  memcpy(&old, s->whole + *at, 8);
  if (number % 8 >= 1 && number % 8 <= 3) value = s->size - 2 + number % 8; /* the length - 1, + 0, + 1 */
  /* of zeros a word in 3, of a page of zeros a word in 128 */
  *skip = old == value || (!all && old == 0 && (*at / 8 % 3 || (*at % 1024 && zero_page(s, *at))));
  memcpy(bytes, &value, 8);
  return 1;
}

static void try_damage(const struct subject *s, size_t at, const unsigned char *bytes, size_t count) {
  struct mm3_options options = {.size = sizeof options, .timeout_ms = 2, .reserve = 1 << 20};
  struct mm3_error error;
  struct stat st;
  int fd = open(s->path, O_WRONLY);
  if (fd < 0 || pwrite(fd, bytes, count, (off_t)at) != (ssize_t)count) _exit(3);
  struct mm3_file *file = mm3_open(s->path, NULL, &options, &error);
  if (file) {
    s->progress->opened++;
    victim_use(s->victim, file, 1, &s->progress->tally);
    if (mm3_close(file) < 0) mm3_unlock(file), mm3_close(file);
  } else {
    s->progress->refused++;
  }
  if (fstat(fd, &st) == 0 && (size_t)st.st_size != s->size && ftruncate(fd, (off_t)s->size) < 0) _exit(3);
  if (pwrite(fd, s->whole, s->size, 0) != (ssize_t)s->size) _exit(3);
  close(fd);
}

static int work_through(void *arg) {
  const struct subject *s = arg;
  unsigned char bytes[8];
  size_t at, count;
  int skip;
  for (;; s->progress->next++) {
    if (!damage(s, s->progress->next, bytes, &at, &count, &skip)) return 0;
    if (skip) continue;
    alarm(10); /* a hang is a death */
    try_damage(s, at, bytes, count);
  }
}

/* Returns how many damages killed a child. */
static unsigned run_all(struct subject *s) {
  unsigned deaths = 0;
  for (int result; (result = mm3test_fork(work_through, s)) != 0;) {
    size_t at = 0, count = 0;
    unsigned char bytes[8];
    int skip, fd = open(s->path, O_WRONLY | O_TRUNC);
    damage(s, s->progress->next, bytes, &at, &count, &skip);
    printf("%s: died of %d at damage %lu (%zu bytes at %zu)\n", s->victim->name, result, s->progress->next, count, at);
    if (fd < 0 || write(fd, s->whole, s->size) != (ssize_t)s->size) return deaths + 1;
    close(fd);
    s->progress->next++;
    if (++deaths == 20) break;
  }
  return deaths;
}

static unsigned attack(const struct victim *victim, unsigned *deaths) {
  char path[256];
  struct stat st;
  snprintf(path, sizeof path, "/dev/shm/mm3-flips-%d.mm3", (int)getpid());
  unlink(path);
  *deaths = 0;
  if (!CHECK_EQ(victim_make(victim, path), 0)) return 0;
  int fd = open(path, O_RDONLY);
  struct subject s = {.victim = victim, .path = path};
  if (fd >= 0 && fstat(fd, &st) == 0) {
    /* a growing file's heap is mostly untouched: as far as it is not zero */
    s.size = (size_t)st.st_size;
    s.whole = malloc(s.size);
    s.progress = mmap(NULL, sizeof *s.progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  }
  if (s.whole && s.progress != MAP_FAILED && read(fd, s.whole, s.size) == (ssize_t)s.size) {
    *deaths = run_all(&s);
    printf("%-12s %6zu bytes: %lu opened, %lu refused, %lu reads and %lu writes done, %u deaths\n", victim->name, s.size,
           s.progress->opened, s.progress->refused, s.progress->tally.reads, s.progress->tally.writes, *deaths);
  }
  unsigned tried = (unsigned)(s.progress->opened + s.progress->refused);
  CHECK(s.progress->opened > 0 && s.progress->refused > 0 && s.progress->tally.reads > 0 && s.progress->tally.writes > 0);
  munmap(s.progress, sizeof *s.progress);
  free(s.whole);
  close(fd);
  unlink(path);
  return tried;
}

static void no_damage_kills(void) {
  const char *only = getenv("MM3_VICTIM");
  victim_prepare(0);
  for (unsigned i = 0; i < victim_count; i++) {
    unsigned deaths;
    if (only && strcmp(only, victims[i].name) != 0) continue;
    attack(&victims[i], &deaths);
    CHECK_EQ(deaths, 0);
  }
}

static void a_kind_that_trusts_a_length_is_caught(void) {
  unsigned deaths;
  victim_prepare(1);
  attack(&victim_double, &deaths);
  CHECK(deaths > 0);
}

MM3_TEST_SUITE("flips", {"no flipped bit and no hurtful word crashes or hangs", no_damage_kills},
               {"a kind that trusts a length from the file is caught", a_kind_that_trusts_a_length_is_caught})

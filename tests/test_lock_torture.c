/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The lock among many who die: at least a hundred thousand turns and 250 kills at random (MM3_TORTURE=1: ten times
 * that), hundreds of processes that come and go, more writers than slots. */
#include "turns.h"

#include <sys/wait.h>

static unsigned scaled(unsigned number) {
  const char *tool = mm3test_tool();
  return strcmp(tool, "valgrind") == 0 ? number / 50 : tool[0] ? number / 10 : number;
}

/* ---- killed at random ---- */

enum { WORKERS = 4 };

struct seat {
  struct turns *turns;
  int number;
};

/* Opens, takes some turns, closes, again and again. */
static int works(void *arg) {
  const struct seat *seat = arg;
  struct turns *t = seat->turns;
  while (LOOK(t->done) < LOOK(t->wanted)) {
    struct mm3_file *file = turns_open(t, seat->number);
    if (!file) return 1;
    for (int i = 0; i < 2000 && LOOK(t->done) < LOOK(t->wanted); i++)
      if (!turn(t, file)) return 2;
    if (mm3_close(file) != 0) return 3;
  }
  return 0;
}

/* Until so many turns are done, or somebody has found something wrong. */
static void wait_for_turns(const struct turns *t, uint64_t count) {
  while (LOOK(t->done) < count && LOOK(t->wrong) == 0) usleep(100);
}

static void no_turn_is_lost_whoever_is_killed(void) {
  struct turns *t = turns_new("turns.mm3");
  struct seat seats[WORKERS];
  pid_t workers[WORKERS];
  unsigned seed = (unsigned)mm3test_now_ns(), first_seed = seed, kills = 0, untold = 0,
           more = getenv("MM3_TORTURE") ? 10 : 1;
  if (!t) return;
  uint64_t pairs = scaled(100000 * more), start = mm3test_now_ns();
  unsigned deaths = scaled(250 * more);
  PUT(t->wanted, UINT64_MAX);
  for (int i = 0; i < WORKERS; i++) {
    seats[i] = (struct seat){t, i};
    workers[i] = mm3test_spawn(works, &seats[i]);
  }
  while (LOOK(t->wrong) == 0 && (LOOK(t->done) < pairs || kills < deaths || LOOK(t->died_inside) < deaths / 10)) {
    int victim = rand_r(&seed) % WORKERS;
    wait_for_turns(t, LOOK(t->done) + (uint64_t)(rand_r(&seed) % 500)); /* others go on */
    usleep((useconds_t)(rand_r(&seed) % 300));
    kill(workers[victim], SIGKILL);
    if (!CHECK_EQ(mm3test_wait(workers[victim]), -SIGKILL)) break;
    kills++;
    untold += LOOK(t->opening[victim]);
    workers[victim] = mm3test_spawn(works, &seats[victim]);
  }
  PUT(t->wanted, 0);
  for (int i = 0; i < WORKERS; i++) CHECK_EQ(mm3test_wait(workers[i]), 0);
  turns_end(t, untold);
  printf(
    "lock: seed %u: %llu pairs of lock and unlock in %.1f s, %u kills, %u died with the lock, %u recoveries told\n",
    first_seed, (unsigned long long)LOOK(t->done), (double)(mm3test_now_ns() - start) / 1e9, kills,
    LOOK(t->died_inside), LOOK(t->recovered));
  CHECK(LOOK(t->done) >= pairs && kills >= deaths);
}

/* ---- come and go ---- */

static int dies_half_way(struct turns *t, struct mm3_file *file) {
  struct sample *root = mm3_root(file, sample);
  if (!turn(t, file) || mm3_lock(file) < 0) return 1;
  PUT(t->inside, 1);
  PUT(t->begun, root->value + 1);
  mm3_intents(file)[0] = root->value + 1;
  mm3_certify(file, SAMPLE_BOTH, PAIR_SET, PAIR_WRITING);
  PUT(root->both.a, root->value + 1);
  kill(getpid(), SIGKILL);
  return 2;
}

/* By their number: leaves in order, leaves with the file open, dies with the lock, stays until it is killed. */
static int visits(void *arg) {
  const struct seat *seat = arg;
  struct mm3_file *file = turns_open(seat->turns, seat->number % TURNS_SEATS);
  if (!file) return 1;
  for (int i = 0; i < 10; i++)
    if (!turn(seat->turns, file)) return 2;
  if (seat->number % 4 == 0) return mm3_close(file) ? 3 : 0;
  if (seat->number % 4 == 1) return 0;
  if (seat->number % 4 == 2) return dies_half_way(seat->turns, file);
  PUT(seat->turns->state[seat->number % TURNS_SEATS], 1);
  while (turn(seat->turns, file)) continue;
  return 4;
}

static void sees_off(struct turns *t, int number, pid_t child) {
  int fate = number % 4;
  if (fate == 3) {
    while (!LOOK(t->state[number % TURNS_SEATS]) && LOOK(t->wrong) == 0) usleep(100);
    kill(child, SIGKILL);
    PUT(t->state[number % TURNS_SEATS], 0);
  }
  CHECK_EQ(mm3test_wait(child), fate < 2 ? 0 : -SIGKILL);
}

static void hundreds_come_and_go_and_are_killed(void) {
  enum { AT_ONCE = 24 };
  struct turns *t = turns_new("visits.mm3");
  struct seat seats[AT_ONCE];
  pid_t children[AT_ONCE];
  int all = (int)scaled(400) < 2 * AT_ONCE ? 2 * AT_ONCE : (int)scaled(400);
  if (!t) return;
  for (int i = 0; i < all + AT_ONCE; i++) {
    int place = i % AT_ONCE;
    if (i >= AT_ONCE) sees_off(t, i - AT_ONCE, children[place]);
    if (i >= all) continue;
    seats[place] = (struct seat){t, i};
    children[place] = mm3test_spawn(visits, &seats[place]);
  }
  turns_end(t, 0);
  CHECK(LOOK(t->died_inside) >= (uint32_t)all / 4);
  CHECK(LOOK(t->done) >= (uint64_t)all * 10);
  printf("lock: %d processes came and went, %u died with the lock, %u recoveries told\n", all, LOOK(t->died_inside),
         LOOK(t->recovered));
}

/* ---- more writers than slots ---- */

enum { WRITERS = MM3I_SLOTS + 22, SEATED = 1, STANDING, OVER = 20 };

static int one_of_many(void *arg) {
  const struct seat *seat = arg;
  struct turns *t = seat->turns;
  struct mm3_file *file = turns_open(t, seat->number);
  if (!file) return 1;
  PUT(t->state[seat->number], mm3i_handle_of(file)->slot != MM3I_NO_SLOT ? SEATED : STANDING);
  while (!LOOK(t->go)) usleep(1000);
  for (int i = 0; i < OVER; i++)
    if (!turn(t, file)) return 2;
  return mm3_close(file) ? 3 : 0;
}

static int count_state(const struct turns *t, uint32_t state) {
  int count = 0;
  for (int i = 0; i < WRITERS; i++) count += LOOK(t->state[i]) == state;
  return count;
}

/* Those who find no slot have the file, and wait for the lock until one is free: a third of the others is killed. */
static void more_writers_than_slots_all_get_their_turn(void) {
  static struct seat seats[WRITERS];
  pid_t children[WRITERS];
  struct turns *t = turns_new("many.mm3");
  int killed = 0;
  if (!t) return;
  for (int i = 0; i < WRITERS; i++) {
    seats[i] = (struct seat){t, i};
    children[i] = mm3test_spawn(one_of_many, &seats[i]);
  }
  while (count_state(t, 0) > 0) usleep(1000);
  CHECK_EQ(count_state(t, SEATED), MM3I_SLOTS);
  CHECK_EQ(count_state(t, STANDING), WRITERS - MM3I_SLOTS);
  struct mm3_file *late = sample_open(t->path, 0); /* one more, with no hope */
  if (late) {
    CHECK_EQ(mm3_trylock(late), -MM3_E_BUSY);
    CHECK_EQ(mm3_close(late), 0);
  }
  for (int i = 0; i < WRITERS; i++) {
    if (t->state[i] != SEATED || i % 3) continue;
    kill(children[i], SIGKILL);
    CHECK_EQ(mm3test_wait(children[i]), -SIGKILL);
    children[i] = 0;
    killed++;
  }
  PUT(t->go, 1);
  for (int i = 0; i < WRITERS; i++)
    if (children[i]) CHECK_EQ(mm3test_wait(children[i]), 0);
  CHECK_EQ(LOOK(t->done), (uint64_t)(WRITERS - killed) * OVER);
  turns_end(t, 0);
}

/* ---- a planted fault ---- */

static int everybody_is_dead(int fd, int command, struct flock *lock) {
  if (command == F_OFD_GETLK) return lock->l_type = F_UNLCK, 0;
  return fcntl(fd, command, lock);
}

static int works_beside_the_living(void *arg) {
  mm3i_sys.fcntl_lock = everybody_is_dead;
  return works(arg);
}

static void a_lock_that_takes_the_living_for_dead_is_caught(void) {
  struct turns *t = turns_new("planted.mm3");
  struct seat seats[WORKERS];
  pid_t workers[WORKERS];
  if (!t) return;
  PUT(t->quiet, 1);
  PUT(t->wanted, UINT64_MAX);
  for (int i = 0; i < WORKERS; i++) {
    seats[i] = (struct seat){t, i};
    workers[i] = mm3test_spawn(works_beside_the_living, &seats[i]);
  }
  wait_for_turns(t, UINT64_MAX);
  CHECK(LOOK(t->wrong) > 0);
  for (int i = 0; i < WORKERS; i++) kill(workers[i], SIGKILL), mm3test_wait(workers[i]);
}

MM3_TEST_SUITE("lock torture", {"no turn is lost, whoever is killed", no_turn_is_lost_whoever_is_killed},
               {"hundreds come and go and are killed", hundreds_come_and_go_and_are_killed},
               {"more writers than slots all get their turn", more_writers_than_slots_all_get_their_turn},
               {"a lock that takes the living for dead is caught", a_lock_that_takes_the_living_for_dead_is_caught})

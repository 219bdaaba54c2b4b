/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The file's lock and the text in its slots, after a reboot. */
#include "holder.h"

/* What a reboot leaves is the bytes and nobody's locks: so does a copy of the file under a living holder. The slot is
 * made to say what it may say then: another boot and another process, or by chance the very name of one that lives. */
static bool reboot(const char *from, const char *to, bool same_name) {
  static char bytes[1 << 20];
  int fd = open(from, O_RDONLY);
  ssize_t size = read(fd, bytes, sizeof bytes);
  close(fd);
  if (!CHECK(size > 2 * MM3I_PAGE && size < (ssize_t)sizeof bytes)) return false;
  uint32_t owner = MM3I_LOCK_OWNER(((struct mm3i_super *)(void *)bytes)->lock);
  if (!CHECK(owner > 0)) return false;
  struct mm3i_slot *slot = (struct mm3i_slot *)(void *)(bytes + MM3I_PAGE) + owner - 1;
  CHECK(slot->boot != 0 && slot->start_time != 0 && slot->pid != 0);
  if (!same_name) slot->boot ^= 0x5555, slot->pid = 1, slot->start_time = 1;
  write_file(to, bytes, (size_t)size);
  return true;
}

static void owners_from_before_a_reboot_are_dead(void) {
  char *path = (char *)(uintptr_t)mm3test_path("a.mm3");
  const char *after = mm3test_path("after.mm3");
  mm3_close(sample_new(path));
  new_board();
  pid_t child = mm3test_spawn(holder, path);
  CHECK(wait_until(&board->holds));
  for (int i = 0; i < 4;
       i++) { /* somebody else has it open, or nobody; the slot's name is strange, or that of the living */
    struct mm3_file_info info = {0};
    if (!reboot(path, after, i % 2)) break;
    struct mm3_file *reader = i / 2 ? sample_open(after, MM3_READ_ONLY) : NULL, *file = sample_open(after, 0);
    if (!file) break;
    uint64_t start = mm3test_now_ns();
    int result = mm3_lock(file);
    CHECK(mm3test_now_ns() - start < 1000 * patience_ms() * 1000000);
    CHECK_EQ(mm3_file_describe(file, &info), 0);
    CHECK_EQ(result == 1 || (result == 0 && info.recovered), 1);
    CHECK_EQ(mm3_root(file, sample)->both.b, 99);
    CHECK_EQ(mm3_unlock(file), 0);
    CHECK_EQ(mm3_close(file), 0);
    if (reader) mm3_close(reader);
  }
  kill(child, SIGKILL);
  CHECK_EQ(mm3test_wait(child), -SIGKILL);
}

/* The slot's text is for people: an owner whose OFD lock stands is alive, whatever it says. */
static void a_living_owner_with_another_boots_name_keeps_the_lock(void) {
  const char *path = mm3test_path("a.mm3");
  struct mm3_file *one = sample_new(path), *two = sample_open(path, 0);
  if (!one || !two) return;
  CHECK_EQ(mm3_lock(one), 0);
  struct mm3i_slot *slot = &mm3i_slots(mm3i_handle_of(two))[mm3i_handle_of(one)->slot];
  *slot = (struct mm3i_slot){1, 1, 1, 1, slot->boot ^ 0x5555};
  CHECK_EQ(mm3_lock_for(two, 50), -MM3_E_BUSY);
  memset(slot, 0, sizeof *slot);
  CHECK_EQ(mm3_lock_for(two, 50), -MM3_E_BUSY);
  CHECK_EQ(mm3_unlock(one), 0);
  CHECK_EQ(mm3_lock(two), 0);
  CHECK_EQ(mm3_unlock(two), 0);
  mm3_close(one), mm3_close(two);
}

MM3_TEST_SUITE("lock and reboot", {"owners from before a reboot are dead", owners_from_before_a_reboot_are_dead},
               {"a living owner with another boot's name keeps the lock",
                a_living_owner_with_another_boots_name_keeps_the_lock})

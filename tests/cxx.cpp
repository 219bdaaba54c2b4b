/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* mm3.hpp as a C++ program meets it; run by check-cxx.sh. */
#include <mm3.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <vector>

#define POINT(FIELD) FIELD(x, i32) FIELD(y, i32)
MM3_STRUCT(point, POINT);

#define GAME(FIELD)                                                                                                   \
  FIELD(level, u32) FIELD(score, u64) FIELD(player_name, string(8)) FIELD(best, vec(u64, 3)) FIELD(wins, atomic(u64)) \
  FIELD(places, vec(point, 2)) FIELD(ratios, vec(f64, 2))
MM3_STRUCT(game, GAME);

#define STORE(FIELD)                                                                                               \
  FIELD(events, segmented(u64)) FIELD(users, hashmap(string(8), u64)) FIELD(cache, hashmap(text, text))            \
  FIELD(note, text) FIELD(path, segmented(point)) FIELD(ages, hashmap(u32, i16)) FIELD(homes, hashmap(text, point)) \
  FIELD(names, hashmap(u64, text)) FIELD(seats, hashmap(point, f64))
MM3_STRUCT(store, STORE);

#define HOLDS(x) ((x) ? (void)0 : (std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x), std::exit(1)))

template <class Call>
static int thrown(Call call) {
  try {
    call();
  } catch (const mm3::error &e) {
    HOLDS(e.what()[0] != 0);
    return e.code();
  }
  return 0;
}

using namespace mm3::operators;

/* Strings: replaced, from each type of text; too long and not UTF-8 are refused and the old value stays. */
static void strings(mm3::file<game> &file) {
  file->player_name << "Player1";
  HOLDS(mm3::str(file->player_name) == "Player1");
  file->player_name << std::string("Ann") << "Bob";
  HOLDS(mm3::str(file->player_name) == "Bob");
  file->player_name << std::string_view("a\0b", 3);
  HOLDS(mm3::str(file->player_name) == std::string("a\0b", 3));
  file->player_name << "12345678";
  HOLDS(thrown([&] { file->player_name << "longer than eight"; }) == -MM3_E_VALUE);
  HOLDS(thrown([&] { file->player_name << "\xff"; }) == -MM3_E_VALUE);
  HOLDS(mm3::str(file->player_name) == "12345678");
  file->player_name << "";
  HOLDS(mm3::str(file->player_name).empty());
  file->player_name << "Player1";
}

/* Vecs: pushed, up to the capacity; items of any type. */
static void vecs(mm3::file<game> &file) {
  file->best << 3u << 1u << 2u;
  HOLDS(thrown([&] { file->best << 4u; }) == -MM3_E_FULL);
  HOLDS(mm3_vec_len(&file->best) == 3);
  file->places << point{1, -2} << point{3, 4};
  HOLDS(thrown([&] { file->places << point{5, 6}; }) == -MM3_E_FULL);
  long sum = 0;
  for (const point &p : mm3::items(file->places)) sum += p.x * 10 + p.y;
  HOLDS(sum == 10 - 2 + 30 + 4);
  file->ratios << 0.5;
  for (double &ratio : mm3::items(file->ratios)) ratio *= 3;
  HOLDS(*mm3_vec_at(&file->ratios, 0) == 1.5);
}

/* Segmented: appended, in order, whatever the type. */
static void logs(mm3::file<store> &file) {
  file.in(file->events) << 1u << 2u << 3u;
  for (unsigned i = 4; i <= 1000; i++) file.in(file->events) << i;
  uint64_t last = 0, expected = 1;
  HOLDS(mm3_segmented_len(&file->events) == 1000 && mm3_segmented_last(file.get(), &file->events, &last) == 0 && last == 1000);
  MM3_SEGMENTED_EACH(item, file.get(), &file->events) HOLDS(*item == expected++);
  file.in(file->path) << point{1, 2} << point{3, 4};
  point at = {};
  HOLDS(mm3_segmented_get(file.get(), &file->path, 1, &at) == 0 && at.x == 3 && at.y == 4);
}

/* Texts: replaced, of any length. */
static void texts(mm3::file<store> &file) {
  HOLDS(mm3::str(file.in(file->note)).empty());
  file.in(file->note) << "a text of any length" << "another";
  HOLDS(mm3::str(file.in(file->note)) == "another");
  std::string large(100000, 'x');
  file.in(file->note) << large;
  HOLDS(mm3::str(file.in(file->note)) == large);
  HOLDS(thrown([&] { file.in(file->note) << "\xc3"; }) == -MM3_E_VALUE);
  HOLDS(mm3::str(file.in(file->note)) == large);
  file.in(file->note) << "";
  HOLDS(mm3::str(file.in(file->note)).empty());
}

/* Maps: memmap3's `<< ("key", "value")` and map["key"] << "value"; keys and values of each sort. */
static void maps(mm3::file<store> &file) {
  uint64_t id = 0;
  int16_t age = 0;
  double price = 0;
  point home = {};
  char text[20];
  auto out = mm3_buf_of(text, sizeof text);
  file.in(file->users) << std::pair("alice", 42u) << std::pair(std::string("bob"), 7);
  HOLDS(mm3_hashmap_get(file.get(), &file->users, "alice", &id) == 0 && id == 42);
  file.in(file->users) << std::pair("alice", 43u);
  HOLDS(mm3_hashmap_get(file.get(), &file->users, "alice", &id) == 0 && id == 43 && mm3_hashmap_len(file.get(), &file->users) == 2);
  HOLDS(thrown([&] { file.in(file->users) << std::pair("longer than 8", 1); }) == -MM3_E_VALUE);
  file.in(file->cache) << std::pair("key", "value") << std::pair(std::string_view("k2"), std::string("v2"));
  HOLDS(mm3_hashmap_get(file.get(), &file->cache, "k2", &out) == 0 && std::string(text) == "v2");
  file.in(file->cache)["key3"] << "value3";
  file.in(file->cache)[std::string("key3")] << "again" << "and again";
  HOLDS(mm3_hashmap_get(file.get(), &file->cache, "key3", &out) == 0 && std::string(text) == "and again");
  HOLDS(mm3_hashmap_len(file.get(), &file->cache) == 3);
  file.in(file->ages) << std::pair(7u, -5);
  file.in(file->ages)[8] << 80;
  HOLDS(mm3_hashmap_get(file.get(), &file->ages, 7, &age) == 0 && age == -5);
  HOLDS(mm3_hashmap_get(file.get(), &file->ages, 8, &age) == 0 && age == 80);
  file.in(file->homes) << std::pair("ann", point{1, 2});
  file.in(file->homes)["bob"] << point{3, 4};
  HOLDS(mm3_hashmap_get(file.get(), &file->homes, "bob", &home) == 0 && home.x == 3 && home.y == 4);
  file.in(file->names)[9u] << "nine";
  HOLDS(mm3_hashmap_get(file.get(), &file->names, 9, &out) == 0 && std::string(text) == "nine");
  file.in(file->seats) << std::pair(point{1, 2}, 9.5);
  point seat = {1, 2};
  HOLDS(mm3_hashmap_get(file.get(), &file->seats, &seat, &price) == 0 && price == 9.5);
}

static int keep_all(const struct mm3_hashmap_item *, void *) { return 1; }
static int leave(void *, void *) { return 0; }

/* Who does not look at the result gets no warning for that, as little as from C. */
static void ignored_results(mm3::file<store> &file) {
  int16_t age = 4;
  mm3_hashmap_set(file.get(), &file->ages, 40, age);
  mm3_hashmap_insert(file.get(), &file->ages, 41, age);
  mm3_hashmap_get_or_insert(file.get(), &file->ages, 42, age, &age);
  mm3_hashmap_add(file.get(), &file->ages, 43, 1);
  mm3_hashmap_update(file.get(), &file->ages, 43, leave, nullptr);
  mm3_hashmap_remove(file.get(), &file->ages, 43);
  mm3_hashmap_retain(file.get(), &file->ages, keep_all, nullptr);
  HOLDS(mm3_lock(file.get()) == 0);
  mm3_hashmap_set_held(file.get(), &file->ages, 43, age);
  mm3_hashmap_insert_held(file.get(), &file->ages, 44, age);
  mm3_hashmap_get_or_insert_held(file.get(), &file->ages, 45, age, &age);
  mm3_hashmap_add_held(file.get(), &file->ages, 46, 1);
  mm3_hashmap_update_held(file.get(), &file->ages, 46, leave, nullptr);
  mm3_hashmap_remove_held(file.get(), &file->ages, 46);
  HOLDS(mm3_unlock(file.get()) == 0);
  HOLDS(mm3_hashmap_len(file.get(), &file->ages) == 8);
}

/* ---- handles and locks end with their scope ---- */

static size_t entries(const char *folder) {
  size_t count = 0;
  for (auto &entry : std::filesystem::directory_iterator(folder)) count += !entry.path().empty();
  return count;
}

static size_t mapped(const std::string &path) {
  std::ifstream maps("/proc/self/maps");
  std::string line;
  size_t count = 0;
  while (std::getline(maps, line)) count += line.find(path) != std::string::npos;
  return count;
}

static void handles(const std::string &path) {
  const size_t before = entries("/proc/self/fd");
  {
    auto file = mm3::file<game>::open(path.c_str());
    HOLDS(mapped(path) > 0 && entries("/proc/self/fd") > before);
    auto moved = std::move(file);
    HOLDS(file.get() == nullptr && moved->level == 5);
    auto other = mm3::file<game>::open(path.c_str());
    mm3_file *kept = moved.get();
    other = std::move(moved);
    HOLDS(other.get() == kept && other->level == 5);
    std::vector<mm3::file<const game>> readers;
    for (int i = 0; i < 9; i++) readers.push_back(mm3::file<const game>::open(path.c_str()));
    HOLDS(readers[8]->level == 5);
  }
  HOLDS(mapped(path) == 0 && entries("/proc/self/fd") == before);
  HOLDS(thrown([&] { mm3::file<game>::create(path.c_str()); }) == -EEXIST);
  HOLDS(thrown([&] { mm3::file<store>::open(path.c_str()); }) == -MM3_E_LAYOUT);
  try {
    auto file = mm3::file<game>::open(path.c_str());
    throw std::runtime_error("on the way");
  } catch (const std::runtime_error &) {
  }
  HOLDS(mapped(path) == 0 && entries("/proc/self/fd") == before);
  static_assert(!std::is_copy_constructible<mm3::file<game>>::value && !std::is_copy_assignable<mm3::file<game>>::value);
  static_assert(std::is_nothrow_move_constructible<mm3::file<game>>::value);
  static_assert(std::is_const<std::remove_reference_t<decltype(*std::declval<mm3::file<const game>>())>>::value);
}

static void locks(const std::string &path) {
  auto file = mm3::file<game>::open(path.c_str()), other = mm3::file<game>::open(path.c_str());
  {
    auto lock = file.lock();
    HOLDS(!lock.recovered() && mm3_locked(file.get()) && mm3_trylock(other.get()) == -MM3_E_BUSY);
    HOLDS(thrown([&] { file.lock(); }) == -EDEADLK);
  }
  HOLDS(!mm3_locked(file.get()) && mm3_trylock(other.get()) == 0 && mm3_unlock(other.get()) == 0);
  HOLDS(thrown([&] {
    auto lock = file.lock();
    file->player_name << "longer than eight";
  }) == -MM3_E_VALUE);
  HOLDS(!mm3_locked(file.get()));
  auto reader = mm3::file<const game>::open(path.c_str());
  HOLDS(thrown([&] { reader.lock(); }) == -MM3_E_READ_ONLY);
  HOLDS(mm3_lock(file.get()) == 0); /* and the handle goes while it holds the lock */
  file = mm3::file<game>::open(path.c_str());
  HOLDS(mm3_trylock(other.get()) == 0 && mm3_unlock(other.get()) == 0);
}

int main(int, char **argv) {
  const std::string path = std::filesystem::absolute(argv[1]);
  {
    auto file = mm3::file<game>::open_or_create(path.c_str());
    file->level = 5;
    file->score = 12345;
    strings(file);
    vecs(file);
    HOLDS(mm3_atomic_fetch_add(&file->wins, 1) == 0);
    file.sync();
  }
  handles(path);
  locks(path);
  auto reader = mm3::file<const game>::open(path.c_str());
  unsigned long sum = 0;
  for (auto item : mm3::items(reader->best)) sum += item;
  HOLDS(sum == 6 && reader->score == 12345 && mm3::str(reader->player_name) == "Player1");
  try {
    mm3::file<game>::open("/nowhere/at/all.mm3");
    HOLDS(false);
  } catch (const mm3::error &e) {
    HOLDS(e.code() == -ENOENT && std::string(e.what()).find("/nowhere/at/all.mm3") != std::string::npos);
  }
  {
    auto file = mm3::file<store>::create(argv[2]);
    logs(file);
    texts(file);
    maps(file);
    ignored_results(file);
    HOLDS(mm3_check(file.get(), nullptr, nullptr) == 0);
  }
  auto again = mm3::file<const store>::open(argv[2]);
  HOLDS(mm3_segmented_len(&again->events) == 1000 && mm3_hashmap_len(again.get(), &again->users) == 2);
  std::puts("cxx: ok");
  return 0;
}

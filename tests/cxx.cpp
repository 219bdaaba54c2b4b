/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* mm3.hpp as a C++ program meets it; run by check-cxx.sh. */
#include <mm3.hpp>

#include <cstdio>
#include <cstdlib>

#define GAME(FIELD) \
  FIELD(level, u32) FIELD(score, u64) FIELD(player_name, string(8)) FIELD(best, vec(u64, 3)) FIELD(wins, atomic(u64))
MM3_STRUCT(game, GAME);

#define STORE(FIELD) \
  FIELD(events, segmented(u64)) FIELD(users, hashmap(string(8), u64)) FIELD(cache, hashmap(text, text)) FIELD(note, text)
MM3_STRUCT(store, STORE);

#define HOLDS(x) ((x) ? (void)0 : (std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x), std::exit(1)))

template <class Call>
static int thrown(Call call) {
  try {
    call();
  } catch (const mm3::error &e) {
    return e.code();
  }
  return 0;
}

int main(int, char **argv) {
  using namespace mm3::operators;
  const char *path = argv[1];
  {
    auto file = mm3::file<game>::open_or_create(path);
    file->level = 5;
    file->score = 12345;
    file->player_name << "Player1";
    file->best << 3u << 1u << 2u;
    HOLDS(mm3_atomic_fetch_add(&file->wins, 1) == 0);
    HOLDS(thrown([&] { file->best << 4u; }) == -MM3_E_FULL);
    HOLDS(thrown([&] { file->player_name << "longer than eight"; }) == -MM3_E_VALUE);
    HOLDS(mm3::str(file->player_name) == "Player1");
    HOLDS(thrown([&] { mm3::file<game>::create(path); }) == -EEXIST);
    {
      auto lock = file.lock();
      HOLDS(!lock.recovered());
      HOLDS(thrown([&] { file.lock(); }) == -EDEADLK);
    }
    file.sync();
    auto moved = std::move(file);
    HOLDS(moved->level == 5 && file.get() == nullptr);
  }
  auto reader = mm3::file<const game>::open(path);
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
    file.in(file->events) << 1u << 2u << 3u;
    file.in(file->users) << std::pair("alice", 42u) << std::pair(std::string("bob"), 7);
    file.in(file->cache) << std::pair("key", "value") << std::pair(std::string_view("k2"), std::string("v2"));
    file.in(file->note) << "a text of any length" << "another";
    uint64_t id = 0;
    HOLDS(mm3_segmented_len(&file->events) == 3);
    HOLDS(mm3_hashmap_get(file.get(), &file->users, "alice", &id) == 0 && id == 42);
    HOLDS(mm3_hashmap_len(file.get(), &file->cache) == 2);
    HOLDS(mm3::str(file.in(file->note)) == "another");
    HOLDS(thrown([&] { file.in(file->users) << std::pair("longer than 8", 1); }) == -MM3_E_VALUE);
  }
  std::puts("cxx: ok");
  return 0;
}

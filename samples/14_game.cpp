/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * 14_game: a game's state from C++, with `<<`. ./14_game [FILE]
 *
 *     c++ -std=c++17 14_game.cpp $(pkg-config --cflags --libs mm3)
 */
#include <mm3.hpp>

#include <iostream>

#define GAME_STATE(FIELD)        \
  FIELD(level, u32)              \
  FIELD(score, u64)              \
  FIELD(player_name, string(32)) \
  FIELD(best, vec(u64, 3))
MM3_STRUCT(game_state, GAME_STATE);

int main(int argc, char **argv) try {
  using namespace mm3::operators;
  auto game = mm3::file<game_state>::open_or_create(argc > 1 ? argv[1] : "game.mm3");
  game->level += 1; /* plain fields are plain memory */
  game->score += 12345;
  game->player_name << "Player1";
  if (mm3_vec_len(&game->best) == 3) mm3_vec_clear(&game->best);
  game->best << game->score;
  std::cout << mm3::str(game->player_name) << ": level " << game->level << ", score " << game->score << ", best";
  for (auto score : mm3::items(game->best)) std::cout << ' ' << score;
  std::cout << '\n';
  return 0;
} catch (const mm3::error &refused) {
  std::cerr << refused.what() << '\n';
  return 1;
}

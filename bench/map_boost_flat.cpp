/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* map_boost_flat.cpp: boost::unordered_flat_map (Boost 1.81 and later) in memory: its own hash for numbers; for texts the
 * branch-free one of mm3/hashing.h, with which it is several times faster than with boost::hash. */
#include <boost/unordered/unordered_flat_map.hpp>
#include <mm3/hashing.h>
#include <string>
#include <string_view>

struct text_hash {
  using is_transparent = void;
  using is_avalanching = void;
  size_t operator()(std::string_view text) const { return mm3_hash_bytes(text.data(), text.size(), 0x1234567); }
};
using NUMBERS = boost::unordered_flat_map<uint64_t, uint64_t>;
using TEXTS = boost::unordered_flat_map<std::string, std::string, text_hash, std::equal_to<>>;
#define TEXT_OF(ptr, length) std::string_view(ptr, length)
#include "map_std.h"

int main(int argc, char **argv) {
  static const bench_group groups[] = {
      {"u64-1e5", maps_u64_1e5},   {"u64-1e6", maps_u64_1e6},   {"u64-1e7", maps_u64_1e7}, {"text-1e5", maps_text_1e5},
      {"text-1e6", maps_text_1e6}, {"text-1e7", maps_text_1e7}, {nullptr, nullptr}};
  return bench_main(argc, argv, "boost flat", groups);
}

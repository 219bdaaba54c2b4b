/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* map_absl.cpp: absl::flat_hash_map in memory, with its own hash. */
#include <absl/container/flat_hash_map.h>
#include <string>

using NUMBERS = absl::flat_hash_map<uint64_t, uint64_t>;
using TEXTS = absl::flat_hash_map<std::string, std::string>;
#define TEXT_OF(ptr, length) absl::string_view(ptr, length)
#include "map_std.h"

int main(int argc, char **argv) {
  static const bench_group groups[] = {{"u64-1e5", maps_u64_1e5},   {"u64-1e6", maps_u64_1e6},   {"u64-1e7", maps_u64_1e7},
                                       {"text-1e5", maps_text_1e5}, {"text-1e6", maps_text_1e6}, {"latency", latency_std},
                                       {nullptr, nullptr}};
  return bench_main(argc, argv, "absl", groups);
}

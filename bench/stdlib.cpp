/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* stdlib.cpp: std::unordered_map in W3, std::vector in W4, in memory. */
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

using NUMBERS = std::unordered_map<uint64_t, uint64_t>;
using TEXTS = std::unordered_map<std::string, std::string>;
#define TEXT_OF(ptr, length) std::string(ptr, length)
#define MAPS_SLOW
#include "map_std.h"
#include "push.h"

static void run_push() { push_run(push_std<std::vector<uint64_t>>(), push_std<std::vector<push_wide>>()); }

int main(int argc, char **argv) {
  static const bench_group groups[] = {
      {"u64-1e6", maps_u64_1e6}, {"text-1e6", maps_text_1e6}, {"push", run_push}, {nullptr, nullptr}};
  (void)maps_u64_1e5, (void)maps_text_1e5;
  return bench_main(argc, argv, "std", groups);
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* bench.h: what the map benchmarks share: keys, the clock, rows. */
#ifndef MM3_BENCH_HASHMAP_H
#define MM3_BENCH_HASHMAP_H

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <time.h>
#include <unistd.h>
#include <vector>

/* BENCH_CLOCK=cpu: the process's own time, for machines that others use too. */
static inline uint64_t now_ns() {
  static const clockid_t clock = getenv("BENCH_CLOCK") ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC;
  timespec t;
  clock_gettime(clock, &t);
  return uint64_t(t.tv_sec) * 1000000000u + uint64_t(t.tv_nsec);
}

static inline uint64_t random_of(uint64_t &state) {
  uint64_t x = (state += 0x9E3779B97F4A7C15u);
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
  x = (x ^ x >> 27) * 0x94D049BB133111EBu;
  return x ^ x >> 31;
}

struct data {
  size_t n;
  std::vector<uint64_t> keys, absent, order;   /* order: the keys, shuffled */
  std::vector<uint32_t> places;                /* order[i] = keys[places[i]] */
  std::vector<std::string> texts, absent_texts, values, values2;
};

/* The rows: a figure a row and peer, one for each round. */
struct table {
  std::vector<std::string> peers, rows;
  std::map<std::pair<std::string, std::string>, std::vector<double>> figures;
  void add(const std::string &peer, const std::string &row, double figure) {
    if (std::find(peers.begin(), peers.end(), peer) == peers.end()) peers.push_back(peer);
    if (std::find(rows.begin(), rows.end(), row) == rows.end()) rows.push_back(row);
    figures[{peer, row}].push_back(figure);
  }
  double median(const std::string &peer, const std::string &row) const {
    auto at = figures.find({peer, row});
    if (at == figures.end()) return -1;
    std::vector<double> all = at->second;
    std::sort(all.begin(), all.end());
    return all[all.size() / 2];
  }
  void print(const char *title) const {
    printf("\n%s, ns an operation (median; least..most)\n%-16s", title, "");
    for (auto &peer : peers) printf(" %22s", peer.c_str());
    printf("\n");
    for (auto &row : rows) {
      printf("%-16s", row.c_str());
      for (auto &peer : peers) {
        auto at = figures.find({peer, row});
        if (at == figures.end()) {
          printf(" %22s", "-");
          continue;
        }
        char text[64];
        snprintf(text, sizeof text, "%.1f (%.1f..%.1f)", median(peer, row),
                 *std::min_element(at->second.begin(), at->second.end()),
                 *std::max_element(at->second.begin(), at->second.end()));
        printf(" %22s", text);
      }
      printf("\n");
    }
    fflush(stdout);
  }
};

/* Times `body(i)` for 0..n-1 and adds the figure; what the body returns is summed and must be `wanted`. */
template <class Body>
static void measure(table &t, const char *peer, const char *row, size_t n, uint64_t wanted, Body body) {
  uint64_t start = now_ns(), sum = 0;
  for (size_t i = 0; i < n; i++) sum += body(i);
  t.add(peer, row, double(now_ns() - start) / double(n));
  if (sum != wanted) fprintf(stderr, "%s %s: %llu instead of %llu\n", peer, row, (unsigned long long)sum, (unsigned long long)wanted), exit(1);
}

#endif

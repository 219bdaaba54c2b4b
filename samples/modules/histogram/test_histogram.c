/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The histogram as a program uses it. Needs mm3-histogram.so in MM3_MODULE_PATH. */
#include "histogram.h"
#include <mm3/field.h>
#include <mm3/file.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#define STATS(FIELD) FIELD(coarse, histogram(32, 5)) FIELD(other, histogram(32, 5)) FIELD(full, histogram(64, 0))
MM3_STRUCT(stats, STATS);

static int failed;
#define CHECK(x) ((x) ? 1 : (failed++, printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #x), 0))

/* Each value lies in its bucket, and buckets follow each other without a gap. */
static void buckets_are_a_ruler(unsigned m, unsigned b) {
  uint64_t n = HISTOGRAM_BUCKETS(m, b);
  for (uint64_t i = 0; i < n; i++) {
    uint64_t least = histogram_i_value(b, i);
    CHECK(histogram_i_index(b, n, least) == i);
    if (i > 0) CHECK(histogram_i_index(b, n, least - 1) == i - 1);
  }
  CHECK(histogram_i_index(b, n, UINT64_MAX) == n - 1);
}

static void gives_percentiles(struct stats *s) {
  CHECK(histogram_count(&s->coarse) == 0 && histogram_percentile(&s->coarse, 50) == 0);
  for (uint64_t i = 1; i <= 100000; i++) histogram_record(&s->coarse, i);
  const double wanted[] = {1, 25, 50, 90, 99, 99.9, 100};
  for (unsigned i = 0; i < 7; i++) {
    double exact = wanted[i] * 1000, found = (double)histogram_percentile(&s->coarse, wanted[i]);
    CHECK(found >= exact && found <= exact * (1 + 1 / 32.0));
  }
  CHECK(histogram_count(&s->coarse) == 100000 && histogram_max(&s->coarse) == 100000);
  CHECK(histogram_mean(&s->coarse) == 50000.5);
  histogram_record_n(&s->other, UINT64_MAX, 3);
  CHECK(histogram_max(&s->other) == UINT64_MAX && histogram_percentile(&s->other, 50) == UINT64_MAX);
  histogram_merge(&s->other, &s->coarse);
  CHECK(histogram_count(&s->other) == 100003);
  histogram_clear(&s->other);
  CHECK(histogram_count(&s->other) == 0 && histogram_max(&s->other) == 0);
  histogram_record(&s->full, 0);
  CHECK(histogram_percentile(&s->full, 100) == 0 && histogram_count(&s->full) == 1);
}

static void *records(void *arg) {
  struct stats *s = arg;
  for (uint64_t i = 0; i < 100000; i++) histogram_record(&s->other, i % 1000);
  return NULL;
}

static void many_threads_record(struct stats *s) {
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) CHECK(pthread_create(&threads[i], NULL, records, s) == 0);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  CHECK(histogram_count(&s->other) == 400000 && histogram_mean(&s->other) == 499.5 && histogram_max(&s->other) == 999);
}

int main(void) {
  struct mm3_error error;
  unlink("test_histogram.mm3");
  struct mm3_file *file = mm3_create("test_histogram.mm3", MM3_TYPE(stats), NULL, &error);
  if (!file) return printf("%s\n", error.text), 1;
  struct stats *s = mm3_root(file, stats);
  buckets_are_a_ruler(64, 0);
  buckets_are_a_ruler(64, 7);
  buckets_are_a_ruler(8, 7);
  gives_percentiles(s);
  many_threads_record(s);
  CHECK(mm3_check(file, NULL, NULL) == 0);
  s->coarse.bucket[3] = UINT64_MAX;
  CHECK(mm3_check(file, NULL, NULL) == 1);
  CHECK(mm3_close(file) == 0);
  unlink("test_histogram.mm3");
  puts(failed ? "histogram: failed" : "histogram: passed");
  return failed != 0;
}

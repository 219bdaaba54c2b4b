/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * 04_analytics: counters that many threads and processes add to at once and that are never saved, because they are the
 * file.
 *
 *     ./04_analytics [FILE]     four threads record 1000 page views each; run it again and they go on
 */
#include <inttypes.h>
#include <mm3.h>
#include <pthread.h>
#include <stdio.h>

#define ANALYTICS(FIELD)                \
  FIELD(page_views, atomic(u64))        \
  FIELD(unique_visitors, atomic(u64))   \
  FIELD(conversions, atomic(u64))       \
  FIELD(conversion_rate, atomic(u64)) /* in hundredths of a percent: 250 is 2.5 % */
MM3_STRUCT(analytics, ANALYTICS);

static void *serve(void *arg) {
  struct analytics *a = arg;
  for (int view = 0; view < 1000; view++) {
    mm3_atomic_inc(&a->page_views);
    if (view % 4 == 0) mm3_atomic_inc(&a->unique_visitors);
    if (view % 40 == 0) mm3_atomic_inc(&a->conversions);
  }
  return NULL;
}

int main(int argc, char **argv) {
  struct mm3_error err;
  struct mm3_file *file = mm3_open_or_create(argc > 1 ? argv[1] : "analytics.mm3", MM3_TYPE(analytics), NULL, &err);
  if (!file) {
    fprintf(stderr, "%s\n", err.text);
    return 1;
  }

  struct analytics *a = mm3_root(file, analytics);
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, serve, a);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);

  uint64_t views = mm3_atomic_load(&a->page_views);
  uint64_t rate = mm3_atomic_load(&a->conversions) * 10000 / views;
  mm3_atomic_store(&a->conversion_rate, rate);
  printf("page views %" PRIu64 ", unique visitors %" PRIu64 ", conversion rate %" PRIu64 ".%02" PRIu64 " %%\n", views,
         mm3_atomic_load(&a->unique_visitors), rate / 100, rate % 100);

  mm3_sync(file); /* on the disk when this returns; without it the kernel writes in its own time */
  return mm3_close(file) != 0;
}

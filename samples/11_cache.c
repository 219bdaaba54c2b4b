/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * 11_cache: a cache that several processes share: text -> an answer and the moment it expires. Who finds nothing, or
 * something too old, works it out and keeps it for all. Reading takes no lock, also while another process writes.
 *
 *     ./11_cache [FILE]                  four processes ask 1000 times each
 *     mm3 get cache.mm3 'pages["/page/7"]'
 *     mm3 del cache.mm3 'pages["/page/7"]'
 */
#include <inttypes.h>
#include <mm3.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE(FIELD)   \
  FIELD(expires, i64) \
  FIELD(body, string(48))
MM3_STRUCT(page, PAGE);

#define CACHE(FIELD)                \
  FIELD(pages, hashmap(text, page)) \
  FIELD(hits, atomic(u64))          \
  FIELD(misses, atomic(u64))
MM3_STRUCT(cache, CACHE);

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The page of `path`, from the cache or made: 0, or a code. */
static int look_up(struct mm3_file *file, const char *path, int64_t keep_ms, struct page *page) {
  struct cache *cache = mm3_root(file, cache);
  int64_t now = now_ms();
  if (mm3_hashmap_get(file, &cache->pages, path, page) == 0 && page->expires > now) { /* a whole copy, never torn */
    mm3_atomic_fetch_add(&cache->hits, 1);
    return 0;
  }
  *page = (struct page){.expires = now + keep_ms};
  mm3_string_format(&page->body, "made by %d for %.20s", (int)getpid(), path); /* the slow part of a real program */
  mm3_atomic_fetch_add(&cache->misses, 1);
  int result = mm3_hashmap_set(file, &cache->pages, path, page); /* another may have been faster: the last one stays */
  return result < 0 ? result : 0;
}

static int ask(struct mm3_file *file, unsigned worker) {
  struct page page;
  char path[32];
  for (unsigned i = 0; i < 1000; i++) {
    snprintf(path, sizeof path, "/page/%u", (i * 7 + worker) % 100);
    int result = look_up(file, path, 60000, &page);
    if (result < 0) return fprintf(stderr, "%s: %s\n", path, mm3_strerror(result)), 1;
  }
  return 0;
}

/* retain's question: 1 stays, 0 goes. */
static int is_fresh(const struct mm3_hashmap_item *item, void *now) {
  const struct page *page = (const void *)item->value.ptr;
  return page->expires > *(const int64_t *)now;
}

int main(int argc, char **argv) {
  struct mm3_error err;
  struct mm3_file *file = mm3_open_or_create(argc > 1 ? argv[1] : "cache.mm3", MM3_TYPE(cache), NULL, &err);
  if (!file) {
    fprintf(stderr, "%s\n", err.text);
    return 1;
  }
  struct cache *cache = mm3_root(file, cache);
  pid_t workers[4];
  int failed = 0;
  for (unsigned w = 0; w < 4; w++)
    if ((workers[w] = fork()) == 0) _exit(ask(file, w));
  for (int w = 0, status; w < 4; w++) failed |= waitpid(workers[w], &status, 0) != workers[w] || status != 0;
  printf("%zu pages, %" PRIu64 " asked for\n", mm3_hashmap_len(file, &cache->pages),
         mm3_atomic_load(&cache->hits) + mm3_atomic_load(&cache->misses));

  struct page page;
  failed |= look_up(file, "/news", 0, &page) < 0; /* kept for no time at all */
  int64_t now = now_ms(), gone = mm3_hashmap_retain(file, &cache->pages, is_fresh, &now);
  printf("expired: %" PRId64 "\n", gone);
  return mm3_close(file) != 0 || failed || gone < 1;
}

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* watch.c: the states of a file, as differences between one look and the next. */
#include "kill.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The child's file that has no name (yet): by way of its descriptors. */
static int open_hidden(const struct kill_watch *w) {
  for (int number = 3; number < 12; number++) {
    char path[64];
    struct stat st;
    snprintf(path, sizeof path, "/proc/%d/fd/%d", w->child, number);
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 0 && st.st_size > 0)
      return open(path, O_RDONLY | O_CLOEXEC);
  }
  return -1;
}

static int map_again(struct kill_watch *w, uint64_t length) {
  unsigned char *shadow = realloc(w->shadow, length);
  if (!shadow) return -1;
  w->shadow = shadow;
  if (length > w->length) memset(shadow + w->length, 0, length - w->length);
  if (w->map) munmap(w->map, w->length);
  w->map = mmap(NULL, length, PROT_READ, MAP_SHARED, w->fd, 0);
  w->length = length;
  if (w->map != MAP_FAILED) return 0;
  w->map = NULL;
  return -1;
}

static int add_state(struct kill_watch *w, uint64_t first, uint64_t size) {
  if (w->nstates == w->room) {
    uint64_t room = w->room ? 2 * w->room : 256;
    struct kill_state *states = realloc(w->states, room * sizeof *states);
    if (!states) return -1;
    w->states = states;
    w->room = room;
  }
  struct kill_state *state = &w->states[w->nstates];
  *state = (struct kill_state){w->length, first, size, malloc(size ? size : 1)};
  if (!state->bytes) return -1;
  memcpy(state->bytes, w->map + first, size);
  memcpy(w->shadow + first, state->bytes, size);
  w->nstates++;
  return 1;
}

/* Opens what the path names now; what it named before may have been replaced. */
static int find(struct kill_watch *w) {
  struct stat st;
  if (w->flags & KILL_HIDDEN) {
    if (w->fd < 0) w->fd = open_hidden(w);
    return w->fd;
  }
  if (w->fd >= 0 && !(w->flags & KILL_NEW)) return w->fd;
  if (stat(w->path, &st) < 0 || st.st_size == 0) return w->fd;
  if (w->fd >= 0 && w->inode == (uint64_t)st.st_ino) return w->fd;
  if (w->fd >= 0) close(w->fd);
  w->fd = open(w->path, O_RDONLY | O_CLOEXEC);
  w->inode = (uint64_t)st.st_ino;
  return w->fd;
}

int kill_look(struct kill_watch *w) {
  struct stat st;
  uint64_t inode = w->inode;
  int new_file = w->fd < 0;
  if (find(w) < 0 || fstat(w->fd, &st) < 0 || st.st_size <= 0) return 0;
  uint64_t length = (uint64_t)st.st_size;
  if (new_file || inode != w->inode) {
    if (map_again(w, length) < 0) return -1;
    return add_state(w, 0, length);
  }
  int grew = length != w->length;
  if (grew && map_again(w, length) < 0) return -1;
  if (!grew && memcmp(w->map, w->shadow, length) == 0) return 0;
  uint64_t first = 0, last = length;
  while (first < length && w->map[first] == w->shadow[first]) first++;
  while (last > first && w->map[last - 1] == w->shadow[last - 1]) last--;
  return add_state(w, first, last - first);
}

void kill_watch_free(struct kill_watch *w) {
  for (uint64_t i = 0; i < w->nstates; i++) free(w->states[i].bytes);
  if (w->map) munmap(w->map, w->length);
  if (w->fd >= 0) close(w->fd);
  free(w->states);
  free(w->shadow);
}

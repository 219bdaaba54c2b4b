/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The file of test_torture against the board: what only the lock's holder changes is as the last one left it, or, if
 * that one died, as it was before or after. Settling it says to the board which. */
#include "torture.h"

static void vec_is(struct worker *w, struct vec_model *is) {
  *is = (struct vec_model){.length = mm3_vec_len(&w->root->recent)};
  if (is->length > VEC) {
    violation(w, "a vec longer than it may be");
    is->length = VEC;
  }
  for (uint64_t i = 0; i < is->length; i++)
    answered(w, "item of a vec", mm3_vec_get(&w->root->recent, i, &is->items[i]));
}

static bool same_vec(const struct vec_model *a, const struct vec_model *b) {
  return a->length == b->length && memcmp(a->items, b->items, a->length * sizeof *a->items) == 0;
}

/* Which of the two models it is. */
unsigned settle_vec(struct worker *w) {
  struct vec_model is;
  unsigned state = LOAD(w->board->vec_state), done = state & 1;
  vec_is(w, &is);
  if (!same_vec(&is, &w->board->vecs[done])) {
    if (state & 2 && same_vec(&is, &w->board->vecs[!done]))
      done = !done;
    else
      violation(w, "a vec that nobody left so"), w->board->vecs[done] = is;
  }
  STORE(w->board->vec_state, done);
  return done;
}

static void settle(struct worker *w, struct version *v, uint64_t is, const char *what) {
  if (is != LOAD(v->done) && is != LOAD(v->begun)) violation(w, what);
  STORE(v->done, is);
  STORE(v->begun, is);
}

void settle_cell(struct worker *w, unsigned cell) {
  settle(w, &w->board->grid[cell], LOAD(*mm3_ndarray_at(&w->root->grid, cell / GRID, cell % GRID)),
         "an element of an ndarray that nobody left so");
}

void settle_page(struct worker *w) {
  struct mm3_error error = {0};
  json_t *page = NULL;
  if (!answered(w, "json", mm3_json_get(&w->root->page, &page, &error))) return;
  settle(w, &w->board->page, (uint64_t)json_integer_value(json_object_get(page, "last")),
         "a document that nobody left so");
  json_decref(page);
}

static void compare_log(struct worker *w, const struct log_state *state) {
  for (int i = 0; i < WORKERS; i++)
    for (uint32_t life = 0; life < LIVES; life++)
      if (state->have[i][life] < w->board->all[i][life].appended ||
          state->have[i][life] > w->board->all[i][life].appending) {
        violation(w, "a log with too few items, or too many");
        return;
      }
}

void finding(void *arg, const struct mm3_error *error) {
  (void)arg, fprintf(stderr, "check: %s: %s\n", error->field, error->text);
}

/* Everybody has stopped: the file against the board. */
void verify(struct board *board, struct mm3_file *file) {
  struct worker w = {.board = board, .file = file, .root = mm3_root(file, torture), .number = WORKERS};
  struct log_state *state = calloc(1, sizeof *state);
  uint64_t sum = mm3_atomic_load(&w.root->sum), total = w.root->total;
  if (sum < sum_of(board, offsetof(struct life, added)) || sum > sum_of(board, offsetof(struct life, adding)))
    violation(&w, "the sum lost or won something");
  if (total < sum_of(board, offsetof(struct life, counted)) || total > sum_of(board, offsetof(struct life, counting)))
    violation(&w, "the total lost or won something");
  for (uint64_t key = 0; key < KEYS; key++) {
    uint64_t value = 0, version;
    int result = mm3_hashmap_get(file, &w.root->versions, key, &value);
    version = result == 0 ? value >> 16 : 0;
    if (version < board->versions[key].done || version > board->versions[key].begun)
      violation(&w, "a version was lost");
  }
  settle_vec(&w);
  settle_page(&w);
  for (unsigned cell = 0; cell < GRID * GRID; cell++) settle_cell(&w, cell);
  for (int i = 0; i < 50; i++) read_others(&w);
  for (unsigned number = 0; number < NOTES; number++) read_note(&w, number);
  if (state) {
    follow_log(&w, state);
    compare_log(&w, state);
  }
  free(state);
  if (mm3_check(file, finding, NULL) != 0) violation(&w, "the file does not pass its check");
}

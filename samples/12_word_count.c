/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * 12_word_count: several processes count the words of one text in one map.
 *
 *     ./12_word_count [TEXT [FILE]]      without TEXT: the first sentences of the MIT licence
 *     mm3 get words.mm3 'count["the"]'
 */
#include <ctype.h>
#include <inttypes.h>
#include <mm3.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS(FIELD) FIELD(count, hashmap(string(32), u64))
MM3_STRUCT(words, WORDS);

#define WORKERS 4

static const char licence[] =
  "Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated\n"
  "documentation files (the \"Software\"), to deal in the Software without restriction, including without limitation\n"
  "the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and "
  "to\n"
  "permit persons to whom the Software is furnished to do so, subject to the following conditions:\n"
  "The above copyright notice and this permission notice shall be included in all copies or substantial portions of\n"
  "the Software.\n";

/* The word at or after *at, lower case, cut at 32 letters; its end is the new *at. */
static size_t next_word(const char *text, size_t length, size_t *at, char word[33]) {
  size_t letters = 0;
  while (*at < length && !isalpha((unsigned char)text[*at])) ++*at;
  for (; *at < length && isalpha((unsigned char)text[*at]); ++*at)
    if (letters < 32) word[letters++] = (char)tolower((unsigned char)text[*at]);
  word[letters] = 0;
  return letters;
}

/* Counts each word that begins in [from, to): add takes the lock, so no count is lost between processes. */
static int count_words(struct mm3_file *file, const char *text, size_t length, size_t from, size_t to) {
  struct words *words = mm3_root(file, words);
  char word[33];
  size_t at = from;
  if (from > 0) /* a word that began before belongs to the process before */
    while (at < length && isalpha((unsigned char)text[at - 1]) && isalpha((unsigned char)text[at])) at++;
  while (at < to && next_word(text, length, &at, word) && at - strlen(word) < to) {
    int result = mm3_hashmap_add(file, &words->count, word, 1);
    if (result < 0) return fprintf(stderr, "%s: %s\n", word, mm3_strerror(result)), 1;
  }
  return 0;
}

int main(int argc, char **argv) {
  struct mm3_error err;
  struct mm3_map book;
  const char *text = licence;
  size_t length = sizeof licence - 1;
  if (argc > 1) {
    if (mm3_map_path(&book, argv[1], MM3_MAP_READ, NULL, &err) < 0) return fprintf(stderr, "%s\n", err.text), 1;
    text = book.ptr, length = book.length;
  }
  struct mm3_file *file = mm3_open_or_create(argc > 2 ? argv[2] : "words.mm3", MM3_TYPE(words), NULL, &err);
  if (!file) return fprintf(stderr, "%s\n", err.text), 1;
  struct words *words = mm3_root(file, words);
  int failed = mm3_hashmap_clear(file, &words->count) < 0;

  pid_t workers[WORKERS];
  for (size_t w = 0; w < WORKERS; w++)
    if ((workers[w] = fork()) == 0)
      _exit(count_words(file, text, length, length * w / WORKERS, length * (w + 1) / WORKERS));
  for (int w = 0, status; w < WORKERS; w++) failed |= waitpid(workers[w], &status, 0) != workers[w] || status != 0;

  struct mm3_hashmap_cursor cursor = {0};
  char word[33], most_word[33] = "";
  struct mm3_buf buf = mm3_buf_of(word, sizeof word);
  uint64_t count, total = 0, most = 0, wanted = 0;
  while (mm3_hashmap_next(file, &words->count, &cursor, &buf, &count) == 1) {
    total += count;
    if (count < most || (count == most && strcmp(word, most_word) > 0)) continue;
    most = count;
    memcpy(most_word, word, sizeof word);
  }
  for (size_t at = 0; next_word(text, length, &at, word);) wanted++;
  printf("%" PRIu64 " words, %zu different; the most frequent: %s, %" PRIu64 " times\n", total,
         mm3_hashmap_len(file, &words->count), most_word, most);
  return mm3_close(file) != 0 || failed || total != wanted;
}

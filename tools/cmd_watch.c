/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* cmd_watch.c: mm3 watch: values as they change. */
#include "commands.h"
#include "watch.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static const struct option_row options[] = {{'i', "interval", "SECONDS", "between two looks (0.5)"},
                                            {'n', "count", "N", "look N times, then end"},
                                            {'c', "changes", NULL, "print what changed only, as soon as the file says so, or at the next look"},
                                            {0, NULL, NULL, NULL}};

static int show_json(struct watch *watch) {
  struct mm3j_writer w;
  out_begin(watch->call, &w);
  int result = out_open(&w, NULL, '{');
  if (!result) result = out_key(&w, "t");
  if (!result) result = w.sink.real(&w.sink, (double)(long)((watch->now - watch->started) * 1000 + 0.5) / 1000, 64);
  for (size_t i = 0; i < watch->count && !result; i++) {
    result = out_key(&w, watch->rows[i].path);
    if (!result) result = mm3_field_visit(&watch->rows[i].field, &w.sink, &watch->call->error);
  }
  return out_end(watch->call, &w, result ? result : out_close(&w, '}'));
}

static int show_lines(struct watch *watch, bool first) {
  bool only_changed = call_option(watch->call, "changes") && !first;
  for (size_t i = 0; i < watch->count; i++) {
    const struct watched *row = &watch->rows[i];
    if (only_changed && !row->changed) continue;
    if (watch->call->plain) printf("%.3f\t%s\t%s\t%g\n", watch->now - watch->started, row->path, row->text, row->rate);
    else {
      printf("%8.1f  %c %-20s %-30s", watch->now - watch->started, row->changed ? '*' : ' ', row->path, row->text);
      if (row->numeric && row->rounds > 1) printf(" %12.*f/s", row->rate < 100 && row->rate > -100, row->rate);
      putchar('\n');
    }
  }
  return fflush(stdout) == 0 ? EXIT_DONE : EXIT_SYSTEM;
}

enum { LEAST_PAUSE = 10 /* ms: who writes all the time is not looked at all the time */ };

static void sleep_for(double seconds) {
  struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
  nanosleep(&time, NULL);
}

/* Until the next look. The file's counter can only bring it forward: plain fields and atomics do not move it. */
static void pause_for(struct watch *watch, uint32_t *seen) {
  if (!call_option(watch->call, "changes")) {
    sleep_for(watch->interval);
    return;
  }
  sleep_for(LEAST_PAUSE * 1e-3);
  mm3_wait(watch->file, *seen, (uint32_t)(watch->interval * 1000) - LEAST_PAUSE);
  *seen = mm3_changes(watch->file);
}

/* A file that went away, or whose place another one has taken, is the end: its numbers stand still for ever. */
static int still_there(struct watch *watch) {
  static struct mm3_file_info info;
  struct stat now;
  const char *path = watch->call->argv[0];
  info.size = sizeof info;
  int result = mm3_file_describe(watch->file, &info);
  if (result == 0 && info.superseded)
    return mm3_error_set(&watch->call->error, -MM3_E_SUPERSEDED, "%s: was replaced by a newer file", path);
  if (stat(path, &now) == 0 && (uint64_t)now.st_size < watch->length)
    return mm3_error_set(&watch->call->error, -MM3_E_TRUNCATED, "%s: was cut to %lld bytes of %llu", path,
                         (long long)now.st_size, (unsigned long long)watch->length);
  if (result == 0 && info.length > watch->length) watch->length = info.length;
  if (stat(path, &now) != 0) return mm3_error_set(&watch->call->error, -errno, "%s: is gone: %s", path, strerror(errno));
  return 0;
}

static int watch_lines(struct watch *watch) {
  uint32_t seen = mm3_changes(watch->file);
  for (uint64_t round = 0; !watch->rounds || round < watch->rounds; round++) {
    if (round) pause_for(watch, &seen);
    if (still_there(watch) || watch_sample(watch)) return fail(watch->call);
    int code = watch->call->json ? show_json(watch) : show_lines(watch, round == 0);
    if (code) return code;
  }
  return EXIT_DONE;
}

static int add_row(struct watch *watch, const char *path) {
  struct watched *row = &watch->rows[watch->count];
  int result = find_field(watch->call, watch->file, path, &row->field);
  if (result && result != -MM3_E_MODULE) return result;
  row->path = path;
  watch->count++;
  return 0;
}

static int choose_rows(struct watch *watch) {
  struct call *call = watch->call;
  struct mm3_member_info member;
  size_t room = (size_t)call->argc;
  int result = 0;
  for (uint32_t i = 0; mm3_file_member(watch->file, i, &member) == 0; i++) room++;
  watch->rows = calloc(room, sizeof *watch->rows);
  if (!watch->rows) return mm3_error_set(&call->error, -ENOMEM, "not enough memory");
  for (int i = 1; i < call->argc && !result; i++) result = add_row(watch, call->argv[i]);
  for (uint32_t i = 0; call->argc == 1 && !result && mm3_file_member(watch->file, i, &member) == 0; i++)
    result = add_row(watch, member.name);
  return result;
}

static int read_numbers(struct watch *watch) {
  const char *interval = call_option(watch->call, "interval"), *count = call_option(watch->call, "count");
  watch->interval = 0.5;
  if (interval) {
    char *end;
    watch->interval = strtod(interval, &end);
    if (*end || end == interval || !(watch->interval >= 0.01 && watch->interval <= 86400))
      return fail_usage(watch->call, "option '--interval' wants 0.01 to 86400 seconds, not '%s'", interval);
  }
  return count ? call_number(watch->call, "count", count, &watch->rounds) : 0;
}

static int watch_run(struct call *call) {
  struct watch watch = {.call = call};
  int code = read_numbers(&watch);
  if (code) return code;
  watch.file = open_reading(call, call->argv[0]);
  if (!watch.file) return fail(call);
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  watch.now = watch.started = (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
  if (choose_rows(&watch)) code = fail(call);
  else {
    code = call->json || call->plain || call_option(call, "changes") ? -1 : watch_screen(&watch);
    if (code < 0) code = watch_lines(&watch);
  }
  free(watch.rows);
  return close_file(call, watch.file, code);
}

const struct command command_watch = {
    .name = "watch", .operands = "FILE [PATH...]", .brief = "show values as they change, with rates and graphs",
    .detail = "On a terminal a screen, elsewhere lines; --json prints an object a look. Containers show their count.\n"
              "Reads only, and disturbs no writer. It looks every --interval: a number that a program stores, or adds to\n"
              "atomically, is one instruction that tells nobody. What changes under the file's lock (maps, logs, texts, mm3\n"
              "itself) and mm3_notify tell, and with --changes that brings a look forward, up to a hundred times a second.",
    .options = options, .least = 1, .most = -1, .run = watch_run};

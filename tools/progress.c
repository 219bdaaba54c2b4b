/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* progress.c: the bar, and ctrl-C. */
#include "progress.h"
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BAR = 24 };

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void progress_begin(struct progress *p, const struct call *call, const char *what, uint64_t total, bool data) {
  *p = (struct progress){.what = what, .total = total};
  p->wanted = !call->quiet && isatty(STDERR_FILENO) && !(data && isatty(STDOUT_FILENO));
  if (p->wanted) p->begun = seconds();
}

static void draw(const struct progress *p, uint64_t done, double passed) {
  char bar[BAR + 1];
  double part = p->total && done < p->total ? (double)done / (double)p->total : p->total ? 1 : 0;
  memset(bar, '.', BAR);
  memset(bar, '#', (size_t)(part * BAR));
  bar[BAR] = 0;
  fprintf(stderr, "\r\033[K%s ", p->what);
  if (p->total) fprintf(stderr, "[%s] %3.0f %%, ", bar, part * 100);
  fprintf(stderr, "%.1f MB, %.1f MB/s", (double)done / 1e6, (double)done / 1e6 / passed);
  if (p->total && part > 0.02) fprintf(stderr, ", %.0f s left", passed / part - passed);
  fflush(stderr);
}

void progress_step(struct progress *p, uint64_t done) {
  if (!p->wanted) return;
  double now = seconds();
  if (now - p->begun < 1 || now - p->shown < 0.2) return;
  p->shown = now;
  p->drawn = true;
  draw(p, done, now - p->begun);
}

void progress_end(struct progress *p) {
  if (p->drawn) fputs("\r\033[K", stderr), fflush(stderr);
  p->wanted = p->drawn = false;
}

static volatile sig_atomic_t caught;

static void note(int signal) { caught = signal; }

void interrupts_catch(void) {
  struct sigaction action = {.sa_handler = note}, old;
  const int signals[] = {SIGINT, SIGTERM, SIGHUP};
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
    if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN) sigaction(signals[i], &action, NULL);
}

bool interrupted(void) { return caught != 0; }

void interrupts_obey(void) {
  if (!caught) return;
  fflush(stdout);
  signal(caught, SIG_DFL);
  raise(caught);
}

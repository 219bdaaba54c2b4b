/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* watch_screen.c: mm3 watch on a terminal. */
#ifdef HAVE_CONFIG_H
#include <config.h>
#endif
#include "watch.h"

#ifdef HAVE_NCURSES
#include <curses.h>
#include <locale.h>
#include <string.h>
#include <unistd.h>

struct screen {
  size_t top;
  int wide;
};

static void show_row(const struct watch *watch, const struct watched *row, int y, int wide) {
  char graph[WATCH_HISTORY * 4 + 1], rate[32] = "";
  int columns = getmaxx(stdscr), right = 12 + 22, value = columns - wide - right - 4;
  if (value < 10) value = 10;
  if (row->numeric && row->rounds > 1) snprintf(rate, sizeof rate, "%.*f/s", row->rate < 100 && row->rate > -100, row->rate);
  watch_graph(row, 20, graph);
  if (row->changed) attron(watch->call->coloured ? A_BOLD | COLOR_PAIR(1) : A_BOLD);
  mvprintw(y, 0, "%c %-*s ", row->changed ? '*' : ' ', wide, row->path);
  int cut = (int)mm3_utf8_cut(row->text, strlen(row->text), (size_t)value);
  addnstr(row->text, cut);
  attroff(A_BOLD | COLOR_PAIR(1));
  if (columns > right + wide + 12) {
    mvprintw(y, columns - right, "%12s ", row->numeric ? rate : "");
    if (row->numeric && row->rounds > 1) addstr(graph);
  }
}

static void show(struct watch *watch, struct screen *screen) {
  int lines = getmaxy(stdscr);
  erase();
  attron(A_REVERSE);
  mvprintw(0, 0, " %s   every %.3g s, %.0f s so far   q ends, arrows scroll ", mm3_file_path(watch->file), watch->interval,
           watch->now - watch->started);
  attroff(A_REVERSE);
  for (int y = 1; y < lines && screen->top + (size_t)y - 1 < watch->count; y++)
    show_row(watch, &watch->rows[screen->top + (size_t)y - 1], y, screen->wide);
  refresh();
}

/* Keys until the next sample is due. false: the end. */
static bool wait_keys(struct watch *watch, struct screen *screen) {
  timeout((int)(watch->interval * 1000));
  int key = getch();
  if (key == 'q' || key == 27 || key == 3) return false;
  if ((key == KEY_DOWN || key == 'j') && screen->top + 1 < watch->count) screen->top++;
  if ((key == KEY_UP || key == 'k') && screen->top) screen->top--;
  if (key != ERR) show(watch, screen);
  return true;
}

int watch_screen(struct watch *watch) {
  struct screen screen = {.wide = 8};
  if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) return -1;
  for (size_t i = 0; i < watch->count; i++)
    if ((int)strlen(watch->rows[i].path) > screen.wide) screen.wide = (int)strlen(watch->rows[i].path);
  if (screen.wide > 30) screen.wide = 30;
  setlocale(LC_CTYPE, "");
  SCREEN *terminal = newterm(NULL, stdout, stdin);
  if (!terminal) return -1;
  cbreak();
  noecho();
  keypad(stdscr, TRUE);
  curs_set(0);
  if (watch->call->coloured && start_color() == OK && use_default_colors() == OK) init_pair(1, COLOR_YELLOW, -1);
  int result = 0;
  for (uint64_t round = 0; !result && (!watch->rounds || round < watch->rounds); round++) {
    result = watch_sample(watch);
    if (!result) show(watch, &screen);
    if (!result && !wait_keys(watch, &screen)) break;
  }
  endwin();
  delscreen(terminal);
  return result ? fail(watch->call) : EXIT_DONE;
}
#else
int watch_screen(struct watch *watch) {
  (void)watch;
  return -1;
}
#endif

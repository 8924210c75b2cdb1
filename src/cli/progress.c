/* SPDX-License-Identifier: MIT */
#include "cli/progress.h"

#include "core/clock.h"

#include <stdio.h>

pgb_progress_line pgb_progress_start(bool on, int ranks, double from) {
  const double now = pgb_clock();
  return (pgb_progress_line){.on = on, .start = now, .last = now, .from = from, .ranks = ranks};
}

void pgb_progress_show(pgb_progress_line *line, double fraction, double steps) {
  const double now = pgb_clock();
  if (!line->on || now - line->last < 0.1 || fraction <= line->from)
    return;
  line->last = now;
  const double spent = now - line->start;
  const double left = spent * (1 - fraction) / (fraction - line->from);
  char bar[31];
  for (int i = 0; i < 30; i++)
    bar[i] = i < (int)(30 * fraction) ? '#' : '.';
  bar[30] = '\0';
  (void)fprintf(stderr, "\r%s %3.0f %%  %.3g M steps/s  %.0f s left ", bar, 100 * fraction,
                spent > 0 ? 1e-6 * steps * line->ranks / spent : 0, left);
  (void)fflush(stderr);
}

void pgb_progress_clear(const pgb_progress_line *line) {
  if (line->on)
    (void)fprintf(stderr, "\r%79s\r", "");
}

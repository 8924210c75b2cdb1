/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_CLI_PROGRESS_H
#define PGB_CLI_PROGRESS_H

#include <stdbool.h>

/* One line on stderr that is rewritten: share done, rate, time left. */
typedef struct pgb_progress_line {
  bool on;
  double start, last; /* seconds */
  double from;        /* share that was done at the start */
  int ranks;
} pgb_progress_line;

pgb_progress_line pgb_progress_start(bool on, int ranks, double from);
/* At most ten times a second. fraction is the study's, steps are this rank's; the others are taken to be as
 * fast. */
void pgb_progress_show(pgb_progress_line *line, double fraction, double steps);
void pgb_progress_clear(const pgb_progress_line *line);

#endif

/* SPDX-License-Identifier: MIT */
/* For users of the library. */
#ifndef PGB_STUDY_SHARE_H
#define PGB_STUDY_SHARE_H

#include <stdbool.h>
#include <stddef.h>

/* A share of a study's cells, for job arrays: of n shares the k-th (from 1) has every n-th cell from the k-th
 * on. n 0: all cells. Cells keep their numbers in the whole study, hence names, random numbers and figures.
 */
typedef struct pgb_share {
  size_t k, n;
} pgb_share;

/* "2/4"; false for what is none, with 1 <= k <= n. */
bool pgb_share_parse(const char *text, pgb_share *out);
bool pgb_share_has(const pgb_share *share, size_t cell);
size_t pgb_share_count(const pgb_share *share, size_t n_cells); /* cells it has; may be 0 */

/* Which rank has a place in the order in which work is dealt, and the place that a rank has: the same
 * function, for it is its own inverse. No figure depends on it; tests/fault/wrap.c deals otherwise. */
int pgb_share_rank(int place, int ranks);

/* Where the part of a place begins of n things that `ranks` share evenly, 0 <= place <= ranks. */
size_t pgb_share_begin(size_t n, int place, int ranks);

#endif

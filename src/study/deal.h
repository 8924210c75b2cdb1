/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_STUDY_DEAL_H
#define PGB_STUDY_DEAL_H

#include <stddef.h>

/* How pieces [first, first + n) are dealt to the ranks: the place p of pgb_share_rank has
 * [begin[p], begin[p + 1]). No bit depends on it. */
typedef struct pgb_deal {
  size_t first, n;
  int ranks;
  size_t *begin; /* [ranks + 1] */
} pgb_deal;

/* By how much of an even part a rank may be dealt more, because it is faster (and what rounding to whole
 * blocks adds): nothing where the room for that would be more than 64 MiB. */
double pgb_deal_lead(size_t n_blocks, size_t stride, int ranks);

/* Blocks of which a rank that is not the first has the first piece, at the most, if it is dealt with that
 * lead. */
size_t pgb_deal_owned(size_t n_blocks, size_t stride, int ranks);

/* Fills deal->begin with multiples of `unit` pieces from first on, n being one, so that all places come to
 * the end of all that was dealt at the same time, but evenly where the last would not come there sooner: cost
 * [ranks] is what a piece takes at each, in any unit, all 0 if that is not known yet; dealt [ranks] the
 * pieces that each was dealt before, which grow by the new ones. */
void pgb_deal_out(pgb_deal *deal, size_t unit, double lead, const double *cost, double *dealt);

#endif

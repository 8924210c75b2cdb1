/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_STATS_BLOCK_H
#define PGB_STATS_BLOCK_H

#include "stats/stats.h"

/* What the files of this layer share; not for other layers. */

/* A block's layout: the head, then mean[d], m2[d], unit[d]. */
enum { PGB_BLOCK_COUNT, PGB_BLOCK_ZEROS, PGB_BLOCK_PEAK, PGB_BLOCK_HEAD };

/* Each block's part in the trace: q = sum over its samples of |g - pooled mean|^2, which is exact from its m2
 * and its mean. n replicates in all, total = sum of q. */
typedef struct pgb_parts {
  size_t blocks;
  double n, total;
  double count[PGB_MAX_BLOCKS], q[PGB_MAX_BLOCKS];
  double off2[PGB_MAX_BLOCKS]; /* |block mean - pooled mean|^2 */
} pgb_parts;

void pgb_parts_of(pgb_blocks blocks, pgb_parts *out);

/* Sums of powers of the jackknife values of a smooth statistic; x[G] sum to about zero. */
typedef struct pgb_jackknife {
  double se, dof, skew;
} pgb_jackknife;
pgb_jackknife pgb_jackknife_of(const double *x, size_t n_blocks);

/* 95 % interval of exp(log_estimate) as a factor: multiply the estimate by *low and *high. */
void pgb_interval_factors(const pgb_jackknife *jackknife, size_t n_blocks, double *low, double *high);

#endif

/* SPDX-License-Identifier: MIT */
/* Compiled once per instruction set: sums over episodes. */
#include "estimator/estimator.h"

#include <string.h>

pgb_episode_sum_fn PGB_KERNEL(pgb_episode_sum);

/* Some columns, their sums in registers. */
static inline void sum_columns(const float *x, size_t stride, const double *factor, size_t n, double *sum) {
  double all[PGB_SUM_COLUMNS];
  memcpy(all, sum, sizeof all);
  for (size_t e = 0; e < n; e++, x += stride) {
    const double f = factor == NULL ? 1.0 : factor[e];
    PGB_LANE_LOOP
    for (size_t k = 0; k < PGB_SUM_COLUMNS; k++)
      all[k] += f * (double)x[k];
  }
  memcpy(sum, all, sizeof all);
}

void PGB_KERNEL(pgb_episode_sum)(const float *x, size_t stride, size_t size, const double *factor, size_t n,
                                 double *sum) {
  for (size_t k = 0; k < size; k += PGB_SUM_COLUMNS)
    if (factor == NULL)
      sum_columns(x + k, stride, NULL, n, sum + k);
    else
      sum_columns(x + k, stride, factor, n, sum + k);
}

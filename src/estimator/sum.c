/* SPDX-License-Identifier: MIT */
/* Compiled once per instruction set: sums over episodes. */
#include "estimator/estimator.h"

pgb_episode_sum_fn PGB_KERNEL(pgb_episode_sum);

void PGB_KERNEL(pgb_episode_sum)(const float *x, size_t stride, size_t size, const double *factor, size_t n,
                                 double *sum) {
  for (size_t e = 0; e < n; e++, x += stride) {
    if (factor == NULL) {
      PGB_LANE_LOOP
      for (size_t k = 0; k < size; k++)
        sum[k] += (double)x[k];
    } else {
      const double f = factor[e];
      PGB_LANE_LOOP
      for (size_t k = 0; k < size; k++)
        sum[k] += f * (double)x[k];
    }
  }
}

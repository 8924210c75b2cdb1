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

/* Some columns of all episodes at a time, whose sums stay in the first-level cache, and of four episodes in
 * one pass over them; each sum is still taken in the order of the episodes. */
enum { FEW = 64, SOME = 512, FOUR = 4 };

static void add_many(const float *x, size_t stride, size_t size, const double *factor, size_t n,
                     double *sum) {
  size_t e = 0;
  for (; e + FOUR <= n; e += FOUR, x += FOUR * stride) {
    const float *a = x, *b = x + stride, *c = x + 2 * stride, *d = x + 3 * stride;
    if (factor == NULL) {
      PGB_LANE_LOOP
      for (size_t k = 0; k < size; k++)
        sum[k] = sum[k] + (double)a[k] + (double)b[k] + (double)c[k] + (double)d[k];
    } else {
      const double f = factor[e], g = factor[e + 1], h = factor[e + 2], i = factor[e + 3];
      PGB_LANE_LOOP
      for (size_t k = 0; k < size; k++)
        sum[k] = sum[k] + f * (double)a[k] + g * (double)b[k] + h * (double)c[k] + i * (double)d[k];
    }
  }
  for (; e < n; e++, x += stride) {
    const double f = factor == NULL ? 1.0 : factor[e]; /* x * 1 is x */
    PGB_LANE_LOOP
    for (size_t k = 0; k < size; k++)
      sum[k] += f * (double)x[k];
  }
}

/* Either way a sum is taken in the order of the episodes. */
void PGB_KERNEL(pgb_episode_sum)(const float *x, size_t stride, size_t size, const double *factor, size_t n,
                                 double *sum) {
  if (size > FEW) {
    for (size_t from = 0; from < size; from += SOME)
      add_many(x + from, stride, size - from < SOME ? size - from : SOME, factor, n, sum + from);
    return;
  }
  for (size_t k = 0; k < size; k += PGB_SUM_COLUMNS)
    if (factor == NULL)
      sum_columns(x + k, stride, NULL, n, sum + k);
    else
      sum_columns(x + k, stride, factor, n, sum + k);
}

/* SPDX-License-Identifier: MIT */
#include "baseline/baseline.h"

static void combine(const pgb_batch_sums *b, double *g) {
  const double share = 1 / (double)b->n;
  for (size_t k = 0; k < b->n_theta; k++)
    g[k] = b->a[k] * share;
}

const pgb_baseline_class pgb_baseline_none = {
    .name = "none",
    .title = "no baseline",
    .formula = "b = 0",
    .bias = "unbiased wherever the estimator is",
    .source = "Williams 1992, doi:10.1007/BF00992696",
    .kind = PGB_BASELINE_NONE,
    .min_batch = 1,
    .combine = combine,
};

/* SPDX-License-Identifier: MIT */
#include "baseline/baseline.h"

static void combine(const pgb_batch_sums *b, double *g) {
  const double share = 1 / (double)b->n, mean = b->r / (double)b->n;
  for (size_t k = 0; k < b->n_theta; k++)
    g[k] = (b->a[k] - mean * b->s[k]) * share;
}

const pgb_baseline_class pgb_baseline_mean = {
    .name = "mean",
    .title = "the batch's own mean return",
    .formula = "b = (1/N) sum_j R_j",
    .bias = "biased: an episode's own return is in b; with reinforce the expectation is (1 - 1/N) grad J",
    .source = "Kool, van Hoof, Welling 2019, Buy 4 REINFORCE samples, get a baseline for free (openreview "
              "r1lgTGL5DE)",
    .kind = PGB_BASELINE_BATCH,
    .biased = true,
    .min_batch = 2,
    .combine = combine,
};

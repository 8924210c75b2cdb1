/* SPDX-License-Identifier: MIT */
#include "baseline/baseline.h"

/* sum_i b_i S_i with b_i = (sum_j R_j - R_i) / (N - 1), from the batch's sums alone. */
static void combine(const pgb_batch_sums *b, double *g) {
  const double share = 1 / (double)b->n, others = (double)b->n - 1;
  for (size_t k = 0; k < b->n_theta; k++)
    g[k] = (b->a[k] - (b->r * b->s[k] - b->rs[k]) / others) * share;
}

const pgb_baseline_class pgb_baseline_loo = {
    .name = "loo",
    .title = "leave-one-out: the mean return of the other episodes",
    .formula = "b_i = (1/(N-1)) sum_{j!=i} R_j",
    .bias = "unbiased wherever the estimator is, N >= 2",
    .source = "Kool, van Hoof, Welling 2019, Buy 4 REINFORCE samples, get a baseline for free (openreview "
              "r1lgTGL5DE)",
    .aliases = "rloo|leave-one-out",
    .kind = PGB_BASELINE_BATCH,
    .scaled = true,
    .min_batch = 2,
    .combine = combine,
};

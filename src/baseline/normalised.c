/* SPDX-License-Identifier: MIT */
#include "baseline/baseline.h"

#include <math.h>

/* sd with N - 1; where all returns are equal every advantage is 0 and so is the estimate. */
static void combine(const pgb_batch_sums *b, double *g) {
  const double n = (double)b->n;
  const double sd = sqrt(b->rr / (n - 1));
  const double mean = b->r / n, share = 1 / (n * sd);
  for (size_t k = 0; k < b->n_theta; k++)
    g[k] = sd == 0 ? 0 : (b->a[k] - mean * b->s[k]) * share;
}

const pgb_baseline_class pgb_baseline_normalised = {
    .name = "normalised",
    .title = "the batch's mean return taken off, then divided by its standard deviation (N - 1)",
    .formula = "weights (G_t - mean R) / sd(R)",
    .bias = "biased: scale and, through sd, even direction",
    .source = "Shao et al. 2024, DeepSeekMath, arXiv:2402.03300, section 4.1.2 (GRPO)",
    .aliases = "grpo|normalized",
    .kind = PGB_BASELINE_BATCH,
    .biased = true,
    .min_batch = 2,
    .combine = combine,
};

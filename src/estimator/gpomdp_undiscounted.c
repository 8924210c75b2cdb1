/* SPDX-License-Identifier: MIT */
#include "estimator/estimator.h"

static void weights(const void *params, double gamma, const pgb_rollout *r, const double *value, float *w) {
  (void)params;
  (void)gamma;
  const size_t size = r->rows * PGB_LANES;
  PGB_LANE_LOOP
  for (size_t at = 0; at < size; at++) {
    const double advantage = r->togo[at] - (value != NULL ? value[at] : 0.0);
    w[at] = r->end[at] == PGB_IDLE ? 0.0f : (float)advantage;
  }
}

static bool biased(const void *params, double gamma, size_t horizon, bool value_exact) {
  (void)params;
  (void)value_exact;
  return gamma < 1 && horizon > 1;
}

const pgb_estimator_class PGB_KERNEL(pgb_estimator_gpomdp_undiscounted) = {
    .name = "gpomdp-undiscounted",
    .title = "reward-to-go without gamma^t, what most deep-learning code computes",
    .formula = "g = sum_t psi_t (G_t - b_t(s_t))",
    .bias = "biased for gamma < 1: states are not weighted by gamma^t",
    .source = "Nota and Thomas 2020, Is the policy gradient a gradient? (AAMAS), arXiv:1906.07073",
    .weights = weights,
    .ones = PGB_KERNEL(pgb_ones_flat),
    .flat = true,
    .biased = biased,
};

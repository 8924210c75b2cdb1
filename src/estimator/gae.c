/* SPDX-License-Identifier: MIT */
#include "estimator/gae.h"

#include "estimator/estimator.h"

#include <stddef.h>

static const pgb_option options[] = {
    {"lambda", "1", PGB_TYPE_REAL, offsetof(pgb_gae, lambda), 0, 1, "0.95", NULL,
     "0 trusts the value function alone, 1 the rewards alone"},
};

/* Backwards over rows: A_t = r_t + gamma V_{t+1} - V_t + gamma lambda A_{t+1}, V and A being 0 after the last
 * step. */
static void weights(const void *params, double gamma, const pgb_rollout *r, const double *value, float *w) {
  const double keep = gamma * ((const pgb_gae *)params)->lambda;
  const double *discount = r->discount;
  double next_value[PGB_LANES] = {0};
  double advantage[PGB_LANES] = {0};
  for (size_t t = r->rows; t-- > 0;) {
    const size_t at = t * PGB_LANES;
    PGB_LANE_LOOP
    for (size_t i = 0; i < PGB_LANES; i++) {
      const double now = value != NULL ? value[at + i] : 0.0;
      const double live = r->end[at + i] == PGB_LIVE ? 1.0 : 0.0;
      const double delta = (double)r->reward[at + i] + gamma * live * next_value[i] - now;
      const double sum = delta + keep * live * advantage[i];
      advantage[i] = r->end[at + i] == PGB_IDLE ? 0.0 : sum;
      next_value[i] = now;
      w[at + i] = (float)(discount[r->step[at + i]] * advantage[i]);
    }
  }
}

static bool biased(const void *params, double gamma, size_t horizon, bool value_exact) {
  (void)gamma;
  return !value_exact && horizon > 1 && ((const pgb_gae *)params)->lambda < 1;
}

const pgb_estimator_class PGB_KERNEL(pgb_estimator_gae) = {
    .name = "gae",
    .title = "generalised advantage estimation with the baseline as V",
    .formula = "g = sum_t gamma^t psi_t A_t,  A_t = delta_t + gamma lambda A_{t+1},  delta_t = r_t + gamma "
               "V(s_{t+1}) "
               "- V(s_t); V = 0 without a baseline and after the last step",
    .bias = "unbiased if lambda = 1 or V = V^pi; else biased by the error of V",
    .source = "Schulman et al. 2016, arXiv:1506.02438, equation 16",
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .params_size = sizeof(pgb_gae),
    .weights = weights,
    .biased = biased,
};

/* SPDX-License-Identifier: MIT */
#include "estimator/estimator.h"

/* Every score is weighted by the whole return, or by the return less the value of the first state. */
static void weights(const void *params, double gamma, const pgb_rollout *r, const double *value, float *w) {
  (void)params;
  (void)gamma;
  double advantage[PGB_LANES] = {0};
  for (size_t t = 0; t < r->rows; t++) {
    const size_t at = t * PGB_LANES;
    PGB_LANE_LOOP
    for (size_t i = 0; i < PGB_LANES; i++) {
      const double now = r->togo[at + i] - (value != NULL ? value[at + i] : 0.0);
      advantage[i] = r->step[at + i] == 0 ? now : advantage[i];
      w[at + i] = r->end[at + i] == PGB_IDLE ? 0.0f : (float)advantage[i];
    }
  }
}

static void ones(double gamma, const pgb_rollout *r, float *w) {
  (void)gamma;
  const size_t size = r->rows * PGB_LANES;
  PGB_LANE_LOOP
  for (size_t at = 0; at < size; at++)
    w[at] = r->end[at] == PGB_IDLE ? 0.0f : 1.0f;
}

static bool biased(const void *params, double gamma, size_t horizon, bool value_exact) {
  (void)params;
  (void)gamma;
  (void)horizon;
  (void)value_exact;
  return false;
}

const pgb_estimator_class PGB_KERNEL(pgb_estimator_reinforce) = {
    .name = "reinforce",
    .title = "REINFORCE: the whole return weights every score",
    .formula = "g = (G_0 - b) sum_t psi_t",
    .bias =
        "unbiased for any b that does not depend on the episode's own actions; value stands for b = V(s_0)",
    .source = "Williams 1992, doi:10.1007/BF00992696, theorem 1",
    .weights = weights,
    .ones = ones,
    .biased = biased,
};

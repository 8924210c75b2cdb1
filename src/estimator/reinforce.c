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

const pgb_estimator_class PGB_KERNEL(pgb_estimator_reinforce) = {
    .name = "reinforce",
    .title = "REINFORCE: the whole return weights every score",
    .formula = "g = (G_0 - b) sum_t psi_t",
    .bias =
        "unbiased for any b that does not depend on the episode's own actions; value stands for b = V(s_0)",
    .source = "Williams 1992, doi:10.1007/BF00992696, theorem 1",
    .weights = weights,
    .ones = PGB_KERNEL(pgb_ones_flat),
    .flat = true,
    .whole = true,
};

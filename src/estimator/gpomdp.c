/* SPDX-License-Identifier: MIT */
#include "estimator/discount.h"
#include "estimator/estimator.h"

static void weights(const void *params, double gamma, const pgb_rollout *r, const double *value, float *w) {
  (void)params;
  double discount[PGB_LANES] = {0};
  for (size_t t = 0; t < r->rows; t++) {
    const size_t at = t * PGB_LANES;
    const double *togo = r->togo + at; /* 0 on idle lanes */
    advance(gamma, r, t, discount, discount);
    if (value == NULL) {
      PGB_LANE_LOOP
      for (size_t i = 0; i < PGB_LANES; i++)
        w[at + i] = (float)(discount[i] * togo[i]);
    } else {
      PGB_LANE_LOOP
      for (size_t i = 0; i < PGB_LANES; i++) {
        const double weight = discount[i] * (togo[i] - value[at + i]);
        w[at + i] = r->end[at + i] == PGB_IDLE ? 0.0f : (float)weight;
      }
    }
  }
}

const pgb_estimator_class PGB_KERNEL(pgb_estimator_gpomdp) = {
    .name = "gpomdp",
    .title = "G(PO)MDP: each score is weighted by the discounted reward-to-go",
    .formula = "g = sum_t gamma^t psi_t (G_t - b_t(s_t)),  G_t = sum_{k>=t} gamma^(k-t) r_k",
    .bias = "unbiased for any b_t(s) that does not depend on the episode's own actions",
    .source = "Baxter and Bartlett 2001, doi:10.1613/jair.806; Sutton et al. 2000 (policy gradient theorem)",
    .aliases = "reward-to-go|vpg", /* the latter is OpenAI Spinning Up's, of its gradient with a baseline */
    .weights = weights,
    .ones = PGB_KERNEL(pgb_ones_discounted),
};

/* SPDX-License-Identifier: MIT */
/* Compiled once per instruction set: what constant baselines multiply. */
#include "estimator/discount.h"
#include "estimator/estimator.h"

void PGB_KERNEL(pgb_ones_flat)(double gamma, const pgb_rollout *r, float *w) {
  (void)gamma;
  const size_t size = r->rows * PGB_LANES;
  PGB_LANE_LOOP
  for (size_t at = 0; at < size; at++)
    w[at] = r->end[at] == PGB_IDLE ? 0.0f : 1.0f;
}

void PGB_KERNEL(pgb_ones_discounted)(double gamma, const pgb_rollout *r, float *w) {
  double discount[PGB_LANES] = {0};
  for (size_t t = 0; t < r->rows; t++) {
    const size_t at = t * PGB_LANES;
    advance(gamma, r, t, discount, discount);
    PGB_LANE_LOOP
    for (size_t i = 0; i < PGB_LANES; i++)
      w[at + i] = r->end[at + i] == PGB_IDLE ? 0.0f : (float)discount[i];
  }
}

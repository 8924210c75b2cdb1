/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_ESTIMATOR_DISCOUNT_H
#define PGB_ESTIMATOR_DISCOUNT_H

#include "rollout/rollout.h"

/* gamma^t of every lane at row t from that of the row before, by the products that r->discount holds too; any
 * finite number on idle lanes. Any finite `before` will do for a first row. Most rows begin no episode and
 * need no look at their steps. */
static inline void advance(double gamma, const pgb_rollout *r, size_t t, const double *before,
                           double *discount) {
  const int32_t *step = r->step + t * PGB_LANES;
  if (r->starts[t] == 0) {
    PGB_LANE_LOOP
    for (size_t i = 0; i < PGB_LANES; i++)
      discount[i] = before[i] * gamma;
    return;
  }
  PGB_LANE_LOOP
  for (size_t i = 0; i < PGB_LANES; i++)
    discount[i] = step[i] == 0 ? 1.0 : before[i] * gamma;
}

#endif

/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_ESTIMATOR_DISCOUNT_H
#define PGB_ESTIMATOR_DISCOUNT_H

#include "core/simd.h"

#include <stdint.h>

/* gamma^t of every lane from that of the row before, by the products that r->discount holds too. Any finite
 * `before` will do for a first row. */
static inline void advance(double gamma, const int32_t *step, const double *before, double *discount) {
  PGB_LANE_LOOP
  for (size_t i = 0; i < PGB_LANES; i++)
    discount[i] = step[i] == 0 ? 1.0 : before[i] * gamma;
}

#endif

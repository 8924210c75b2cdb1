/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_POLICY_LANE_DOT_H
#define PGB_POLICY_LANE_DOT_H

#include "core/simd.h"

#include <stddef.h>

/* Weighted sums of observation rows for all lanes, in the order of the rows. */

/* Terms that one pass over the lanes adds: the sum stays in a register, and so do the weights. */
enum { LANE_TERMS = 4 };

static inline size_t lane_terms(size_t n, size_t k) {
  return n - k < LANE_TERMS ? n - k : LANE_TERMS;
}

static inline void lane_start(float first, float *sum) {
  for (size_t i = 0; i < PGB_LANES; i++)
    sum[i] = first;
}

/* sum += w[0] x[0] + ... + w[n-1] x[n-1], n <= LANE_TERMS. */
static inline void lane_add(const float *w, const float *x, size_t n, float *sum) {
  const float *x1 = x + PGB_LANES, *x2 = x1 + PGB_LANES, *x3 = x2 + PGB_LANES;
  if (n == 4) {
    const float w0 = w[0], w1 = w[1], w2 = w[2], w3 = w[3];
    PGB_LANE_LOOP
    for (size_t i = 0; i < PGB_LANES; i++)
      sum[i] = (((sum[i] + w0 * x[i]) + w1 * x1[i]) + w2 * x2[i]) + w3 * x3[i];
  } else if (n == 3) {
    const float w0 = w[0], w1 = w[1], w2 = w[2];
    PGB_LANE_LOOP
    for (size_t i = 0; i < PGB_LANES; i++)
      sum[i] = ((sum[i] + w0 * x[i]) + w1 * x1[i]) + w2 * x2[i];
  } else {
    for (size_t k = 0; k < n; k++) {
      const float c = w[k];
      const float *row = x + k * PGB_LANES;
      PGB_LANE_LOOP
      for (size_t i = 0; i < PGB_LANES; i++)
        sum[i] += c * row[i];
    }
  }
}

/* out = first + w . x, x: [n][lanes]. */
static inline void lane_dot(const float *w, float first, const float *x, size_t n, float *out) {
  lane_start(first, out);
  for (size_t k = 0; k < n; k += LANE_TERMS)
    lane_add(w + k, x + k * PGB_LANES, lane_terms(n, k), out);
}

#endif

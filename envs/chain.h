/* SPDX-License-Identifier: MIT */
#ifndef PGB_ENVS_CHAIN_H
#define PGB_ENVS_CHAIN_H

#include "core/option.h"

/* horizon independent bandit steps that share the policy's parameters: r_t = mean[a] + noise[a] * N(0, 1).
 * The one observation is context 0. */
typedef struct pgb_chain {
  pgb_array mean, noise; /* [K]; noise a scalar or [K], as given */
  int64_t horizon;
  size_t arms;
  bool noisy;                          /* any noise above 0 */
  const float *mean_lane, *noise_lane; /* [K] */
  const double *noise_sd;              /* [K] */
} pgb_chain;

#endif

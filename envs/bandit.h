/* SPDX-License-Identifier: MIT */
#ifndef PGB_ENVS_BANDIT_H
#define PGB_ENVS_BANDIT_H

#include "core/option.h"

/* One step, K arms: r = mean[a] + noise[a] * N(0, 1). The one observation is context 0. */
typedef struct pgb_bandit {
  pgb_array mean, noise; /* [K]; noise a scalar or [K], as given                */
  size_t arms;
  bool noisy;                          /* any noise above 0 */
  const float *mean_lane, *noise_lane; /* [K] what step reads */
  const double *noise_sd;              /* [K] standard deviation of each arm, broadcast */
} pgb_bandit;

#endif

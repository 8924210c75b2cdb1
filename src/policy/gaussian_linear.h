/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_POLICY_GAUSSIAN_LINEAR_H
#define PGB_POLICY_GAUSSIAN_LINEAR_H

#include "core/option.h"

/* a_i = gain * sum_k theta[i][k] obs_k + sigma_i eps_i, i < m, k < n. theta is row by row [m][n]; with
 * learn_sigma m more parameters follow, log sigma_i, and the option sigma is only where they start. */
typedef struct pgb_gaussian_linear {
  pgb_array sigma; /* scalar or [m], as given: standard deviations */
  bool learn_sigma;
  size_t n, m, n_theta, n_parts;
  double gain;                     /* +1, or -1 where the field writes u = -K x (lqr) */
  const double *sd;                /* [m] sigma, broadcast                           */
  const struct linear_part *parts; /* [n_parts] what the parameters multiply (contract_linear.h) */
} pgb_gaussian_linear;

#endif

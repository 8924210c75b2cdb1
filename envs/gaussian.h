/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_ENVS_GAUSSIAN_H
#define PGB_ENVS_GAUSSIAN_H

#include "core/option.h"

/* One step: observe x (1, or N(0, 1) with context normal), act a in R^dim, r = -(curvature/2) |a - target
 * x|^2 + noise * N(0, 1). With gaussian-linear, a = theta x + sigma eps: theta is [dim] (one column, x a
 * scalar). */
typedef struct pgb_gaussian {
  double curvature, noise;
  pgb_array target; /* scalar or [dim], as given */
  int64_t dim;
  const char *context; /* "none" or "normal" */
  bool random_context;
  const double *c;     /* [dim] target, broadcast */
  const float *c_lane; /* the same, as step reads it */
} pgb_gaussian;

#endif

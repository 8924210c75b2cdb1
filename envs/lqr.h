/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_ENVS_LQR_H
#define PGB_ENVS_LQR_H

#include "core/option.h"

/* x' = A x + B u + w, w ~ N(0, W); r = -(x' Q x + u' R u) at (x_t, u_t), t = 0..horizon-1; x_0 ~ N(start,
 * S0), or fixed at start where S0 is not given, N(0, S0) where start is not given. n states, m controls. */
typedef struct pgb_lqr {
  pgb_array a, b, q, r, w, s0,
      start; /* [n][n] [n][m] [n][n] [m][m] [n][n] [n][n] [n]; q, r, w, s0 symmetric */
  int64_t horizon;
  size_t n, m;
  const double *mean0;                            /* [n] mean of x_0                                  */
  const double *cov0;                             /* [n][n] covariance of x_0, zeros where it is fixed */
  const double *cov_w;                            /* [n][n] W, zeros where not given                  */
  const float *a_lane, *b_lane, *q_lane, *r_lane; /* row-major, what step reads */
  const float *root_w, *root0;                    /* [n][n] lower Cholesky factors of W and S0 */
  const float *mean0_lane;
} pgb_lqr;

#endif

/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_ORACLE_LQR_MOMENTS_H
#define PGB_ORACLE_LQR_MOMENTS_H

#include "oracle/lqr_model.h"

/* Moments of one episode. With the advantage to go G_t = delta_t + gamma lambda G_{t+1}, delta_t = r_t +
 * gamma V_{t+1}(x_{t+1}) - V_t(x_t), V_T = 0: S = sum_t omega^t psi_t        X = sum_t omega^t psi_t G_t R =
 * G_0 For lambda = 1, G_t = (reward to go) - V_t(x_t). */
typedef struct pgb_lqr_signal {
  const pgb_value *value; /* V, quadratic; NULL: V = level at every step before the last */
  double level, lambda, omega;
  bool score, weighted; /* wanted: the moments of (S, R), of X, or of all three       */
} pgb_lqr_signal;

/* Expectations of one component; E[S] = 0. Those of a part that was not wanted are 0. */
typedef struct pgb_lqr_joint {
  double ss, rs, rrs, rss, rrss; /* E[S^2], E[R S], E[R^2 S], E[R S^2], E[R^2 S^2] */
  double x, rx, xx;              /* E[X], E[R X], E[X^2]                           */
  double xs, rxs;                /* E[X S], E[R X S]                               */
} pgb_lqr_joint;

typedef struct pgb_lqr_moments pgb_lqr_moments;

/* *out = NULL where the recursion would be too long or too large: not known. The model must outlive it. */
pgb_status pgb_lqr_moments_open(const pgb_lqr_model *model, pgb_arena *arena,
                                pgb_lqr_moments **out) PGB_MUST_CHECK;
/* joint [n_theta], E[R], and E[G_t^2] of every step in square [T]. */
void pgb_lqr_moments_run(pgb_lqr_moments *moments, const pgb_lqr_signal *signal, pgb_lqr_joint *joint,
                         double *r, double *square);

#endif

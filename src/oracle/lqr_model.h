/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_ORACLE_LQR_MODEL_H
#define PGB_ORACLE_LQR_MODEL_H

#include "envs/lqr.h"
#include "oracle/oracle.h"

/* The closed loop x' = (A + B F) x + B eta + w with u = F x + eta, F = gain * theta, and what it is worth.
 * n states, m controls, T = horizon. All arrays live in the arena of open. */
typedef struct pgb_lqr_model {
  size_t n, m, n_theta, horizon;
  double gamma, gain;
  const pgb_lqr *env;
  bool learn_sigma;
  const double *feedback;        /* [m][n] F                                                          */
  const double *sd;              /* [m] of eta                                                        */
  const double *closed;          /* [n][n] A + B F                                                    */
  const double *noise;           /* [n][n] covariance of B eta + w                                    */
  const double *mean;            /* [T + 1][n] expected state                                         */
  const double *cov;             /* [T][n][n] covariance of the state                                  */
  const double *constant, *quad; /* [T + 1], [T + 1][n][n]: V^pi_t = constant + x' quad x, 0 at T */
  double j;
  const double *gradient; /* [n_theta]                                                         */
} pgb_lqr_model;

pgb_status pgb_lqr_model_open(const pgb_problem *problem, pgb_arena *arena,
                              pgb_lqr_model *out) PGB_MUST_CHECK;
/* Zeroed doubles in the arena. */
pgb_status pgb_lqr_numbers(pgb_arena *arena, size_t count, double **out) PGB_MUST_CHECK;
/* second [n][n] = E x_t x_t'. */
void pgb_lqr_second(const pgb_lqr_model *model, size_t t, double *second);
/* gradient [n_theta] += power * E[psi_t G_t], G_t the reward to go; work: 2 m n. */
void pgb_lqr_gradient_add(const pgb_lqr_model *model, size_t t, double power, const double *second,
                          double *work, double *gradient);
/* tr(a b), [n][n]. */
double pgb_lqr_trace(const double *a, const double *b, size_t n);

#endif

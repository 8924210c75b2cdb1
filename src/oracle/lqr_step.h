/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_ORACLE_LQR_STEP_H
#define PGB_ORACLE_LQR_STEP_H

#include "oracle/lqr_model.h"

/* The baseline time-mean, b_{i,t} = mean over the other episodes j of G_{j,t}. Centred at mu_t = E G_t, a
 * batch of N is (1/N) sum_i sum_t omega^t psi_{i,t} (G_{i,t} - mu_t) - (1/N(N-1)) sum_{i != j} sum_t omega^t
 * psi_{i,t} (G_{j,t} - mu_t), whose parts do not correlate since E psi = 0, and the second has the variance
 * extra / (N (N-1)), extra = sum_t omega^2t E[psi_t^2] Var G_t + sum_{t,u} omega^(t+u) E[psi_t G_u] E[psi_u
 * G_t]. */
typedef struct pgb_lqr_step pgb_lqr_step;

/* *out = NULL where the T^2 pairs of steps are too many. */
pgb_status pgb_lqr_step_open(const pgb_lqr_model *model, pgb_arena *arena, pgb_lqr_step **out) PGB_MUST_CHECK;
/* mu_t of every step, as a value without a quadratic part. */
const pgb_value *pgb_lqr_step_mean(const pgb_lqr_step *step);
/* extra [n_theta] from Var G_t in square [T]. */
void pgb_lqr_step_extra(pgb_lqr_step *step, double omega, const double *square, double *extra);

#endif

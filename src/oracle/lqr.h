/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_ORACLE_LQR_H
#define PGB_ORACLE_LQR_H

#include "oracle/oracle.h"

/* The linear-quadratic regulator of envs/lqr.h under a linear Gaussian policy. Known exactly for any start,
 * fixed or random: J, its gradient, V^pi; per component the mean and variance of reinforce, gpomdp,
 * gpomdp-undiscounted and gae with any quadratic V, with none, mean, loo, constant, time-mean (not gae) and
 * value baselines. The moments come from a recursion over polynomials in the state (lqr_moments.h) and are
 * "not known" where that would take minutes. */
extern const pgb_oracle_class pgb_oracle_lqr;

#endif

/* SPDX-License-Identifier: MIT */
/* For maintainers. */
#ifndef PGB_ORACLE_MDP_H
#define PGB_ORACLE_MDP_H

#include "oracle/oracle.h"

/* Exact answers for any finite problem of T steps under a tabular softmax policy: the oracle of mdp, and of
 * chain as a problem of one state. Nothing is enumerated. The score of parameter (s, a) is zero outside state
 * s, and E[psi_t | s_t] = 0; a second moment of sums over steps is therefore a sum over single visits to s
 * and over pairs of visits, and what lies between two visits enters through its mean alone. Cost: T S^3 once
 * (S^2 times the non-zero transitions of a row), T^2 S A for each estimator; gae with a table V costs T S^3 A
 * for each (V, lambda). */
typedef struct pgb_tabular_problem {
  size_t states, actions, horizon;
  double gamma;
  const double *theta;      /* [S][A]                                 */
  const double *transition; /* [S][A][S], borrowed                    */
  const double *reward;     /* [S][A], borrowed                       */
  const double *noise2;     /* [S][A] variance of the reward, borrowed */
  const double *start;      /* [S], borrowed                          */
} pgb_tabular_problem;

typedef struct pgb_tabular pgb_tabular;

/* Everything lives in the arena, also what later calls keep for the next. */
pgb_status pgb_tabular_open(const pgb_tabular_problem *problem, pgb_arena *arena,
                            pgb_tabular **out) PGB_MUST_CHECK;

/* As the functions of pgb_oracle_class; state is a pgb_tabular. */
bool pgb_tabular_gradient(const void *state, double *j, double *gradient);
bool pgb_tabular_value(const void *state, pgb_value *out);
bool pgb_tabular_constant(void *state, const pgb_estimator_class *estimator, bool component, double *b);
bool pgb_tabular_moments(void *state, const pgb_pair *pair, size_t batch, double *mean, double *variance);

/* State-time baselines b_t(s) into table[T][S] for gpomdp and gpomdp-undiscounted; false for other
 * estimators. score_weighted: E[|psi|^2 G_t | s_t = s] / E[|psi|^2 | s_t = s] (Greensmith et al. 2004), which
 * ignores that steps share parameters. optimal: the minimum of the trace over all b_t(s), cross-time terms
 * included; the trace of any b exceeds it by sum_t sum_s w_t^2 d_t(s) E[|psi|^2 | s] (b - b*)^2. Where a
 * state is never met, V. */
bool pgb_tabular_score_weighted(void *state, const pgb_estimator_class *estimator, double *table);
bool pgb_tabular_optimal(void *state, const pgb_estimator_class *estimator, double *table);

/* The same two with one number per state for all steps, b(s), repeated in every row of the table: minimum of
 * the single visits' variance, and of the trace. */
bool pgb_tabular_score_weighted_state(void *state, const pgb_estimator_class *estimator, double *table);
bool pgb_tabular_optimal_state(void *state, const pgb_estimator_class *estimator, double *table);

/* As pgb_oracle_class.state_baseline. */
bool pgb_tabular_state_baseline(void *state, const pgb_estimator_class *estimator, pgb_state_baseline which,
                                pgb_value *out);

#endif

/* SPDX-License-Identifier: MIT */
/* For users of the library. */
#ifndef PGB_ORACLE_ORACLE_H
#define PGB_ORACLE_ORACLE_H

#include "baseline/baseline.h"
#include "core/mem.h"
#include "estimator/estimator.h"
#include "rollout/rollout.h"
#include "rollout/value.h"

/* Exact answers for the problems that theory covers. An oracle is a table of functions over a problem; every
 * answer is a pure function of it, computed in double. "Not known" is an answer (false), never an error. The
 * mathematics and the golden values are those of the sources named by each class. */
typedef struct pgb_problem {
  const char *env, *policy; /* class names                                        */
  const void *env_params, *policy_params;
  pgb_space space;
  size_t n_theta;
  const double *theta; /* [n_theta], exactly the float32 values that the rollouts use */
  double gamma;
} pgb_problem;

typedef struct pgb_oracle pgb_oracle;

/* One (estimator, baseline) pair, by class and options. value: what a PGB_BASELINE_VALUE pair uses as V, else
 * NULL. constant: the fixed b (all entries equal) or b_k of a PGB_BASELINE_CONSTANT pair [n_theta], else
 * NULL. */
typedef struct pgb_pair {
  const pgb_estimator_class *estimator;
  const void *estimator_params;
  const pgb_baseline_class *baseline;
  const pgb_value *value;
  const double *constant;
} pgb_pair;

/* Baselines b_t(s) that the dynamics decide. */
typedef enum pgb_state_baseline {
  PGB_STATE_SCORE_WEIGHTED, /* E[|psi|^2 G_t | s] / E[|psi|^2 | s], as if steps shared no parameters */
  PGB_STATE_OPTIMAL,        /* the minimum of the trace over all b_t(s)                              */
} pgb_state_baseline;

typedef struct pgb_oracle_class {
  const char *name, *source;
  bool (*fits)(const pgb_problem *problem);
  /* State of the oracle (caches) into *state, all in the arena. */
  pgb_status (*open)(const pgb_problem *problem, pgb_arena *arena, void **state);
  /* J and grad J [n_theta]. */
  bool (*gradient)(const void *state, double *j, double *gradient);
  /* V^pi, arrays inside the state. */
  bool (*value)(const void *state, pgb_value *out);
  /* b* (component false: all entries equal) or b_k* (true), minimising the variance of the estimator;
   * [n_theta]. */
  bool (*constant)(void *state, const pgb_estimator_class *estimator, bool component, double *b);
  /* Expectation and variance per component of the batch estimate of `batch` episodes. */
  bool (*moments)(void *state, const pgb_pair *pair, size_t batch, double *mean, double *variance);
  /* Best b_t(s) for the estimator, arrays in the state's arena; NULL where the oracle has none. */
  bool (*state_baseline)(void *state, const pgb_estimator_class *estimator, pgb_state_baseline which,
                         pgb_value *out);
} pgb_oracle_class;

/* The oracle of a problem, or *out = NULL where there is none. Everything it allocates lives in the arena. */
pgb_status pgb_oracle_open(const pgb_problem *problem, pgb_arena *arena, pgb_oracle **out) PGB_MUST_CHECK;
const char *pgb_oracle_name(const pgb_oracle *oracle); /* "none" for NULL */

/* All accept oracle NULL (not known). */
bool pgb_oracle_gradient(const pgb_oracle *oracle, double *j, double *gradient);
bool pgb_oracle_value(const pgb_oracle *oracle, pgb_value *out);
bool pgb_oracle_constant(const pgb_oracle *oracle, const pgb_estimator_class *estimator, bool component,
                         double *b);
bool pgb_oracle_moments(const pgb_oracle *oracle, const pgb_pair *pair, size_t batch, double *mean,
                        double *variance);
bool pgb_oracle_state_baseline(const pgb_oracle *oracle, const pgb_estimator_class *estimator,
                               pgb_state_baseline which, pgb_value *out);

#endif

/* SPDX-License-Identifier: MIT */
/* For users of the library. */
#ifndef PGB_ROLLOUT_VALUE_H
#define PGB_ROLLOUT_VALUE_H

#include "rollout/rollout.h"

/* A state value V(s, t) = E[G_t | s_t = s] or an approximation of it, as plain data. After the last step it
 * is 0 by definition, at a terminal state and at the time limit alike: J is the return up to the horizon. */
typedef enum pgb_value_kind {
  PGB_VALUE_TABLE,     /* table[t][s]                     discrete observations            */
  PGB_VALUE_QUADRATIC, /* constant[t] + x' quad[t] x      continuous observations          */
  PGB_VALUE_FEATURES,  /* coefficient . features(x, t)    pgb_value_features               */
} pgb_value_kind;

typedef struct pgb_value {
  pgb_value_kind kind;
  size_t horizon, n_obs, n_contexts;
  const double *table;       /* [horizon][n_contexts]                */
  const double *constant;    /* [horizon]                            */
  const double *quad;        /* [horizon][n_obs][n_obs], symmetric   */
  const double *coefficient; /* [pgb_value_feature_count]            */
} pgb_value;

/* V of every step into out[rows][lanes]; 0 on idle lanes. */
typedef void pgb_value_eval_fn(const pgb_value *value, const pgb_rollout *rollout, double *out);
pgb_value_eval_fn *pgb_value_eval(pgb_isa isa);

/* Features of the linear baseline, rllab's LinearFeatureBaseline (Duan et al. 2016, rllab@ba78e4c
 * linear_feature_baseline.py): o, o^2 with o clipped to [-10, 10], then u, u^2, u^3, 1 with u = t/100. A
 * discrete observation enters as its indicator vector. out: [count]. */
#define PGB_STEP_UNIT 0.01 /* of u */
size_t pgb_value_feature_count(size_t n_obs, size_t n_contexts);
void pgb_value_features(const double *obs, size_t n_obs, size_t n_contexts, double t, double *out);

#endif

/* SPDX-License-Identifier: MIT */
#include "oracle/batch.h"
#include "oracle/mdp_model.h"

/* Baselines that depend on state and time. For b = V + e the trace is its value at V plus
 * sum_t sum_s [Z_t(s) e_t(s)^2 - 2 L_t(s) e_t(s)]: the Hessian is diagonal, because E[psi_t psi_u b_t b_u] =
 * 0 for t != u; so every e_t(s) has its own optimum L/Z (Greensmith et al. 2004 for one step, with the
 * cross-time terms of shared parameters added; Kirk 2022, arXiv:2212.13587). */

typedef enum rule { ALONE, TOGETHER } rule;

/* Z and L of one state and step; ALONE leaves the cross-time terms out. */
static void quadratic(const pgb_tabular *o, const pgb_family *f, rule which, size_t t, size_t s, double *z,
                      double *l) {
  const double own = f->weight[t] * f->weight[t] * o->d[t * o->s + s];
  *z = *l = 0;
  for (size_t k = s * o->a; k < (s + 1) * o->a; k++) {
    *z += own * o->m0[k];
    *l += which == ALONE ? own * o->m1[k * o->t + t] : f->line[k * o->t + t];
  }
}

static pgb_family *family(pgb_tabular *o, const pgb_estimator_class *estimator) {
  const pgb_estimator_kind kind = pgb_estimator_what(estimator);
  pgb_family *f = NULL;
  if (kind != PGB_ESTIMATOR_GPOMDP && kind != PGB_ESTIMATOR_UNDISCOUNTED)
    return NULL;
  return pgb_tabular_family(o, kind == PGB_ESTIMATOR_GPOMDP ? o->of.gamma : 1, &f) ? f : NULL;
}

static bool by_time(pgb_tabular *o, const pgb_estimator_class *estimator, rule which, double *table) {
  const pgb_family *f = family(o, estimator);
  for (size_t t = 0; f != NULL && t < o->t; t++)
    for (size_t s = 0; s < o->s; s++) {
      double z, l;
      quadratic(o, f, which, t, s, &z, &l);
      table[t * o->s + s] = o->v[t * o->s + s] + (z > 0 ? l / z : 0);
    }
  return f != NULL;
}

/* One number for all steps of a state: the minimum of sum_t [Z_t (b - V_t)^2 - 2 L_t (b - V_t)]. */
static bool by_state(pgb_tabular *o, const pgb_estimator_class *estimator, rule which, double *table) {
  const pgb_family *f = family(o, estimator);
  for (size_t s = 0; f != NULL && s < o->s; s++) {
    double top = 0, bottom = 0;
    for (size_t t = 0; t < o->t; t++) {
      double z, l;
      quadratic(o, f, which, t, s, &z, &l);
      top += l + z * o->v[t * o->s + s];
      bottom += z;
    }
    for (size_t t = 0; t < o->t; t++)
      table[t * o->s + s] = bottom > 0 ? top / bottom : o->v[t * o->s + s];
  }
  return f != NULL;
}

bool pgb_tabular_score_weighted(void *state, const pgb_estimator_class *estimator, double *table) {
  return by_time(state, estimator, ALONE, table);
}

bool pgb_tabular_optimal(void *state, const pgb_estimator_class *estimator, double *table) {
  return by_time(state, estimator, TOGETHER, table);
}

bool pgb_tabular_score_weighted_state(void *state, const pgb_estimator_class *estimator, double *table) {
  return by_state(state, estimator, ALONE, table);
}

bool pgb_tabular_optimal_state(void *state, const pgb_estimator_class *estimator, double *table) {
  return by_state(state, estimator, TOGETHER, table);
}

bool pgb_tabular_state_baseline(void *state, const pgb_estimator_class *estimator, pgb_state_baseline which,
                                pgb_value *out) {
  pgb_tabular *o = state;
  double *table = NULL;
  if (pgb_doubles(o->arena, o->t * o->s, &table).code != PGB_OK)
    return false;
  *out =
      (pgb_value){.kind = PGB_VALUE_TABLE, .horizon = o->t, .n_obs = 1, .n_contexts = o->s, .table = table};
  return by_time(o, estimator, which == PGB_STATE_SCORE_WEIGHTED ? ALONE : TOGETHER, table);
}

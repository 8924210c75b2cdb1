/* SPDX-License-Identifier: MIT */
#include "estimator/gae.h"
#include "oracle/batch.h"
#include "oracle/mdp_model.h"

#include <string.h>

/* Which moments answer which pair. */

bool pgb_tabular_gradient(const void *state, double *j, double *gradient) {
  const pgb_tabular *o = state;
  *j = o->j;
  for (size_t k = 0; k < o->p; k++) { /* policy gradient theorem, Sutton et al. 2000 */
    gradient[k] = 0;
    for (size_t t = 0; t < o->t; t++)
      gradient[k] += o->discount[t] * o->d[t * o->s + k / o->a] * o->g1[k * o->t + t];
  }
  return true;
}

bool pgb_tabular_value(const void *state, pgb_value *out) {
  const pgb_tabular *o = state;
  *out = (pgb_value){.kind = PGB_VALUE_TABLE, .horizon = o->t, .n_obs = 1, .n_contexts = o->s, .table = o->v};
  return true;
}

static bool family_of(pgb_tabular *o, pgb_estimator_kind kind, pgb_family **f) {
  return pgb_tabular_family(o, kind == PGB_ESTIMATOR_GPOMDP ? o->of.gamma : 1, f);
}

/* b* = argmin sum_k Var(A_k - b S_k) = E[A.S]/E|S|^2 as J + E[(A - J S).S]/E|S|^2 (Greensmith et al. 2004).
 */
bool pgb_tabular_constant(void *state, const pgb_estimator_class *estimator, bool component, double *b) {
  pgb_tabular *o = state;
  const pgb_estimator_kind kind = pgb_estimator_what(estimator);
  pgb_family *f = NULL;
  double top = 0, bottom = 0;
  if (kind == PGB_ESTIMATOR_GAE || kind == PGB_ESTIMATOR_OTHER || !family_of(o, kind, &f))
    return false;
  for (size_t k = 0; k < o->p; k++) {
    double as = f->yyr[k];
    for (size_t t = 0; t < o->t && kind != PGB_ESTIMATOR_REINFORCE; t++) {
      const double z = f->weight[t] * f->weight[t] * o->d[t * o->s + k / o->a] * o->m0[k];
      as = (t == 0 ? 0 : as) + f->line[k * o->t + t] + z * (o->v[t * o->s + k / o->a] - o->j);
    }
    top += as;
    bottom += f->yy[k];
    b[k] = o->j + (f->yy[k] > 0 ? as / f->yy[k] : 0);
  }
  for (size_t k = 0; k < o->p && !component; k++)
    b[k] = o->j + (bottom > 0 ? top / bottom : 0);
  return true;
}

/* Var(A - sum_t omega^t psi_t b_t) for parameter k, where b = value[T][S], or the constant where value is
 * NULL. */
static double to_go_variance(const pgb_tabular *o, const pgb_family *f, size_t k, const double *value,
                             double b) {
  double second = f->base[k];
  for (size_t t = 0; t < o->t; t++) {
    const size_t at = t * o->s + k / o->a;
    const double e = (value == NULL ? b : value[at]) - o->v[at];
    const double z = f->weight[t] * f->weight[t] * o->d[at] * o->m0[k];
    second += e * (z * e - 2 * f->line[k * o->t + t]);
  }
  return pgb_variance(second, f->mean[k]);
}

static double return_variance(const pgb_tabular *o, const pgb_family *f, size_t k, double b) {
  const double off = o->j - b;
  return pgb_variance(f->yyrr[k] + off * (2 * f->yyr[k] + off * f->yy[k]), f->yr[k]);
}

static pgb_episode episode(const pgb_tabular *o, const pgb_family *f, pgb_estimator_kind kind, size_t k) {
  if (kind == PGB_ESTIMATOR_REINFORCE)
    return pgb_episode_simple(f->yr[k], return_variance(o, f, k, o->j), f->yy[k]);
  return (pgb_episode){
      .a = f->mean[k],
      .var_a = to_go_variance(o, f, k, NULL, o->j),
      .ss = f->yy[k],
      .sr = f->yr[k],
      .cov = f->cross[k] - f->mean[k] * f->yr[k],
      .var_sr = f->yyrr[k] - f->yr[k] * f->yr[k],
  };
}

typedef struct answer {
  size_t batch;
  double *mean, *variance;
  const double *constant;
  double *table; /* [T][S] */
} answer;

static bool reinforce(pgb_tabular *o, pgb_pair_kind pair, const answer *out) {
  pgb_family *f = NULL;
  if (!family_of(o, PGB_ESTIMATOR_REINFORCE, &f))
    return false;
  if (pair == PGB_PAIR_VALUE && !pgb_tabular_return_square(o, f, out->table, out->variance))
    return false;
  for (size_t k = 0; k < o->p; k++) {
    const pgb_episode e = episode(o, f, PGB_ESTIMATOR_REINFORCE, k);
    const double var = pair == PGB_PAIR_VALUE
                           ? pgb_variance(out->variance[k], f->yr[k])
                           : return_variance(o, f, k, pair == PGB_PAIR_CONSTANT ? out->constant[k] : 0);
    out->mean[k] = f->yr[k];
    out->variance[k] = var / (double)out->batch;
    if (pair == PGB_PAIR_LOO || pair == PGB_PAIR_STEP) /* the first step's mean of the others is that of R */
      pgb_batch_loo(&e, o->var_r, out->batch, &out->mean[k], &out->variance[k]);
    if (pair == PGB_PAIR_MEAN)
      pgb_batch_mean(&e, o->var_r, out->batch, &out->mean[k], &out->variance[k]);
  }
  return true;
}

static bool to_go(pgb_tabular *o, pgb_estimator_kind kind, pgb_pair_kind pair, const answer *out) {
  const double n = (double)out->batch;
  pgb_family *f = NULL;
  if (!family_of(o, kind, &f) || (pair == PGB_PAIR_STEP && !pgb_tabular_step(o, f->weight, &f->step)))
    return false;
  const double *value = pair == PGB_PAIR_STEP || pair == PGB_PAIR_VALUE ? out->table : NULL;
  for (size_t k = 0; k < o->p; k++) {
    const double b = pair == PGB_PAIR_CONSTANT ? out->constant[k] : 0;
    if (pair == PGB_PAIR_LOO || pair == PGB_PAIR_MEAN) {
      const pgb_episode e = episode(o, f, kind, k);
      (pair == PGB_PAIR_LOO ? pgb_batch_loo : pgb_batch_mean)(&e, o->var_r, out->batch, &out->mean[k],
                                                              &out->variance[k]);
      continue;
    }
    out->mean[k] = f->mean[k];
    out->variance[k] =
        (to_go_variance(o, f, k, value, b) + (pair == PGB_PAIR_STEP ? f->step[k] / (n - 1) : 0)) / n;
  }
  return true;
}

static bool gae(pgb_tabular *o, double lambda, pgb_pair_kind pair, const answer *out) {
  const double n = (double)out->batch;
  const bool others = pair == PGB_PAIR_STEP;
  pgb_gae_law *law = NULL;
  if (!pgb_tabular_gae(o, lambda, out->table, &law) ||
      (others && !pgb_tabular_step_gae(o, lambda, &law->step)))
    return false;
  for (size_t k = 0; k < o->p; k++) {
    out->mean[k] = law->mean[k];
    out->variance[k] = (law->variance[k] + (others ? law->step[k] / (n - 1) : 0)) / n;
  }
  return true;
}

bool pgb_tabular_moments(void *state, const pgb_pair *pair, size_t batch, double *mean, double *variance) {
  pgb_tabular *o = state;
  const pgb_estimator_kind kind = pgb_estimator_what(pair->estimator);
  const pgb_pair_kind what = pgb_pair_what(pair);
  const bool others = what == PGB_PAIR_LOO || what == PGB_PAIR_STEP;
  pgb_arena *scratch = NULL;
  answer out = {.batch = batch, .mean = mean, .variance = variance, .constant = pair->constant};
  if (what == PGB_PAIR_OTHER || what == PGB_PAIR_NORMALISED || (others && batch < 2))
    return false;
  if (pgb_arena_scratch(o->arena, &scratch).code != PGB_OK)
    return false;
  bool known = pgb_doubles(scratch, o->t * o->s, &out.table).code == PGB_OK;
  if (known && what == PGB_PAIR_VALUE)
    known = pgb_value_tabulate(o->arena, pair->value, o->t, o->s, out.table);
  if (known && what == PGB_PAIR_STEP)
    pgb_tabular_step_means(o, out.table);
  if (known && kind == PGB_ESTIMATOR_REINFORCE)
    known = reinforce(o, what, &out);
  else if (known && kind == PGB_ESTIMATOR_GAE)
    known = gae(o, ((const pgb_gae *)pair->estimator_params)->lambda, what, &out);
  else if (known)
    known = to_go(o, kind, what, &out);
  pgb_arena_destroy(scratch);
  return known;
}

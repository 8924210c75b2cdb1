/* SPDX-License-Identifier: MIT */
#include "oracle/batch.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

pgb_estimator_kind pgb_estimator_what(const pgb_estimator_class *estimator) {
  static const char *const names[] = {"reinforce", "gpomdp", "gpomdp-undiscounted", "gae"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (strcmp(estimator->name, names[i]) == 0)
      return (pgb_estimator_kind)i;
  return PGB_ESTIMATOR_OTHER;
}

static pgb_pair_kind batch_kind(const char *name) {
  static const char *const names[] = {"mean", "loo", "normalised"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (strcmp(name, names[i]) == 0)
      return (pgb_pair_kind)(PGB_PAIR_MEAN + i);
  return PGB_PAIR_OTHER;
}

pgb_pair_kind pgb_pair_what(const pgb_pair *pair) {
  const pgb_estimator_kind estimator = pgb_estimator_what(pair->estimator);
  const bool takes_constant = estimator != PGB_ESTIMATOR_GAE;
  if (estimator == PGB_ESTIMATOR_OTHER)
    return PGB_PAIR_OTHER;
  switch (pair->baseline->kind) {
  case PGB_BASELINE_NONE:
    return PGB_PAIR_NONE;
  case PGB_BASELINE_BATCH:
    return takes_constant ? batch_kind(pair->baseline->name) : PGB_PAIR_OTHER;
  case PGB_BASELINE_CONSTANT:
    return takes_constant ? PGB_PAIR_CONSTANT : PGB_PAIR_OTHER;
  case PGB_BASELINE_VALUE:
    return PGB_PAIR_VALUE;
  case PGB_BASELINE_STEP:
    return PGB_PAIR_STEP;
  }
  return PGB_PAIR_OTHER;
}

pgb_episode pgb_episode_simple(double a, double var_a, double ss) {
  return (pgb_episode){.a = a, .var_a = var_a, .ss = ss, .sr = a, .cov = var_a, .var_sr = var_a};
}

/* Both laws follow from writing R_j = mu + R~_j: the terms S_i R~_j of i != j have mean 0, variance E[S^2]
 * Var R, covariance E[S R]^2 with S_j R~_i and none with anything else, because E[S] = 0 and E[R~] = 0. */
void pgb_batch_loo(const pgb_episode *e, double var_r, size_t n, double *mean, double *variance) {
  assert(n >= 2);
  const double size = (double)n;
  *mean = e->a;
  *variance = (e->var_a + (e->ss * var_r + e->sr * e->sr) / (size - 1)) / size;
}

void pgb_batch_mean(const pgb_episode *e, double var_r, size_t n, double *mean, double *variance) {
  assert(n >= 1);
  const double size = (double)n;
  const double own = e->var_a - 2 * e->cov / size + e->var_sr / (size * size);
  *mean = e->a - e->sr / size;
  *variance = fmax(own, 0) / size + (size - 1) / (size * size * size) * (e->ss * var_r + e->sr * e->sr);
}

double pgb_variance(double second, double mean) {
  const double difference = second - mean * mean;
  return difference <= 16 * DBL_EPSILON * second ? 0 : difference;
}

void pgb_softmax(const double *theta, size_t n, double *p) {
  double top = theta[0];
  for (size_t i = 1; i < n; i++)
    top = fmax(top, theta[i]);
  double sum = 0;
  for (size_t i = 0; i < n; i++)
    sum += p[i] = exp(theta[i] - top);
  for (size_t i = 0; i < n; i++)
    p[i] /= sum;
}

bool pgb_value_tabulate(pgb_arena *arena, const pgb_value *value, size_t horizon, size_t contexts,
                        double *table) {
  if (value->kind == PGB_VALUE_TABLE) {
    if (value->horizon < horizon || value->n_contexts != contexts)
      return false;
    memcpy(table, value->table, horizon * contexts * sizeof *table);
    return true;
  }
  if (value->kind != PGB_VALUE_FEATURES || value->n_contexts != contexts)
    return false;
  const size_t count = pgb_value_feature_count(value->n_obs, contexts);
  pgb_arena *scratch = NULL;
  void *memory = NULL;
  if (pgb_arena_scratch(arena, &scratch).code != PGB_OK)
    return false;
  if (pgb_arena_alloc(scratch, count, sizeof(double), &memory).code != PGB_OK) {
    pgb_arena_destroy(scratch);
    return false;
  }
  double *feature = memory;
  for (size_t t = 0; t < horizon; t++)
    for (size_t s = 0; s < contexts; s++) {
      const double obs = (double)s;
      double v = 0;
      pgb_value_features(&obs, value->n_obs, contexts, (double)t, feature);
      for (size_t i = 0; i < count; i++)
        v += value->coefficient[i] * feature[i];
      table[t * contexts + s] = v;
    }
  pgb_arena_destroy(scratch);
  return true;
}

/* SPDX-License-Identifier: MIT */
#ifndef PGB_TESTS_ORACLE_PATHS_H
#define PGB_TESTS_ORACLE_PATHS_H

#include "oracle_case.h"

/* Random finite problems, and all pairs of one against the second answer. */

enum { MAX_S = 4, MAX_A = 4 };

typedef struct finite {
  size_t s, a, t;
  double gamma, start[MAX_S], transition[MAX_S * MAX_A * MAX_S], reward[MAX_D], sd[MAX_D], theta[MAX_D];
} finite;

/* An estimator, and V in [t][s] or NULL. */
typedef struct wanted {
  const pgb_estimator_class *estimator;
  double lambda;
  const double *value;
} wanted;

static inline void random_finite(finite *f, uint64_t seed, bool noisy) {
  uint32_t at = 1000;
  double all = 0;
  for (size_t s = 0; s < f->s; s++)
    all += f->start[s] = between(seed, at++, 0.1, 1);
  for (size_t s = 0; s < f->s; s++)
    f->start[s] /= all;
  for (size_t k = 0; k < f->s * f->a; k++) {
    all = 0;
    for (size_t n = 0; n < f->s; n++)
      all += f->transition[k * f->s + n] = between(seed, at++, 0, 1);
    for (size_t n = 0; n < f->s; n++)
      f->transition[k * f->s + n] /= all;
    f->reward[k] = between(seed, at++, -2, 2);
    f->theta[k] = between(seed, at++, -1.2, 1.2);
    f->sd[k] = noisy ? between(seed, at++, 0.2, 1) : 0;
  }
}

/* none or any table of V; random constants. */
static inline void check_single(checks *c, const pgb_oracle *o, pgb_second *second, const finite *f,
                                const wanted *w, uint64_t seed) {
  const pgb_gae params = {.lambda = w->lambda};
  const size_t d = f->s * f->a;
  double b[MAX_D];
  pgb_value v = {.kind = PGB_VALUE_TABLE, .horizon = f->t, .n_obs = 1, .n_contexts = f->s, .table = w->value};
  pgb_pair pair = {.estimator = w->estimator, .estimator_params = &params, .baseline = &none};
  if (w->value != NULL) {
    pair.baseline = &value_baseline;
    pair.value = &v;
  }
  check_moments(c, o, second, &pair, 3, d, w->value == NULL ? "none" : "table");
  if (w->value != NULL || w->estimator == &gae)
    return;
  for (size_t k = 0; k < d; k++)
    b[k] = between(seed, (uint32_t)k, -2, 2);
  pair = (pgb_pair){.estimator = w->estimator, .baseline = &optimal, .constant = b};
  check_moments(c, o, second, &pair, 1, d, "constants");
}

/* mean, loo and time-mean against all batches; gae takes no constant, hence time-mean alone. */
static inline void check_batches(checks *c, const pgb_oracle *o, pgb_second *second, const finite *f,
                                 const wanted *w, size_t most) {
  static const pgb_baseline_class *const kinds[] = {&mean_baseline, &loo, &time_mean};
  double mean[MAX_D], var[MAX_D];
  const pgb_gae params = {.lambda = w->lambda};
  for (size_t n = 2; n <= most; n++)
    for (size_t i = 0; i < 3; i++) {
      const pgb_pair pair = {.estimator = w->estimator, .estimator_params = &params, .baseline = kinds[i]};
      if (w->estimator == &gae && i < 2)
        CHECK(c, !pgb_oracle_moments(o, &pair, n, mean, var));
      else
        check_moments(c, o, second, &pair, n, f->s * f->a, kinds[i]->name);
    }
}

#endif

/* SPDX-License-Identifier: MIT */
#ifndef PGB_TESTS_ORACLE_CASE_H
#define PGB_TESTS_ORACLE_CASE_H

#include "check.h"
#include "core/rng.h"
#include "estimator/gae.h"
#include "oracle/oracle.h"
#include "oracle/second.h"

#include <stdlib.h>

/* What the tests of the oracles share; the second answer is the product's own (oracle/second.h). */

static const pgb_estimator_class reinforce = {.name = "reinforce"};
static const pgb_estimator_class gpomdp = {.name = "gpomdp"};
static const pgb_estimator_class undiscounted = {.name = "gpomdp-undiscounted"};
static const pgb_estimator_class gae = {.name = "gae"};
static const pgb_baseline_class none = {.name = "none", .kind = PGB_BASELINE_NONE};
static const pgb_baseline_class mean_baseline = {.name = "mean", .kind = PGB_BASELINE_BATCH};
static const pgb_baseline_class loo = {.name = "loo", .kind = PGB_BASELINE_BATCH};
static const pgb_baseline_class normalised = {.name = "normalised", .kind = PGB_BASELINE_BATCH};
static const pgb_baseline_class optimal = {.name = "optimal", .kind = PGB_BASELINE_CONSTANT};
static const pgb_baseline_class value_baseline = {.name = "value", .kind = PGB_BASELINE_VALUE};
static const pgb_baseline_class time_mean = {.name = "time-mean", .kind = PGB_BASELINE_STEP};

enum { MAX_D = 16, MAX_T = 4 };

/* Uniform in (0, 1), the i-th of a seed. */
static inline double uniform(uint64_t seed, uint32_t i) {
  uint32_t word[4];
  pgb_words(seed, 0, 0, 0, 0, i, word);
  return ((double)word[0] + 0.5) / 4294967296.0;
}

static inline double between(uint64_t seed, uint32_t i, double low, double high) {
  return low + (high - low) * uniform(seed, i);
}

static inline double sum(const double *x, size_t n) {
  double total = 0;
  for (size_t i = 0; i < n; i++)
    total += x[i];
  return total;
}

/* An oracle's answer of one pair against the second one; relative to the size of the whole vector. */
static inline void check_moments(checks *c, const pgb_oracle *oracle, pgb_second *second,
                                 const pgb_pair *pair, size_t batch, size_t d, const char *what) {
  double m[MAX_D], v[MAX_D], mean[MAX_D], var[MAX_D], scale_m = 0, scale_v = 0;
  const bool known =
      pgb_oracle_moments(oracle, pair, batch, m, v) && pgb_second_moments(second, pair, batch, mean, var);
  CHECK(c, known);
  for (size_t k = 0; k < d && known; k++) {
    scale_m = fmax(scale_m, fabs(mean[k]) + sqrt(fabs(var[k])));
    scale_v = fmax(scale_v, fabs(var[k]));
  }
  for (size_t k = 0; k < d && known; k++) {
    check_near(c, m[k], mean[k], 1e-11, 1e-11 * scale_m, what, __FILE__, __LINE__);
    check_near(c, v[k], var[k], 1e-10, 1e-11 * scale_v, what, __FILE__, __LINE__);
  }
}

/* J, its gradient, b* and b_k* of every estimator that takes a constant. */
static inline void check_problem(checks *c, const pgb_oracle *oracle, pgb_second *second, size_t d) {
  static const pgb_estimator_class *const estimators[] = {&reinforce, &gpomdp, &undiscounted};
  double j = 0, g[MAX_D], j2 = 0, g2[MAX_D];
  CHECK(c, pgb_oracle_gradient(oracle, &j, g) && pgb_second_gradient(second, &j2, g2));
  CHECK_NEAR(c, j, j2, 1e-12, 1e-13);
  for (size_t k = 0; k < d; k++)
    CHECK_NEAR(c, g[k], g2[k], 1e-10, 1e-11);
  for (size_t i = 0; i < 3; i++)
    for (int component = 0; component < 2; component++) {
      CHECK(c, pgb_oracle_constant(oracle, estimators[i], component == 1, g) &&
                   pgb_second_constant(second, estimators[i], component == 1, g2));
      for (size_t k = 0; k < d; k++)
        CHECK_NEAR(c, g[k], g2[k], 1e-9, 1e-11);
    }
}

/* Trace of the batch estimate, NaN where the oracle does not know. */
static inline double trace(const pgb_oracle *oracle, const pgb_pair *pair, size_t batch, size_t d) {
  double m[MAX_D], v[MAX_D];
  return pgb_oracle_moments(oracle, pair, batch, m, v) ? sum(v, d) : NAN;
}

#endif

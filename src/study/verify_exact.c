/* SPDX-License-Identifier: MIT */
#include "oracle/second.h"
#include "study/verify_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Oracle against second method, answer by answer. */

static const char *const methods[] = {"none", "enumeration", "quadrature", "quadratic forms"};

typedef struct exact {
  const pgb_study *study;
  pgb_plan plan;
  pgb_second *second;
  double j, *g, *room; /* second's J and gradient [d]; 6 d doubles for answers */
  double *slots;
} exact;

/* One pair of figures, and how large the terms were of which they are made. */
static void compare(exact *e, pgb_verify_what what, size_t pair, size_t batch, size_t k, double oracle,
                    double second, double scale) {
  double off = oracle == second ? 0 : fabs(oracle - second) / scale;
  off = isnan(off) ? INFINITY : off; /* not a number is no answer */
  e->slots[PGB_VERIFY_DIFFERENCE] = fmax(e->slots[PGB_VERIFY_DIFFERENCE], off);
  if (off <= PGB_VERIFY_TOLERANCE || e->slots[PGB_VERIFY_FAILED] != PGB_VERIFY_NOTHING)
    return;
  e->slots[PGB_VERIFY_FAILED] = what;
  e->slots[PGB_VERIFY_FAIL_PAIR] = (double)pair;
  e->slots[PGB_VERIFY_FAIL_BATCH] = (double)batch;
  e->slots[PGB_VERIFY_FAIL_COMPONENT] = (double)k;
  e->slots[PGB_VERIFY_FAIL_ORACLE] = oracle;
  e->slots[PGB_VERIFY_FAIL_SECOND] = second;
}

static double largest(const double *x, size_t n) {
  double m = 0;
  for (size_t i = 0; i < n; i++)
    m = fmax(m, fabs(x[i]));
  return m;
}

static void compare_gradient(exact *e) {
  const size_t d = e->plan.problem.n_theta;
  double j = 0;
  if (!pgb_oracle_gradient(e->plan.oracle, &j, e->room))
    return;
  e->slots[PGB_VERIFY_KNOWN] += 1;
  if (!pgb_second_gradient(e->second, &e->j, e->g))
    return;
  e->slots[PGB_VERIFY_COMPARED] += 1;
  const double scale = fabs(e->j) + largest(e->g, d);
  compare(e, PGB_VERIFY_RETURN, 0, 0, 0, j, e->j, scale);
  for (size_t k = 0; k < d; k++)
    compare(e, PGB_VERIFY_GRADIENT, 0, 0, k, e->room[k], e->g[k], scale);
}

static void compare_constants(exact *e) {
  const size_t d = e->plan.problem.n_theta;
  double *second = e->room + d;
  for (size_t i = 0; i < e->study->n_estimators; i++)
    for (int component = 0; component < 2; component++) {
      const pgb_estimator_class *estimator = e->study->estimators[i].class_;
      if (!pgb_oracle_constant(e->plan.oracle, estimator, component == 1, e->room))
        continue;
      e->slots[PGB_VERIFY_KNOWN] += 1;
      if (!pgb_second_constant(e->second, estimator, component == 1, second))
        continue;
      e->slots[PGB_VERIFY_COMPARED] += 1;
      const double scale = fabs(e->j) + largest(second, d);
      for (size_t k = 0; k < d; k++)
        compare(e, component == 1 ? PGB_VERIFY_COMPONENT : PGB_VERIFY_CONSTANT, i * e->study->n_baselines, 0,
                k, e->room[k], second[k], scale);
    }
}

/* Largest second moment of the components. */
static double size2(const double *mean, const double *variance, size_t d) {
  double m = 0;
  for (size_t k = 0; k < d; k++)
    m = fmax(m, mean[k] * mean[k] + variance[k]);
  return m;
}

/* Of the same estimator without baseline: what cancels where there is one. */
static double cancelled(exact *e, const pgb_pair *pair, size_t batch) {
  const size_t d = e->plan.problem.n_theta;
  const pgb_baseline_class *none = pgb_baseline_find("none");
  double *mean = e->room + 4 * d, *variance = e->room + 5 * d;
  const pgb_pair plain = {
      .estimator = pair->estimator, .estimator_params = pair->estimator_params, .baseline = none};
  if (strcmp(pair->baseline->name, "normalised") == 0 || /* has another unit */
      !pgb_second_moments(e->second, &plain, batch, mean, variance))
    return 0;
  return size2(mean, variance, d);
}

static void compare_pair(exact *e, size_t at, size_t b) {
  const size_t d = e->plan.problem.n_theta, batch = (size_t)e->study->batches[b];
  const pgb_plan_pair *p = &e->plan.pairs[at];
  const pgb_study_estimator *estimator = &e->study->estimators[at / e->study->n_baselines];
  const pgb_pair pair = {.estimator = estimator->class_,
                         .estimator_params = estimator->params,
                         .baseline = e->study->baselines[at % e->study->n_baselines],
                         .value = p->value,
                         .constant = p->constant};
  double *mean = e->room, *variance = mean + d, *mean2 = variance + d, *variance2 = mean2 + d;
  if (!p->defined || batch < pair.baseline->min_batch)
    return;
  const bool known = pgb_oracle_moments(e->plan.oracle, &pair, batch, mean, variance);
  e->slots[PGB_VERIFY_KNOWN] += known ? 1 : 0;
  if (!pgb_second_moments(e->second, &pair, batch, mean2, variance2))
    return;
  e->slots[PGB_VERIFY_COMPARED] += known ? 1 : 0;
  const double scale2 = fmax(size2(mean2, variance2, d), cancelled(e, &pair, batch)), scale = sqrt(scale2);
  for (size_t k = 0; k < d; k++) {
    if (known) {
      compare(e, PGB_VERIFY_MEAN, at, batch, k, mean[k], mean2[k], scale);
      compare(e, PGB_VERIFY_VARIANCE, at, batch, k, variance[k], variance2[k], scale2);
    }
    if (!p->biased)
      compare(e, PGB_VERIFY_UNBIASED, at, batch, k, mean2[k], e->g[k], scale);
  }
}

static pgb_status compare_all(exact *e, pgb_isa isa, pgb_arena *arena) {
  void *room = NULL;
  PGB_TRY(pgb_plan_create(e->study, 0, isa, NULL, arena, &e->plan));
  PGB_TRY(pgb_second_open(&e->plan.problem, arena, &e->second));
  PGB_TRY(pgb_arena_alloc(arena, 7 * e->plan.problem.n_theta, sizeof(double), &room));
  e->room = room;
  e->g = e->room + 6 * e->plan.problem.n_theta;
  for (size_t i = 1; i < sizeof methods / sizeof *methods; i++)
    if (strcmp(methods[i], pgb_second_method(e->second)) == 0)
      e->slots[PGB_VERIFY_METHOD] = (double)i;
  compare_gradient(e);
  compare_constants(e);
  for (size_t at = 0; at < e->plan.n_pairs; at++)
    for (size_t b = 0; b < e->study->n_batches; b++)
      compare_pair(e, at, b);
  return pgb_ok();
}

pgb_status pgb_verify_exact(const pgb_study *study, pgb_isa isa, double *slots) {
  pgb_arena *arena = NULL;
  exact e = {.study = study, .slots = slots};
  PGB_TRY(pgb_arena_create(&arena));
  pgb_status s = compare_all(&e, isa, arena);
  if (s.code == PGB_OK)
    s = pgb_arena_sufficed(arena);
  pgb_arena_destroy(arena);
  return s;
}

void pgb_verify_exact_row(const pgb_study *study, const double *slots, pgb_verify_row *row) {
  static const char *const what[] = {"",     "J",        "gradient",     "optimal", "optimal-component",
                                     "mean", "variance", "unbiased mean"};
  const pgb_verify_what failed = (pgb_verify_what)slots[PGB_VERIFY_FAILED];
  row->method = methods[(size_t)slots[PGB_VERIFY_METHOD]];
  row->known = (size_t)slots[PGB_VERIFY_KNOWN];
  row->compared = (size_t)slots[PGB_VERIFY_COMPARED];
  row->difference = row->compared > 0 ? slots[PGB_VERIFY_DIFFERENCE] : NAN;
  row->ok = failed == PGB_VERIFY_NOTHING && row->known > 0;
  if (row->known == 0)
    (void)snprintf(row->failure, sizeof row->failure, "no oracle answers");
  if (failed == PGB_VERIFY_NOTHING)
    return;
  const size_t pair = (size_t)slots[PGB_VERIFY_FAIL_PAIR], k = (size_t)slots[PGB_VERIFY_FAIL_COMPONENT];
  char where[128] = "";
  if (failed >= PGB_VERIFY_CONSTANT)
    (void)snprintf(where, sizeof where, "%s ", study->estimators[pair / study->n_baselines].label);
  if (failed >= PGB_VERIFY_MEAN)
    (void)snprintf(where, sizeof where,
                   "%s %s batch %zu: ", study->estimators[pair / study->n_baselines].label,
                   study->baselines[pair % study->n_baselines]->name, (size_t)slots[PGB_VERIFY_FAIL_BATCH]);
  (void)snprintf(row->failure, sizeof row->failure, "%s%s of %s is %.12g by %s, %.12g by %s", where,
                 what[failed], study->cells[0].label[k], slots[PGB_VERIFY_FAIL_ORACLE],
                 failed == PGB_VERIFY_UNBIASED ? row->method : "the oracle", slots[PGB_VERIFY_FAIL_SECOND],
                 failed == PGB_VERIFY_UNBIASED ? "differences of J" : row->method);
}

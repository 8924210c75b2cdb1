/* SPDX-License-Identifier: MIT */
#include "baseline/baseline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct pgb_value_fit {
  pgb_space space;
  size_t n;
  double *x; /* [n] and [n_obs] scratch */
};

size_t pgb_value_fit_sums(const pgb_space *space) {
  const size_t n = pgb_value_feature_count(space->n_obs, space->n_contexts);
  return n * n + n;
}

pgb_status pgb_value_fit_create(const pgb_space *space, pgb_value_fit **out) {
  const size_t n = pgb_value_feature_count(space->n_obs, space->n_contexts);
  void *piece = NULL;
  *out = NULL;
  const size_t head = (sizeof(pgb_value_fit) + 63) / 64 * 64;
  PGB_TRY(pgb_alloc(1, head + (n + space->n_obs) * sizeof(double), &piece));
  pgb_value_fit *fit = piece;
  fit->space = *space;
  fit->n = n;
  fit->x = (double *)(void *)((char *)piece + head);
  *out = fit;
  return pgb_ok();
}

void pgb_value_fit_destroy(pgb_value_fit *fit) {
  free(fit);
}

/* sums: [n][n] of x x', lower half, then [n] of x G. */
static void add_step(pgb_value_fit *fit, const double *obs, double t, double togo, double *sums) {
  const size_t n = fit->n;
  double *target = sums + n * n;
  pgb_value_features(obs, fit->space.n_obs, fit->space.n_contexts, t, fit->x);
  for (size_t j = 0; j < n; j++) {
    if (fit->x[j] == 0)
      continue;
    target[j] += fit->x[j] * togo;
    for (size_t k = 0; k <= j; k++)
      sums[j * n + k] += fit->x[j] * fit->x[k];
  }
}

void pgb_value_fit_add(pgb_value_fit *fit, const pgb_rollout *r, double *sums) {
  double *obs = fit->x + fit->n;
  for (size_t e = 0; e < r->n_episodes; e++)
    for (size_t t = 0; t < (size_t)r->length[e]; t++) {
      const size_t at = (size_t)r->origin[e] + t * PGB_LANES;
      const size_t row = at / PGB_LANES;
      const size_t lane = at % PGB_LANES;
      for (size_t k = 0; k < r->n_obs; k++)
        obs[k] = (double)r->obs[(row * r->n_obs + k) * PGB_LANES + lane];
      add_step(fit, obs, (double)r->step[at], r->togo[at], sums);
    }
}

/* Cholesky of normal + ridge in place of `a` (lower), then two triangular solves; false where a pivot is not
 * positive. */
static bool solve(const double *normal, const double *target, size_t n, double ridge, double *a, double *x) {
  memcpy(a, normal, n * n * sizeof *a);
  for (size_t j = 0; j < n; j++) {
    double pivot = a[j * n + j] + ridge;
    for (size_t k = 0; k < j; k++)
      pivot -= a[j * n + k] * a[j * n + k];
    if (!(pivot > 0))
      return false;
    a[j * n + j] = sqrt(pivot);
    for (size_t i = j + 1; i < n; i++) {
      double sum = a[i * n + j];
      for (size_t k = 0; k < j; k++)
        sum -= a[i * n + k] * a[j * n + k];
      a[i * n + j] = sum / a[j * n + j];
    }
  }
  for (size_t j = 0; j < n; j++) {
    double sum = target[j];
    for (size_t k = 0; k < j; k++)
      sum -= a[j * n + k] * x[k];
    x[j] = sum / a[j * n + j];
  }
  for (size_t j = n; j-- > 0;) {
    double sum = x[j];
    for (size_t k = j + 1; k < n; k++)
      sum -= a[k * n + j] * x[k];
    x[j] = sum / a[j * n + j];
  }
  return true;
}

pgb_status pgb_value_fit_solve(const pgb_value_fit *fit, const double *sums, pgb_arena *arena,
                               pgb_value *out) {
  const size_t n = fit->n;
  void *coefficient = NULL;
  void *factor = NULL;
  *out = (pgb_value){.kind = PGB_VALUE_FEATURES,
                     .n_obs = fit->space.n_obs,
                     .n_contexts = fit->space.n_contexts,
                     .horizon = fit->space.horizon};
  PGB_TRY(pgb_arena_alloc(arena, n, sizeof(double), &coefficient));
  PGB_TRY(pgb_alloc(n * n, sizeof(double), &factor));
  /* rllab raises the ridge tenfold, up to five times, while the solution is not finite. */
  double ridge = 1e-5;
  for (int tries = 0; tries < 5; tries++, ridge *= 10)
    if (solve(sums, sums + n * n, n, ridge, factor, coefficient))
      break;
  free(factor);
  out->coefficient = coefficient;
  return pgb_ok();
}

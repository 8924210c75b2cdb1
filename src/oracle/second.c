/* SPDX-License-Identifier: MIT */
#include "oracle/second.h"

#include "oracle/second_kind.h"

#include <string.h>

struct pgb_second {
  const pgb_second_kind *kind;
  pgb_problem problem; /* theta is our own copy, to be moved */
  double *theta;
  void *state;
};

pgb_status pgb_second_open(const pgb_problem *problem, pgb_arena *arena, pgb_second **out) {
  enum { KINDS = 3 };
  static const pgb_second_kind *const kinds[KINDS] = {&pgb_second_paths, &pgb_second_draws,
                                                      &pgb_second_forms};
  void *memory = NULL;
  void *theta = NULL;
  *out = NULL;
  PGB_TRY(pgb_arena_alloc(arena, 1, sizeof(pgb_second), &memory));
  PGB_TRY(pgb_arena_alloc(arena, problem->n_theta, sizeof(double), &theta));
  pgb_second *s = memory;
  s->theta = theta;
  memcpy(s->theta, problem->theta, problem->n_theta * sizeof *s->theta);
  s->problem = *problem;
  s->problem.theta = s->theta;
  for (size_t i = 0; i < KINDS && s->state == NULL; i++) {
    s->kind = kinds[i];
    PGB_TRY(kinds[i]->open(&s->problem, arena, &s->state));
  }
  if (s->state != NULL)
    *out = s;
  return pgb_ok();
}

const char *pgb_second_method(const pgb_second *second) {
  return second == NULL ? "none" : second->kind->method;
}

/* Central differences over 8 points: f' = sum_i w_i (f(+i h) - f(-i h)) / h, error h^8 f^(9) / 630 (Fornberg
 * 1988, Math. Comp. 51:699). With h = 0.02 that is 4e-17 f^(9), and rounding leaves about 1e-14 f. */
bool pgb_second_gradient(pgb_second *s, double *j, double *gradient) {
  static const double weight[] = {4.0 / 5, -1.0 / 5, 4.0 / 105, -1.0 / 280};
  static const double h = 0.02;
  bool known = s != NULL && s->kind->j(s->state, &s->problem, j);
  for (size_t k = 0; known && k < s->problem.n_theta; k++) {
    const double theta = s->theta[k];
    gradient[k] = 0;
    for (int i = 0; i < 4 && known; i++)
      for (int side = -1; side <= 1 && known; side += 2) {
        double moved = 0;
        s->theta[k] = theta + side * (i + 1) * h;
        known = s->kind->j(s->state, &s->problem, &moved);
        gradient[k] += side * weight[i] * (moved - *j) / h;
      }
    s->theta[k] = theta;
  }
  return known;
}

bool pgb_second_constant(pgb_second *s, const pgb_estimator_class *estimator, bool component, double *b) {
  return s != NULL && s->kind->constant(s->state, estimator, component, b);
}

bool pgb_second_moments(pgb_second *s, const pgb_pair *pair, size_t batch, double *mean, double *variance) {
  return s != NULL && s->kind->moments(s->state, pair, batch, mean, variance);
}

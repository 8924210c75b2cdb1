/* SPDX-License-Identifier: MIT */
#include "study/explain.h"

#include "envs/arms.h"
#include "envs/gaussian.h"
#include "policy/gaussian_linear.h"

#include <math.h>
#include <string.h>

enum { MOST_PATHS = 65536, GRID = 8 }; /* grid points on either side of the mean, sigma apart */

static const pgb_actor *actor_of(const pgb_explanation *e) {
  return &e->study->cells[0].actor;
}

static pgb_status doubles(pgb_explanation *e, size_t n, double **out) {
  void *memory = NULL;
  PGB_TRY(pgb_arena_alloc(e->arena, n, sizeof(double), &memory));
  *out = memory;
  return pgb_ok();
}

/* The policy's own log pi(act) at theta with theta_k moved. */
static double log_pi(const pgb_explanation *e, double *theta, double moved, double act) {
  const pgb_actor *a = actor_of(e);
  const double obs = e->kind == PGB_EXPLAIN_GAUSSIAN ? 1 : 0, kept = theta[e->k];
  theta[e->k] = kept + moved;
  const double log_p = a->policy->logp(a->policy_params, theta, &obs, &act);
  theta[e->k] = kept;
  return log_p;
}

/* d log pi(act) / d theta_k by the central difference of fourth order. */
static double slope(const pgb_explanation *e, double *theta, double act) {
  const double h = 10 * e->step;
  const double near = log_pi(e, theta, h, act) - log_pi(e, theta, -h, act);
  const double far = log_pi(e, theta, 2 * h, act) - log_pi(e, theta, -2 * h, act);
  return (8 * near - far) / (12 * h);
}

/* Softmax of one step: pi, its derivative by the quotient rule, the slope of its logarithm. */
static pgb_status softmax(pgb_explanation *e, double *theta) {
  const size_t n = e->n_choices;
  double *pi = NULL, top = theta[0], sum = 0;
  PGB_TRY(doubles(e, 3 * n, &pi));
  double *dpi = pi + n, *dlog = dpi + n;
  for (size_t a = 1; a < n; a++)
    top = fmax(top, theta[a]);
  for (size_t a = 0; a < n; a++)
    sum += exp(theta[a] - top);
  const double inner = exp(theta[e->k] - top); /* d sum / d theta_k */
  for (size_t a = 0; a < n; a++) {
    const double weight = exp(theta[a] - top);
    pi[a] = weight / sum;
    dpi[a] = ((a == e->k ? inner : 0) * sum - weight * inner) / (sum * sum);
    dlog[a] = slope(e, theta, (double)a);
  }
  e->pi = pi;
  e->dpi = dpi;
  e->dlog = dlog;
  return pgb_ok();
}

/* The normal density on a grid, times the grid's step. */
static void normal_terms(const pgb_explanation *e, double *theta, pgb_explain_term *term) {
  const pgb_gaussian *env = actor_of(e)->env_params;
  const double root = sqrt(2 * acos(-1.0)), s = e->sigma;
  for (int i = -GRID; i <= GRID; i++, term++) {
    const double a = e->centre + i * s, off = a - e->centre, miss = a - env->c[0];
    term->x = a;
    term->r = -env->curvature / 2 * miss * miss;
    term->p = exp(-off * off / (2 * s * s)) / (s * root) * s;
    term->dp = term->p * (off / (s * s));
    term->dlog = slope(e, theta, a);
  }
}

/* Action t of a path: the path's digits in base n_choices, the first action foremost. */
static size_t digit(const pgb_explanation *e, size_t path, size_t t) {
  for (size_t i = t + 1; i < e->horizon; i++)
    path /= e->n_choices;
  return path % e->n_choices;
}

static void path_term(pgb_explanation *e, size_t path, const double *mean, double *pairing,
                      pgb_explain_term *term) {
  const size_t steps = e->horizon;
  *term = (pgb_explain_term){.x = (double)path, .p = 1};
  double discount = 1;
  for (size_t t = 0; t < steps; t++, discount *= e->study->gamma) {
    const size_t a = digit(e, path, t);
    double others = e->dpi[a]; /* product rule: one factor differentiated, the others as they are */
    for (size_t s = 0; s < steps; s++)
      others *= s == t ? 1 : e->pi[digit(e, path, s)];
    term->dp += others;
    term->p *= e->pi[a];
    term->dlog += e->dlog[a];
    term->r += discount * mean[a];
  }
  discount = 1;
  for (size_t s = 0, at = 0; s < steps; s++, discount *= e->study->gamma)
    for (size_t t = 0; t < steps; t++, at++)
      pairing[at] += term->p * discount * mean[digit(e, path, s)] * e->dlog[digit(e, path, t)];
}

static pgb_status count_terms(pgb_explanation *e) {
  double paths = 1;
  for (size_t t = 0; t < e->horizon && paths <= MOST_PATHS; t++)
    paths *= (double)e->n_choices;
  if (e->kind == PGB_EXPLAIN_GAUSSIAN)
    e->n_terms = 2 * GRID + 1;
  else if (paths <= MOST_PATHS)
    e->n_terms = (size_t)paths;
  else
    return pgb_fail(
        PGB_USAGE,
        "explain %s: %zu actions in %zu steps make more than %d paths to add up; choose a smaller horizon, "
        "for instance horizon=3",
        pgb_explain_name(e->kind), e->n_choices, e->horizon, MOST_PATHS);
  return pgb_ok();
}

static double term_log_p(const pgb_explanation *e, double *theta, double moved,
                         const pgb_explain_term *term) {
  if (e->kind != PGB_EXPLAIN_CHAIN)
    return log_pi(e, theta, moved, term->x);
  double sum = 0;
  for (size_t t = 0; t < e->horizon; t++)
    sum += log_pi(e, theta, moved, (double)digit(e, (size_t)term->x, t));
  return sum;
}

/* J where theta_k is moved, of the policy's own log pi. */
static double j_at(const pgb_explanation *e, double *theta, double moved) {
  const double cell = e->kind == PGB_EXPLAIN_GAUSSIAN ? e->sigma : 1;
  double sum = 0;
  for (size_t i = 0; i < e->n_terms; i++)
    sum += exp(term_log_p(e, theta, moved, &e->terms[i])) * cell * e->terms[i].r;
  return sum;
}

static void add_up(pgb_explanation *e) {
  for (size_t i = 0; i < e->n_terms; i++) {
    const pgb_explain_term *t = &e->terms[i];
    e->sums.p += t->p;
    e->sums.dp += t->dp;
    e->sums.dp_r += t->dp * t->r;
    e->sums.p_dlog += t->p * t->dlog;
    e->sums.p_dlog_r += t->p * t->dlog * t->r;
  }
}

pgb_status pgb_explain_terms(pgb_explanation *e) {
  const pgb_cell *cell = &e->study->cells[0];
  void *memory = NULL;
  double *theta = NULL, *pairing = NULL;
  e->step = 1e-4 * (e->kind == PGB_EXPLAIN_GAUSSIAN ? e->sigma : 1);
  PGB_TRY(count_terms(e));
  PGB_TRY(pgb_arena_alloc(e->arena, e->n_terms, sizeof(pgb_explain_term), &memory));
  PGB_TRY(doubles(e, cell->actor.shape.n_theta, &theta));
  PGB_TRY(doubles(e, e->horizon * e->horizon, &pairing));
  memcpy(theta, cell->theta, cell->actor.shape.n_theta * sizeof *theta);
  pgb_explain_term *term = memory;
  if (e->kind == PGB_EXPLAIN_GAUSSIAN)
    normal_terms(e, theta, term);
  else
    PGB_TRY(softmax(e, theta));
  const pgb_arms *arms = cell->actor.env_params;
  for (size_t i = 0; i < e->n_terms && e->kind != PGB_EXPLAIN_GAUSSIAN; i++)
    path_term(e, i, arms->mean.data, pairing, &term[i]); /* a bandit's paths have one step */
  e->terms = term;
  e->pairing = pairing;
  add_up(e);
  e->up = j_at(e, theta, e->step);
  e->down = j_at(e, theta, -e->step);
  return pgb_ok();
}

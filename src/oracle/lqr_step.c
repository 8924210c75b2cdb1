/* SPDX-License-Identifier: MIT */
#include "oracle/lqr_step.h"

#include <string.h>

struct pgb_lqr_step {
  const pgb_lqr_model *model;
  pgb_value mean;
  double *own;    /* [T][n_theta] E[psi_t G_t]                   */
  double *cross;  /* [n_theta] E[psi_t G_u] of one pair t < u    */
  double *curve;  /* [n][n] half the Hessian of E[V_u | x_{t+1}] */
  double *second; /* [n][n] E x_t x_t'                           */
  double *power;  /* [T] omega^t                                 */
  double *work;   /* [n][n] or 2 m n                             */
};

pgb_status pgb_lqr_step_open(const pgb_lqr_model *p, pgb_arena *arena, pgb_lqr_step **out) {
  const size_t n = p->n;
  const double pairs = 0.5 * (double)p->horizon * (double)p->horizon;
  const double most = 1e10;
  double *constant = NULL;
  double *quad = NULL;
  void *piece = NULL;
  *out = NULL;
  if (pairs * (double)(2 * n * n * (n + p->m)) > most)
    return pgb_ok();
  PGB_TRY(pgb_arena_alloc(arena, 1, sizeof(pgb_lqr_step), &piece));
  pgb_lqr_step *s = piece;
  PGB_TRY(pgb_lqr_numbers(arena, p->horizon, &constant));
  PGB_TRY(pgb_lqr_numbers(arena, p->horizon * n * n, &quad));
  PGB_TRY(pgb_lqr_numbers(arena, p->horizon * p->n_theta, &s->own));
  PGB_TRY(pgb_lqr_numbers(arena, p->n_theta, &s->cross));
  PGB_TRY(pgb_lqr_numbers(arena, p->horizon, &s->power));
  PGB_TRY(pgb_lqr_numbers(arena, n * n, &s->curve));
  PGB_TRY(pgb_lqr_numbers(arena, n * n, &s->second));
  PGB_TRY(pgb_lqr_numbers(arena, n * n + 2 * n * p->m, &s->work));
  for (size_t t = 0; t < p->horizon; t++) {
    pgb_lqr_second(p, t, s->second);
    constant[t] = p->constant[t] + pgb_lqr_trace(p->quad + t * n * n, s->second, n);
    pgb_lqr_gradient_add(p, t, 1, s->second, s->work, s->own + t * p->n_theta);
  }
  s->model = p;
  s->mean = (pgb_value){
      .kind = PGB_VALUE_QUADRATIC, .horizon = p->horizon, .n_obs = n, .constant = constant, .quad = quad};
  *out = s;
  return pgb_ok();
}

const pgb_value *pgb_lqr_step_mean(const pgb_lqr_step *s) {
  return &s->mean;
}

/* curve becomes closed' curve closed: one more step between t and u. */
static void step_back(pgb_lqr_step *s) {
  const size_t n = s->model->n;
  const double *closed = s->model->closed;
  memset(s->work, 0, n * n * sizeof *s->work);
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < n; k++)
      for (size_t j = 0; j < n; j++)
        s->work[i * n + j] += s->curve[i * n + k] * closed[k * n + j];
  memset(s->curve, 0, n * n * sizeof *s->curve);
  for (size_t k = 0; k < n; k++)
    for (size_t i = 0; i < n; i++)
      for (size_t j = 0; j < n; j++)
        s->curve[i * n + j] += closed[k * n + i] * s->work[k * n + j];
}

/* E[psi_t V_u(x_u)] for u > t: by Stein's lemma an eps of the score differentiates what follows, so it is
 * 2 gain b_i' curve closed E[x_t x_t'] for the mean of control i and 2 sd_i^2 b_i' curve b_i for log sd_i. */
static void cross_pair(pgb_lqr_step *s, size_t t) {
  const pgb_lqr_model *p = s->model;
  const size_t n = p->n;
  pgb_lqr_second(p, t, s->second);
  memset(s->cross, 0, p->n_theta * sizeof *s->cross);
  for (size_t i = 0; i < p->m; i++) {
    double *row = s->work;         /* [n] b_i' curve        */
    double *through = s->work + n; /* [n] b_i' curve closed */
    memset(s->work, 0, 2 * n * sizeof *s->work);
    for (size_t k = 0; k < n; k++)
      for (size_t j = 0; j < n; j++)
        row[j] += p->env->b.data[k * p->m + i] * s->curve[k * n + j];
    for (size_t k = 0; k < n; k++)
      for (size_t j = 0; j < n; j++)
        through[j] += row[k] * p->closed[k * n + j];
    for (size_t k = 0; k < n; k++)
      for (size_t j = 0; j < n; j++)
        s->cross[i * n + j] += 2 * p->gain * through[k] * s->second[k * n + j];
    for (size_t k = 0; p->learn_sigma && k < n; k++)
      s->cross[p->m * n + i] += 2 * p->sd[i] * p->sd[i] * row[k] * p->env->b.data[k * p->m + i];
  }
}

static double score_square(const pgb_lqr_step *s, size_t k) {
  const pgb_lqr_model *p = s->model;
  if (k >= p->m * p->n)
    return 2;
  const double slope = p->gain / p->sd[k / p->n];
  return slope * slope * s->second[k % p->n * (p->n + 1)];
}

void pgb_lqr_step_extra(pgb_lqr_step *s, double omega, const double *square, double *extra) {
  const pgb_lqr_model *p = s->model;
  memset(extra, 0, p->n_theta * sizeof *extra);
  s->power[0] = 1;
  for (size_t t = 1; t < p->horizon; t++)
    s->power[t] = omega * s->power[t - 1];
  for (size_t u = 0; u < p->horizon; u++) {
    const double *own = s->own + u * p->n_theta;
    pgb_lqr_second(p, u, s->second);
    for (size_t k = 0; k < p->n_theta; k++)
      extra[k] += s->power[u] * s->power[u] * (score_square(s, k) * square[u] + own[k] * own[k]);
    memcpy(s->curve, p->quad + u * p->n * p->n, p->n * p->n * sizeof *s->curve);
    double between = 1; /* gamma^(u-t): E[psi_u G_t] = between * own */
    for (size_t t = u; t-- > 0; step_back(s)) {
      between *= p->gamma;
      cross_pair(s, t);
      for (size_t k = 0; k < p->n_theta; k++)
        extra[k] += 2 * s->power[t] * s->power[u] * s->cross[k] * between * own[k];
    }
  }
}

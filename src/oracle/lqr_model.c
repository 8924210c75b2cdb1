/* SPDX-License-Identifier: MIT */
#include "oracle/lqr_model.h"

#include "policy/gaussian_linear.h"

#include <math.h>
#include <string.h>

pgb_status pgb_lqr_numbers(pgb_arena *arena, size_t count, double **out) {
  void *piece = NULL;
  PGB_TRY(pgb_arena_alloc(arena, count, sizeof(double), &piece));
  *out = piece;
  return pgb_ok();
}

/* out [rows][columns] += scale * left * right, left [rows][inner]. */
static void multiply(double scale, const double *left, const double *right, size_t rows, size_t inner,
                     size_t columns, double *out) {
  for (size_t i = 0; i < rows; i++)
    for (size_t k = 0; k < inner; k++)
      for (size_t j = 0; j < columns; j++)
        out[i * columns + j] += scale * left[i * inner + k] * right[k * columns + j];
}

/* The same with the transpose of left, which is [inner][rows]. */
static void multiply_t(double scale, const double *left, const double *right, size_t rows, size_t inner,
                       size_t columns, double *out) {
  for (size_t k = 0; k < inner; k++)
    for (size_t i = 0; i < rows; i++)
      for (size_t j = 0; j < columns; j++)
        out[i * columns + j] += scale * left[k * rows + i] * right[k * columns + j];
}

/* out [n][n] += scale * f' q f, f [k][n]; work [k][n]. */
static void congruence(double scale, const double *f, const double *q, size_t k, size_t n, double *work,
                       double *out) {
  memset(work, 0, k * n * sizeof *work);
  multiply(1, q, f, k, k, n, work);
  multiply_t(scale, f, work, n, k, n, out);
}

static pgb_status close_loop(const pgb_problem *problem, pgb_arena *arena, pgb_lqr_model *p) {
  const pgb_gaussian_linear *policy = problem->policy_params;
  const size_t n = p->n;
  const size_t m = p->m;
  double *feedback = NULL;
  double *sd = NULL;
  double *closed = NULL;
  double *noise = NULL;
  double *mean = NULL;
  PGB_TRY(pgb_lqr_numbers(arena, m * n, &feedback));
  PGB_TRY(pgb_lqr_numbers(arena, m, &sd));
  PGB_TRY(pgb_lqr_numbers(arena, n * n, &closed));
  PGB_TRY(pgb_lqr_numbers(arena, n * n, &noise));
  PGB_TRY(pgb_lqr_numbers(arena, (p->horizon + 1) * n, &mean));
  for (size_t k = 0; k < m * n; k++)
    feedback[k] = p->gain * problem->theta[k];
  for (size_t i = 0; i < m; i++)
    sd[i] = p->learn_sigma ? exp(problem->theta[m * n + i]) : policy->sd[i];
  memcpy(closed, p->env->a.data, n * n * sizeof *closed);
  multiply(1, p->env->b.data, feedback, n, m, n, closed);
  memcpy(noise, p->env->cov_w, n * n * sizeof *noise);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < n; j++)
      for (size_t k = 0; k < m; k++)
        noise[i * n + j] += p->env->b.data[i * m + k] * sd[k] * sd[k] * p->env->b.data[j * m + k];
  memcpy(mean, p->env->mean0, n * sizeof *mean);
  for (size_t t = 0; t < p->horizon; t++)
    multiply(1, closed, mean + t * n, n, n, 1, mean + (t + 1) * n);
  p->feedback = feedback;
  p->sd = sd;
  p->closed = closed;
  p->noise = noise;
  p->mean = mean;
  return pgb_ok();
}

/* V_t(x) = -(x'Qx + (Fx)'R(Fx) + tr(R Sigma)) + gamma E V_{t+1}(x'), backward. */
static pgb_status riccati(pgb_arena *arena, pgb_lqr_model *p) {
  const size_t n = p->n;
  double *constant = NULL;
  double *quad = NULL;
  double *work = NULL;
  PGB_TRY(pgb_lqr_numbers(arena, p->horizon + 1, &constant));
  PGB_TRY(pgb_lqr_numbers(arena, (p->horizon + 1) * n * n, &quad));
  PGB_TRY(pgb_lqr_numbers(arena, (n + p->m) * n, &work));
  for (size_t t = p->horizon; t-- > 0;) {
    const double *next = quad + (t + 1) * n * n;
    double *now = quad + t * n * n;
    congruence(-1, p->feedback, p->env->r.data, p->m, n, work, now);
    congruence(p->gamma, p->closed, next, n, n, work, now);
    for (size_t k = 0; k < n * n; k++)
      now[k] -= p->env->q.data[k];
    constant[t] = p->gamma * (constant[t + 1] + pgb_lqr_trace(next, p->noise, n));
    for (size_t i = 0; i < p->m; i++)
      constant[t] -= p->env->r.data[i * p->m + i] * p->sd[i] * p->sd[i];
  }
  p->constant = constant;
  p->quad = quad;
  return pgb_ok();
}

/* Covariance of the state, step by step. */
static pgb_status spread(pgb_arena *arena, pgb_lqr_model *p) {
  const size_t n = p->n;
  double *cov = NULL;
  double *work = NULL;
  PGB_TRY(pgb_lqr_numbers(arena, p->horizon * n * n, &cov));
  PGB_TRY(pgb_lqr_numbers(arena, n * n, &work));
  memcpy(cov, p->env->cov0, n * n * sizeof *cov);
  for (size_t t = 0; t + 1 < p->horizon; t++) {
    double *next = cov + (t + 1) * n * n;
    memset(work, 0, n * n * sizeof *work);
    multiply(1, p->closed, cov + t * n * n, n, n, n, work);
    memcpy(next, p->noise, n * n * sizeof *next);
    for (size_t i = 0; i < n; i++)
      for (size_t j = 0; j < n; j++)
        for (size_t k = 0; k < n; k++)
          next[i * n + j] += work[i * n + k] * p->closed[j * n + k];
  }
  p->cov = cov;
  return pgb_ok();
}

void pgb_lqr_second(const pgb_lqr_model *p, size_t t, double *second) {
  const size_t n = p->n;
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < n; j++)
      second[i * n + j] = p->cov[(t * n + i) * n + j] + p->mean[t * n + i] * p->mean[t * n + j];
}

double pgb_lqr_trace(const double *a, const double *b, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < n; j++)
      sum += a[i * n + j] * b[j * n + i];
  return sum;
}

/* Gradient of J, the finite-horizon form of Fazel et al. 2018 (arXiv:1801.05039), lemma 1: with F the
 * feedback and Q_t the quadratic part of V_t, dJ/dF = 2 sum_t gamma^t [(gamma B'Q_{t+1}B - R) F + gamma
 * B'Q_{t+1}A] E x_t x_t', and dJ/dlog sigma_i = 2 sum_t gamma^t sigma_i^2 (gamma B'Q_{t+1}B - R)_ii. */
void pgb_lqr_gradient_add(const pgb_lqr_model *p, size_t t, double power, const double *second, double *work,
                          double *gradient) {
  const size_t n = p->n;
  const size_t m = p->m;
  double *left = work;            /* [m][n] gamma B' Q_{t+1} */
  double *bracket = work + m * n; /* [m][n]                  */
  memset(work, 0, 2 * m * n * sizeof *work);
  multiply_t(p->gamma, p->env->b.data, p->quad + (t + 1) * n * n, m, n, n, left);
  multiply(1, left, p->closed, m, n, n, bracket);
  multiply(-1, p->env->r.data, p->feedback, m, m, n, bracket);
  multiply(2 * power * p->gain, bracket, second, m, n, n, gradient);
  for (size_t i = 0; p->learn_sigma && i < m; i++) {
    double curve = -p->env->r.data[i * m + i];
    for (size_t k = 0; k < n; k++)
      curve += left[i * n + k] * p->env->b.data[k * m + i];
    gradient[m * n + i] += 2 * power * p->sd[i] * p->sd[i] * curve;
  }
}

static pgb_status differentiate(pgb_arena *arena, pgb_lqr_model *p) {
  const size_t n = p->n;
  double *second = NULL;
  double *work = NULL;
  double *gradient = NULL;
  PGB_TRY(pgb_lqr_numbers(arena, n * n, &second));
  PGB_TRY(pgb_lqr_numbers(arena, 2 * n * p->m, &work));
  PGB_TRY(pgb_lqr_numbers(arena, p->n_theta, &gradient));
  double power = 1;
  for (size_t t = 0; t < p->horizon; t++, power *= p->gamma) {
    pgb_lqr_second(p, t, second);
    pgb_lqr_gradient_add(p, t, power, second, work, gradient);
    if (t == 0)
      p->j = p->constant[0] + pgb_lqr_trace(p->quad, second, n);
  }
  p->gradient = gradient;
  return pgb_ok();
}

pgb_status pgb_lqr_model_open(const pgb_problem *problem, pgb_arena *arena, pgb_lqr_model *out) {
  const pgb_lqr *env = problem->env_params;
  const pgb_gaussian_linear *policy = problem->policy_params;
  *out = (pgb_lqr_model){.n = env->n,
                         .m = env->m,
                         .n_theta = problem->n_theta,
                         .horizon = (size_t)env->horizon,
                         .gamma = problem->gamma,
                         .gain = policy->gain,
                         .env = env,
                         .learn_sigma = policy->learn_sigma};
  PGB_TRY(close_loop(problem, arena, out));
  PGB_TRY(riccati(arena, out));
  PGB_TRY(spread(arena, out));
  return differentiate(arena, out);
}

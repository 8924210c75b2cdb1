/* SPDX-License-Identifier: MIT */
#ifndef PGB_TESTS_ORACLE_LQR_H
#define PGB_TESTS_ORACLE_LQR_H

#include "check.h"
#include "envs/lqr.h"
#include "oracle/lqr.h"
#include "oracle/oracle.h"
#include "oracle/second.h"
#include "policy/gaussian_linear.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Random LQR problems, and the oracle asked about them. */

enum { MAX_N = 3, MAX_M = 3, MAX_T = 4, MAX_THETA = MAX_M * MAX_N + MAX_M };

typedef struct instance {
  size_t n, m, horizon;
  double a[16], b[16], q[16], r[16], w[16], s0[16], start[4], sd[4], theta[MAX_THETA + 4], gamma;
  double root_w[16], root0[16];
  pgb_lqr env;
  pgb_gaussian_linear policy;
  pgb_problem problem;
} instance;

static uint64_t next_bits(uint64_t *state) {
  *state += UINT64_C(0x9e3779b97f4a7c15);
  uint64_t z = *state;
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static double uniform(uint64_t *state, double low, double high) {
  return low + (high - low) * ((double)(next_bits(state) >> 11) + 0.5) * 0x1p-53;
}

static void cholesky(const double *x, size_t n, double *root) {
  memset(root, 0, n * n * sizeof *root);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j <= i; j++) {
      double sum = x[i * n + j];
      for (size_t k = 0; k < j; k++)
        sum -= root[i * n + k] * root[j * n + k];
      root[i * n + j] = i == j ? sqrt(fmax(sum, 0)) : root[j * n + j] > 0 ? sum / root[j * n + j] : 0;
    }
}

static pgb_array matrix(const double *x, size_t rows, size_t columns) {
  return (pgb_array){.data = x, .size = rows * columns, .rank = 2, .dim = {rows, columns}};
}

/* Ties the structs together once the numbers are set. */
static void finish(instance *p, bool learn_sigma, double gain) {
  const size_t n = p->n;
  const size_t m = p->m;
  cholesky(p->w, n, p->root_w);
  cholesky(p->s0, n, p->root0);
  p->env = (pgb_lqr){.a = matrix(p->a, n, n),
                     .b = matrix(p->b, n, m),
                     .q = matrix(p->q, n, n),
                     .r = matrix(p->r, m, m),
                     .horizon = (int64_t)p->horizon,
                     .n = n,
                     .m = m,
                     .mean0 = p->start,
                     .cov0 = p->s0,
                     .cov_w = p->w};
  p->policy = (pgb_gaussian_linear){.learn_sigma = learn_sigma,
                                    .n = n,
                                    .m = m,
                                    .n_theta = m * n + (learn_sigma ? m : 0),
                                    .gain = gain,
                                    .sd = p->sd};
  p->problem = (pgb_problem){.env = "lqr",
                             .policy = "gaussian-linear",
                             .env_params = &p->env,
                             .policy_params = &p->policy,
                             .space = {.n_state = n, .n_obs = n, .n_act = m, .horizon = p->horizon},
                             .n_theta = p->policy.n_theta,
                             .theta = p->theta,
                             .gamma = p->gamma};
}

static void random_square(uint64_t *seed, size_t n, double scale, double *out) {
  double root[16];
  for (size_t i = 0; i < n * n; i++)
    root[i] = uniform(seed, -1, 1);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < n; j++) {
      out[i * n + j] = i == j ? 0.1 * scale : 0;
      for (size_t k = 0; k < n; k++)
        out[i * n + j] += scale * root[i * n + k] * root[j * n + k];
    }
}

/* start: 0 centred and random, 1 fixed, 2 random around a mean. */
static void random_instance(uint64_t seed, size_t n, size_t m, size_t horizon, int start, bool learn_sigma,
                            instance *p) {
  memset(p, 0, sizeof *p);
  p->n = n;
  p->m = m;
  p->horizon = horizon;
  p->gamma = uniform(&seed, 0.5, 1);
  for (size_t i = 0; i < n * n; i++)
    p->a[i] = uniform(&seed, -0.6, 0.6) + (i % (n + 1) == 0 ? 0.4 : 0);
  for (size_t i = 0; i < n * m; i++)
    p->b[i] = uniform(&seed, -1, 1);
  for (size_t i = 0; i < n * m; i++)
    p->theta[i] = uniform(&seed, -0.5, 0.5);
  for (size_t i = 0; i < m; i++) {
    p->sd[i] = uniform(&seed, 0.3, 1);
    if (learn_sigma)
      p->theta[m * n + i] = uniform(&seed, -1, 0.2);
  }
  random_square(&seed, n, 1, p->q);
  random_square(&seed, m, 0.5, p->r);
  if (seed % 4 != 0)
    random_square(&seed, n, 0.2, p->w);
  if (start != 1)
    random_square(&seed, n, 0.7, p->s0);
  for (size_t i = 0; start != 0 && i < n; i++)
    p->start[i] = uniform(&seed, -2, 2);
  finish(p, learn_sigma, next_bits(&seed) % 4 == 0 ? 1 : -1);
}

/* The oracle class under test, opened. */
typedef struct subject {
  pgb_arena *arena;
  void *state;
  pgb_second *second; /* NULL where the problem is too large for it */
} subject;

static void open_subject(checks *c, const instance *p, subject *s) {
  CHECK_OK(c, pgb_arena_create(&s->arena));
  CHECK(c, pgb_oracle_lqr.fits(&p->problem));
  CHECK_OK(c, pgb_oracle_lqr.open(&p->problem, s->arena, &s->state));
  CHECK_OK(c, pgb_second_open(&p->problem, s->arena, &s->second));
}

#endif

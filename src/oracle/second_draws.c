/* SPDX-License-Identifier: MIT */
#include "envs/gaussian.h"
#include "oracle/second_kind.h"
#include "policy/gaussian_linear.h"

#include <math.h>
#include <string.h>

/* The gaussian problem with Gauss-Hermite nodes in place of its draws: exact up to degree 2 NODES - 1 in
 * each, and no moment here is of higher degree than 8. The reward's noise enters as two points. */

enum { NODES = 7, MAX_DIM = 3, MOST_ATOMS = 20000 };

typedef struct draws {
  const pgb_gaussian *env;
  const pgb_gaussian_linear *policy;
  double x[NODES], w[NODES];
  pgb_atoms atoms, spare;
} draws;

/* He_n and He_{n-1} at x. */
static double hermite(int n, double x, double *before) {
  double p = 1, last = 0;
  for (int i = 0; i < n; i++) {
    const double next = x * p - i * last;
    last = p;
    p = next;
  }
  *before = last;
  return p;
}

/* Nodes are the roots of He_n, weights n!/(n^2 He_{n-1}^2) (Abramowitz & Stegun 25.4.46, for N(0, 1)):
 * Newton's method from each change of sign. */
static void nodes(double *x, double *w) {
  double last, factorial = 1;
  int found = 0;
  for (int i = 2; i < NODES; i++)
    factorial *= i;
  for (int step = -600; step < 600 && found < NODES; step++) {
    const double at = step * 0.01 + 0.003; /* no node on the grid */
    if (hermite(NODES, at, &last) * hermite(NODES, at + 0.01, &last) > 0)
      continue;
    double root = at + 0.005;
    for (int i = 0; i < 50; i++) {
      const double p = hermite(NODES, root, &last);
      root -= p / (NODES * last);
    }
    (void)hermite(NODES, root, &last);
    x[found] = root;
    w[found++] = factorial / (NODES * last * last);
  }
}

/* One point: context x, draws eps, and xi for the noise. */
static void write_atom(const draws *g, const double *theta, double p, double x, const double *eps, double xi,
                       pgb_atoms *out) {
  const pgb_gaussian_linear *policy = g->policy;
  const size_t m = policy->m;
  double *psi = out->psi + out->n * out->d;
  double reward = g->env->noise * xi;
  for (size_t i = 0; i < m; i++) {
    const double sd = policy->learn_sigma ? exp(theta[m + i]) : policy->sd[i];
    const double mean = policy->gain * theta[i] * x, act = mean + sd * eps[i];
    reward -= g->env->curvature / 2 * (act - g->env->c[i] * x) * (act - g->env->c[i] * x);
    psi[i] = policy->gain * x * (act - mean) / (sd * sd);
    if (policy->learn_sigma)
      psi[m + i] = eps[i] * eps[i] - 1;
  }
  out->p[out->n] = p;
  out->obs[out->n] = x;
  out->reward[out->n++] = reward;
}

static size_t power(size_t base, size_t exponent) {
  size_t out = 1;
  for (size_t i = 0; i < exponent; i++)
    out *= base;
  return out;
}

static void fill(const draws *g, const double *theta, pgb_atoms *out) {
  const size_t m = g->policy->m, contexts = g->env->random_context ? NODES : 1, grid = power(NODES, m);
  const bool noisy = g->env->noise > 0;
  out->n = 0;
  for (size_t c = 0; c < contexts; c++)
    for (size_t at = 0; at < grid; at++) {
      double eps[MAX_DIM] = {0}, p = contexts > 1 ? g->w[c] : 1;
      size_t rest = at;
      for (size_t i = 0; i < m; i++, rest /= NODES) {
        eps[i] = g->x[rest % NODES];
        p *= g->w[rest % NODES];
      }
      for (int sign = noisy ? -1 : 1; sign <= 1; sign += 2)
        write_atom(g, theta, noisy ? p / 2 : p, contexts > 1 ? g->x[c] : 1, eps, sign, out);
    }
}

static pgb_status open(const pgb_problem *problem, pgb_arena *arena, void **state) {
  void *memory = NULL;
  if (strcmp(problem->env, "gaussian") != 0 || strcmp(problem->policy, "gaussian-linear") != 0)
    return pgb_ok();
  draws g = {.env = problem->env_params, .policy = problem->policy_params};
  if (g.policy->m > MAX_DIM || g.policy->n != 1)
    return pgb_ok();
  const size_t n = power(NODES, g.policy->m + (g.env->random_context ? 1 : 0)) * (g.env->noise > 0 ? 2 : 1);
  if (n > MOST_ATOMS)
    return pgb_ok();
  nodes(g.x, g.w);
  PGB_TRY(pgb_arena_alloc(arena, 1, sizeof(draws), &memory));
  PGB_TRY(pgb_atoms_create(n, 1, problem->n_theta, arena, &g.atoms));
  PGB_TRY(pgb_atoms_create(n, 1, problem->n_theta, arena, &g.spare));
  g.atoms.gamma = g.spare.gamma = 1; /* one step */
  g.atoms.noisy = true;
  fill(&g, problem->theta, &g.atoms);
  *(draws *)memory = g;
  *state = memory;
  return pgb_ok();
}

static bool j_at(void *state, const pgb_problem *problem, double *j) {
  draws *g = state;
  fill(g, problem->theta, &g->spare);
  *j = pgb_atoms_return(&g->spare);
  return true;
}

static bool constant(void *state, const pgb_estimator_class *estimator, bool component, double *b) {
  return pgb_atoms_constant(&((draws *)state)->atoms, estimator, component, b);
}

static bool moments(void *state, const pgb_pair *pair, size_t batch, double *mean, double *variance) {
  return pgb_atoms_moments(&((draws *)state)->atoms, pair, batch, mean, variance);
}

const pgb_second_kind pgb_second_draws = {
    .method = "quadrature", .open = open, .j = j_at, .constant = constant, .moments = moments};

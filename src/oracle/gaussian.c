/* SPDX-License-Identifier: MIT */
#include "envs/gaussian.h"
#include "oracle/batch.h"
#include "oracle/oracle.h"
#include "policy/gaussian_linear.h"

#include <math.h>
#include <string.h>

/* One step, a_i = g theta_i x + s_i eps_i, R = -(h/2) sum_i (d_i x + s_i eps_i)^2 + nu xi with d_i = g
 * theta_i - c_i. Scores: g x eps_i / s_i for theta_i, eps_i^2 - 1 for log s_i (Williams 1992). Given x and
 * eps_i, R is alpha + beta eps_i + gamma2 eps_i^2 plus the independent rest of the dimensions and the noise;
 * every expectation is one of polynomials in eps_i (moments 1, 3, 15, 105 of the normal law), then in x. For
 * one dimension without context the formulas are those of Mohamed et al. 2019, section 3 (quadratic cost). */
typedef struct gaussian {
  size_t m, n_theta;
  double h, noise2, gain;
  bool random_context;
  double *d, *s;           /* [M]                                              */
  double d2, s2, d2s2, s4; /* sums over the dimensions of d^2, s^2, d^2 s^2, s^4 */
  double j, var_r;
  double *value_constant, *quad; /* [1] V(x) = constant + quad x^2                   */
} gaussian;

enum { DEGREE = 8 };
typedef struct poly { /* in x */
  double c[DEGREE + 1];
} poly;

static poly times(const poly *a, const poly *b) {
  poly p = {{0}};
  for (size_t i = 0; i <= DEGREE; i++)
    for (size_t k = 0; i + k <= DEGREE; k++)
      p.c[i + k] += a->c[i] * b->c[k];
  return p;
}

static poly plus(const poly *a, double scale, const poly *b) {
  poly p;
  for (size_t i = 0; i <= DEGREE; i++)
    p.c[i] = a->c[i] + scale * b->c[i];
  return p;
}

/* E over x: 1, or N(0, 1). */
static double expect(const gaussian *o, const poly *p) {
  double sum = 0, moment = 1;
  for (size_t i = 0; i <= DEGREE; i += o->random_context ? 2 : 1) {
    sum += p->c[i] * moment;
    moment *= o->random_context ? (double)(i + 1) : 1;
  }
  return sum;
}

static bool fits(const pgb_problem *problem) {
  return strcmp(problem->env, "gaussian") == 0 && strcmp(problem->policy, "gaussian-linear") == 0;
}

static pgb_status doubles(pgb_arena *arena, size_t n, double **out) {
  void *memory = NULL;
  PGB_TRY(pgb_arena_alloc(arena, n, sizeof(double), &memory));
  *out = memory;
  return pgb_ok();
}

/* J = E[V(x)]; Var R = Var V(x) + E[Var(R | x)]. */
static void returns(gaussian *o) {
  const double h = o->h, spread = o->random_context ? 2 : 0; /* Var(x^2) */
  *o->value_constant = -h / 2 * o->s2;
  *o->quad = -h / 2 * o->d2;
  o->j = *o->value_constant + *o->quad;
  o->var_r = spread * *o->quad * *o->quad + h * h * o->d2s2 + h * h / 2 * o->s4 + o->noise2;
}

static pgb_status open(const pgb_problem *problem, pgb_arena *arena, void **state) {
  const pgb_gaussian *env = problem->env_params;
  const pgb_gaussian_linear *policy = problem->policy_params;
  void *memory = NULL;
  PGB_TRY(pgb_arena_alloc(arena, 1, sizeof(gaussian), &memory));
  gaussian *o = memory;
  o->m = (size_t)env->dim;
  o->n_theta = o->m * (policy->learn_sigma ? 2 : 1);
  o->h = env->curvature;
  o->noise2 = env->noise * env->noise;
  o->gain = policy->gain;
  o->random_context = env->random_context;
  PGB_TRY(doubles(arena, o->m, &o->d));
  PGB_TRY(doubles(arena, o->m, &o->s));
  PGB_TRY(doubles(arena, 1, &o->value_constant));
  PGB_TRY(doubles(arena, 1, &o->quad));
  for (size_t i = 0; i < o->m; i++) {
    const double d = o->gain * problem->theta[i] - env->c[i];
    const double s = policy->learn_sigma ? exp(problem->theta[o->m + i]) : policy->sd[i];
    o->d[i] = d;
    o->s[i] = s;
    o->d2 += d * d;
    o->s2 += s * s;
    o->d2s2 += d * d * s * s;
    o->s4 += s * s * s * s;
  }
  returns(o);
  *state = o;
  return pgb_ok();
}

/* What is known of score component k with the baseline b(x): E[psi^2], E[psi R], E[psi^2 (R-b)], E[psi^2
 * (R-b)^2]. */
typedef struct score_moments {
  double ss, mean, first, second;
} score_moments;

static score_moments score(const gaussian *o, size_t k, const poly *b) {
  const bool is_mean = k < o->m;
  const size_t i = is_mean ? k : k - o->m;
  const double h = o->h, d = o->d[i], s = o->s[i], g2 = -h / 2 * s * s, slope = -h * d * s;
  const double x2 = is_mean ? o->gain * o->gain / (s * s) : 0; /* psi^2 = x2 x^2 eps^2 */
  const poly base = {{-h / 2 * (o->s2 - s * s), 0, -h / 2 * o->d2}};
  const poly alpha = plus(&base, -1, b), alpha2 = times(&alpha, &alpha);
  const poly psi2 = {{is_mean ? 0 : 1, 0, x2}};
  /* E[u], E[u eps^2], E[u eps^4] of u = psi^2 / psi2(x), which is eps^2 or (eps^2 - 1)^2. */
  const double u0 = is_mean ? 1 : 2, u2 = is_mean ? 3 : 10, u4 = is_mean ? 15 : 78;
  const poly first = {{u2 * g2}};
  const poly rest = {{u4 * g2 * g2 + u0 * (h * h / 2 * (o->s4 - s * s * s * s) + o->noise2), 0,
                      u2 * slope * slope + u0 * h * h * (o->d2s2 - d * d * s * s)}};
  const poly with_alpha = plus(&first, u0, &alpha);
  const poly square = plus(&rest, u0, &alpha2), all = plus(&square, 2 * u2 * g2, &alpha);
  const poly weighted = times(&psi2, &with_alpha), weighted2 = times(&psi2, &all);
  return (score_moments){
      .ss = u0 * expect(o, &psi2),
      .mean = is_mean ? -o->gain * h * d : 2 * g2,
      .first = expect(o, &weighted),
      .second = expect(o, &weighted2),
  };
}

static bool gradient(const void *state, double *j, double *g) {
  const gaussian *o = state;
  const poly zero = {{0}};
  *j = o->j;
  for (size_t k = 0; k < o->n_theta; k++)
    g[k] = score(o, k, &zero).mean;
  return true;
}

static bool value(const void *state, pgb_value *out) {
  const gaussian *o = state;
  *out = (pgb_value){
      .kind = PGB_VALUE_QUADRATIC, .horizon = 1, .n_obs = 1, .constant = o->value_constant, .quad = o->quad};
  return true;
}

/* Greensmith et al. 2004. Moments are taken around J, where they are small. */
static bool constant(void *state, const pgb_estimator_class *estimator, bool component, double *b) {
  const gaussian *o = state;
  const pgb_estimator_kind kind = pgb_estimator_what(estimator);
  const poly centre = {{o->j}};
  if (kind == PGB_ESTIMATOR_GAE || kind == PGB_ESTIMATOR_OTHER)
    return false;
  double top = 0, bottom = 0;
  for (size_t k = 0; k < o->n_theta; k++) {
    const score_moments e = score(o, k, &centre);
    top += e.first;
    bottom += e.ss;
    b[k] = o->j + e.first / e.ss;
  }
  for (size_t k = 0; k < o->n_theta && !component; k++)
    b[k] = o->j + top / bottom;
  return true;
}

static double features_at(const pgb_value *value, double x) {
  double feature[16], v = 0;
  const size_t count = pgb_value_feature_count(1, 0);
  pgb_value_features(&x, 1, 0, 0, feature);
  for (size_t i = 0; i < count; i++)
    v += value->coefficient[i] * feature[i];
  return v;
}

/* V(x) at the only step as a polynomial. The features clip x at 10 standard deviations, which moves an
 * expectation by less than 1e-18 of its size: they count as the parabola through three points. */
static bool value_poly(const pgb_value *value, poly *out) {
  *out = (poly){{0}};
  if (value->n_obs != 1 || value->n_contexts != 0)
    return false;
  if (value->kind == PGB_VALUE_QUADRATIC) {
    out->c[0] = value->constant[0];
    out->c[2] = value->quad[0];
    return true;
  }
  if (value->kind != PGB_VALUE_FEATURES || pgb_value_feature_count(1, 0) > 16)
    return false;
  const double zero = features_at(value, 0), up = features_at(value, 1), down = features_at(value, -1);
  out->c[0] = zero;
  out->c[1] = (up - down) / 2;
  out->c[2] = (up + down) / 2 - zero;
  return true;
}

static bool moments(void *state, const pgb_pair *pair, size_t batch, double *mean, double *variance) {
  const gaussian *o = state;
  const pgb_pair_kind kind = pgb_pair_what(pair);
  const bool own = kind == PGB_PAIR_MEAN, loo = kind == PGB_PAIR_LOO || kind == PGB_PAIR_STEP;
  poly b = {{own || loo ? o->j : 0}};
  if (kind == PGB_PAIR_NORMALISED || kind == PGB_PAIR_OTHER || (loo && batch < 2))
    return false;
  if (kind == PGB_PAIR_VALUE && !value_poly(pair->value, &b))
    return false;
  for (size_t k = 0; k < o->n_theta; k++) {
    if (kind == PGB_PAIR_CONSTANT)
      b.c[0] = pair->constant[k];
    const score_moments e = score(o, k, &b);
    const double var = pgb_variance(e.second, e.mean);
    const pgb_episode episode = pgb_episode_simple(e.mean, var, e.ss);
    mean[k] = e.mean;
    variance[k] = var / (double)batch;
    if (own || loo)
      (own ? pgb_batch_mean : pgb_batch_loo)(&episode, o->var_r, batch, &mean[k], &variance[k]);
  }
  return true;
}

const pgb_oracle_class pgb_oracle_gaussian = {
    .name = "gaussian",
    .source = "moments of the normal law; Mohamed et al. 2019, Greensmith et al. 2004, Kool et al. 2019",
    .fits = fits,
    .open = open,
    .gradient = gradient,
    .value = value,
    .constant = constant,
    .moments = moments,
};

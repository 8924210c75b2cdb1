/* SPDX-License-Identifier: MIT */
#include "envs/lqr.h"
#include "estimator/gae.h"
#include "oracle/batch.h"
#include "oracle/second_cumulant.h"
#include "oracle/second_kind.h"
#include "policy/gaussian_linear.h"

#include <math.h>
#include <string.h>

/* LQR: the oracle runs backward over polynomials of the state; here stands the other way. Every reward, score
 * and value is a quadratic form of (1, z), z ~ N(0, I) holding all the episode's noise at once. */

enum { MAX_N = 3, MAX_M = 3, MAX_T = 4, MAX_D = PGB_FORM_MAX_D, MAX_THETA = MAX_M * MAX_N + MAX_M };

typedef struct forms {
  size_t d; /* 1 + number of normals */
  pgb_form reward[MAX_T], value[MAX_T], score[MAX_T], total, ret, togo[MAX_T];
  double x[MAX_T + 1][MAX_N][MAX_D], eps[MAX_T][MAX_M][MAX_D]; /* affine in z */
} forms;

/* One component of one episode: raw moments of A = sum_t score_t togo_t, S = sum_t score_t and the return R.
 */
typedef struct law {
  double a, aa, as, ss, sr, r, rr, rss, ars, rrss;
  double two_mean, two_variance; /* time-mean, batches of two */
} law;

typedef struct lqr {
  const pgb_lqr *env;
  const pgb_gaussian_linear *policy;
  pgb_problem problem;
  size_t n, m, horizon;
  double root_w[MAX_N * MAX_N], root0[MAX_N * MAX_N];
  forms f, spare; /* spare: for J elsewhere */
  /* Laws of the last question. */
  bool asked;
  pgb_estimator_kind kind;
  double lambda;
  const pgb_value *v;
  law laws[MAX_THETA];
} lqr;

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

static double deviation(const lqr *p, const double *theta, size_t i) {
  return p->policy->learn_sigma ? exp(theta[p->m * p->n + i]) : p->policy->sd[i];
}

static void build_reward(const lqr *p, size_t t, double u[MAX_M][MAX_D], forms *f) {
  for (size_t i = 0; i < p->n; i++)
    for (size_t j = 0; j < p->n; j++)
      pgb_form_add_outer(-p->env->q.data[i * p->n + j], f->x[t][i], f->x[t][j], f->d, &f->reward[t]);
  for (size_t i = 0; i < p->m; i++)
    for (size_t j = 0; j < p->m; j++)
      pgb_form_add_outer(-p->env->r.data[i * p->m + j], u[i], u[j], f->d, &f->reward[t]);
}

static void build_next(const lqr *p, size_t t, size_t at, double u[MAX_M][MAX_D], forms *f) {
  for (size_t i = 0; i < p->n; i++) {
    for (size_t c = 0; c < f->d; c++) {
      for (size_t j = 0; j < p->n; j++)
        f->x[t + 1][i][c] += p->env->a.data[i * p->n + j] * f->x[t][j][c];
      for (size_t j = 0; j < p->m; j++)
        f->x[t + 1][i][c] += p->env->b.data[i * p->m + j] * u[j][c];
    }
    for (size_t j = 0; j < p->n; j++)
      f->x[t + 1][i][at + j] += p->root_w[i * p->n + j];
  }
}

/* States, rewards and the return at theta. */
static void build_states(const lqr *p, const double *theta, forms *f) {
  const size_t n = p->n;
  size_t at = 1 + n;
  memset(f, 0, sizeof *f);
  f->d = 1 + n + p->horizon * (n + p->m);
  for (size_t i = 0; i < n; i++) {
    f->x[0][i][0] = p->env->mean0[i];
    for (size_t j = 0; j < n; j++)
      f->x[0][i][1 + j] = p->root0[i * n + j];
  }
  double power = 1;
  for (size_t t = 0; t < p->horizon; t++, power *= p->problem.gamma) {
    double u[MAX_M][MAX_D] = {{0}};
    for (size_t i = 0; i < p->m; i++) {
      f->eps[t][i][at] = 1;
      u[i][at++] = deviation(p, theta, i);
      for (size_t j = 0; j < n; j++)
        for (size_t c = 0; c < f->d; c++)
          u[i][c] += p->policy->gain * theta[i * n + j] * f->x[t][j][c];
    }
    build_next(p, t, at, u, f);
    build_reward(p, t, u, f);
    pgb_form_add(power, &f->reward[t], f->d, &f->ret);
    at += n;
  }
}

/* The value of the state as a form (V = 0 without one), and togo[t] = sum_k (gamma lambda)^k delta_{t+k}. */
static void build_togo(const lqr *p, const pgb_value *v, double lambda, forms *f) {
  const double gamma = p->problem.gamma;
  memset(f->value, 0, sizeof f->value);
  memset(f->togo, 0, sizeof f->togo);
  for (size_t t = p->horizon; t-- > 0;) {
    if (v != NULL) {
      f->value[t].c[0][0] = v->constant[t];
      for (size_t i = 0; i < p->n; i++)
        for (size_t j = 0; j < p->n; j++)
          pgb_form_add_outer(v->quad[(t * p->n + i) * p->n + j], f->x[t][i], f->x[t][j], f->d, &f->value[t]);
    }
    pgb_form_add(1, &f->reward[t], f->d, &f->togo[t]);
    pgb_form_add(-1, &f->value[t], f->d, &f->togo[t]);
    if (t + 1 < p->horizon) {
      pgb_form_add(gamma, &f->value[t + 1], f->d, &f->togo[t]);
      pgb_form_add(gamma * lambda, &f->togo[t + 1], f->d, &f->togo[t]);
    }
  }
}

/* score[t] = omega^t psi_t of parameter k. */
static void build_scores(const lqr *p, size_t k, double omega, forms *f) {
  const double *theta = p->problem.theta;
  memset(f->score, 0, sizeof f->score);
  memset(&f->total, 0, sizeof f->total);
  double power = 1;
  for (size_t t = 0; t < p->horizon; t++, power *= omega) {
    if (k < p->m * p->n) {
      const size_t i = k / p->n;
      pgb_form_add_outer(power * p->policy->gain / deviation(p, theta, i), f->x[t][k % p->n], f->eps[t][i],
                         f->d, &f->score[t]);
    } else {
      pgb_form_add_outer(power, f->eps[t][k - p->m * p->n], f->eps[t][k - p->m * p->n], f->d, &f->score[t]);
      f->score[t].c[0][0] -= power;
    }
    pgb_form_add(1, &f->score[t], f->d, &f->total);
  }
}

/* Batches of two in which the other episode is the baseline: (1/2) sum_t (score_t - score'_t) (togo_t -
 * togo'_t), from the noise of both; no law of batches. whole: S and R in place of each step's. */
static void law_of_two(const forms *f, bool whole, size_t horizon, law *out) {
  const size_t terms = whole ? 1 : horizon, d = 2 * f->d - 1;
  pgb_form score[MAX_T], togo[MAX_T];
  double second = 0;
  out->two_mean = out->two_variance = NAN;
  if (d > MAX_D)
    return;
  out->two_mean = 0;
  for (size_t i = 0; i < terms; i++) {
    pgb_form_difference(whole ? &f->total : &f->score[i], f->d, &score[i]);
    pgb_form_difference(whole ? &f->ret : &f->togo[i], f->d, &togo[i]);
    out->two_mean += 0.5 * PGB_FORM_EXPECT(d, &score[i], &togo[i]);
    for (size_t j = 0; j <= i; j++)
      second += (i == j ? 0.25 : 0.5) * PGB_FORM_EXPECT(d, &score[i], &togo[i], &score[j], &togo[j]);
  }
  out->two_variance = second - out->two_mean * out->two_mean;
}

static void law_of_one(const forms *f, bool whole, size_t horizon, law *out) {
  const size_t terms = whole ? 1 : horizon, d = f->d;
  const pgb_form *s = &f->total, *r = &f->ret;
  memset(out, 0, sizeof *out);
  for (size_t i = 0; i < terms; i++) {
    const pgb_form *si = whole ? s : &f->score[i], *wi = &f->togo[i];
    out->a += PGB_FORM_EXPECT(d, si, wi);
    out->as += PGB_FORM_EXPECT(d, si, wi, s);
    out->ars += PGB_FORM_EXPECT(d, si, wi, r, s);
    for (size_t j = 0; j <= i; j++)
      out->aa += (i == j ? 1 : 2) * PGB_FORM_EXPECT(d, si, wi, whole ? s : &f->score[j], &f->togo[j]);
  }
  out->ss = PGB_FORM_EXPECT(d, s, s);
  out->sr = PGB_FORM_EXPECT(d, s, r);
  out->r = PGB_FORM_EXPECT(d, r);
  out->rr = PGB_FORM_EXPECT(d, r, r);
  out->rss = PGB_FORM_EXPECT(d, r, s, s);
  out->rrss = PGB_FORM_EXPECT(d, r, r, s, s);
}

static void ask(lqr *p, pgb_estimator_kind kind, double lambda, const pgb_value *v) {
  const bool whole = kind == PGB_ESTIMATOR_REINFORCE;
  const bool discounted = kind == PGB_ESTIMATOR_GPOMDP || kind == PGB_ESTIMATOR_GAE;
  if (p->asked && p->kind == kind && p->lambda == lambda && p->v == v)
    return;
  build_togo(p, v, lambda, &p->f);
  for (size_t k = 0; k < p->problem.n_theta; k++) {
    build_scores(p, k, discounted ? p->problem.gamma : 1, &p->f);
    law_of_one(&p->f, whole, p->horizon, &p->laws[k]);
    if (v == NULL && kind != PGB_ESTIMATOR_GAE)
      law_of_two(&p->f, whole, p->horizon, &p->laws[k]);
  }
  p->asked = true;
  p->kind = kind;
  p->lambda = lambda;
  p->v = v;
}

/* Batch estimates sum_i Y_i - share T over n, from raw moments: T = sum_{i != j} S_i R_j has mean 0, E[T^2] =
 * n (n-1) (E SS E RR + (E SR)^2) + n (n-1) (n-2) E SS (E R)^2, and covariance n (n-1) E[Y S] E R with the sum
 * of Y. */
static void batch_law(const law *e, pgb_pair_kind kind, double b, double n, double *mean, double *variance) {
  const double tt = n * (n - 1) * (e->ss * e->rr + e->sr * e->sr + (n - 2) * e->ss * e->r * e->r);
  double share = 0, ya = e->a, yy = e->aa - 2 * b * e->as + b * b * e->ss, ys = e->as - b * e->ss;
  if (kind == PGB_PAIR_LOO)
    share = 1 / (n - 1);
  if (kind == PGB_PAIR_MEAN) {
    share = 1 / n;
    ya = e->a - e->sr / n;
    yy = e->aa - 2 * e->ars / n + e->rrss / (n * n);
    ys = e->as - e->rss / n;
  }
  *mean = ya;
  *variance = (n * (yy - ya * ya) - 2 * share * n * (n - 1) * ys * e->r + share * share * tt) / (n * n);
}

static pgb_status open(const pgb_problem *problem, pgb_arena *arena, void **state) {
  void *memory = NULL;
  if (strcmp(problem->env, "lqr") != 0 || strcmp(problem->policy, "gaussian-linear") != 0)
    return pgb_ok();
  const pgb_lqr *env = problem->env_params;
  if (env->n > MAX_N || env->m > MAX_M || env->horizon > MAX_T ||
      1 + env->n + (size_t)env->horizon * (env->n + env->m) > MAX_D)
    return pgb_ok();
  PGB_TRY(pgb_arena_alloc(arena, 1, sizeof(lqr), &memory));
  lqr *p = memory;
  p->env = env;
  p->policy = problem->policy_params;
  p->problem = *problem;
  p->n = env->n;
  p->m = env->m;
  p->horizon = (size_t)env->horizon;
  cholesky(env->cov_w, p->n, p->root_w);
  cholesky(env->cov0, p->n, p->root0);
  build_states(p, problem->theta, &p->f);
  *state = p;
  return pgb_ok();
}

static bool j_at(void *state, const pgb_problem *problem, double *j) {
  lqr *p = state;
  build_states(p, problem->theta, &p->spare);
  *j = PGB_FORM_EXPECT(p->spare.d, &p->spare.ret);
  return true;
}

static bool constant(void *state, const pgb_estimator_class *estimator, bool component, double *b) {
  lqr *p = state;
  const pgb_estimator_kind kind = pgb_estimator_what(estimator);
  double as = 0, ss = 0;
  if (kind == PGB_ESTIMATOR_GAE || kind == PGB_ESTIMATOR_OTHER)
    return false;
  ask(p, kind, 1, NULL);
  for (size_t k = 0; k < p->problem.n_theta; k++) {
    as += p->laws[k].as;
    ss += p->laws[k].ss;
    b[k] = p->laws[k].as / p->laws[k].ss;
  }
  for (size_t k = 0; !component && k < p->problem.n_theta; k++)
    b[k] = as / ss;
  return true;
}

static bool moments(void *state, const pgb_pair *pair, size_t batch, double *mean, double *variance) {
  lqr *p = state;
  const pgb_estimator_kind estimator = pgb_estimator_what(pair->estimator);
  const pgb_pair_kind kind = pgb_pair_what(pair);
  const bool gae = estimator == PGB_ESTIMATOR_GAE;
  if (kind == PGB_PAIR_OTHER || kind == PGB_PAIR_NORMALISED || (kind == PGB_PAIR_LOO && batch < 2) ||
      (kind == PGB_PAIR_STEP && (batch != 2 || gae || 2 * p->f.d - 1 > MAX_D)) ||
      (kind == PGB_PAIR_VALUE && pair->value->kind != PGB_VALUE_QUADRATIC))
    return false;
  ask(p, estimator, gae ? ((const pgb_gae *)pair->estimator_params)->lambda : 1,
      kind == PGB_PAIR_VALUE ? pair->value : NULL);
  for (size_t k = 0; k < p->problem.n_theta; k++) {
    const law *e = &p->laws[k];
    batch_law(e, kind, kind == PGB_PAIR_CONSTANT ? pair->constant[k] : 0, (double)batch, &mean[k],
              &variance[k]);
    if (kind == PGB_PAIR_STEP) {
      mean[k] = e->two_mean;
      variance[k] = e->two_variance;
    }
  }
  return true;
}

const pgb_second_kind pgb_second_forms = {
    .method = "quadratic forms", .open = open, .j = j_at, .constant = constant, .moments = moments};

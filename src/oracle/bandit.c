/* SPDX-License-Identifier: MIT */
#include "envs/arms.h"
#include "oracle/batch.h"
#include "oracle/oracle.h"

#include <math.h>
#include <string.h>

/* Softmax bandit: psi = e_a - pi, one step, so that all estimators are psi (r - b) (Williams 1992). Every
 * figure is a finite sum over the arms; the variance is summed around the mean, so that a vanishing one
 * vanishes. */
typedef struct bandit {
  size_t arms;
  const double *r;         /* [K] mean reward                        */
  double *noise2;          /* [K] variance of the reward, given the arm */
  double *pi, *c, *log_pi; /* [K] policy, gradient, log of the policy */
  double *j;               /* [1] E[R], read as V[1][1] too          */
  double var_r;
  bool noisy;
  pgb_arena *arena;
} bandit;

static bool fits(const pgb_problem *problem) {
  return strcmp(problem->env, "bandit") == 0 && strcmp(problem->policy, "softmax-tabular") == 0;
}

static pgb_status doubles(pgb_arena *arena, size_t n, double **out) {
  void *memory = NULL;
  PGB_TRY(pgb_arena_alloc(arena, n, sizeof(double), &memory));
  *out = memory;
  return pgb_ok();
}

static pgb_status open(const pgb_problem *problem, pgb_arena *arena, void **state) {
  const pgb_arms *env = problem->env_params;
  void *memory = NULL;
  PGB_TRY(pgb_arena_alloc(arena, 1, sizeof(bandit), &memory));
  bandit *o = memory;
  o->arms = env->arms;
  o->r = env->mean.data;
  o->arena = arena;
  PGB_TRY(doubles(arena, o->arms, &o->noise2));
  PGB_TRY(doubles(arena, o->arms, &o->pi));
  PGB_TRY(doubles(arena, o->arms, &o->c));
  PGB_TRY(doubles(arena, o->arms, &o->log_pi));
  PGB_TRY(doubles(arena, 1, &o->j));
  pgb_softmax(problem->theta, o->arms, o->pi);
  for (size_t a = 0; a < o->arms; a++) {
    o->noise2[a] = env->noise_sd[a] * env->noise_sd[a];
    o->noisy |= o->noise2[a] > 0;
    o->log_pi[a] = log(o->pi[a]);
    *o->j += o->pi[a] * o->r[a];
  }
  for (size_t a = 0; a < o->arms; a++) {
    double advantage = 0; /* r_a - J without the cancellation of a nearly deterministic policy */
    for (size_t k = 0; k < o->arms; k++)
      advantage += o->pi[k] * (o->r[a] - o->r[k]);
    o->c[a] = o->pi[a] * advantage;
    o->var_r += o->pi[a] * (advantage * advantage + o->noise2[a]);
  }
  *state = o;
  return pgb_ok();
}

static bool gradient(const void *state, double *j, double *g) {
  const bandit *o = state;
  *j = *o->j;
  memcpy(g, o->c, o->arms * sizeof *g);
  return true;
}

static bool value(const void *state, pgb_value *out) {
  const bandit *o = state;
  *out = (pgb_value){.kind = PGB_VALUE_TABLE, .horizon = 1, .n_obs = 1, .n_contexts = 1, .table = o->j};
  return true;
}

/* Sum of pi_a over the other arms: 1 - pi_k without cancellation. */
static double others(const bandit *o, size_t k) {
  double sum = 0;
  for (size_t a = 0; a < o->arms; a++)
    sum += a == k ? 0 : o->pi[a];
  return sum;
}

/* E[psi_k^2 r]; r NULL stands for 1. */
static double weighted(const bandit *o, size_t k, const double *r) {
  const double rest = others(o, k);
  double sum = 0;
  for (size_t a = 0; a < o->arms; a++) {
    const double psi = a == k ? rest : -o->pi[k];
    sum += o->pi[a] * psi * psi * (r == NULL ? 1 : r[a]);
  }
  return sum;
}

/* Weaver & Tao 2001; Greensmith et al. 2004: b* = E[|psi|^2 r]/E|psi|^2, b_k* = E[psi_k^2 r]/E[psi_k^2].
 * Where the score vanishes every baseline is as good, and J is given. */
static bool constant(void *state, const pgb_estimator_class *estimator, bool component, double *b) {
  const bandit *o = state;
  const pgb_estimator_kind kind = pgb_estimator_what(estimator);
  if (kind == PGB_ESTIMATOR_GAE || kind == PGB_ESTIMATOR_OTHER)
    return false;
  double top = 0, bottom = 0;
  for (size_t k = 0; k < o->arms; k++) {
    const double reward = weighted(o, k, o->r), score = weighted(o, k, NULL);
    top += reward;
    bottom += score;
    b[k] = score > 0 ? reward / score : *o->j;
  }
  for (size_t k = 0; k < o->arms && !component; k++)
    b[k] = bottom > 0 ? top / bottom : *o->j;
  return true;
}

/* Var(psi_k (r - b)). */
static double variance_at(const bandit *o, size_t k, double b) {
  const double rest = others(o, k);
  double sum = 0;
  for (size_t a = 0; a < o->arms; a++) {
    const double psi = a == k ? rest : -o->pi[k];
    const double off = psi * (o->r[a] - b) - o->c[k];
    sum += o->pi[a] * (off * off + psi * psi * o->noise2[a]);
  }
  return sum;
}

/* One way to draw n arms: how many of each. The next one in order, false after the last. */
static bool next_counts(size_t *count, size_t arms) {
  size_t i = 0;
  while (i + 1 < arms && count[i] == 0)
    i++;
  if (i + 1 == arms)
    return false;
  const size_t moved = count[i] - 1;
  count[i] = 0;
  count[0] = moved;
  count[i + 1]++;
  return true;
}

/* Adds one composition of the batch to E[g] and E[g^2]; g_k = n_k (r_k - mean) / (n sd), and 0 where all
 * rewards are equal (0/0). */
static void add_composition(const bandit *o, const size_t *count, const double *log_factorial, size_t n,
                            double *mean, double *second) {
  double log_p = log_factorial[n], bar = 0, low = INFINITY, high = -INFINITY, squares = 0;
  for (size_t a = 0; a < o->arms; a++) {
    if (count[a] == 0)
      continue;
    log_p += (double)count[a] * o->log_pi[a] - log_factorial[count[a]];
    bar += (double)count[a] * o->r[a] / (double)n;
    low = fmin(low, o->r[a]);
    high = fmax(high, o->r[a]);
  }
  if (low == high)
    return;
  for (size_t a = 0; a < o->arms; a++)
    squares += (double)count[a] * (o->r[a] - bar) * (o->r[a] - bar);
  const double p = exp(log_p), sd = sqrt(squares / ((double)n - 1));
  for (size_t a = 0; a < o->arms; a++) {
    const double g = (double)count[a] * (o->r[a] - bar) / ((double)n * sd);
    mean[a] += p * g;
    second[a] += p * g * g;
  }
}

/* Exact law of the normalised advantage for rewards without noise, over all compositions of the batch; not
 * known where these are too many. */
static bool normalised(const bandit *o, size_t n, double *mean, double *variance) {
  enum { MOST = 2000000 };
  double compositions = 1;
  for (size_t a = 1; a < o->arms; a++)
    compositions *= ((double)n + (double)a) / (double)a;
  if (o->noisy || n < 2 || compositions > MOST)
    return false;
  pgb_arena *scratch = NULL;
  void *count = NULL;
  double *log_factorial = NULL;
  if (pgb_arena_scratch(o->arena, &scratch).code != PGB_OK)
    return false;
  const bool room = pgb_arena_alloc(scratch, o->arms, sizeof(size_t), &count).code == PGB_OK &&
                    doubles(scratch, n + 1, &log_factorial).code == PGB_OK;
  if (room) {
    for (size_t i = 1; i <= n; i++)
      log_factorial[i] = log_factorial[i - 1] + log((double)i);
    memset(mean, 0, o->arms * sizeof *mean);
    memset(variance, 0, o->arms * sizeof *variance);
    ((size_t *)count)[0] = n;
    do
      add_composition(o, count, log_factorial, n, mean, variance);
    while (next_counts(count, o->arms));
    for (size_t k = 0; k < o->arms; k++)
      variance[k] = pgb_variance(variance[k], mean[k]);
  }
  pgb_arena_destroy(scratch);
  return room;
}

static bool moments(void *state, const pgb_pair *pair, size_t batch, double *mean, double *variance) {
  const bandit *o = state;
  const pgb_pair_kind kind = pgb_pair_what(pair);
  const bool own = kind == PGB_PAIR_MEAN, loo = kind == PGB_PAIR_LOO || kind == PGB_PAIR_STEP;
  double v = 0;
  if (kind == PGB_PAIR_NORMALISED)
    return normalised(o, batch, mean, variance);
  if (kind == PGB_PAIR_OTHER || (loo && batch < 2))
    return false;
  if (kind == PGB_PAIR_VALUE && !pgb_value_tabulate(o->arena, pair->value, 1, 1, &v))
    return false;
  for (size_t k = 0; k < o->arms; k++) {
    if (own || loo) {
      const pgb_episode e = pgb_episode_simple(o->c[k], variance_at(o, k, *o->j), weighted(o, k, NULL));
      (own ? pgb_batch_mean : pgb_batch_loo)(&e, o->var_r, batch, &mean[k], &variance[k]);
    } else {
      mean[k] = o->c[k];
      variance[k] = variance_at(o, k, kind == PGB_PAIR_CONSTANT ? pair->constant[k] : v) / (double)batch;
    }
  }
  return true;
}

const pgb_oracle_class pgb_oracle_bandit = {
    .name = "bandit",
    .source = "sums over the arms; Weaver & Tao 2001, Greensmith et al. 2004, Kool et al. 2019",
    .fits = fits,
    .open = open,
    .gradient = gradient,
    .value = value,
    .constant = constant,
    .moments = moments,
};

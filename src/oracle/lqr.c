/* SPDX-License-Identifier: MIT */
#include "oracle/lqr.h"

#include "estimator/gae.h"
#include "oracle/batch.h"
#include "oracle/lqr_model.h"
#include "oracle/lqr_moments.h"
#include "oracle/lqr_step.h"
#include "policy/gaussian_linear.h"

#include <math.h>
#include <string.h>

/* The moments of one signal, remembered: every batch size and most baselines of an estimator share them. */
typedef struct answer {
  bool known;
  pgb_lqr_signal signal;
  double *value; /* [T] constant, [T][n][n] quad of the signal's value */
  pgb_lqr_joint *joint;
  double r;
  double *square; /* [T] E[G_t^2] of the signal */
} answer;

enum { N_ANSWERS = 8 };

typedef struct state {
  pgb_lqr_model model;
  pgb_lqr_moments *moments; /* NULL: not known */
  pgb_lqr_step *step;       /* NULL: not known */
  double *extra;            /* [n_theta] of time-mean */
  answer answers[N_ANSWERS];
  size_t oldest;
} state;

static bool fits(const pgb_problem *problem) {
  const pgb_lqr *env = problem->env_params;
  const pgb_gaussian_linear *policy = problem->policy_params;
  if (strcmp(problem->env, "lqr") != 0 || strcmp(problem->policy, "gaussian-linear") != 0)
    return false;
  const size_t n = env->n;
  const size_t m = env->m;
  const double steps = (double)env->horizon;
  const double memory = steps * (double)(n * n);
  return policy->n == n && policy->m == m && problem->n_theta == policy->n_theta && memory < 2e7 &&
         memory * (double)(n + m) < 1e10;
}

static pgb_status open_state(const pgb_problem *problem, pgb_arena *arena, void **out) {
  void *piece = NULL;
  PGB_TRY(pgb_arena_alloc(arena, 1, sizeof(state), &piece));
  state *s = piece;
  PGB_TRY(pgb_lqr_model_open(problem, arena, &s->model));
  PGB_TRY(pgb_lqr_moments_open(&s->model, arena, &s->moments));
  if (s->moments != NULL)
    PGB_TRY(pgb_lqr_step_open(&s->model, arena, &s->step));
  PGB_TRY(pgb_arena_alloc(arena, s->model.n_theta, sizeof(double), &piece));
  s->extra = piece;
  const size_t size = s->model.horizon * (1 + s->model.n * s->model.n);
  for (size_t i = 0; s->moments != NULL && i < N_ANSWERS; i++) {
    PGB_TRY(pgb_arena_alloc(arena, size, sizeof(double), &piece));
    s->answers[i].value = piece;
    PGB_TRY(pgb_arena_alloc(arena, s->model.n_theta, sizeof(pgb_lqr_joint), &piece));
    s->answers[i].joint = piece;
    PGB_TRY(pgb_arena_alloc(arena, s->model.horizon, sizeof(double), &piece));
    s->answers[i].square = piece;
  }
  *out = s;
  return pgb_ok();
}

static bool all_finite(const double *x, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (!isfinite(x[i]))
      return false;
  return true;
}

static bool gradient(const void *opaque, double *j, double *out) {
  const state *s = opaque;
  *j = s->model.j;
  memcpy(out, s->model.gradient, s->model.n_theta * sizeof *out);
  return isfinite(*j) && all_finite(out, s->model.n_theta);
}

static bool value(const void *opaque, pgb_value *out) {
  const pgb_lqr_model *p = &((const state *)opaque)->model;
  *out = (pgb_value){.kind = PGB_VALUE_QUADRATIC,
                     .horizon = p->horizon,
                     .n_obs = p->n,
                     .constant = p->constant,
                     .quad = p->quad};
  return all_finite(p->constant, p->horizon) && all_finite(p->quad, p->horizon * p->n * p->n);
}

static bool same_signal(const state *s, const answer *a, const pgb_lqr_signal *b) {
  const size_t steps = s->model.horizon;
  const size_t quads = steps * s->model.n * s->model.n;
  if (!a->known || a->signal.level != b->level || a->signal.lambda != b->lambda ||
      a->signal.omega != b->omega || a->signal.score != b->score || a->signal.weighted != b->weighted ||
      (a->signal.value == NULL) != (b->value == NULL))
    return false;
  return b->value == NULL || (memcmp(a->value, b->value->constant, steps * sizeof(double)) == 0 &&
                              memcmp(a->value + steps, b->value->quad, quads * sizeof(double)) == 0);
}

static const answer *ask(state *s, const pgb_lqr_signal *signal) {
  for (size_t i = 0; i < N_ANSWERS; i++)
    if (same_signal(s, &s->answers[i], signal))
      return &s->answers[i];
  answer *a = &s->answers[s->oldest];
  const size_t steps = s->model.horizon;
  s->oldest = (s->oldest + 1) % N_ANSWERS;
  a->known = true;
  a->signal = *signal;
  if (signal->value != NULL) {
    memcpy(a->value, signal->value->constant, steps * sizeof(double));
    memcpy(a->value + steps, signal->value->quad, steps * s->model.n * s->model.n * sizeof(double));
  }
  pgb_lqr_moments_run(s->moments, signal, a->joint, &a->r, a->square);
  return a;
}

/* What of an episode an estimator needs without a value. Returns are measured from J, so that no digits are
 * lost to a large mean; reinforce is S R, so the moments of S and R are all of it. */
static const answer *ask_plain(state *s, pgb_estimator_kind kind) {
  const pgb_lqr_signal signal = {.level = s->model.j,
                                 .lambda = 1,
                                 .omega = kind == PGB_ESTIMATOR_GPOMDP ? s->model.gamma : 1,
                                 .score = true,
                                 .weighted = kind != PGB_ESTIMATOR_REINFORCE};
  return ask(s, &signal);
}

/* First two moments of A - J S and its product with S, A the estimate without baseline. */
typedef struct centred {
  double mean, second, with_s;
} centred;

static centred centre(const pgb_lqr_joint *e, pgb_estimator_kind kind) {
  if (kind == PGB_ESTIMATOR_REINFORCE)
    return (centred){.mean = e->rs, .second = e->rrss, .with_s = e->rss};
  return (centred){.mean = e->x, .second = e->xx, .with_s = e->xs};
}

static bool constant(void *opaque, const pgb_estimator_class *estimator, bool component, double *b) {
  state *s = opaque;
  const pgb_estimator_kind kind = pgb_estimator_what(estimator);
  if (s->moments == NULL || kind == PGB_ESTIMATOR_GAE || kind == PGB_ESTIMATOR_OTHER || !isfinite(s->model.j))
    return false;
  const answer *a = ask_plain(s, kind);
  double with_s = 0;
  double ss = 0;
  for (size_t k = 0; k < s->model.n_theta; k++) {
    const double part = centre(&a->joint[k], kind).with_s;
    with_s += part;
    ss += a->joint[k].ss;
    b[k] = s->model.j + (a->joint[k].ss > 0 ? part / a->joint[k].ss : 0);
  }
  for (size_t k = 0; !component && k < s->model.n_theta; k++)
    b[k] = s->model.j + (ss > 0 ? with_s / ss : 0);
  return all_finite(b, s->model.n_theta);
}

/* A - b S with b = J + beta. Where so much cancels that rounding is more than 1e-9 of the rest: not known. */
static void shifted(const pgb_lqr_joint *e, centred c, double beta, size_t batch, double *mean,
                    double *variance) {
  const double cross = 2 * beta * c.with_s;
  const double square = beta * beta * e->ss;
  const double most = c.second + fabs(cross) + square;
  const double left = c.second - cross + square - c.mean * c.mean;
  *mean = c.mean;
  *variance = left < 1e-6 * most ? NAN : left / (double)batch;
}

static bool plain_moments(state *s, const pgb_pair *pair, size_t batch, double *mean, double *variance) {
  const pgb_estimator_kind kind = pgb_estimator_what(pair->estimator);
  const pgb_pair_kind what = pgb_pair_what(pair);
  const double j = s->model.j;
  /* Reinforce weighs with the first step, where the time-mean is the mean return. */
  const bool others = what == PGB_PAIR_LOO || what == PGB_PAIR_STEP;
  if (others && batch < 2)
    return false;
  const answer *a = ask_plain(s, kind);
  const double var_r = pgb_variance(a->square[0], a->r);
  for (size_t k = 0; k < s->model.n_theta; k++) {
    const pgb_lqr_joint *e = &a->joint[k];
    const centred c = centre(e, kind);
    const bool simple = kind == PGB_ESTIMATOR_REINFORCE;
    const pgb_episode episode = {.a = c.mean,
                                 .var_a = pgb_variance(c.second, c.mean),
                                 .ss = e->ss,
                                 .sr = e->rs,
                                 .cov = (simple ? e->rrss : e->rxs) - c.mean * e->rs,
                                 .var_sr = pgb_variance(e->rrss, e->rs)};
    if (others)
      pgb_batch_loo(&episode, var_r, batch, &mean[k], &variance[k]);
    else if (what == PGB_PAIR_MEAN)
      pgb_batch_mean(&episode, var_r, batch, &mean[k], &variance[k]);
    else
      shifted(e, c, (what == PGB_PAIR_NONE ? 0 : pair->constant[k]) - j, batch, &mean[k], &variance[k]);
  }
  return true;
}

/* With a value, or gae: V takes the baseline's place, and gae without a baseline has V = 0. */
static const answer *ask_value(state *s, const pgb_pair *pair, const pgb_value *v) {
  const pgb_estimator_kind kind = pgb_estimator_what(pair->estimator);
  const bool discounted = kind == PGB_ESTIMATOR_GPOMDP || kind == PGB_ESTIMATOR_GAE;
  const pgb_gae *gae = pair->estimator_params;
  const pgb_lqr_signal signal = {.value = v,
                                 .lambda = kind == PGB_ESTIMATOR_GAE ? gae->lambda : 1,
                                 .omega = discounted ? s->model.gamma : 1,
                                 .score = kind == PGB_ESTIMATOR_REINFORCE,
                                 .weighted = kind != PGB_ESTIMATOR_REINFORCE};
  return ask(s, &signal);
}

static bool value_moments(state *s, const pgb_pair *pair, const pgb_value *v, size_t batch, double *mean,
                          double *variance) {
  const pgb_estimator_kind kind = pgb_estimator_what(pair->estimator);
  const answer *a = ask_value(s, pair, v);
  for (size_t k = 0; k < s->model.n_theta; k++)
    shifted(&a->joint[k], centre(&a->joint[k], kind), 0, batch, &mean[k], &variance[k]);
  return true;
}

/* Time-mean on the rewards to go: E G_t known, then what estimating it from the other episodes adds. */
static bool step_moments(state *s, const pgb_pair *pair, size_t batch, double *mean, double *variance) {
  const pgb_estimator_kind kind = pgb_estimator_what(pair->estimator);
  if (s->step == NULL || batch < 2 || kind == PGB_ESTIMATOR_GAE)
    return false;
  const pgb_value *expected = pgb_lqr_step_mean(s->step);
  const double others = (double)batch * (double)(batch - 1);
  (void)value_moments(s, pair, expected, batch, mean, variance);
  pgb_lqr_step_extra(s->step, kind == PGB_ESTIMATOR_GPOMDP ? s->model.gamma : 1,
                     ask_value(s, pair, expected)->square, s->extra);
  for (size_t k = 0; k < s->model.n_theta; k++)
    variance[k] += s->extra[k] / others;
  return true;
}

static bool usable(const state *s, const pgb_value *v) {
  return v != NULL && v->kind == PGB_VALUE_QUADRATIC && v->horizon == s->model.horizon &&
         v->n_obs == s->model.n;
}

static bool moments(void *opaque, const pgb_pair *pair, size_t batch, double *mean, double *variance) {
  state *s = opaque;
  const pgb_estimator_kind kind = pgb_estimator_what(pair->estimator);
  bool known = false;
  if (s->moments == NULL || batch == 0 || !isfinite(s->model.j))
    return false;
  switch (pgb_pair_what(pair)) {
  case PGB_PAIR_NONE:
    known = kind == PGB_ESTIMATOR_GAE ? value_moments(s, pair, NULL, batch, mean, variance)
                                      : plain_moments(s, pair, batch, mean, variance);
    break;
  case PGB_PAIR_MEAN:
  case PGB_PAIR_LOO:
    known = plain_moments(s, pair, batch, mean, variance);
    break;
  case PGB_PAIR_CONSTANT:
    known = pair->constant != NULL && plain_moments(s, pair, batch, mean, variance);
    break;
  case PGB_PAIR_VALUE:
    known = usable(s, pair->value) && value_moments(s, pair, pair->value, batch, mean, variance);
    break;
  case PGB_PAIR_STEP:
    known = kind == PGB_ESTIMATOR_REINFORCE ? plain_moments(s, pair, batch, mean, variance)
                                            : step_moments(s, pair, batch, mean, variance);
    break;
  case PGB_PAIR_NORMALISED:
  case PGB_PAIR_OTHER:
    break;
  }
  return known && all_finite(mean, s->model.n_theta) && all_finite(variance, s->model.n_theta);
}

const pgb_oracle_class pgb_oracle_lqr = {
    .name = "lqr",
    .source = "value and gradient: Fazel et al. 2018, arXiv:1801.05039, in finite horizon; batch laws: Kool "
              "et al. 2019",
    .fits = fits,
    .open = open_state,
    .gradient = gradient,
    .value = value,
    .constant = constant,
    .moments = moments,
};

/* SPDX-License-Identifier: MIT */
#ifndef PGB_TESTS_REFERENCE_EPISODE_H
#define PGB_TESTS_REFERENCE_EPISODE_H

#include "policy/gaussian_linear.h"
#include "reference.h"

/* Whole episodes by the reference, or a recorded one in the same shape; and what estimators make of them, by
 * the formulas of their papers written out as double loops. T = horizon. */
typedef struct ref_episode {
  size_t length;
  uint8_t end;
  double margin;         /* the smallest of its decisions */
  double *obs;           /* [T][n_obs]                    */
  double *act;           /* [T][n_act]                    */
  double *reward, *togo; /* [T]                   */
  double *psi;           /* [T][n_theta]                  */
  double *room;
} ref_episode;

static inline int ref_open(checks *c, const pgb_actor *a, ref_episode *e) {
  const size_t t = a->space.horizon;
  *e = (ref_episode){
      .room = calloc(t * (a->space.n_obs + a->space.n_act + a->shape.n_theta + 2), sizeof(double))};
  CHECK(c, e->room != NULL);
  CHECK(c, a->space.n_obs <= REF_MAX && a->space.n_act <= REF_MAX && a->space.n_choices <= REF_MAX &&
               a->space.n_contexts <= REF_MAX);
  if (e->room == NULL)
    return 0;
  e->obs = e->room;
  e->act = e->obs + t * a->space.n_obs;
  e->reward = e->act + t * a->space.n_act;
  e->togo = e->reward + t;
  e->psi = e->togo + t;
  return 1;
}

/* G_t = sum_{k>=t} gamma^(k-t) r_k, term by term. */
static inline void ref_togo(ref_episode *e, double gamma) {
  for (size_t t = 0; t < e->length; t++) {
    double power = 1;
    e->togo[t] = 0;
    for (size_t k = t; k < e->length; k++, power *= gamma)
      e->togo[t] += power * e->reward[k];
  }
}

static inline void ref_sd(const pgb_actor *a, double *sd) {
  const size_t m = a->space.n_act, n = a->space.n_obs;
  if (!ref_is(a, "gaussian-linear"))
    return;
  const pgb_gaussian_linear *p = a->policy_params;
  for (size_t d = 0; d < m; d++)
    sd[d] = p->learn_sigma ? exp((double)a->theta[m * n + d]) : ref_entry(&p->sigma, d);
}

/* How far off the scores of a recorded episode are because its actions were rounded to float32. */
static inline double ref_fuzz(const pgb_actor *a, const ref_episode *e) {
  double sd[REF_MAX], fuzz = 1e-7;
  ref_sd(a, sd);
  for (size_t t = 0; t < e->length && ref_is(a, "gaussian-linear"); t++)
    for (size_t d = 0; d < a->space.n_act; d++)
      for (size_t k = 0; k < a->space.n_obs; k++) {
        const double x = 1 + fabs(e->obs[t * a->space.n_obs + k]),
                     u = 1 + fabs(e->act[t * a->space.n_act + d]);
        fuzz = fmax(fuzz, 1e-7 * x * u / (sd[d] * sd[d]));
      }
  return fuzz;
}

/* The n words of step t (rollout/loop.c states the rule): with one or two words a step, one block of four
 * serves several steps; with more, each step has whole blocks of its own. */
static inline void ref_words(pgb_address at, pgb_use use, uint64_t replicate, uint64_t episode, size_t t,
                             size_t n, uint32_t *out) {
  const unsigned tag = (unsigned)use + (at.pilot ? (unsigned)PGB_USE_PILOT : 0u);
  for (size_t j = 0; j < n; j++) {
    const size_t word = n <= 2 ? t * n + j : t * ((n + 3) / 4 * 4) + j;
    uint32_t block[4];
    pgb_words(at.seed, tag, at.stream, (uint32_t)replicate, (uint32_t)episode, (uint32_t)(word / 4), block);
    out[j] = block[word % 4];
  }
}

/* Gymnasium's limits cut problems that would go on; the horizons of the others are their own end. */
static inline bool ref_goes_on(const char *name) {
  static const char *const names[] = {"cartpole", "pendulum", "acrobot", "mountaincar"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(names[i], name) == 0)
      return true;
  return false;
}

/* Episode `number` of the stream, alone. */
static inline void ref_run(const pgb_actor *a, pgb_address at, uint64_t batch, uint64_t number,
                           ref_episode *e) {
  const uint64_t replicate = number / batch, episode = number % batch;
  const size_t n = a->space.n_obs, m = a->space.n_act;
  double x[REF_MAX], sd[REF_MAX];
  uint32_t w[4 * REF_MAX];
  ref_sd(a, sd);
  ref_words(at, PGB_USE_RESET, replicate, episode, 0, a->space.reset_words, w);
  e->margin = ref_reset(a, w, x);
  e->end = PGB_LIVE;
  for (size_t t = 0; e->end == PGB_LIVE; t++) {
    double *act = e->act + t * m;
    ref_observe(a->env->name, x, n, e->obs + t * n);
    ref_words(at, PGB_USE_ACTION, replicate, episode, t, a->shape.words, w);
    e->margin = fmin(e->margin, ref_sample(a, sd, e->obs + t * n, w, act));
    ref_score(a, sd, e->obs + t * n, act, e->psi + t * a->shape.n_theta);
    ref_words(at, PGB_USE_STEP, replicate, episode, t, a->space.step_words, w);
    const ref_step step = ref_env(a, x, act, w);
    e->margin = fmin(e->margin, step.margin);
    e->reward[t] = step.reward;
    e->length = t + 1;
    if (e->length == a->space.horizon)
      e->end = ref_goes_on(a->env->name) ? PGB_TRUNCATED : PGB_TERMINAL;
    if (step.terminal)
      e->end = PGB_TERMINAL;
  }
  ref_togo(e, a->gamma);
}

/* Episode i of a rollout as it was recorded. */
static inline void ref_view(const pgb_actor *a, const pgb_rollout *r, size_t i, ref_episode *e) {
  double sd[REF_MAX];
  ref_sd(a, sd);
  e->length = (size_t)r->length[i];
  for (size_t t = 0; t < e->length; t++) {
    const size_t at = (size_t)r->origin[i] + t * PGB_LANES, row = at / PGB_LANES, lane = at % PGB_LANES;
    for (size_t k = 0; k < r->n_obs; k++)
      e->obs[t * r->n_obs + k] = (double)r->obs[(row * r->n_obs + k) * PGB_LANES + lane];
    for (size_t k = 0; k < r->n_act; k++)
      e->act[t * r->n_act + k] = (double)r->act[(row * r->n_act + k) * PGB_LANES + lane];
    e->reward[t] = (double)r->reward[at];
    e->end = r->end[at];
    ref_score(a, sd, e->obs + t * r->n_obs, e->act + t * r->n_act, e->psi + t * a->shape.n_theta);
  }
  ref_togo(e, a->gamma);
}

/* w_t of an estimator, v[t] the baseline's value at step t or NULL. */
static inline void ref_weights(const char *estimator, double lambda, double gamma, const ref_episode *e,
                               const double *v, double *w) {
  for (size_t t = 0; t < e->length; t++) {
    const double advantage = e->togo[t] - (v != NULL ? v[t] : 0);
    w[t] = NAN;
    if (strcmp(estimator, "reinforce") == 0) /* Williams 1992 */
      w[t] = e->togo[0] - (v != NULL ? v[0] : 0);
    if (strcmp(estimator, "gpomdp") == 0) /* Sutton et al. 2000 */
      w[t] = pow(gamma, (double)t) * advantage;
    if (strcmp(estimator, "gpomdp-undiscounted") == 0)
      w[t] = advantage;
    if (strcmp(estimator, "gae") != 0)
      continue;
    w[t] = 0; /* Schulman et al. 2016, equation 16; the value after the last step is 0 */
    double power = 1;
    for (size_t k = t; k < e->length; k++, power *= gamma * lambda) {
      const double here = v != NULL ? v[k] : 0, next = v != NULL && k + 1 < e->length ? v[k + 1] : 0;
      w[t] += power * (e->reward[k] + gamma * next - here);
    }
    w[t] *= pow(gamma, (double)t);
  }
}

/* What a constant baseline multiplies. */
static inline void ref_ones(const char *estimator, double gamma, const ref_episode *e, double *w) {
  for (size_t t = 0; t < e->length; t++)
    w[t] = strcmp(estimator, "gpomdp") == 0 ? pow(gamma, (double)t) : 1;
}

/* sum_t w_t psi_t into g [n_theta]; scale [n_theta] receives sum_t |w_t psi_t|, what rounding is relative to.
 */
static inline void ref_gradient(const ref_episode *e, const double *w, size_t n_theta, double *g,
                                double *scale) {
  for (size_t k = 0; k < n_theta; k++) {
    g[k] = 0;
    scale[k] = 0;
    for (size_t t = 0; t < e->length; t++) {
      g[k] += w[t] * e->psi[t * n_theta + k];
      scale[k] += fabs(w[t] * e->psi[t * n_theta + k]);
    }
  }
}

#endif

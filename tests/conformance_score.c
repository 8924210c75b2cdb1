/* SPDX-License-Identifier: MIT */
#include "conformance_score.h"

#include "kernels.h"

#include <math.h>
#include <string.h>

enum { EPISODES = 150, MAX_SCORES = 600 };

/* d log pi / d theta[k] by a central difference. */
static double slope(const pgb_actor *a, double *theta, size_t k, const double *obs, const double *act) {
  const double here = theta[k], h = 1e-5;
  theta[k] = here + h;
  const double up = a->policy->logp(a->policy_params, theta, obs, act);
  theta[k] = here - h;
  const double down = a->policy->logp(a->policy_params, theta, obs, act);
  theta[k] = here;
  return (up - down) / (2 * h);
}

/* How much a slope changes with the last digits of a continuous action, 16 units of 2^-23: the score is that
 * of the noise drawn, but here the noise is what the action is away from the mean in double, and a mean that
 * is large beside sigma differs from it by some units. */
static double rounding(const pgb_actor *a, double *theta, size_t k, const double *obs, const double *act) {
  double next[64];
  if (a->space.n_choices > 0)
    return 0;
  for (size_t i = 0; i < a->space.n_act; i++)
    next[i] = act[i] * (1 + 16 * 0x1p-23);
  return fabs(slope(a, theta, k, obs, next) - slope(a, theta, k, obs, act));
}

/* The place of a step in the middle of an episode. */
static size_t middle(const pgb_rollout *r, size_t e) {
  return (size_t)r->origin[e] + ((size_t)r->length[e] / 2) * PGB_LANES;
}

/* Score of one step of each episode (weight 1 there, 0 elsewhere) against central differences of log pi. */
static size_t score_errors(const pgb_actor *a, const pgb_rollout *r, float *w, float *acc, float *out) {
  double theta[PGB_SCORE_MOST], obs[64], act[64];
  size_t wrong = 0;
  const size_t d = a->shape.n_theta;
  const float *row = w;
  for (size_t k = 0; k < d; k++)
    theta[k] = (double)a->theta[k];
  for (size_t e = 0; e < 40 && e < r->n_episodes; e++)
    w[middle(r, e)] = 1;
  a->policy->contract(a->policy_params, a->theta, r, 0, r->n_episodes, 1, &row, acc, out);
  for (size_t e = 0; e < 40 && e < r->n_episodes; e++) {
    const size_t at = middle(r, e);
    for (size_t k = 0; k < r->n_obs; k++)
      obs[k] = (double)r->obs[(at / PGB_LANES * r->n_obs + k) * PGB_LANES + at % PGB_LANES];
    for (size_t k = 0; k < r->n_act; k++)
      act[k] = (double)r->act[(at / PGB_LANES * r->n_act + k) * PGB_LANES + at % PGB_LANES];
    for (size_t k = e % 7; k < d; k += d / MAX_SCORES + 1) {
      const double score = (double)out[e * d + k], want = slope(a, theta, k, obs, act);
      wrong += !check_close(score, want, 1e-5, 1e-5) &&
               !check_close(score, want, 1e-5, 1e-5 + rounding(a, theta, k, obs, act));
    }
  }
  return wrong;
}

/* A row that is NULL against one of ones, bit by bit. */
static size_t null_errors(const pgb_actor *a, const pgb_rollout *r, float *w, float *acc, float *out) {
  const size_t n = r->n_episodes * a->shape.n_theta;
  float *want = malloc(n * sizeof *want);
  const float *row = w;
  if (want == NULL)
    return 1;
  for (size_t k = 0; k < r->capacity * PGB_LANES; k++)
    w[k] = 1;
  a->policy->contract(a->policy_params, a->theta, r, 0, r->n_episodes, 1, &row, acc, want);
  row = NULL;
  a->policy->contract(a->policy_params, a->theta, r, 0, r->n_episodes, 1, &row, acc, out);
  const size_t wrong = memcmp(want, out, n * sizeof *want) != 0;
  free(want);
  return wrong;
}

void check_score(checks *c, const pgb_actor *a, pgb_isa isa) {
  kernel_run k = {NULL, NULL};
  if (kernel_open(c, a, pgb_rollout_capacity(&a->space), &k)) {
    float *w = calloc(k.r->capacity * PGB_LANES, sizeof *w);
    float *acc = kernel_scratch(&a->shape, 1);
    float *out = calloc(k.r->max_episodes * a->shape.n_theta, sizeof *out);
    CHECK(c, w != NULL && acc != NULL && out != NULL);
    kernel_roll(&k, isa, a, (pgb_address){.seed = 6}, 1, 0, EPISODES);
    if (w != NULL && acc != NULL && out != NULL)
      CHECK(c, score_errors(a, k.r, w, acc, out) == 0 &&
                   (!a->shape.by_episode || null_errors(a, k.r, w, acc, out) == 0));
    free(w);
    free(acc);
    free(out);
  }
  kernel_close(&k);
}

/* SPDX-License-Identifier: MIT */
#ifndef PGB_TESTS_KERNELS_H
#define PGB_TESTS_KERNELS_H

#include "check.h"
#include "core/rng.h"
#include "rollout/rollout.h"
#include "study/study.h"

#include <stdlib.h>

/* What the tests of the lane kernels share: problems as study texts, resolved for one instruction set, and
 * rollouts of them whose buffers were poisoned before. */

#define NOISY_BANDIT "env: {name: bandit, mean: [1, 2, 3, 5], noise: [.5, 0, 1, .25]}\n"
#define NOISY_MDP                                                                                            \
  "gamma: 0.9\nenv: {name: mdp, horizon: 3, transition: [[[.8, .2], [.3, .7]], [[.5, .5], [.1, .9]]], "      \
  "reward: [[1, 0], [-1, 2]], start: [.6, .4], noise: .5}\n"
#define LONG_MDP                                                                                             \
  "gamma: 0.95\nenv: {name: mdp, horizon: 21, transition: [[[.1, .2, .7], [.3, .3, .4], [0, 1, 0]], "        \
  "[[.5, .5, 0], [.1, .9, 0], [.2, .3, .5]], [[1, 0, 0], [.25, .25, .5], [0, 0, 1]]], "                      \
  "reward: [[1, 0, 2], [-1, 2, .5], [.3, -.7, 0]]}\n"
#define WIDE_LQR                                                                                             \
  "gamma: 0.97\nenv: {name: lqr, horizon: 30, A: [[.9, .1, 0], [0, .8, .1], [.05, 0, .7]], "                 \
  "B: [[.1, 0], [.5, .1], [0, .3]], Q: [[1, .1, 0], [.1, .5, 0], [0, 0, .2]], R: [[.2, .05], [.05, .3]], "   \
  "W: [[.02, .01, 0], [.01, .05, 0], [0, 0, .03]], S0: [[1, .2, 0], [.2, .5, .1], [0, .1, .4]], "            \
  "start: [.5, -1, .25]}\n"

typedef struct kernel_problem {
  const char *name, *text;
} kernel_problem;

/* Every environment, with and without noise, with short episodes (random words picked lane by lane) and long
 * ones (blocks shared by several steps), one to three action dimensions. */
static const kernel_problem kernel_problems[] = {
    {"bandit", NOISY_BANDIT "policy: {name: softmax-tabular, theta: [0, .5, 1, 1.5]}\n"},
    {"bandit without noise", "env: bandit\npolicy: {name: softmax-tabular, theta: 'random:1'}\n"},
    {"gaussian", "env: {name: gaussian, curvature: 1.7, target: .3, noise: .4}\n"
                 "policy: {name: gaussian-linear, sigma: .6, theta: [1.1]}\n"},
    {"gaussian dim 3",
     "env: {name: gaussian, dim: 3, curvature: .8, target: [.3, -1, 2], noise: .4, context: normal}\n"
     "policy: {name: gaussian-linear, sigma: [.6, 1, .2], learn_sigma: true, theta: 'random:.5'}\n"},
    {"mdp", NOISY_MDP "policy: {name: softmax-tabular, theta: [.2, -.3, .5, 0]}\n"},
    {"mdp long", LONG_MDP "policy: {name: softmax-tabular, theta: 'random:.8'}\n"},
    {"chain", "gamma: 0.9\nenv: {name: chain, mean: [0, 1, .5], noise: .7, horizon: 7}\n"
              "policy: {name: softmax-tabular, theta: 'random:.5'}\n"},
    {"chain long", "gamma: 1\nenv: {name: chain, mean: [0, 1], noise: [.7, .1], horizon: 40}\n"
                   "policy: {name: softmax-tabular, theta: [.3, -.2]}\n"},
    {"lqr", "gamma: 0.95\nenv: {name: lqr, W: [[.02, 0], [0, .05]], S0: [[1, .2], [.2, .5]]}\n"
            "policy: {name: gaussian-linear, sigma: .5477, theta: [.4, .6]}\n"},
    {"lqr wide",
     WIDE_LQR "policy: {name: gaussian-linear, sigma: [.3, .5], learn_sigma: true, theta: 'random:.2'}\n"},
    {"lqr fixed start",
     "env: {name: lqr, start: [1, -2]}\npolicy: {name: gaussian-linear, theta: [.4, .6]}\n"},
    {"cartpole", "env: cartpole\npolicy: {name: softmax-linear, theta: 'random:.3'}\n"},
    {"cartpole steered", "env: {name: cartpole, horizon: 60}\n"
                         "policy: {name: softmax-linear, theta: [-.3, -.5, -4, -1, .3, .5, 4, 1, .1, 0]}\n"},
    {"cartpole short",
     "env: {name: cartpole, horizon: 12}\npolicy: {name: softmax-linear, theta: 'random:.3'}\n"},
    {"pendulum", "env: {name: pendulum, horizon: 40}\npolicy: {name: gaussian-linear, theta: 'random:.8'}\n"},
    {"pendulum light", "gamma: 0.9\nenv: {name: pendulum, g: 1.6, horizon: 11}\n"
                       "policy: {name: gaussian-linear, sigma: .4, learn_sigma: true, theta: 'random:.8'}\n"},
    {"acrobot", "env: {name: acrobot, horizon: 40}\npolicy: {name: softmax-linear, theta: 'random:.5'}\n"},
    {"acrobot pumped", "env: {name: acrobot, horizon: 60}\n"
                       "policy: {name: softmax-linear, theta: [0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, "
                       "0, 0, 0, 0, -3, 0, 0, 0, 0]}\n"},
    {"mountaincar",
     "env: {name: mountaincar, horizon: 100}\npolicy: {name: gaussian-linear, theta: 'random:.5'}\n"},
    {"mountaincar pumped", "env: {name: mountaincar, goal_velocity: .002, horizon: 200}\n"
                           "policy: {name: gaussian-linear, sigma: .3, theta: [0, 40]}\n"},
};
enum { KERNEL_PROBLEMS = sizeof kernel_problems / sizeof *kernel_problems };

static inline pgb_study *kernel_study(checks *c, const char *text, pgb_isa isa) {
  pgb_study *study = NULL;
  const pgb_request request = {.study = "test", .text = text, .isa = isa};
  CHECK_OK(c, pgb_study_resolve(&request, &study));
  return study;
}

/* A rollout of its own, every buffer full of ones (NaN as float, nonsense as integer) before the run. */
typedef struct kernel_run {
  pgb_runner *runner;
  pgb_rollout *r;
} kernel_run;

static inline void kernel_poison(pgb_rollout *r) {
  const size_t steps = r->capacity * PGB_LANES;
  memset(r->obs, 0xff, steps * r->n_obs * sizeof(float));
  memset(r->act, 0xff, steps * r->n_act * sizeof(float));
  memset(r->delta, 0xff, steps * r->n_delta * sizeof(float));
  if (r->n_kept > 0)
    memset(r->kept, 0xff, r->kept_room * r->n_kept * sizeof(float));
  memset(r->reward, 0xff, steps * sizeof(float));
  memset(r->step, 0xff, steps * sizeof(int32_t));
  memset(r->ending, 0xff, r->max_episodes * sizeof(pgb_ending));
  memset(r->end, 0xff, steps);
  memset(r->togo, 0xff, steps * sizeof(double));
  memset(r->ret, 0xff, r->max_episodes * sizeof(double));
  memset(r->length, 0xff, r->max_episodes * sizeof(int32_t));
  memset(r->origin, 0xff, r->max_episodes * sizeof(int32_t));
}

static inline int kernel_open(checks *c, const pgb_actor *actor, size_t capacity, kernel_run *out) {
  *out = (kernel_run){NULL, NULL};
  CHECK_OK(c, pgb_runner_create(actor, &out->runner));
  CHECK_OK(c, pgb_rollout_create(actor, capacity, &out->r));
  return out->runner != NULL && out->r != NULL;
}

static inline void kernel_roll(kernel_run *k, pgb_isa isa, const pgb_actor *actor, pgb_address address,
                               uint64_t batch, uint64_t first, uint64_t count) {
  kernel_poison(k->r);
  pgb_rollout_run(isa)(actor, k->runner, address, batch, first, count, k->r);
}

/* What contract() works in, full of NaN; NULL without memory. */
static inline float *kernel_scratch(const pgb_policy_shape *shape, size_t n_w) {
  const size_t size = (pgb_policy_scratch(shape, n_w) * sizeof(float) + 64) / 64 * 64;
  float *scratch = aligned_alloc(64, size);
  if (scratch != NULL)
    memset(scratch, 0xff, size);
  return scratch;
}

/* Sums of the first n episodes, n_w rows, that are not those in `out` bit by bit when raw ones tell them. */
static inline size_t kernel_raw_errors(const pgb_actor *a, const pgb_rollout *r, size_t n, size_t n_w,
                                       const float *const *rows, const float *out) {
  const size_t d = a->shape.n_theta, n_raw = a->shape.n_raw;
  float *scratch = kernel_scratch(&a->shape, n_w);
  float *raw = malloc(n * n_w * n_raw * sizeof *raw);
  double *in = malloc((n_raw + d) * sizeof *in), *all = in + n_raw;
  size_t wrong = scratch == NULL || raw == NULL || in == NULL;
  if (wrong == 0) {
    memset(raw, 0xff, n * n_w * n_raw * sizeof *raw);
    a->policy->contract_raw(a->policy_params, a->theta, r, 0, n, n_w, rows, scratch, raw);
    for (size_t i = 0; i < n * n_w; i++) {
      for (size_t k = 0; k < n_raw; k++)
        in[k] = (double)raw[i * n_raw + k];
      a->policy->expand(a->policy_params, in, all);
      for (size_t k = 0; k < d; k++)
        wrong += all[k] != (double)out[i * d + k];
    }
  }
  free(scratch);
  free(raw);
  free(in);
  return wrong;
}

static inline void kernel_close(kernel_run *k) {
  pgb_runner_destroy(k->runner);
  pgb_rollout_destroy(k->r);
}

/* The best that the machine runs: what the tests use where any set will do. */
static inline pgb_isa kernel_isa(void) {
  pgb_isa isa = PGB_ISA_NONE;
  const pgb_status s = pgb_isa_parse("auto", &isa);
  return s.code == PGB_OK ? isa : PGB_ISA_NONE;
}

/* A number in (-1, 1) of its own for every (series, i). */
static inline double kernel_noise(uint32_t series, uint32_t i) {
  uint32_t w[4];
  pgb_words(4711, PGB_USE_THETA, series, 0, 0, i, w);
  return ((double)w[0] + 0.5) * 0x1p-31 - 1;
}

#endif

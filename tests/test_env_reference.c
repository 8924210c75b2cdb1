/* SPDX-License-Identifier: MIT */
/* One step and one reset of every environment, in the copy of every instruction set, against the reference in
 * double from random states, actions and words. Gymnasium's have recorded answers besides
 * (test_env_cartpole.c and its like). */
#include "reference.h"

enum { ROUNDS = 40 };

static const char *const texts[] = {
    "env: {name: bandit, mean: [1, -2, 3.25, 5], noise: [.5, 0, 1, .25]}\n",
    "env: {name: bandit, mean: [.1, .2], noise: 2}\n",
    "env: {name: bandit, mean: [1e6, -3, 0]}\n",
    "env: {name: gaussian, curvature: 1.7, target: .8, noise: .4}\n",
    "env: {name: gaussian, dim: 3, curvature: .3, target: [.8, -1, 2], context: normal}\n",
    "env: {name: gaussian, dim: 5, target: .7, noise: 2, context: normal}\n",
    "env: {name: chain, mean: [0, 1, 4], noise: [.1, 0, 3], horizon: 9}\n",
    "env: {name: chain, mean: [-1, 1]}\n",
    "env: mdp\n",
    NOISY_MDP,
    LONG_MDP,
    "env: lqr\n",
    "env: {name: lqr, start: [1, -2], W: [[.02, .01], [.01, .05]]}\n",
    "env: {name: lqr, start: [1, -2], S0: [[.02, .01], [.01, .05]]}\n",
    "env: {name: lqr, A: [[.5]], B: [[1, -2, .5]], Q: [[3]], R: [[1, 0, .5], [0, 2, 0], [.5, 0, 1]], W: "
    "[[.3]]}\n",
    WIDE_LQR,
    "env: cartpole\n",
    "env: pendulum\n",
    "env: {name: pendulum, g: 3.7}\n",
    "env: acrobot\n",
    "env: mountaincar\n",
    "env: {name: mountaincar, goal_velocity: .03}\n",
};

/* Rows that follow from others, and Gymnasium's observations. */
static void complete(const pgb_actor *a, pgb_batch *b, size_t i) {
  double x[REF_MAX], obs[REF_MAX];
  for (size_t k = 0; k < a->space.n_state; k++)
    x[k] = (double)b->state[k * PGB_LANES + i];
  ref_complete(a->env->name, x);
  ref_observe(a->env->name, x, a->space.n_obs, obs);
  for (size_t k = 0; k < a->space.n_state; k++)
    b->state[k * PGB_LANES + i] = (float)x[k];
  for (size_t k = 0; k < a->space.n_obs && a->space.n_contexts != 1; k++)
    b->obs[k * PGB_LANES + i] = (float)obs[k];
}

/* The observation in lane i is that of its state; what is a state row, to the bit. Arms show context 0. */
static bool same_obs(const pgb_actor *a, const pgb_batch *b, size_t i) {
  double x[REF_MAX], obs[REF_MAX] = {0};
  bool same = true;
  for (size_t k = 0; k < a->space.n_state; k++)
    x[k] = (double)b->state[k * PGB_LANES + i];
  if (a->space.n_contexts != 1)
    ref_observe(a->env->name, x, a->space.n_obs, obs);
  for (size_t k = 0; k < a->space.n_obs; k++) {
    bool row = false;
    for (size_t j = 0; j < a->space.n_state; j++)
      row = row || obs[k] == x[j];
    same = same && check_close((double)b->obs[k * PGB_LANES + i], obs[k], 0, row ? 0 : 2e-7);
  }
  return same;
}

/* State k is drawn from -reach to reach: cartpole's angle from those that an episode can have. */
static double reach(const pgb_actor *a, uint32_t k) {
  return strcmp(a->env->name, "cartpole") == 0 && k == 2 ? 0.21 : 2;
}

static void fill(const pgb_actor *a, uint32_t round, pgb_batch *b, uint32_t *words) {
  const pgb_space *s = &a->space;
  for (uint32_t i = 0; i < PGB_LANES; i++) {
    for (uint32_t k = 0; k < s->n_state; k++) {
      const double u = kernel_noise(100 + k, round * PGB_LANES + i);
      const double x = s->n_contexts != 0 ? floor((u + 1) / 2 * (double)s->n_contexts) : reach(a, k) * u;
      b->state[k * PGB_LANES + i] = (float)x;
      b->obs[k * PGB_LANES + i] = s->n_contexts == 1 ? 0 : (float)x;
    }
    complete(a, b, i);
    for (uint32_t k = 0; k < s->n_act; k++) {
      const double u = kernel_noise(200 + k, round * PGB_LANES + i);
      b->act[k * PGB_LANES + i] =
          (float)(s->n_choices != 0 ? floor((u + 1) / 2 * (double)s->n_choices) : 3 * u);
    }
    for (uint32_t k = 0; k < s->step_words; k++) {
      uint32_t w[4];
      pgb_words(3, PGB_USE_STEP, k, round, i, 0, w);
      words[k * PGB_LANES + i] = w[0];
    }
  }
  b->words = words;
}

/* Lane i of the batch after a step from x, by the reference; false where it differs. A decision nearer than
 * 1e-6 to its limit may fall either way. */
static bool same_step(const pgb_actor *a, const pgb_batch *b, size_t i, double *x, const double *act,
                      const uint32_t *w) {
  double size = 1;
  for (size_t k = 0; k < a->space.n_state; k++)
    size = fmax(size, fabs(x[k]));
  for (size_t k = 0; k < a->space.n_act; k++)
    size = fmax(size, fabs(act[k]));
  const ref_step step = ref_env(a, x, act, w);
  if (step.margin < 1e-6)
    return true;
  bool same = check_close((double)b->reward[i], step.reward, 1e-6, 4e-6 * size * size);
  same = same && b->end[i] == (step.terminal ? PGB_TERMINAL : PGB_LIVE);
  for (size_t k = 0; k < a->space.n_state; k++)
    same = same && check_close((double)b->state[k * PGB_LANES + i], x[k], 1e-6, 4e-6 * size);
  return same && same_obs(a, b, i);
}

static size_t step_errors(const pgb_actor *a, pgb_batch *b, uint32_t round) {
  static uint32_t words[4 * REF_MAX * PGB_LANES];
  static double x[PGB_LANES][REF_MAX];
  size_t wrong = 0;
  fill(a, round, b, words);
  for (size_t i = 0; i < PGB_LANES; i++)
    for (size_t k = 0; k < a->space.n_state; k++)
      x[i][k] = (double)b->state[k * PGB_LANES + i];
  a->env->step(a->env_params, b);
  for (size_t i = 0; i < PGB_LANES; i++) {
    double act[REF_MAX];
    uint32_t w[4 * REF_MAX];
    for (size_t k = 0; k < a->space.n_act; k++)
      act[k] = (double)b->act[k * PGB_LANES + i];
    for (size_t k = 0; k < a->space.step_words; k++)
      w[k] = words[k * PGB_LANES + i];
    wrong += !same_step(a, b, i, x[i], act, w);
  }
  return wrong;
}

static size_t reset_errors(const pgb_actor *a, pgb_batch *b, uint32_t round) {
  size_t wrong = 0;
  uint32_t w[PGB_LANES][4 * REF_MAX], words[4 * REF_MAX * PGB_LANES];
  for (uint32_t i = 0; i < PGB_LANES; i++) {
    for (uint32_t k = 0; k < REF_MAX; k++)
      pgb_words(5, PGB_USE_RESET, k, round, i, 0, w[i] + (size_t)4 * k);
    for (size_t j = 0; j < (size_t)4 * REF_MAX; j++)
      words[j * PGB_LANES + i] = w[i][j];
  }
  b->words = words;
  a->env->reset(a->env_params, b);
  for (uint32_t i = 0; i < PGB_LANES; i++) {
    double x[REF_MAX];
    if (ref_reset(a, w[i], x) < 1e-7)
      continue;
    bool same = same_obs(a, b, i);
    for (size_t k = 0; k < a->space.n_state; k++)
      same = same && check_close((double)b->state[k * PGB_LANES + i], x[k], 1e-6, 4e-6);
    wrong += !same;
  }
  return wrong;
}

static void check_env(checks *c, pgb_isa isa, const char *text) {
  pgb_study *study = kernel_study(c, text, isa);
  if (study == NULL)
    return;
  const pgb_actor *a = &study->cells[0].actor;
  pgb_batch *b = NULL;
  CHECK_OK(c, pgb_batch_create(&a->space, &b));
  CHECK(c, a->space.n_state <= REF_MAX && a->space.n_act <= REF_MAX && a->space.step_words <= 4 * REF_MAX);
  size_t steps = 0, resets = 0;
  for (uint32_t round = 0; round < ROUNDS && b != NULL; round++) {
    steps += step_errors(a, b, round);
    resets += reset_errors(a, b, round);
  }
  if (steps + resets != 0)
    fprintf(stderr, "%s, %s: %zu steps and %zu resets of %d differ\n", a->env->name, pgb_isa_name(isa), steps,
            resets, ROUNDS * PGB_LANES);
  CHECK(c, steps == 0);
  CHECK(c, resets == 0);
  pgb_batch_destroy(b);
  pgb_study_destroy(study);
}

int main(void) {
  checks c = {0, 0};
  for (int isa = 0; isa < PGB_ISA_COUNT; isa++)
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
      if (pgb_isa_supported((pgb_isa)isa))
        check_env(&c, (pgb_isa)isa, texts[i]);
  return check_end(&c, "env_reference");
}
